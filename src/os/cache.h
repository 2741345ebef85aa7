/*
 * cache - compiled modules, kept in one private directory under the hash of all that made them.
 *
 * An entry is an ELF object and behind it a trailer: magic, version, key, size of the object,
 * SHA-256 of the object. It appears whole (temporary file, fsync, rename) and is verified on
 * every use while it is copied into sealed memory, so neither a torn write nor a bad disk nor a
 * change under our hands can reach a runner. What does not verify is removed and built again.
 *
 * Trust    The directory and each entry must be ours and writable by nobody else.
 * Size     A store that makes the cache larger than size_max removes what was not used longest.
 * Errors   TERN_EUNSAFE: refused for safety, the problem says why. TERN_ENOENT: no such entry.
 *          TERN_EIO, TERN_EACCES: the cache cannot be used; the caller goes on without it.
 */
#ifndef TERN_OS_CACHE_H
#define TERN_OS_CACHE_H

#include "base/bytes.h"
#include "base/error.h"
#include "os/hash.h"

#include <stdbool.h>

struct cache {
    int dir; /* -1: there is none; lookups find nothing and stores say TERN_EACCES */
    uint64_t size_max;
};

struct cache_lock {
    int fd;
    char name[DIGEST_HEX_BYTES + 8];
};

enum tern_err cache_open(struct cache *c, const char *path, uint64_t size_max, struct problem *p);
void cache_close(struct cache *c);

/* A sealed descriptor of the object. Counts as a use. */
enum tern_err cache_get(struct cache *c, const struct digest *key, int *out_fd, struct problem *p);
enum tern_err cache_put(struct cache *c, const struct digest *key, struct view object,
                        struct problem *p);

/*
 * Makes others who want to build the same entry wait; look again with cache_get after it was
 * got. Blocks while another process holds it; signals end the wait as they end the process.
 * Without a usable directory it does nothing.
 */
void cache_lock(struct cache *c, const struct digest *key, struct cache_lock *out);
void cache_unlock(struct cache *c, struct cache_lock *lock);

/* Small texts beside the objects ("compiler-..."), under the same rules of trust. */
enum tern_err cache_get_text(struct cache *c, const char *name, struct bytes *out);
enum tern_err cache_put_text(struct cache *c, const char *name, struct view text);

struct cache_entry {
    char name[DIGEST_HEX_BYTES]; /* the key */
    uint64_t size_bytes;         /* of the file */
    int64_t used_ns;             /* since 1970 */
};

/* All objects, the one used last first. *out is to be freed. */
enum tern_err cache_list(struct cache *c, struct cache_entry **out, size_t *count);
/* Removes what was used longest ago until at most size_max bytes are left, and remains of writers
 * that died. */
enum tern_err cache_prune(struct cache *c, uint64_t size_max, size_t *removed,
                          uint64_t *removed_bytes);

#endif
