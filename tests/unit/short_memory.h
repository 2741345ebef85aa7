/*
 * short_memory - allocations that fail: the n-th, once or for ever. For tests that are linked with
 * --wrap of malloc, calloc, realloc and free.
 */
#ifndef TERN_TESTS_SHORT_MEMORY_H
#define TERN_TESTS_SHORT_MEMORY_H

#include <stdbool.h>

struct short_memory {
    unsigned seen;    /* allocations */
    unsigned fail_at; /* 0: never */
    bool for_ever;    /* and all later ones, too */
    long alive;       /* blocks */
};

extern struct short_memory memory;

#endif
