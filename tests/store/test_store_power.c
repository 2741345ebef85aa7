/*
 * The power is cut after each single thing that the store does to its packs, and between any two
 * transactions of LMDB (which is trusted to be atomic): the newest checkpoint that was committed is
 * whole, and the store goes on from there.
 */
#include "disk.h"

#include "store/chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COMMITS = 24, ROLLS = 3 };

struct history { /* what was committed, by the number of the root */
    struct checkpoint root[COMMITS + 1];
};

static struct store *opened(const struct shelf *shelf, const struct store_io *io)
{
    struct store_setup setup = shelf_small();
    struct problem p = {0};
    struct store *s = NULL;

    if (io)
        setup.io = io;
    if (store_open_with(shelf->store, STORE_CREATE, &setup, &s, &p))
        fail_msg("%s", p.text);
    return s;
}

/* Commits, some of little and some of much, some chunks put for nothing, sessions that end. */
static void live(struct disk *d, const struct shelf *shelf, struct history *h, uint64_t seed)
{
    struct store *s = opened(shelf, &d->io);

    for (unsigned i = 1; i <= COMMITS; i++) {
        struct checkpoint *c = &h->root[i];
        struct store_name name;
        struct problem p = {0};

        *c = h->root[i - 1];
        if (i % 6 == 1)
            checkpoint_draw(c, &seed, 4 + draw_below(&seed, 20));
        for (unsigned k = 0; k < 3; k++)
            checkpoint_change(c, &seed, 1000);
        if (i % 5 == 0) {
            uint8_t page[SHELF_PAGE_MAX];
            size_t size = page_bytes(2000 + i, page);

            assert_int_equal(store_put(s, view_of(page, size), &name, NULL), TERN_OK);
            store_close(s);
            s = opened(shelf, &d->io);
        }
        if (shelf_commit(s, c, 1 + i % 2, &p))
            fail_msg("%s", p.text);
        disk_mark(d, i);
    }
    store_close(s);
}

/* After the cut: what was acknowledged, or (cut before that was said) the one after. */
static void check_after(const struct disk *d, size_t cut, const struct history *h,
                        const struct shelf *after)
{
    struct store *s = opened(after, NULL);
    struct checkpoint more = {.count = 3, .page = {3001, 3002, (uint32_t)cut}};
    struct store_root root = {0};
    enum tern_err err = store_root(s, 0, &root);
    struct problem p = {0};

    assert_true(err == TERN_OK || (err == TERN_ENOENT && disk_last_mark(d, cut) == 0));
    assert_true(root.number >= disk_last_mark(d, cut));
    if (!err)
        assert_int_equal(shelf_compare(s, 0, &h->root[root.number]), TERN_OK);
    if (shelf_commit(s, &more, 2, &p))
        fail_msg("%s", p.text);
    if (!err)
        assert_int_equal(shelf_compare(s, 1, &h->root[root.number]), TERN_OK);
    store_close(s);
    s = opened(after, NULL);
    assert_int_equal(shelf_compare(s, 0, &more), TERN_OK);
    store_close(s);
}

static void nothing_committed_is_lost(void **state)
{
    struct shelf *shelf = *state, after;
    unsigned removed = 0, cuts = 0;

    snprintf(after.store, sizeof after.store, "%.240s/after", shelf->base);
    for (uint64_t run = 1; run <= 2; run++) {
        struct history h = {0};
        struct disk d;
        uint64_t seed = run * 77;

        print_message("# seed %llu\n", (unsigned long long)run);
        disk_watch(&d, shelf);
        live(&d, shelf, &h, run);
        for (size_t cut = 0; cut <= d.count; cut++) {
            removed += cut < d.count && d.events[cut].kind == DISK_REMOVE;
            for (unsigned again = 0; again < ROLLS; again++, cuts++) {
                disk_after_cut(&d, cut, &seed, &after);
                check_after(&d, cut, &h, &after);
            }
        }
        disk_release(&d);
        shelf_empty(after.store);
        shelf_empty(shelf->store);
    }
    assert_true(removed > 10); /* packs were written anew, too */
    print_message("# %u cuts, %u packs removed\n", cuts, removed);
}

/* ---- Roots that are held by their names ---- */

static const struct store_rules rules = {.children = chunk_children};

struct held_history {
    struct store_name root[COMMITS + 1];
};

static struct store_name put_pages(struct store *s, uint32_t first, unsigned count)
{
    struct bytes list = {0};
    struct store_name name;

    chunk_list_begin(&list);
    for (unsigned i = 0; i < count; i++) {
        uint8_t page[SHELF_PAGE_MAX];
        const size_t size = page_bytes(first + i, page);

        assert_int_equal(store_put(s, view_of(page, size), &name, NULL), TERN_OK);
        chunk_list_add(&list, CHUNK_LEAF, &name);
    }
    assert_int_equal(store_put(s, bytes_view(&list), &name, NULL), TERN_OK);
    bytes_release(&list);
    return name;
}

/* Roots come, older ones are dropped, what they held is given back, sessions end. */
static void hold_and_drop(struct disk *d, const struct shelf *shelf, struct held_history *h)
{
    struct store *s = opened(shelf, &d->io);

    for (uint32_t i = 1; i <= COMMITS; i++) {
        struct store_held root = {.kind = CHUNK_LIST, .expires_ns = i};
        uint64_t new_bytes;

        root.name = h->root[i] = put_pages(s, 5 * i, 12);
        assert_int_equal(store_hold(s, &root, &rules, &new_bytes, NULL), TERN_OK);
        disk_mark(d, i);
        if (i > 3)
            assert_int_equal(store_drop(s, &h->root[i - 3]), TERN_OK);
        if (i % 4 == 0)
            assert_int_equal(store_collect(s, &rules, NULL), TERN_OK);
        if (i % 7 == 0) {
            store_close(s);
            s = opened(shelf, &d->io);
        }
    }
    store_close(s);
}

struct reading {
    struct store *store;
    const struct store_name *wanted; /* the last that was acknowledged */
    bool found;
    unsigned broken;
};

static void read_root(void *context, const struct store_held *root)
{
    struct reading *r = context;
    struct bytes list = {0}, page = {0};

    r->found |= r->wanted && memcmp(r->wanted, &root->name, sizeof root->name) == 0;
    r->broken += store_get(r->store, &root->name, &list) != TERN_OK;
    for (int i = 0; i < chunk_list_count(bytes_view(&list)); i++) {
        struct store_name leaf;

        bytes_clear(&page);
        chunk_list_at(bytes_view(&list), (unsigned)i, &leaf);
        r->broken += store_get(r->store, &leaf, &page) != TERN_OK;
    }
    bytes_release(&list);
    bytes_release(&page);
}

/* Each root that is there is whole, and what was acknowledged last is there. */
static unsigned broken_after(const struct disk *d, size_t cut, const struct held_history *h,
                             const struct shelf *after)
{
    const uint64_t last = disk_last_mark(d, cut);
    struct reading r = {.store = opened(after, NULL), .wanted = last ? &h->root[last] : NULL};

    store_each_held(r.store, &r, read_root);
    r.broken += last && !r.found;
    assert_int_equal(store_collect(r.store, &rules, NULL), TERN_OK);
    store_each_held(r.store, &r, read_root);
    store_close(r.store);
    return r.broken;
}

static void nothing_held_is_lost(void **state)
{
    struct shelf *shelf = *state, after;
    struct held_history h;
    struct disk d;
    uint64_t seed = 11;

    snprintf(after.store, sizeof after.store, "%.240s/after", shelf->base);
    disk_watch(&d, shelf);
    hold_and_drop(&d, shelf, &h);
    for (size_t cut = 0; cut <= d.count; cut++) {
        for (unsigned again = 0; again < ROLLS; again++) {
            disk_after_cut(&d, cut, &seed, &after);
            assert_int_equal(broken_after(&d, cut, &h, &after), 0);
        }
    }
    print_message("# %zu cuts\n", ROLLS * d.count);
    disk_release(&d);
    shelf_empty(after.store);
}

/* The checker itself: a store that does not sync its packs, or not their names, is caught. */
static int no_sync(void *context, int fd)
{
    (void)context;
    (void)fd;
    return 0;
}

static unsigned count_lost(const struct disk *d, const struct history *h, const struct shelf *after)
{
    uint64_t seed = 5;
    unsigned lost = 0;

    for (size_t cut = 0; cut <= d->count; cut++) {
        struct store_root root;
        struct store *s;

        disk_after_cut(d, cut, &seed, after);
        s = opened(after, NULL);
        lost += store_root(s, 0, &root) == TERN_OK &&
                shelf_compare(s, 0, &h->root[root.number]) != TERN_OK;
        store_close(s);
    }
    return lost;
}

static void a_store_that_does_not_sync_is_caught(void **state)
{
    struct shelf *shelf = *state, after;

    snprintf(after.store, sizeof after.store, "%.240s/after", shelf->base);
    for (int names = 0; names <= 1; names++) {
        struct history h = {0};
        struct disk d;

        disk_watch(&d, shelf);
        *(names ? &d.io.sync_dir : &d.io.sync) = no_sync;
        live(&d, shelf, &h, 1);
        assert_true(count_lost(&d, &h, &after) > 0);
        disk_release(&d);
        shelf_empty(after.store);
        shelf_empty(shelf->store);
    }
}

static void held_roots_of_a_store_that_does_not_sync_are_caught(void **state)
{
    struct shelf *shelf = *state, after;
    struct held_history h;
    unsigned broken = 0;
    uint64_t seed = 5;
    struct disk d;

    snprintf(after.store, sizeof after.store, "%.240s/after", shelf->base);
    disk_watch(&d, shelf);
    d.io.sync = no_sync;
    hold_and_drop(&d, shelf, &h);
    for (size_t cut = 0; cut <= d.count; cut++) {
        disk_after_cut(&d, cut, &seed, &after);
        broken += broken_after(&d, cut, &h, &after);
    }
    assert_true(broken > 0);
    disk_release(&d);
    shelf_empty(after.store);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, shelf_setup, shelf_teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_committed_is_lost),
        TEST(nothing_held_is_lost),
        TEST(held_roots_of_a_store_that_does_not_sync_are_caught),
        TEST(a_store_that_does_not_sync_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
