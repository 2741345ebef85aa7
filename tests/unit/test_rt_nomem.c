/*
 * src/rt when memory runs out: the n-th allocation, mapping or change of protection fails, for
 * every n until none does. Then nothing is half done, and nothing stays allocated (ASan knows).
 *
 * Linked with --wrap of the functions below; mmap is mmap64 where file offsets have 64 bits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "rt/instance.h"
#include "rt_modules.h"

enum { CALLS_MAX = 100 }; /* of a test, by far */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __real_mprotect(void *at, size_t size, int protection);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __wrap_mprotect(void *at, size_t size, int protection);

static unsigned seen;
static unsigned fail_at; /* 0: never */

static bool fails(void)
{
    return ++seen == fail_at;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    errno = ENOMEM;
    return fails() ? MAP_FAILED : __real_mmap64(at, size, protection, flags, fd, offset);
}

int __wrap_mprotect(void *at, size_t size, int protection)
{
    errno = ENOMEM;
    return fails() ? -1 : __real_mprotect(at, size, protection);
}

void tern_host(struct tern_instance *in, uint32_t func, uint32_t room, union tern_cell *cells)
{
    (void)in, (void)func, (void)room, (void)cells;
}

static struct tern_memory *made; /* by new_memory */

static struct tern_memory *new_memory(void *context, const struct tern_limits *limits)
{
    (void)context;
    made = memory_new(-1, limits->min, limits->max);
    return made;
}

static const struct rt_config config = {.new_memory = new_memory, .table_elements_max = 100};

static enum rt_link_result make_failing_at(unsigned n, struct tern_instance **in)
{
    struct rt_failure failure;
    enum rt_link_result result;

    made = NULL;
    seen = 0;
    fail_at = n;
    result = instance_new(&rt_provider, &config, in, &failure);
    fail_at = 0;
    return result;
}

static void instances_come_whole_or_not_at_all(void **state)
{
    enum rt_link_result result = RT_NO_MEMORY;
    unsigned n = 1;

    (void)state;
    for (; result != RT_LINKED; n++) {
        struct tern_instance *in;

        assert_true(n < CALLS_MAX);
        result = make_failing_at(n, &in);
        if (result == RT_LINKED)
            assert_true(seen < n); /* nothing failed */
        else
            assert_int_equal(result, RT_NO_MEMORY);
        assert_int_equal(result == RT_LINKED, in != NULL);
        instance_free(in);
        memory_free(made);
    }
    assert_true(n > 6); /* block, table, its slots, memory ... have failed */
}

static void growth_that_fails_changes_nothing(void **state)
{
    struct tern_instance *in;

    (void)state;
    assert_int_equal(make_failing_at(0, &in), RT_LINKED);
    seen = 0;
    fail_at = 1;
    assert_int_equal(tern_memory_grow(in, 1), UINT32_MAX);
    assert_int_equal(in->memory[0]->pages, 1);
    seen = 0;
    assert_int_equal(tern_table_grow(in, 0, 0, 1), UINT32_MAX);
    assert_int_equal(in->table[0]->size, 4);
    fail_at = 0;
    assert_int_equal(tern_memory_grow(in, 1), 1);
    assert_int_equal(tern_table_grow(in, 0, 0, 1), 4);
    instance_free(in);
    memory_free(made);
}

static void a_long_signature_needs_memory(void **state)
{
    const struct tern_type type = {"iiiiiiiiiiiiiiiiiiiiiiii", "", 0, NULL};

    (void)state;
    seen = 0;
    fail_at = 1;
    assert_int_equal(tern_type_key(&type), 0);
    fail_at = 0;
    assert_int_not_equal(tern_type_key(&type), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instances_come_whole_or_not_at_all),
        cmocka_unit_test(growth_that_fails_changes_nothing),
        cmocka_unit_test(a_long_signature_needs_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
