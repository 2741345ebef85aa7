/*
 * pack - the files that hold the bytes of chunks: DIR/pack-N, only ever appended to.
 *
 * Does     Gives bytes a place, reads them back, makes them durable, removes a file as a whole.
 * Not here What the bytes are and which of them are still wanted: the index knows.
 * Writing  Gathered, and written a stretch at a time: what could not be written is tried again with
 * the next. Only the newest pack is written to. When it is full, or a sync of it failed, it is
 * retired: never written or synced again, since after a failed sync nobody knows what has reached
 * the disk. What lies behind `durable` in a retired pack has to be stored once more. Errors
 * Negative errno; -ENODATA: the pack ends before these bytes. problem names the file.
 */
#ifndef TERN_STORE_PACK_H
#define TERN_STORE_PACK_H

#include "store/store_io.h"

enum { PACK_TAIL_BYTES = 256 << 10 };
enum { PACK_NAME_BYTES = 32, PACK_OPEN_MAX = 16, PACK_COUNT_MAX = 1 << 20 };

struct pack {
    uint64_t number;
    uint64_t size;                /* bytes on disk; the next ones come here */
    uint64_t durable;             /* so many of them are known to be on the disk */
    uint64_t live;                /* of which chunks in the index have these */
    uint64_t end;                 /* of the last byte that a chunk in the index has */
    uint64_t next_live, next_end; /* the same, if what is being tried succeeds */
    bool closed;                  /* never appended to again */
};

struct packs {
    const struct store_io *io;
    int dir;
    uint64_t bytes_max; /* of one pack; one chunk may pass it */
    struct pack *at;    /* by number */
    size_t count, capacity;
    uint64_t next;   /* number of the next new one */
    uint64_t failed; /* the pack that the last error was about */
    int writing;     /* the newest, or -1 */
    uint8_t *tail;   /* its last bytes, which are not written yet */
    size_t tail_bytes, tail_max;
    bool unsynced_name; /* a file was made since the directory was synced */
    struct {
        uint64_t number;
        int fd;
    } open[PACK_OPEN_MAX]; /* for reading; 0: none */
    unsigned turn;
};

void pack_name(uint64_t number, char out[PACK_NAME_BYTES]);

void packs_init(struct packs *ps, const struct store_io *io, int dir, uint64_t bytes_max);
void packs_release(struct packs *ps);
/* The files that are there. */
int packs_load(struct packs *ps);
/* Gives back what lies behind the last chunk of each pack, and packs without any. Best effort. */
void packs_trim(struct packs *ps);
struct pack *packs_find(struct packs *ps, uint64_t number);

int packs_append(struct packs *ps, struct view stored, uint64_t *number, uint64_t *offset);
/* All that was appended and not retired is on the disk then, with the names of the files. */
int packs_sync(struct packs *ps);
/* Nothing is appended to the newest any more, until it is opened again. */
void packs_retire(struct packs *ps);
/* Gives back what was appended to a pack since it had that size. Best effort. */
void packs_cut(struct packs *ps, struct pack *p, uint64_t size);
int packs_read(struct packs *ps, uint64_t number, uint64_t offset, void *to, size_t size);
int packs_remove(struct packs *ps, uint64_t number);

#endif
