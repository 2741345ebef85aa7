/*
 * chunks_inner - what the sources of chunks_store share. For them only.
 */
#ifndef TERN_OS_POOL_CHUNKS_INNER_H
#define TERN_OS_POOL_CHUNKS_INNER_H

#include "os/pool/chunks_store.h"

struct domain {
    char *name;
    struct store *store;
};

struct chunks_store {
    struct chunks_store_config config;
    char *path;
    int lock;
    bool in_memory;
    struct domain *domain;
    size_t count, capacity;
    size_t last;         /* found */
    uint64_t used_bytes; /* at most; found out anew by tidying */
    uint64_t damaged;
    uint64_t stamp, oldest;
    int64_t flushed_ns, collected_ns;
    bool futile; /* collecting gave nothing back, and nothing was let go of since */
};

/* chunks_domains.c */
enum tern_err domains_open_all(struct chunks_store *cs, struct problem *p);
void domains_close_all(struct chunks_store *cs);
struct store *domains_find(struct chunks_store *cs, const char *domain); /* NULL: none */
/* A file's name of a domain's; false: too long. */
bool domains_encode(const char *domain, char out[CHUNKS_DOMAIN_BYTES]);
bool domains_decode(const char *file, char out[CHUNKS_DOMAIN_BYTES]);

/* chunks_tidy.c */
extern const struct store_rules chunks_rules;
uint64_t tidy_measure(struct chunks_store *cs);
/* Room for so many bytes more, if that can be. */
bool tidy_make_room(struct chunks_store *cs, uint64_t bytes);
bool tidy_step(struct chunks_store *cs);

#endif
