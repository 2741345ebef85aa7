/*
 * Sizes, times, options: what people write on command lines.
 */
#include "cli/options.h"
#include "cli/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0},          {"1", 1},      {"64K", 65536}, {"64k", 65536},     {"1.5M", 1572864},
        {"1GiB", 1 << 30}, {"2KB", 2048}, {"7B", 7},      {"4G", 4294967296}, {"1T", 1ull << 40},
    };
    static const char *const bad[] = {"",   "K",    "-1",   "+1",  " 1",  "1 K",
                                      "1Q", "lots", "1e30", "inf", "nan", "9999999999T"};
    uint64_t n;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(units_size(good[i].text, &n));
        assert_true(n == good[i].bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(units_size(bad[i], &n));
}

static void times(void **state)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } good[] = {
        {"30s", 30000000000}, {"500ms", 500000000},  {"5m", 300000000000},    {"2", 2000000000},
        {"1.5s", 1500000000}, {"1h", 3600000000000}, {"10min", 600000000000},
    };
    uint64_t n;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(units_time(good[i].text, &n));
        assert_true(n == good[i].ns);
    }
    assert_false(units_time("5 s", &n));
    assert_false(units_time("5K", &n));
}

static void sizes_are_shown(void **state)
{
    char out[UNITS_TEXT_BYTES];

    (void)state;
    assert_string_equal(units_show_size(0, out), "0 B");
    assert_string_equal(units_show_size(1023, out), "1023 B");
    assert_string_equal(units_show_size(1536, out), "1.5 KiB");
    assert_string_equal(units_show_size(100 << 10, out), "100 KiB");
    assert_string_equal(units_show_size((uint64_t)2 << 30, out), "2.0 GiB");
    assert_non_null(units_show_size(UINT64_MAX, out));
}

static void the_nearest_word(void **state)
{
    static const char *const names[] = {"memory", "time", "dir", "ro-dir", "env"};

    (void)state;
    assert_string_equal(nearest("memroy", names, 5), "memory");
    assert_string_equal(nearest("tiem", names, 5), "time");
    assert_string_equal(nearest("dri", names, 5), "dir");
    assert_null(nearest("frobnicate", names, 5));
}

static const struct option some_options[] = {
    {.name = "dir", .argument = "DIR"},
    {.name = "all", .letter = 'a'},
    {.letter = 'o', .argument = "FILE"},
};

static const struct command anywhere = {
    .name = "test",
    .usage = "FILE",
    .options = some_options,
    .option_count = 3,
    .args_least = 1,
    .args_most = 2,
};

static bool parse(const struct command *c, struct invocation *in, const char *const *words)
{
    *in = (struct invocation){.command = c};
    return options_parse((char **)(uintptr_t)words, in);
}

static void options_in_all_forms(void **state)
{
    static const char *const lines[][8] = {
        {"--dir", "x", "-a", "-o", "y", "file"},
        {"file", "--dir=x", "--all", "-oy"},
        {"-oy", "-a", "--dir=x", "--", "file"},
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct invocation in;

        assert_true(parse(&anywhere, &in, lines[i]));
        assert_int_equal(in.arg_count, 1);
        assert_string_equal(in.args[0], "file");
        assert_string_equal(invocation_value(&in, "dir"), "x");
        assert_string_equal(invocation_value(&in, "all"), "");
        assert_null(invocation_value(&in, "other"));
        assert_int_equal(in.given_count, 3);
        invocation_release(&in);
    }
}

static void the_programs_options_are_its_own(void **state)
{
    static const char *const line[] = {"-a", "prog", "--dir", "-z", "--", "--all", NULL};
    struct command first = anywhere;
    struct invocation in;

    (void)state;
    first.options_first = true;
    assert_true(parse(&first, &in, line));
    assert_int_equal(in.given_count, 1);
    assert_int_equal(in.arg_count, 5);
    assert_string_equal(in.args[3], "--");
    invocation_release(&in);
}

static void wrong_lines_are_refused(void **state)
{
    static const char *const lines[][5] = {
        {NULL},         {"a", "b", "c"},  {"a", "--what"}, {"a", "-q"},
        {"a", "--dir"}, {"a", "--all=1"}, {"a", "-a1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct invocation in;

        assert_false(parse(&anywhere, &in, lines[i]));
        invocation_release(&in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(times),
        cmocka_unit_test(sizes_are_shown),
        cmocka_unit_test(the_nearest_word),
        cmocka_unit_test(options_in_all_forms),
        cmocka_unit_test(the_programs_options_are_its_own),
        cmocka_unit_test(wrong_lines_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
