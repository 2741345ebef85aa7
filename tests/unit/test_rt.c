/*
 * src/rt with modules written by hand: linking, layout, segments, tables, memories, traps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "rt/instance.h"
#include "rt/trap.h"
#include "rt_modules.h"

enum { MADE_MAX = 64 };

static struct tern_instance *provider;
static struct tern_instance *instances[MADE_MAX]; /* of the test that runs */
static struct tern_memory *memories[MADE_MAX];
static unsigned instance_count, memory_count;
static struct rt_extern changed; /* stands for the import `changed_field`, if that is set */
static const char *changed_field;
static uint32_t logged_func, logged_value;

void tern_host(struct tern_instance *in, uint32_t func, uint32_t room, union tern_cell *cells)
{
    (void)room;
    logged_func = instance_host_number(in, func);
    logged_value = cells[0].i32;
}

static bool resolve(void *context, const struct tern_import *import, struct rt_extern *out)
{
    const struct tern_export *e =
        instance_find_export(provider, import->field.data, import->field.size);

    (void)context;
    if (changed_field && strcmp(changed_field, import->field.data) == 0) {
        *out = changed;
        return true;
    }
    if (import->module.data[0] == 'h') {
        *out = (struct rt_extern){.kind = TERN_FUNC, .host_type = "i>", .host_number = 42};
        return true;
    }
    if (e)
        *out = instance_extern(provider, e);
    return e;
}

static struct tern_memory *new_memory(void *context, const struct tern_limits *limits)
{
    struct tern_memory *memory = memory_new(-1, limits->min, limits->max);

    (void)context;
    assert_non_null(memory);
    assert_true(memory_count < MADE_MAX);
    memories[memory_count++] = memory;
    trap_add_memory(memory);
    return memory;
}

static const struct rt_config config = {
    .source = rt_source, .resolve = resolve, .new_memory = new_memory, .table_elements_max = 100};

/* instance_new, and the test's end gives it back. */
static enum rt_link_result try_to_make(const struct tern_module *module,
                                       const struct rt_config *with, struct tern_instance **in,
                                       struct rt_failure *failure)
{
    enum rt_link_result result = instance_new(module, with, in, failure);

    assert_true(instance_count < MADE_MAX);
    instances[instance_count++] = *in;
    return result;
}

static struct tern_instance *make(const struct tern_module *module)
{
    struct tern_instance *in;
    struct rt_failure failure;

    assert_int_equal(try_to_make(module, &config, &in, &failure), RT_LINKED);
    assert_non_null(in);
    return in;
}

static int set_up(void **state)
{
    (void)state;
    changed_field = NULL;
    provider = make(&rt_provider);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    while (instance_count > 0)
        instance_free(instances[--instance_count]);
    while (memory_count > 0)
        memory_free(memories[--memory_count]);
    return 0;
}

static const struct tern_export *export_of(const struct tern_instance *in, const char *name)
{
    const struct tern_export *e = instance_find_export(in, name, (uint32_t)strlen(name));

    assert_non_null(e);
    return e;
}

/* ---- Calls ---- */

struct call {
    const struct tern_func *func;
    const struct tern_type *type;
    uint32_t room;
    union tern_cell cells[2];
};

static void run(void *context)
{
    struct call *c = context;

    c->type->invoke(c->func, c->room, c->cells);
}

static struct call call_of(const struct tern_instance *in, const char *name, uint32_t room)
{
    const uint32_t func = export_of(in, name)->index;

    return (struct call){in->func[func], instance_func_type(in, func), room, {{.i64 = 0}}};
}

static void calls_with_cells(void **state)
{
    struct call c = call_of(provider, "add", 100);
    struct trap_info info;

    (void)state;
    c.cells[0].i32 = 40;
    c.cells[1].i32 = 2;
    assert_true(trap_run(run, &c, &info));
    assert_int_equal(c.cells[0].i32, 42);
}

static void calls_the_host_by_number(void **state)
{
    struct tern_instance *in = make(&rt_consumer);
    struct call c = call_of(in, "log", 100);
    struct trap_info info;

    (void)state;
    c.cells[0].i32 = 99;
    assert_true(trap_run(run, &c, &info));
    assert_int_equal(logged_func, 42);
    assert_int_equal(logged_value, 99);
}

/* ---- Traps ---- */

/* cmocka takes the signals before each test; those with faults take them back. */
static void take_signals(void)
{
    assert_int_equal(trap_init(1 << 20), 0);
}

static void reports_a_trap_with_its_place(void **state)
{
    struct call c = call_of(provider, "stop", 100);
    struct trap_info info;

    (void)state;
    assert_false(trap_run(run, &c, &info));
    assert_int_equal(info.kind, TERN_TRAP_UNREACHABLE);
    assert_false(info.by_fault);
    assert_int_equal(info.func, 3);
    assert_int_equal(info.offset, 61);
}

static void counts_the_stack_in_cells(void **state)
{
    struct call c = call_of(provider, "recurse", 8000);
    struct trap_info info;

    (void)state;
    assert_false(trap_run(run, &c, &info));
    assert_int_equal(info.kind, TERN_TRAP_STACK);
    assert_false(info.by_fault);
}

static void finds_the_end_of_the_native_stack(void **state)
{
    struct call c = call_of(provider, "recurse", UINT32_MAX);
    struct trap_info info;

    (void)state;
    take_signals();
    assert_false(trap_run(run, &c, &info));
    assert_int_equal(info.kind, TERN_TRAP_STACK);
    assert_true(info.by_fault);
    assert_true(info.pc != 0);
}

static void traps_beyond_the_memory(void **state)
{
    static const uint32_t addresses[] = {0, 1, 65536, 0x7fffffff, UINT32_MAX};
    struct call c = call_of(provider, "peek", 100); /* adds an offset of 2^32 - 1 */
    struct trap_info info;

    (void)state;
    take_signals();
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        c.cells[0].i32 = addresses[i];
        assert_false(trap_run(run, &c, &info));
        assert_int_equal(info.kind, TERN_TRAP_MEMORY);
        assert_true(info.by_fault);
    }
}

struct nested {
    struct call inner;
    struct trap_info info;
    bool returned;
};

static void run_nested(void *context)
{
    struct nested *n = context;

    n->returned = trap_run(run, &n->inner, &n->info);
}

static void nests(void **state)
{
    struct nested n = {.inner = call_of(provider, "stop", 100), .returned = true};
    struct trap_info info;

    (void)state;
    assert_true(trap_run(run_nested, &n, &info)); /* the inner trap is the inner call's alone */
    assert_false(n.returned);
    assert_int_equal(n.info.offset, 61);
}

static void has_a_text_for_every_trap(void **state)
{
    (void)state;
    for (enum tern_trap_kind k = TERN_TRAP_UNREACHABLE; k <= TERN_TRAP_STACK; k++)
        assert_string_not_equal(trap_text(k), trap_text(TERN_TRAP_NONE));
}

/* ---- Linking ---- */

static struct rt_extern provided(const char *name)
{
    return instance_extern(provider, export_of(provider, name));
}

/* Linking rt_consumer with `what` for its import `field`. */
static enum rt_link_result link_with(const char *field, struct rt_extern what)
{
    struct tern_instance *in;
    struct rt_failure failure;
    enum rt_link_result result;

    changed_field = field;
    changed = what;
    result = try_to_make(&rt_consumer, &config, &in, &failure);
    changed_field = NULL;
    if (result != RT_LINKED) {
        assert_null(in);
        assert_string_equal(failure.import->field.data, field);
    }
    return result;
}

static void refuses_what_does_not_match(void **state)
{
    struct rt_extern host = {.kind = TERN_FUNC, .host_type = "ii>"};
    struct rt_extern constant = provided("v"), other_type = provided("g");

    (void)state;
    assert_int_equal(link_with("add", provided("peek")), RT_INCOMPATIBLE_IMPORT);
    assert_int_equal(link_with("add", provided("t")), RT_INCOMPATIBLE_IMPORT);
    assert_int_equal(link_with("add", host), RT_INCOMPATIBLE_IMPORT);
    host.host_type = "ii>i";
    assert_int_equal(link_with("add", host), RT_LINKED);
    constant.mutable_ = false;
    assert_int_equal(link_with("v", constant), RT_INCOMPATIBLE_IMPORT);
    other_type.valtype = 'f';
    assert_int_equal(link_with("g", other_type), RT_INCOMPATIBLE_IMPORT);
}

static void names_an_unknown_import(void **state)
{
    struct rt_config nobody = config;
    struct tern_instance *in;
    struct rt_failure failure;

    (void)state;
    nobody.resolve = NULL;
    assert_int_equal(try_to_make(&rt_consumer, &nobody, &in, &failure), RT_UNKNOWN_IMPORT);
    assert_string_equal(failure.import->field.data, "add");
}

/* The memory of 1 to 3 pages is imported as 1 to 3, the table of 4 to 8 as 3 to 9. */
static void compares_limits(void **state)
{
    struct rt_extern memory = provided("m"), table = provided("t");
    struct tern_memory other_memory = *memory.memory;
    struct tern_table other_table = *table.table;

    (void)state;
    memory.memory = &other_memory;
    other_memory.declared_max = UINT32_MAX;
    assert_int_equal(link_with("m", memory), RT_INCOMPATIBLE_IMPORT);
    other_memory.declared_max = 4;
    assert_int_equal(link_with("m", memory), RT_INCOMPATIBLE_IMPORT);
    other_memory.declared_max = 2;
    assert_int_equal(link_with("m", memory), RT_LINKED);
    other_memory.pages = 0;
    assert_int_equal(link_with("m", memory), RT_INCOMPATIBLE_IMPORT);

    table.table = &other_table;
    other_table.max = 10;
    assert_int_equal(link_with("t", table), RT_INCOMPATIBLE_IMPORT);
    other_table.max = 9;
    assert_int_equal(link_with("t", table), RT_LINKED);
    other_table.elemtype = 'e';
    assert_int_equal(link_with("t", table), RT_INCOMPATIBLE_IMPORT);
}

static void refuses_another_abi(void **state)
{
    struct tern_module other = rt_provider;
    struct tern_instance *in;
    struct rt_failure failure;

    (void)state;
    other.abi++;
    assert_int_equal(try_to_make(&other, &config, &in, &failure), RT_WRONG_ABI);
}

static void gives_equal_keys_to_equal_types(void **state)
{
    static const char many[] = "iIfdvreiIfdvreiIfdvre", fewer[] = "iIfdvreiIfdvreiIfdvr";
    const struct tern_type short_type = {"iI", "f", 0, NULL};
    const struct tern_type given = {"iI", "f", 5, NULL};
    const struct tern_type longer = {many, "", 0, NULL}, split = {fewer, "e", 0, NULL};
    char copy[sizeof many];
    const struct tern_type same = {copy, "", 0, NULL};

    (void)state;
    memcpy(copy, many, sizeof many);
    assert_int_equal(tern_type_key(&short_type), 01120 << 3 | 3);
    assert_int_equal(tern_type_key(&given), 5);
    assert_int_equal(tern_type_key(&longer), tern_type_key(&same));
    assert_int_not_equal(tern_type_key(&longer), tern_type_key(&split));
    assert_int_equal(tern_type_key(&longer) >> 63, 1);
}

/* ---- Layout and segments ---- */

static void evaluates_globals(void **state)
{
    struct tern_instance *in = make(&rt_consumer);
    const struct rt_extern vector = instance_extern(in, export_of(in, "vector"));
    const struct rt_extern again = instance_extern(in, export_of(in, "again"));
    const struct rt_extern ref = instance_extern(in, export_of(in, "ref"));

    (void)state;
    assert_int_equal(in->global[2]->i32, 7);
    for (uint8_t i = 0; i < 16; i++)
        assert_int_equal(vector.global->v128[i], i + 1);
    assert_int_equal(vector.valtype, 'v');
    assert_ptr_equal(again.global, provided("v").global);
    assert_true(again.mutable_ && again.valtype == 'I');
    assert_ptr_equal((const void *)(uintptr_t)ref.global->ref, in->func[0]);
}

static void copies_active_segments(void **state)
{
    struct tern_instance *in = make(&rt_consumer);
    const struct tern_slot *slot = provided("t").table->slot;

    (void)state;
    assert_memory_equal(in->mem + 65534, "ab", 2);
    assert_memory_equal(in->mem + 7, "cde", 3);
    assert_int_equal(slot[0].ref, 0);
    assert_ptr_equal(slot[1].instance, provider);
    assert_int_equal(slot[1].key, provider->key[0]);
    assert_ptr_equal(slot[2].instance, in); /* its import of a host function */
    assert_int_equal(slot[3].ref, 0);
    assert_false(in->elem_dropped[0] || in->data_dropped[0]);
    assert_true(in->elem_dropped[1] && in->elem_dropped[3] && in->data_dropped[1]);
}

/* A segment that does not fit writes nothing; those before it stay. */
static void stops_at_a_segment_that_does_not_fit(void **state)
{
    static struct tern_module module; /* instances refer to it until the test is torn down */
    struct tern_data datas[3];
    struct tern_elem elems[4];
    struct tern_instance *in;
    struct rt_failure failure;

    (void)state;
    module = rt_consumer;
    memcpy(datas, module.datas, sizeof datas);
    memcpy(elems, module.elems, sizeof elems);
    module.datas = datas;
    module.elems = elems;
    datas[2].at = (struct tern_const){TERN_CONST_BITS, 'i', 0, {65534, 0}};
    assert_int_equal(try_to_make(&module, &config, &in, &failure), RT_TRAPPED);
    assert_int_equal(failure.trap, TERN_TRAP_MEMORY);
    assert_non_null(in);
    assert_memory_equal(in->mem + 65534, "ab", 2);

    memset(in->mem + 65534, 0, 2);
    elems[2].at.bits[0] = 5; /* one behind the end */
    assert_int_equal(try_to_make(&module, &config, &in, &failure), RT_TRAPPED);
    assert_int_equal(failure.trap, TERN_TRAP_TABLE);
    assert_ptr_equal(provided("t").table->slot[2].instance, in);
    assert_int_equal(in->mem[65534], 0); /* elements come before data */
}

/* ---- Memory ---- */

static void grows_in_place(void **state)
{
    uint8_t *const base = provider->mem;

    (void)state;
    assert_int_equal(tern_memory_grow(provider, 0), 1);
    assert_int_equal(tern_memory_grow(provider, 3), UINT32_MAX);
    assert_int_equal(tern_memory_grow(provider, UINT32_MAX), UINT32_MAX);
    assert_int_equal(tern_memory_grow(provider, 2), 1);
    assert_int_equal(tern_memory_grow(provider, 1), UINT32_MAX);
    assert_ptr_equal(provider->mem, base);
    assert_int_equal(base[3 * 65536 - 1], 0);
    base[3 * 65536 - 1] = 1;
}

static void checks_bounds_of_memory(void **state)
{
    struct tern_instance *in = make(&rt_consumer);

    (void)state;
    assert_true(tern_memory_fill(in, 65535, 0x1ff, 1));
    assert_int_equal(in->mem[65535], 0xff);
    assert_true(tern_memory_fill(in, 65536, 1, 0));
    assert_false(tern_memory_fill(in, 65537, 1, 0));
    assert_false(tern_memory_fill(in, 2, 1, UINT32_MAX));
    assert_false(tern_memory_copy(in, 65530, 0, 7));
    assert_false(tern_memory_copy(in, 0, 65530, 7));
    assert_true(tern_memory_init(in, 0, 0, 2, 8));
    assert_true(tern_memory_copy(in, 1, 0, 8)); /* overlapping */
    assert_memory_equal(in->mem, "223456789", 9);
    assert_false(tern_memory_init(in, 0, 0, 3, 8));
    assert_false(tern_memory_init(in, 0, 65530, 0, 8));
    tern_data_drop(in, 0);
    assert_false(tern_memory_init(in, 0, 0, 0, 1));
    assert_true(tern_memory_init(in, 0, 65536, 0, 0));
}

/* ---- Tables ---- */

static void grows_tables_within_the_budget(void **state)
{
    struct tern_instance *in = make(&rt_consumer);
    const struct tern_slot *const slots = in->table[1]->slot;

    (void)state;
    assert_int_equal(tern_table_grow(in, 1, 5, 97), 2);
    assert_int_equal(tern_table_grow(in, 1, 0, 2), UINT32_MAX); /* 100 in all */
    assert_int_equal(tern_table_grow(in, 1, 0, 1), 99);
    assert_int_equal(tern_table_grow(in, 1, 0, UINT32_MAX), UINT32_MAX);
    assert_ptr_equal(in->table[1]->slot, slots);
    assert_int_equal(slots[1].ref, 0);
    assert_int_equal(slots[98].ref, 5);
    assert_int_equal(slots[99].ref, 0);
    assert_null(slots[98].code); /* of a host reference nothing can be called */
    assert_int_equal(tern_table_grow(in, 0, 0, 5), UINT32_MAX);
    assert_int_equal(tern_table_grow(in, 0, (uint64_t)(uintptr_t)in->func[0], 4), 4);
    assert_ptr_equal(in->table[0]->slot[7].instance, provider);
}

static void checks_bounds_of_tables(void **state)
{
    struct tern_instance *in = make(&rt_consumer);
    struct tern_slot *slot = in->table[0]->slot;

    (void)state;
    assert_false(tern_table_set(in, 0, 4, 0));
    assert_false(tern_table_fill(in, 0, 1, 0, UINT32_MAX));
    assert_true(tern_table_fill(in, 0, 4, 0, 0));
    assert_true(tern_table_init(in, 0, 0, 1, 0, 3));
    assert_int_equal(slot[2].ref, 0);
    assert_ptr_equal(slot[3].instance, provider); /* from the global */
    assert_true(tern_table_copy(in, 0, 0, 0, 1, 3));
    assert_ptr_equal(slot[0].instance, in);
    assert_false(tern_table_copy(in, 0, 0, 2, 0, 3));
    assert_false(tern_table_copy(in, 0, 0, 0, 2, 3));
    assert_false(tern_table_init(in, 0, 0, 0, 1, 3));
    tern_elem_drop(in, 0);
    assert_false(tern_table_init(in, 0, 0, 0, 0, 1));
    assert_true(tern_table_init(in, 0, 0, 4, 0, 0));
    assert_true(tern_table_set(in, 0, 0, 0));
    assert_int_equal(slot[0].key, 0);
}

static void refuses_too_large_a_table(void **state)
{
    struct rt_config tight = config;
    struct tern_instance *in;
    struct rt_failure failure;

    (void)state;
    tight.table_elements_max = 3;
    assert_int_equal(try_to_make(&rt_provider, &tight, &in, &failure), RT_NO_MEMORY);
    assert_null(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls_with_cells, set_up, tear_down),
        cmocka_unit_test_setup_teardown(calls_the_host_by_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reports_a_trap_with_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counts_the_stack_in_cells, set_up, tear_down),
        cmocka_unit_test_setup_teardown(finds_the_end_of_the_native_stack, set_up, tear_down),
        cmocka_unit_test_setup_teardown(traps_beyond_the_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nests, set_up, tear_down),
        cmocka_unit_test(has_a_text_for_every_trap),
        cmocka_unit_test_setup_teardown(refuses_what_does_not_match, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_an_unknown_import, set_up, tear_down),
        cmocka_unit_test_setup_teardown(compares_limits, set_up, tear_down),
        cmocka_unit_test(refuses_another_abi),
        cmocka_unit_test(gives_equal_keys_to_equal_types),
        cmocka_unit_test_setup_teardown(evaluates_globals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(copies_active_segments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stops_at_a_segment_that_does_not_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(grows_in_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(checks_bounds_of_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(grows_tables_within_the_budget, set_up, tear_down),
        cmocka_unit_test_setup_teardown(checks_bounds_of_tables, set_up, tear_down),
        cmocka_unit_test(refuses_too_large_a_table),
    };

    if (trap_init(1 << 20) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
