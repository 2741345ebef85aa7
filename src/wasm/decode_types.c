/* Types, and the sections that are made of little else. */
#include "wasm/decode.h"

#include "wasm/fault.h"
#include "wasm/valtype.h"

bool decode_valtype(struct decoder *d, uint8_t *out)
{
    return valtype_decode(&d->r, out, d->fault);
}

bool decode_reftype(struct decoder *d, uint8_t *out)
{
    return reftype_decode(&d->r, out, d->fault);
}

/* A run of value types, left where it is in the module. */
static bool valtypes(struct decoder *d, const char *what, uint32_t limit, const uint8_t **out,
                     uint32_t *count)
{
    uint8_t valtype;

    if (!decode_count(d, what, limit, count))
        return false;
    *out = d->r.base + d->r.at;
    for (uint32_t i = 0; i < *count; i++)
        if (!decode_valtype(d, &valtype))
            return false;
    return true;
}

static bool func_type(struct decoder *d, struct wasm_type *t)
{
    uint32_t at = d->r.at;
    uint8_t form;

    if (!reader_u8(&d->r, &form, d->fault))
        return false;
    if (form & 0x80) /* it is a number of seven bits */
        return reader_refuse(d->fault, at, "integer representation too long (function type)");
    if (form != 0x60)
        return fault_set(d->fault, at, "malformed function type 0x%02x%s", form,
                         form >= 0x4d && form <= 0x5f ? " (garbage collection: not supported)"
                                                      : "");
    return valtypes(d, "parameters", WASM_PARAMS_MAX, &t->params, &t->param_count) &&
           valtypes(d, "results", WASM_RESULTS_MAX, &t->results, &t->result_count);
}

bool decode_types(struct decoder *d)
{
    struct wasm_module *m = d->m;
    uint32_t count;

    if (!decode_count(d, "types", WASM_TYPES_MAX, &count))
        return false;
    m->types = decode_new(d, count, sizeof *m->types);
    if (!m->types)
        return false;
    for (; m->type_count < count; m->type_count++)
        if (!func_type(d, &m->types[m->type_count]))
            return false;
    return true;
}

/* The flag is an integer of one bit: that decides on the reasons. */
static bool limits_flag(struct decoder *d, bool *has_max)
{
    uint32_t at = d->r.at;
    uint8_t flag;

    if (!reader_u8(&d->r, &flag, d->fault))
        return false;
    if (flag & 0x80)
        return reader_refuse(d->fault, at, "integer representation too long (limits flag)");
    if (flag > 1)
        return fault_set(d->fault, at, "integer too large (limits flag 0x%02x%s)", flag,
                         flag < 4   ? ", threads: not supported"
                         : flag < 8 ? ", 64-bit memories: not supported"
                                    : "");
    *has_max = flag == 1;
    return true;
}

static bool bounds(struct decoder *d, struct wasm_bounds *b)
{
    if (!limits_flag(d, &b->has_max) || !reader_u32(&d->r, &b->min, d->fault))
        return false;
    return !b->has_max || reader_u32(&d->r, &b->max, d->fault);
}

bool decode_table(struct decoder *d, struct wasm_table *out)
{
    out->offset = d->r.at;
    return decode_reftype(d, &out->elemtype) && bounds(d, &out->bounds);
}

bool decode_memory(struct decoder *d, struct wasm_memory *out)
{
    out->offset = d->r.at;
    return bounds(d, &out->bounds);
}

bool decode_global_type(struct decoder *d, struct wasm_global *out)
{
    uint32_t at;
    uint8_t mutable;

    if (!decode_valtype(d, &out->valtype))
        return false;
    at = d->r.at;
    if (!reader_u8(&d->r, &mutable, d->fault))
        return false;
    if (mutable > 1)
        return fault_set(d->fault, at, "malformed mutability 0x%02x", mutable);
    out->mutable = mutable == 1;
    return true;
}

bool decode_funcs(struct decoder *d)
{
    struct wasm_module *m = d->m;
    uint32_t more;

    if (!decode_count(d, "functions", WASM_FUNCS_MAX - m->func_count, &more))
        return false;
    m->funcs = decode_grown(d, m->funcs, m->func_count, more, sizeof *m->funcs);
    if (!m->funcs)
        return false;
    for (; more > 0; more--)
        if (!reader_u32(&d->r, &m->funcs[m->func_count++].type, d->fault))
            return false;
    return true;
}

bool decode_tables(struct decoder *d)
{
    struct wasm_module *m = d->m;
    uint32_t more;

    if (!decode_count(d, "tables", WASM_TABLES_MAX - m->table_count, &more))
        return false;
    m->tables = decode_grown(d, m->tables, m->table_count, more, sizeof *m->tables);
    if (!m->tables)
        return false;
    for (; more > 0; more--)
        if (!decode_table(d, &m->tables[m->table_count++]))
            return false;
    return true;
}

/* More than one is well formed, and invalid: the validator says so, after a look at a few. */
enum { MEMORIES_READ_MAX = 100 };

bool decode_memories(struct decoder *d)
{
    struct wasm_module *m = d->m;
    uint32_t more;

    if (!decode_count(d, "memories", MEMORIES_READ_MAX, &more))
        return false;
    m->memories = decode_grown(d, m->memories, m->memory_count, more, sizeof *m->memories);
    if (!m->memories)
        return false;
    for (; more > 0; more--)
        if (!decode_memory(d, &m->memories[m->memory_count++]))
            return false;
    return true;
}

bool decode_globals(struct decoder *d)
{
    struct wasm_module *m = d->m;
    uint32_t more;

    if (!decode_count(d, "globals", WASM_GLOBALS_MAX - m->global_count, &more))
        return false;
    m->globals = decode_grown(d, m->globals, m->global_count, more, sizeof *m->globals);
    if (!m->globals)
        return false;
    for (; more > 0; more--) {
        struct wasm_global *g = &m->globals[m->global_count++];

        if (!decode_global_type(d, g) || !decode_const(d, &g->init))
            return false;
    }
    return true;
}
