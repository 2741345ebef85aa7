/*
 * Which calls can be stopped inside: modules by hand, then call graphs at random, where plain
 * reachability and counting give the answer.
 */
#include "call_sketch.h"

#include "wasm/suspend.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct wasm_module load(const struct bytes *b)
{
    struct wasm_module m;
    struct wasm_fault fault;

    if (module_load(&m, bytes_view(b), &fault) != TERN_OK)
        fail_msg("%s at %" PRIu32, fault.reason, fault.offset);
    return m;
}

/* ---- By hand ---- */

/*
 * A function is a word: '@' has a loop, '&' is referred to, a letter a call of that function ('a'
 * is function 1, '!' the imported one), '?' an indirect call of type [], '%' one of [i32]; '$' as
 * the first says that its own type is [i32].
 */
static struct sketch sketch_of(const char *text, enum sharing sharing)
{
    struct sketch s = {.count = 1, .sharing = sharing};
    struct func_of *f = &s.funcs[s.count++];

    for (; *text; text++) {
        struct call_of *c = &f->calls[f->call_count];

        switch (*text) {
        case ' ': f = &s.funcs[s.count++]; break;
        case '.': break; /* nothing at all */
        case '@': f->loops = true; break;
        case '&': f->referred = true; break;
        case '$': f->type = 2; break;
        case '!': f->call_count++; break;
        case '?':
        case '%':
            *c = (struct call_of){true, *text == '%' ? 5 : 1};
            f->call_count++;
            break;
        default: *c = (struct call_of){false, (uint32_t)(*text - 'a') + 1}; f->call_count++;
        }
    }
    return s;
}

struct case_of {
    const char *functions;
    enum sharing sharing;
    const char *expected; /* a letter for each function, then for types [] and [i32]: Y suspends */
};

static const struct case_of cases[] = {
    {".", SHARES_NOTHING, "n nn"},
    {"@", SHARES_NOTHING, "Y nn"},
    {"!", SHARES_NOTHING, "Y nn"},
    {"b .", SHARES_NOTHING, "nn nn"},
    {"b @", SHARES_NOTHING, "YY nn"},
    {"b c !", SHARES_NOTHING, "YYY nn"},
    {". a @", SHARES_NOTHING, "nnY nn"},
    {"b bb c", SHARES_NOTHING, "YYY nn"}, /* c calls itself, as b does */
    {"bc . .", SHARES_NOTHING, "nnn nn"},
    {"bc @ .", SHARES_NOTHING, "YYn nn"},
    /* circles */
    {"a", SHARES_NOTHING, "Y nn"},
    {"b a", SHARES_NOTHING, "YY nn"},
    {"b c a", SHARES_NOTHING, "YYY nn"},
    {"b c a d d", SHARES_NOTHING, "YYYYY nn"},
    {"b c b", SHARES_NOTHING, "YYY nn"},
    {"bd c b .", SHARES_NOTHING, "YYYn nn"},
    /* through references */
    {"?", SHARES_NOTHING, "n nn"},
    {"? &", SHARES_NOTHING, "nn nn"},
    {"? &@", SHARES_NOTHING, "YY Yn"},
    {"? @", SHARES_NOTHING, "nY nn"},
    {"? &$@", SHARES_NOTHING, "nY nY"},
    {"% &$@", SHARES_NOTHING, "YY nY"},
    {"% &@", SHARES_NOTHING, "nY Yn"},
    {"&?", SHARES_NOTHING, "Y Yn"}, /* calls itself */
    {"&$?", SHARES_NOTHING, "n nn"},
    {"&$%", SHARES_NOTHING, "Y nY"},
    {"&% &$?", SHARES_NOTHING, "YY YY"}, /* each other */
    {"&% &$b", SHARES_NOTHING, "YY YY"},
    {"&% &$.", SHARES_NOTHING, "nn nn"},
    {"?b &c a", SHARES_NOTHING, "YYY Yn"},
    /* other instances */
    {"?", IMPORTS_TABLE, "Y YY"},
    {".", IMPORTS_TABLE, "n YY"},
    {"%", EXPORTS_TABLE, "Y YY"},
    {"?", IMPORTS_GLOBAL, "Y YY"},
    {"?", EXPORTS_GLOBAL, "Y YY"},
    {"?", EXPORTS_CONSTANT, "n nn"},
    {"?", EXPORTS_FUNCTION, "Y YY"},
    {"?", IMPORTS_FUNCTION, "Y YY"},
    {"b .", EXPORTS_TABLE, "nn YY"},
};

static void describe(const struct sketch *s, const struct wasm_module *m, char *out)
{
    for (uint32_t i = 1; i < s->count; i++)
        *out++ = m->funcs[sketch_number(s, i)].suspends ? 'Y' : 'n';
    *out++ = ' ';
    *out++ = m->types[0].suspends ? 'Y' : 'n';
    *out++ = m->types[2].suspends ? 'Y' : 'n';
    *out = 0;
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sketch s = sketch_of(cases[i].functions, cases[i].sharing);
        struct bytes b = sketch_build(&s);
        struct wasm_module m = load(&b);
        char found[FUNCS_MAX + 4];

        describe(&s, &m, found);
        if (strcmp(found, cases[i].expected) != 0)
            fail_msg("%s (%d): %s, not %s", cases[i].functions, (int)cases[i].sharing, found,
                     cases[i].expected);
        module_release(&m);
        bytes_release(&b);
    }
}

/* Each calls the one before it twice: the work doubles, and is cut again and again. */
static void test_doubling(void **state)
{
    struct sketch s = {.count = 23};
    struct bytes b;
    struct wasm_module m;
    uint32_t heavy = 0;

    (void)state;
    s.funcs[1].fill = 9; /* and its end: 10 */
    for (uint32_t i = 2; i < s.count; i++) {
        s.funcs[i].call_count = 2;
        s.funcs[i].calls[0].to = s.funcs[i].calls[1].to = i - 1;
    }
    b = sketch_build(&s);
    m = load(&b);
    for (uint32_t i = 1; i < s.count; i++) {
        uint64_t work = (UINT64_C(13) << (i - 1)) - 3; /* w = 2 w + 3 */

        assert_int_equal(m.funcs[i].suspends, work > SUSPEND_WORK_MAX);
        heavy += m.funcs[i].heavy;
    }
    assert_int_equal(heavy, 1); /* above it each call is of one that suspends */
    module_release(&m);
    bytes_release(&b);
}

/* A circle does not hide what its functions call besides. */
static void test_heavy_in_circle(void **state)
{
    struct sketch s = {.count = 3};
    struct bytes b;
    struct wasm_module m;

    (void)state;
    s.funcs[2].fill = SUSPEND_WORK_MAX / 40;
    s.funcs[1].calls[0].to = 1; /* itself */
    for (s.funcs[1].call_count = 1; s.funcs[1].call_count < 42; s.funcs[1].call_count++)
        s.funcs[1].calls[s.funcs[1].call_count].to = 2;
    b = sketch_build(&s);
    m = load(&b);
    assert_true(m.funcs[1].suspends);
    assert_true(m.funcs[1].heavy);
    assert_true(suspend_after_call(&m, 1, 2));
    assert_false(m.funcs[2].suspends);
    module_release(&m);
    bytes_release(&b);
}

/* ---- At random ---- */

static uint32_t below(uint64_t *seed, uint32_t limit)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*seed >> 33) % limit);
}

/* Most calls go to functions before, so that circles are few; some functions call a lot. */
static void draw_func(struct sketch *s, uint32_t i, uint64_t *seed)
{
    struct func_of *f = &s->funcs[i];
    const uint32_t most = below(seed, 4) ? 3 : CALLS_MAX;

    f->type = below(seed, 3);
    f->loops = below(seed, 20) == 0;
    f->referred = below(seed, 4) == 0;
    f->fill = below(seed, 5) ? below(seed, 20) : below(seed, 3000);
    f->call_count = below(seed, most);
    for (uint32_t k = 0; k < f->call_count; k++) {
        struct call_of *c = &f->calls[k];

        c->indirect = below(seed, 100) == 0;
        if (c->indirect)
            c->to = below(seed, 2) ? below(seed, 3) : 5;
        else
            c->to = below(seed, 400) && i > 1 ? 1 + below(seed, i - 1) : below(seed, s->count);
    }
}

static struct sketch draw_sketch(uint64_t seed)
{
    struct sketch s = {0};

    seed = seed * 0x9e3779b97f4a7c15u + 1;
    s.count = 2 + below(&seed, FUNCS_MAX - 2);
    s.sharing = below(&seed, 2) ? SHARES_NOTHING : (enum sharing)below(&seed, SHARINGS);
    for (uint32_t i = 1; i < s.count; i++)
        draw_func(&s, i, &seed);
    return s;
}

/* What the marks must be. Nodes: functions, then the two shapes of types. */
enum { NODES = FUNCS_MAX + 2 };

struct model {
    const struct sketch *s;
    uint32_t edges[NODES][NODES]; /* how many */
    bool reaches[NODES][NODES];
    bool known[NODES], suspends[NODES], heavy[NODES];
    uint64_t work[NODES];
};

static uint32_t shape(const struct sketch *s, uint32_t type)
{
    return s->count + (type == 2 || type == 5);
}

static void draw_edges(struct model *x)
{
    const struct sketch *s = x->s;

    for (uint32_t i = 0; i < s->count; i++) {
        for (uint32_t k = 0; k < s->funcs[i].call_count; k++) {
            const struct call_of *c = &s->funcs[i].calls[k];

            x->edges[i][c->indirect ? shape(s, c->to) : c->to]++;
        }
        if (s->funcs[i].referred)
            x->edges[shape(s, s->funcs[i].type)][i] = 1;
    }
}

static void find_ways(struct model *x)
{
    const uint32_t n = x->s->count + 2;

    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < n; k++)
            x->reaches[i][k] = x->edges[i][k] > 0;
    }
    for (uint32_t via = 0; via < n; via++) {
        for (uint32_t i = 0; i < n; i++) {
            for (uint32_t k = 0; k < n; k++)
                x->reaches[i][k] |= x->reaches[i][via] && x->reaches[via][k];
        }
    }
}

static bool stops_by_itself(const struct model *x, uint32_t node)
{
    const struct sketch *s = x->s;

    if (x->reaches[node][node])
        return true;
    if (node >= s->count)
        return s->sharing != SHARES_NOTHING && s->sharing != EXPORTS_CONSTANT;
    return node == 0 || s->funcs[node].loops;
}

/* Circles are known to suspend before what they call is asked for: this comes to an end. */
static void settle(struct model *x, const struct wasm_module *m, uint32_t node)
{
    const struct sketch *s = x->s;
    uint64_t sum = node < s->count ? m->funcs[sketch_number(s, node)].insn_count : 0, most = 0;
    uint32_t calls = 0;

    if (x->known[node])
        return;
    x->known[node] = true;
    x->suspends[node] = stops_by_itself(x, node);
    for (uint32_t to = 0; to < s->count + 2; to++) {
        if (x->edges[node][to] == 0)
            continue;
        settle(x, m, to);
        calls += x->edges[node][to];
        if (x->suspends[to])
            x->suspends[node] = true;
        else
            sum += x->edges[node][to] * x->work[to];
        if (!x->suspends[to] && x->work[to] > most)
            most = x->work[to];
    }
    x->work[node] = node < s->count ? sum : most;
    x->heavy[node] = node < s->count && calls > 0 && sum > SUSPEND_WORK_MAX;
    x->suspends[node] |= x->heavy[node];
}

struct seen {
    uint32_t suspends, does_not, heavy, circles;
};

static void compare(const struct model *x, const struct wasm_module *m, uint64_t seed,
                    struct seen *seen)
{
    const struct sketch *s = x->s;

    for (uint32_t i = 0; i < s->count; i++) {
        const struct wasm_func *f = &m->funcs[sketch_number(s, i)];

        if (f->suspends != x->suspends[i] || f->heavy != x->heavy[i])
            fail_msg("seed %" PRIu64 ": function %" PRIu32, seed, i);
        seen->suspends += f->suspends;
        seen->does_not += !f->suspends;
        seen->heavy += f->heavy;
        seen->circles += x->reaches[i][i];
    }
    if (m->types[0].suspends != x->suspends[s->count] ||
        m->types[2].suspends != x->suspends[s->count + 1])
        fail_msg("seed %" PRIu64 ": types", seed);
}

static bool stops(const struct model *x, const struct wasm_module *m, uint32_t from, uint32_t to)
{
    const struct sketch *s = x->s;

    if (to < s->count)
        return suspend_after_call(m, sketch_number(s, from), sketch_number(s, to));
    return suspend_after_indirect(m, sketch_number(s, from), to == s->count ? 1 : 5);
}

/* What a call of the node executes until it is back or stopped, by the marks alone; 0: not known
 * yet. `depth` nodes wait for the answer: more than there are is a circle without a safepoint. */
static uint64_t stretch(const struct model *x, const struct wasm_module *m, uint32_t node,
                        uint64_t *known, uint32_t depth)
{
    const struct sketch *s = x->s;
    uint64_t sum = node < s->count ? m->funcs[sketch_number(s, node)].insn_count : 0, most = 0;

    assert_true(depth <= NODES);
    for (uint32_t to = 0; to < s->count + 2 && known[node] == 0; to++) {
        uint64_t there;

        if (x->edges[node][to] == 0 || (node < s->count && stops(x, m, node, to)))
            continue;
        there = stretch(x, m, to, known, depth + 1);
        assert_true(to >= s->count || !m->funcs[sketch_number(s, to)].suspends);
        sum += x->edges[node][to] * there;
        most = there > most ? there : most;
    }
    if (known[node] == 0)
        known[node] = node < s->count ? sum : most;
    return known[node];
}

/* Between two safepoints lies little, unless it stands in one function without calls. */
static void check_stretches(const struct model *x, const struct wasm_module *m)
{
    const struct sketch *s = x->s;
    uint64_t known[NODES] = {0};

    for (uint32_t i = 1; i < s->count; i++)
        assert_true(stretch(x, m, i, known, 1) <= SUSPEND_WORK_MAX);
}

static void test_random(void **state)
{
    static struct model x; /* large */
    struct seen seen = {0};

    (void)state;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct sketch s = draw_sketch(seed);
        struct bytes b = sketch_build(&s);
        struct wasm_module m = load(&b);

        x = (struct model){.s = &s};
        draw_edges(&x);
        find_ways(&x);
        for (uint32_t node = 0; node < s.count + 2; node++)
            settle(&x, &m, node);
        compare(&x, &m, seed, &seen);
        check_stretches(&x, &m);
        module_release(&m);
        bytes_release(&b);
    }
    assert_true(seen.suspends > 2000 && seen.does_not > 2000); /* the drawing gives enough */
    assert_true(seen.heavy > 100 && seen.circles > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_doubling),
        cmocka_unit_test(test_heavy_in_circle),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
