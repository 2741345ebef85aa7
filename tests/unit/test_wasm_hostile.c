/* module_load: input made to be large, deep or slow ends at a limit that is named, or well. */
#include "wasm_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void repeat(struct bytes *b, const char *hex, uint32_t times)
{
    struct bytes part = {0};

    build_hex(&part, hex);
    for (uint32_t i = 0; i < times; i++)
        bytes_append(b, part.data, part.size);
    bytes_release(&part);
}

/* Loads and releases; NULL: it must load. Both are emptied. */
static void assert_load(struct bytes *module, struct bytes *code, const char *reason)
{
    struct wasm_fault fault = {0};
    struct wasm_module m;
    enum tern_err err = module_load(&m, bytes_view(module), &fault);

    if (err ? !reason || strncmp(fault.reason, reason, strlen(reason)) : reason != NULL)
        fail_msg("%s: %s instead of %s", tern_err_text(err), fault.reason, reason ? reason : "ok");
    if (!err)
        module_release(&m);
    bytes_release(module);
    bytes_release(code);
}

static void assert_body(const char *type, const char *locals, struct bytes *code,
                        const char *reason)
{
    struct bytes module = build_around(type, locals, code);

    assert_load(&module, code, reason);
}

static void test_nesting(void **state)
{
    static const char *const openings[] = {"02 40", "03 40", "41 00 04 40"};

    (void)state;
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t depth = WASM_NESTING_MAX + i / 3;
        struct bytes code = {0};

        repeat(&code, openings[i % 3], depth);
        repeat(&code, "0b", depth);
        assert_body("60 00 00", "00", &code,
                    i < 3 ? NULL : "blocks nested too deeply (limit 10000)");
    }
}

/* The limit holds, too, where a type error comes first and only the form is looked at. */
static void test_nesting_form(void **state)
{
    struct bytes code = {0};

    (void)state;
    repeat(&code, "6a", 1);
    repeat(&code, "02 40", WASM_NESTING_MAX + 1);
    repeat(&code, "0b", WASM_NESTING_MAX + 1);
    assert_body("60 00 00", "00", &code, "blocks nested too deeply (limit 10000)");
    repeat(&code, "6a", 1);
    repeat(&code, "02 40", WASM_NESTING_MAX);
    repeat(&code, "0b", WASM_NESTING_MAX);
    assert_body("60 00 00", "00", &code, "type mismatch in i32.add");
}

static void test_stack(void **state)
{
    struct bytes code = {0};

    (void)state;
    repeat(&code, "41 00", WASM_STACK_MAX);
    repeat(&code, "1a", WASM_STACK_MAX);
    assert_body("60 00 00", "00", &code, NULL);
    repeat(&code, "41 00", WASM_STACK_MAX + 1);
    repeat(&code, "1a", WASM_STACK_MAX + 1);
    assert_body("60 00 00", "00", &code, "too many operands on the stack (limit 100000)");
}

static void test_locals(void **state)
{
    struct bytes code = {0};

    (void)state;
    assert_body("60 00 00", "01 d0 86 03 7f", &code, NULL);
    assert_body("60 00 00", "01 d1 86 03 7f", &code, "too many locals (50001, limit 50000)");
    assert_body("60 01 7f 00", "01 d0 86 03 7f", &code, "too many locals (50001, limit 50000)");
    /* A sum that is small in 32 bits. */
    assert_body("60 00 00", "03 ff ff ff ff 0f 7f ff ff ff ff 0f 7e 02 7f", &code,
                "too many locals (8589934592, limit 50000)");
    assert_body("60 00 00", "ff ff ff ff 0f 01 7f", &code, "unexpected end");
}

static void test_empty_runs(void **state)
{
    struct bytes module = build_module("01 04 01 60 00 00 03 02 01 00"), s = {0}, body = {0};

    (void)state;
    build_u32(&body, 1000000);
    repeat(&body, "00 7f", 1000000);
    build_hex(&body, "0b");
    build_u32(&s, 1);
    build_u32(&s, (uint32_t)body.size);
    bytes_append(&s, body.data, body.size);
    build_section(&module, 10, &s);
    assert_load(&module, &body, NULL);
}

/* A label for each of 10,000 blocks and many times over: each block is looked at once. */
static void test_br_table(void **state)
{
    struct bytes code = {0};
    uint32_t i;

    (void)state;
    repeat(&code, "02 40", WASM_NESTING_MAX);
    for (uint32_t n = 0; n < 20; n++) {
        build_hex(&code, "00 0e");
        build_u32(&code, WASM_BR_TABLE_MAX);
        for (i = 0; i <= WASM_BR_TABLE_MAX; i++)
            build_u32(&code, i % WASM_NESTING_MAX);
    }
    repeat(&code, "0b", WASM_NESTING_MAX);
    assert_body("60 00 00", "00", &code, NULL);
}

static void many_values(struct bytes *b, uint32_t count)
{
    build_u32(b, count);
    repeat(b, "7f", count);
}

static void test_arity(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t params = i == 1 ? WASM_PARAMS_MAX + 1 : WASM_PARAMS_MAX;
        uint32_t results = i == 2 ? WASM_RESULTS_MAX + 1 : WASM_RESULTS_MAX;
        struct bytes module = build_module(""), s = {0};

        build_hex(&s, "01 60");
        many_values(&s, params);
        many_values(&s, results);
        build_section(&module, 1, &s);
        assert_load(&module, &s,
                    i == 1   ? "too many parameters (1001, limit 1000)"
                    : i == 2 ? "too many results (1001, limit 1000)"
                             : NULL);
    }
}

/* A thousand operands for every two bytes of code. */
static void test_wide_blocks(void **state)
{
    struct bytes module = build_module(""), s = {0}, code = {0};

    (void)state;
    build_hex(&s, "02 60");
    many_values(&s, 1000);
    many_values(&s, 1000);
    build_hex(&s, "60 00 00");
    build_section(&module, 1, &s);
    build_hex(&s, "01 01");
    build_section(&module, 3, &s);
    repeat(&code, "00 02 00", 5000); /* block: 1000 from nowhere to 1000 */
    repeat(&code, "41 00 0d 00", 50000);
    repeat(&code, "0b", 5000);
    repeat(&code, "1a", 1000);
    build_hex(&s, "01");
    build_body(&s, "00", &code);
    build_section(&module, 10, &s);
    assert_load(&module, &code, NULL);
}

static void test_module_limits(void **state)
{
    static const struct {
        const char *before; /* sections in front */
        uint8_t id;
        uint32_t count;
        const char *entry;
        const char *reason;
    } cases[] = {
        {"", 1, WASM_TYPES_MAX + 1, "60 00 00", "too many types (1000001, limit 1000000)"},
        {"", 2, WASM_IMPORTS_MAX + 1, "00 00 00 00", "too many imports (100001, limit 100000)"},
        {"02 05 01 00 00 00 00", 3, WASM_FUNCS_MAX, "00",
         "too many functions (1000000, limit 999999)"},
        {"", 4, WASM_TABLES_MAX + 1, "70 00 00", "too many tables (101, limit 100)"},
        {"", 4, WASM_TABLES_MAX, "70 00 00", NULL},
        {"", 2, WASM_TABLES_MAX + 1, "00 00 01 70 00 00", "too many tables (101, limit 100)"},
        {"", 5, 100000, "00 00", "too many memories"},
        {"", 2, 50000, "00 00 02 00 00", "multiple memories (limit 1)"},
        {"", 6, WASM_GLOBALS_MAX + 1, "7f 00 41 00 0b",
         "too many globals (1000001, limit 1000000)"},
        {"", 7, WASM_EXPORTS_MAX + 1, "00 03 00", "too many exports (1000001, limit 1000000)"},
        {"", 9, WASM_ELEMS_MAX + 1, "01 00 00",
         "too many element segments (1000001, limit 1000000)"},
        {"", 11, WASM_DATAS_MAX + 1, "01 00", "too many data segments (1000001, limit 1000000)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes module = build_module(cases[i].before), s = {0};

        build_u32(&s, cases[i].count);
        repeat(&s, cases[i].entry, cases[i].count);
        build_section(&module, cases[i].id, &s);
        assert_load(&module, &s, cases[i].reason);
    }
}

static void test_customs(void **state)
{
    (void)state;
    for (uint32_t more = 0; more < 2; more++) {
        struct bytes module = build_module(""), none = {0};

        repeat(&module, "00 01 00", WASM_CUSTOMS_MAX + more);
        assert_load(&module, &none, more ? "too many custom sections (limit 10000)" : NULL);
    }
}

static void test_elements(void **state)
{
    struct bytes module = build_module(""), s = {0};

    (void)state;
    build_hex(&s, "02 01 00");
    build_u32(&s, 5000001);
    repeat(&s, "00", 5000001);
    build_hex(&s, "01 00");
    build_u32(&s, 5000000);
    repeat(&s, "00", 5000000);
    build_section(&module, 9, &s);
    assert_load(&module, &s, "too many elements in segments (5000000, limit 4999999)");
}

static void test_function_size(void **state)
{
    (void)state;
    for (uint32_t more = 0; more < 2; more++) {
        struct bytes code = {0};

        repeat(&code, "01", WASM_FUNC_BYTES_MAX - 2 + more);
        assert_body("60 00 00", "00", &code,
                    more ? "function body too large (7654322 bytes, limit 7654321)" : NULL);
    }
}

/* Only pretends to have so many bytes: they must not be looked at. */
static void test_module_size(void **state)
{
    static const uint8_t one = 0;
    struct wasm_fault fault = {0};
    struct wasm_module m;

    (void)state;
    assert_int_equal(module_load(&m, view_of(&one, (size_t)WASM_MODULE_BYTES_MAX + 1), &fault),
                     TERN_EMALFORMED);
    assert_string_equal(fault.reason, "module too large (limit 1073741824 bytes)");
}

/* Equal but for their ends, in an order that would make naive searches quadratic. */
static void test_many_exports(void **state)
{
    struct bytes module = build_module("05 03 01 00 01"), s = {0};

    (void)state;
    build_u32(&s, 200000);
    for (uint32_t i = 0; i < 200000; i++) {
        char name[40];

        snprintf(name, sizeof name, "a_rather_long_common_start_%08u", 200000 - i);
        build_name(&s, name);
        build_hex(&s, "02 00");
    }
    build_section(&module, 7, &s);
    assert_load(&module, &s, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nesting),       cmocka_unit_test(test_nesting_form),
        cmocka_unit_test(test_stack),         cmocka_unit_test(test_locals),
        cmocka_unit_test(test_empty_runs),    cmocka_unit_test(test_br_table),
        cmocka_unit_test(test_arity),         cmocka_unit_test(test_wide_blocks),
        cmocka_unit_test(test_module_limits), cmocka_unit_test(test_customs),
        cmocka_unit_test(test_elements),      cmocka_unit_test(test_function_size),
        cmocka_unit_test(test_module_size),   cmocka_unit_test(test_many_exports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
