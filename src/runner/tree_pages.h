/*
 * tree_pages - where the contents of a private file tree lie: pages of the arena that are in use,
 * and which of them each file consists of.
 *
 * Arena    A file of pages of 4 KiB, which tree_io reads and writes. Page 0 stands for a hole.
 * Frozen   What was in use when the program last stopped is never written again, nor given to
 *          anybody else, before it stops once more: a checkpoint reads it meanwhile. A file gets a
 *          fresh page when it first changes such a one.
 * Limit    max pages are in use at a time; frozen ones that no longer are do not count. So the
 *          arena never has more than twice as many.
 * Memory   Two bits a page of the arena; of a file four bytes for each page that is no hole, in
 *          lists of 1,024, of which there is none where there are only holes.
 */
#ifndef TERN_RUNNER_TREE_PAGES_H
#define TERN_RUNNER_TREE_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TREE_LIST_PAGES = 1024 };

struct tree_pages {
    uint64_t *used, *frozen; /* a bit each */
    uint32_t words;
    uint32_t first; /* no word before it has a free page */
    uint32_t count; /* in use */
    uint32_t max;
};

void tree_pages_release(struct tree_pages *p);
/* 0: the limit is reached (unless the page takes the place of one that is dropped next), or there
 * is no memory for the bits. */
uint32_t tree_pages_take(struct tree_pages *p, bool instead);
/* Takes this very one; false: it is in use, or there is no memory. */
bool tree_pages_take_at(struct tree_pages *p, uint32_t page);
void tree_pages_drop(struct tree_pages *p, uint32_t page);
bool tree_pages_frozen(const struct tree_pages *p, uint32_t page);
/* What is in use is frozen, all else is not. */
void tree_pages_freeze(struct tree_pages *p);

/* ---- The pages of a file ---- */

struct tree_list {
    uint32_t index; /* its pages begin with index * TREE_LIST_PAGES */
    uint32_t room;  /* elements; what is behind is holes */
    uint32_t *page; /* of the arena; 0: a hole */
};

struct tree_map {
    struct tree_list *lists; /* by ascending index */
    uint32_t count, room;
};

uint32_t tree_map_get(const struct tree_map *m, uint32_t page);
/* Room for an entry, so that tree_map_set cannot fail. False: no memory. */
bool tree_map_reserve(struct tree_map *m, uint32_t page);
void tree_map_set(struct tree_map *m, uint32_t page, uint32_t arena);
/* Drops all pages from `page` on. */
void tree_map_cut(struct tree_map *m, uint64_t page, struct tree_pages *pages);
/* The first page from *page on that is no hole; false: there is none. */
bool tree_map_next(const struct tree_map *m, uint64_t *page);

#endif
