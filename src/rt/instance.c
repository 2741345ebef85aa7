/*
 * Instances: one block with everything whose size the module's description tells, filled in the
 * order of the specification. Imports are all matched before anything is made.
 */
#include "rt/instance.h"

#include "rt/link.h"
#include "rt/table.h"

#include <stdlib.h>
#include <string.h>

struct host_func { /* what in->func[] points into for imported host functions */
    struct tern_func func;
    uint32_t number;
};

/* The parts of an instance's block; members are NULL while its size is being found out. */
struct parts {
    struct tern_instance *in;
    struct tern_table **table;
    struct tern_memory **memory;
    union tern_cell **global;
    const struct tern_func **func;
    uint64_t *key;
    uint8_t *data_dropped;
    uint8_t *elem_dropped;
    struct host_func *host_func;
    struct tern_func *own_func;
    uint32_t *table_budget;
};

struct block {
    uint8_t *data; /* NULL: only counting */
    size_t used;
};

static void *take(struct block *b, size_t count, size_t size)
{
    void *part = b->data ? b->data + b->used : NULL;

    b->used += (count * size + 15) / 16 * 16;
    return part;
}

/* Counts are below 2^24 each (the decoder's limits), so the sum does not overflow. */
static struct parts lay_out(const struct tern_module *m, struct block *b)
{
    const size_t funcs = (size_t)m->imported_funcs + m->function_count;
    struct parts p;

    p.in = take(b, 1, sizeof *p.in + m->global_count * sizeof(union tern_cell));
    p.table = take(b, m->imported_tables + m->table_count, sizeof(struct tern_table *));
    p.memory = take(b, m->imported_memories + m->memory_count, sizeof(struct tern_memory *));
    p.global = take(b, m->imported_globals + m->global_count, sizeof(union tern_cell *));
    p.func = take(b, funcs, sizeof(struct tern_func *));
    p.key = take(b, m->type_count, sizeof(uint64_t));
    p.data_dropped = take(b, m->data_count, 1);
    p.elem_dropped = take(b, m->elem_count, 1);
    p.host_func = take(b, m->imported_funcs, sizeof(struct host_func));
    p.own_func = take(b, m->function_count, sizeof(struct tern_func));
    p.table_budget = take(b, 1, sizeof(uint32_t));
    return p;
}

static bool new_block(const struct tern_module *m, struct parts *p)
{
    struct block b = {0};

    (void)lay_out(m, &b);
    b.data = calloc(1, b.used);
    if (!b.data)
        return false;
    b.used = 0;
    *p = lay_out(m, &b);
    p->in->table = p->table;
    p->in->memory = p->memory;
    p->in->global = p->global;
    p->in->func = p->func;
    p->in->key = p->key;
    p->in->data_dropped = p->data_dropped;
    p->in->elem_dropped = p->elem_dropped;
    p->in->module = m;
    return true;
}

static bool set_keys(const struct tern_module *m, struct parts *p)
{
    for (uint32_t i = 0; i < m->type_count; i++) {
        p->key[i] = tern_type_key(&m->types[i]);
        if (p->key[i] == 0)
            return false;
    }
    return true;
}

/* Where the next import of each kind goes. */
struct next {
    uint32_t func, table, memory, global;
};

static void take_func(struct parts *p, const struct tern_import *import,
                      const struct rt_extern *met, uint32_t index)
{
    struct host_func *host = &p->host_func[index];

    p->func[index] = met->func;
    if (met->func)
        return;
    host->func = (struct tern_func){import->host_code, p->in, p->key[import->type], index};
    host->number = met->host_number;
    p->func[index] = &host->func;
}

static enum rt_link_result take_imports(struct parts *p, const struct rt_config *config,
                                        struct rt_failure *failure)
{
    const struct tern_module *m = p->in->module;
    struct next next = {0};

    for (uint32_t i = 0; i < m->import_count; i++) {
        const struct tern_import *import = &m->imports[i];
        struct rt_extern met = {0};

        failure->import = import;
        if (!config->resolve || !config->resolve(config->context, import, &met))
            return RT_UNKNOWN_IMPORT;
        if (!link_matches(import, m->types, p->key, &met))
            return RT_INCOMPATIBLE_IMPORT;
        switch ((enum tern_kind)import->kind) {
        case TERN_FUNC: take_func(p, import, &met, next.func++); break;
        case TERN_TABLE: p->table[next.table++] = met.table; break;
        case TERN_MEMORY: p->memory[next.memory++] = met.memory; break;
        case TERN_GLOBAL: p->global[next.global++] = met.global; break;
        }
    }
    failure->import = NULL;
    return RT_LINKED;
}

static void make_functions(struct parts *p)
{
    const struct tern_module *m = p->in->module;

    for (uint32_t i = 0; i < m->function_count; i++) {
        const struct tern_function *f = &m->functions[i];

        p->own_func[i] = (struct tern_func){f->code, p->in, p->key[f->type], m->imported_funcs + i};
        p->func[m->imported_funcs + i] = &p->own_func[i];
    }
}

static void store64(uint8_t *to, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static union tern_cell const_value(const struct tern_instance *in, const struct tern_const *c)
{
    union tern_cell cell = {.i64 = 0};

    switch ((enum tern_const_kind)c->kind) {
    case TERN_CONST_NULL: return cell;
    case TERN_CONST_GLOBAL: return *in->global[c->index];
    case TERN_CONST_FUNC: cell.ref = (uint64_t)(uintptr_t)in->func[c->index]; return cell;
    case TERN_CONST_BITS: break;
    }
    if (c->valtype == 'i' || c->valtype == 'f') {
        cell.i32 = (uint32_t)c->bits[0];
    } else if (c->valtype == 'v') {
        store64(cell.v128, c->bits[0]);
        store64(cell.v128 + 8, c->bits[1]);
    } else {
        cell.i64 = c->bits[0];
    }
    return cell;
}

static void make_globals(struct parts *p)
{
    const struct tern_module *m = p->in->module;

    for (uint32_t i = 0; i < m->global_count; i++) {
        p->in->cell[i] = const_value(p->in, &m->globals[i].init);
        p->global[m->imported_globals + i] = &p->in->cell[i];
    }
}

static bool make_tables(struct parts *p, const struct rt_config *config)
{
    const struct tern_module *m = p->in->module;

    *p->table_budget = config->table_elements_max;
    for (uint32_t i = 0; i < m->table_count; i++) {
        struct tern_table *t =
            table_new((char)m->tables[i].elemtype, &m->tables[i].limits, p->table_budget);

        p->table[m->imported_tables + i] = t;
        if (!t)
            return false;
    }
    return true;
}

static bool make_memories(struct parts *p, const struct rt_config *config)
{
    const struct tern_module *m = p->in->module;

    for (uint32_t i = 0; i < m->memory_count; i++) {
        struct tern_memory *memory = config->new_memory(config->context, &m->memories[i]);

        if (!memory)
            return false;
        memory->declared_max = m->memories[i].max;
        p->memory[m->imported_memories + i] = memory;
    }
    p->in->mem = m->imported_memories + m->memory_count > 0 ? p->memory[0]->base : NULL;
    return true;
}

static enum tern_trap_kind copy_elems(struct tern_instance *in)
{
    for (uint32_t i = 0; i < in->module->elem_count; i++) {
        const struct tern_elem *e = &in->module->elems[i];

        if (e->mode == TERN_ACTIVE &&
            !tern_table_init(in, e->table, i, const_value(in, &e->at).i32, 0, e->count))
            return TERN_TRAP_TABLE;
        if (e->mode != TERN_PASSIVE)
            tern_elem_drop(in, i);
    }
    return TERN_TRAP_NONE;
}

static enum tern_trap_kind copy_datas(struct tern_instance *in)
{
    for (uint32_t i = 0; i < in->module->data_count; i++) {
        const struct tern_data *d = &in->module->datas[i];

        if (d->mode != TERN_ACTIVE)
            continue;
        if (!tern_memory_init(in, i, const_value(in, &d->at).i32, 0, d->size))
            return TERN_TRAP_MEMORY;
        tern_data_drop(in, i);
    }
    return TERN_TRAP_NONE;
}

void instance_free(struct tern_instance *in)
{
    if (!in)
        return;
    for (uint32_t i = 0; i < in->module->table_count; i++)
        table_free(in->table[in->module->imported_tables + i]);
    free(in);
}

/* All but the segments; the instance is complete if this links. */
static enum rt_link_result build(struct parts *p, const struct rt_config *config,
                                 struct rt_failure *failure)
{
    enum rt_link_result result;

    if (!set_keys(p->in->module, p))
        return RT_NO_MEMORY;
    result = take_imports(p, config, failure);
    if (result != RT_LINKED)
        return result;
    p->in->host = config->host;
    p->in->source = config->source;
    make_functions(p);
    make_globals(p);
    return make_tables(p, config) && make_memories(p, config) ? RT_LINKED : RT_NO_MEMORY;
}

enum rt_link_result instance_new(const struct tern_module *module, const struct rt_config *config,
                                 struct tern_instance **out, struct rt_failure *failure)
{
    enum rt_link_result result;
    struct parts p;

    *out = NULL;
    *failure = (struct rt_failure){0};
    if (module->abi != TERN_RT_ABI)
        return RT_WRONG_ABI;
    if (!new_block(module, &p))
        return RT_NO_MEMORY;
    result = build(&p, config, failure);
    if (result != RT_LINKED) {
        instance_free(p.in);
        return result;
    }
    *out = p.in;
    if (config->resumes)
        return RT_LINKED;
    failure->trap = copy_elems(p.in);
    if (failure->trap == TERN_TRAP_NONE)
        failure->trap = copy_datas(p.in);
    return failure->trap == TERN_TRAP_NONE ? RT_LINKED : RT_TRAPPED;
}

uint32_t instance_host_number(const struct tern_instance *in, uint32_t func)
{
    return ((const struct host_func *)in->func[func])->number;
}
