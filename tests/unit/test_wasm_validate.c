/* module_load: the types of code, and the facts it finds out about each function. */
#include "wasm_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Bodies of a function []->[] in the module of build_around. */
static const struct {
    const char *code;
    const char *reason; /* NULL: valid */
} bodies[] = {
    {"", NULL},
    {"01", NULL},
    {"41 00", "type mismatch in end (1 operands left over)"},
    {"6a", "type mismatch in i32.add (expected i32, found nothing)"},
    {"41 00 6a", "type mismatch in i32.add (expected i32, found nothing)"},
    {"42 00 41 00 6a 1a", "type mismatch in i32.add (expected i32, found i64)"},
    {"41 00 41 00 6a 1a", NULL},
    {"1a", "type mismatch in drop (expected an operand, found nothing)"},
    /* Code that is never reached. */
    {"00 6a 1a", NULL},
    {"00 42 00 6a 1a", "type mismatch in i32.add (expected i32, found i64)"},
    {"00 1b 1a", NULL},
    {"00 1b 45 1a", NULL},
    {"00 43 00 00 00 00 41 00 1b 45 1a", "type mismatch in i32.eqz (expected i32, found f32)"},
    {"00 d1 1a", NULL},
    {"0f 41 00", "type mismatch in end (1 operands left over)"},
    {"00 02 40 6a 0b", "type mismatch in i32.add (expected i32, found nothing)"},
    {"0c 00 6a 6a 1a", NULL},
    /* Blocks. */
    {"02 7f 41 00 0b 1a", NULL},
    {"02 7f 0b 1a", "type mismatch in end (expected i32, found nothing)"},
    {"02 40 41 00 0b", "type mismatch in end (1 operands left over)"},
    {"41 00 02 40 1a 0b", "type mismatch in drop (expected an operand, found nothing)"},
    {"41 00 02 03 0b 1a 1a", "type mismatch in end (expected i32, found nothing)"},
    {"41 00 02 03 41 01 0b 1a 1a", NULL},
    {"02 04 0b", "unknown type 4"},
    {"41 00 04 40 0b", NULL},
    {"41 00 04 40 05 0b", NULL},
    {"41 00 04 7f 41 00 0b 1a", "type mismatch in if (it has results but no else)"},
    {"41 00 04 7f 41 00 05 41 01 0b 1a", NULL},
    {"41 00 04 7f 41 00 05 42 01 0b 1a", "type mismatch in end (expected i32, found i64)"},
    {"41 00 04 7f 42 00 05 41 01 0b 1a", "type mismatch in else (expected i32, found i64)"},
    {"05", "END opcode expected"},
    {"02 40 05 0b", "END opcode expected"},
    {"41 00 04 40 05 05 0b", "END opcode expected"},
    {"41 00 04 40 00 05 1a 0b", "type mismatch in drop (expected an operand, found nothing)"},
    /* A wrong type and, behind it, a bad form: that outranks it. */
    {"6a 05", "END opcode expected"},
    {"6a 02 40 05 0b", "END opcode expected"},
    {"6a 41 00 04 40 05 05 0b", "END opcode expected"},
    {"6a 41 00 04 40 05 0b 41 00 04 40 05 0b", "type mismatch in i32.add"},
    /* Branches. */
    {"0c 01", "unknown label 1"},
    {"02 7f 0c 00 0b 1a", "type mismatch in br (expected i32, found nothing)"},
    {"02 7f 41 00 0c 00 0b 1a", NULL},
    {"03 7f 0c 00 0b 1a", NULL}, /* a loop's label takes its parameters */
    {"02 7f 41 00 41 00 0d 00 0b 1a", NULL},
    {"02 7f 42 00 41 00 0d 00 0b 1a", "type mismatch in br_if (expected i32, found i64)"},
    {"0d 00", "type mismatch in br_if (expected i32, found nothing)"},
    {"02 7f 02 7e 41 00 41 00 0e 01 00 01 0b 1a 41 00 0b 1a",
     "type mismatch in br_table (expected "},
    {"02 7f 02 40 41 00 41 00 0e 01 00 01 0b 41 00 0b 1a",
     "type mismatch in br_table (labels of d"},
    {"02 7f 02 7e 00 0e 01 00 01 0b 1a 41 00 0b 1a", NULL},
    {"02 7f 41 00 41 00 0e 03 00 00 00 00 0b 1a", NULL},
    {"41 00 0e 01 00 01", "unknown label 1"},
    {"02 7f 02 40 41 00 41 00 0e 00 01 0b 42 00 41 00 0e 00 00 0b 1a",
     "type mismatch in br_table (expected i32, found i64)"},
    {"02 7f 00 41 00 0d 00 0b 1a", NULL},
    {"02 7f 00 0d 00 8c 0b 1a", "type mismatch in f32.neg (expected f32, found i32)"},
    /* Calls. */
    {"10 02", NULL},
    {"10 03", "unknown function 3"},
    {"10 00", "type mismatch in call (expected i64, found nothing)"},
    {"41 00 42 00 10 00 1a", NULL},
    {"42 00 41 00 10 00 1a", "type mismatch in call (expected i64, found i32)"},
    {"41 00 11 01 00", NULL},
    {"41 00 11 01 01", "type mismatch in call_indirect (expected funcref, found externref)"},
    {"41 00 11 01 02", "unknown table 2"},
    {"41 00 11 04 00", "unknown type 4"},
    {"41 00 41 00 11 03 00 1a 1a", NULL},
    /* Variables. */
    {"20 00", "unknown local 0"},
    {"23 00 1a", NULL},
    {"23 02 1a", "unknown global 2"},
    {"41 00 24 00", "global is immutable"},
    {"42 00 24 01", NULL},
    {"41 00 24 01", "type mismatch in global.set (expected i64, found i32)"},
    /* Select. */
    {"41 00 41 00 41 00 1b 1a", NULL},
    {"41 00 42 00 41 00 1b 1a", "type mismatch in select (expected i32, found i64)"},
    {"d0 70 d0 70 41 00 1b 1a", "type mismatch in select (references need the form with a type)"},
    {"d0 70 d0 70 41 00 1c 01 70 1a", NULL},
    {"d0 70 d0 6f 41 00 1c 01 70 1a", "type mismatch in select_t (expected funcref, found extern"},
    {"41 00 41 00 41 00 1c 00 1a", "invalid result arity"},
    {"41 00 41 00 41 00 1c 02 7f 7f 1a", "invalid result arity"},
    /* References and tables. */
    {"d2 02 1a", NULL},
    {"d2 01 1a", "undeclared function reference"},
    {"d2 05 1a", "unknown function 5"},
    {"41 00 d1 1a", "type mismatch in ref.is_null (expected a reference, found i32)"},
    {"41 00 25 01 d1 1a", NULL},
    {"41 00 d0 6f 26 01", NULL},
    {"41 00 d0 70 26 01", "type mismatch in table.set (expected externref, found funcref)"},
    {"d0 70 41 01 fc 0f 00 1a", NULL},
    {"41 00 d0 6f 41 01 fc 11 01", NULL},
    {"fc 10 01 1a", NULL},
    {"fc 10 02 1a", "unknown table 2"},
    {"41 00 41 00 41 00 fc 0e 00 00", NULL},
    {"41 00 41 00 41 00 fc 0e 00 01", "type mismatch in table.copy (expected funcref, found ext"},
    {"41 00 41 00 41 00 fc 0c 00 00", NULL},
    {"41 00 41 00 41 00 fc 0c 01 00", "type mismatch in table.init (expected funcref, found ext"},
    {"41 00 41 00 41 00 fc 0c 02 00", "unknown elem segment 2"},
    {"fc 0d 01", NULL},
    {"fc 0d 02", "unknown elem segment 2"},
    /* Memory. */
    {"41 00 28 02 00 1a", NULL},
    {"41 00 28 03 00 1a", "alignment must not be larger than natural"},
    {"41 00 fd 00 04 00 1a", NULL},
    {"41 00 fd 00 05 00 1a", "alignment must not be larger than natural"},
    {"41 00 2d 1f 00 1a", "alignment must not be larger than natural"},
    {"41 00 41 00 41 00 fc 08 00 00", NULL},
    {"41 00 41 00 41 00 fc 08 01 00", "unknown data segment 1"},
    {"fc 09 00", NULL},
    {"fc 09 01", "unknown data segment 1"},
    {"41 00 41 00 41 00 fc 0b 00", NULL},
    /* Lanes: i8x16.extract_lane_s, i64x2.extract_lane, v128.load8_lane, v128.load64_lane. */
    {"00 fd 15 0f 1a", NULL},
    {"00 fd 15 10 1a", "invalid lane index 16 (of 16)"},
    {"00 fd 1d 01 1a", NULL},
    {"00 fd 1d 02 1a", "invalid lane index 2 (of 2)"},
    {"00 fd 54 00 00 0f 1a", NULL},
    {"00 fd 54 00 00 10 1a", "invalid lane index 16 (of 16)"},
    {"00 fd 57 03 00 01 1a", NULL},
    {"00 fd 57 03 00 02 1a", "invalid lane index 2 (of 2)"},
    {"00 fd 0d 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 1f 1a", NULL},
    {"00 fd 0d 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 20 1a",
     "invalid lane index 32 (of 32)"},
};

static void test_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        const char *reason = bodies[i].reason;
        struct bytes b = build_around_hex("60 00 00", "00", bodies[i].code);
        struct wasm_fault fault = {0};
        struct wasm_module m;
        enum tern_err err = module_load(&m, bytes_view(&b), &fault);

        if (reason && strncmp(fault.reason, reason, strlen(reason)) != 0)
            fail_msg("%s: %s", bodies[i].code, err ? fault.reason : "accepted");
        if (!reason && err)
            fail_msg("%s: %s", bodies[i].code, fault.reason);
        if (err)
            assert_int_equal(err,
                             strncmp(fault.reason, "END", 3) ? TERN_EINVALID : TERN_EMALFORMED);
        if (!err)
            module_release(&m);
        bytes_release(&b);
    }
}

static const struct facts {
    const char *type, *locals, *code;
    uint32_t local_count, stack_max, insn_count;
    bool calls, loops, uses_memory, uses_v128;
} facts[] = {
    {"60 00 00", "00", "", 0, 0, 1, false, false, false, false},
    {"60 00 00", "00", "01 01", 0, 0, 3, false, false, false, false},
    {"60 00 00", "00", "41 00 41 00 41 00 1a 1a 1a", 0, 3, 7, false, false, false, false},
    {"60 02 7f 7e 01 7f", "02 03 7d 00 7c", "20 00", 5, 1, 2, false, false, false, false},
    {"60 00 00", "00", "10 02", 0, 0, 2, true, false, false, false},
    {"60 00 00", "00", "41 00 11 01 00", 0, 1, 3, true, false, false, false},
    {"60 00 00", "00", "03 40 0b", 0, 0, 3, false, true, false, false},
    {"60 00 00", "00", "3f 00 1a", 0, 1, 3, false, false, true, false},
    {"60 00 00", "00", "41 00 28 00 00 1a", 0, 1, 4, false, false, true, false},
    {"60 00 00", "00", "fc 09 00", 0, 0, 2, false, false, false, false},
    {"60 01 7b 00", "00", "", 1, 0, 1, false, false, false, true},
    {"60 00 00", "01 02 7b", "", 2, 0, 1, false, false, false, true},
    {"60 00 01 7b", "00", "00", 0, 1, 2, false, false, false, true},
    {"60 00 00", "00", "00 fd 83 01 1a", 0, 1, 4, false, false, false, true},
    {"60 00 00", "00", "02 40 41 00 10 02 1a 0b", 0, 1, 6, true, false, false, false},
    {"60 00 00", "00", "41 00 02 03 41 01 0b 1a 1a", 0, 2, 7, false, false, false, false},
};

static void assert_facts(const struct wasm_func *f, const struct facts *expected)
{
    assert_int_equal(f->local_count, expected->local_count);
    assert_int_equal(f->stack_max, expected->stack_max);
    assert_int_equal(f->insn_count, expected->insn_count);
    assert_int_equal(f->calls, expected->calls);
    assert_int_equal(f->loops, expected->loops);
    assert_int_equal(f->uses_memory, expected->uses_memory);
    assert_int_equal(f->uses_v128, expected->uses_v128);
}

static void test_facts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        struct bytes b = build_around_hex(facts[i].type, facts[i].locals, facts[i].code);
        struct wasm_fault fault = {0};
        struct wasm_module m;

        if (module_load(&m, bytes_view(&b), &fault))
            fail_msg("case %zu: %s", i, fault.reason);
        assert_facts(&m.funcs[1], &facts[i]);
        assert_int_equal(m.uses_v128, facts[i].uses_v128);
        module_release(&m);
        bytes_release(&b);
    }
}

/* Locals are counted with parameters, and each has the type of its run. */
static void test_locals(void **state)
{
    static const struct {
        const char *code;
        const char *reason;
    } cases[] = {
        {"20 00 45 1a", NULL}, /* parameter: i32 */
        {"20 01 50 1a", NULL}, /* parameter: i64 */
        {"20 02 8c 1a", NULL}, /* first of two f32 */
        {"20 03 8c 1a", NULL},
        {"20 04 9a 1a", NULL}, /* f64, behind an empty run */
        {"20 05 1a", "unknown local 5"},
        {"20 02 9a 1a", "type mismatch in f64.neg (expected f64, found f32)"},
        {"43 00 00 00 00 22 02 21 03", NULL},
        {"43 00 00 00 00 21 04", "type mismatch in local.set (expected f64, found f32)"},
        {"43 00 00 00 00 22 04", "type mismatch in local.tee (expected f64, found f32)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes b = build_around_hex("60 02 7f 7e 00", "03 02 7d 00 7e 01 7c", cases[i].code);
        struct wasm_fault fault = {0};
        struct wasm_module m;
        enum tern_err err = module_load(&m, bytes_view(&b), &fault);

        assert_string_equal(fault.reason, cases[i].reason ? cases[i].reason : "");
        if (!err)
            module_release(&m);
        bytes_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_locals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
