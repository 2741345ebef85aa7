/*
 * The analyses of stopping when memory runs out: the n-th allocation fails, for every n until none
 * does, once and for ever.
 *
 * Linked with --wrap=malloc,--wrap=calloc,--wrap=realloc.
 */
#include "func_draw.h"

#include "short_memory.h"
#include "translate/liveness.h"
#include "translate/loops.h"
#include "translate/translate.h"
#include "wasm/suspend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- What is tried: each returns what it has found out to where it was ---- */

typedef enum tern_err attempt(struct wasm_module *m);

static enum tern_err try_suspend(struct wasm_module *m)
{
    return suspend_mark(m);
}

static enum tern_err try_loops(struct wasm_module *m)
{
    struct bytes offsets = {0};
    enum tern_err err = loops_find(m, DRAWN, &offsets);

    bytes_release(&offsets);
    return err;
}

static enum tern_err try_liveness(struct wasm_module *m)
{
    struct liveness l;
    enum tern_err err = liveness_find(m, DRAWN, &l);

    if (err)
        assert_true(!l.offset && !l.sets && l.count == 0);
    liveness_release(&l);
    return err;
}

static enum tern_err try_safepoints(struct wasm_module *m)
{
    struct translate_safepoints found = {0};
    enum tern_err err = translate_find_safepoints(m, DRAWN, &found);

    translate_safepoints_release(&found);
    return err;
}

static enum tern_err try_all_points(struct wasm_module *m)
{
    struct bytes out = {0};
    enum tern_err err = translate_all_points(m, &out);

    bytes_release(&out);
    return err;
}

/* ---- ---- */

static void each_fails(struct wasm_module *m, attempt *tried)
{
    unsigned needed;
    long before = memory.alive;

    memory.seen = 0;
    assert_int_equal(tried(m), TERN_OK);
    needed = memory.seen;
    assert_true(needed > 0);
    assert_int_equal(memory.alive, before);
    for (unsigned n = 1; n <= needed; n++) {
        enum tern_err err;

        memory.seen = 0;
        memory.fail_at = n;
        err = tried(m);
        memory.fail_at = 0;
        assert_int_equal(err, TERN_ENOMEM);
        assert_int_equal(memory.alive, before);
    }
}

static void all_fail(attempt *tried)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct drawn d = func_draw(seed, 24);

        if (d.module.funcs[DRAWN].loops) {
            memory.for_ever = false;
            each_fails(&d.module, tried);
            memory.for_ever = true;
            each_fails(&d.module, tried);
        }
        drawn_release(&d);
    }
}

static void test_suspend(void **state)
{
    (void)state;
    all_fail(try_suspend);
}

static void test_loops(void **state)
{
    (void)state;
    all_fail(try_loops);
}

static void test_liveness(void **state)
{
    (void)state;
    all_fail(try_liveness);
}

static void test_safepoints(void **state)
{
    (void)state;
    all_fail(try_safepoints);
}

static void test_all_points(void **state)
{
    (void)state;
    all_fail(try_all_points);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suspend),    cmocka_unit_test(test_loops),
        cmocka_unit_test(test_liveness),   cmocka_unit_test(test_safepoints),
        cmocka_unit_test(test_all_points),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
