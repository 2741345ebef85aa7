/* record: what is encoded is what is decoded; a record that is cut is read as far as it goes. */
#include "record_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 3000, CALLS = 12 };

static uint64_t seed = 20261120;

/* ---- The table of calls ---- */

static char letter_of(const struct call_param *q)
{
    switch ((enum call_kind)q->kind) {
    case CALL_SIGNED:
    case CALL_NS: return 'I';
    case CALL_NUMBER:
    case CALL_FLAGS: return 0; /* either */
    case CALL_NONE:
    case CALL_FD:
    case CALL_CODE:
    case CALL_PATH:
    case CALL_SEND:
    case CALL_SUBSCRIPTIONS:
    case CALL_RECEIVE:
    case CALL_BUFFER:
    case CALL_EVENTS:
    case CALL_STRINGS:
    case CALL_TEXT:
    case CALL_MOVED:
    case CALL_GIVES: return 'i';
    }
    return 0;
}

static void assert_params_fit(const struct call *c)
{
    uint32_t at = 0, kept = 0;

    for (const struct call_param *q = c->params; q->kind != CALL_NONE; q++) {
        assert_non_null(q->name);
        kept += call_param_kept((enum call_kind)q->kind);
        for (uint32_t k = call_param_args((enum call_kind)q->kind); k > 0; k--, at++)
            assert_true(!letter_of(q) || c->signature[at] == letter_of(q));
    }
    assert_int_equal(at, call_arg_count(c));
    assert_true(at <= RECORD_ARGS_MAX && kept <= RECORD_KEPT_MAX);
}

static void parameters_fit_the_signatures(void **unused)
{
    (void)unused;
    assert_null(call_find(0));
    assert_null(call_find(HOST_CALLS_END));
    for (uint32_t i = 1; i < HOST_CALLS_END; i++) {
        assert_non_null(call_find(i));
        assert_params_fit(call_find(i));
    }
}

/* ---- A call ---- */

static void assert_same(const struct record_sample *s, const struct record_call *c)
{
    assert_int_equal(c->sequence, s->call.sequence);
    assert_int_equal(c->at_ns, s->call.at_ns);
    assert_int_equal(c->took_ns, s->call.took_ns);
    assert_int_equal(c->read_hash, s->call.read_hash);
    assert_int_equal(c->moved, s->call.moved);
    assert_int_equal(c->number, s->call.number);
    assert_int_equal(c->answer, s->call.answer);
    assert_int_equal(c->stream, s->call.stream);
    assert_memory_equal(c->args, s->call.args, sizeof c->args);
    for (uint32_t i = 0; i < c->kept_count; i++) {
        assert_int_equal(c->kept[i].size, s->call.kept[i].size);
        assert_true(view_equal(c->kept[i].part, s->call.kept[i].part));
    }
    assert_int_equal(c->range_count, s->call.range_count);
    for (uint32_t i = 0; i < c->range_count; i++) {
        assert_int_equal(record_range_get(c, i).at, s->ranges[i].at);
        assert_int_equal(record_range_get(c, i).size, s->ranges[i].size);
    }
    assert_true(view_equal(c->filled, view_of(s->bytes, s->byte_count)));
}

/* Of a call that is drawn anew. */
static struct view drawn(struct record_sample *s, struct bytes *contents)
{
    record_sample_draw(s, &seed);
    bytes_clear(contents);
    record_sample_contents(s, contents);
    return bytes_view(contents);
}

static void what_is_encoded_is_decoded(void **unused)
{
    struct bytes contents = {0};
    struct record_sample s;
    struct record_call c;

    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(record_decode_call(&c, drawn(&s, &contents)), TERN_OK);
        assert_same(&s, &c);
    }
    bytes_release(&contents);
}

static void shorter_and_longer_calls_are_refused(void **unused)
{
    struct bytes contents = {0};
    struct record_sample s;
    struct record_call c;

    (void)unused;
    for (int i = 0; i < 200; i++) {
        drawn(&s, &contents);
        for (size_t size = 0; size < contents.size; size++)
            assert_int_equal(record_decode_call(&c, view_of(contents.data, size)), TERN_EPROTO);
        bytes_append_byte(&contents, 0);
        assert_int_equal(record_decode_call(&c, bytes_view(&contents)), TERN_EPROTO);
    }
    bytes_release(&contents);
}

/* Offsets and values in a call of fd_read that cannot be. */
static void impossible_calls_are_refused(void **unused)
{
    static const struct {
        size_t at;
        uint8_t value;
    } bad[] = {{36, 0},
               {36, HOST_CALLS_END},
               {36, HOST_fd_write},
               {37, 1},
               {38, RECORD_ERRNO_MAX + 1},
               {40, 3},
               {41, 3},
               {42, 1},
               {43, 1},
               {44, 1},
               {46, 16},
               {48 + 4, 1 /* > u32 */}};
    struct record_sample s = {.call = {.number = HOST_fd_read, .arg_count = 4, .sequence = 1}};
    struct bytes contents = {0};
    struct record_call c;

    (void)unused;
    record_sample_contents(&s, &contents);
    assert_int_equal(record_decode_call(&c, bytes_view(&contents)), TERN_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const uint8_t was = contents.data[bad[i].at];

        contents.data[bad[i].at] = bad[i].value;
        assert_int_equal(record_decode_call(&c, bytes_view(&contents)), TERN_EPROTO);
        contents.data[bad[i].at] = was;
    }
    bytes_release(&contents);
}

/* ---- A whole record ---- */

struct seen {
    uint32_t blocks;
    uint64_t at; /* where it ended */
    enum record_read end;
};

static struct seen read_all(struct view all, bool trusting)
{
    struct seen seen = {0};
    struct record_reader r;
    struct record_block block;

    assert_int_equal(record_begin(&r, all), TERN_OK);
    while ((seen.end = trusting ? record_skip(&r, &block) : record_next(&r, &block)) ==
           RECORD_READ_BLOCK)
        seen.blocks++;
    seen.at = r.at;
    return seen;
}

static void a_cut_record_is_read_as_far_as_it_goes(void **unused)
{
    struct bytes all = {0};
    uint64_t before = RECORD_HEADER_BYTES;
    uint32_t blocks = 0;

    (void)unused;
    record_sample_whole(&all, &seed, CALLS);
    for (size_t size = RECORD_HEADER_BYTES; size <= all.size; size++) {
        const struct seen seen = read_all(view_of(all.data, size), size & 1);

        assert_true(seen.blocks == blocks || (seen.blocks == blocks + 1 && seen.at == size));
        assert_int_equal(seen.end, seen.at == size ? RECORD_READ_OVER : RECORD_READ_CUT);
        assert_true(seen.at >= before && seen.at <= size);
        blocks = seen.blocks;
        before = seen.at;
    }
    assert_int_equal(blocks, CALLS + 3);
    bytes_release(&all);
}

static void zeros_behind_it_are_no_blocks(void **unused)
{
    struct bytes all = {0};
    struct seen seen;

    (void)unused;
    record_sample_whole(&all, &seed, CALLS);
    for (int i = 0; i < 100; i++)
        bytes_append_byte(&all, 0);
    seen = read_all(bytes_view(&all), false);
    assert_int_equal(seen.blocks, CALLS + 3);
    assert_int_equal(seen.end, RECORD_READ_CUT);
    bytes_release(&all);
}

static void every_flipped_bit_is_found(void **unused)
{
    struct bytes all = {0};

    (void)unused;
    record_sample_whole(&all, &seed, 3);
    for (size_t bit = 8 * RECORD_HEADER_BYTES; bit < 8 * all.size; bit++) {
        struct seen seen;

        all.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        seen = read_all(bytes_view(&all), false);
        assert_int_equal(seen.end, RECORD_READ_DAMAGED);
        assert_true(seen.at <= bit / 8);
        all.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    bytes_release(&all);
}

static void other_files_are_no_records(void **unused)
{
    uint8_t header[RECORD_HEADER_BYTES];
    struct record_reader r;

    (void)unused;
    record_encode_header(header);
    assert_int_equal(record_begin(&r, view_of(header, sizeof header - 1)), TERN_EPROTO);
    for (size_t i = 0; i < sizeof header; i++) {
        if (i >= RECORD_BROKEN_AT && i < RECORD_BROKEN_AT + 4)
            continue;
        header[i] ^= 1;
        assert_int_equal(record_begin(&r, view_of(header, sizeof header)), TERN_EPROTO);
        header[i] ^= 1;
    }
    record_encode_broken(28, header + RECORD_BROKEN_AT);
    assert_int_equal(record_begin(&r, view_of(header, sizeof header)), TERN_OK);
    assert_int_equal(r.broken, 28);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_fit_the_signatures),
        cmocka_unit_test(what_is_encoded_is_decoded),
        cmocka_unit_test(shorter_and_longer_calls_are_refused),
        cmocka_unit_test(impossible_calls_are_refused),
        cmocka_unit_test(a_cut_record_is_read_as_far_as_it_goes),
        cmocka_unit_test(zeros_behind_it_are_no_blocks),
        cmocka_unit_test(every_flipped_bit_is_found),
        cmocka_unit_test(other_files_are_no_records),
    };

    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
