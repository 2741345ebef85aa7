/*
 * directory - things by numbers that are given in ascending order, most of which are there.
 *
 * Looking up takes one step; going through it is in the order of the numbers. What is in front of
 * the first number that is there costs nothing, a gap in between 8 bytes for each 512 numbers.
 *
 * Memory   directory_put: false: none. directory_release forgets all; the things are the caller's.
 */
#ifndef TERN_BASE_DIRECTORY_H
#define TERN_BASE_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIRECTORY_PAGE = 512 };

struct directory_page;

struct directory {
    struct directory_page **pages; /* of numbers from first * DIRECTORY_PAGE on */
    uint64_t first;
    size_t count, capacity; /* pages */
    uint64_t things;
    size_t bytes; /* that it takes */
};

void directory_release(struct directory *d);
void *directory_get(const struct directory *d, uint64_t n);
/* n is not there yet. */
bool directory_put(struct directory *d, uint64_t n, void *thing);
void directory_remove(struct directory *d, uint64_t n);
/* The first one from n on; NULL: there is none. *at is its number. */
void *directory_from(const struct directory *d, uint64_t n, uint64_t *at);

#endif
