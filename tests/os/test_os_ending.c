#include "os/ending.h"
#include "os/hash.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int exited(int code)
{
    return code << 8; /* as waitpid says it */
}

static struct ending end_by_report(struct report r)
{
    uint8_t encoded[REPORT_BYTES];
    struct ending e;

    report_encode(&r, encoded);
    ending_make(&(struct ending_order){.name = "x.wasm",
                                       .report = view_of(encoded, sizeof encoded),
                                       .cpu_ns_max = 1500000000,
                                       .output_bytes_max = 4096},
                &e);
    return e;
}

static struct ending end_by_status(int status)
{
    struct ending e;

    ending_make(&(struct ending_order){.name = "x.wasm", .status = status}, &e);
    return e;
}

static void assert_ending(struct ending e, int code, int signal, const char *text)
{
    assert_int_equal(e.signal, signal);
    if (!signal)
        assert_int_equal(e.code, code);
    if (*text)
        assert_non_null(strstr(e.text, text));
    else
        assert_string_equal(e.text, "");
}

static void reports_become_endings(void **state)
{
    (void)state;
    assert_ending(end_by_report((struct report){.kind = REPORT_EXIT, .code = 7}), 7, 0, "");
    assert_ending(end_by_report((struct report){.kind = REPORT_EXIT, .code = 256 + 3}), 3, 0, "");
    assert_ending(end_by_report((struct report){.kind = REPORT_TRAP, .code = 4}), EXIT_TRAP, 0,
                  "x.wasm: integer divide by zero");
    assert_ending(end_by_report((struct report){.kind = REPORT_LIMIT, .code = REPORT_LIMIT_CPU}),
                  EXIT_CPU_LIMIT, 0, "1.5 s");
    assert_ending(end_by_report((struct report){.kind = REPORT_LIMIT, .code = REPORT_LIMIT_OUTPUT}),
                  EXIT_OUTPUT_LIMIT, 0, "4096 bytes");
    assert_ending(end_by_report((struct report){.kind = REPORT_SIGNAL, .code = SIGPIPE}), 0,
                  SIGPIPE, "");
    assert_ending(end_by_report((struct report){.kind = REPORT_REFUSED, .text = "because"}),
                  EXIT_REFUSED, 0, "because");
}

/* Whoever broke into a runner writes what he likes. */
static void impossible_reports_are_none(void **state)
{
    static const uint32_t codes[] = {0, 32, 64, 1000, UINT32_MAX, SIGSTOP, SIGTSTP};

    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        assert_ending(end_by_report((struct report){.kind = REPORT_SIGNAL, .code = codes[i]}),
                      EXIT_TERN, 0, "without a report");
    assert_ending(end_by_report((struct report){.kind = REPORT_TRAP, .code = 99}), EXIT_TERN, 0,
                  "without a report");
    assert_ending(end_by_report((struct report){.kind = REPORT_TRAP, .code = 0}), EXIT_TERN, 0,
                  "without a report");
}

static void silence_is_explained_by_the_status(void **state)
{
    (void)state;
    assert_ending(end_by_status(exited(3)), EXIT_TERN, 0, "code 3");
    assert_ending(end_by_status(SIGSYS), EXIT_TERN, 0, "sandbox");
    assert_ending(end_by_status(SIGSEGV), EXIT_TERN, 0, "please report");
    assert_ending(end_by_status(SIGINT), 0, SIGINT, "");
    assert_ending(end_by_status(SIGKILL), 0, SIGKILL, "");
}

static void known_hashes(void **state)
{
    struct digest d = hash_of(view_of_string(""));
    char hex[DIGEST_HEX_BYTES];

    (void)state;
    digest_hex(&d, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    d = hash_of(view_of_string("abc"));
    digest_hex(&d, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static struct digest fields(const char *a, const char *b)
{
    struct hash h;

    hash_begin(&h);
    hash_add_text(&h, a);
    hash_add_text(&h, b);
    return hash_end(&h);
}

static void fields_do_not_run_together(void **state)
{
    struct digest a = fields("ab", "c"), b = fields("a", "bc"), c = fields("ab", "c");

    (void)state;
    assert_false(digest_equal(&a, &b));
    assert_true(digest_equal(&a, &c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_become_endings),
        cmocka_unit_test(impossible_reports_are_none),
        cmocka_unit_test(silence_is_explained_by_the_status),
        cmocka_unit_test(known_hashes),
        cmocka_unit_test(fields_do_not_run_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
