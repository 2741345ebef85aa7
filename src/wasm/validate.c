#include "wasm/validate.h"

#include "wasm/fault.h"
#include "wasm/suspend.h"
#include "wasm/validate_stack.h"

#include <stdlib.h>

static bool new_scratch(struct validator *v)
{
    v->locals = malloc(WASM_LOCALS_MAX);
    v->operands = malloc(WASM_STACK_MAX);
    v->frames = malloc((WASM_NESTING_MAX + 1) * sizeof *v->frames);
    if (v->locals && v->operands && v->frames)
        return true;
    v->err = TERN_ENOMEM;
    return fault_set(v->fault, 0, "out of memory");
}

static void release_scratch(struct validator *v)
{
    free(v->locals);
    free(v->operands);
    free(v->frames);
}

static bool validate_all(struct validator *v)
{
    struct wasm_module *m = v->m;

    if (!validate_module(v) || !new_scratch(v))
        return false;
    for (uint32_t i = m->imported_funcs; i < m->func_count; i++) {
        if (!validate_func(v, &m->funcs[i]))
            return false;
        if (m->funcs[i].uses_v128)
            m->uses_v128 = true;
    }
    return true;
}

enum tern_err module_validate(struct wasm_module *m, struct wasm_fault *fault)
{
    struct validator v = {.m = m, .fault = fault, .err = TERN_EINVALID};
    bool ok = validate_all(&v);

    release_scratch(&v);
    if (!ok)
        return v.err;
    if (suspend_mark(m) == TERN_OK)
        return TERN_OK;
    fault_set(fault, 0, "out of memory");
    return TERN_ENOMEM;
}

/* The first malformed body, if there is one: it outranks what is merely invalid before it. */
static enum tern_err find_malformed(struct wasm_module *m, struct wasm_fault *fault)
{
    struct validator v = {.m = m, .fault = fault};

    for (uint32_t i = m->imported_funcs; i < m->func_count; i++)
        if (!validate_form(&v, &m->funcs[i]))
            return v.err;
    return TERN_OK;
}

enum tern_err module_load(struct wasm_module *m, struct view bytes, struct wasm_fault *fault)
{
    struct wasm_fault invalid;
    enum tern_err err = module_decode(m, bytes, fault);

    if (err)
        return err;
    err = module_validate(m, fault);
    if (err == TERN_EINVALID) {
        invalid = *fault;
        if (find_malformed(m, fault) == TERN_OK)
            *fault = invalid;
        else
            err = TERN_EMALFORMED;
    }
    if (err)
        module_release(m);
    return err;
}
