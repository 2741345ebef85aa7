/*
 * Chunks stored as changes against others, and many chunks read at once.
 */
#include "shelf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { LIST = 1024, LIST_BYTES = LIST * STORE_NAME_BYTES };

static uint8_t list[LIST_BYTES];

static void draw_list(uint64_t seed)
{
    for (size_t i = 0; i < sizeof list; i++)
        list[i] = (uint8_t)draw(&seed);
}

/* Another name at `at`, that no list had. */
static void change_list(uint32_t at)
{
    static uint64_t seed = 99;

    for (size_t i = 0; i < STORE_NAME_BYTES; i++)
        list[at * STORE_NAME_BYTES + i] = (uint8_t)draw(&seed);
}

static struct store_name put_list(struct store *s, const struct store_name *like)
{
    struct store_name name;

    assert_int_equal(store_put_like(s, view_of(list, sizeof list), like, &name, NULL), TERN_OK);
    return name;
}

static struct record_chunk record_of(struct store *s, struct store_name name)
{
    struct record_chunk c;

    assert_int_equal(store_find(s, &name, &c), TERN_OK);
    return c;
}

static void is_the_list(struct store *s, struct store_name name)
{
    struct bytes b = {0};

    assert_int_equal(store_get(s, &name, &b), TERN_OK);
    assert_true(view_equal(bytes_view(&b), view_of(list, sizeof list)));
    bytes_release(&b);
}

/* A root over leaves: nothing hangs beneath these. */
static enum tern_err
children(void *context, unsigned kind, struct view plain,
         enum tern_err (*yield)(void *to, unsigned kind, const struct store_name *name), void *to)
{
    enum tern_err err = TERN_OK;

    (void)context;
    (void)kind;
    for (size_t at = 0; at < plain.size && !err; at += STORE_NAME_BYTES)
        err = yield(to, STORE_LEAF, (const void *)(plain.data + at));
    return err;
}

static void commit(struct store *s, const struct store_name *names, size_t count)
{
    struct store_commit c = {.keep = 1, .children = children};
    struct store_root root;
    struct problem p = {0};

    assert_int_equal(store_put(s, view_of(names, count * sizeof *names), &c.list, &p), TERN_OK);
    if (store_commit(s, &c, &root, &p))
        fail_msg("%s", p.text);
}

static void little_changed_takes_little_room(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct store_name first, second, third, none = {{1}};
    uint64_t stored = 7;

    draw_list(1);
    first = put_list(s, NULL);
    assert_int_equal(record_of(s, first).codec, RECORD_PLAIN);
    change_list(500);
    second = put_list(s, &first);
    assert_int_equal(record_of(s, second).codec, RECORD_LIKE);
    assert_true(record_of(s, second).stored_bytes < 4 * STORE_NAME_BYTES);
    assert_int_equal(store_add_stored(s, &first, &stored), TERN_OK);
    assert_int_equal(stored, 7 + LIST_BYTES);
    assert_int_equal(store_add_stored(s, &none, &stored), TERN_ENOENT);
    is_the_list(s, second);
    change_list(700);
    third = put_list(s, &second);
    assert_int_equal(record_of(s, third).codec, RECORD_LIKE);
    assert_true(record_of(s, third).stored_bytes < 6 * STORE_NAME_BYTES);
    is_the_list(s, third);
    commit(s, (struct store_name[]){third}, 1);
    is_the_list(s, third);
    store_close(s);
    s = shelf_open(*state, STORE_READ);
    is_the_list(s, third);
    store_close(s);
}

/* Whatever it is said to resemble, it comes back. */
static void a_hint_does_no_harm(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct store_name none = {{1}}, name, small;

    draw_list(2);
    name = put_list(s, &none);
    assert_int_equal(record_of(s, name).codec, RECORD_PLAIN);
    draw_list(3);
    name = put_list(s, &name);
    assert_int_equal(record_of(s, name).codec, RECORD_PLAIN);
    is_the_list(s, name);
    assert_memory_equal(&(struct store_name[]){put_list(s, &name)}[0], &name, sizeof name);
    assert_int_equal(record_of(s, name).codec, RECORD_PLAIN); /* not against itself */
    assert_int_equal(store_put_like(s, view_of("abc", 3), &name, &small, NULL), TERN_OK);
    assert_int_equal(record_of(s, small).stored_bytes, 3);
    store_close(s);
}

/* Always one step: each is stored against the same whole one, until that is of too little help. */
static void no_chain_forms(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct store_name last, base, is;
    unsigned likes = 0, wholes = 0;

    draw_list(4);
    last = base = put_list(s, NULL);
    for (uint32_t i = 0; i < LIST; i++) {
        change_list(i);
        last = put_list(s, &last);
        if (record_of(s, last).codec == RECORD_LIKE) {
            struct record_chunk c = record_of(s, last);

            assert_int_equal(store_base_of(s, &c, &is), TERN_OK);
            assert_memory_equal(&is, &base, sizeof is);
            likes++;
        } else {
            base = last;
            wholes++;
        }
        is_the_list(s, last);
    }
    assert_true(likes > 900 && wholes >= 2);
    store_close(s);
}

/* The root holds the changed one alone. */
static void what_is_needed_stays(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct store_name first, second, other = {{0}};
    struct store_usage usage;

    draw_list(5);
    first = put_list(s, NULL);
    commit(s, &first, 1);
    change_list(3);
    second = put_list(s, &first);
    commit(s, &second, 1);
    for (uint32_t i = 0; i < 10; i++) {
        struct store_name both[2] = {second};

        assert_int_equal(store_put(s, view_of(&i, sizeof i), &both[1], NULL), TERN_OK);
        commit(s, both, 2);
        assert_true(store_has(s, &first));
        is_the_list(s, second);
    }
    store_close(s);
    s = shelf_open(*state, STORE_WRITE);
    is_the_list(s, second);
    assert_int_equal(store_put(s, view_of("x", 1), &other, NULL), TERN_OK);
    commit(s, &other, 1);
    assert_false(store_has(s, &first));
    assert_false(store_has(s, &second));
    assert_int_equal(store_usage(s, &usage), TERN_OK);
    assert_true(usage.disk_bytes < 1000);
    store_close(s);
}

/* What others rest on, and is put again since it was damaged, does not come to rest on them. */
static void a_lost_base_heals(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct store_name first, second, again;
    char name[PACK_NAME_BYTES];
    static uint8_t kept[LIST_BYTES];
    struct bytes b = {0};

    s->limits.pack_bytes = s->packs.bytes_max = 1000; /* each in a pack of its own */
    draw_list(6);
    memcpy(kept, list, sizeof list);
    first = put_list(s, NULL);
    pack_name(record_of(s, first).pack, name);
    change_list(9);
    second = put_list(s, &first);
    assert_int_not_equal(record_of(s, second).pack, record_of(s, first).pack);
    commit(s, &second, 1);
    store_close(s);
    assert_int_equal(unlink(shelf_file(*state, name)), 0);
    s = shelf_open(*state, STORE_WRITE);
    assert_int_equal(store_get(s, &second, &b), TERN_ECORRUPT);
    assert_int_equal(b.size, 0);
    assert_int_equal(store_put_like(s, view_of(kept, sizeof kept), &second, &again, NULL), TERN_OK);
    assert_memory_equal(&again, &first, sizeof first);
    assert_int_not_equal(record_of(s, first).codec, RECORD_LIKE);
    is_the_list(s, second);
    commit(s, &second, 1);
    is_the_list(s, second);
    store_close(s);
}

static void each_byte_of_a_base(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct store_name names[2];
    struct bytes pack = {0}, b = {0};

    draw_list(7);
    names[0] = put_list(s, NULL);
    change_list(11);
    names[1] = put_list(s, &names[0]);
    commit(s, &names[1], 1);
    store_close(s);
    file_load(shelf_file(*state, "pack-1"), &pack);
    s = shelf_open(*state, STORE_READ);
    for (size_t i = 0; i < LIST_BYTES; i += 97) {
        pack.data[i] ^= 1;
        file_save(shelf_file(*state, "pack-1"), bytes_view(&pack));
        bytes_clear(&b);
        assert_int_equal(store_get(s, &names[1], &b), TERN_ECORRUPT);
        pack.data[i] ^= 1;
    }
    file_save(shelf_file(*state, "pack-1"), bytes_view(&pack));
    is_the_list(s, names[1]);
    store_close(s);
    bytes_release(&pack);
    bytes_release(&b);
}

/* ---- Many at once ---- */

enum { MANY = 300 };

struct many {
    struct store_want wants[MANY + 1];
    uint8_t room[MANY][SHELF_PAGE_MAX];
    struct store_name last;
};

static struct many *want_many(void)
{
    static struct many m;

    for (uint32_t i = 0; i < MANY; i++) {
        uint8_t page[SHELF_PAGE_MAX];
        size_t size = page_bytes(i, page);

        m.wants[i] = (struct store_want){.size = (uint32_t)size, .to = m.room[i]};
        m.wants[i].name = page_name(i);
        memset(m.room[i], 0xee, SHELF_PAGE_MAX);
    }
    return &m;
}

static struct many *put_many(struct store *s)
{
    struct many *m = want_many();

    for (uint32_t i = 0; i < MANY; i++) {
        uint8_t page[SHELF_PAGE_MAX];
        size_t size = page_bytes(i, page);

        assert_int_equal(store_put(s, view_of(page, size), &m->wants[i].name, NULL), TERN_OK);
    }
    return m;
}

static void are_all_there(const struct many *m)
{
    for (uint32_t i = 0; i < MANY; i++) {
        uint8_t page[SHELF_PAGE_MAX];
        size_t size = page_bytes(i, page);

        assert_memory_equal(m->room[i], page, size);
        assert_int_equal(m->room[i][size], 0xee);
    }
}

static void many_at_once(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct store_name names[MANY];
    static uint8_t room[LIST_BYTES];
    struct many *m = put_many(s);

    for (uint32_t i = 0; i < MANY; i++)
        names[i] = m->wants[i].name;
    assert_int_equal(store_get_many(s, m->wants, MANY, NULL), TERN_OK); /* none is committed */
    are_all_there(m);
    commit(s, names, MANY);
    m = put_many(s);
    draw_list(8);
    m->last = put_list(s, NULL);
    change_list(1);
    m->last = put_list(s, &m->last);
    m->wants[MANY] = (struct store_want){.name = m->last, .size = sizeof room, .to = room};
    assert_int_equal(store_get_many(s, m->wants, MANY + 1, NULL), TERN_OK);
    are_all_there(m);
    assert_memory_equal(room, list, sizeof list);
    store_close(s);
    s = shelf_open(*state, STORE_READ);
    m = want_many();
    assert_int_equal(store_get_many(s, m->wants, MANY, NULL), TERN_OK);
    are_all_there(m);
    assert_int_equal(store_get_many(s, NULL, 0, NULL), TERN_OK);
    store_close(s);
}

/* One that is missing, of another size, or damaged: said which. */
static void many_and_one_bad(void **state)
{
    struct store *s = shelf_open(*state, STORE_CREATE);
    struct many *m = put_many(s);
    const struct store_want *bad = NULL;
    struct store_name names[MANY], wrong;
    struct bytes pack = {0};

    for (uint32_t i = 0; i < MANY; i++)
        names[i] = m->wants[i].name;
    commit(s, names, MANY);
    wrong = m->wants[17].name;
    m->wants[17].size++;
    assert_int_equal(store_get_many(s, m->wants, MANY, &bad), TERN_ECORRUPT);
    assert_memory_equal(&bad->name, &wrong, sizeof wrong);
    m = put_many(s);
    m->wants[18].name.bytes[5] ^= 1;
    wrong = m->wants[18].name;
    assert_int_equal(store_get_many(s, m->wants, MANY, &bad), TERN_ENOENT);
    assert_memory_equal(&bad->name, &wrong, sizeof wrong);
    file_load(shelf_file(*state, "pack-2"), &pack);
    pack.data[record_of(s, names[100]).offset] ^= 1; /* whichever lies there in pack 2 */
    file_save(shelf_file(*state, "pack-2"), bytes_view(&pack));
    m = put_many(s);
    assert_int_equal(store_get_many(s, m->wants, MANY, &bad), TERN_ECORRUPT);
    assert_int_equal(record_of(s, bad->name).pack, 2);
    bytes_release(&pack);
    store_close(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, shelf_setup, shelf_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(little_changed_takes_little_room),
        TEST(a_hint_does_no_harm),
        TEST(no_chain_forms),
        TEST(what_is_needed_stays),
        TEST(a_lost_base_heals),
        TEST(each_byte_of_a_base),
        TEST(many_at_once),
        TEST(many_and_one_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
