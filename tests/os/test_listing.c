/* listing: every entry once, in an order that no file system has a say in. */
#include "runner/listing.h"

#include "world.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 20 * LISTING_MAX, FEW = 100 };
enum { BUFFER = 16384, BUFFER_BYTES = 512, USED = 256 };

static uint8_t seen[MANY];

static void create(const char *dir, int i)
{
    char path[64];
    int fd;

    snprintf(path, sizeof path, "%s/entry.%d", dir, i);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    close(fd);
}

static void remove_entry(const char *dir, int i)
{
    char path[64];

    snprintf(path, sizeof path, "%s/entry.%d", dir, i);
    assert_int_equal(unlink(path), 0);
}

static int number_of(const char *name)
{
    return strncmp(name, "entry.", 6) == 0 ? atoi(name + 6) : -1;
}

/* ---- The order ---- */

static void test_large(void **state)
{
    uint64_t after = 0;
    bool complete = false;
    uint32_t total = 0;
    int fd = open("data", O_RDONLY | O_DIRECTORY);

    (void)state;
    for (int i = 0; i < MANY; i++)
        create("data", i);
    memset(seen, 0, sizeof seen);
    while (!complete) {
        assert_int_equal(listing_read(fd, after, &complete), 0);
        assert_true(listing_count() > 0 && listing_count() <= LISTING_MAX);
        for (uint32_t i = 0; i < listing_count(); i++) {
            const struct listing_entry *e = listing_entry(i);
            int n = number_of(listing_name(e));

            assert_true(e->cookie > after && e->cookie <= INT64_MAX);
            assert_int_equal(e->size, strlen(listing_name(e)));
            after = e->cookie;
            total++;
            if (n >= 0)
                seen[n]++;
        }
    }
    assert_int_equal(total, MANY + 2);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(seen[i], 1);
    close(fd);
}

/* The cookies of what was read; that of the last. */
static uint64_t note(uint64_t cookies[FEW], bool first)
{
    for (uint32_t i = 0; i < listing_count(); i++) {
        int n = number_of(listing_name(listing_entry(i)));

        if (n >= 0 && n < FEW && first)
            cookies[n] = listing_entry(i)->cookie;
        else if (n >= 0 && n < FEW)
            assert_int_equal(cookies[n], listing_entry(i)->cookie);
    }
    return listing_entry(listing_count() - 1)->cookie;
}

/* Made in another order, with others in between, in another directory. */
static void test_same_everywhere(void **state)
{
    uint64_t cookies[FEW] = {0}, after, last;
    const char *const dirs[] = {"data", "lent"};

    (void)state;
    for (int i = 0; i < FEW; i++)
        create("data", i);
    for (int i = 2 * FEW; i-- > 0;)
        create("lent", i);
    for (int k = 0; k < 2; k++) {
        int fd = open(dirs[k], O_RDONLY | O_DIRECTORY);
        bool complete = false;

        for (after = 0; !complete; after = last) {
            assert_int_equal(listing_read(fd, after, &complete), 0);
            assert_true(after > 0 || strcmp(listing_name(listing_entry(0)), ".") == 0);
            assert_true(after > 0 || strcmp(listing_name(listing_entry(1)), "..") == 0);
            last = note(cookies, k == 0);
        }
        close(fd);
    }
}

/* ---- A program in the middle of a directory ---- */

static uint64_t cookie;
static uint32_t dir;

/* Counts whole entries in seen[]; false at the end. At most `max`, as if the rest did not fit. */
static bool read_some(struct host *h, int max)
{
    const union tern_cell a[] = {
        {.i32 = dir}, {.i32 = BUFFER}, {.i32 = BUFFER_BYTES}, {.i64 = cookie}, {.i32 = USED}};
    const uint8_t *at = h->memory->base + BUFFER;
    uint32_t left;

    assert_int_equal(wasi_fd_readdir(h, a), WASI_E_SUCCESS);
    left = guest_load32(h->memory->base + USED);
    for (const bool more = left == BUFFER_BYTES;; max--) {
        char name[32] = "";
        uint32_t size = left < DIRENT_BYTES ? 0 : guest_load32(at + 16);

        if (max == 0 || left < DIRENT_BYTES || left - DIRENT_BYTES < size)
            return more || max == 0;
        assert_true(size < sizeof name);
        memcpy(name, at + DIRENT_BYTES, size);
        if (number_of(name) >= 0)
            seen[number_of(name)]++;
        cookie = guest_load64(at);
        at += DIRENT_BYTES + size;
        left -= DIRENT_BYTES + size;
    }
}

static void read_the_rest(struct host *h)
{
    while (read_some(h, -1))
        ;
    for (int i = 0; i < FEW; i++)
        assert_int_equal(seen[i], 1);
}

/* Meanwhile what it has had is removed, other entries come, and it goes on in another process. */
static void test_goes_on(void **state)
{
    (void)state;
    memset(seen, 0, sizeof seen);
    cookie = 0;
    assert_int_equal(mkdir("data/dir", 0755), 0);
    for (int i = 0; i < FEW; i++)
        create("data/dir", i);
    dir = open_in(&world, DATA, "dir", OFLAG_DIRECTORY, WORLD_RIGHTS, 0);
    for (int i = 0; i < 3; i++)
        assert_true(read_some(&world, 7));
    for (int i = 0; i < FEW; i++) {
        create("data/dir", FEW + i);
        if (seen[i])
            remove_entry("data/dir", i);
    }
    assert_null(world_save());
    assert_null(world_again(read_the_rest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_large, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_same_everywhere, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_goes_on, world_set_up, world_tear_down),
    };

    return cmocka_run_group_tests_name("listing", tests, NULL, NULL);
}
