/*
 * store - chunks by the hash of their bytes, and checkpoints that hold on to them: a directory.
 *
 * Chunks   Immutable runs of at most STORE_CHUNK_MAX plain bytes, named by SHA-256 of them. Stored
 *          compressed by zstd where that is shorter, or as what differs from another chunk, with a
 *          digest (XXH3) of the stored bytes, appended to pack files (DIR/pack-N); LMDB (DIR/index)
 *          keeps name -> (pack, offset, stored size, plain size, codec, digest). A chunk that is
 *          there already is not written again.
 * Roots    A checkpoint is a root: a number, larger than the ones before, and the name of a list
 *          chunk, beneath which everything hangs that it needs. The caller says what hangs there.
 * Atomic   store_commit makes all chunks put before it durable, and then the root, in one LMDB
 *          transaction: after a crash or a power cut at any instant the newest root is complete,
 *          or the one before is. What was put and never committed is not seen again, and its room
 *          is used again.
 * Held     Another kind of root is held by its name until it is dropped (store_hold): as many as one
 *          likes, of any kind, each looked through beforehand. What nothing holds any more goes by
 *          store_collect, but for what is pinned. Both kinds may be used in one store.
 * Forget   store_commit lets go of all roots but the newest `keep`; packs of which less than half
 *          is still held are written anew and removed, when that is due, so that DIR stays below
 *          about twice what is held.
 * One user DIR is locked while it is open (flock): a second store_open is TERN_EBUSY with the
 *          process id of the holder. store_open_read locks nobody out and is not locked out, but
 *          one process must not have the same DIR open both ways at once.
 * Bad data A chunk whose stored bytes do not have their digest, or whose plain bytes do not have
 *          their name (but see store_get_many), is TERN_ECORRUPT; decompression never exceeds the
 *          plain size in the index, nor STORE_CHUNK_MAX.
 * Machine  The index has the byte order of the machine that made it.
 * System   Only through the calls of store_io.h: tests cut the power there.
 * Threads  None of its own; calls from several wait for one another.
 */
#ifndef TERN_STORE_STORE_H
#define TERN_STORE_STORE_H

#include "base/bytes.h"
#include "base/error.h"

enum { STORE_NAME_BYTES = 32, STORE_CHUNK_MAX = 1 << 20 };

struct store_name {
    uint8_t bytes[STORE_NAME_BYTES]; /* SHA-256 of the plain bytes */
};

struct store; /* an open directory */

/* Makes the directory (0700) if there is none and `create`. TERN_ENOENT, TERN_EBUSY, TERN_EIO,
 * TERN_ECORRUPT, TERN_ENOMEM; *p (may be NULL) is filled then. */
enum tern_err store_open(const char *dir, bool create, struct store **out, struct problem *p);
enum tern_err store_open_read(const char *dir, struct store **out, struct problem *p);
void store_close(struct store *s); /* NULL is fine */

struct store_name store_name_of(struct view plain);

/* Puts a chunk and says its name. TERN_ETOOBIG, TERN_EIO (*p says why: disk full ...). */
enum tern_err store_put(struct store *s, struct view plain, struct store_name *name,
                        struct problem *p);
/*
 * As store_put, of a chunk that is likely to resemble the one named `like` (NULL: none): then only
 * the difference is stored, if that is much shorter. What it resembles stays as long as something
 * needs it, whether or not a root does, and is always stored whole: no chain ever forms. One that
 * is not there, or is no help, does no harm.
 */
enum tern_err store_put_like(struct store *s, struct view plain, const struct store_name *like,
                             struct store_name *name, struct problem *p);
/* Whether it is there, committed or not. */
bool store_has(struct store *s, const struct store_name *name);
/* Appends the plain bytes to *out. TERN_ENOENT, TERN_ECORRUPT, TERN_EIO. */
enum tern_err store_get(struct store *s, const struct store_name *name, struct bytes *out);

/* Adds what it takes on disk. TERN_ENOENT, TERN_ECORRUPT, TERN_EIO. */
enum tern_err store_add_stored(struct store *s, const struct store_name *name, uint64_t *bytes);

struct store_want {
    struct store_name name;
    uint32_t size; /* of the plain bytes: another is TERN_ECORRUPT */
    uint8_t *to;   /* room for them */
};
/*
 * All of these, in the order that costs least; sorts `wants`. The stored bytes are checked against
 * their digest, which finds damage; that the plain bytes have their name, which only somebody who
 * forged the directory can have broken, is left to store_get. *bad (may be NULL) is the one that
 * the error is about, if there is one. After an error any of the rooms may have been written to.
 */
enum tern_err store_get_many(struct store *s, struct store_want *wants, size_t count,
                             const struct store_want **bad);

struct store_root {
    uint64_t number;
    struct store_name list;
    int64_t time_ns;     /* wall clock, as the caller gave it */
    uint64_t new_chunks; /* that this checkpoint added */
    uint64_t new_bytes;  /* that they take on disk */
};

/*
 * What hangs beneath a chunk: calls yield for every name in it. Given by the caller, who knows the
 * format of its lists; kind is the caller's own, 0 to 30, and passed on (a root's list is kind 0).
 * Nothing hangs beneath a STORE_LEAF: those are not read for it.
 */
enum { STORE_LEAF = 31 };

typedef enum tern_err store_children(void *context, unsigned kind, struct view plain,
                                     enum tern_err (*yield)(void *to, unsigned kind,
                                                            const struct store_name *name),
                                     void *to);

struct store_commit {
    struct store_name list;
    int64_t time_ns;
    unsigned keep; /* newest roots that stay, this one included; at least 1 */
    store_children *children;
    void *context;
};

/* *root is the new one. On failure nothing has changed and what was put can be committed later. */
enum tern_err store_commit(struct store *s, const struct store_commit *given,
                           struct store_root *root, struct problem *p);

/* Newest first: the n-th root. TERN_ENOENT when there are no more. */
enum tern_err store_root(struct store *s, unsigned n, struct store_root *out);

struct store_usage {
    uint64_t disk_bytes; /* of all packs */
    uint64_t held_bytes; /* of chunks beneath the roots, as stored; and of those that hung there
                          * when the store last looked, after a quarter more or 16 commits */
    uint64_t chunks;
    unsigned roots, held_roots;
};
enum tern_err store_usage(struct store *s, struct store_usage *out);
/* Packs and index, without looking through them. */
uint64_t store_disk_bytes(struct store *s);

/* ---- Roots by name ---- */

struct store_held {
    struct store_name name;
    unsigned kind;      /* 0 to 30, or STORE_LEAF */
    int64_t expires_ns; /* as it was given: the store drops nothing by itself */
};

struct store_rules { /* what hangs beneath a chunk */
    store_children *children;
    void *context;
};

/*
 * Makes all that was put durable, and this a root; one that there is gets another expiry. TERN_ENOENT:
 * it or something beneath it is not there. *new_bytes: of chunks beneath it that were put since the
 * last commit.
 */
enum tern_err store_hold(struct store *s, const struct store_held *root,
                         const struct store_rules *rules, uint64_t *new_bytes, struct problem *p);
/* Another expiry; dropping, as whatever kind it is held. On the disk with the next commit. TERN_ENOENT. */
enum tern_err store_extend(struct store *s, const struct store_held *root);
enum tern_err store_drop(struct store *s, const struct store_name *name);
/* What was extended and dropped to the disk, now. */
enum tern_err store_flush(struct store *s, struct problem *p);
void store_each_held(struct store *s, void *context,
                     void (*each)(void *context, const struct store_held *root));
size_t store_held_count(struct store *s);

/* There, with everything beneath it. Remembered, so that asking again is cheap. */
bool store_is_whole(struct store *s, const struct store_name *name, unsigned kind,
                    const struct store_rules *rules);

/*
 * Pins keep what no root holds yet from store_collect: a chunk as a leaf, or, as another kind, with
 * everything beneath it. They end when a root takes it over, and when they are older than the oldest
 * stamp that is still wanted. store_pins says that, and the stamp of those to come, which rises.
 */
void store_pin(struct store *s, const struct store_name *name, unsigned kind);
void store_pins(struct store *s, uint64_t stamp, uint64_t oldest);

/*
 * Looks what is still held or pinned, forgets the rest, also of what was put and not committed, and
 * gives its room back. What is missing or damaged beneath a root has nothing beneath it.
 */
enum tern_err store_collect(struct store *s, const struct store_rules *rules, struct problem *p);
/* While another thread puts what its store_commit is to hold: store_collect does nothing. Counts. */
void store_taking(struct store *s, bool taking);
/* It gives back some: true as long as calling this gives back more. */
bool store_give_back(struct store *s);
/* Whether that is worth while: so much was put, or roots were dropped. */
bool store_is_due(struct store *s);
bool store_has_dropped(struct store *s); /* a root, since it last looked */

/* Found damaged: it is not there any more, until it is put again. */
void store_spoil(struct store *s, const struct store_name *name);

#endif
