/*
 * The safepoints that the translator tells of: functions at random, drawn together with the types
 * of their operands at each loop and call.
 */
#include "func_draw.h"
#include "func_graph.h"
#include "wasm_build.h"

#include "translate/loops.h"
#include "translate/translate.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct translate_safepoint *found_at(const struct translate_safepoints *s, size_t i)
{
    assert_true((i + 1) * sizeof(struct translate_safepoint) <= s->list.size);
    return (const struct translate_safepoint *)(const void *)s->list.data + i;
}

static size_t count_of(const struct translate_safepoints *s)
{
    return s->list.size / sizeof(struct translate_safepoint);
}

static uint64_t key_of(struct translate_point p)
{
    return (uint64_t)p.func << 33 | (uint64_t)p.offset << 1 | p.inside;
}

/* ---- What is expected: from what was drawn, where a way leads there ---- */

struct expected {
    const struct drawn *drawn;
    const struct translate_safepoints *found;
    uint32_t start; /* offset of the function's first instruction */
    struct bytes loops;
    size_t next; /* of those found */
    uint64_t seed;
};

static bool loop_stops(const struct expected *x, uint32_t offset)
{
    const uint32_t *list = (const uint32_t *)(const void *)x->loops.data;

    for (size_t i = 0; i < x->loops.size / sizeof *list; i++) {
        if (list[i] == offset)
            return true;
    }
    return false;
}

static void expect(struct expected *x, struct translate_safepoint s)
{
    const struct translate_safepoint *f = found_at(x->found, x->next++);

    if (key_of(f->point) != key_of(s.point) || f->operand_count != s.operand_count ||
        f->callee != s.callee || f->type != s.type)
        fail_msg("seed %" PRIu64 ": not the point at %" PRIu32, x->seed, s.point.offset);
    assert_true(f->operands + f->operand_count <= x->found->letters.size);
    if (s.operand_count == 0)
        return;
    if (memcmp(x->found->letters.data + f->operands, x->drawn->letters.data + s.operands,
               s.operand_count) != 0)
        fail_msg("seed %" PRIu64 ": operands at %" PRIu32, x->seed, s.point.offset);
}

static void expect_place(struct expected *x, const struct func_graph *g,
                         const struct drawn_place *p)
{
    const uint32_t at = x->start + p->offset, next = x->start + p->next_offset;
    const uint32_t insn = func_graph_at(g, at);

    assert_true(insn < g->count);
    if (!g->reached[insn])
        return;
    if (p->loop && loop_stops(x, at))
        expect(x, (struct translate_safepoint){{DRAWN, at, false}, p->below_count, p->below, 0, 0});
    if (p->loop || !func_graph_stops(g, insn))
        return;
    expect(x, (struct translate_safepoint){
                  {DRAWN, at, true}, p->below_count, p->below, p->callee, p->type});
    if (!loop_stops(x, next)) /* or else the loop's own point is this one */
        expect(x,
               (struct translate_safepoint){{DRAWN, next, false}, p->after_count, p->after, 0, 0});
}

static void check_order(const struct translate_safepoints *s, const struct func_graph *g)
{
    for (size_t i = 0; i < count_of(s); i++) {
        assert_true(func_graph_at(g, found_at(s, i)->point.offset) < g->count);
        if (i > 0)
            assert_true(key_of(found_at(s, i - 1)->point) < key_of(found_at(s, i)->point));
    }
}

static size_t check_function(const struct drawn *d, uint64_t seed)
{
    const struct drawn_place *p = (const struct drawn_place *)(const void *)d->places.data;
    struct translate_safepoints found = {0};
    struct func_graph g = func_graph_of(&d->module, DRAWN);
    struct expected x = {
        .drawn = d, .found = &found, .start = d->module.funcs[DRAWN].code_offset, .seed = seed};

    assert_int_equal(loops_find(&d->module, DRAWN, &x.loops), TERN_OK);
    assert_int_equal(translate_find_safepoints(&d->module, DRAWN, &found), TERN_OK);
    check_order(&found, &g);
    for (size_t i = 0; i < d->places.size / sizeof *p; i++)
        expect_place(&x, &g, &p[i]);
    assert_int_equal(x.next, count_of(&found));
    translate_safepoints_release(&found);
    bytes_release(&x.loops);
    func_graph_release(&g);
    return x.next;
}

static void test_random(void **state)
{
    size_t points = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 2500; seed++) {
        struct drawn d = func_draw(seed, 24);

        points += check_function(&d, seed);
        drawn_release(&d);
    }
    assert_true(points > 10000); /* the drawing gives enough */
}

/* ---- The whole module ---- */

/* All points are those of its functions, one after the other; imported ones have the call. */
static void test_all_points(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct drawn d = func_draw(seed, 24);
        struct bytes all = {0};
        const struct translate_point *p;
        size_t at = 0;

        assert_int_equal(translate_all_points(&d.module, &all), TERN_OK);
        p = (const struct translate_point *)(const void *)all.data;
        assert_int_equal(key_of(p[at++]), 0);
        for (uint32_t func = 1; func < d.module.func_count; func++) {
            struct translate_safepoints one = {0};

            assert_int_equal(translate_find_safepoints(&d.module, func, &one), TERN_OK);
            for (size_t i = 0; i < count_of(&one); i++)
                assert_int_equal(key_of(p[at++]), key_of(found_at(&one, i)->point));
            translate_safepoints_release(&one);
        }
        assert_int_equal(at * sizeof *p, all.size);
        bytes_release(&all);
        drawn_release(&d);
    }
}

static const struct translate_options options;

/* Each point can be entered, alone and together; a place that is none cannot. */
static void test_continuations(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct drawn d = func_draw(seed, 12);
        struct bytes all = {0}, text = {0};
        struct translate_points points, one;
        struct translate_point wrong;

        assert_int_equal(translate_all_points(&d.module, &all), TERN_OK);
        points.list = (const struct translate_point *)(const void *)all.data;
        points.count = all.size / sizeof *points.list;
        assert_int_equal(translate_continuations(&d.module, &options, &points, true, &text),
                         TERN_OK);
        bytes_clear(&text);
        assert_int_equal(translate_continuations(&d.module, &options, &points, false, &text),
                         TERN_OK);
        wrong = points.list[points.count - 1];
        wrong.offset = wrong.inside ? wrong.offset + 1 : wrong.offset - 1; /* inside of a call */
        one = (struct translate_points){&wrong, 1};
        bytes_clear(&text);
        assert_int_equal(translate_continuations(&d.module, &options, &one, false, &text),
                         TERN_ENOENT);
        bytes_release(&text);
        bytes_release(&all);
        drawn_release(&d);
    }
}

/* ---- How often small loops pass theirs ---- */

static unsigned count_in(const struct bytes *text, const char *what)
{
    unsigned count = 0;

    for (const char *at = (const char *)text->data; (at = strstr(at, what)); at++)
        count++;
    return count;
}

static void expect_copies(const char *code, unsigned safepoints, unsigned rounds)
{
    struct bytes bytes = build_around_hex("60 01 7f 00", "00", code), text = {0};
    struct wasm_fault fault;
    struct wasm_module m;

    assert_int_equal(module_load(&m, bytes_view(&bytes), &fault), TERN_OK);
    assert_int_equal(translate_piece(&m, &options, 0, &text), TERN_OK);
    assert_non_null(bytes_text(&text));
    assert_int_equal(count_in(&text, "TERN_POLL("), safepoints);
    assert_int_equal(count_in(&text, "goto loop_"), rounds);
    bytes_release(&text);
    module_release(&m);
    bytes_release(&bytes);
}

#define COUNT_DOWN "03 40 20 00 41 01 6b 22 00 0d 00 0b "

static void test_small_loops(void **state)
{
    (void)state;
    expect_copies(COUNT_DOWN, 1, 2);
    expect_copies("03 40 " COUNT_DOWN "20 00 0d 00 0b", 2, 3); /* only the inner one is small */
    expect_copies("03 40 0b", 0, 0);                           /* there is no second round */
    expect_copies("03 40 0c 00 0b", 1, 2);
    /* out of either copy, in its middle and at its end */
    expect_copies("02 40 03 40 20 00 0d 01 20 00 45 0d 00 0b 0b", 1, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_all_points),
        cmocka_unit_test(test_continuations),
        cmocka_unit_test(test_small_loops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
