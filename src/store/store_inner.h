/*
 * store_inner - what an open store is, for the sources of this folder and their tests.
 *
 * Order of a commit (store_commit): packs synced and their names, then one transaction of the index
 * with the new chunks, the root, and without what nothing holds any more; then only are packs
 * removed or written anew (gc.c), by the same order: bytes synced, names moved in one transaction,
 * file removed. So whatever the index names is on the disk at each instant, and a file that it does
 * not name can go.
 */
#ifndef TERN_STORE_STORE_INNER_H
#define TERN_STORE_STORE_INNER_H

#include "store/index.h"
#include "store/names.h"
#include "store/pack.h"
#include "store/store.h"

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
    struct record_state state;
    uint64_t chunks; /* in the index, while opening */
    bool has_state;
    ZSTD_CCtx *compress;
    ZSTD_DCtx *decompress;
    uint8_t *scratch;           /* STORE_CHUNK_MAX: stored bytes */
    uint8_t *base, *difference; /* of like.c; NULL until needed */
};

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

/* Whether these are its stored bytes. */
bool store_digest_fits(const struct record_chunk *c, const uint8_t *stored);
/* Into room for its plain bytes: TERN_ECORRUPT. */
enum tern_err store_decode(struct store *s, const struct record_chunk *c, const uint8_t *stored,
                           uint8_t *to);
/* All that is pending is on the disk then. */
enum tern_err store_settle(struct store *s, struct problem *p);

/* Names of all that hangs beneath the new root and the `kept` newest ones, and of their bases:
 * value uint32_t. */
enum tern_err store_mark(struct store *s, const struct store_commit *c, unsigned kept,
                         struct names *held);
/* Removes packs without live bytes; writes those anew of which less than half is live. Best effort:
 * what fails is done at the next time. */
void store_reclaim(struct store *s);

#endif
