/* Output as a reader is shown it: each byte once, whatever comes again, or otherwise. */
#include "drive/output.h"

#include "base/prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct output_piece take(struct output *o, uint64_t offset, const char *text)
{
    return output_take(o, offset, view_of_string(text));
}

static void shows(struct output_piece piece, uint64_t at, const char *text)
{
    assert_false(piece.gap);
    assert_int_equal(piece.at, at);
    assert_int_equal(piece.bytes.size, strlen(text));
    assert_memory_equal(piece.bytes.data, text, strlen(text));
}

static void test_what_comes_again_is_shown_once(void **state)
{
    struct output o;

    (void)state;
    output_init(&o, 0);
    shows(take(&o, 0, "hello "), 0, "hello ");
    assert_int_equal(take(&o, 0, "hel").bytes.size, 0);
    shows(take(&o, 3, "lo world"), 6, "world");
    assert_false(take(&o, 0, "hello world").differs);
    assert_int_equal(o.shown, 11);
    output_release(&o);
}

static void test_what_comes_otherwise_is_told(void **state)
{
    struct output_piece piece;
    struct output o;

    (void)state;
    output_init(&o, 0);
    take(&o, 0, "count 1\ncount 2\ncount 3\n");
    piece = take(&o, 8, "count 2\ncount 4\n");
    assert_true(piece.differs);
    shows(piece, 22, "4\n");
    piece = output_end(&o, 10);
    assert_true(piece.differs);
    assert_int_equal(piece.at, 10);
    assert_int_equal(o.shown, 10);
    output_release(&o);
}

static void test_a_gap_is_not_stepped_over(void **state)
{
    struct output o;

    (void)state;
    output_init(&o, 100);
    assert_true(take(&o, 101, "x").gap);
    assert_int_equal(o.shown, 100);
    shows(take(&o, 99, "ab"), 100, "b"); /* what it was shown before it began is not compared */
    assert_true(output_end(&o, 102).gap);
    output_release(&o);
}

/* Pieces of one text in any order and overlap give that text, without a word of difference. */
static void test_any_pieces_give_the_whole(void **state)
{
    enum { SIZE = 3 << 20 };
    static uint8_t text[SIZE], got[SIZE];
    struct prng dice;
    struct output o;

    (void)state;
    prng_seed(&dice, 5, "pieces");
    for (size_t i = 0; i < SIZE; i++)
        text[i] = (uint8_t)(i * 2654435761u >> 13);
    output_init(&o, 0);
    while (o.shown < SIZE) {
        const uint64_t back = prng_below(&dice, 2 << 20), size = prng_below(&dice, 1 << 19) + 1;
        const uint64_t from = o.shown > back ? o.shown - back : 0;
        const size_t n = (size_t)(from + size > SIZE ? SIZE - from : size);
        struct output_piece piece = output_take(&o, from, view_of(text + from, n));

        assert_false(piece.gap || piece.differs);
        if (piece.bytes.size)
            memcpy(got + piece.at, piece.bytes.data, piece.bytes.size);
    }
    assert_memory_equal(got, text, SIZE);
    assert_true(o.recent.size <= 2 * OUTPUT_RECENT_MAX);
    output_release(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_comes_again_is_shown_once),
        cmocka_unit_test(test_what_comes_otherwise_is_told),
        cmocka_unit_test(test_a_gap_is_not_stepped_over),
        cmocka_unit_test(test_any_pieces_give_the_whole),
    };

    return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
