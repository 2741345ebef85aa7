#include "wasm/module.h"

#include "base/check.h"

const struct wasm_type *module_func_type(const struct wasm_module *m, uint32_t func)
{
    check(func < m->func_count);
    check(m->funcs[func].type < m->type_count);
    return &m->types[m->funcs[func].type];
}

const struct wasm_export *module_find_export(const struct wasm_module *m, struct view name,
                                             enum wasm_kind kind)
{
    for (uint32_t i = 0; i < m->export_count; i++)
        if (m->exports[i].kind == kind && view_equal(m->exports[i].name, name))
            return &m->exports[i];
    return NULL;
}

void module_release(struct wasm_module *m)
{
    arena_release(&m->arena);
    *m = (struct wasm_module){0};
}
