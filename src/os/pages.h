/*
 * pages - the memory of a running program as its last checkpoint has it: a name for each page, and
 * which pages may have changed since.
 *
 * Does     Takes what dirty.h reports, or, where that is not available, whatever page differs from
 *          its hash; stores what changed; makes the lists of names that an image consists of.
 * Ahead    pages_ahead stores while the program runs: a page that is written meanwhile has been
 *          armed before it was read, so it is found again.
 * Stopped  pages_copy sets aside what changed, in memory that was made ready before, so that the
 *          program can go on; pages_put stores that.
 * Failure  What could not be stored counts as changed; pages_forget makes that of everything.
 * Threads  One call at a time, from any thread; only pages_give_up may come between.
 */
#ifndef TERN_OS_PAGES_H
#define TERN_OS_PAGES_H

#include "base/error.h"
#include "os/dirty.h"
#include "store/store.h"

struct pages;

/* Of a memory of at most `room` pages of 4 KiB; `memory`, its memfd, is borrowed. */
enum tern_err pages_new(int memory, size_t room, struct pages **out);
void pages_free(struct pages *p); /* NULL is fine */

/* From now on the kernel is asked; d is taken over. */
void pages_track(struct pages *p, const struct dirty *d);
bool pages_tracked(const struct pages *p);

/* Page `first` + i has names[i] (all 0: nothing but zeros), and list `first` / 1,024 that name: as
 * loaded from a checkpoint, before the program runs. */
void pages_loaded(struct pages *p, size_t first, const uint8_t *names, size_t count,
                  const uint8_t *list);

/* Whether that is worth while: more has changed than is quickly copied. */
bool pages_behind(struct pages *p);

/* While the program runs: stores so much of what changed that the rest is quickly copied. Makes
 * room for the copy. */
enum tern_err pages_ahead(struct pages *p, struct store *s, struct problem *why);

/* The program is stopped and its memory has `count` pages: all that changed is found and copied,
 * unless *still: it stays stopped until pages_put has been. Becomes true where there is no room for
 * copies. */
void pages_copy(struct pages *p, size_t count, bool *still);

/* Stores what was copied, and the lists. */
enum tern_err pages_put(struct pages *p, struct store *s, struct problem *why);

/* The checkpoint did not come to be. */
void pages_forget(struct pages *p);

/* From another thread: whatever is going on may end early, by TERN_EBUSY. */
void pages_give_up(struct pages *p);

/* 32 bytes for each 1,024 pages of the memory at the last pages_copy. */
struct view pages_lists(const struct pages *p);

struct pages_count {
    size_t used;    /* pages that are not all zeros */
    size_t changed; /* stored or found equal, since the checkpoint before */
    size_t copied;  /* of these, while the program was stopped */
};
struct pages_count pages_count(const struct pages *p);

#endif
