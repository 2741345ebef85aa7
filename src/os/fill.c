#include "os/fill.h"

#include "os/checkpoint.h"
#include "os/sys.h"
#include "rt/track.h"

#include "base/check.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    BYTES = IMAGE_PAGE_BYTES,
    LEAST = 1024,    /* pages; fewer are there sooner than the first is asked for */
    AROUND = 16,     /* pages that are had for one that is asked for */
    AT_ONCE = 32,    /* pages, before it is looked again whether one is asked for */
    GAP_MOST = 256,  /* pages of zeros that are filled rather than left out */
    RUNS_MOST = 512, /* of pages that are watched: each makes a mapping of its own */
};

struct run {
    size_t from, end;
};

struct fill {
    struct store *store;
    struct store_name *names; /* [count] */
    size_t count, used;
    struct run runs[RUNS_MOST];
    size_t run_count;
    bool *there; /* [count] */
    int tracker;
    uint64_t base;
    uint8_t *room; /* AT_ONCE pages */
    atomic_bool give_up;
};

static const struct store_name zeros;

static bool is_zero(const struct store_name *name)
{
    return memcmp(name, &zeros, sizeof zeros) == 0;
}

/* ---- Which pages ---- */

static enum tern_err read_list(struct fill *f, const uint8_t *list, size_t first, size_t count,
                               struct pages *remember)
{
    struct bytes names = {0};
    enum tern_err err = TERN_OK;

    if (memcmp(list, &zeros, sizeof zeros) == 0)
        return TERN_OK;
    err = checkpoint_get(f->store, list, IMAGE_LIST_BYTES, &names);
    if (!err) {
        memcpy(&f->names[first], names.data, count * sizeof *f->names);
        if (remember)
            pages_loaded(remember, first, names.data, count, list);
    }
    for (size_t i = 0; i < count && !err; i++)
        f->used += !is_zero(&f->names[first + i]);
    bytes_release(&names);
    return err;
}

enum tern_err fill_new(struct store *s, const struct image *image, struct pages *remember,
                       struct fill **out)
{
    struct fill *f = calloc(1, sizeof *f);
    enum tern_err err = f ? TERN_OK : TERN_ENOMEM;

    if (err)
        return err;
    f->store = s;
    f->tracker = -1;
    f->count = (size_t)image->state.instances[0].memory_pages * (65536 / BYTES);
    f->names = calloc(f->count + 1, sizeof *f->names);
    f->there = calloc(f->count + 1, sizeof *f->there);
    f->room = malloc((size_t)AT_ONCE * BYTES);
    if (!f->names || !f->there || !f->room)
        err = TERN_ENOMEM;
    for (size_t i = 0; i < image->list_count && !err; i++) {
        const size_t first = i * IMAGE_LIST_PAGES, rest = f->count - first;

        err = read_list(f, image->lists + i * sizeof zeros, first,
                        rest < IMAGE_LIST_PAGES ? rest : IMAGE_LIST_PAGES, remember);
    }
    if (err)
        fill_free(f);
    else
        *out = f;
    return err;
}

void fill_free(struct fill *f)
{
    if (!f)
        return;
    sys_close(f->tracker);
    free(f->names);
    free(f->there);
    free(f->room);
    free(f);
}

/* Pages from `first` on to where they belong; those of zeros are left as they are. */
static enum tern_err get_pages(const struct fill *f, size_t first, size_t count, uint8_t *to)
{
    struct store_want wants[AT_ONCE];
    size_t wanted = 0;

    check(count <= AT_ONCE);
    for (size_t i = 0; i < count; i++) {
        if (!is_zero(&f->names[first + i]))
            wants[wanted++] = (struct store_want){f->names[first + i], BYTES, to + i * BYTES};
    }
    return store_get_many(f->store, wants, wanted, NULL);
}

/* ---- All at once ---- */

enum tern_err fill_all(struct fill *f, int memory)
{
    enum tern_err err = TERN_OK;
    uint8_t *to;

    if (f->used == 0)
        return TERN_OK;
    to = sys_map(memory, f->count * BYTES, PROT_READ | PROT_WRITE);
    if (!to)
        return TERN_ENOMEM;
    for (size_t i = 0; i < f->count && !err; i += AT_ONCE)
        err = get_pages(f, i, f->count - i < AT_ONCE ? f->count - i : AT_ONCE, to + i * BYTES);
    sys_unmap(to, f->count * BYTES);
    return err;
}

/* ---- While it runs ---- */

/* Runs of pages that are to be had, over small gaps; false: too many. */
static bool find_runs(struct fill *f, size_t gap)
{
    f->run_count = 0;
    for (size_t i = 0; i < f->count; i++) {
        struct run *last = &f->runs[f->run_count - 1];

        if (is_zero(&f->names[i]))
            continue;
        if (f->run_count > 0 && i - last->end <= gap) {
            last->end = i + 1;
            continue;
        }
        if (f->run_count == RUNS_MOST)
            return false;
        f->runs[f->run_count++] = (struct run){i, i + 1};
    }
    return true;
}

bool fill_begin(struct fill *f, int tracker, uint64_t base)
{
    size_t gap = GAP_MOST;

    if (f->used < LEAST || tracker < 0 || base == 0) {
        sys_close(tracker);
        return false;
    }
    while (!find_runs(f, gap))
        gap *= 2;
    f->tracker = tracker;
    f->base = base;
    for (size_t i = 0; i < f->run_count; i++) {
        const struct run *r = &f->runs[i];

        if (track_missing(tracker, base + r->from * BYTES, (r->end - r->from) * BYTES) == 0)
            continue;
        if (i == 0)
            return false;
        check(!"half of a memory is watched"); /* the kernel took the first and not the next */
    }
    return true;
}

/* How many from `at` on are not there yet, up to `end` and to what is had at once. */
static size_t missing(const struct fill *f, size_t at, size_t end)
{
    size_t count = 0;

    while (at + count < end && count < AT_ONCE && !f->there[at + count])
        count++;
    return count;
}

/* A page of zeros may lie in a gap of a run. */
static enum tern_err put_pages(struct fill *f, size_t from, size_t end)
{
    enum tern_err err = TERN_OK;

    for (size_t at = from; at < end && !err; at++) {
        const size_t count = missing(f, at, end);

        if (count == 0)
            continue;
        memset(f->room, 0, count * BYTES);
        err = get_pages(f, at, count, f->room);
        if (!err && track_fill(f->tracker, f->base + at * BYTES, f->room, count * BYTES) != 0)
            err = TERN_EBUSY; /* the process has ended */
        memset(&f->there[at], 1, count);
        at += count - 1;
    }
    return err;
}

static const struct run *run_of(const struct fill *f, size_t page)
{
    for (size_t i = 0; i < f->run_count; i++) {
        if (page < f->runs[i].end)
            return page >= f->runs[i].from ? &f->runs[i] : NULL;
    }
    return NULL;
}

/* What the program waits for. */
static enum tern_err serve(struct fill *f)
{
    uint64_t address;
    enum tern_err err = TERN_OK;

    while (!err && track_asked(f->tracker, &address)) {
        const size_t page = (size_t)((address - f->base) / BYTES);
        const struct run *r = run_of(f, page);

        check(r);
        if (f->there[page]) /* filled since it was asked for */
            track_wake(f->tracker, f->base + page * BYTES, BYTES);
        else
            err = put_pages(f, page, r->end - page < AROUND ? r->end : page + AROUND);
    }
    return err;
}

enum tern_err fill_run(struct fill *f)
{
    enum tern_err err = TERN_OK;

    for (size_t i = 0; i < f->run_count && !err; i++) {
        const struct run *r = &f->runs[i];

        for (size_t at = r->from; at < r->end && !err; at += AT_ONCE) {
            err = atomic_load(&f->give_up) ? TERN_EBUSY : serve(f);
            if (!err)
                err = put_pages(f, at, r->end - at < AT_ONCE ? r->end : at + AT_ONCE);
        }
    }
    return err ? err : serve(f);
}

void fill_give_up(struct fill *f)
{
    atomic_store(&f->give_up, true);
}
