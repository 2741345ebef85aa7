#include "runner/listing.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdalign.h>
#include <string.h>
#include <unistd.h>

enum {
    COOKIE_DOT = 1,
    COOKIE_DOTS = 2,
    COOKIE_NAMES = 3, /* and above */
};

/* Only what directories need is ever touched. */
static struct listing_entry held[LISTING_MAX];
static uint32_t held_count;
static char names[2][LISTING_NAMES_BYTES]; /* one is in use, the other for moving them together */
static uint32_t names_used;
static int names_at;

static uint64_t cookie_of(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

    if (strcmp(name, ".") == 0)
        return COOKIE_DOT;
    if (strcmp(name, "..") == 0)
        return COOKIE_DOTS;
    for (const char *c = name; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 0x100000001b3;
    return COOKIE_NAMES + (hash >> 2);
}

const char *listing_name(const struct listing_entry *e)
{
    return names[names_at] + e->name;
}

uint32_t listing_count(void)
{
    return held_count;
}

const struct listing_entry *listing_entry(uint32_t i)
{
    return &held[i];
}

static bool before(const struct listing_entry *x, const struct listing_entry *y)
{
    if (x->cookie != y->cookie)
        return x->cookie < y->cookie;
    return strcmp(listing_name(x), listing_name(y)) < 0;
}

/* Of the heap of `count` entries, whose root is the last in order; `at` may be out of place. */
static void sink(size_t at, size_t count)
{
    const struct listing_entry e = held[at];

    for (size_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && before(&held[child], &held[child + 1]))
            child++;
        if (!before(&e, &held[child]))
            break;
        held[at] = held[child];
        at = child;
    }
    held[at] = e;
}

/* libc's qsort asks the system how much memory there is: the walls are against it. */
static void sort(void)
{
    for (size_t i = held_count / 2; i-- > 0;)
        sink(i, held_count);
    for (size_t i = held_count; i-- > 1;) {
        const struct listing_entry last = held[0];

        held[0] = held[i];
        held[i] = last;
        sink(0, i);
    }
}

/* Keeps the first half and only its names. */
static void cut(void)
{
    char *to = names[!names_at];
    uint32_t used = 0;

    sort();
    held_count /= 2;
    for (uint32_t i = 0; i < held_count; i++) {
        memcpy(to + used, listing_name(&held[i]), held[i].size + 1u);
        held[i].name = used;
        used += held[i].size + 1u;
    }
    names_at = !names_at;
    names_used = used;
}

static void add(const struct dirent64 *d, uint64_t cookie)
{
    const size_t size = strlen(d->d_name);

    memcpy(names[names_at] + names_used, d->d_name, size + 1);
    held[held_count++] = (struct listing_entry){
        .cookie = cookie,
        .inode = d->d_ino,
        .name = names_used,
        .size = (uint16_t)size,
        .d_type = d->d_type,
    };
    names_used += (uint32_t)size + 1;
}

static bool is_full(void)
{
    return held_count == LISTING_MAX || LISTING_NAMES_BYTES - names_used <= NAME_MAX;
}

/* What is behind the last one that was kept is for a later reading. */
static void take(const struct dirent64 *d, uint64_t after, uint64_t *limit)
{
    const uint64_t cookie = cookie_of(d->d_name);

    if (cookie <= after || cookie > *limit || strlen(d->d_name) > NAME_MAX)
        return;
    add(d, cookie);
    if (is_full()) {
        cut();
        *limit = held[held_count - 1].cookie;
    }
}

int listing_read(int fd, uint64_t after, bool *complete)
{
    static alignas(struct dirent64) char buffer[32768];
    uint64_t limit = UINT64_MAX;
    ssize_t size;

    held_count = names_used = 0;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    while ((size = getdents64(fd, buffer, sizeof buffer)) > 0) {
        for (ssize_t at = 0; at < size;) {
            const struct dirent64 *d = (const void *)(buffer + at);

            take(d, after, &limit);
            at += d->d_reclen;
        }
    }
    if (size < 0)
        return -errno;
    *complete = limit == UINT64_MAX;
    sort();
    return 0;
}
