/*
 * Roots that are held by their names, what is pinned, chunks as they travel, and damage that heals.
 */
#include "shelf.h"

#include "store/chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct store_rules rules = {.children = chunk_children};

enum { LEAVES = 20 };

/* A list of numbered pages, put; its name. */
static struct store_name put_list(struct store *s, uint32_t first, unsigned count)
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

static struct store_held root_of(struct store_name name, int64_t expires_ns)
{
    return (struct store_held){.name = name, .kind = CHUNK_LIST, .expires_ns = expires_ns};
}

static void hold(struct store *s, struct store_name name, int64_t expires_ns)
{
    const struct store_held root = root_of(name, expires_ns);
    uint64_t new_bytes;
    struct problem p = {0};

    if (store_hold(s, &root, &rules, &new_bytes, &p))
        fail_msg("%s", p.text);
}

static bool is_whole(struct store *s, const struct store_name *name)
{
    return store_is_whole(s, name, CHUNK_LIST, &rules);
}

/* By reading every byte. */
static bool reads_whole(struct store *s, const struct store_name *name)
{
    struct bytes list = {0}, page = {0};
    bool whole = store_get(s, name, &list) == TERN_OK;

    for (int i = 0; whole && i < chunk_list_count(bytes_view(&list)); i++) {
        struct store_name leaf;

        bytes_clear(&page);
        chunk_list_at(bytes_view(&list), (unsigned)i, &leaf);
        whole = store_get(s, &leaf, &page) == TERN_OK;
    }
    bytes_release(&list);
    bytes_release(&page);
    return whole;
}

static uint64_t chunks_in(struct store *s)
{
    struct store_usage u;

    assert_int_equal(store_usage(s, &u), TERN_OK);
    return u.chunks;
}

/* ---- Roots ---- */

struct found {
    unsigned count;
    int64_t expires_ns;
};

static void note(void *context, const struct store_held *root)
{
    struct found *f = context;

    f->count++;
    f->expires_ns = root->expires_ns;
}

static void roots_stay_until_they_are_dropped(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct store_name a = put_list(s, 1, LEAVES), b = put_list(s, 15, LEAVES);
    struct found f = {0};

    hold(s, a, 100);
    hold(s, b, 200);
    store_close(s);
    s = shelf_open(*state, STORE_WRITE);
    assert_int_equal(store_held_count(s), 2);
    assert_int_equal(store_collect(s, &rules, NULL), TERN_OK);
    assert_true(reads_whole(s, &a) && reads_whole(s, &b));
    assert_int_equal(store_drop(s, &a), TERN_OK);
    assert_int_equal(store_drop(s, &a), TERN_ENOENT);
    assert_int_equal(store_extend(s, &(struct store_held){.name = a, .kind = CHUNK_LIST}),
                     TERN_ENOENT);
    assert_int_equal(store_extend(s, &(struct store_held){b, CHUNK_LIST, 300}), TERN_OK);
    assert_int_equal(store_collect(s, &rules, NULL), TERN_OK);
    assert_false(store_has(s, &a));
    assert_true(reads_whole(s, &b)); /* with the pages that both had */
    assert_int_equal(chunks_in(s), LEAVES + 1);
    store_close(s);
    s = shelf_open(*state, STORE_WRITE);
    store_each_held(s, &f, note);
    assert_int_equal(f.count, 1);
    assert_int_equal(f.expires_ns, 300);
    store_close(s);
}

static void extensions_reach_the_disk(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct store_name a = put_list(s, 1, 3);
    struct found f = {0};

    hold(s, a, 100);
    assert_int_equal(store_extend(s, &(struct store_held){a, CHUNK_LIST, 500}), TERN_OK);
    assert_int_equal(store_flush(s, NULL), TERN_OK);
    store_close(s);
    s = shelf_open(*state, STORE_WRITE);
    store_each_held(s, &f, note);
    assert_int_equal(f.expires_ns, 500);
    store_close(s);
}

static void a_root_has_to_be_whole(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct store_name leaf = page_name(77), list;
    struct bytes plain = {0};
    struct store_held root;
    struct problem p = {0};
    uint64_t new_bytes = 7;

    chunk_list_begin(&plain);
    chunk_list_add(&plain, CHUNK_LEAF, &leaf);
    assert_int_equal(store_put(s, bytes_view(&plain), &list, NULL), TERN_OK);
    root = root_of(list, 1);
    assert_false(is_whole(s, &list));
    assert_int_equal(store_hold(s, &root, &rules, &new_bytes, &p), TERN_ENOENT);
    assert_int_equal(store_held_count(s), 0);
    assert_true(strlen(p.text) > 20);
    put_list(s, 77, 1);
    assert_true(is_whole(s, &list));
    assert_int_equal(store_hold(s, &root, &rules, &new_bytes, &p), TERN_OK);
    assert_true(new_bytes > 0);
    root.kind = CHUNK_CHECKPOINT; /* which it is not */
    assert_int_not_equal(store_hold(s, &root, &rules, &new_bytes, &p), TERN_OK);
    bytes_release(&plain);
    store_close(s);
}

static enum tern_err both_children(void *context, unsigned kind, struct view plain,
                                   enum tern_err (*yield)(void *to, unsigned kind,
                                                          const struct store_name *name),
                                   void *to)
{
    return kind == 0 ? shelf_children(context, kind, plain, yield, to)
                     : chunk_children(context, kind, plain, yield, to);
}

/* Both kinds of root in one store: neither lets go of what the other needs. */
static void beside_the_newest(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct store_name a = put_list(s, 1, LEAVES), last = a;

    hold(s, a, 100);
    for (uint32_t i = 0; i < 10; i++) {
        struct store_commit c = {.keep = 2, .children = both_children};
        const struct store_name page = page_name(900 + i);
        struct store_root root;

        put_list(s, 900 + i, 1);
        assert_int_equal(store_put(s, view_of(&page, sizeof page), &last, NULL), TERN_OK);
        assert_int_equal(store_put(s, view_of(&last, sizeof last), &c.list, NULL), TERN_OK);
        assert_int_equal(store_commit(s, &c, &root, NULL), TERN_OK);
        assert_true(reads_whole(s, &a));
        assert_true(store_has(s, &page));
    }
    assert_int_equal(store_drop(s, &a), TERN_OK);
    assert_int_equal(store_collect(s, &(struct store_rules){.children = both_children}, NULL),
                     TERN_OK);
    assert_int_equal(chunks_in(s), 2 * 3); /* of the two newest */
    store_close(s);
}

static void a_damaged_record_is_found_out(void **state)
{
    struct record_held h = {.expires_ns = -5, .kinds = 8}, out = {0};
    struct store_name name = {{1, 2}}, is;
    struct record r;

    (void)state;
    record_of_held(&r, &name, &h);
    assert_true(record_is_whole(view_of(r.key, r.key_bytes), view_of(r.value, r.value_bytes)));
    assert_true(
        record_get_held(view_of(r.key, r.key_bytes), view_of(r.value, r.value_bytes), &is, &out));
    assert_int_equal(out.expires_ns, -5);
    assert_int_equal(out.kinds, 8);
    assert_memory_equal(&is, &name, sizeof name);
    for (size_t i = 0; i < r.value_bytes; i++) {
        r.value[i] ^= 1;
        assert_false(record_is_whole(view_of(r.key, r.key_bytes), view_of(r.value, r.value_bytes)));
        r.value[i] ^= 1;
    }
}

/* ---- Pins ---- */

static void what_is_pinned_stays(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct store_name a = put_list(s, 1, LEAVES), leaf = page_name(500);
    uint8_t page[SHELF_PAGE_MAX];
    size_t size = page_bytes(500, page);

    hold(s, a, 1);
    store_pins(s, 1, UINT64_MAX);
    store_pin(s, &a, CHUNK_LIST); /* somebody was told that it is there */
    assert_int_equal(store_put(s, view_of(page, size), &leaf, NULL), TERN_OK);
    store_pin(s, &leaf, CHUNK_LEAF);
    assert_int_equal(store_drop(s, &a), TERN_OK);
    assert_int_equal(store_collect(s, &rules, NULL), TERN_OK);
    assert_true(reads_whole(s, &a));
    assert_true(store_has(s, &leaf));
    store_pins(s, 2, 1); /* another began; the first goes on */
    assert_int_equal(store_collect(s, &rules, NULL), TERN_OK);
    assert_true(reads_whole(s, &a));
    store_pins(s, 3, 2); /* it is over */
    assert_int_equal(store_collect(s, &rules, NULL), TERN_OK);
    assert_false(store_has(s, &a));
    assert_false(store_has(s, &leaf));
    assert_int_equal(chunks_in(s), 0);
    store_close(s);
}

static void a_root_takes_over_what_was_pinned(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct store_name a;

    store_pins(s, 1, UINT64_MAX);
    a = put_list(s, 1, LEAVES);
    for (uint32_t i = 0; i < LEAVES; i++) {
        const struct store_name name = page_name(1 + i);

        store_pin(s, &name, CHUNK_LEAF);
    }
    store_pin(s, &a, CHUNK_LEAF);
    hold(s, a, 1);
    assert_int_equal(store_drop(s, &a), TERN_OK);
    assert_int_equal(store_collect(s, &rules, NULL), TERN_OK);
    assert_int_equal(chunks_in(s), 0);
    store_close(s);
}

static void room_is_given_back(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct store_name names[10];
    struct store_usage u;

    for (uint32_t i = 0; i < 10; i++)
        hold(s, names[i] = put_list(s, 100 * i, 40), 1);
    for (uint32_t i = 0; i < 10; i++)
        if (i != 3)
            assert_int_equal(store_drop(s, &names[i]), TERN_OK);
    assert_true(store_is_due(s));
    assert_int_equal(store_collect(s, &rules, NULL), TERN_OK);
    assert_false(store_is_due(s));
    while (store_give_back(s)) {
    }
    assert_true(reads_whole(s, &names[3]));
    assert_int_equal(store_usage(s, &u), TERN_OK);
    assert_true(u.disk_bytes <= 2 * u.held_bytes);
    assert_true(store_disk_bytes(s) >= u.disk_bytes);
    store_close(s);
}

/* ---- As they travel ---- */

static void chunks_travel_as_they_are_stored(void **state)
{
    struct shelf *shelf = *state, other = *shelf;
    struct store *from = shelf_open(shelf, STORE_CREATE), *to;

    snprintf(other.store, sizeof other.store, "%.240s/other", shelf->base);
    to = shelf_open(&other, STORE_CREATE);
    for (uint32_t i = 0; i < 60; i++) {
        uint8_t page[SHELF_PAGE_MAX];
        const size_t size = page_bytes(i, page);
        struct bytes room = {0}, plain = {0};
        struct store_stored stored;
        struct store_name name;

        assert_int_equal(store_put(from, view_of(page, size), &name, NULL), TERN_OK);
        assert_int_equal(store_get_stored(from, &name, NULL, &stored, &room), TERN_OK);
        assert_int_equal(store_put_stored(to, &name, &stored, NULL), TERN_OK);
        assert_int_equal(store_get(to, &name, &plain), TERN_OK);
        assert_true(view_equal(bytes_view(&plain), view_of(page, size)));
        bytes_clear(&plain);
        assert_int_equal(chunk_unpack(&stored, &name, &plain), TERN_OK);
        assert_true(view_equal(bytes_view(&plain), view_of(page, size)));
        name.bytes[0] ^= 1;
        assert_int_equal(store_put_stored(to, &name, &stored, NULL), TERN_ECORRUPT);
        bytes_clear(&plain);
        assert_int_equal(chunk_unpack(&stored, &name, &plain), TERN_ECORRUPT);
        assert_int_equal(plain.size, 0);
        bytes_release(&room);
        bytes_release(&plain);
    }
    store_close(from);
    store_close(to);
    shelf_empty(other.store);
}

/* A long list and one of which one name is another. */
static void two_lists(struct store *s, struct store_name *base, struct store_name *like,
                      struct bytes *plain)
{
    for (uint32_t i = 0; i < 500; i++) {
        const struct store_name name = page_name(i);

        bytes_append(plain, name.bytes, sizeof name.bytes);
    }
    assert_int_equal(store_put(s, bytes_view(plain), base, NULL), TERN_OK);
    plain->data[1000] ^= 1;
    assert_int_equal(store_put_like(s, bytes_view(plain), base, like, NULL), TERN_OK);
}

static void differences_travel_as_such(void **state)
{
    struct shelf *shelf = *state, other = *shelf;
    struct store *from = shelf_open(shelf, STORE_CREATE), *to;
    struct bytes plain = {0}, room = {0}, got = {0};
    struct store_name base, like, is;
    struct store_stored stored, whole;

    snprintf(other.store, sizeof other.store, "%.240s/other", shelf->base);
    to = shelf_open(&other, STORE_CREATE);
    two_lists(from, &base, &like, &plain);
    assert_true(store_like(from, &like, &is));
    assert_memory_equal(&is, &base, sizeof is);
    assert_false(store_like(from, &base, &is));
    assert_int_equal(store_get_stored(from, &like, &base, &stored, &room), TERN_OK);
    assert_int_equal(stored.codec, CODEC_LIKE);
    assert_true(stored.bytes.size < 400);
    assert_int_equal(store_put_stored(to, &like, &stored, NULL), TERN_ECORRUPT); /* no base */
    assert_false(store_has(to, &like));
    {
        struct bytes base_room = {0};

        assert_int_equal(store_get_stored(from, &base, NULL, &whole, &base_room), TERN_OK);
        assert_int_equal(store_put_stored(to, &base, &whole, NULL), TERN_OK);
        bytes_release(&base_room);
    }
    assert_int_equal(store_put_stored(to, &like, &stored, NULL), TERN_OK);
    assert_true(store_like(to, &like, &is));
    assert_int_equal(store_get(to, &like, &got), TERN_OK);
    assert_true(view_equal(bytes_view(&got), bytes_view(&plain)));
    /* To one who lacks the base: whole. */
    bytes_clear(&room);
    assert_int_equal(store_get_stored(from, &like, NULL, &stored, &room), TERN_OK);
    assert_int_not_equal(stored.codec, CODEC_LIKE);
    bytes_clear(&got);
    assert_int_equal(chunk_unpack(&stored, &like, &got), TERN_OK);
    bytes_release(&plain);
    bytes_release(&room);
    bytes_release(&got);
    store_close(from);
    store_close(to);
    shelf_empty(other.store);
}

static void bombs_from_strangers(void **state)
{
    static uint8_t zeros[8 << 20];
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct bytes frame = {0}, out = {0};
    struct store_name name = store_name_of(view_of(zeros, 100));
    struct store_stored c = {.codec = CODEC_ZSTD, .plain_size = 1000};

    bytes_reserve(&frame, ZSTD_compressBound(sizeof zeros));
    frame.size = ZSTD_compress(frame.data, frame.capacity, zeros, sizeof zeros, 1);
    assert_false(ZSTD_isError(frame.size));
    c.bytes = bytes_view(&frame);
    assert_int_equal(store_put_stored(s, &name, &c, NULL), TERN_ECORRUPT);
    assert_int_equal(chunk_unpack(&c, &name, &out), TERN_ECORRUPT);
    c.plain_size = sizeof zeros;
    assert_int_equal(store_put_stored(s, &name, &c, NULL), TERN_EPROTO);
    c = (struct store_stored){.codec = 77};
    assert_int_equal(store_put_stored(s, &name, &c, NULL), TERN_EPROTO);
    bytes_release(&frame);
    bytes_release(&out);
    store_close(s);
}

/* ---- Damage ---- */

static void what_was_spoilt_heals(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct store_name a = put_list(s, 1, LEAVES), bad = page_name(7);

    hold(s, a, 1);
    assert_true(is_whole(s, &a));
    store_spoil(s, &bad);
    assert_false(store_has(s, &bad));
    assert_false(is_whole(s, &a));
    assert_int_equal(store_collect(s, &rules, NULL), TERN_OK); /* what is left of it stays */
    store_close(s);
    s = shelf_open(*state, STORE_WRITE);
    assert_false(is_whole(s, &a));
    assert_int_equal(chunks_in(s), LEAVES);
    put_list(s, 7, 1);
    assert_true(is_whole(s, &a));
    hold(s, a, 2);
    assert_int_equal(store_flush(s, NULL), TERN_OK);
    store_close(s);
    s = shelf_open(*state, STORE_WRITE);
    assert_true(reads_whole(s, &a));
    store_close(s);
}

/* ---- Against a model ---- */

enum { MODEL_LISTS = 12 };

static void behaves_like_a_model(void **state)
{
    for (uint64_t run = 1; run <= 6; run++) {
        struct shelf *shelf = *state;
        struct store *s = shelf_open(shelf, STORE_CREATE);
        bool held[MODEL_LISTS] = {false};
        struct store_name name[MODEL_LISTS];
        uint64_t seed = run;
        size_t count = 0;

        print_message("# seed %llu\n", (unsigned long long)run);
        for (unsigned step = 0; step < 300; step++) {
            const uint32_t i = draw_below(&seed, MODEL_LISTS);

            switch (draw_below(&seed, 6)) {
            case 0:
            case 1:
                name[i] = put_list(s, 10 * i, 15);
                hold(s, name[i], step);
                count += !held[i];
                held[i] = true;
                break;
            case 2:
                if (held[i])
                    assert_int_equal(store_drop(s, &name[i]), TERN_OK);
                count -= held[i];
                held[i] = false;
                break;
            case 3: assert_int_equal(store_collect(s, &rules, NULL), TERN_OK); break;
            case 4: put_list(s, draw_below(&seed, 500), 3); break; /* for nothing */
            default:
                assert_int_equal(store_flush(s, NULL), TERN_OK);
                store_close(s);
                s = shelf_open(shelf, STORE_WRITE);
            }
            assert_int_equal(store_held_count(s), count);
            for (uint32_t k = 0; k < MODEL_LISTS; k++)
                if (held[k])
                    assert_true(is_whole(s, &name[k]));
        }
        for (uint32_t k = 0; k < MODEL_LISTS; k++)
            if (held[k])
                assert_true(reads_whole(s, &name[k]));
        store_close(s);
        shelf_empty(shelf->store);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, shelf_setup, shelf_teardown)
    const struct CMUnitTest tests[] = {
        TEST(roots_stay_until_they_are_dropped),
        TEST(extensions_reach_the_disk),
        TEST(a_root_has_to_be_whole),
        TEST(beside_the_newest),
        TEST(a_damaged_record_is_found_out),
        TEST(what_is_pinned_stays),
        TEST(a_root_takes_over_what_was_pinned),
        TEST(room_is_given_back),
        TEST(chunks_travel_as_they_are_stored),
        TEST(differences_travel_as_such),
        TEST(bombs_from_strangers),
        TEST(what_was_spoilt_heals),
        TEST(behaves_like_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
