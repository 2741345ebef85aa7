#include "suite_spectest.h"

#include "rt/suspend.h"

#include "rt/table.h"

#include <string.h>

static struct tern_table *table;
static struct tern_memory *memory;

void tern_host(struct tern_instance *in, uint32_t func, uint32_t room, union tern_cell *cells)
{
    (void)room;
    (void)suspend_host_call(in, func, cells); /* it would print, in the suite's own interpreter */
}

static bool func_named(const char *field, struct rt_extern *out)
{
    static const char *const funcs[][2] = {
        {"print", ">"},      {"print_i32", "i>"},      {"print_i64", "I>"},     {"print_f32", "f>"},
        {"print_f64", "d>"}, {"print_i32_f32", "if>"}, {"print_f64_f64", "dd>"}};

    for (uint32_t i = 0; i < sizeof funcs / sizeof *funcs; i++) {
        if (strcmp(field, funcs[i][0]) == 0) {
            *out =
                (struct rt_extern){.kind = TERN_FUNC, .host_type = funcs[i][1], .host_number = i};
            return true;
        }
    }
    return false;
}

static bool global_named(const char *field, struct rt_extern *out)
{
    static const char *const names[] = {"global_i32", "global_i64", "global_f32", "global_f64"};
    static union tern_cell values[] = {{.i32 = 666}, {.i64 = 666}, {.f32 = 666.6F}, {.f64 = 666.6}};

    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(field, names[i]) == 0) {
            *out =
                (struct rt_extern){.kind = TERN_GLOBAL, .global = &values[i], .valtype = "iIfd"[i]};
            return true;
        }
    }
    return false;
}

bool spectest_resolve(const char *field, struct rt_extern *out)
{
    if (strcmp(field, "table") == 0)
        *out = (struct rt_extern){.kind = TERN_TABLE, .table = table};
    else if (strcmp(field, "memory") == 0)
        *out = (struct rt_extern){.kind = TERN_MEMORY, .memory = memory};
    else
        return func_named(field, out) || global_named(field, out);
    return true;
}

bool spectest_init(struct tern_memory *pages)
{
    static uint32_t budget = 20;

    table = table_new('r', &(struct tern_limits){10, 20}, &budget);
    memory = pages;
    if (memory)
        memory->declared_max = 2;
    return table && memory;
}
