/* The ordered tree and the directory, against naive models; exp and log that are the same
 * everywhere. */
#include "base/directory.h"
#include "base/expo.h"
#include "base/prng.h"
#include "base/tree.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KEYS = 300, STEPS = 20000 };

struct thing {
    struct tree_link link;
    uint64_t key;
};

static int compare(const struct tree_link *a, const struct tree_link *b)
{
    const uint64_t x = tree_of(a, struct thing, link)->key, y = tree_of(b, struct thing, link)->key;

    return x < y ? -1 : x > y;
}

static uint64_t key_of(const struct tree_link *link)
{
    return link ? tree_of(link, struct thing, link)->key : UINT64_MAX;
}

static void check_order(const struct tree *t, const struct thing *things)
{
    uint64_t before = UINT64_MAX, last = UINT64_MAX;
    size_t count = 0;

    for (size_t i = 0; i < KEYS; i++) {
        uint64_t next = UINT64_MAX;

        for (size_t k = KEYS; k-- > i + 1;)
            if (tree_in(&things[k].link))
                next = k;
        assert_int_equal(key_of(tree_find(t, &things[i].link)),
                         tree_in(&things[i].link) ? i : UINT64_MAX);
        assert_int_equal(key_of(tree_behind(t, &things[i].link)), next);
        assert_int_equal(key_of(tree_from(t, &things[i].link)),
                         tree_in(&things[i].link) ? i : next);
        assert_int_equal(key_of(tree_before(t, &things[i].link)), before);
        if (tree_in(&things[i].link)) {
            if (before == UINT64_MAX)
                assert_int_equal(key_of(tree_first(t)), i);
            before = last = i;
            count++;
        }
    }
    assert_int_equal(key_of(tree_last(t)), last);
    assert_int_equal(t->count, count);
}

static void test_tree(void **state)
{
    static struct thing things[KEYS];
    struct tree t = {.compare = compare};
    struct prng p;

    (void)state;
    prng_seed(&p, 1, "tree");
    for (size_t i = 0; i < KEYS; i++)
        things[i].key = i;
    for (size_t step = 0; step < STEPS; step++) {
        struct thing *x = &things[prng_below(&p, KEYS)];

        if (tree_in(&x->link))
            tree_remove(&t, &x->link);
        else
            tree_add(&t, &x->link);
        if (step % 500 == 0)
            check_order(&t, things);
    }
    check_order(&t, things);
}

static size_t depth(const struct tree_link *link)
{
    size_t left, right;

    if (!link)
        return 0;
    left = depth(link->left);
    right = depth(link->right);
    return 1 + (left > right ? left : right);
}

static void test_tree_stays_flat(void **state)
{
    struct thing *things = calloc(100000, sizeof *things);
    struct tree t = {.compare = compare};

    (void)state;
    assert_non_null(things);
    for (size_t i = 0; i < 100000; i++) { /* in order: the worst for a plain tree */
        things[i].key = i;
        tree_add(&t, &things[i].link);
    }
    assert_true(depth(t.root) < 60); /* 17 would be perfect */
    free(things);
}

static void test_directory(void **state)
{
    enum { NUMBERS = 40000 };
    static void *naive[NUMBERS];
    struct directory d = {0};
    struct prng p;
    uint64_t at, things = 0;

    (void)state;
    prng_seed(&p, 2, "directory");
    for (size_t step = 0; step < 60000; step++) { /* a window that moves up, as numbers do */
        const uint64_t base = step * (NUMBERS - 6000) / 60000, n = base + prng_below(&p, 6000);

        if (naive[n]) {
            directory_remove(&d, n);
            naive[n] = NULL;
            things--;
        } else {
            assert_true(directory_put(&d, n, &naive[n]));
            naive[n] = &naive[n];
            things++;
        }
        assert_int_equal(d.things, things);
        assert_ptr_equal(directory_get(&d, n), naive[n]);
        assert_null(directory_get(&d, n + 10000000));
    }
    at = 0;
    for (uint64_t n = 0; n < NUMBERS; n++)
        if (naive[n]) {
            assert_ptr_equal(directory_from(&d, at, &at), naive[n]);
            assert_int_equal(at, n);
            at++;
        }
    assert_null(directory_from(&d, at, &at));
    directory_release(&d);
}

static void assert_near(double got, double right, double relative)
{
    if (!(fabs(got - right) <= fabs(right) * relative))
        fail_msg("%.17g is not %.17g", got, right);
}

static void test_exp_and_log(void **state)
{
    struct prng p;

    (void)state;
    prng_seed(&p, 3, "expo");
    for (size_t i = 0; i < 100000; i++) {
        const double x = (double)prng_between(&p, -700000000, 700000000) / 1e6;
        const double y = exp((double)prng_between(&p, -700000, 700000) / 1e3);

        assert_near(expo_exp(x), exp(x), 1e-14);
        assert_near(expo_log(y), log(y), 1e-14);
    }
    assert_true(expo_exp(0) == 1 && expo_log(1) == 0);
    assert_near(expo_exp(-740), exp(-740), 1e-2); /* too small for a full mantissa */
    assert_near(expo_log(5e-324), log(5e-324), 1e-14);
    assert_true(isinf(expo_exp(710)) && expo_exp(-746) == 0 && isnan(expo_log(-1)));
    assert_true(isinf(expo_log(0)) && isnan(expo_exp(NAN)));
}

/* The same bits on every machine: these are from x86-64. */
static void test_expo_bits(void **state)
{
    static const double arguments[] = {0.1, 1, -3.7, 55.5, 700};
    uint64_t bits, sum = 0;

    (void)state;
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
        const double e = expo_exp(arguments[i]), l = expo_log(e + 0.5);

        memcpy(&bits, &e, sizeof bits);
        sum = sum * 31 + bits;
        memcpy(&bits, &l, sizeof bits);
        sum = sum * 31 + bits;
    }
    assert_int_equal(sum, UINT64_C(0xcb92a10f50a7348d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),      cmocka_unit_test(test_tree_stays_flat),
        cmocka_unit_test(test_directory), cmocka_unit_test(test_exp_and_log),
        cmocka_unit_test(test_expo_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
