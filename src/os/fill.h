/*
 * fill - the memory of a program that goes on: all at once, or page by page while it runs.
 *
 * How      userfaultfd: a page that the program touches and that is not there yet is had from the
 *          store first, the others one after another. So a program of any size starts at once.
 *          Where the kernel does not have that, and for little memory, all of it is filled before
 *          the program starts.
 * Pages    of zeros are left out: they come into being when they are touched.
 * Damage   A page that cannot be had may be noticed only when the program runs already: it must
 *          not go on then.
 * Threads  fill_run may be called from any thread, while nobody else uses the store.
 */
#ifndef TERN_OS_FILL_H
#define TERN_OS_FILL_H

#include "image/image.h"
#include "os/pages.h"
#include "store/store.h"

struct fill;

/* Reads the names of all pages of memory 0, which `remember` (may be NULL) is told; the image is
 * borrowed. */
enum tern_err fill_new(struct store *s, const struct image *image, struct pages *remember,
                       struct fill **out);
void fill_free(struct fill *f); /* NULL is fine */

/* Everything, into the memfd, before the program runs. */
enum tern_err fill_all(struct fill *f, int memory);

/*
 * True: the program may run, and fill_run must. `tracker`: of that process, from rt/track.h, taken
 * over; base: where it has memory 0, armed. False: not possible or not worth while.
 */
bool fill_begin(struct fill *f, int tracker, uint64_t base);
/* Until all is there. TERN_EBUSY: given up. */
enum tern_err fill_run(struct fill *f);
/* From another thread: nobody needs it any more. */
void fill_give_up(struct fill *f);

#endif
