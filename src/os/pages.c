#include "os/pages.h"

#include "os/file.h"
#include "os/sys.h"

#include "base/check.h"
#include "image/image.h"

#define XXH_INLINE_ALL
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

enum {
    BYTES = IMAGE_PAGE_BYTES,
    STRETCH = IMAGE_LIST_PAGES,
    ROUNDS_MAX = 4,
    COPIED_AT_ONCE = 1024,   /* pages: about a millisecond */
    COPIED_MOST = 256 << 10, /* 1 GiB: beyond that the program stays stopped */
    KEPT_COPY = 4096, /* pages of room for copies that stay from one checkpoint to the next */
    HOT = 4,          /* where a page of so many changes, comparing is cheaper than trapping */
};

_Static_assert((int)BYTES == (int)DIRTY_PAGE_BYTES, "one kind of page");
_Static_assert((int)STORE_NAME_BYTES == (int)IMAGE_HASH_BYTES, "one kind of name");

struct pages {
    int memory;
    const uint8_t *at;        /* all of it */
    size_t room;              /* pages there may be */
    size_t count;             /* there are, as of the last stop */
    struct store_name *name;  /* [room] */
    XXH128_hash_t *hash;      /* [room], of the bytes that have this name */
    uint64_t *hashed;         /* bits: hash stands */
    uint64_t *there;          /* bits: the memfd has something there, be it zeros */
    uint64_t *changed;        /* bits: to be stored */
    struct store_name *lists; /* [room / STRETCH] */
    uint64_t *list_changed;   /* bits */
    size_t there_count, changed_count, used;
    size_t data_from, data_end;   /* one stretch that is known to be in the memfd */
    struct pages_count now, done; /* of the checkpoint that is being taken, and the last one */
    struct dirty dirty;
    uint8_t *copy; /* pages that are set in changed, in order, if copied */
    size_t copy_room;
    bool copied;
    bool runaway; /* the last rounds ahead were in vain */
    atomic_bool give_up;
};

static const struct store_name zeros;
static const uint8_t zero_page[BYTES];

/* ---- Bits ---- */

static size_t words_for(size_t bits)
{
    return (bits + 63) / 64;
}

static bool bit(const uint64_t *set, size_t i)
{
    return set[i / 64] >> (i % 64) & 1;
}

/* True: it was not set. */
static bool bit_set(uint64_t *set, size_t i)
{
    const bool fresh = !bit(set, i);

    set[i / 64] |= (uint64_t)1 << (i % 64);
    return fresh;
}

static void bit_clear(uint64_t *set, size_t i)
{
    set[i / 64] &= ~((uint64_t)1 << (i % 64));
}

/* The first that is set from `from` on, or `end`. */
static size_t bit_next(const uint64_t *set, size_t from, size_t end)
{
    while (from < end) {
        const uint64_t word = set[from / 64] >> (from % 64);

        if (word) {
            from += (size_t)__builtin_ctzll(word);
            return from < end ? from : end;
        }
        from = (from / 64 + 1) * 64;
    }
    return end;
}

/* ---- Making ---- */

enum tern_err pages_new(int memory, size_t room, struct pages **out)
{
    const size_t lists = (room + STRETCH - 1) / STRETCH;
    struct pages *p = calloc(1, sizeof *p);

    if (!p)
        return TERN_ENOMEM;
    p->memory = memory;
    p->room = room;
    p->dirty.pagemap = -1;
    p->at = room ? sys_map(memory, room * BYTES, PROT_READ) : zero_page;
    /* Of 4 GiB these are 48 MiB, of which only what is used is ever touched. */
    p->name = calloc(room + 1, sizeof *p->name);
    p->hash = calloc(room + 1, sizeof *p->hash);
    p->hashed = calloc(words_for(room) + 1, 8);
    p->there = calloc(words_for(room) + 1, 8);
    p->changed = calloc(words_for(room) + 1, 8);
    p->lists = calloc(lists + 1, sizeof *p->lists);
    p->list_changed = calloc(words_for(lists) + 1, 8);
    *out = p;
    if (p->at && p->name && p->hash && p->hashed && p->there && p->changed && p->lists &&
        p->list_changed)
        return TERN_OK;
    pages_free(p);
    return TERN_ENOMEM;
}

static void drop_copy(struct pages *p)
{
    sys_unmap(p->copy, p->copy_room * BYTES);
    p->copy = NULL;
    p->copy_room = 0;
}

void pages_free(struct pages *p)
{
    if (!p)
        return;
    dirty_close(&p->dirty);
    drop_copy(p);
    if (p->at && p->at != zero_page)
        sys_unmap((void *)(uintptr_t)p->at, p->room * BYTES);
    free(p->name);
    free(p->hash);
    free(p->hashed);
    free(p->there);
    free(p->changed);
    free(p->lists);
    free(p->list_changed);
    free(p);
}

void pages_track(struct pages *p, const struct dirty *d)
{
    dirty_close(&p->dirty);
    p->dirty = *d;
}

bool pages_tracked(const struct pages *p)
{
    return p->dirty.pagemap >= 0;
}

void pages_loaded(struct pages *p, size_t first, const uint8_t *names, size_t count,
                  const uint8_t *list)
{
    check(first % STRETCH == 0 && count <= STRETCH && first + count <= p->room);
    memcpy(&p->name[first], names, count * sizeof *p->name);
    memcpy(&p->lists[first / STRETCH], list, sizeof *p->lists);
    for (size_t i = first; i < first + count; i++) {
        if (memcmp(&p->name[i], &zeros, sizeof zeros) == 0)
            continue;
        p->used++;
        p->there_count += bit_set(p->there, i);
    }
}

struct view pages_lists(const struct pages *p)
{
    return view_of(p->lists, (p->count + STRETCH - 1) / STRETCH * sizeof *p->lists);
}

struct pages_count pages_count(const struct pages *p)
{
    return p->done;
}

void pages_give_up(struct pages *p)
{
    atomic_store(&p->give_up, true);
}

/* ---- What has changed ---- */

static void mark(struct pages *p, size_t i)
{
    p->there_count += bit_set(p->there, i);
    p->changed_count += bit_set(p->changed, i);
}

/*
 * The next stretch of what the memfd has, kept until another one is looked for: what is there stays
 * there, and finding where a stretch ends takes as long as it is large.
 */
static bool find_data(struct pages *p, size_t from)
{
    const off_t at = lseek(p->memory, (off_t)(from * BYTES), SEEK_DATA);
    const off_t hole = at < 0 ? -1 : lseek(p->memory, at, SEEK_HOLE);

    if (hole <= at)
        return false;
    p->data_from = (size_t)at / BYTES;
    p->data_end = (size_t)hole / BYTES;
    return true;
}

/* Where there was nothing yet, only what the memfd has: looking at the rest would make it be there.
 */
static void mark_range(void *to, size_t from, size_t end)
{
    struct pages *p = to;

    while (from < end) {
        if (bit(p->there, from) || (from >= p->data_from && from < p->data_end)) {
            mark(p, from++);
            continue;
        }
        if (!find_data(p, from))
            return;
        from = p->data_from;
    }
}

static bool collect(struct pages *p, size_t count, bool arm)
{
    if (pages_tracked(p) && dirty_scan(&p->dirty, count, arm, mark_range, p))
        return true;
    dirty_close(&p->dirty); /* the process is gone, or this kernel has let us down: compare */
    mark_range(p, 0, count);
    return false;
}

/* ---- Storing ---- */

static void set_name(struct pages *p, size_t i, const struct store_name *name)
{
    const bool was = memcmp(&p->name[i], &zeros, sizeof zeros) != 0;
    const bool is = memcmp(name, &zeros, sizeof zeros) != 0;

    p->used += (size_t)is - (size_t)was;
    p->name[i] = *name;
    bit_set(p->list_changed, i / STRETCH);
}

/* `bytes` are not written meanwhile. */
static enum tern_err put_page(struct pages *p, size_t i, const uint8_t *bytes, struct store *s,
                              struct problem *why)
{
    const XXH128_hash_t hash = XXH3_128bits(bytes, BYTES);
    struct store_name name = zeros;
    enum tern_err err = TERN_OK;

    if (atomic_load(&p->give_up))
        return TERN_EBUSY;
    if (!bit(p->hashed, i) || !XXH128_isEqual(hash, p->hash[i])) {
        if (memcmp(bytes, zero_page, BYTES) != 0)
            err = store_put(s, view_of(bytes, BYTES), &name, why);
        if (err)
            return err;
        set_name(p, i, &name);
        p->hash[i] = hash;
        bit_set(p->hashed, i);
    }
    bit_clear(p->changed, i);
    p->changed_count--;
    p->now.changed++;
    return TERN_OK;
}

static enum tern_err put_list(struct pages *p, size_t i, struct store *s, struct problem *why)
{
    const size_t first = i * STRETCH;
    struct store_name list[STRETCH];
    const bool had = memcmp(&p->lists[i], &zeros, sizeof zeros) != 0;
    struct store_name name = zeros;
    bool any = false;
    enum tern_err err = TERN_OK;

    memset(list, 0, sizeof list);
    for (size_t k = 0; k < STRETCH && first + k < p->room; k++) {
        list[k] = p->name[first + k];
        any |= memcmp(&list[k], &zeros, sizeof zeros) != 0;
    }
    if (any)
        err = store_put_like(s, view_of(list, sizeof list), had ? &p->lists[i] : NULL, &name, why);
    if (err)
        return err;
    p->lists[i] = name;
    bit_clear(p->list_changed, i);
    return TERN_OK;
}

static enum tern_err put_round(struct pages *p, struct store *s, struct problem *why)
{
    enum tern_err err = TERN_OK;
    uint8_t still[BYTES];

    for (size_t i = bit_next(p->changed, 0, p->room); i < p->room && !err;
         i = bit_next(p->changed, i + 1, p->room)) {
        memcpy(still, p->at + i * BYTES, BYTES);
        err = put_page(p, i, still, s, why);
    }
    return err;
}

static void make_room(struct pages *p, size_t wanted, bool touch)
{
    void *at;

    if (wanted > COPIED_MOST)
        wanted = COPIED_MOST;
    if (wanted <= p->copy_room)
        return;
    drop_copy(p);
    at = mmap(NULL, wanted * BYTES, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | (touch ? MAP_POPULATE : 0), -1, 0);
    if (at == MAP_FAILED)
        return;
    p->copy = at;
    p->copy_room = wanted;
}

bool pages_behind(struct pages *p)
{
    return pages_tracked(p) && collect(p, p->room, false) && p->changed_count > COPIED_AT_ONCE;
}

enum tern_err pages_ahead(struct pages *p, struct store *s, struct problem *why)
{
    enum tern_err err = TERN_OK;
    size_t before = SIZE_MAX;

    for (int round = 0; round < ROUNDS_MAX && !err && !p->runaway; round++) {
        if (!collect(p, p->room, true) || p->changed_count <= COPIED_AT_ONCE)
            break;
        if (p->changed_count > before / 4 * 3)
            break;
        before = p->changed_count;
        err = put_round(p, s, why);
    }
    if (!err && pages_tracked(p) && collect(p, p->room, false))
        make_room(p, p->changed_count + p->changed_count / 4 + COPIED_AT_ONCE / 4, true);
    return err;
}

/* ---- While the program is stopped ---- */

/* Without the kernel's help each page is compared; those that are equal are not copied. */
static void drop_equal(struct pages *p)
{
    for (size_t i = bit_next(p->changed, 0, p->room); i < p->room;
         i = bit_next(p->changed, i + 1, p->room)) {
        if (bit(p->hashed, i) &&
            XXH128_isEqual(XXH3_128bits(p->at + i * BYTES, BYTES), p->hash[i])) {
            bit_clear(p->changed, i);
            p->changed_count--;
        }
    }
}

static void copy_changed(struct pages *p)
{
    uint8_t *to = p->copy;

    for (size_t i = bit_next(p->changed, 0, p->room); i < p->room;
         i = bit_next(p->changed, i + 1, p->room), to += BYTES)
        memcpy(to, p->at + i * BYTES, BYTES);
}

void pages_copy(struct pages *p, size_t count, bool *still)
{
    const size_t ahead = p->now.changed;

    check(count <= p->room);
    p->count = count;
    if (pages_tracked(p))
        collect(p, count, p->there_count == 0 || p->changed_count < p->there_count / HOT);
    else
        mark_range(p, 0, count);
    if (!pages_tracked(p))
        drop_equal(p);
    p->runaway = ahead > 0 && p->changed_count > ahead / 2;
    p->now.copied = p->changed_count;
    p->copied = false;
    if (*still)
        return;
    make_room(p, p->changed_count, false);
    if (p->changed_count > p->copy_room) {
        *still = true;
        return;
    }
    copy_changed(p);
    p->copied = true;
}

enum tern_err pages_put(struct pages *p, struct store *s, struct problem *why)
{
    const size_t lists = (p->room + STRETCH - 1) / STRETCH;
    const uint8_t *copy = p->copy;
    enum tern_err err = TERN_OK;

    for (size_t i = bit_next(p->changed, 0, p->room); i < p->room && !err;
         i = bit_next(p->changed, i + 1, p->room), copy += BYTES)
        err = put_page(p, i, p->copied ? copy : p->at + i * BYTES, s, why);
    for (size_t i = bit_next(p->list_changed, 0, lists); i < lists && !err;
         i = bit_next(p->list_changed, i + 1, lists))
        err = put_list(p, i, s, why);
    if (p->copy_room > KEPT_COPY)
        drop_copy(p);
    if (err)
        return err;
    p->done = p->now;
    p->done.used = p->used;
    p->now = (struct pages_count){0};
    return TERN_OK;
}

void pages_forget(struct pages *p)
{
    memset(p->hashed, 0, words_for(p->room) * 8);
    mark_range(p, 0, p->room);
    atomic_store(&p->give_up, false);
}
