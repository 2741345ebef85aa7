/*
 * shelf - what the tests of the store put in and expect back: checkpoints of numbered pages.
 *
 * A page's bytes follow from its number. A checkpoint is a list of lists of pages, as images have
 * it.
 */
#ifndef TERN_TEST_SHELF_H
#define TERN_TEST_SHELF_H

#include "store/store_inner.h"

enum { SHELF_PAGES_MAX = 64, SHELF_LIST_PAGES = 16, SHELF_PAGE_MAX = 5000, SHELF_PATH_BYTES = 256 };

struct shelf { /* a private directory; the store is in `store`, beneath it */
    char base[SHELF_PATH_BYTES];
    char store[SHELF_PATH_BYTES + 16];
};

struct checkpoint {
    unsigned count;
    uint32_t page[SHELF_PAGES_MAX];
};

/* For cmocka. In memory where the system has such a place. */
int shelf_setup(void **state);
int shelf_teardown(void **state);
void shelf_empty(const char *path); /* removes the files of a directory and it */
const char *shelf_file(const struct shelf *s, const char *name); /* in the store; one at a time */

void file_load(const char *path, struct bytes *out);
void file_save(const char *path, struct view bytes);

uint64_t draw(uint64_t *seed);
uint32_t draw_below(uint64_t *seed, uint32_t limit);
/* Some compress well, some not at all, some are tiny, number 0 has no bytes. */
size_t page_bytes(uint32_t number, uint8_t out[SHELF_PAGE_MAX]);
struct store_name page_name(uint32_t number);

/* Packs of 16 KiB, an index of 64 KiB at first, and each commit looks what is held. */
struct store_setup shelf_small(void);
/* With that; fails the test if it cannot. */
struct store *shelf_open(const struct shelf *shelf, enum store_mode mode);

enum tern_err shelf_children(void *context, unsigned kind, struct view plain,
                             enum tern_err (*yield)(void *to, unsigned kind,
                                                    const struct store_name *name),
                             void *to);
/* Lists are put as likely to resemble those of the newest root. */
enum tern_err shelf_commit(struct store *s, const struct checkpoint *c, unsigned keep,
                           struct problem *p);
/* TERN_OK: the n-th newest root is this one, whole. */
enum tern_err shelf_compare(struct store *s, unsigned n, const struct checkpoint *c);
/* Reads all beneath a root: TERN_OK, or why not. */
enum tern_err shelf_read(struct store *s, unsigned n);
/* One page becomes another, with a number below the limit. */
void checkpoint_change(struct checkpoint *c, uint64_t *seed, uint32_t limit);
void checkpoint_draw(struct checkpoint *c, uint64_t *seed, unsigned count);

#endif
