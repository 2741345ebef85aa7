/*
 * canonical NaNs: where the translator puts what makes them so. What it comes to is shown by
 * tests/conformance/deterministic; here it is counted, so that inner loops stay without.
 */
#include "translate/translate.h"
#include "wasm_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* How often the C for the function's code says so. */
static unsigned count_in(const char *type, const char *locals, const char *code, bool deterministic)
{
    const struct translate_options options = {.deterministic = deterministic};
    struct bytes bytes = build_around_hex(type, locals, code), text = {0};
    struct wasm_fault fault;
    struct wasm_module m;
    unsigned count = 0;

    assert_int_equal(module_load(&m, bytes_view(&bytes), &fault), TERN_OK);
    assert_int_equal(translate_piece(&m, &options, 0, &text), TERN_OK);
    assert_non_null(bytes_text(&text));
    for (const char *at = (const char *)text.data; (at = strstr(at, "_canonical")); at++)
        count++;
    bytes_release(&text);
    module_release(&m);
    bytes_release(&bytes);
    return count;
}

static const char sums[] = "60 02 7c 7f 01 7c"; /* [f64 i32]->[f64] */
static const char one_local[] = "01 01 7c";

/* A sum in a local: once where it is returned, once where the loop's frame is saved. */
static const char sum[] = "03 40 20 02 20 00 a2 20 00 a0 21 02 20 01 41 01 6b 22 01 0d 00 0b 20 02";

static void test_inner_loops_stay_without(void **unused)
{
    (void)unused;
    assert_int_equal(count_in(sums, one_local, sum, true), 2);
    assert_int_equal(count_in(sums, one_local, sum, false), 0);
}

/* The same in the parameter: it may hold what the caller gave, so each round makes it canonical.
 * The body is there twice. */
static void test_parameters_count_bit_by_bit(void **unused)
{
    static const char in_parameter[] =
        "03 40 20 00 20 00 a2 20 00 a0 21 00 20 01 41 01 6b 22 01 0d 00 0b 20 00";

    (void)unused;
    assert_int_equal(count_in(sums, one_local, in_parameter, true), 2);
}

/* What cannot be NaN, and what is only moved, needs nothing. */
static void test_what_needs_nothing(void **unused)
{
    (void)unused;
    assert_int_equal(count_in(sums, one_local, "20 01 b7 21 02 20 02", true), 0);    /* converted */
    assert_int_equal(count_in(sums, one_local, "20 00 9a 21 02 20 02 99", true), 0); /* neg, abs */
    assert_int_equal(count_in(sums, one_local, "20 00 20 00 a2 1a 20 02", true), 0); /* dropped */
    assert_int_equal(count_in("60 01 7c 01 7f", "00", "20 00 20 00 a2 20 00 63", true), 0);
}

/*
 * Local 9 takes from 8, 8 from 7 and so on, and 1 from the parameter at last: each look at the code
 * finds out about one more, and it is not looked at that often. All count as exact then.
 */
static void test_looking_ends(void **unused)
{
    static const char chain[] =
        "20 08 21 09 20 07 21 08 20 06 21 07 20 05 21 06 20 04 21 05 20 03 21 "
        "04 20 02 21 03 20 01 21 02 20 00 21 01"
        /* 10 takes a product, and is given back */
        "20 09 20 09 a2 21 0a 20 0a";

    (void)unused;
    assert_int_equal(count_in("60 01 7c 01 7c", "01 0a 7c", chain, true), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inner_loops_stay_without),
        cmocka_unit_test(test_parameters_count_bit_by_bit),
        cmocka_unit_test(test_what_needs_nothing),
        cmocka_unit_test(test_looking_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
