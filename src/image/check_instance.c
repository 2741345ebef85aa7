#include "image/check.h"

#include "base/check.h"
#include "image/types.h"

#include <inttypes.h>
#include <string.h>

/* ---- Globals ---- */

static void initial_value(const struct wasm_const *init, uint8_t value[STATE_VALUE_BYTES])
{
    uint64_t bits[2] = {0};

    check(init->kind != WASM_CONST_GLOBAL); /* of an imported one: such modules are refused */
    if (init->kind == WASM_CONST_BITS)
        memcpy(bits, init->bits, sizeof bits);
    else if (init->kind == WASM_CONST_REF_FUNC)
        bits[0] = (uint64_t)init->index + 1;
    for (int i = 0; i < STATE_VALUE_BYTES; i++)
        value[i] = (uint8_t)(bits[i / 8] >> (8 * (i % 8)));
}

static enum tern_err check_global(const struct checker *c, uint32_t i)
{
    const struct state_global *g = &c->state->instances[0].globals[i];
    const struct wasm_global *declared = &c->m->globals[i];
    uint8_t initial[STATE_VALUE_BYTES];
    const char *fault;

    if (g->letter != (uint8_t)wasm_valtype_letter(declared->valtype))
        return problem_set(c->p, TERN_EINVALID, "global %" PRIu32 ": not of its type, which is %s",
                           i, wasm_valtype_name(declared->valtype));
    fault = check_value(c->m, g->letter, g->value);
    if (fault)
        return problem_set(c->p, TERN_EINVALID, "global %" PRIu32 ": its value %s", i, fault);
    if (declared->mutable)
        return TERN_OK;
    initial_value(&declared->init, initial);
    if (memcmp(initial, g->value, sizeof initial) != 0)
        return problem_set(c->p, TERN_EINVALID,
                           "global %" PRIu32 ": it is immutable, and not what it was made as", i);
    return TERN_OK;
}

static enum tern_err check_globals(const struct checker *c)
{
    const struct state_instance *in = &c->state->instances[0];
    enum tern_err err = TERN_OK;

    if (in->global_count != c->m->global_count)
        return problem_set(c->p, TERN_EINVALID,
                           "the image has %" PRIu32 " globals, the module %" PRIu32,
                           in->global_count, c->m->global_count);
    for (uint32_t i = 0; i < in->global_count && !err; i++)
        err = check_global(c, i);
    return err;
}

/* ---- Tables ---- */

static enum tern_err check_table(const struct checker *c, uint32_t i)
{
    const struct state_table *t = &c->state->instances[0].tables[i];
    const struct wasm_table *declared = &c->m->tables[i];
    const struct wasm_bounds *bounds = &declared->bounds;

    if (t->letter != (uint8_t)wasm_valtype_letter(declared->elemtype))
        return problem_set(c->p, TERN_EINVALID, "table %" PRIu32 ": not of its type, which is %s",
                           i, wasm_valtype_name(declared->elemtype));
    if (t->size < bounds->min || (bounds->has_max && t->size > bounds->max))
        return problem_set(c->p, TERN_EINVALID,
                           "table %" PRIu32 ": it has %" PRIu32
                           " elements, which the module does not allow",
                           i, t->size);
    for (uint32_t k = 0; k < t->size; k++) {
        const char *fault = check_ref(c->m, t->letter, t->refs + (size_t)k * IMAGE_REF_BYTES);

        if (fault)
            return problem_set(c->p, TERN_EINVALID, "table %" PRIu32 ": its element %" PRIu32 " %s",
                               i, k, fault);
    }
    return TERN_OK;
}

static enum tern_err check_tables(const struct checker *c)
{
    const struct state_instance *in = &c->state->instances[0];
    enum tern_err err = TERN_OK;

    if (in->table_count != c->m->table_count)
        return problem_set(c->p, TERN_EINVALID,
                           "the image has %" PRIu32 " tables, the module %" PRIu32, in->table_count,
                           c->m->table_count);
    for (uint32_t i = 0; i < in->table_count && !err; i++)
        err = check_table(c, i);
    return err;
}

/* ---- Segments ---- */

static enum tern_err check_segment(const struct checker *c, const char *kind, uint32_t i,
                                   enum wasm_segment_mode mode, uint8_t dropped)
{
    if (dropped > 1)
        return problem_set(c->p, TERN_EINVALID,
                           "%s segment %" PRIu32 ": neither dropped nor not dropped", kind, i);
    if (mode != WASM_PASSIVE && !dropped)
        return problem_set(c->p, TERN_EINVALID,
                           "%s segment %" PRIu32 ": not dropped, though it is %s", kind, i,
                           mode == WASM_ACTIVE ? "active" : "declarative");
    return TERN_OK;
}

static enum tern_err check_segments(const struct checker *c)
{
    const struct state_instance *in = &c->state->instances[0];
    const struct wasm_module *m = c->m;
    enum tern_err err = TERN_OK;

    if (in->data_count != m->data_count || in->elem_count != m->elem_count)
        return problem_set(c->p, TERN_EINVALID,
                           "the image has %" PRIu32 " data and %" PRIu32
                           " element segments, the module %" PRIu32 " and %" PRIu32,
                           in->data_count, in->elem_count, m->data_count, m->elem_count);
    for (uint32_t i = 0; i < m->data_count && !err; i++)
        err = check_segment(c, "data", i, m->datas[i].mode, in->data_dropped[i]);
    for (uint32_t i = 0; i < m->elem_count && !err; i++)
        err = check_segment(c, "element", i, m->elems[i].mode, in->elem_dropped[i]);
    return err;
}

/* ---- Memory ---- */

static enum tern_err check_memory(const struct checker *c)
{
    const struct wasm_module *m = c->m;
    const uint32_t pages = c->state->instances[0].memory_pages;
    const struct wasm_bounds *bounds = m->memory_count ? &m->memories[0].bounds : NULL;

    if (!bounds)
        return pages == 0
                   ? TERN_OK
                   : problem_set(c->p, TERN_EINVALID,
                                 "memory: the image has %" PRIu32 " pages, the module no memory",
                                 pages);
    if (pages < bounds->min || (bounds->has_max && pages > bounds->max))
        return problem_set(c->p, TERN_EINVALID,
                           "memory: it has %" PRIu32 " pages, which the module does not allow",
                           pages);
    if (pages > c->limit_pages)
        return problem_set(c->p, TERN_EINVALID,
                           "memory: it has %" PRIu32 " pages, and the run was allowed %" PRIu64,
                           pages, c->limit_pages);
    return TERN_OK;
}

enum tern_err check_instance(const struct checker *c)
{
    enum tern_err err = check_globals(c);

    if (!err)
        err = check_tables(c);
    if (!err)
        err = check_segments(c);
    if (!err)
        err = check_memory(c);
    return err;
}
