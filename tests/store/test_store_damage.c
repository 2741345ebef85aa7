/*
 * Damaged files: whatever stands in packs and index, the store says so or gives the right bytes.
 */
#include "shelf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct checkpoint kept = {.count = 10,
                                       .page = {0, 3, 5, 10, 300, 301, 302, 303, 304, 305}};

/* A store with this checkpoint as its newest, made by several commits. */
static void make(const struct shelf *shelf, unsigned commits)
{
    struct store *s = shelf_open(shelf, STORE_CREATE);
    struct checkpoint c;
    uint64_t seed = 9;

    for (unsigned i = 1; i < commits; i++) {
        checkpoint_draw(&c, &seed, 20);
        assert_int_equal(shelf_commit(s, &c, 2, NULL), TERN_OK);
    }
    assert_int_equal(shelf_commit(s, &kept, 1, NULL), TERN_OK);
    store_close(s);
}

/* Each page of the checkpoint: the right bytes, or an error. How many are damaged. */
static unsigned count_damaged(struct store *s)
{
    struct bytes b = {0};
    unsigned damaged = 0;

    for (unsigned i = 0; i < kept.count; i++) {
        struct store_name name = page_name(kept.page[i]);
        uint8_t page[SHELF_PAGE_MAX];
        enum tern_err err;

        bytes_clear(&b);
        err = store_get(s, &name, &b);
        if (err) {
            assert_true(err == TERN_ECORRUPT || err == TERN_EIO || err == TERN_ENOENT);
            assert_int_equal(b.size, 0);
            damaged++;
        } else {
            assert_true(view_equal(bytes_view(&b), view_of(page, page_bytes(kept.page[i], page))));
        }
    }
    bytes_release(&b);
    return damaged;
}

/* The root of the kept checkpoint may be whole, or not: then the error says that it is damage. */
static bool root_is_whole(struct store *s)
{
    enum tern_err err = shelf_compare(s, 0, &kept);

    assert_true(err == TERN_OK || err == TERN_ECORRUPT || err == TERN_EIO);
    return err == TERN_OK;
}

static const char *the_pack(const struct shelf *shelf)
{
    static char path[SHELF_PATH_BYTES + 64];
    char name[PACK_NAME_BYTES];

    for (uint64_t n = 1; n < 100; n++) {
        pack_name(n, name);
        snprintf(path, sizeof path, "%s", shelf_file(shelf, name));
        if (access(path, R_OK) == 0)
            return path;
    }
    fail_msg("no pack");
    return NULL;
}

static void each_byte_of_a_pack(void **state)
{
    struct bytes pack = {0};
    const char *path;
    struct store *s;

    make(*state, 1);
    path = the_pack(*state);
    file_load(path, &pack);
    assert_true(pack.size > 1000);
    for (size_t i = 0; i < pack.size; i++) {
        pack.data[i] ^= (uint8_t)(1U << i % 8);
        file_save(path, bytes_view(&pack));
        s = shelf_open(*state, STORE_READ);
        assert_false(root_is_whole(s)); /* all of the pack is beneath the root */
        assert_true(count_damaged(s) <= 1);
        store_close(s);
        pack.data[i] ^= (uint8_t)(1U << i % 8);
    }
    file_save(path, bytes_view(&pack));
    s = shelf_open(*state, STORE_READ);
    assert_true(root_is_whole(s));
    store_close(s);
    bytes_release(&pack);
}

/* A pack that has become shorter is noticed, and what is put again is whole again. */
static void truncated_packs(void **state)
{
    struct bytes pack = {0}, index = {0};
    const char *path;

    make(*state, 1);
    path = the_pack(*state);
    file_load(path, &pack);
    file_load(shelf_file(*state, "index"), &index);
    for (size_t size = 0; size < pack.size; size += 1 + size / 7) {
        struct store *s;
        struct problem p = {0};

        file_save(shelf_file(*state, "index"), bytes_view(&index));
        file_save(path, view_of(pack.data, size));
        s = shelf_open(*state, STORE_WRITE);
        assert_false(root_is_whole(s));
        if (shelf_commit(s, &kept, 1, &p))
            fail_msg("%s", p.text);
        assert_true(root_is_whole(s));
        assert_int_equal(count_damaged(s), 0);
        store_close(s);
        s = shelf_open(*state, STORE_READ);
        assert_true(root_is_whole(s));
        store_close(s);
        shelf_empty(((struct shelf *)*state)->store);
        make(*state, 1);
        path = the_pack(*state);
    }
    bytes_release(&pack);
    bytes_release(&index);
}

static void a_missing_pack(void **state)
{
    struct store *s;

    make(*state, 1);
    assert_int_equal(unlink(the_pack(*state)), 0);
    s = shelf_open(*state, STORE_WRITE);
    assert_false(root_is_whole(s));
    assert_int_equal(shelf_commit(s, &kept, 1, NULL), TERN_OK);
    assert_true(root_is_whole(s));
    store_close(s);
}

/* Opens what is there now and uses it. Whether the checkpoint is there and whole. */
static bool use(const struct shelf *shelf, enum store_mode mode)
{
    struct store_setup setup = shelf_small();
    struct problem p = {0};
    struct store *s = NULL;
    enum tern_err err = store_open_with(shelf->store, mode, &setup, &s, &p);
    struct store_usage usage;
    struct store_root root;
    bool whole;

    if (err) {
        assert_true(err == TERN_ECORRUPT || err == TERN_EIO || err == TERN_ENOMEM);
        assert_true(strlen(p.text) > 10);
        return false;
    }
    count_damaged(s);
    whole = store_root(s, 0, &root) == TERN_OK && shelf_compare(s, 0, &kept) == TERN_OK;
    err = store_usage(s, &usage);
    assert_true(err == TERN_OK || err == TERN_ECORRUPT || err == TERN_EIO);
    if (mode != STORE_READ) {
        struct checkpoint more = {.count = 20};
        uint64_t seed = 77;

        checkpoint_draw(&more, &seed, 20);
        if (shelf_commit(s, &more, 2, &p) == TERN_OK)
            assert_int_equal(shelf_compare(s, 0, &more), TERN_OK);
    }
    store_close(s);
    return whole;
}

/* Reading with each byte of the index changed that means something. */
static void each_byte_of_the_index(void **state)
{
    struct bytes index = {0};
    const struct shelf *shelf = *state;
    char path[SHELF_PATH_BYTES + 64];
    unsigned refused = 0;
    uint64_t seed = 21;

    make(shelf, 6);
    snprintf(path, sizeof path, "%s", shelf_file(shelf, "index"));
    file_load(path, &index);
    for (size_t i = 0; i < index.size; i++) {
        uint8_t change = (uint8_t)(1 + draw_below(&seed, 255));

        if (index.data[i] == 0 && i % 16) /* of the many that are never looked at: a few */
            continue;
        index.data[i] ^= change;
        file_save(path, bytes_view(&index));
        refused += !use(shelf, STORE_READ);
        index.data[i] ^= change;
    }
    assert_true(refused > 200);
    file_save(path, bytes_view(&index));
    assert_true(use(shelf, STORE_READ));
    bytes_release(&index);
}

/* A page, or a field of eight bytes, is overwritten: by what stands elsewhere, or by anything. */
static void scramble(struct bytes *index, uint64_t *seed)
{
    size_t size = draw_below(seed, 2) ? 8 : draw_below(seed, 2) ? 4096 : 1 + draw_below(seed, 64);
    size_t to = draw_below(seed, (uint32_t)(index->size - size));
    size_t from = draw_below(seed, (uint32_t)(index->size - size));

    if (draw_below(seed, 2)) {
        to &= ~(size_t)7;
        from &= ~(size_t)7;
    }
    if (size == 4096) {
        to &= ~(size_t)4095;
        from &= ~(size_t)4095;
    }
    if (draw_below(seed, 2))
        memmove(index->data + to, index->data + from, size);
    else
        for (size_t i = 0; i < size; i++)
            index->data[to + i] = draw_below(seed, 3) ? (uint8_t)draw(seed) : 0xff;
}

static void a_scrambled_index(void **state)
{
    struct bytes index = {0}, now = {0};
    const struct shelf *shelf = *state;
    uint64_t seed = 31;
    unsigned whole = 0, rounds = 1500;

    for (unsigned round = 0; round < rounds; round++) {
        if (round % 10 == 0) { /* writing changes the packs: now and then all of it anew */
            shelf_empty(shelf->store);
            make(shelf, 3 + round % 4);
            bytes_clear(&index);
            file_load(shelf_file(shelf, "index"), &index);
        }
        bytes_clear(&now);
        bytes_append(&now, index.data, index.size);
        for (unsigned times = 1 + draw_below(&seed, 3); times-- > 0;)
            scramble(&now, &seed);
        if (draw_below(&seed, 8) == 0)
            now.size = draw_below(&seed, (uint32_t)now.size);
        file_save(shelf_file(shelf, "index"), bytes_view(&now));
        whole += use(shelf, round % 2 ? STORE_WRITE : STORE_READ);
    }
    assert_true(whole < rounds);
    bytes_release(&index);
    bytes_release(&now);
}

/* With pages used before, so that the list of free pages is checked, too, in a larger tree. */
static void a_deep_index_is_accepted(void **state)
{
    const struct shelf *shelf = *state;
    struct store *s = shelf_open(shelf, STORE_CREATE);
    struct store_name name;

    for (uint32_t round = 0; round < 12; round++) {
        s->limits.look_commits = round % 3 == 2 ? 1 : 1000;
        s->limits.look_bytes = round % 3 == 2 ? 0 : 1 << 30;
        for (uint32_t i = 0; i < 3000; i++) {
            uint32_t key[2] = {round, i};

            assert_int_equal(store_put(s, view_of(key, sizeof key), &name, NULL), TERN_OK);
        }
        assert_int_equal(shelf_commit(s, &kept, 2, NULL), TERN_OK);
        store_close(s);
        s = shelf_open(shelf, STORE_READ);
        assert_true(root_is_whole(s));
        store_close(s);
        s = shelf_open(shelf, STORE_WRITE);
        assert_true(root_is_whole(s));
    }
    store_close(s);
}

enum { PAGE = 4096, HEADER = 16 };

static uint16_t u16(const uint8_t *at)
{
    uint16_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

/* The first node of a page, if the page is of this kind (1 branch, 2 leaf) and its keys that long.
 */
static uint8_t *first_node(struct bytes *index, size_t page, unsigned kind, unsigned key_bytes)
{
    uint8_t *at = index->data + page;
    uint8_t *node = at + u16(at + HEADER) % (PAGE - 8);

    if (u16(at + 10) != kind || u16(at + 12) <= HEADER + (kind == 1 ? 2 : 0))
        return NULL;
    if (kind == 1)
        node = at + u16(at + HEADER + 2) % (PAGE - 8);
    return u16(node + 6) == key_bytes ? node : NULL;
}

/* A page that is in use stands in the list of free ones: writing would overwrite it. */
static void a_page_free_and_in_use(void **state)
{
    const struct shelf *shelf = *state;
    struct bytes index = {0};
    unsigned refused = 0;

    make(shelf, 6);
    file_load(shelf_file(shelf, "index"), &index);
    for (size_t page = 2 * PAGE; page + PAGE <= index.size; page += PAGE) {
        uint8_t *node = first_node(&index, page, 2, 8);
        uint64_t count, smallest, was;

        if (!node)
            continue;
        memcpy(&count, node + 16, sizeof count);
        assert_true(count > 0 && count < 100);
        memcpy(&was, node + 16 + 8 * count, sizeof was);
        smallest = count > 1 ? 0 : index.size / PAGE;
        if (count > 1)
            memcpy(&smallest, node + 8 + 8 * count, sizeof smallest);
        for (uint64_t other = 2; other < smallest; other++) {
            if (other == was)
                continue;
            memcpy(node + 16 + 8 * count, &other, sizeof other);
            file_save(shelf_file(shelf, "index"), bytes_view(&index));
            refused += !use(shelf, STORE_READ) || !use(shelf, STORE_WRITE);
            shelf_empty(shelf->store);
            make(shelf, 6);
        }
        memcpy(node + 16 + 8 * count, &was, sizeof was);
    }
    assert_true(refused > 3);
    bytes_release(&index);
}

static void many(const struct shelf *shelf, uint32_t count)
{
    struct store *s = shelf_open(shelf, STORE_CREATE);
    struct store_name name;

    s->limits.look_commits = 1000;
    s->limits.look_bytes = 1 << 30;
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(store_put(s, view_of(&i, sizeof i), &name, NULL), TERN_OK);
    assert_int_equal(shelf_commit(s, &kept, 1, NULL), TERN_OK);
    store_close(s);
}

/* With a wrong signpost some chunks would not be found, as if they had never been put. */
static void signposts_of_the_index(void **state)
{
    enum { MANY = 400 };
    const struct shelf *shelf = *state;
    struct store_setup setup = shelf_small();
    struct bytes index = {0};
    unsigned refused = 0;

    many(shelf, MANY);
    file_load(shelf_file(shelf, "index"), &index);
    for (size_t page = 2 * PAGE; page + PAGE <= index.size; page += PAGE) {
        uint8_t *node = first_node(&index, page, 1, 33);

        for (unsigned i = 8; node && i < 8 + 33; i++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                struct store *s = NULL;

                node[i] ^= (uint8_t)(1U << bit);
                file_save(shelf_file(shelf, "index"), bytes_view(&index));
                node[i] ^= (uint8_t)(1U << bit);
                if (store_open_with(shelf->store, STORE_READ, &setup, &s, NULL)) {
                    refused++;
                    continue;
                }
                for (uint32_t k = 0; k < MANY; k++) {
                    struct store_name name = store_name_of(view_of(&k, sizeof k));

                    assert_true(store_has(s, &name));
                }
                store_close(s);
            }
        }
    }
    assert_true(refused > 8);
    bytes_release(&index);
}

/* The files that only say who is there hold nothing that counts. */
static void damaged_lock_files(void **state)
{
    static const char *const names[] = {"index-lock", "lock"};
    uint8_t garbage[9000];
    uint64_t seed = 41;

    make(*state, 2);
    for (unsigned round = 0; round < 40; round++) {
        size_t size = draw_below(&seed, sizeof garbage);
        struct store *s;

        for (size_t i = 0; i < size; i++)
            garbage[i] = (uint8_t)draw(&seed);
        file_save(shelf_file(*state, names[round % 2]), view_of(garbage, size));
        s = shelf_open(*state, round % 4 < 2 ? STORE_READ : STORE_WRITE);
        assert_true(root_is_whole(s));
        store_close(s);
    }
}

/* A power cut at the very beginning: nothing was committed, so nothing is in the way of beginning.
 */
static void a_half_made_store_is_made_again(void **state)
{
    static const uint8_t zeros[8192];
    const struct shelf *shelf = *state;
    struct store *s;

    for (size_t size = 0; size <= sizeof zeros; size += 4096) {
        s = shelf_open(shelf, STORE_CREATE);
        store_close(s);
        file_save(shelf_file(shelf, "index"), view_of(zeros, size));
        s = shelf_open(shelf, STORE_CREATE);
        assert_int_equal(shelf_commit(s, &kept, 1, NULL), TERN_OK);
        store_close(s);
        s = shelf_open(shelf, STORE_READ);
        assert_true(root_is_whole(s));
        store_close(s);
        shelf_empty(shelf->store);
    }
}

/* The head as a machine of the other byte order writes it. */
static void a_foreign_index(void **state)
{
    struct store_setup setup = shelf_small();
    struct problem p = {0};
    struct bytes index = {0};
    struct store *s = NULL;
    char path[SHELF_PATH_BYTES + 64];

    make(*state, 2);
    snprintf(path, sizeof path, "%s", shelf_file(*state, "index"));
    file_load(path, &index);
    for (size_t at = HEADER; at <= PAGE + HEADER; at += PAGE) {
        uint32_t magic;

        memcpy(&magic, index.data + at, sizeof magic);
        magic = __builtin_bswap32(magic);
        memcpy(index.data + at, &magic, sizeof magic);
    }
    file_save(path, bytes_view(&index));
    assert_int_equal(store_open_with(((struct shelf *)*state)->store, STORE_READ, &setup, &s, &p),
                     TERN_ECORRUPT);
    assert_non_null(strstr(p.text, "other byte order"));
    bytes_release(&index);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, shelf_setup, shelf_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_foreign_index),
        TEST(each_byte_of_a_pack),
        TEST(truncated_packs),
        TEST(a_missing_pack),
        TEST(each_byte_of_the_index),
        TEST(a_scrambled_index),
        TEST(a_deep_index_is_accepted),
        TEST(a_page_free_and_in_use),
        TEST(signposts_of_the_index),
        TEST(damaged_lock_files),
        TEST(a_half_made_store_is_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
