/*
 * chunks_store - the chunks of a depot or a slot (drive/chunks.h) in a directory: a store for each
 *                domain, so that nothing of one can be learned in another.
 *
 * Layout   DIR/lock; DIR/domains/NAME, with NAME the domain's, written so that any bytes will do.
 * Space    All domains together, as files; put refuses (TERN_ENOSPACE) what would pass it, after it
 *          has given back what nothing holds. Needs some room to move things: a sixteenth is kept.
 * Memory   chunks_store_in_memory makes its directory in a file system that is memory, and removes
 *          it in the end; what is left of one that was killed is removed by the next one.
 * Damage   A store that cannot be opened any more is set aside (DIR/damaged-NAME, the last one) and
 *          begun anew, if `heal`: others have copies. Chunks that are found damaged are not there
 *          any more; usage counts them.
 * Threads  Of the event loop alone; but the stores themselves (chunks_store_of) may be used on others.
 */
#ifndef TERN_OS_POOL_CHUNKS_STORE_H
#define TERN_OS_POOL_CHUNKS_STORE_H

#include "drive/chunks.h"

enum { CHUNKS_DOMAINS_MAX = 1024, CHUNKS_DOMAIN_BYTES = 256 };

struct chunks_store;

struct chunks_store_config {
    const char *dir;      /* made, if there is only its parent */
    uint64_t space_bytes; /* 0: as much as there is */
    bool heal;
    void (*told)(void *context, const char *sentence); /* something a person should know; may be NULL */
    void *context;
};

enum tern_err chunks_store_open(const struct chunks_store_config *config, struct chunks_store **out,
                                struct problem *p);
/* config->dir: a file system in memory ("/dev/shm"), in which a directory is made. */
enum tern_err chunks_store_in_memory(const struct chunks_store_config *config,
                                     struct chunks_store **out, struct problem *p);
void chunks_store_close(struct chunks_store *cs); /* NULL is fine */

struct chunks chunks_store_chunks(struct chunks_store *cs);
const char *chunks_store_path(const struct chunks_store *cs);

/* The store of a domain, made if there is none: open as long as this is. */
enum tern_err chunks_store_of(struct chunks_store *cs, const char *domain, struct store **out,
                              struct problem *p);

#endif
