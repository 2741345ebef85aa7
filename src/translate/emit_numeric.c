/*
 * Numeric instructions: those that C has an operator for are written with it, by the table here;
 * all others are calls of a function of tern_scalar.h with the instruction's name. Those that can
 * trap also get the place, and are stored at once, so that they trap in their turn.
 */
#include "translate/emit.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum form {
    FORM_CALL = 0, /* op(a, b) */
    FORM_PURE,     /* the pattern, of the result's type */
    FORM_TEST,     /* the pattern, a C condition */
    FORM_EQZ,
    FORM_AND,
    FORM_SHL,
    FORM_TRAP, /* op(in, a, b, func, offset) */
};

struct pattern {
    enum form form;
    const char *text; /* $a, $b: operands, in parentheses where needed; $m: $b as a shift */
};

#define INTEGERS(T, s)                                                                             \
    [WASM_OP_##T##_EQZ] = {FORM_EQZ, NULL}, [WASM_OP_##T##_EQ] = {FORM_TEST, "$a == $b"},          \
    [WASM_OP_##T##_NE] = {FORM_TEST, "$a != $b"},                                                  \
    [WASM_OP_##T##_LT_S] = {FORM_TEST, "(" s ")$a < (" s ")$b"},                                   \
    [WASM_OP_##T##_LT_U] = {FORM_TEST, "$a < $b"},                                                 \
    [WASM_OP_##T##_GT_S] = {FORM_TEST, "(" s ")$a > (" s ")$b"},                                   \
    [WASM_OP_##T##_GT_U] = {FORM_TEST, "$a > $b"},                                                 \
    [WASM_OP_##T##_LE_S] = {FORM_TEST, "(" s ")$a <= (" s ")$b"},                                  \
    [WASM_OP_##T##_LE_U] = {FORM_TEST, "$a <= $b"},                                                \
    [WASM_OP_##T##_GE_S] = {FORM_TEST, "(" s ")$a >= (" s ")$b"},                                  \
    [WASM_OP_##T##_GE_U] = {FORM_TEST, "$a >= $b"}, [WASM_OP_##T##_ADD] = {FORM_PURE, "$a + $b"},  \
    [WASM_OP_##T##_SUB] = {FORM_PURE, "$a - $b"}, [WASM_OP_##T##_MUL] = {FORM_PURE, "$a * $b"},    \
    [WASM_OP_##T##_AND] = {FORM_AND, NULL}, [WASM_OP_##T##_OR] = {FORM_PURE, "$a | $b"},           \
    [WASM_OP_##T##_XOR] = {FORM_PURE, "$a ^ $b"}, [WASM_OP_##T##_DIV_S] = {FORM_TRAP, NULL},       \
    [WASM_OP_##T##_DIV_U] = {FORM_TRAP, NULL}, [WASM_OP_##T##_REM_S] = {FORM_TRAP, NULL},          \
    [WASM_OP_##T##_REM_U] = {FORM_TRAP, NULL}, [WASM_OP_##T##_TRUNC_F32_S] = {FORM_TRAP, NULL},    \
    [WASM_OP_##T##_TRUNC_F32_U] = {FORM_TRAP, NULL},                                               \
    [WASM_OP_##T##_TRUNC_F64_S] = {FORM_TRAP, NULL},                                               \
    [WASM_OP_##T##_TRUNC_F64_U] = {FORM_TRAP, NULL}

#define FLOATS(T)                                                                                  \
    [WASM_OP_##T##_EQ] = {FORM_TEST, "$a == $b"}, [WASM_OP_##T##_NE] = {FORM_TEST, "$a != $b"},    \
    [WASM_OP_##T##_LT] = {FORM_TEST, "$a < $b"}, [WASM_OP_##T##_GT] = {FORM_TEST, "$a > $b"},      \
    [WASM_OP_##T##_LE] = {FORM_TEST, "$a <= $b"}, [WASM_OP_##T##_GE] = {FORM_TEST, "$a >= $b"},    \
    [WASM_OP_##T##_ADD] = {FORM_PURE, "$a + $b"}, [WASM_OP_##T##_SUB] = {FORM_PURE, "$a - $b"},    \
    [WASM_OP_##T##_MUL] = {FORM_PURE, "$a * $b"}, [WASM_OP_##T##_DIV] = {FORM_PURE, "$a / $b"}

static const struct pattern patterns[WASM_OP_COUNT] = {
    INTEGERS(I32, "int32_t"),
    INTEGERS(I64, "int64_t"),
    FLOATS(F32),
    FLOATS(F64),
    [WASM_OP_I32_SHL] = {FORM_SHL, NULL},
    [WASM_OP_I32_SHR_U] = {FORM_PURE, "$a >> $m"},
    [WASM_OP_I32_SHR_S] = {FORM_PURE, "(uint32_t)((int32_t)$a >> $m)"},
    [WASM_OP_I64_SHL] = {FORM_SHL, NULL},
    [WASM_OP_I64_SHR_U] = {FORM_PURE, "$a >> $m"},
    [WASM_OP_I64_SHR_S] = {FORM_PURE, "(uint64_t)((int64_t)$a >> $m)"},
    [WASM_OP_I32_WRAP_I64] = {FORM_PURE, "(uint32_t)i64_whole($a)"},
    [WASM_OP_I64_EXTEND_I32_U] = {FORM_PURE, "(uint64_t)$a"},
    [WASM_OP_I64_EXTEND_I32_S] = {FORM_PURE, "(uint64_t)(int64_t)(int32_t)$a"},
    [WASM_OP_I32_EXTEND8_S] = {FORM_PURE, "(uint32_t)(int32_t)(int8_t)i32_whole($a)"},
    [WASM_OP_I32_EXTEND16_S] = {FORM_PURE, "(uint32_t)(int32_t)(int16_t)i32_whole($a)"},
    [WASM_OP_I64_EXTEND8_S] = {FORM_PURE, "(uint64_t)(int64_t)(int8_t)i64_whole($a)"},
    [WASM_OP_I64_EXTEND16_S] = {FORM_PURE, "(uint64_t)(int64_t)(int16_t)i64_whole($a)"},
    [WASM_OP_I64_EXTEND32_S] = {FORM_PURE, "(uint64_t)(int64_t)(int32_t)i64_whole($a)"},
};

enum { NUMERIC_TEXT_MAX = 2 * (EMIT_TEXT_MAX + 32) + 160 };

/* A shift count modulo the width of what is shifted; a constant is written as it counts. */
static void shift_text(const struct operand *from, char out[EMIT_TEXT_MAX + 32])
{
    unsigned mask = from[0].letter == 'i' ? 31 : 63;
    char text[EMIT_TEXT_MAX + 32];

    operand_text(&from[1], text);
    if (from[1].constant)
        snprintf(out, EMIT_TEXT_MAX + 32, "%u", (unsigned)strtoull(text, NULL, 0) & mask);
    else
        snprintf(out, EMIT_TEXT_MAX + 32, "(%.*s & %u)", EMIT_TEXT_MAX + 20, text, mask);
}

static void expand(const char *pattern, const struct operand *from, char out[NUMERIC_TEXT_MAX])
{
    size_t at = 0;

    for (const char *p = pattern; *p; p++) {
        if (*p == '$') {
            char text[EMIT_TEXT_MAX + 32];

            if (*++p == 'm')
                shift_text(from, text);
            else
                operand_text(&from[*p - 'a'], text);
            at += (size_t)snprintf(out + at, NUMERIC_TEXT_MAX - at, "%s", text);
        } else {
            out[at++] = *p;
        }
        check(at + 1 < NUMERIC_TEXT_MAX);
    }
    out[at] = 0;
}

static void call_text(enum wasm_op op, const struct operand *from, uint32_t count,
                      char out[NUMERIC_TEXT_MAX])
{
    char name[64];

    op_identifier(op, name);
    if (count == 1)
        snprintf(out, NUMERIC_TEXT_MAX, "%s(%s)", name, value_text(&from[0]));
    else
        snprintf(out, NUMERIC_TEXT_MAX, "%s(%s, %s)", name, value_text(&from[0]),
                 value_text(&from[1]));
}

/* Of "!x", x alone would do as a condition, but not as a number: it is not only 0 or 1. */
static void eqz_text(const struct operand *from, char out[NUMERIC_TEXT_MAX])
{
    if (from->condition && from->inner_primary)
        snprintf(out, NUMERIC_TEXT_MAX, "%s != 0", from->text + 1);
    else
        condition_text(from, out, true);
}

static uint64_t constant_of(const struct operand *o)
{
    return strtoull(o->text, NULL, 0);
}

/*
 * A mask that leaves the highest byte out, and a shift by a byte or more, need only part of their
 * operand: a compiler would load only that part, and miss the trap of the rest.
 */
static const char *and_pattern(const struct operand from[2])
{
    bool narrow = from[0].letter == 'i';
    unsigned top = narrow ? 24 : 56;

    if (from[1].constant && constant_of(&from[1]) >> top == 0)
        return narrow ? "i32_whole($a) & $b" : "i64_whole($a) & $b";
    if (from[0].constant && constant_of(&from[0]) >> top == 0)
        return narrow ? "$a & i32_whole($b)" : "$a & i64_whole($b)";
    return "$a & $b";
}

static const char *shl_pattern(const struct operand from[2])
{
    bool narrow = from[0].letter == 'i';

    if (!from[1].constant || (constant_of(&from[1]) & (narrow ? 31 : 63)) < 8)
        return "$a << $m";
    return narrow ? "i32_whole($a) << $m" : "i64_whole($a) << $m";
}

static void trap_text(struct emitter *e, enum wasm_op op, const struct operand *from,
                      uint32_t count, char out[NUMERIC_TEXT_MAX])
{
    char name[64];

    op_identifier(op, name);
    snprintf(out, NUMERIC_TEXT_MAX, "%s(in, %s%s%s, %" PRIu32 ", %" PRIu32 ")", name,
             value_text(&from[0]), count == 2 ? ", " : "", count == 2 ? value_text(&from[1]) : "",
             e->func_index, e->insn_offset);
}

void emit_numeric(struct emitter *e, const struct wasm_insn *insn)
{
    const struct pattern *p = &patterns[insn->op];
    const char *signature = wasm_op_info(insn->op)->signature;
    uint32_t count = signature[1] == '>' ? 1 : 2;
    char letter = signature[count + 1];
    struct operand from[2];
    char text[NUMERIC_TEXT_MAX];
    enum nan_kind nan;

    for (uint32_t i = count; i-- > 0;)
        from[i] = pop(e);
    nan = nan_numeric(e, insn->op, from, count);
    switch (p->form) {
    case FORM_PURE:
        expand(p->text, from, text);
        push_pure(e, letter, text, from, count);
        break;
    case FORM_TEST:
        expand(p->text, from, text);
        push_condition(e, text, from, count);
        break;
    case FORM_EQZ:
        eqz_text(&from[0], text);
        push_condition(e, text, from, 1);
        e->stack[e->height - 1].inner_primary = text[0] == '!' && from[0].primary;
        break;
    case FORM_AND:
    case FORM_SHL:
        expand(p->form == FORM_AND ? and_pattern(from) : shl_pattern(from), from, text);
        push_pure(e, letter, text, from, count);
        break;
    case FORM_TRAP:
        trap_text(e, insn->op, from, count, text);
        push_stored(e, letter, text);
        break;
    case FORM_CALL:
        call_text(insn->op, from, count, text);
        push_pure(e, letter, text, from, count);
        break;
    }
    e->stack[e->height - 1].nan = nan;
}
