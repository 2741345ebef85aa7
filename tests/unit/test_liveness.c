/*
 * Which locals matter at loops and behind calls: small functions by hand, then functions at
 * random, whose instructions' graph gives the answer, one instruction at a time.
 */
#include "func_draw.h"
#include "func_graph.h"
#include "wasm_build.h"

#include "translate/liveness.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CALL     "10 02 "
#define GET(n)   "20 0" #n " 1a "
#define SET(n)   "41 00 21 0" #n " "
#define TEE(n)   "41 00 22 0" #n " 1a "
#define LOOP     "03 40 "
#define BLOCK    "02 40 "
#define IF       "41 00 04 40 "
#define ELSE     "05 "
#define END      "0b "
#define BR(n)    "0c 0" #n " "
#define BR_IF(n) "41 00 0d 0" #n " "
#define RETURN   "0f "
#define TRAP     "00 "

static struct wasm_module load(const struct bytes *b)
{
    struct wasm_module m;
    struct wasm_fault fault;

    if (module_load(&m, bytes_view(b), &fault) != TERN_OK)
        fail_msg("%s at %" PRIu32, fault.reason, fault.offset);
    return m;
}

static bool is_place(const struct wasm_insn *insn)
{
    return insn->op == WASM_OP_LOOP || insn->op == WASM_OP_CALL ||
           insn->op == WASM_OP_CALL_INDIRECT;
}

/* For each loop and call in the order of the code the live ones of locals 0 to 3: "02, , 1". */
static void describe(const struct wasm_module *m, struct bytes *out)
{
    struct func_graph g = func_graph_of(m, 1);
    bool first = true;
    struct liveness l;

    assert_int_equal(liveness_find(m, 1, &l), TERN_OK);
    for (uint32_t i = 0; i < g.count; i++) {
        if (!is_place(&g.insn[i]))
            continue;
        bytes_append_text(out, first ? "" : ", ");
        first = false;
        for (uint32_t local = 0; local < 4; local++) {
            if (liveness_has(liveness_at(&l, g.insn[i].offset), local))
                bytes_appendf(out, "%" PRIu32, local);
        }
    }
    liveness_release(&l);
    func_graph_release(&g);
}

struct case_of {
    const char *code; /* four locals */
    const char *expected;
};

static const struct case_of cases[] = {
    /* straight on */
    {CALL GET(0), "0"},
    {GET(0) CALL, ""},
    {CALL SET(0) GET(0), ""},
    {CALL GET(0) SET(0), "0"},
    {CALL TEE(0) GET(0), ""},
    {CALL GET(1) CALL GET(0), "01, 0"},
    {CALL SET(0) CALL GET(0), ", 0"},
    {"20 00 " CALL "1a ", ""}, /* what is used behind it is an operand */
    {CALL "20 01 21 00 " GET(0), "1"},
    {CALL "20 00 22 00 1a ", "0"},
    /* ways that end */
    {CALL RETURN GET(0), ""},
    {CALL TRAP GET(0), ""},
    {CALL IF RETURN END GET(0), "0"},
    {CALL IF GET(0) TRAP GET(1) END, "0"},
    {CALL BLOCK BR(0) GET(0) END GET(1), "1"},
    {CALL BLOCK TRAP LOOP GET(0) BR(0) END GET(1) END GET(2), ", 0"}, /* dead: as if it ran */
    {CALL BLOCK TRAP IF GET(0) ELSE GET(1) END END GET(2), ""},
    /* if with and without else */
    {CALL IF GET(0) END, "0"},
    {CALL IF SET(0) END GET(0), "0"},
    {CALL IF SET(0) ELSE SET(0) END GET(0), ""},
    {CALL IF SET(0) ELSE END GET(0), "0"},
    {CALL IF GET(1) ELSE GET(2) END GET(0), "012"},
    {CALL IF SET(0) ELSE RETURN END GET(0), ""},
    {IF CALL ELSE GET(1) END GET(0), "0"},
    {IF GET(1) ELSE CALL END GET(0), "0"},
    {IF CALL BR(0) GET(2) ELSE GET(1) END GET(0), "0"},
    {CALL IF BR(0) ELSE GET(1) END GET(0), "01"},
    {CALL IF IF GET(0) END GET(1) ELSE IF GET(2) ELSE GET(3) END END, "0123"},
    {CALL IF IF SET(0) ELSE SET(0) END ELSE IF SET(0) ELSE SET(0) SET(1) END END GET(0) GET(1),
     "1"},
    /* loops: what their next round reads */
    {LOOP GET(0) CALL BR(0) END, "0, 0"},
    {LOOP GET(0) CALL END, "0, "},
    {LOOP SET(0) GET(0) CALL BR(0) END, ", "},
    {LOOP CALL SET(0) BR_IF(0) END GET(0), ", "},
    {LOOP CALL BR_IF(0) END GET(0), "0, 0"},
    {LOOP BR_IF(0) CALL END GET(0), "0, 0"},
    {LOOP GET(0) SET(1) CALL BR_IF(0) END GET(1), "0, 01"},
    {BLOCK LOOP CALL BR_IF(1) SET(0) BR(0) END END GET(0), "0, 0"},
    {CALL LOOP SET(0) BR_IF(0) END GET(0), ", "},
    /* around a loop inside: the outer round reads it */
    {LOOP GET(0) LOOP CALL BR_IF(0) END BR_IF(0) END, "0, 0, 0"},
    {LOOP GET(0) LOOP CALL BR_IF(0) END END, "0, , "},
    {LOOP GET(0) LOOP CALL BR_IF(1) BR_IF(0) END END, "0, 0, 0"},
    {LOOP SET(0) LOOP CALL GET(0) BR_IF(0) END BR_IF(0) END, ", 0, 0"},
    {LOOP SET(0) LOOP CALL BR_IF(0) END BR_IF(0) END GET(0), ", 0, 0"},
    {LOOP GET(0) LOOP BR_IF(1) LOOP BR_IF(1) LOOP BR_IF(1) CALL END END END END, "0, 0, 0, 0, "},
    {LOOP GET(0) LOOP SET(0) LOOP CALL BR_IF(2) BR_IF(1) BR_IF(0) END END END, "0, , 0, 0"},
    /* br_table */
    {BLOCK BLOCK CALL "41 00 0e 01 00 01 " END GET(0) RETURN END GET(1), "01"},
    {BLOCK BLOCK CALL "41 00 0e 00 01 " END GET(0) RETURN END GET(1), "1"},
    {LOOP BLOCK GET(2) CALL "41 00 0e 02 00 01 02 " END GET(0) END, "02, 02"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes b = build_around_hex("60 00 00", "01 04 7f", cases[i].code), found = {0};
        struct wasm_module m = load(&b);

        describe(&m, &found);
        if (strcmp(bytes_text(&found), cases[i].expected) != 0)
            fail_msg("%s: '%s', not '%s'", cases[i].code, bytes_text(&found), cases[i].expected);
        module_release(&m);
        bytes_release(&found);
        bytes_release(&b);
    }
}

/* "01 80 08 7f": a run of so many locals. */
static void locals_hex(uint32_t count, char out[32])
{
    struct bytes b = {0};
    size_t at = 0;

    build_u32(&b, count);
    at += (size_t)snprintf(out, 32, "01 ");
    for (size_t i = 0; i < b.size; i++)
        at += (size_t)snprintf(out + at, 32 - at, "%02x ", b.data[i]);
    snprintf(out + at, 32 - at, "7f");
    bytes_release(&b);
}

static void build_local(struct bytes *code, uint32_t local, bool written)
{
    build_hex(code, written ? "41 00 21" : "20");
    build_u32(code, local);
    build_hex(code, written ? "" : "1a");
}

/* Locals on both sides of each word's end; every third is written before it is read. */
static void test_many_locals(void **state)
{
    static const uint32_t counts[] = {1, 63, 64, 65, 128, 1000, 1025, WASM_LOCALS_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct bytes code = {0}, b;
        char locals[32];
        struct wasm_module m;
        struct liveness l;

        build_hex(&code, CALL);
        for (uint32_t local = 0; local < counts[i]; local++)
            build_local(&code, local, local % 3 == 0);
        locals_hex(counts[i], locals);
        b = build_around("60 00 00", locals, &code);
        m = load(&b);
        assert_int_equal(liveness_find(&m, 1, &l), TERN_OK);
        assert_int_equal(l.count, 1);
        for (uint32_t local = 0; local < counts[i]; local++)
            assert_int_equal(liveness_has(liveness_at(&l, m.funcs[1].code_offset), local),
                             local % 3 != 0);
        liveness_release(&l);
        module_release(&m);
        bytes_release(&b);
        bytes_release(&code);
    }
}

/* What the outermost loop reads goes inwards by jumps to the next loop only, a level a walk. */
static void test_chain_of_loops(void **state)
{
    const uint32_t depth = 300;
    struct bytes code = {0}, b;
    struct wasm_module m;
    struct liveness l;

    (void)state;
    build_hex(&code, LOOP GET(0));
    for (uint32_t i = 1; i < depth; i++)
        build_hex(&code, LOOP BR_IF(1));
    for (uint32_t i = 0; i < depth; i++)
        build_hex(&code, END);
    b = build_around("60 00 00", "01 02 7f", &code);
    m = load(&b);
    assert_int_equal(liveness_find(&m, 1, &l), TERN_OK);
    assert_int_equal(l.count, depth);
    for (uint32_t i = 0; i < depth; i++) {
        assert_true(liveness_has(liveness_at(&l, l.offset[i]), 0));
        assert_false(liveness_has(liveness_at(&l, l.offset[i]), 1));
    }
    liveness_release(&l);
    module_release(&m);
    bytes_release(&b);
    bytes_release(&code);
}

/* Jumps to very many places with very many locals: all that are read are taken for live. */
static void test_too_much(void **state)
{
    struct bytes code = {0}, b;
    char locals[32];
    struct wasm_module m;
    struct liveness l;

    (void)state;
    build_local(&code, WASM_LOCALS_MAX - 2, false);
    build_local(&code, WASM_LOCALS_MAX - 1, false);
    build_local(&code, 0, true);
    build_hex(&code, CALL);
    for (uint32_t i = 0; i < 10; i++) {
        build_hex(&code, BLOCK "41 00 0e");
        build_u32(&code, WASM_BR_TABLE_MAX);
        for (uint32_t k = 0; k <= WASM_BR_TABLE_MAX; k++)
            bytes_append_byte(&code, 0);
        build_hex(&code, END);
    }
    locals_hex(WASM_LOCALS_MAX, locals);
    b = build_around("60 00 00", locals, &code);
    m = load(&b);
    assert_int_equal(liveness_find(&m, 1, &l), TERN_OK);
    assert_int_equal(l.count, 0);
    assert_false(liveness_has(liveness_at(&l, m.funcs[1].code_offset), 0));
    assert_true(liveness_has(liveness_at(&l, m.funcs[1].code_offset), WASM_LOCALS_MAX - 2));
    assert_true(liveness_has(liveness_at(&l, m.funcs[1].code_offset), WASM_LOCALS_MAX - 1));
    liveness_release(&l);
    module_release(&m);
    bytes_release(&b);
    bytes_release(&code);
}

/* ---- At random ---- */

/* What is live in front of each instruction, a byte a local; walks until nothing changes. */
static uint8_t *live_before(const struct func_graph *g, uint32_t locals)
{
    uint8_t *live = calloc((size_t)g->count + 1, locals);
    bool changed = true;

    assert_non_null(live);
    while (changed) {
        changed = false;
        for (uint32_t i = g->count; i-- > 0;) {
            const struct wasm_insn *insn = &g->insn[i];
            uint32_t count;
            const uint32_t *next = func_graph_next(g, i, &count);

            for (uint32_t local = 0; local < locals; local++) {
                bool sets = insn->op == WASM_OP_LOCAL_SET || insn->op == WASM_OP_LOCAL_TEE;
                bool is = false;

                for (uint32_t k = 0; k < count; k++)
                    is |= live[(size_t)next[k] * locals + local];
                is = (is && !(sets && insn->index == local)) ||
                     (insn->op == WASM_OP_LOCAL_GET && insn->index == local);
                changed |= is != live[(size_t)i * locals + local];
                live[(size_t)i * locals + local] = is;
            }
        }
    }
    return live;
}

static void compare(const struct func_graph *g, uint64_t seed, uint32_t seen[2])
{
    const uint32_t locals = g->module->funcs[g->func].local_count;
    uint8_t *live = live_before(g, locals);
    struct liveness l;

    assert_int_equal(liveness_find(g->module, g->func, &l), TERN_OK);
    for (uint32_t i = 0; i < g->count; i++) {
        const uint32_t at = g->insn[i].op == WASM_OP_LOOP ? i : i + 1; /* behind a call */

        if (!is_place(&g->insn[i]) || !g->reached[i])
            continue;
        for (uint32_t local = 0; local < locals; local++) {
            bool is = liveness_has(liveness_at(&l, g->insn[i].offset), local);

            if (is != live[(size_t)at * locals + local])
                fail_msg("seed %" PRIu64 ": local %" PRIu32 " at %" PRIu32, seed, local,
                         g->insn[i].offset);
            seen[is]++;
        }
    }
    liveness_release(&l);
    free(live);
}

static void test_random(void **state)
{
    uint32_t seen[2] = {0};

    (void)state;
    for (uint64_t seed = 0; seed < 800; seed++) {
        struct drawn d = func_draw(seed, 24);
        struct func_graph g = func_graph_of(&d.module, DRAWN);

        compare(&g, seed, seen);
        func_graph_release(&g);
        drawn_release(&d);
    }
    assert_true(seen[0] > 10000 && seen[1] > 10000); /* the drawing gives enough of both */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),          cmocka_unit_test(test_many_locals),
        cmocka_unit_test(test_chain_of_loops), cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
