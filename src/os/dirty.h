/*
 * dirty - asks the kernel which pages of another process's memory were written.
 *
 * How      PAGEMAP_SCAN (Linux 6.7) on a mapping that rt/track.h prepared in that process. Whether
 *          the kernel means what it says is tried out first, on pages of our own.
 * Pages    4 KiB, counted from the start of the mapping. On hosts with larger ones: not available.
 */
#ifndef TERN_OS_DIRTY_H
#define TERN_OS_DIRTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { DIRTY_PAGE_BYTES = 4096 };

struct dirty {
    int pagemap; /* -1: not available */
    uint64_t base;
};

/* base: where that process has it mapped. False: not available; *d is closed then. */
bool dirty_open(struct dirty *d, pid_t process, uint64_t base);
void dirty_close(struct dirty *d);

typedef void dirty_range(void *to, size_t from, size_t end);

/*
 * Calls for each run of pages below `pages` that was written since it was last armed. `arm`: these
 * are armed again in the same step, so that no write falls between. False: it failed, and what was
 * written is not known.
 */
bool dirty_scan(const struct dirty *d, size_t pages, bool arm, dirty_range *call, void *to);

#endif
