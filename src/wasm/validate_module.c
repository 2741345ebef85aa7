/* Everything but the instructions in function bodies. */
#include "wasm/validate.h"

#include "wasm/fault.h"
#include "wasm/reader.h"

#include <stdlib.h>
#include <string.h>

static bool unknown(struct validator *v, uint32_t offset, const char *what, uint32_t index)
{
    return fault_set(v->fault, offset, "unknown %s %u", what, index);
}

static int order_bytes(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    size_t common = a_size < b_size ? a_size : b_size;
    int order = common ? memcmp(a, b, common) : 0;

    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static int order_types(const struct wasm_type *a, const struct wasm_type *b)
{
    int order = order_bytes(a->params, a->param_count, b->params, b->param_count);

    return order ? order : order_bytes(a->results, a->result_count, b->results, b->result_count);
}

/* Equal types end up side by side, the first of the module first. */
static int compare_types(const void *a, const void *b)
{
    const struct wasm_type *x = *(struct wasm_type *const *)a;
    const struct wasm_type *y = *(struct wasm_type *const *)b;
    int order = order_types(x, y);

    return order ? order : (x->canonical > y->canonical) - (x->canonical < y->canonical);
}

static bool out_of_memory(struct validator *v)
{
    v->err = TERN_ENOMEM;
    return reader_refuse(v->fault, 0, "out of memory");
}

/* Sorting keeps this quick whatever the types: a hash could be made to collide. */
static bool canonical_types(struct validator *v)
{
    struct wasm_module *m = v->m;
    struct wasm_type **sorted = calloc(m->type_count + 1U, sizeof(struct wasm_type *));

    if (!sorted)
        return out_of_memory(v);
    for (uint32_t i = 0; i < m->type_count; i++) {
        m->types[i].canonical = i;
        sorted[i] = &m->types[i];
    }
    qsort(sorted, m->type_count, sizeof(struct wasm_type *), compare_types);
    for (uint32_t i = 1; i < m->type_count; i++)
        if (order_types(sorted[i - 1], sorted[i]) == 0)
            sorted[i]->canonical = sorted[i - 1]->canonical;
    free(sorted);
    return true;
}

static uint32_t import_offset(const struct wasm_module *m, uint32_t func)
{
    for (uint32_t i = 0; i < m->import_count; i++)
        if (m->imports[i].kind == WASM_FUNC && m->imports[i].index == func)
            return m->imports[i].offset;
    return 0;
}

static bool func_types(struct validator *v)
{
    const struct wasm_module *m = v->m;

    for (uint32_t i = 0; i < m->func_count; i++) {
        const struct wasm_func *f = &m->funcs[i];

        if (f->type >= m->type_count)
            return unknown(v, f->imported ? import_offset(m, i) : f->code_offset, "type", f->type);
    }
    return true;
}

static bool tables(struct validator *v)
{
    const struct wasm_module *m = v->m;

    for (uint32_t i = 0; i < m->table_count; i++) {
        const struct wasm_bounds *b = &m->tables[i].bounds;

        if (b->has_max && b->min > b->max)
            return fault_set(v->fault, m->tables[i].offset,
                             "size minimum must not be greater than maximum (table %u)", i);
        if (b->min > WASM_TABLE_ELEMENTS_MAX) {
            v->err = TERN_EMALFORMED;
            return fault_set(v->fault, m->tables[i].offset,
                             "table %u too large (%u elements, limit %d)", i, b->min,
                             WASM_TABLE_ELEMENTS_MAX);
        }
    }
    return true;
}

static bool memories(struct validator *v)
{
    const struct wasm_module *m = v->m;
    const struct wasm_bounds *b;

    if (m->memory_count > WASM_MEMORIES_MAX)
        return fault_set(v->fault, m->memories[1].offset, "multiple memories (limit %d)",
                         WASM_MEMORIES_MAX);
    if (m->memory_count == 0)
        return true;
    b = &m->memories[0].bounds;
    if (b->min > WASM_MEMORY_PAGES_MAX || (b->has_max && b->max > WASM_MEMORY_PAGES_MAX))
        return fault_set(v->fault, m->memories[0].offset,
                         "memory size must be at most %d pages (4GiB)", WASM_MEMORY_PAGES_MAX);
    if (b->has_max && b->min > b->max)
        return reader_refuse(v->fault, m->memories[0].offset,
                             "size minimum must not be greater than maximum (memory)");
    return true;
}

/* Tells apart two ways in which an expression may be more or less than one constant. */
static bool not_constant(struct validator *v, uint32_t offset)
{
    struct wasm_reader r = reader_of(v->m->bytes, offset, (uint32_t)v->m->bytes.size);
    struct wasm_insn insn;

    for (;;) {
        if (insn_decode(&r, &insn, v->fault))
            return false;
        switch ((int)insn.op) {
        case WASM_OP_I32_CONST:
        case WASM_OP_I64_CONST:
        case WASM_OP_F32_CONST:
        case WASM_OP_F64_CONST:
        case WASM_OP_V128_CONST:
        case WASM_OP_GLOBAL_GET:
        case WASM_OP_REF_NULL:
        case WASM_OP_REF_FUNC: break;
        case WASM_OP_END:
            return reader_refuse(v->fault, offset,
                                 "type mismatch in constant expression (one value expected)");
        default:
            return fault_set(v->fault, insn.offset, "constant expression required (found %s)",
                             wasm_op_info(insn.op)->text);
        }
    }
}

static bool const_global(struct validator *v, struct wasm_const *c)
{
    const struct wasm_global *g;

    if (c->index >= v->m->imported_globals)
        return unknown(v, c->offset, "global", c->index);
    g = &v->m->globals[c->index];
    if (g->mutable)
        return fault_set(v->fault, c->offset, "constant expression required (global %u is mutable)",
                         c->index);
    c->valtype = g->valtype;
    return true;
}

/* Only imported globals may be read, in segments, too: their values are known beforehand. */
static bool constant(struct validator *v, struct wasm_const *c, uint8_t valtype)
{
    if (c->kind == WASM_CONST_BITS && c->valtype == 0)
        return not_constant(v, c->offset);
    if (c->kind == WASM_CONST_GLOBAL && !const_global(v, c))
        return false;
    if (c->kind == WASM_CONST_REF_FUNC) {
        if (c->index >= v->m->func_count)
            return unknown(v, c->offset, "function", c->index);
        v->m->func_declared[c->index] = true;
    }
    if (c->valtype != valtype)
        return fault_set(v->fault, c->offset,
                         "type mismatch in constant expression (expected %s, found %s)",
                         wasm_valtype_name(valtype), wasm_valtype_name(c->valtype));
    return true;
}

static bool globals(struct validator *v)
{
    struct wasm_module *m = v->m;

    for (uint32_t i = 0; i < m->global_count; i++) {
        struct wasm_global *g = &m->globals[i];

        if (g->valtype == WASM_V128)
            m->uses_v128 = true;
        if (!g->imported && !constant(v, &g->init, g->valtype))
            return false;
    }
    return true;
}

static bool elem(struct validator *v, struct wasm_elem *e)
{
    struct wasm_module *m = v->m;

    if (e->mode == WASM_ACTIVE) {
        if (e->table >= m->table_count)
            return unknown(v, e->offset, "table", e->table);
        if (m->tables[e->table].elemtype != e->elemtype)
            return fault_set(v->fault, e->offset, "type mismatch (segment of %s, table of %s)",
                             wasm_valtype_name(e->elemtype),
                             wasm_valtype_name(m->tables[e->table].elemtype));
        if (!constant(v, &e->at, WASM_I32))
            return false;
    }
    for (uint32_t i = 0; i < e->init_count; i++)
        if (!constant(v, &e->inits[i], e->elemtype))
            return false;
    return true;
}

static bool segments(struct validator *v)
{
    struct wasm_module *m = v->m;

    for (uint32_t i = 0; i < m->elem_count; i++)
        if (!elem(v, &m->elems[i]))
            return false;
    for (uint32_t i = 0; i < m->data_count; i++) {
        struct wasm_data *d = &m->datas[i];

        if (d->mode != WASM_ACTIVE)
            continue;
        if (d->memory >= m->memory_count)
            return unknown(v, d->offset, "memory", d->memory);
        if (!constant(v, &d->at, WASM_I32))
            return false;
    }
    return true;
}

static bool start(struct validator *v)
{
    const struct wasm_type *type;

    if (!v->m->has_start)
        return true;
    if (v->m->start >= v->m->func_count)
        return unknown(v, v->m->start_offset, "function", v->m->start);
    type = module_func_type(v->m, v->m->start);
    return (type->param_count == 0 && type->result_count == 0) ||
           reader_refuse(v->fault, v->m->start_offset,
                         "start function must have no parameters and no results");
}

static bool export_target(struct validator *v, const struct wasm_export *e)
{
    struct wasm_module *m = v->m;

    switch (e->kind) {
    case WASM_FUNC:
        if (e->index >= m->func_count)
            return unknown(v, e->offset, "function", e->index);
        m->func_declared[e->index] = true;
        return true;
    case WASM_TABLE: return e->index < m->table_count || unknown(v, e->offset, "table", e->index);
    case WASM_MEMORY:
        return e->index < m->memory_count || unknown(v, e->offset, "memory", e->index);
    case WASM_GLOBAL:
        return e->index < m->global_count || unknown(v, e->offset, "global", e->index);
    }
    return false;
}

static int compare_exports(const void *a, const void *b)
{
    const struct wasm_export *x = *(struct wasm_export *const *)a;
    const struct wasm_export *y = *(struct wasm_export *const *)b;
    int order = order_bytes(x->name.data, x->name.size, y->name.data, y->name.size);

    return order ? order : (x->offset > y->offset) - (x->offset < y->offset);
}

static bool unique_names(struct validator *v)
{
    struct wasm_module *m = v->m;
    struct wasm_export **sorted = calloc(m->export_count + 1U, sizeof(struct wasm_export *));
    const struct wasm_export *again = NULL;

    if (!sorted)
        return out_of_memory(v);
    for (uint32_t i = 0; i < m->export_count; i++)
        sorted[i] = &m->exports[i];
    qsort(sorted, m->export_count, sizeof(struct wasm_export *), compare_exports);
    for (uint32_t i = 1; i < m->export_count; i++)
        if (view_equal(sorted[i - 1]->name, sorted[i]->name) &&
            (!again || sorted[i]->offset < again->offset))
            again = sorted[i];
    free(sorted);
    return !again || reader_refuse(v->fault, again->offset, "duplicate export name");
}

static bool exports(struct validator *v)
{
    for (uint32_t i = 0; i < v->m->export_count; i++)
        if (!export_target(v, &v->m->exports[i]))
            return false;
    return unique_names(v);
}

bool validate_module(struct validator *v)
{
    return canonical_types(v) && func_types(v) && tables(v) && memories(v) && globals(v) &&
           exports(v) && start(v) && segments(v);
}
