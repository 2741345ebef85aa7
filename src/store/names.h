/*
 * names - a table from the names of chunks to values of one size, in the order they came.
 *
 * Memory   Grows up to `count_max` entries; the values move when it does, so that a pointer to one
 *          is good until the next names_add. Release accepts an empty table.
 * Errors   NULL when memory or the limit is exhausted.
 */
#ifndef TERN_STORE_NAMES_H
#define TERN_STORE_NAMES_H

#include "store/store.h"

enum { NAMES_MAX = 1 << 26 };

struct names {
    size_t value_bytes; /* a multiple of 4 */
    size_t count;
    size_t capacity;
    uint8_t *entries; /* each a name, then a value */
    uint32_t *slots;  /* 1 + index of an entry; twice as many as capacity */
};

/* The value of that name, zeroed if *fresh: it was not there before. */
void *names_add(struct names *n, const struct store_name *name, bool *fresh);
void *names_find(const struct names *n, const struct store_name *name); /* NULL: not there */
const struct store_name *names_at(const struct names *n, size_t index);
void *names_value(const struct names *n, size_t index);
/* Empties without giving memory back. */
void names_clear(struct names *n);
void names_release(struct names *n);

#endif
