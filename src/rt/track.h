/*
 * track - has the kernel note which pages of a mapping are written, without stopping who writes.
 *
 * How      userfaultfd with asynchronous write protection (Linux 6.7). A page that is armed notes
 *          its first write and costs nothing from then on. Writes of the kernel itself (read(2)
 *          into it) are noted too. Whoever may look at the process asks by PAGEMAP_SCAN
 *          (os/dirty.h).
 * Errors   A negative errno: this kernel, or whoever configured it, does not have it.
 */
#ifndef TERN_RT_TRACK_H
#define TERN_RT_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A descriptor; pages are tracked while it is open. Until it is armed, a page counts as written. */
int track_writes(void *at, size_t bytes);
/* From now on these pages are as if not written. 0, or an error. */
int track_arm(int tracker, void *at, size_t bytes);

/*
 * From any process that was handed the descriptor. Pages that are not there: whoever touches one
 * waits until it is filled, by a fault of its own; the kernel on its behalf (read(2) into it) gets
 * EFAULT.
 */
int track_missing(int tracker, uint64_t at, size_t bytes);
/* Whether somebody waits, and for which address. Does not block. */
bool track_asked(int tracker, uint64_t *address);
/* These pages are there now, armed, and whoever waits for them goes on. */
int track_fill(int tracker, uint64_t at, const void *from, size_t bytes);
void track_wake(int tracker, uint64_t at, size_t bytes);

#endif
