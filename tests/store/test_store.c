/*
 * The store as its users see it: chunks, roots, room, the lock, limits; and against a naive model.
 */
#include "shelf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void commit_ok(struct store *s, const struct checkpoint *c, unsigned keep)
{
    struct problem p = {0};

    if (shelf_commit(s, c, keep, &p))
        fail_msg("%s", p.text);
}

static void get_gives(struct store *s, const struct store_name *name, struct view expected)
{
    struct bytes b = {0};

    bytes_append_text(&b, "before");
    assert_int_equal(store_get(s, name, &b), TERN_OK);
    assert_int_equal(b.size, 6 + expected.size);
    assert_memory_equal(b.data, "before", 6);
    if (expected.size)
        assert_memory_equal(b.data + 6, expected.data, expected.size);
    bytes_release(&b);
}

static void chunks_come_back(void **state)
{
    static uint8_t big[STORE_CHUNK_MAX + 1];
    static const size_t sizes[] = {0, 1, 31, 32, 33, 4096, STORE_CHUNK_MAX};
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct store_name name, none = {{1}};
    struct problem p = {0};
    struct bytes b = {0};
    uint64_t seed = 1;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int noise = 0; noise <= 1; noise++) {
            for (size_t k = 0; k < sizes[i]; k++)
                big[k] = noise ? (uint8_t)draw(&seed) : (uint8_t)sizes[i];
            assert_int_equal(store_put(s, view_of(big, sizes[i]), &name, &p), TERN_OK);
            assert_true(store_has(s, &name));
            get_gives(s, &name, view_of(big, sizes[i]));
        }
    }
    assert_int_equal(store_put(s, view_of(big, sizeof big), &name, &p), TERN_ETOOBIG);
    assert_non_null(strstr(p.text, "larger"));
    assert_false(store_has(s, &none));
    assert_int_equal(store_get(s, &none, &b), TERN_ENOENT);
    store_close(s);
}

static void equal_chunks_are_stored_once(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct checkpoint c = {.count = 16};
    struct store_usage one, two;

    for (unsigned i = 0; i < 16; i++)
        c.page[i] = 7;
    commit_ok(s, &c, 2);
    assert_int_equal(store_usage(s, &one), TERN_OK);
    assert_int_equal(one.chunks, 3); /* the page, the list (twice the same), the root's list */
    commit_ok(s, &c, 2);
    assert_int_equal(store_usage(s, &two), TERN_OK);
    assert_int_equal(two.chunks, 3);
    assert_int_equal(two.disk_bytes, one.disk_bytes);
    assert_int_equal(two.roots, 2);
    store_close(s);
}

static void roots_stay_over_reopening(void **state)
{
    struct checkpoint c[6];
    uint64_t seed = 2;
    struct store_root root;

    for (unsigned i = 0; i < 6; i++) {
        struct store *s = shelf_open(*state, STORE_CREATE);

        checkpoint_draw(&c[i], &seed, 20);
        commit_ok(s, &c[i], 3);
        store_close(s);
        s = shelf_open(*state, i % 2 ? STORE_READ : STORE_WRITE);
        for (unsigned n = 0; n < 3 && n <= i; n++) {
            assert_int_equal(store_root(s, n, &root), TERN_OK);
            assert_int_equal(root.number, i - n + 1);
            assert_int_equal(root.time_ns, 1234);
            assert_int_equal(shelf_compare(s, n, &c[i - n]), TERN_OK);
        }
        assert_int_equal(store_root(s, i < 3 ? i + 1 : 3, &root), TERN_ENOENT);
        store_close(s);
    }
}

static void uncommitted_is_forgotten(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct checkpoint c = {.count = 2, .page = {1, 2}};
    struct store_usage before, after;
    struct store_name name;
    uint8_t page[SHELF_PAGE_MAX];
    size_t size = page_bytes(44, page);

    commit_ok(s, &c, 1);
    assert_int_equal(store_usage(s, &before), TERN_OK);
    assert_int_equal(store_put(s, view_of(page, size), &name, NULL), TERN_OK);
    store_close(s);
    s = shelf_open(*state, STORE_WRITE);
    assert_false(store_has(s, &name));
    assert_int_equal(store_usage(s, &after), TERN_OK);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(shelf_compare(s, 0, &c), TERN_OK);
    store_close(s);
}

static void room_comes_back(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct checkpoint c;
    struct store_usage usage;
    uint64_t seed = 3;

    for (unsigned i = 0; i < 60; i++) {
        checkpoint_draw(&c, &seed, i % 20 < 10 ? 60 : 2);
        commit_ok(s, &c, 2);
        assert_int_equal(store_usage(s, &usage), TERN_OK);
        assert_true(usage.disk_bytes <= 2 * usage.held_bytes + 1);
        assert_int_equal(shelf_compare(s, 0, &c), TERN_OK);
    }
    assert_true(usage.held_bytes > 1000);
    store_close(s);
}

/* With the limits as they ship, a change of a few pages looks only now and then. */
static void room_comes_back_by_default_too(void **state)
{
    struct shelf *shelf = *state;
    struct store *s = NULL;
    struct checkpoint c;
    struct store_usage usage;
    uint64_t seed = 4;

    assert_int_equal(store_open(shelf->store, true, &s, NULL), TERN_OK);
    for (unsigned i = 0; i < 33; i++) {
        checkpoint_draw(&c, &seed, 60);
        commit_ok(s, &c, 1);
    }
    assert_int_equal(store_usage(s, &usage), TERN_OK);
    assert_true(usage.disk_bytes < 40 * 60 * 100);
    assert_int_equal(shelf_compare(s, 0, &c), TERN_OK);
    store_close(s);
}

static void one_user_at_a_time(void **state)
{
    struct shelf *shelf = *state;
    struct store *s = NULL, *second = NULL;
    struct problem p = {0};
    char pid[32];

    assert_int_equal(store_open(shelf->store, false, &s, &p), TERN_ENOENT);
    assert_int_equal(store_open_read(shelf->store, &s, &p), TERN_ENOENT);
    assert_int_equal(store_open(shelf->store, true, &s, &p), TERN_OK);
    assert_int_equal(store_open(shelf->store, true, &second, &p), TERN_EBUSY);
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_non_null(strstr(p.text, pid));
    store_close(s);
    assert_int_equal(store_open(shelf->store, false, &s, &p), TERN_OK);
    store_close(s);
    store_close(NULL);
}

/* A reader in a process of its own, told by a pipe when the next checkpoint is there. */
static void read_beside(const struct shelf *shelf, int from, int to)
{
    struct store *s = NULL;
    uint64_t seed = 5;
    char byte;

    if (read(from, &byte, 1) != 1 || store_open_read(shelf->store, &s, NULL))
        _exit(1);
    for (unsigned i = 0; i < 30; i++) {
        struct checkpoint c;

        checkpoint_draw(&c, &seed, 30);
        if (i > 0 && read(from, &byte, 1) != 1)
            _exit(2);
        if (shelf_compare(s, 0, &c))
            _exit(3);
        if (write(to, "x", 1) != 1)
            _exit(4);
    }
    store_close(s);
    _exit(0);
}

static void readers_are_not_locked_out(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    int there[2], back[2], status;
    uint64_t seed = 5;
    pid_t child;
    char byte;

    assert_int_equal(pipe(there), 0);
    assert_int_equal(pipe(back), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        read_beside(*state, there[0], back[1]);
    close(there[0]); /* so that the end of the child is noticed */
    close(back[1]);
    for (unsigned i = 0; i < 30; i++) {
        struct checkpoint c;

        checkpoint_draw(&c, &seed, 30);
        commit_ok(s, &c, 1);
        assert_int_equal(write(there[1], "x", 1), 1);
        if (read(back[0], &byte, 1) != 1)
            break;
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(there[1]);
    close(back[0]);
    store_close(s);
}

static void the_index_grows_up_to_its_limit(void **state)
{
    struct shelf *shelf = *state;
    struct store_setup setup = shelf_small();
    struct checkpoint c = {.count = 3, .page = {1, 2, 3}};
    struct problem p = {0};
    struct store *s = NULL;
    struct store_name name;

    setup.limits.index_bytes_max = 512 << 10;
    assert_int_equal(store_open_with(shelf->store, STORE_CREATE, &setup, &s, &p), TERN_OK);
    commit_ok(s, &c, 2);
    setup.limits.look_commits = 1000; /* keep what is under no root */
    s->limits = setup.limits;
    s->limits.look_bytes = 1 << 30;
    for (uint32_t i = 0; i < 1500; i++)
        assert_int_equal(store_put(s, view_of(&i, sizeof i), &name, &p), TERN_OK);
    commit_ok(s, &c, 2);
    assert_true(s->index.map_bytes > 64 << 10);
    for (uint32_t i = 1500; i < 20000; i++)
        assert_int_equal(store_put(s, view_of(&i, sizeof i), &name, &p), TERN_OK);
    assert_int_equal(shelf_commit(s, &c, 2, &p), TERN_EIO);
    assert_non_null(strstr(p.text, "limit"));
    assert_true(store_has(s, &name)); /* still put, and can be committed where there is room */
    s->limits.index_bytes_max = s->index.map_bytes_max = 64 << 20;
    commit_ok(s, &c, 2);
    assert_true(store_has(s, &name));
    assert_int_equal(shelf_compare(s, 0, &c), TERN_OK);
    store_close(s);
    s = shelf_open(*state, STORE_WRITE); /* the map is as large as the file needs */
    assert_true(store_has(s, &name));
    store_close(s);
}

static void a_list_must_be_there(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct store_commit commit = {.keep = 1, .children = shelf_children};
    struct store_root root;
    struct problem p = {0};

    assert_int_equal(store_commit(s, &commit, &root, &p), TERN_ENOENT);
    assert_int_equal(store_root(s, 0, &root), TERN_ENOENT);
    store_close(s);
}

/* Else it would be told that a checkpoint is kept which nobody can find. */
static void a_store_that_was_removed_takes_no_checkpoint(void **state)
{
    const struct shelf *shelf = *state;
    struct store *s = shelf_open(shelf, STORE_CREATE);
    struct checkpoint c = {0};
    struct problem p = {0};
    uint64_t seed = 7;

    checkpoint_draw(&c, &seed, 3);
    commit_ok(s, &c, 1);
    shelf_empty(shelf->store);
    assert_int_equal(shelf_commit(s, &c, 1, &p), TERN_ENOENT);
    assert_non_null(strstr(p.text, "has removed"));
    store_close(s);
}

/* A chunk that says 100 bytes and unpacks to many more; and one that unpacks to others. */
static void bombs_do_not_go_off(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    static uint8_t zeros[8 << 20];
    struct bytes frame = {0}, out = {0};

    for (size_t plain = 100; plain <= sizeof zeros; plain *= 16) {
        struct record_chunk c = {.plain_bytes = 100, .codec = RECORD_ZSTD}, *slot;
        struct store_name name = store_name_of(view_of(&plain, sizeof plain)), is;
        bool fresh;

        bytes_clear(&frame);
        bytes_reserve(&frame, ZSTD_compressBound(plain));
        frame.size = ZSTD_compress(frame.data, frame.capacity, zeros, plain, 1);
        assert_false(ZSTD_isError(frame.size));
        is = store_name_of(bytes_view(&frame));
        memcpy(c.digest, is.bytes, sizeof c.digest);
        c.stored_bytes = (uint32_t)frame.size;
        assert_int_equal(packs_append(&s->packs, bytes_view(&frame), &c.pack, &c.offset), 0);
        slot = names_add(&s->pending, &name, &fresh);
        assert_non_null(slot);
        *slot = c;
        bytes_clear(&out);
        assert_int_equal(store_get(s, &name, &out), TERN_ECORRUPT);
        assert_int_equal(out.size, 0);
    }
    bytes_release(&frame);
    bytes_release(&out);
    store_close(s);
}

enum { MODEL_ROOTS = 8, MODEL_PAGES = 1000 };

struct model {
    struct checkpoint root[MODEL_ROOTS]; /* newest first */
    unsigned roots;
};

static void model_commit(struct model *m, struct store *s, uint64_t *seed)
{
    unsigned keep = 1 + draw_below(seed, MODEL_ROOTS - 1);
    struct checkpoint c = m->root[0];

    if (draw_below(seed, 4) == 0 || m->roots == 0)
        checkpoint_draw(&c, seed, draw_below(seed, SHELF_PAGES_MAX + 1));
    for (unsigned i = draw_below(seed, 5); i-- > 0 && c.count;)
        checkpoint_change(&c, seed, MODEL_PAGES);
    commit_ok(s, &c, keep);
    memmove(m->root + 1, m->root, (MODEL_ROOTS - 1) * sizeof *m->root);
    m->root[0] = c;
    m->roots = m->roots + 1 < keep ? m->roots + 1 : keep;
}

static void model_check(const struct model *m, struct store *s)
{
    struct store_usage usage;
    struct store_root root;

    for (unsigned n = 0; n < m->roots; n++)
        assert_int_equal(shelf_compare(s, n, &m->root[n]), TERN_OK);
    assert_int_equal(store_root(s, m->roots, &root), TERN_ENOENT);
    assert_int_equal(store_usage(s, &usage), TERN_OK);
    assert_int_equal(usage.roots, m->roots);
}

static void behaves_like_a_model(void **state)
{
    struct shelf *shelf = *state;

    for (uint64_t run = 1; run <= 6; run++) {
        struct store *s = shelf_open(shelf, STORE_CREATE);
        struct model m = {0};
        uint64_t seed = run;

        print_message("# seed %llu\n", (unsigned long long)run);
        for (unsigned step = 0; step < 200; step++) {
            uint8_t page[SHELF_PAGE_MAX];
            struct store_name name;

            switch (draw_below(&seed, 8)) {
            case 0:
                store_close(s);
                s = shelf_open(shelf, STORE_WRITE);
                break;
            case 1: model_check(&m, s); break;
            case 2:
            case 3: model_commit(&m, s, &seed); break;
            default: { /* put, perhaps for nothing */
                uint32_t number = draw_below(&seed, MODEL_PAGES);
                size_t size = page_bytes(number, page);

                assert_int_equal(store_put(s, view_of(page, size), &name, NULL), TERN_OK);
                get_gives(s, &name, view_of(page, size));
            }
            }
        }
        model_check(&m, s);
        store_close(s);
        shelf_empty(shelf->store);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, shelf_setup, shelf_teardown)
    const struct CMUnitTest tests[] = {
        TEST(chunks_come_back),
        TEST(equal_chunks_are_stored_once),
        TEST(roots_stay_over_reopening),
        TEST(uncommitted_is_forgotten),
        TEST(room_comes_back),
        TEST(room_comes_back_by_default_too),
        TEST(one_user_at_a_time),
        TEST(readers_are_not_locked_out),
        TEST(the_index_grows_up_to_its_limit),
        TEST(a_list_must_be_there),
        TEST(a_store_that_was_removed_takes_no_checkpoint),
        TEST(bombs_do_not_go_off),
        TEST(behaves_like_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
