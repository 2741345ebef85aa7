/*
 * Which loops need a safepoint of their own: small functions by hand, then functions at random,
 * whose instructions' graph is searched for rounds without a safepoint.
 */
#include "func_draw.h"
#include "func_graph.h"
#include "wasm_build.h"

#include "translate/loops.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STOP     "41 00 42 00 10 00 1a " /* a call with a safepoint behind it */
#define PLAIN    "10 02 "                /* one without */
#define LOOP     "03 40 "
#define BLOCK    "02 40 "
#define IF       "20 00 04 40 "
#define ELSE     "05 "
#define END      "0b "
#define BR(n)    "0c 0" #n " "
#define BR_IF(n) "20 00 0d 0" #n " "
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

static bool is_in(const struct bytes *offsets, uint32_t offset)
{
    const uint32_t *list = (const uint32_t *)(const void *)offsets->data;

    for (size_t i = 0; i < offsets->size / sizeof *list; i++) {
        if (list[i] == offset)
            return true;
    }
    return false;
}

/* A letter for each loop in the order of the code: Y needs a safepoint, n does not. */
static void letters_of(const struct wasm_module *m, uint32_t func, char *out)
{
    struct func_graph g = func_graph_of(m, func);
    struct bytes offsets = {0};

    assert_int_equal(loops_find(m, func, &offsets), TERN_OK);
    for (uint32_t i = 0; i < g.count; i++) {
        if (g.insn[i].op == WASM_OP_LOOP)
            *out++ = is_in(&offsets, g.insn[i].offset) ? 'Y' : 'n';
    }
    *out = 0;
    bytes_release(&offsets);
    func_graph_release(&g);
}

struct case_of {
    const char *code; /* one parameter, an i32 */
    const char *expected;
};

static const struct case_of cases[] = {
    {LOOP END, "n"},
    {LOOP BR(0) END, "Y"},
    {LOOP BR_IF(0) END, "Y"},
    {LOOP STOP BR(0) END, "n"},
    {LOOP PLAIN BR(0) END, "Y"},
    {STOP LOOP BR_IF(0) END, "Y"},
    {LOOP BR_IF(0) END STOP, "Y"},
    /* a jump back before the call, behind it, on both sides */
    {LOOP BR_IF(0) STOP END, "Y"},
    {LOOP STOP BR_IF(0) END, "n"},
    {LOOP STOP BR_IF(0) STOP BR_IF(0) END, "n"},
    {LOOP BR_IF(0) STOP BR_IF(0) END, "Y"},
    /* the call on some ways only */
    {LOOP IF STOP END BR(0) END, "Y"},
    {LOOP IF STOP ELSE END BR(0) END, "Y"},
    {LOOP IF ELSE STOP END BR(0) END, "Y"},
    {LOOP IF STOP ELSE STOP END BR(0) END, "n"},
    {LOOP IF STOP ELSE PLAIN END BR(0) END, "Y"},
    {LOOP IF STOP BR(1) END END, "n"},
    {LOOP IF BR(1) ELSE STOP BR(1) END END, "Y"},
    {LOOP BLOCK BR_IF(0) STOP END BR(0) END, "Y"},
    {LOOP BLOCK BR_IF(0) BR(1) END END, "Y"},
    {LOOP BLOCK BR_IF(0) STOP BR(1) END END, "n"},
    {LOOP BLOCK BLOCK BR_IF(1) STOP END STOP END BR(0) END, "Y"},
    {LOOP BLOCK STOP BR_IF(0) STOP END BR(0) END, "n"},
    /* ways that end */
    {LOOP IF RETURN END STOP BR(0) END, "n"},
    {LOOP IF STOP ELSE RETURN END BR(0) END, "n"},
    {LOOP IF STOP ELSE TRAP END BR(0) END, "n"},
    {LOOP IF RETURN ELSE END BR(0) END, "Y"},
    {LOOP RETURN END, "n"},
    {BLOCK LOOP BR_IF(1) STOP BR(0) END END, "n"},
    {BLOCK LOOP BR_IF(1) BR(0) END END, "Y"},
    /* code that nothing leads to */
    {LOOP RETURN BR(0) END, "n"},
    {LOOP TRAP STOP BR(0) END, "n"},
    {RETURN LOOP BR(0) END, "n"},
    {LOOP BR(0) STOP END, "Y"},
    {LOOP IF BR(1) STOP ELSE STOP END STOP BR(0) END, "Y"},
    {LOOP TRAP IF BR(1) ELSE BR(1) END BR(0) END, "n"},
    {LOOP BLOCK TRAP IF BR(0) END END BR(0) END, "n"},
    {LOOP BLOCK BR(0) LOOP BR(0) END END BR(0) END, "Yn"},
    /* loops inside of loops */
    {LOOP LOOP BR_IF(0) END BR(0) END, "YY"},
    {LOOP LOOP STOP BR_IF(0) END BR(0) END, "nn"},
    {LOOP STOP LOOP BR_IF(0) END BR(0) END, "nY"},
    {LOOP LOOP BR_IF(0) END STOP BR(0) END, "nY"},
    {LOOP LOOP BR_IF(1) STOP BR(0) END END, "Yn"},
    {LOOP LOOP STOP BR_IF(1) BR(0) END END, "nn"},
    {LOOP LOOP LOOP BR_IF(2) STOP BR_IF(1) BR(0) END END END, "Ynn"},
    {LOOP STOP LOOP LOOP BR_IF(1) STOP BR_IF(0) END BR_IF(1) END END, "nYn"},
    {LOOP BLOCK LOOP STOP BR_IF(1) BR(0) END END BR(0) END, "nn"},
    {LOOP BLOCK LOOP BR_IF(1) STOP BR(0) END END BR(0) END, "Yn"},
    {LOOP STOP END LOOP BR(0) END, "nY"},
    /* br_table */
    {LOOP STOP "20 00 0e 02 00 00 00 " END, "n"},
    {LOOP "20 00 0e 00 00 " END, "Y"},
    {LOOP "20 00 0e 01 00 01 " END, "Y"},
    {LOOP "20 00 0e 01 01 00 " END, "Y"},
    {LOOP BLOCK "20 00 0e 01 00 01 " END STOP BR(0) END, "Y"},
    {LOOP BLOCK STOP "20 00 0e 01 00 01 " END BR(0) END, "n"},
    {LOOP BLOCK BLOCK "20 00 0e 01 00 01 " END STOP END BR(0) END, "Y"},
    {LOOP BLOCK BLOCK "20 00 0e 01 00 01 " END STOP BR(1) END STOP BR(0) END, "n"},
    {LOOP "20 00 0e 01 01 01 " END, "n"},
    /* indirect calls: no function of the second type can be met */
    {LOOP "41 00 11 01 00 " BR(0) END, "Y"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes b = build_around_hex("60 01 7f 00", "00", cases[i].code);
        struct wasm_module m = load(&b);
        char found[32];

        letters_of(&m, 1, found);
        if (strcmp(found, cases[i].expected) != 0)
            fail_msg("%s: %s, not %s", cases[i].code, found, cases[i].expected);
        module_release(&m);
        bytes_release(&b);
    }
}

/* As deep as may be, with a jump from the innermost loop to each. */
static void test_deep(void **state)
{
    const uint32_t depth = WASM_NESTING_MAX - 1;
    struct bytes code = {0}, b, offsets = {0};
    struct wasm_module m;

    (void)state;
    for (uint32_t i = 0; i < depth; i++)
        build_hex(&code, LOOP);
    for (uint32_t i = 0; i < depth; i++) {
        if (i == depth / 2)
            build_hex(&code, STOP); /* outer ones are jumped to behind it */
        build_hex(&code, "20 00 0d");
        build_u32(&code, i);
    }
    for (uint32_t i = 0; i < depth; i++)
        build_hex(&code, END);
    b = build_around("60 01 7f 00", "00", &code);
    m = load(&b);
    assert_int_equal(loops_find(&m, 1, &offsets), TERN_OK);
    assert_int_equal(offsets.size / sizeof(uint32_t), depth / 2);
    for (uint32_t i = 0; i < depth; i++)
        assert_int_equal(is_in(&offsets, m.funcs[1].code_offset + 2 * i), i >= depth - depth / 2);
    module_release(&m);
    bytes_release(&offsets);
    bytes_release(&code);
    bytes_release(&b);
}

/* ---- At random ---- */

/* Whether a way leads from the loop's header back to it, inside of it and past no stopping call. */
static bool has_round(const struct func_graph *g, uint32_t header)
{
    bool *wall = calloc(g->count, sizeof *wall), *marked = calloc(g->count, sizeof *marked);
    bool round;

    assert_non_null(wall);
    assert_non_null(marked);
    for (uint32_t i = 0; i < g->count; i++)
        wall[i] = i < header || i > g->end[header] || func_graph_stops(g, i);
    func_graph_spread(g, header, wall, marked);
    round = g->reached[header] && marked[header];
    free(wall);
    free(marked);
    return round;
}

/* Takes instructions away that nothing comes before, until none is left: then there is no circle.
 * What stops is taken away first. */
static bool has_circle(const struct func_graph *g, const struct bytes *offsets)
{
    uint32_t *before = calloc(g->count, sizeof *before), *todo = calloc(g->count, sizeof *todo);
    uint32_t size = 0, left = g->count, count;

    assert_non_null(before);
    assert_non_null(todo);
    for (uint32_t i = 0; i < g->count; i++) {
        const uint32_t *next = func_graph_next(g, i, &count);

        if (func_graph_stops(g, i) || is_in(offsets, g->insn[i].offset) || !g->reached[i])
            continue;
        for (uint32_t k = 0; k < count; k++)
            before[next[k]]++;
    }
    for (uint32_t i = 0; i < g->count; i++) {
        if (before[i] == 0)
            todo[size++] = i;
    }
    while (size > 0) {
        const uint32_t i = todo[--size], *next = func_graph_next(g, i, &count);

        left--;
        if (func_graph_stops(g, i) || is_in(offsets, g->insn[i].offset) || !g->reached[i])
            continue;
        for (uint32_t k = 0; k < count; k++) {
            if (--before[next[k]] == 0)
                todo[size++] = next[k];
        }
    }
    free(before);
    free(todo);
    return left > 0;
}

/* No circle is without a safepoint, and no loop has one that has no round without a call. */
static void test_random(void **state)
{
    uint32_t needing = 0, free_ones = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 2500; seed++) {
        struct drawn d = func_draw(seed, 30);
        struct func_graph g = func_graph_of(&d.module, DRAWN);
        struct bytes offsets = {0};

        assert_int_equal(loops_find(&d.module, DRAWN, &offsets), TERN_OK);
        if (has_circle(&g, &offsets))
            fail_msg("seed %" PRIu64 ": a circle without a safepoint", seed);
        for (uint32_t i = 0; i < g.count; i++) {
            if (g.insn[i].op != WASM_OP_LOOP || !g.reached[i])
                continue;
            if (has_round(&g, i) != is_in(&offsets, g.insn[i].offset))
                fail_msg("seed %" PRIu64 ": loop at %" PRIu32, seed, g.insn[i].offset);
            needing += is_in(&offsets, g.insn[i].offset);
            free_ones += !is_in(&offsets, g.insn[i].offset);
        }
        bytes_release(&offsets);
        func_graph_release(&g);
        drawn_release(&d);
    }
    assert_true(needing > 500 && free_ones > 500); /* the drawing gives enough of both */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
