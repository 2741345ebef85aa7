/*
 * Giving room back: what nothing holds any more, in all domains.
 */
#include "os/pool/chunks_inner.h"

#include <sys/statvfs.h>
#include <time.h>

#define FLUSH_NS   INT64_C(5000000000)   /* at most so late extensions and drops reach the disk */
#define COLLECT_NS INT64_C(30000000000)  /* at most so late what was dropped is given back */
enum { SPARE = 16 };                     /* of the space: to move things */
#define SPARE_MOST (UINT64_C(256) << 20) /* of a disk that is not ours alone */

const struct store_rules chunks_rules = {.children = chunk_children};

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

uint64_t tidy_measure(struct chunks_store *cs)
{
    cs->used_bytes = 0;
    for (size_t i = 0; i < cs->count; i++)
        cs->used_bytes += store_disk_bytes(cs->domain[i].store);
    return cs->used_bytes;
}

/* A disk that is quite full could not even take the index of what is let go of. */
static bool disk_has_room(const struct chunks_store *cs, uint64_t bytes)
{
    struct statvfs fs;
    uint64_t spare;

    if (statvfs(cs->path, &fs))
        return true;
    spare = (uint64_t)fs.f_blocks * fs.f_frsize / SPARE;
    if (spare > SPARE_MOST)
        spare = SPARE_MOST;
    return bytes + spare <= (uint64_t)fs.f_bavail * fs.f_frsize;
}

static bool has_room(const struct chunks_store *cs, uint64_t bytes)
{
    const uint64_t space = cs->config.space_bytes;

    if (!space)
        return disk_has_room(cs, bytes);
    return cs->used_bytes + bytes <= space - space / SPARE;
}

bool tidy_make_room(struct chunks_store *cs, uint64_t bytes)
{
    if (has_room(cs, bytes))
        return true;
    tidy_measure(cs);
    if (has_room(cs, bytes) || cs->futile)
        return has_room(cs, bytes);
    for (size_t i = 0; i < cs->count; i++) {
        (void)store_collect(cs->domain[i].store, &chunks_rules, NULL);
        while (store_give_back(cs->domain[i].store)) {
        }
    }
    tidy_measure(cs);
    cs->futile = !has_room(cs, bytes); /* until something is let go of */
    return !cs->futile;
}

static void flush(struct chunks_store *cs, int64_t now)
{
    if (now - cs->flushed_ns < FLUSH_NS)
        return;
    cs->flushed_ns = now;
    for (size_t i = 0; i < cs->count; i++)
        (void)store_flush(cs->domain[i].store, NULL); /* tried again with the next commit */
}

bool tidy_step(struct chunks_store *cs)
{
    const int64_t now = now_ns();
    const bool late = now - cs->collected_ns >= COLLECT_NS;
    bool more = false, done = false;

    flush(cs, now);
    for (size_t i = 0; i < cs->count; i++) {
        struct store *s = cs->domain[i].store;

        if (store_give_back(s))
            return true;
        if (!store_is_due(s) && !(late && store_has_dropped(s)))
            continue;
        more = done; /* one at a time */
        if (done)
            break;
        done = true;
        (void)store_collect(s, &chunks_rules, NULL);
    }
    if (late && !more)
        cs->collected_ns = now;
    if (done)
        tidy_measure(cs);
    return more;
}
