/* module_decode and module_load: what is found in sections, and what is refused about them. */
#include "wasm_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define TYPE_VOID "01 04 01 60 00 00"

static const struct {
    const char *hex; /* behind the header */
    enum tern_err err;
    uint32_t offset;
    const char *reason; /* begins so */
} refused[] = {
    /* Sections. */
    {"0d 01 00", TERN_EMALFORMED, 8, "malformed section id 13 (exception handling: not supported)"},
    {"0e 01 00", TERN_EMALFORMED, 8, "malformed section id 14"},
    {"01 01 00 01 01 00", TERN_EMALFORMED, 11, "unexpected content after last section"},
    {"03 01 00 01 01 00", TERN_EMALFORMED, 11, "unexpected content after last section"},
    {"0a 01 00 0c 01 00", TERN_EMALFORMED, 11, "unexpected content after last section"},
    {"01 02 00", TERN_EMALFORMED, 8, "length out of bounds"},
    {"01 02 00 00", TERN_EMALFORMED, 11, "section size mismatch"},
    {"01", TERN_EMALFORMED, 9, "unexpected end"},
    {"00 00", TERN_EMALFORMED, 10, "unexpected end"},
    {"00 02 01 ff", TERN_EMALFORMED, 11, "malformed UTF-8 encoding"},
    {"0c 01 01", TERN_EMALFORMED, 11, "data count and data section have inconsistent lengths"},
    /* Counts beyond what follows. */
    {"01 05 ff ff ff ff 0f", TERN_EMALFORMED, 10, "unexpected end of section or function"},
    {"02 05 ff ff ff ff 0f", TERN_EMALFORMED, 10, "unexpected end of section or function"},
    {"03 05 ff ff ff ff 0f", TERN_EMALFORMED, 10, "unexpected end of section or function"},
    {"09 05 ff ff ff ff 0f", TERN_EMALFORMED, 10, "unexpected end of section or function"},
    {"0b 05 ff ff ff ff 0f", TERN_EMALFORMED, 10, "unexpected end of section or function"},
    {"01 07 01 60 ff ff ff ff 0f", TERN_EMALFORMED, 12, "unexpected end of section or function"},
    /* Types. */
    {"01 04 01 5f 00 00", TERN_EMALFORMED, 11, "malformed function type 0x5f (garbage"},
    {"01 05 01 60 01 64 00", TERN_EMALFORMED, 13, "malformed value type 0x64 (typed function"},
    {"04 04 01 7f 00 00", TERN_EMALFORMED, 11, "malformed reference type 0x7f"},
    {"05 04 01 03 01 01", TERN_EMALFORMED, 11, "integer too large (limits flag 0x03, threads"},
    {"05 03 01 04 01", TERN_EMALFORMED, 11, "integer too large (limits flag 0x04, 64-bit"},
    {"06 05 01 7f 02 41 00 0b", TERN_EMALFORMED, 12, "malformed mutability"},
    /* Imports and exports. */
    {"02 06 01 00 00 04 00 00", TERN_EMALFORMED, 13, "malformed import kind 0x04 (exception"},
    {"07 04 01 00 05 00", TERN_EMALFORMED, 12, "malformed export kind 0x05"},
    {"02 05 01 00 00 00 00", TERN_EINVALID, 11, "unknown type 0"},
    {"07 04 01 00 00 00", TERN_EINVALID, 11, "unknown function 0"},
    {"07 04 01 00 01 00", TERN_EINVALID, 11, "unknown table 0"},
    {"07 04 01 00 02 00", TERN_EINVALID, 11, "unknown memory 0"},
    {"07 04 01 00 03 00", TERN_EINVALID, 11, "unknown global 0"},
    {"05 03 01 00 01 07 0d 03 01 61 02 00 01 62 02 00 01 61 02 00", TERN_EINVALID, 24,
     "duplicate export name"},
    /* Functions, code, start. */
    {TYPE_VOID " 03 02 01 00", TERN_EMALFORMED, 18, "function and code section have inconsistent"},
    {TYPE_VOID " 03 02 01 00 0a 01 00", TERN_EMALFORMED, 20,
     "function and code section have incon"},
    {"0a 04 01 02 00 0b", TERN_EMALFORMED, 10, "function and code section have inconsistent"},
    {TYPE_VOID " 03 02 01 00 0a 04 01 03 00 0b", TERN_EMALFORMED, 21, "unexpected end"},
    {TYPE_VOID " 03 02 01 00 0a 04 01 02 00 01", TERN_EMALFORMED, 24, "unexpected end"},
    {TYPE_VOID " 03 02 01 00 0a 05 01 03 00 0b 0b", TERN_EMALFORMED, 24, "END opcode expected"},
    {"03 02 01 00 0a 04 01 02 00 0b", TERN_EINVALID, 17, "unknown type 0"},
    {"08 01 05", TERN_EINVALID, 10, "unknown function 5"},
    {"01 05 01 60 01 7f 00 03 02 01 00 08 01 00 0a 04 01 02 00 0b", TERN_EINVALID, 21,
     "start function"},
    /* Tables and memories. */
    {"04 05 01 70 01 02 01", TERN_EINVALID, 11, "size minimum must not be greater than maximum"},
    {"04 07 01 70 00 81 ad e2 04", TERN_EMALFORMED, 11,
     "table 0 too large (10000001 elements, lim"},
    {"05 05 02 00 01 00 01", TERN_EINVALID, 13, "multiple memories (limit 1)"},
    {"05 06 01 01 00 81 80 04", TERN_EINVALID, 11, "memory size must be at most 65536 pages (4GiB"},
    {"05 05 01 00 81 80 04", TERN_EINVALID, 11, "memory size must be at most 65536 pages (4GiB)"},
    {"05 04 01 01 02 01", TERN_EINVALID, 11, "size minimum must not be greater than maximum"},
    /* Constant expressions. */
    {"06 08 01 7f 00 41 00 41 00 0b", TERN_EINVALID, 13, "type mismatch in constant expression"},
    {"06 04 01 7f 00 0b", TERN_EINVALID, 13, "type mismatch in constant expression"},
    {"06 09 01 7f 00 41 00 41 00 6a 0b", TERN_EINVALID, 17,
     "constant expression required (found i"},
    {"06 07 01 7f 00 02 40 0b 0b", TERN_EINVALID, 13, "constant expression required (found block"},
    {"06 06 01 7f 00 42 00 0b", TERN_EINVALID, 13, "type mismatch in constant expression"},
    {"06 06 01 7f 00 23 00 0b", TERN_EINVALID, 13, "unknown global 0"},
    {"02 06 01 00 00 03 7f 01 06 06 01 7f 00 23 00 0b", TERN_EINVALID, 21,
     "constant expression required (global 0 is mutable)"},
    {"06 06 01 70 00 d2 03 0b", TERN_EINVALID, 13, "unknown function 3"},
    {"06 05 01 7f 00 41 00", TERN_EMALFORMED, 15, "unexpected end"},
    {"06 07 01 7f 00 12 00 0b 00", TERN_EMALFORMED, 13, "illegal opcode 0x12"},
    /* Segments. */
    {"09 05 01 08 00 00 00", TERN_EMALFORMED, 11, "malformed elements segment kind 8"},
    {"09 05 01 01 01 00 00", TERN_EMALFORMED, 12, "malformed element kind 0x01"},
    {"09 06 01 00 41 00 0b 00", TERN_EINVALID, 11, "unknown table 0"},
    {"04 04 01 6f 00 01 09 06 01 00 41 00 0b 00", TERN_EINVALID, 17, "type mismatch (segment of f"},
    {"04 04 01 70 00 01 09 06 01 00 42 00 0b 00", TERN_EINVALID, 18, "type mismatch in constant"},
    {"09 05 01 01 00 01 07", TERN_EINVALID, 14, "unknown function 7"},
    {"09 07 01 05 6f 01 d0 70 0b", TERN_EINVALID, 14, "type mismatch in constant expression"},
    {"0b 05 01 03 00 00 00", TERN_EMALFORMED, 11, "malformed data segment kind 3"},
    {"0b 06 01 00 41 00 0b 00", TERN_EINVALID, 11, "unknown memory 0"},
    {"05 03 01 00 01 0b 07 01 02 01 41 00 0b 00", TERN_EINVALID, 16, "unknown memory 1"},
};

static void assert_refused(const struct bytes *b, enum tern_err err, uint32_t offset,
                           const char *reason, const char *label)
{
    struct wasm_fault fault = {0};
    struct wasm_module m;
    enum tern_err got = module_load(&m, bytes_view(b), &fault);

    if (got != err || fault.offset != offset || strncmp(fault.reason, reason, strlen(reason)) != 0)
        fail_msg("%s: %s at %u: %s", label, tern_err_text(got), fault.offset, fault.reason);
    assert_null(m.arena.blocks);
    assert_int_equal(m.func_count, 0);
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct bytes b = build_module(refused[i].hex);

        assert_refused(&b, refused[i].err, refused[i].offset, refused[i].reason, refused[i].hex);
        bytes_release(&b);
    }
}

static void test_header(void **state)
{
    static const struct {
        const char *hex;
        const char *reason;
    } cases[] = {
        {"", "unexpected end"},
        {"00 61 73", "unexpected end"},
        {"7f 45 4c 46", "magic header not detected"},
        {"00 61 73 6d", "unexpected end"},
        {"00 61 73 6d 01 00 00", "unexpected end"},
        {"00 61 73 6d 0d 00 01 00", "unknown binary version"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wasm_fault fault;
        struct wasm_module m;
        struct bytes b = {0};

        build_hex(&b, cases[i].hex);
        assert_int_equal(module_load(&m, bytes_view(&b), &fault), TERN_EMALFORMED);
        assert_memory_equal(fault.reason, cases[i].reason, strlen(cases[i].reason));
        bytes_release(&b);
    }
}

static struct wasm_module loaded(const struct bytes *b)
{
    struct wasm_fault fault = {0};
    struct wasm_module m;
    enum tern_err err = module_load(&m, bytes_view(b), &fault);

    if (err)
        fail_msg("%s at %u: %s", tern_err_text(err), fault.offset, fault.reason);
    return m;
}

static void test_empty(void **state)
{
    struct bytes b = build_module("");
    struct wasm_module m = loaded(&b);

    (void)state;
    assert_int_equal(m.func_count, 0);
    assert_int_equal(m.code_section, 0);
    assert_false(m.has_start);
    module_release(&m);
    module_release(&m);
    bytes_release(&b);
}

static void assert_index_spaces(const struct wasm_module *m)
{
    assert_int_equal(m->import_count, 2);
    assert_int_equal(m->imports[0].kind, WASM_FUNC);
    assert_int_equal(m->imports[1].kind, WASM_GLOBAL);
    assert_int_equal(m->imports[1].index, 0);
    assert_true(view_equal(m->imports[1].field, view_of_string("g")));
    assert_int_equal(m->imported_funcs, 1);
    assert_true(m->funcs[0].imported);
    assert_false(m->funcs[1].imported);
    assert_int_equal(m->table_count, 1);
    assert_int_equal(m->tables[0].elemtype, WASM_FUNCREF);
    assert_int_equal(m->tables[0].bounds.max, 16);
    assert_int_equal(m->memory_count, 1);
    assert_true(m->memories[0].bounds.has_max);
    assert_int_equal(m->global_count, 3);
    assert_true(m->globals[0].imported);
    assert_int_equal(m->globals[1].init.kind, WASM_CONST_BITS);
    assert_int_equal(m->globals[1].init.valtype, WASM_I32);
    assert_true(m->globals[1].init.bits[0] == 7);
    assert_true(m->globals[2].init.bits[0] == 0x0706050403020100);
    assert_true(m->globals[2].init.bits[1] == 0x0f0e0d0c0b0a0908);
}

static void assert_segments(const struct wasm_module *m)
{
    assert_int_equal(m->elem_count, 2);
    assert_int_equal(m->elems[0].mode, WASM_ACTIVE);
    assert_int_equal(m->elems[0].at.valtype, WASM_I32);
    assert_int_equal(m->elems[0].init_count, 2);
    assert_int_equal(m->elems[0].inits[1].kind, WASM_CONST_REF_FUNC);
    assert_int_equal(m->elems[0].inits[1].index, 2);
    assert_int_equal(m->elems[1].mode, WASM_PASSIVE);
    assert_int_equal(m->elems[1].inits[0].index, 3);
    assert_int_equal(m->data_count, 2);
    assert_true(m->has_data_count);
    assert_true(m->datas[0].at.bits[0] == 16);
    assert_true(view_equal(m->datas[0].bytes, view_of_string("hi")));
    assert_int_equal(m->datas[1].mode, WASM_PASSIVE);
}

static void test_everything(void **state)
{
    struct bytes b = build_everything();
    struct wasm_module m = loaded(&b);
    const struct wasm_func *last = &m.funcs[m.func_count - 1];

    (void)state;
    assert_index_spaces(&m);
    assert_segments(&m);
    assert_int_equal(m.types[1].canonical, 0);
    assert_true(m.has_start);
    assert_int_equal(m.start, 2);
    assert_int_equal(m.custom_count, 21);
    assert_true(m.uses_v128);
    assert_int_equal(b.data[m.code_section], 0x84); /* 900 functions: 84 07 */
    assert_int_equal(last->local_count, 4);
    assert_int_equal(last->local_runs, 2);
    assert_int_equal(last->locals[0].count, 3);
    assert_int_equal(last->locals[1].valtype, WASM_V128);
    assert_int_equal(b.data[last->code_offset], 0x02);
    assert_int_equal(b.data[last->code_end - 1], 0x0b);
    assert_true(view_equal(last->name, view_of_string("some_function")));
    assert_int_equal(m.funcs[0].name.size, 0);
    for (uint32_t i = 0; i < m.func_count; i++)
        assert_int_equal(m.func_declared[i], i >= 1 && i <= 3);
    module_release(&m);
    bytes_release(&b);
}

static void test_lookups(void **state)
{
    struct bytes b = build_everything();
    struct wasm_module m = loaded(&b);

    (void)state;
    assert_ptr_equal(module_find_export(&m, view_of_string("a"), WASM_FUNC), &m.exports[0]);
    assert_ptr_equal(module_find_export(&m, view_of_string("b"), WASM_TABLE), &m.exports[1]);
    assert_null(module_find_export(&m, view_of_string("a"), WASM_TABLE));
    assert_null(module_find_export(&m, view_of_string("ab"), WASM_FUNC));
    assert_null(module_find_export(&m, view_of_string(""), WASM_FUNC));
    assert_ptr_equal(module_func_type(&m, 0), &m.types[0]);
    module_release(&m);
    bytes_release(&b);
}

static void test_valtypes(void **state)
{
    static const struct {
        uint8_t valtype;
        char letter;
        const char *name;
        bool is_ref;
    } cases[] = {
        {WASM_I32, 'i', "i32", false},
        {WASM_I64, 'I', "i64", false},
        {WASM_F32, 'f', "f32", false},
        {WASM_F64, 'd', "f64", false},
        {WASM_V128, 'v', "v128", false},
        {WASM_FUNCREF, 'r', "funcref", true},
        {WASM_EXTERNREF, 'e', "externref", true},
        {0x40, 0, "?", false},
        {0, 0, "?", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(wasm_valtype_letter(cases[i].valtype), cases[i].letter);
        assert_string_equal(wasm_valtype_name(cases[i].valtype), cases[i].name);
        assert_int_equal(wasm_valtype_is_ref(cases[i].valtype), cases[i].is_ref);
    }
}

static void test_canonical(void **state)
{
    /* []->[], [i32]->[], []->[i32], [i32]->[], [i32 i32]->[], []->[i32], []->[] */
    static const uint32_t expected[] = {0, 1, 2, 1, 4, 2, 0};
    struct bytes b = build_module("01 1c 07 60 00 00 60 01 7f 00 60 00 01 7f 60 01 7f 00 "
                                  "60 02 7f 7f 00 60 00 01 7f 60 00 00");
    struct wasm_module m = loaded(&b);

    (void)state;
    assert_int_equal(m.type_count, 7);
    for (uint32_t i = 0; i < m.type_count; i++)
        assert_int_equal(m.types[i].canonical, expected[i]);
    module_release(&m);
    bytes_release(&b);
}

static void test_global_of_import(void **state)
{
    struct bytes b = build_module("02 06 01 00 00 03 7e 00 06 06 01 7e 00 23 00 0b");
    struct wasm_module m = loaded(&b);

    (void)state;
    assert_int_equal(m.globals[1].init.kind, WASM_CONST_GLOBAL);
    assert_int_equal(m.globals[1].init.index, 0);
    assert_int_equal(m.globals[1].init.valtype, WASM_I64);
    module_release(&m);
    bytes_release(&b);
}

#define ONE_FUNC TYPE_VOID " 03 02 01 00 0a 04 01 02 00 0b "

/* Custom sections "name" behind a module of one function, and that function's name then. */
static void test_names(void **state)
{
    static const struct {
        const char *hex;
        const char *name;
    } cases[] = {
        {"00 0b 04 6e 61 6d 65 01 04 01 00 01 66", "f"},
        {"00 0f 04 6e 61 6d 65 00 02 01 6d 01 04 01 00 01 66", "f"},
        {"00 0f 04 6e 61 6d 65 01 04 01 00 01 66 02 02 00 00", "f"},
        {"00 05 04 6e 61 6d 65", ""},
        {"00 0b 04 6e 61 6d 65 01 04 01 01 01 66", ""},          /* no such function */
        {"00 0b 04 6e 61 6d 65 01 04 01 00 02 66", ""},          /* name cut short */
        {"00 0b 04 6e 61 6d 65 01 04 01 00 01 ff", ""},          /* not UTF-8 */
        {"00 0b 04 6e 61 6d 65 01 05 01 00 01 66", ""},          /* subsection cut short */
        {"00 0c 04 6e 61 6d 65 01 05 01 00 01 66 00", ""},       /* bytes left over */
        {"00 0e 04 6e 61 6d 65 01 07 02 00 01 66 09 01 67", ""}, /* broken at its end */
        {"00 0c 04 6e 61 6d 65 01 04 01 00 01 66 01", ""},       /* broken behind it */
        {"00 0b 04 6e 61 6d 66 01 04 01 00 01 66", ""},          /* another section */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes b = build_module(ONE_FUNC);
        struct wasm_module m;

        build_hex(&b, cases[i].hex);
        m = loaded(&b);
        if (!view_equal(m.funcs[0].name, view_of_string(cases[i].name)))
            fail_msg("%s: \"%.*s\"", cases[i].hex, (int)m.funcs[0].name.size,
                     (const char *)m.funcs[0].name.data);
        module_release(&m);
        bytes_release(&b);
    }
}

/* An invalid function does not hide that a later one is malformed. */
static void test_malformed_outranks(void **state)
{
    struct bytes b = build_module(TYPE_VOID " 03 03 02 00 00 0a 09 02 03 00 6a 0b 03 00 ff 0b");
    struct wasm_fault fault;
    struct wasm_module m;

    (void)state;
    assert_refused(&b, TERN_EMALFORMED, 28, "illegal opcode 0xff", "load");
    assert_int_equal(module_decode(&m, bytes_view(&b), &fault), TERN_OK);
    assert_int_equal(module_validate(&m, &fault), TERN_EINVALID);
    assert_int_equal(fault.offset, 24);
    module_release(&m);
    bytes_release(&b);
}

/* No byte may be read behind the end: an address checker watches the copy. */
static void test_cut_short(void **state)
{
    struct bytes whole = build_everything();

    (void)state;
    for (size_t size = 0; size < whole.size; size += size < 600 ? 1 : 97) {
        struct bytes part = {0};
        struct wasm_fault fault = {0};
        struct wasm_module m;

        bytes_append(&part, whole.data, size);
        if (module_load(&m, bytes_view(&part), &fault) == TERN_OK)
            module_release(&m);
        else
            assert_true(fault.reason[0] && fault.offset <= size);
        bytes_release(&part);
    }
    bytes_release(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),   cmocka_unit_test(test_header),
        cmocka_unit_test(test_empty),     cmocka_unit_test(test_everything),
        cmocka_unit_test(test_lookups),   cmocka_unit_test(test_valtypes),
        cmocka_unit_test(test_canonical), cmocka_unit_test(test_global_of_import),
        cmocka_unit_test(test_names),     cmocka_unit_test(test_malformed_outranks),
        cmocka_unit_test(test_cut_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
