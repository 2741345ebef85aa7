/*
 * Endpoints as text, there and back, and what is none.
 */
#include "os/pool/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PIN       "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
#define PIN_SMALL "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void test_there_and_back(void **state)
{
    static const char *const cases[][2] = {
        {"unix:/run/tern/agent", "unix:/run/tern/agent"},
        {"/run/tern/agent", "unix:/run/tern/agent"},
        {"tcp:host:80", "tcp:host:80"},
        {"host", "tcp:host:7373"},
        {"host:80", "tcp:host:80"},
        {"tcp:[::1]:80", "tcp:[::1]:80"},
        {"[::1]", "tcp:[::1]:7373"},
        {"tcp:host:0#" PIN, "tcp:host:0#" PIN_SMALL},
        {"tcp:*:7373", "tcp:*:7373"},
    };
    struct endpoint e;
    char text[LIMIT_ENDPOINT + 1];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(endpoint_parse(cases[i][0], &e, NULL), TERN_OK);
        endpoint_text(&e, true, text);
        assert_string_equal(text, cases[i][1]);
    }
    assert_true(e.port[0] == '7' && !e.pinned);
}

static void test_what_is_none(void **state)
{
    static const char *const cases[] = {
        "",
        "tcp:",
        "tcp::80",
        "tcp:host:",
        "tcp:host:65536",
        "tcp:a:b:1",
        "tcp:host:-1",
        "tcp:host:80#abc",
        "unix:rel/at",
        "unix:",
        "[::1",
        "[::1]80",
        "tcp:host:8x",
        "tcp:host:80#" PIN "0",
    };
    struct endpoint e;
    struct problem p;
    char longer[200] = "unix:/";

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        p.text[0] = 0;
        assert_int_equal(endpoint_parse(cases[i], &e, &p), TERN_EUSAGE);
        assert_true(p.text[0]);
    }
    memset(longer + 6, 'x', sizeof longer - 7);
    assert_int_equal(endpoint_parse(longer, &e, &p), TERN_EUSAGE);
    assert_non_null(strstr(p.text, "shorter"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
