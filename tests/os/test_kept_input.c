/*
 * The file that keeps standard input: which one belongs to a checkpoint, what is refused.
 */
#include "folder.h"

#include "os/kept_input.h"
#include "os/sys.h"
#include "wire/input_head.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct problem problem;

static struct kept_input begun(const struct folder *f, uint64_t newest)
{
    struct kept_input k = {.fd = -1};

    assert_int_equal(kept_input_begin(folder_name(f, "."), newest, &k, &problem), TERN_OK);
    return k;
}

/* TERN_OK: found, and released again; its size. */
static enum tern_err find(const struct folder *f, uint64_t checkpoint, const struct state *s,
                          int64_t *size)
{
    struct kept_input k = {.fd = -1};
    enum tern_err err = kept_input_find(folder_name(f, "."), checkpoint, s, &k, &problem);
    struct stat st;

    if (err)
        return err;
    assert_int_equal(fstat(k.fd, &st), 0);
    *size = st.st_size - INPUT_HEAD_BYTES;
    kept_input_release(&k);
    return TERN_OK;
}

static bool exists(const struct folder *f, const char *name)
{
    return access(folder_name(f, name), F_OK) == 0;
}

static void each_run_has_its_own(void **state)
{
    const struct folder *f = *state;
    struct state s = {.input_bytes = 5};
    struct kept_input first, second;
    int64_t size;

    first = begun(f, 0);
    assert_int_equal(pwrite(first.fd, "0123456789", 10, INPUT_HEAD_BYTES), 10);
    kept_input_release(&first);
    second = begun(f, 3); /* another program, after three checkpoints of the first */
    kept_input_release(&second);
    assert_true(exists(f, "input-1") && exists(f, "input-4"));
    assert_int_equal(find(f, 3, &s, &size), TERN_OK); /* the other one never had a checkpoint */
    assert_int_equal(size, 10);
    assert_false(exists(f, "input-4"));
    second = begun(f, 3);
    kept_input_release(&second);
    assert_int_equal(find(f, 7, &(struct state){.phase = 1}, &size), TERN_OK);
    assert_int_equal(size, 0);
    assert_false(exists(f, "input-1"));
}

static void what_must_be_there(void **state)
{
    const struct folder *f = *state;
    struct state s = {.input_bytes = 0};
    struct kept_input k;
    int64_t size;

    assert_int_equal(find(f, 2, &s, &size), TERN_OK); /* nothing was read: nothing is missing */
    assert_true(exists(f, "input-2"));
    assert_int_equal(unlink(folder_name(f, "input-2")), 0);
    s.input_bytes = 100;
    assert_int_equal(find(f, 2, &s, &size), TERN_ENOENT);
    k = begun(f, 1);
    kept_input_release(&k);
    assert_int_equal(find(f, 2, &s, &size), TERN_OK); /* as after a power cut: it was passed */
    assert_int_equal(size, 100);
    s.input_kept = 1;
    assert_int_equal(find(f, 2, &s, &size), TERN_ECORRUPT);
    assert_non_null(strstr(problem.text, "lacks standard input"));
}

/* ---- Damage ---- */

static void sums_go_on_from_where_they_were(void **state)
{
    uint8_t some[100];
    uint64_t whole = INPUT_SUM_NONE;

    (void)state;
    for (size_t i = 0; i < sizeof some; i++) {
        some[i] = (uint8_t)(i * 29 + 7);
        whole = whole * INPUT_SUM_FACTOR + some[i];
    }
    for (size_t at = 0; at <= sizeof some; at++) {
        const uint64_t sum = input_sum(INPUT_SUM_NONE, view_of(some, at));

        assert_true(input_sum(sum, view_of(some + at, sizeof some - at)) == whole);
    }
}

static void a_head_with_a_wrong_bit_is_none(void **state)
{
    const struct input_head head = {.ended = true, .length = 12, .summed = 10, .sum = 1234567};
    uint8_t bytes[INPUT_MARK_BYTES];
    struct input_head again;

    (void)state;
    input_head_encode(&head, bytes);
    assert_true(input_head_decode(bytes, &again));
    assert_true(again.ended && again.length == 12 && again.summed == 10 && again.sum == 1234567);
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(input_head_decode(bytes, &again));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    memset(bytes + 16, 0, sizeof bytes - 16); /* of before there were sums */
    assert_true(input_head_decode(bytes, &again));
    assert_true(again.ended && again.length == 12 && again.summed == 0);
}

/* "0123456789", of which the program has been given 8, and a checkpoint passed 3. */
static struct state given(const struct folder *f)
{
    const struct input_head head = {.summed = 8,
                                    .sum = input_sum(INPUT_SUM_NONE, view_of_string("01234567"))};
    struct kept_input k = begun(f, 0);
    uint8_t bytes[INPUT_MARK_BYTES];

    input_head_encode(&head, bytes);
    assert_int_equal(pwrite(k.fd, bytes, sizeof bytes, 0), sizeof bytes);
    assert_int_equal(pwrite(k.fd, "0123456789", 10, INPUT_HEAD_BYTES), 10);
    kept_input_release(&k);
    return (struct state){.input_bytes = 3,
                          .input_sum = input_sum(INPUT_SUM_NONE, view_of_string("012"))};
}

static void put_byte(const struct folder *f, off_t at, char byte)
{
    const int fd = open(folder_name(f, "input-1"), O_WRONLY);

    assert_int_equal(pwrite(fd, &byte, 1, INPUT_HEAD_BYTES + at), 1);
    close(fd);
}

static void what_was_given_must_be_what_it_was(void **state)
{
    const struct folder *f = *state;
    struct state s = given(f);
    int64_t size;

    assert_int_equal(find(f, 1, &s, &size), TERN_OK);
    put_byte(f, 2, 'x'); /* passed */
    put_byte(f, 8, 'x'); /* never given */
    assert_int_equal(find(f, 1, &s, &size), TERN_OK);
    for (off_t at = 3; at < 8; at++) {
        put_byte(f, at, (char)('0' + at + 1));
        assert_int_equal(find(f, 1, &s, &size), TERN_ECORRUPT);
        assert_non_null(strstr(problem.text, "cut to 4099 bytes"));
        put_byte(f, at, (char)('0' + at));
    }
    assert_int_equal(find(f, 1, &s, &size), TERN_OK);
    assert_int_equal(size, 10);
}

/* Neither a checkpoint without a sum, nor a file that lost its end. */
static void what_is_not_known_is_not_refused(void **state)
{
    const struct folder *f = *state;
    struct state s = given(f), older = {.input_bytes = 3};
    int64_t size;

    put_byte(f, 5, 'x');
    assert_int_equal(find(f, 1, &s, &size), TERN_ECORRUPT);
    assert_int_equal(find(f, 1, &older, &size), TERN_OK);
    assert_int_equal(truncate(folder_name(f, "input-1"), INPUT_HEAD_BYTES + 3), 0);
    assert_int_equal(find(f, 1, &s, &size), TERN_OK);
    assert_int_equal(size, 3);
}

static void no_other_files(void **state)
{
    const struct folder *f = *state;
    const struct state s = {.input_bytes = 1};
    char victim[256];
    int64_t size;

    snprintf(victim, sizeof victim, "%s", folder_name(f, "victim"));
    close(open(victim, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(symlink(victim, folder_name(f, "input-1")), 0);
    assert_int_equal(find(f, 1, &s, &size), TERN_EIO);
    assert_int_equal(unlink(folder_name(f, "input-1")), 0);
    assert_int_equal(link(victim, folder_name(f, "input-1")), 0);
    assert_int_equal(find(f, 1, &s, &size), TERN_EIO);
    assert_int_equal(unlink(folder_name(f, "input-1")), 0);
    assert_int_equal(mkfifo(folder_name(f, "input-1"), 0600), 0);
    assert_int_equal(find(f, 1, &s, &size), TERN_EIO);
    assert_int_equal(unlink(folder_name(f, "input-1")), 0);
}

/* One checkpoint late, so that the one before could be used, too. */
static void what_was_passed_is_a_hole(void **state)
{
    static uint8_t much[1 << 20];
    struct kept_input k = begun(*state, 0);
    struct stat st;

    memset(much, 1, sizeof much);
    assert_int_equal(pwrite(k.fd, much, sizeof much, INPUT_HEAD_BYTES), sizeof much);
    kept_input_pass(&k, sizeof much / 2);
    assert_int_equal(pread(k.fd, much, 1, INPUT_HEAD_BYTES), 1);
    assert_int_equal(much[0], 1);
    kept_input_pass(&k, sizeof much);
    assert_int_equal(pread(k.fd, much, 1, INPUT_HEAD_BYTES), 1);
    assert_int_equal(much[0], 0);
    assert_int_equal(pread(k.fd, much, 1, INPUT_HEAD_BYTES + sizeof much / 2), 1);
    assert_int_equal(much[0], 1);
    assert_int_equal(fstat(k.fd, &st), 0);
    assert_int_equal(st.st_size, INPUT_HEAD_BYTES + sizeof much);
    kept_input_release(&k);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_run_has_its_own),
        TEST(what_must_be_there),
        TEST(sums_go_on_from_where_they_were),
        TEST(a_head_with_a_wrong_bit_is_none),
        TEST(what_was_given_must_be_what_it_was),
        TEST(what_is_not_known_is_not_refused),
        TEST(no_other_files),
        TEST(what_was_passed_is_a_hole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
