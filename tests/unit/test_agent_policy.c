/* What policies choose, and why: pure functions, in tables. */
#include "core/policy_ahead.h"
#include "core/policy_interval.h"
#include "core/policy_match.h"
#include "core/policy_rank.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)

static void test_interval(void **state)
{
    static const struct {
        int64_t cost, failure, most;
        double minutes; /* by another implementation of the exact form */
    } rows[] = {
        {5 * MINUTE, 24 * 60 * MINUTE, 0, 116.69},
        {5 * MINUTE, 6 * 60 * MINUTE, 0, 56.71},
        {5 * MINUTE, 15 * MINUTE, 0, 9.17},
        {5 * MINUTE, 0, 0, 116.69},                      /* not known: a day */
        {5 * MINUTE, 24 * 60 * MINUTE, 10 * MINUTE, 10}, /* the user's bound */
        {60 * MINUTE, MINUTE, 0, 1},                     /* nothing helps: once for each failure */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const double got =
            (double)policy_interval(rows[i].cost, rows[i].failure, rows[i].most) / (double)MINUTE;

        if (got < rows[i].minutes - 0.006 || got > rows[i].minutes + 0.006)
            fail_msg("row %zu: %.4f minutes", i, got);
    }
    /* Tiny costs keep their digits: sqrt(2 d M) is the limit. */
    assert_int_equal(policy_interval(1000000, 24 * 60 * MINUTE, 0) / 1000000,
                     13144); /* less 2 d / 3 */
    assert_int_equal(policy_interval(0, 1, 0), 1000000);
}

static void test_interval_rises(void **state)
{
    int64_t before = 0;

    (void)state;
    for (int64_t cost = 1000; cost < 3600 * SECOND; cost += cost / 7 + 1) {
        const int64_t now = policy_interval(cost, 60 * MINUTE, 0);

        assert_true(now >= before && now <= 60 * MINUTE);
        before = now;
    }
}

static void test_match(void **state)
{
    char *labels[] = {"gpu", "site=berlin"}, *machines[] = {"aarch64", "x86_64"};
    char *wanted[] = {"site=berlin", "fast"};
    const struct offer offer = {"x86_64", 1000, labels, 2};
    Tern__Requirements r = TERN__REQUIREMENTS__INIT;

    (void)state;
    assert_int_equal(policy_match(NULL, &offer), MATCH_FITS);
    assert_int_equal(policy_match(&r, &offer), MATCH_FITS);
    r.machine = machines;
    r.n_machine = 1;
    assert_int_equal(policy_match(&r, &offer), MATCH_MACHINE);
    r.n_machine = 2;
    assert_int_equal(policy_match(&r, &offer), MATCH_FITS);
    r.memory_bytes = 1000;
    assert_int_equal(policy_match(&r, &offer), MATCH_FITS);
    r.memory_bytes = 1001;
    assert_int_equal(policy_match(&r, &offer), MATCH_MEMORY);
    r.memory_bytes = 0;
    r.labels = wanted;
    r.n_labels = 1;
    assert_int_equal(policy_match(&r, &offer), MATCH_FITS);
    r.n_labels = 2;
    assert_int_equal(policy_match(&r, &offer), MATCH_LABELS);
    assert_string_equal(policy_match_name(MATCH_LABELS), "labels");
}

static uint64_t cost(uint32_t speed, uint32_t foreign, uint32_t slots, uint32_t assigned)
{
    return policy_rank_cost(&(struct rank_node){speed, foreign, slots, assigned});
}

static void test_rank(void **state)
{
    (void)state;
    assert_int_equal(cost(1000, 0, 4, 0), 1000000);
    assert_int_equal(cost(0, 0, 4, 0), 1000000); /* speed not known */
    assert_true(cost(2000, 0, 4, 3) < cost(1000, 0, 4, 0));
    assert_true(cost(1000, 0, 4, 1) < cost(1000, 0, 4, 2));
    assert_true(cost(1000, 0, 4, 0) < cost(1000, 500, 4, 0));
    assert_true(cost(1000, 1000, 1, 0) < UINT64_MAX);       /* no division by nothing */
    assert_true(cost(1000, 0, 2, 2) < cost(1000, 0, 2, 3)); /* behind fewer others */
    assert_int_equal(policy_rank_with_data(10, 1 << 30, true), 10);
    assert_int_equal(policy_rank_with_data(10, 1 << 30, false), 20);
    assert_int_equal(policy_rank_with_data(1000, 0, false), 1000);
}

static void test_ahead(void **state)
{
    struct duration d = {0};

    (void)state;
    assert_int_equal(policy_ahead(&d, 1000), 0); /* not known: only what can begin at once */
    policy_duration_add(&d, 10 * SECOND);
    assert_int_equal(policy_ahead(&d, 1000), 0);
    for (int i = 0; i < 200; i++)
        policy_duration_add(&d, 10000000);
    assert_in_range(policy_ahead(&d, 1000), 8, 10);
    assert_in_range(policy_ahead(&d, 2000), 17, 20);
    for (int i = 0; i < 200; i++)
        policy_duration_add(&d, 0);
    assert_int_equal(policy_ahead(&d, 1000), POLICY_AHEAD_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interval), cmocka_unit_test(test_interval_rises),
        cmocka_unit_test(test_match),    cmocka_unit_test(test_rank),
        cmocka_unit_test(test_ahead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
