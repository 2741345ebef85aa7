/* reader: numbers at their limits, bytes, names. */
#include "wasm_build.h"

#include "wasm/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum form { U32, S32, S33, S64 };

static const struct {
    enum form form;
    const char *hex;
    int64_t value;
    const char *reason; /* NULL: it is read, to its last byte */
} numbers[] = {
    {U32, "00", 0, NULL},
    {U32, "7f", 127, NULL},
    {U32, "80 01", 128, NULL},
    {U32, "80 00", 0, NULL},
    {U32, "ff ff ff ff 0f", UINT32_MAX, NULL},
    {U32, "80 80 80 80 00", 0, NULL},
    {U32, "ff ff ff ff 1f", 0, "integer too large"},
    {U32, "80 80 80 80 10", 0, "integer too large"},
    {U32, "80 80 80 80 80 00", 0, "integer representation too long"},
    {U32, "ff ff ff ff 8f 00", 0, "integer representation too long"},
    {U32, "", 0, "unexpected end"},
    {U32, "80", 0, "unexpected end"},
    {U32, "ff ff ff ff", 0, "unexpected end"},
    {S32, "00", 0, NULL},
    {S32, "3f", 63, NULL},
    {S32, "40", -64, NULL},
    {S32, "7f", -1, NULL},
    {S32, "c0 00", 64, NULL},
    {S32, "ff ff ff ff 07", INT32_MAX, NULL},
    {S32, "80 80 80 80 78", INT32_MIN, NULL},
    {S32, "ff ff ff ff 7f", -1, NULL},
    {S32, "ff ff ff ff 0f", 0, "integer too large"},
    {S32, "80 80 80 80 70", 0, "integer too large"},
    {S32, "80 80 80 80 08", 0, "integer too large"},
    {S32, "80 80 80 80 80 00", 0, "integer representation too long"},
    {S32, "ff ff ff ff ff 7f", 0, "integer representation too long"},
    {S32, "80 80", 0, "unexpected end"},
    {S33, "ff ff ff ff 0f", UINT32_MAX, NULL},
    {S33, "80 80 80 80 70", -4294967296, NULL},
    {S33, "80 80 80 80 10", 0, "integer too large"},
    {S33, "80 80 80 80 80 00", 0, "integer representation too long"},
    {S64, "ff ff ff ff ff ff ff ff ff 00", INT64_MAX, NULL},
    {S64, "80 80 80 80 80 80 80 80 80 7f", INT64_MIN, NULL},
    {S64, "7f", -1, NULL},
    {S64, "80 80 80 80 80 80 80 80 80 01", 0, "integer too large"},
    {S64, "80 80 80 80 80 80 80 80 80 7e", 0, "integer too large"},
    {S64, "80 80 80 80 80 80 80 80 80 80 00", 0, "integer representation too long"},
    {S64, "80 80 80 80 80 80 80 80 80", 0, "unexpected end"},
};

static struct wasm_reader reader_over(const struct bytes *b)
{
    return reader_of(view_of(b->data ? b->data : (const uint8_t *)"", b->size), 0,
                     (uint32_t)b->size);
}

static bool read_number(struct wasm_reader *r, enum form form, int64_t *out,
                        struct wasm_fault *fault)
{
    uint32_t u32;
    int32_t s32;

    switch (form) {
    case U32:
        if (!reader_u32(r, &u32, fault))
            return false;
        *out = u32;
        return true;
    case S32:
        if (!reader_s32(r, &s32, fault))
            return false;
        *out = s32;
        return true;
    case S33: return reader_s33(r, out, fault);
    case S64: return reader_s64(r, out, fault);
    }
    return false;
}

static void assert_starts(const char *text, const char *start)
{
    if (strncmp(text, start, strlen(start)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", text, start);
}

static void test_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct bytes b = {0};
        struct wasm_reader r;
        struct wasm_fault fault = {0};
        int64_t value = 42;
        bool ok;

        build_hex(&b, numbers[i].hex);
        r = reader_over(&b);
        ok = read_number(&r, numbers[i].form, &value, &fault);
        if (ok != (numbers[i].reason == NULL))
            fail_msg("case %zu: %s", i, ok ? "was read" : fault.reason);
        if (ok) {
            assert_int_equal(value, numbers[i].value);
            assert_true(reader_done(&r));
        } else {
            assert_starts(fault.reason, numbers[i].reason);
            assert_int_equal(r.at, 0);
            assert_int_equal(value, 42);
        }
        bytes_release(&b);
    }
}

static void test_fixed(void **state)
{
    static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 0x88};
    struct wasm_reader r = reader_of(view_of(data, sizeof data), 0, sizeof data);
    struct wasm_fault fault;
    uint64_t value = 0;

    (void)state;
    assert_true(reader_fixed(&r, 8, &value, &fault));
    assert_true(value == 0x8807060504030201);
    assert_false(reader_fixed(&r, 1, &value, &fault));
    r.at = 4;
    assert_true(reader_fixed(&r, 4, &value, &fault));
    assert_true(value == 0x88070605);
    r.at = 5;
    assert_false(reader_fixed(&r, 4, &value, &fault));
    assert_int_equal(r.at, 5);
    assert_int_equal(fault.offset, 8);
}

static void test_skip(void **state)
{
    static const uint8_t data[] = {1, 2, 3};
    struct wasm_reader r = reader_of(view_of(data, sizeof data), 1, sizeof data);
    struct wasm_fault fault;
    struct view v;

    (void)state;
    assert_false(reader_skip(&r, 3, &v, &fault));
    assert_false(reader_skip(&r, UINT32_MAX, &v, &fault));
    assert_int_equal(fault.offset, 1);
    assert_string_equal(fault.reason, "length out of bounds");
    assert_true(reader_skip(&r, 2, &v, &fault));
    assert_ptr_equal(v.data, data + 1);
    assert_true(reader_done(&r));
    assert_true(reader_skip(&r, 0, &v, &fault));
}

static const struct {
    const char *hex;
    bool ok;
} texts[] = {
    {"", true},
    {"41 7f 00", true},
    {"c2 80", true},
    {"df bf", true},
    {"e0 a0 80", true},
    {"ed 9f bf", true},
    {"ee 80 80", true},
    {"ef bf bf", true},
    {"f0 90 80 80", true},
    {"f4 8f bf bf", true},
    {"80", false},          /* begins inside of a character */
    {"c0 80", false},       /* overlong */
    {"c1 bf", false},       /* overlong */
    {"e0 9f bf", false},    /* overlong */
    {"ed a0 80", false},    /* a surrogate */
    {"f0 8f bf bf", false}, /* overlong */
    {"f4 90 80 80", false}, /* beyond U+10FFFF */
    {"f5 80 80 80", false},
    {"ff", false},
    {"c2", false}, /* cut short */
    {"e2 82", false},
    {"f0 90 80", false},
    {"c2 41", false},
    {"e2 82 41", false},
    {"e2 41 82", false},
    {"f0 90 80 41", false},
};

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct bytes text = {0}, b = {0};
        struct wasm_fault fault = {0};
        struct wasm_reader r;
        struct view name;
        bool ok;

        build_hex(&text, texts[i].hex);
        build_u32(&b, (uint32_t)text.size);
        bytes_append(&b, text.data, text.size);
        r = reader_over(&b);
        ok = reader_name(&r, &name, &fault);
        if (ok != texts[i].ok)
            fail_msg("%s: %s", texts[i].hex, ok ? "was accepted" : fault.reason);
        if (ok)
            assert_true(view_equal(name, bytes_view(&text)));
        else
            assert_string_equal(fault.reason, "malformed UTF-8 encoding");
        bytes_release(&text);
        bytes_release(&b);
    }
}

static void test_name_limits(void **state)
{
    struct wasm_fault fault;
    struct wasm_reader r;
    struct bytes b = {0};
    struct view name;

    (void)state;
    build_u32(&b, WASM_NAME_BYTES_MAX + 1);
    for (int i = 0; i < WASM_NAME_BYTES_MAX; i++)
        bytes_append_byte(&b, 'a');
    r = reader_over(&b);
    assert_false(reader_name(&r, &name, &fault));
    assert_string_equal(fault.reason, "length out of bounds");
    bytes_append_byte(&b, 'a');
    r = reader_over(&b);
    assert_false(reader_name(&r, &name, &fault));
    assert_starts(fault.reason, "name too long");
    assert_non_null(strstr(fault.reason, "limit 100000"));
    b.size = 0;
    build_u32(&b, WASM_NAME_BYTES_MAX);
    b.size += WASM_NAME_BYTES_MAX;
    memset(b.data + b.size - WASM_NAME_BYTES_MAX, 'a', WASM_NAME_BYTES_MAX);
    r = reader_over(&b);
    assert_true(reader_name(&r, &name, &fault));
    assert_int_equal(name.size, WASM_NAME_BYTES_MAX);
    bytes_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),     cmocka_unit_test(test_fixed),
        cmocka_unit_test(test_skip),        cmocka_unit_test(test_names),
        cmocka_unit_test(test_name_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
