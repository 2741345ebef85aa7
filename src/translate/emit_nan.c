/*
 * Canonical NaNs, of a deterministic program. The NaN that arithmetic gives differs between
 * processors and compilers in its sign and payload. So each operand says what a NaN in it stands
 * for (enum nan_kind), and one that may come from arithmetic is made canonical where its bits begin
 * to count: in memory, as an integer, in front of a call, at the end of a block. NaNs that are only
 * moved keep their bits. A local that receives nothing but results of arithmetic stays as it is,
 * too, so that inner loops pay only where they store.
 */
#include "translate/emit.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

enum { ROUNDS_MAX = 4 }; /* of finding out what locals hold */

bool nan_matters(const struct emitter *e)
{
    return e->options && e->options->deterministic;
}

static bool is_lazy(enum nan_kind kind)
{
    return kind != NAN_EXACT && kind != NAN_NEVER;
}

/* What an operand is that may be either. */
static enum nan_kind join(enum nan_kind a, enum nan_kind b)
{
    if (a == b || b == NAN_NEVER)
        return a;
    return a == NAN_NEVER ? b : NAN_EXACT;
}

/* ---- Making canonical ---- */

static const char *canonical(char letter, enum nan_kind kind)
{
    if (letter == 'v')
        return kind == NAN_F32X4 ? "f32x4_canonical" : "f64x2_canonical";
    if (letter == 'f')
        return kind == NAN_ANY ? "f32_canonical" : "f32_canonical_neg";
    return kind == NAN_ANY ? "f64_canonical" : "f64_canonical_neg";
}

void nan_text(char letter, enum nan_kind kind, const char *text, char out[EMIT_TEXT_MAX])
{
    int length = is_lazy(kind)
                     ? snprintf(out, EMIT_TEXT_MAX, "%s(%s)", canonical(letter, kind), text)
                     : snprintf(out, EMIT_TEXT_MAX, "%s", text);

    check(length >= 0 && length < EMIT_TEXT_MAX); /* EMIT_NAN_MAX is kept free for it */
}

void nan_settle(struct operand *o)
{
    char text[EMIT_TEXT_MAX];

    if (!is_lazy(o->nan))
        return;
    nan_text(o->letter, o->nan, o->text, text);
    memcpy(o->text, text, sizeof text);
    o->nan = NAN_EXACT;
    o->pending = true;
    o->primary = true;
}

void nan_settle_from(struct emitter *e, uint32_t height)
{
    for (uint32_t h = height; h < e->height; h++) {
        if (!is_lazy(e->stack[h].nan))
            continue;
        nan_settle(&e->stack[h]);
        if (e->settled > h)
            e->settled = h;
    }
}

struct operand pop_exact(struct emitter *e)
{
    struct operand o = pop(e);

    nan_settle(&o);
    return o;
}

/* ---- Scalars ---- */

static enum nan_kind negated(enum nan_kind kind)
{
    return kind == NAN_ANY ? NAN_NEGATIVE : kind == NAN_NEGATIVE ? NAN_ANY : kind;
}

static bool needs_bits(enum wasm_op op)
{
    return op == WASM_OP_F32_COPYSIGN || op == WASM_OP_F64_COPYSIGN ||
           op == WASM_OP_I32_REINTERPRET_F32 || op == WASM_OP_I64_REINTERPRET_F64;
}

static bool is_arithmetic(enum wasm_op op)
{
    return (op >= WASM_OP_F32_CEIL && op <= WASM_OP_F32_MAX) ||
           (op >= WASM_OP_F64_CEIL && op <= WASM_OP_F64_MAX) || op == WASM_OP_F32_DEMOTE_F64 ||
           op == WASM_OP_F64_PROMOTE_F32;
}

static bool is_conversion(enum wasm_op op)
{
    return (op >= WASM_OP_F32_CONVERT_I32_S && op <= WASM_OP_F32_CONVERT_I64_U) ||
           (op >= WASM_OP_F64_CONVERT_I32_S && op <= WASM_OP_F64_CONVERT_I64_U);
}

enum nan_kind nan_numeric(const struct emitter *e, enum wasm_op op, struct operand *from,
                          uint32_t count)
{
    if (!nan_matters(e))
        return NAN_EXACT;
    for (uint32_t i = 0; i < count && needs_bits(op); i++)
        nan_settle(&from[i]);
    if (is_arithmetic(op))
        return NAN_ANY;
    if (is_conversion(op))
        return NAN_NEVER;
    if (op == WASM_OP_F32_NEG || op == WASM_OP_F64_NEG)
        return negated(from[0].nan);
    if (op == WASM_OP_F32_ABS || op == WASM_OP_F64_ABS)
        return is_lazy(from[0].nan) ? NAN_ANY : from[0].nan;
    return NAN_EXACT;
}

enum nan_kind nan_select(struct operand *a, struct operand *b)
{
    enum nan_kind kind = join(a->nan, b->nan);

    if (kind == NAN_EXACT) {
        nan_settle(a);
        nan_settle(b);
    }
    return kind;
}

static bool is_nan32(uint32_t bits)
{
    return (bits & 0x7fffffff) > 0x7f800000;
}

static bool is_nan64(uint64_t bits)
{
    return (bits & INT64_MAX) > 0x7ff0000000000000;
}

static bool is_number(char letter, const uint64_t bits[2])
{
    if (letter == 'f')
        return !is_nan32((uint32_t)bits[0]);
    if (letter == 'd')
        return !is_nan64(bits[0]);
    for (int i = 0; i < 2; i++) { /* whatever shape the vector is taken for */
        if (is_nan64(bits[i]) || is_nan32((uint32_t)bits[i]) || is_nan32((uint32_t)(bits[i] >> 32)))
            return false;
    }
    return true;
}

enum nan_kind nan_constant(const struct emitter *e, char letter, const uint64_t bits[2])
{
    return nan_matters(e) && strchr("fdv", letter) && is_number(letter, bits) ? NAN_NEVER
                                                                              : NAN_EXACT;
}

/* ---- Vectors ---- */

/* What a vector instruction makes of NaNs: of operands and result of the shape it works on. */
enum lane_rule {
    LANES_BITS,       /* every bit of the operands counts, as do those of the result */
    LANES_READ,       /* the operands are read as numbers, the result is none */
    LANES_ARITHMETIC, /* as numbers, giving numbers */
    LANES_ABS,
    LANES_SPLAT,
    LANES_EXTRACT,
    LANES_REPLACE,
};

struct lane_use {
    enum lane_rule rule;
    enum nan_kind from, to; /* lazy kinds of vectors that come and go */
};

#define SHAPE(S, own)                                                                              \
    case WASM_OP_##S##_EQ:                                                                         \
    case WASM_OP_##S##_NE:                                                                         \
    case WASM_OP_##S##_LT:                                                                         \
    case WASM_OP_##S##_GT:                                                                         \
    case WASM_OP_##S##_LE:                                                                         \
    case WASM_OP_##S##_GE: return (struct lane_use){LANES_READ, own, own};                         \
    case WASM_OP_##S##_CEIL:                                                                       \
    case WASM_OP_##S##_FLOOR:                                                                      \
    case WASM_OP_##S##_TRUNC:                                                                      \
    case WASM_OP_##S##_NEAREST:                                                                    \
    case WASM_OP_##S##_SQRT:                                                                       \
    case WASM_OP_##S##_ADD:                                                                        \
    case WASM_OP_##S##_SUB:                                                                        \
    case WASM_OP_##S##_MUL:                                                                        \
    case WASM_OP_##S##_DIV:                                                                        \
    case WASM_OP_##S##_MIN:                                                                        \
    case WASM_OP_##S##_MAX: return (struct lane_use){LANES_ARITHMETIC, own, own};                  \
    case WASM_OP_##S##_ABS: return (struct lane_use){LANES_ABS, own, own};                         \
    case WASM_OP_##S##_SPLAT: return (struct lane_use){LANES_SPLAT, own, own};                     \
    case WASM_OP_##S##_EXTRACT_LANE: return (struct lane_use){LANES_EXTRACT, own, own};            \
    case WASM_OP_##S##_REPLACE_LANE:                                                               \
        return (struct lane_use)                                                                   \
        {                                                                                          \
            LANES_REPLACE, own, own                                                                \
        }

static struct lane_use lane_use(enum wasm_op op)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
    switch (op) {
        SHAPE(F32X4, NAN_F32X4);
        SHAPE(F64X2, NAN_F64X2);
    case WASM_OP_F32X4_DEMOTE_F64X2_ZERO:
        return (struct lane_use){LANES_ARITHMETIC, NAN_F64X2, NAN_F32X4};
    case WASM_OP_F64X2_PROMOTE_LOW_F32X4:
        return (struct lane_use){LANES_ARITHMETIC, NAN_F32X4, NAN_F64X2};
    case WASM_OP_I32X4_TRUNC_SAT_F32X4_S:
    case WASM_OP_I32X4_TRUNC_SAT_F32X4_U:
        return (struct lane_use){LANES_READ, NAN_F32X4, NAN_F32X4};
    case WASM_OP_I32X4_TRUNC_SAT_F64X2_S_ZERO:
    case WASM_OP_I32X4_TRUNC_SAT_F64X2_U_ZERO:
        return (struct lane_use){LANES_READ, NAN_F64X2, NAN_F64X2};
    default: return (struct lane_use){LANES_BITS, NAN_EXACT, NAN_EXACT};
    }
#pragma GCC diagnostic pop
}

/* Whether the instruction's own result, lazily, is what the operand's value stands for. */
static bool takes_lazily(const struct operand *o, enum nan_kind own)
{
    return o->nan == NAN_NEVER || o->nan == (o->letter == 'v' ? own : NAN_ANY);
}

static bool all_lazily(const struct operand *from, uint32_t count, enum nan_kind own)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!takes_lazily(&from[i], own))
            return false;
    }
    return true;
}

/* Those operands that the instruction cannot take as they are, into their slots. */
static void settle_operands(struct emitter *e, uint32_t count, struct lane_use use)
{
    const bool reads = use.rule != LANES_BITS;

    for (uint32_t h = e->height - count; h < e->height; h++) {
        struct operand *o = &e->stack[h];

        if (is_lazy(o->nan) && !(reads && takes_lazily(o, use.from))) {
            nan_settle(o);
            settle_operand(e, h);
        }
    }
}

enum nan_kind nan_simd(struct emitter *e, enum wasm_op op, uint32_t count)
{
    const struct lane_use use = lane_use(op);
    struct operand *from = &e->stack[e->height - count];
    bool lazily;

    if (!nan_matters(e))
        return NAN_EXACT;
    if (use.rule == LANES_REPLACE && !all_lazily(from, count, use.from))
        settle_operands(e, count, (struct lane_use){LANES_BITS, NAN_EXACT, NAN_EXACT});
    else
        settle_operands(e, count, use);
    lazily = count > 0 && all_lazily(from, count, use.from);
    switch (use.rule) {
    case LANES_ARITHMETIC: return use.to;
    case LANES_ABS:
    case LANES_SPLAT:
    case LANES_REPLACE: return lazily ? use.to : NAN_EXACT;
    case LANES_EXTRACT: return lazily ? NAN_ANY : NAN_EXACT;
    case LANES_READ:
    case LANES_BITS: break;
    }
    return NAN_EXACT;
}

/* ---- Locals ---- */

void nan_to_local(struct emitter *e, uint32_t local, struct operand *value)
{
    enum nan_kind before = (enum nan_kind)e->local_nan[local];
    enum nan_kind kind = join(before, value->nan);

    if (kind != before) {
        e->local_nan[local] = (uint8_t)kind;
        e->nan_changed = true;
    }
    if (kind == NAN_EXACT)
        nan_settle(value);
}

/* Nothing is known yet but that parameters count bit by bit. All begin as zero. */
static void begin_locals(struct emitter *e, uint32_t params)
{
    memset(e->local_nan, NAN_EXACT, e->func->local_count);
    for (uint32_t i = params; nan_matters(e) && i < e->func->local_count; i++) {
        if (strchr("fdv", e->local_letter[i]))
            e->local_nan[i] = NAN_NEVER;
    }
}

/*
 * Translates again and again, each time with what was found out, until nothing new is. That ends,
 * since a local's kind only ever gets less lazy; but it need not last long.
 */
bool nan_find_locals(struct emitter *e, uint32_t params, bool translate(struct emitter *e))
{
    begin_locals(e, params);
    e->nan_changed = nan_matters(e);
    for (uint32_t round = 0; e->nan_changed && round < ROUNDS_MAX; round++) {
        e->nan_changed = false;
        if (!translate(e))
            return false;
    }
    if (e->nan_changed)
        memset(e->local_nan, NAN_EXACT, e->func->local_count);
    return true;
}
