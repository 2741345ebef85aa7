/* ticket: what is encoded is what is decoded; nothing else is taken. */
#include "wire/ticket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 2000, TEXTS = 6, TEXT_BYTES = 40 };

/* Too large for a stack. */
static struct ticket one, other;

static uint64_t state = 20240817;

static uint64_t draw(uint64_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 20) % below;
}

/* Any bytes but zero; `buffer` holds them. */
static struct view draw_text(char *buffer, size_t least)
{
    size_t size = least + draw(TEXT_BYTES - least);

    for (size_t i = 0; i < size; i++)
        buffer[i] = (char)(1 + draw(255));
    return view_of(buffer, size);
}

static struct view draw_variable(char *buffer)
{
    struct view v = draw_text(buffer, 3);

    buffer[0] = 'K';
    buffer[1 + draw(v.size - 1)] = '=';
    return v;
}

static void draw_ticket(struct ticket *t)
{
    static char args[TEXTS][TEXT_BYTES], env[TEXTS][TEXT_BYTES], dirs[TEXTS][TEXT_BYTES];
    static uint8_t filter[80];

    t->arg_count = (uint32_t)draw(TEXTS + 1);
    t->env_count = (uint32_t)draw(TEXTS + 1);
    t->dir_count = (uint32_t)draw(TEXTS + 1);
    for (uint32_t i = 0; i < t->arg_count; i++)
        t->args[i] = draw_text(args[i], 0);
    for (uint32_t i = 0; i < t->env_count; i++)
        t->env[i] = draw_variable(env[i]);
    for (uint32_t i = 0; i < t->dir_count; i++)
        t->dirs[i] = (struct ticket_dir){draw_text(dirs[i], 1), draw(2)};
    t->memory_pages_max = (uint32_t)draw(65537);
    t->stack_cells = (uint32_t)draw(UINT32_MAX);
    t->native_stack_bytes = draw(UINT32_MAX) << draw(32);
    t->cpu_ns_max = draw(UINT32_MAX) << draw(32);
    t->output_bytes_max = draw(UINT32_MAX) << draw(32);
    t->table_elements_max = (uint32_t)draw(UINT32_MAX);
    t->record = (enum ticket_record)draw(3);
    t->seeded = draw(2);
    t->random_seed = t->seeded ? draw(UINT32_MAX) << draw(32) : 0;
    t->counts_input = draw(2);
    t->may_stay = draw(2);
    for (size_t i = 0; i < sizeof filter; i++)
        filter[i] = (uint8_t)draw(256);
    t->filter = view_of(filter, 8 * draw(11));
}

static void assert_same(const struct ticket *a, const struct ticket *b)
{
    assert_int_equal(a->arg_count, b->arg_count);
    assert_int_equal(a->env_count, b->env_count);
    assert_int_equal(a->dir_count, b->dir_count);
    for (uint32_t i = 0; i < a->arg_count; i++)
        assert_true(view_equal(a->args[i], b->args[i]));
    for (uint32_t i = 0; i < a->env_count; i++)
        assert_true(view_equal(a->env[i], b->env[i]));
    for (uint32_t i = 0; i < a->dir_count; i++) {
        assert_true(view_equal(a->dirs[i].guest_path, b->dirs[i].guest_path));
        assert_int_equal(a->dirs[i].read_only, b->dirs[i].read_only);
    }
    assert_int_equal(a->memory_pages_max, b->memory_pages_max);
    assert_int_equal(a->stack_cells, b->stack_cells);
    assert_int_equal(a->native_stack_bytes, b->native_stack_bytes);
    assert_int_equal(a->cpu_ns_max, b->cpu_ns_max);
    assert_int_equal(a->output_bytes_max, b->output_bytes_max);
    assert_int_equal(a->table_elements_max, b->table_elements_max);
    assert_int_equal(a->record, b->record);
    assert_int_equal(a->seeded, b->seeded);
    assert_int_equal(a->random_seed, b->random_seed);
    assert_int_equal(a->counts_input, b->counts_input);
    assert_int_equal(a->may_stay, b->may_stay);
    assert_true(view_equal(a->filter, b->filter));
}

static void test_round_trip(void **unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        struct bytes b = {0};

        draw_ticket(&one);
        assert_int_equal(ticket_encode(&one, &b), TERN_OK);
        memset(&other, 0xa5, sizeof other.args[0]);
        assert_int_equal(ticket_decode(&other, bytes_view(&b)), TERN_OK);
        assert_same(&one, &other);
        bytes_release(&b);
    }
}

/* In a block of exactly its size, so that a sanitizer sees every byte too far. */
static enum tern_err decode_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    enum tern_err err;

    assert_non_null(copy);
    memcpy(copy, data, size);
    err = ticket_decode(&other, view_of(copy, size));
    free(copy);
    return err;
}

/* A ticket ends where an entry ends; a part of one lacks something, or is one of fewer texts. */
static void test_cut_off(void **unused)
{
    struct bytes b = {0};
    uint32_t whole = 0;

    (void)unused;
    draw_ticket(&one);
    assert_int_equal(ticket_encode(&one, &b), TERN_OK);
    for (size_t size = 0; size < b.size; size++) {
        enum tern_err err = decode_copy(b.data, size);

        assert_true(err == TERN_OK || err == TERN_EPROTO);
        whole += err == TERN_OK;
    }
    assert_true(whole <= one.arg_count + one.env_count + one.dir_count);
    bytes_release(&b);
}

static void test_damaged(void **unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        struct bytes b = {0}, again = {0};

        draw_ticket(&one);
        assert_int_equal(ticket_encode(&one, &b), TERN_OK);
        for (uint64_t k = 1 + draw(4); k > 0; k--)
            b.data[draw(b.size)] = (uint8_t)draw(256);
        if (decode_copy(b.data, b.size) == TERN_OK &&
            ticket_decode(&other, bytes_view(&b)) == TERN_OK) {
            /* Whatever was taken is sound: it can be encoded again. */
            assert_int_equal(ticket_encode(&other, &again), TERN_OK);
            assert_int_equal(again.size, b.size);
        }
        bytes_release(&b);
        bytes_release(&again);
    }
}

static void plain(struct ticket *t)
{
    t->arg_count = t->env_count = t->dir_count = 0;
    t->filter = view_of(NULL, 0);
    t->memory_pages_max = 1;
}

static void assert_refused(const struct ticket *t, enum tern_err expected)
{
    struct bytes b = {0};

    assert_int_equal(ticket_encode(t, &b), expected);
    bytes_release(&b);
}

static void test_unsound(void **unused)
{
    static const char *const variables[] = {"", "=", "=v", "K"};

    (void)unused;
    plain(&one);
    one.arg_count = 1;
    one.args[0] = view_of("a\0b", 3);
    assert_refused(&one, TERN_EPROTO);
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        plain(&one);
        one.env_count = 1;
        one.env[0] = view_of_string(variables[i]);
        assert_refused(&one, TERN_EPROTO);
    }
    plain(&one);
    one.dir_count = 1;
    one.dirs[0].guest_path = view_of_string("");
    assert_refused(&one, TERN_EPROTO);
    plain(&one);
    one.memory_pages_max = 65537;
    assert_refused(&one, TERN_EPROTO);
    plain(&one);
    one.filter = view_of("1234567", 7);
    assert_refused(&one, TERN_EPROTO);
    plain(&one);
    assert_refused(&one, TERN_OK);
}

static void test_too_large(void **unused)
{
    static char text[TICKET_TEXT_BYTES_MAX];

    (void)unused;
    memset(text, 'x', sizeof text);
    plain(&one);
    one.arg_count = 2;
    one.args[0] = view_of(text, sizeof text);
    one.args[1] = view_of(text, 0);
    assert_refused(&one, TERN_OK);
    one.args[1] = view_of(text, 1);
    assert_refused(&one, TERN_ETOOBIG);
    plain(&one);
    one.arg_count = TICKET_ARGS_MAX + 1;
    assert_refused(&one, TERN_ETOOBIG);
}

/* Entries by hand: unknown, repeated, of a wrong size. */
static void test_entries(void **unused)
{
    static const struct {
        const char *what;
        uint8_t entry[20];
        size_t size;
        enum tern_err expected;
    } cases[] = {
        {"an argument", {1, 0, 0, 0, 1, 0, 0, 0, 'a'}, 9, TERN_OK},
        {"unknown", {11, 0, 0, 0, 0, 0, 0, 0}, 8, TERN_EPROTO},
        {"tag 0", {0, 0, 0, 0, 0, 0, 0, 0}, 8, TERN_EPROTO},
        {"a large tag", {1, 0, 0, 1, 0, 0, 0, 0}, 8, TERN_EPROTO},
        {"a second limit", {4, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0}, 12, TERN_EPROTO},
        {"a second filter", {10, 0, 0, 0, 0, 0, 0, 0}, 8, TERN_EPROTO},
        {"too long for what is there", {1, 0, 0, 0, 2, 0, 0, 0, 'a'}, 9, TERN_EPROTO},
        {"huge", {1, 0, 0, 0, 255, 255, 255, 255, 'a'}, 9, TERN_EPROTO},
        {"half a head", {1, 0, 0, 0, 0, 0}, 6, TERN_EPROTO},
        {"a directory without a path", {3, 0, 0, 0, 1, 0, 0, 0, 0}, 9, TERN_EPROTO},
        {"an empty directory", {3, 0, 0, 0, 0, 0, 0, 0}, 8, TERN_EPROTO},
        {"a directory of kind 2", {3, 0, 0, 0, 2, 0, 0, 0, 2, 'a'}, 10, TERN_EPROTO},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes b = {0};

        plain(&one);
        assert_int_equal(ticket_encode(&one, &b), TERN_OK);
        bytes_append(&b, cases[i].entry, cases[i].size);
        if (decode_copy(b.data, b.size) != cases[i].expected)
            fail_msg("%s", cases[i].what);
        bytes_release(&b);
    }
}

static struct report draw_report(void)
{
    struct report r = {
        .kind = (enum report_kind)(1 + draw(5)),
        .code = (uint32_t)draw(UINT32_MAX),
        .by_fault = draw(2),
        .continued = draw(2),
        .func = (uint32_t)draw(UINT32_MAX),
        .offset = (uint32_t)draw(UINT32_MAX),
        .pc = draw(UINT32_MAX) << 16,
        .memory_pages = draw(65537),
        .cpu_ns = draw(UINT32_MAX) << 8,
        .output_bytes = draw(UINT32_MAX) << 8,
    };
    size_t size = draw(sizeof r.text);

    r.stays = r.kind == REPORT_EXIT && draw(2);
    for (size_t i = 0; i < size; i++)
        r.text[i] = (char)(' ' + draw('~' - ' ' + 1));
    return r;
}

static void test_report(void **unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        struct report a = draw_report(), b;
        uint8_t bytes[REPORT_BYTES];

        report_encode(&a, bytes);
        assert_int_equal(report_decode(&b, view_of(bytes, sizeof bytes)), TERN_OK);
        assert_int_equal(a.kind, b.kind);
        assert_int_equal(a.code, b.code);
        assert_int_equal(a.by_fault, b.by_fault);
        assert_int_equal(a.continued, b.continued);
        assert_int_equal(a.stays, b.stays);
        assert_int_equal(a.func, b.func);
        assert_int_equal(a.offset, b.offset);
        assert_int_equal(a.pc, b.pc);
        assert_int_equal(a.memory_pages, b.memory_pages);
        assert_int_equal(a.cpu_ns, b.cpu_ns);
        assert_int_equal(a.output_bytes, b.output_bytes);
        assert_string_equal(a.text, b.text);
    }
}

static void assert_no_report(const uint8_t *bytes, size_t size)
{
    struct report r;

    assert_int_equal(report_decode(&r, view_of(bytes, size)), TERN_EPROTO);
}

static void test_bad_reports(void **unused)
{
    static const size_t must_be_right[] = {0, 7, 8, 9, 10, 11}; /* magic, kind, flags, zero */
    struct report r = {.kind = REPORT_REFUSED, .text = "why"};
    uint8_t bytes[REPORT_BYTES + 1] = {0};

    (void)unused;
    report_encode(&r, bytes);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        if (size != REPORT_BYTES)
            assert_no_report(bytes, size);
    }
    for (size_t i = 0; i < sizeof must_be_right / sizeof *must_be_right; i++) {
        report_encode(&r, bytes);
        bytes[must_be_right[i]] = 77;
        assert_no_report(bytes, REPORT_BYTES);
    }
    report_encode(&r, bytes);
    bytes[REPORT_BYTES - 512] = '\033'; /* would steer a terminal */
    assert_no_report(bytes, REPORT_BYTES);
    memset(bytes + REPORT_BYTES - 512, 'x', 512); /* without an end */
    assert_no_report(bytes, REPORT_BYTES);
    strcpy(r.text, "a\nb\033c");
    report_encode(&r, bytes);
    assert_int_equal(report_decode(&r, view_of(bytes, REPORT_BYTES)), TERN_OK);
    assert_string_equal(r.text, "a?b?c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_damaged),    cmocka_unit_test(test_unsound),
        cmocka_unit_test(test_too_large),  cmocka_unit_test(test_entries),
        cmocka_unit_test(test_report),     cmocka_unit_test(test_bad_reports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
