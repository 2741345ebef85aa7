#include "os/dirty.h"

#include "os/sys.h"
#include "rt/track.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RUNS = 512 };

/* Newer than the headers of the systems that this is built on: include/uapi/linux/fs.h. */
struct scan_run {
    uint64_t start, end, categories;
};

struct scan_order {
    uint64_t size, flags, start, end, walk_end, runs, run_count, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN             _IOWR('f', 16, struct scan_order)
#define SCAN_ARM         1u
#define SCAN_CHECK_ASYNC 2u
#define IS_WRITTEN       2u

static bool scan(int pagemap, struct scan_order *o, dirty_range *call, void *to, uint64_t base)
{
    struct scan_run runs[RUNS];
    int found;

    o->runs = (uintptr_t)runs;
    o->run_count = RUNS;
    found = ioctl(pagemap, SCAN, o);
    for (int i = 0; i < found; i++)
        call(to, (size_t)((runs[i].start - base) / DIRTY_PAGE_BYTES),
             (size_t)((runs[i].end - base) / DIRTY_PAGE_BYTES));
    return found >= 0;
}

bool dirty_scan(const struct dirty *d, size_t pages, bool arm, dirty_range *call, void *to)
{
    struct scan_order o = {
        .size = sizeof o,
        .flags = SCAN_CHECK_ASYNC | (arm ? SCAN_ARM : 0),
        .start = d->base,
        .end = d->base + (uint64_t)pages * DIRTY_PAGE_BYTES,
        .category_mask = IS_WRITTEN,
        .return_mask = IS_WRITTEN,
    };

    while (o.start < o.end) {
        if (!scan(d->pagemap, &o, call, to, d->base))
            return false;
        o.start = o.walk_end;
    }
    return true;
}

/* ---- Whether it works ---- */

enum { TRIED_PAGES = 4 };

static void note_pages(void *to, size_t from, size_t end)
{
    unsigned *seen = to;

    for (size_t i = from; i < end; i++)
        *seen |= 1u << i;
}

static int open_pagemap(pid_t process)
{
    char path[48];

    snprintf(path, sizeof path, "/proc/%ld/pagemap", (long)process);
    return sys_open(path, O_RDONLY | O_CLOEXEC, 0);
}

/* Armed pages are clean, two that are written are seen once and then no more. */
static bool try_pages(const struct dirty *d, volatile uint8_t *at)
{
    unsigned before = 0, written = 0, after = 0;

    if (!dirty_scan(d, TRIED_PAGES, true, note_pages, &before))
        return false;
    at[DIRTY_PAGE_BYTES] = 1;
    at[3 * DIRTY_PAGE_BYTES] = 1;
    return before == 0 && dirty_scan(d, TRIED_PAGES, true, note_pages, &written) &&
           written == (1u << 1 | 1u << 3) &&
           dirty_scan(d, TRIED_PAGES, false, note_pages, &after) && after == 0;
}

static bool try_mapping(uint8_t *at, size_t bytes)
{
    struct dirty d = {open_pagemap(getpid()), (uintptr_t)at};
    int tracker = track_writes(at, bytes);
    bool works = d.pagemap >= 0 && tracker >= 0;

    at[0] = 1; /* one page is there before it is armed, the others are not */
    works = works && track_arm(tracker, at, bytes) == 0 && try_pages(&d, at);
    if (tracker >= 0)
        sys_close(tracker);
    dirty_close(&d);
    return works;
}

static bool kernel_has_it(void)
{
    const size_t bytes = (size_t)TRIED_PAGES * DIRTY_PAGE_BYTES;
    int memory = sys_memfd("tern-try");
    uint8_t *at = NULL;
    bool works = false;

    if (sysconf(_SC_PAGESIZE) == DIRTY_PAGE_BYTES && memory >= 0 &&
        sys_ftruncate(memory, (off_t)bytes) == 0)
        at = sys_map(memory, bytes, PROT_READ | PROT_WRITE);
    if (at) {
        works = try_mapping(at, bytes);
        sys_unmap(at, bytes);
    }
    sys_close(memory);
    return works;
}

bool dirty_open(struct dirty *d, pid_t process, uint64_t base)
{
    *d = (struct dirty){-1, base};
    if (base == 0 || !kernel_has_it())
        return false;
    d->pagemap = open_pagemap(process);
    return d->pagemap >= 0;
}

void dirty_close(struct dirty *d)
{
    sys_close(d->pagemap);
    d->pagemap = -1;
}
