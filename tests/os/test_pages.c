/*
 * What pages.h stores is what the memory held at the stop, whatever is written before, meanwhile
 * and after; with the kernel's help where it is to be had, and by comparing.
 */
#include "folder.h"

#include "image/image.h"
#include "os/checkpoint.h"
#include "os/pages.h"
#include "os/sys.h"
#include "rt/track.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

enum { PAGES = 3 * IMAGE_LIST_PAGES - 16, BYTES = IMAGE_PAGE_BYTES, ROUNDS = 40 };

struct bench {
    struct store *store;
    struct pages *pages;
    uint8_t *at;       /* the program's mapping */
    uint8_t *snapshot; /* as it was at the stop */
    int memory, tracker;
    uint64_t drawn;
};

/* In place of libc's: each looks through all that the memfd has behind it. */
static unsigned seeks;

off_t lseek(int fd, off_t offset, int whence)
{
    seeks++;
    return syscall(SYS_lseek, fd, offset, whence);
}

static uint32_t draw(struct bench *b, uint32_t below)
{
    b->drawn = b->drawn * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(b->drawn >> 33) % below;
}

static void open_bench(struct bench *b, const struct folder *f, bool track)
{
    struct dirty d;

    *b = (struct bench){.tracker = -1, .drawn = 42};
    assert_int_equal(store_open(folder_name(f, "store"), true, &b->store, NULL), TERN_OK);
    b->memory = sys_memfd("memory");
    assert_int_equal(sys_ftruncate(b->memory, (off_t)PAGES * BYTES), 0);
    b->at = sys_map(b->memory, (size_t)PAGES * BYTES, PROT_READ | PROT_WRITE);
    b->snapshot = calloc(PAGES, BYTES);
    assert_non_null(b->at);
    assert_non_null(b->snapshot);
    assert_int_equal(pages_new(b->memory, PAGES, &b->pages), TERN_OK);
    if (!track)
        return;
    b->tracker = track_writes(b->at, (size_t)PAGES * BYTES);
    if (b->tracker >= 0 && dirty_open(&d, getpid(), (uintptr_t)b->at))
        pages_track(b->pages, &d);
}

static void close_bench(struct bench *b)
{
    pages_free(b->pages);
    store_close(b->store);
    sys_unmap(b->at, (size_t)PAGES * BYTES);
    free(b->snapshot);
    sys_close(b->memory);
    if (b->tracker >= 0)
        sys_close(b->tracker);
}

/* Some pages, a whole stretch of them, some back to zeros, some with what they held already. */
static void scribble(struct bench *b, size_t count)
{
    const size_t page = draw(b, (uint32_t)count);
    const uint32_t kind = draw(b, 8);
    size_t length = kind < 6 ? 1 : draw(b, 1500);

    for (size_t i = page; i < page + length && i < count; i++) {
        uint8_t *to = b->at + i * BYTES;

        if (kind == 4 || kind == 7)
            memset(to, 0, BYTES);
        else if (kind == 5)
            *(volatile uint8_t *)to = *to;
        else
            memcpy(to + draw(b, BYTES - 8), &b->drawn, 8);
    }
}

static void scribble_some(struct bench *b, size_t count, uint32_t most)
{
    for (uint32_t i = draw(b, most + 1); i > 0; i--)
        scribble(b, count);
}

static void compare_list(struct bench *b, const uint8_t *name, size_t first, size_t count)
{
    static const uint8_t zeros[BYTES];
    struct bytes list = {0};

    if (memcmp(name, zeros, STORE_NAME_BYTES) != 0)
        assert_int_equal(checkpoint_get(b->store, name, IMAGE_LIST_BYTES, &list), TERN_OK);
    for (size_t i = 0; i < IMAGE_LIST_PAGES; i++) {
        const uint8_t *is = list.data ? list.data + i * STORE_NAME_BYTES : zeros;
        const uint8_t *was = i < count ? b->snapshot + (first + i) * BYTES : zeros;
        struct store_name wanted = store_name_of(view_of(was, BYTES));

        if (memcmp(was, zeros, BYTES) == 0)
            memset(&wanted, 0, sizeof wanted);
        assert_memory_equal(is, &wanted, sizeof wanted);
        if (memcmp(was, zeros, BYTES) != 0)
            assert_true(store_has(b->store, &wanted));
    }
    bytes_release(&list);
}

static void compare(struct bench *b, size_t count)
{
    struct view lists = pages_lists(b->pages);
    size_t used = 0;

    assert_int_equal(lists.size,
                     (count + IMAGE_LIST_PAGES - 1) / IMAGE_LIST_PAGES * STORE_NAME_BYTES);
    for (size_t first = 0; first < count; first += IMAGE_LIST_PAGES)
        compare_list(b, lists.data + first / IMAGE_LIST_PAGES * STORE_NAME_BYTES, first,
                     count - first < IMAGE_LIST_PAGES ? count - first : IMAGE_LIST_PAGES);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *page = b->snapshot + i * BYTES;

        used += page[0] != 0 || memcmp(page, page + 1, BYTES - 1) != 0;
    }
    assert_int_equal(pages_count(b->pages).used, used);
}

static void one_checkpoint(struct bench *b, size_t count)
{
    bool still = draw(b, 4) == 0;
    struct problem p;

    scribble_some(b, count, 12);
    if (draw(b, 3) > 0)
        assert_int_equal(pages_ahead(b->pages, b->store, &p), TERN_OK);
    scribble_some(b, count, 12);
    pages_copy(b->pages, count, &still);
    memcpy(b->snapshot, b->at, (size_t)PAGES * BYTES);
    if (!still)
        scribble_some(b, count, 12);
    assert_int_equal(pages_put(b->pages, b->store, &p), TERN_OK);
    compare(b, count);
}

static void run_rounds(const struct folder *f, bool track)
{
    struct bench b;
    size_t count = 16;

    open_bench(&b, f, track);
    for (int i = 0; i < ROUNDS; i++) {
        one_checkpoint(&b, count);
        if (draw(&b, 4) == 0)
            count += draw(&b, (uint32_t)(PAGES - count + 1));
    }
    close_bench(&b);
}

static void with_the_kernels_help(void **state)
{
    run_rounds(*state, true);
}

static void by_comparing(void **state)
{
    run_rounds(*state, false);
}

static void what_failed_is_stored_by_the_next(void **state)
{
    bool still = false;
    struct problem p;
    struct bench b;

    open_bench(&b, *state, true);
    one_checkpoint(&b, PAGES);
    for (int i = 0; i < 6; i++) {
        b.at[(size_t)draw(&b, PAGES) * BYTES] ^= 1;
        pages_copy(b.pages, PAGES, &still);
        b.at[(size_t)draw(&b, PAGES) * BYTES] ^= 2;
        pages_give_up(b.pages);
        assert_int_equal(pages_put(b.pages, b.store, &p), TERN_EBUSY);
        pages_forget(b.pages);
        one_checkpoint(&b, PAGES);
    }
    close_bench(&b);
}

/* Names come from a checkpoint: only what is written from then on is stored. */
static void going_on_from_a_checkpoint(void **state)
{
    bool still = false;
    struct pages *again;
    struct problem p;
    struct bench b;
    struct view lists;
    struct dirty d;

    open_bench(&b, *state, true);
    one_checkpoint(&b, PAGES);
    assert_int_equal(pages_new(b.memory, PAGES, &again), TERN_OK);
    lists = pages_lists(b.pages);
    for (size_t first = 0; first < PAGES; first += IMAGE_LIST_PAGES) {
        const uint8_t *name = lists.data + first / IMAGE_LIST_PAGES * STORE_NAME_BYTES;
        struct bytes list = {0};

        if (checkpoint_get(b.store, name, IMAGE_LIST_BYTES, &list) == TERN_OK)
            pages_loaded(again, first, list.data,
                         PAGES - first < IMAGE_LIST_PAGES ? PAGES - first : IMAGE_LIST_PAGES, name);
        bytes_release(&list);
    }
    pages_free(b.pages);
    b.pages = again;
    memcpy(b.at, b.snapshot, (size_t)PAGES * BYTES);
    if (b.tracker >= 0 && track_arm(b.tracker, b.at, (size_t)PAGES * BYTES) == 0 &&
        dirty_open(&d, getpid(), (uintptr_t)b.at))
        pages_track(again, &d);
    b.at[5 * BYTES] ^= 1;
    pages_copy(again, PAGES, &still);
    memcpy(b.snapshot, b.at, (size_t)PAGES * BYTES);
    assert_int_equal(pages_put(again, b.store, &p), TERN_OK);
    compare(&b, PAGES);
    if (pages_tracked(again))
        assert_int_equal(pages_count(again).copied, 1);
    close_bench(&b);
}

/* Much was zeros at the checkpoint and was touched since, as a program's own reads of it do. */
static void pages_here_and_there_are_found_in_one_go(void **state)
{
    bool still = true;
    struct problem p;
    struct bench b;

    open_bench(&b, *state, true);
    for (size_t i = 0; i < PAGES; i++)
        b.at[i * BYTES] = 0;
    if (b.tracker >= 0)
        assert_int_equal(track_arm(b.tracker, b.at, (size_t)PAGES * BYTES), 0);
    for (size_t i = 0; i < PAGES; i += 2)
        b.at[i * BYTES] = 1;
    seeks = 0;
    pages_copy(b.pages, PAGES, &still);
    assert_in_range(seeks, 0, 4);
    memcpy(b.snapshot, b.at, (size_t)PAGES * BYTES);
    assert_int_equal(pages_put(b.pages, b.store, &p), TERN_OK);
    compare(&b, PAGES);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(with_the_kernels_help, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(by_comparing, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(what_failed_is_stored_by_the_next, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(going_on_from_a_checkpoint, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(pages_here_and_there_are_found_in_one_go, folder_setup,
                                        folder_teardown),
    };

    return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
