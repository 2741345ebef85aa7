/*
 * module_load when memory runs out: the n-th allocation fails, for every n until none does.
 *
 * Linked with --wrap=malloc,--wrap=calloc,--wrap=realloc.
 */
#include "short_memory.h"
#include "wasm_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static enum tern_err load_failing_at(struct view bytes, unsigned n, struct wasm_fault *fault)
{
    struct wasm_module m;
    enum tern_err err;

    memory.seen = 0;
    memory.fail_at = n;
    err = module_load(&m, bytes, fault);
    memory.fail_at = 0;
    if (err)
        assert_null(m.arena.blocks);
    else
        module_release(&m);
    return err;
}

static void each_allocation_fails(void)
{
    struct bytes b = build_everything();
    struct wasm_fault fault;
    unsigned needed, n;

    assert_int_equal(load_failing_at(bytes_view(&b), 0, &fault), TERN_OK);
    needed = memory.seen;
    assert_true(needed >= 6); /* blocks of the arena, sorting, scratch memory */
    for (n = 1; n <= needed; n++) {
        assert_int_equal(load_failing_at(bytes_view(&b), n, &fault), TERN_ENOMEM);
        assert_string_equal(fault.reason, "out of memory");
    }
    assert_int_equal(load_failing_at(bytes_view(&b), n, &fault), TERN_OK);
    bytes_release(&b);
}

static void test_once(void **state)
{
    (void)state;
    memory.for_ever = false;
    each_allocation_fails();
}

static void test_for_ever(void **state)
{
    (void)state;
    memory.for_ever = true;
    each_allocation_fails();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
