/* prng: the published stream, streams apart, and draws within their bounds. */
#include "base/prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Of the authors' reference code with the state 1, 2, 3, 4. */
static void test_published(void **unused)
{
    static const uint64_t published[] = {11520,
                                         0,
                                         1509978240,
                                         UINT64_C(1215971899390074240),
                                         UINT64_C(1216172134540287360),
                                         UINT64_C(607988272756665600),
                                         UINT64_C(16172922978634559625),
                                         UINT64_C(8476171486693032832),
                                         UINT64_C(10595114339597558777),
                                         UINT64_C(2904607092377533576)};
    struct prng p = {{1, 2, 3, 4}};

    (void)unused;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++)
        assert_true(prng_next(&p) == published[i]);
}

static void test_streams(void **unused)
{
    struct prng a, again, other, seed;

    (void)unused;
    prng_seed(&a, 7, "one");
    prng_seed(&again, 7, "one");
    prng_seed(&other, 7, "two");
    prng_seed(&seed, 8, "one");
    for (int i = 0; i < 100; i++) {
        const uint64_t x = prng_next(&a);

        assert_true(x == prng_next(&again));
        assert_true(x != prng_next(&other));
        assert_true(x != prng_next(&seed));
    }
}

static void test_bounds(void **unused)
{
    struct prng p;
    unsigned seen[10] = {0};
    unsigned yes = 0;

    (void)unused;
    prng_seed(&p, 1, "bounds");
    for (int i = 0; i < 10000; i++) {
        const int64_t x = prng_between(&p, -5, 4);

        assert_true(x >= -5 && x <= 4);
        seen[x + 5]++;
        assert_true(prng_below(&p, 1) == 0);
        yes += prng_chance(&p, 250000);
        assert_false(prng_chance(&p, 0));
        assert_true(prng_chance(&p, 1000000));
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(seen[i], 900, 1100);
    assert_in_range(yes, 2350, 2650);
    prng_between(&p, INT64_MIN, INT64_MAX); /* all of them: no division by 0 */
}

/* Mean and the share beyond it, 1/e, as of the exponential distribution. */
static void test_waiting(void **unused)
{
    enum { DRAWS = 100000, MEAN = 1000000 };
    struct prng p;
    int64_t sum = 0;
    unsigned beyond = 0;

    (void)unused;
    prng_seed(&p, 1, "waiting");
    for (int i = 0; i < DRAWS; i++) {
        const int64_t x = prng_waiting(&p, MEAN);

        assert_true(x >= 0 && x <= 40 * (int64_t)MEAN);
        sum += x;
        beyond += x > MEAN;
    }
    assert_in_range(sum / DRAWS, 985000, 1015000);
    assert_in_range(beyond, 36300, 37300);
}

static void test_fill(void **unused)
{
    uint8_t whole[40], part[40] = {0};
    struct prng p, q;

    (void)unused;
    prng_seed(&p, 3, "fill");
    prng_seed(&q, 3, "fill");
    prng_fill(&p, whole, sizeof whole);
    prng_fill(&q, part, 13);
    assert_memory_equal(whole, part, 13);
    assert_int_equal(part[13], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published), cmocka_unit_test(test_streams),
        cmocka_unit_test(test_bounds), cmocka_unit_test(test_waiting), cmocka_unit_test(test_fill)};

    return cmocka_run_group_tests_name("prng", tests, NULL, NULL);
}
