/*
 * store_inner - what an open store is, for the sources of this folder and their tests.
 *
 * Order of a commit (store_commit): packs synced and their names, then one transaction of the index
 * with the new chunks, the root, and without what nothing holds any more; then only are packs
 * removed or written anew (gc.c), by the same order: bytes synced, names moved in one transaction,
 * file removed. So whatever the index names is on the disk at each instant, and a file that it does
 * not name can go. store_hold and store_collect (held.c) go the same way.
 */
#ifndef TERN_STORE_STORE_INNER_H
#define TERN_STORE_STORE_INNER_H

#include "store/index.h"
#include "store/names.h"
#include "store/pack.h"
#include "store/store.h"

#include <pthread.h>
#include <zstd.h>

struct store_limits {
    uint64_t pack_bytes;      /* of one pack */
    uint64_t index_bytes;     /* of the index's map at first; doubled as needed */
    uint64_t index_bytes_max; /* and at most */
    uint64_t look_bytes;      /* what nothing holds is looked for when so much has been put ... */
    uint32_t look_commits;    /* ... or so many commits were made since the last time */
};

struct store {
    struct store_io io;
    struct store_limits limits;
    char *path;
    int dir, lock; /* descriptors, or -1 */
    bool read_only;
    struct index index;
    struct packs packs;
    struct names pending; /* put and not committed: struct record_chunk */
    struct names bad;     /* found damaged: uint32_t, 0 if it was put anew since */
    struct names roots;   /* held by their names: struct record_held */
    struct names pins;    /* struct store_pin */
    struct names whole;   /* lists: uint32_t, bit k: all beneath it as kind k is there */
    uint64_t pin_stamp, pins_from;
    size_t pins_room;       /* when so many are pinned, those that do not count go */
    uint32_t taking;        /* others put what they will commit */
    uint32_t drops;         /* of roots, since the store last looked what is held */
    bool dirty_roots;       /* some of them are not as in the index */
    bool half_empty;        /* there are packs to be written anew */
    bool no_memory;         /* while opening */
    pthread_mutex_t mutex;  /* recursive; of all that is declared in store.h and chunk.h */
    struct record_state state;
    uint64_t chunks; /* in the index, while opening */
    bool has_state;
    ZSTD_CCtx *compress;
    ZSTD_DCtx *decompress;
    uint8_t *scratch;           /* STORE_CHUNK_MAX: stored bytes */
    uint8_t *base, *difference; /* of like.c; NULL until needed */
    uint8_t *plain;             /* of stored.c; NULL until needed */
};

struct store_pin {
    uint64_t stamp; /* of the last time */
    uint32_t kinds; /* bit k: as kind k; 0: not any more */
    uint32_t nothing;
};

enum { STORE_MOVE_BYTES = 16 << 20 }; /* in one step of giving room back */
enum { STORE_DIFFERENCE_MAX = STORE_NAME_BYTES + STORE_CHUNK_MAX / 4 };

static inline pthread_mutex_t *store_lock(struct store *s)
{
    pthread_mutex_lock(&s->mutex);
    return &s->mutex;
}

static inline void store_unlock(pthread_mutex_t **mutex)
{
    pthread_mutex_unlock(*mutex);
}

/* To the end of the block. */
#define STORE_LOCKED(s)                                                                            \
    pthread_mutex_t *locked_ __attribute__((cleanup(store_unlock), unused)) = store_lock(s)

enum { RECORD_LOST = 255 }; /* codec of a pending chunk whose bytes did not reach the disk */

enum store_mode { STORE_READ, STORE_WRITE, STORE_CREATE };

struct store_setup {
    const struct store_io *io;
    struct store_limits limits;
};
struct store_setup store_setup_default(void);
enum tern_err store_open_with(const char *dir, enum store_mode mode,
                              const struct store_setup *setup, struct store **out,
                              struct problem *p);

/* The sentence for a pack that a call of packs_ failed at. */
enum tern_err store_pack_failed(const struct store *s, int error, const char *doing,
                                struct problem *p);
/* Where a chunk is: TERN_ENOENT, TERN_ECORRUPT, TERN_EIO. */
enum tern_err store_find(struct store *s, const struct store_name *name, struct record_chunk *out);
/* The stored bytes, checked against their digest: into s->scratch. */
enum tern_err store_read_stored(struct store *s, const struct record_chunk *c);
/* As store_find, and the stored bytes into s->scratch, although a writer may be moving them. */
enum tern_err store_fetch(struct store *s, const struct store_name *name, struct record_chunk *c);
/* Under its name, if that is not there. */
enum tern_err store_put_named(struct store *s, struct view plain, const struct store_name *n,
                              struct problem *p);
/* To a pack and to what is pending. */
enum tern_err store_append(struct store *s, struct view stored, const struct store_name *n,
                           struct record_chunk *c, struct problem *p);

/* like.c, of chunks of RECORD_LIKE. Stored bytes stand in s->scratch. */
enum tern_err store_decode_like(struct store *s, const struct record_chunk *c, uint8_t *to);
enum tern_err store_base_of(struct store *s, const struct record_chunk *c, struct store_name *base);
/* The plain bytes of one that is stored whole, until the next call of these; TERN_ECORRUPT. */
enum tern_err store_get_base(struct store *s, const struct store_name *base, struct view *out);
/* What was there once and is put again, since it was damaged, can be a base of others: whole. */
bool store_is_new(struct store *s, const struct store_name *name);

/* Whether these are its stored bytes. */
bool store_digest_fits(const struct record_chunk *c, const uint8_t *stored);
/* Into room for its plain bytes: TERN_ECORRUPT. */
enum tern_err store_decode(struct store *s, const struct record_chunk *c, const uint8_t *stored,
                           uint8_t *to);
/* All that is pending is on the disk then. */
enum tern_err store_settle(struct store *s, struct problem *p);

struct store_look { /* for what is held */
    store_children *children;
    void *context;
    const struct store_name *list; /* of a new root, or NULL */
    unsigned kept;                 /* newest roots */
    bool tolerant;                 /* what is missing or damaged has nothing beneath it */
};
/* Names of all that hangs beneath these, beneath the roots that are held by name, and what is
 * pinned, and of their bases: value uint32_t. */
enum tern_err store_mark(struct store *s, const struct store_look *look, struct names *held);
/* Removes packs without live bytes; writes those anew of which less than half is live, until so many
 * bytes were moved; true: there are more. Best effort: what fails is done at the next time. */
bool store_reclaim(struct store *s, uint64_t bytes_max);

/* ---- commit.c ---- */

struct store_change {
    struct store_look look;
    bool must_look;          /* now; else when it is due, if there is a list */
    struct store_root *root; /* the new one, with `look.list` and this time; NULL: none */
    int64_t time_ns;
};
/* One transaction: all that was put and is held or may be, roots, and what was dropped. */
enum tern_err store_write(struct store *s, const struct store_change *change, struct problem *p);
/* Whether enough was put to look what is still held. */
bool store_grew(const struct store *s, const struct record_state *state);

/* ---- held.c ---- */

/* Fills the table of roots by name from a record of the index. */
void store_seen_held(struct store *s, const struct store_name *name, const struct record_held *h);
/* In the transaction of a commit; and when it has come through. */
int store_write_held(struct store *s, MDB_txn *txn, MDB_dbi dbi);
void store_wrote_held(struct store *s);
/* What counts of a pin. */
uint32_t store_pinned_kinds(const struct store *s, const struct store_pin *pin);
/* After looking: what is not held is not known to be whole; pins that do not count go. */
void store_looked(struct store *s, const struct names *held);

#endif
