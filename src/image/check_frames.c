/*
 * Frames against what the translator knows of each safepoint, which is asked of each function once.
 * A frame passes if its function can stand there with these values; two that follow each other,
 * if the outer one is inside of a call that can have led to the inner one. So what a continuation
 * rebuilds is a stack that the program could have made by itself.
 */
#include "image/check.h"

#include "translate/translate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAF_CELLS_MAX = 1024,        /* see append_stack_check: such leaves run on the reserve */
    POINTS_BYTES_MAX = 512 << 20, /* of one function */
};

struct walk {
    const struct checker *c;
    struct translate_safepoints **known;    /* per function; NULL: not asked yet */
    uint64_t cells;                         /* of the frames so far */
    const struct translate_safepoint *call; /* that the caller is inside of */
    uint32_t n;                             /* index of the current frame */
};

/* "frame 3, function 12 at 0x345: ..." */
static enum tern_err refuse(const struct walk *w, const char *why)
{
    const struct state_frame *f = &w->c->state->frames[w->n];

    return problem_set(w->c->p, TERN_EINVALID,
                       "frame %" PRIu32 ", function %" PRIu32 " at 0x%" PRIx32 ": %s", w->n,
                       f->func, f->offset, why);
}

static enum tern_err no_memory(const struct walk *w)
{
    return problem_set(w->c->p, TERN_ENOMEM, "no memory to check the image");
}

/* ---- Safepoints ---- */

static enum tern_err find_points(struct walk *w, uint32_t func)
{
    struct translate_safepoints *points;

    if (w->known[func])
        return TERN_OK;
    points = calloc(1, sizeof *points);
    if (!points)
        return no_memory(w);
    w->known[func] = points;
    points->list.limit = points->letters.limit = POINTS_BYTES_MAX;
    return translate_find_safepoints(w->c->m, func, points) ? no_memory(w) : TERN_OK;
}

static int compare_points(const void *wanted, const void *element)
{
    const struct translate_point *p = wanted;
    const struct translate_point *q = &((const struct translate_safepoint *)element)->point;

    if (p->offset != q->offset)
        return p->offset < q->offset ? -1 : 1;
    return (int)p->inside - (int)q->inside;
}

/* NULL: there is none. The function's points have been found. */
static const struct translate_safepoint *point_of(const struct walk *w, const struct state_frame *f)
{
    const struct translate_point wanted = {f->func, f->offset, f->inside};
    const struct bytes *list = &w->known[f->func]->list;

    if (list->size == 0)
        return NULL;
    return bsearch(&wanted, list->data, list->size / sizeof(struct translate_safepoint),
                   sizeof(struct translate_safepoint), compare_points);
}

/* ---- Values ---- */

static enum tern_err check_one_value(const struct walk *w, uint32_t i, uint8_t letter)
{
    const struct state_frame *f = &w->c->state->frames[w->n];
    const struct wasm_func *func = &w->c->m->funcs[f->func];
    const char *fault = check_value(w->c->m, letter, f->values + (size_t)i * STATE_VALUE_BYTES);
    char why[160];

    if (!fault)
        return TERN_OK;
    if (!func->imported && i >= func->local_count)
        snprintf(why, sizeof why, "its operand %" PRIu32 " %s", i - func->local_count, fault);
    else
        snprintf(why, sizeof why, "its local %" PRIu32 " %s", i, fault);
    return refuse(w, why);
}

static enum tern_err check_params(const struct walk *w, const struct wasm_type *type)
{
    enum tern_err err = TERN_OK;

    for (uint32_t i = 0; i < type->param_count && !err; i++)
        err = check_one_value(w, i, (uint8_t)wasm_valtype_letter(type->params[i]));
    return err;
}

static enum tern_err check_locals(const struct walk *w, const struct wasm_func *func)
{
    const struct wasm_type *type = &w->c->m->types[func->type];
    enum tern_err err = check_params(w, type);
    uint32_t n = type->param_count;

    for (uint32_t run = 0; run < func->local_runs; run++) {
        const uint8_t letter = (uint8_t)wasm_valtype_letter(func->locals[run].valtype);

        for (uint32_t k = 0; k < func->locals[run].count && !err; k++)
            err = check_one_value(w, n++, letter);
    }
    return err;
}

static enum tern_err check_values(const struct walk *w, const struct translate_safepoint *at)
{
    const struct state_frame *f = &w->c->state->frames[w->n];
    const struct wasm_func *func = &w->c->m->funcs[f->func];
    const uint8_t *letters = w->known[f->func]->letters.data;
    enum tern_err err;
    char why[120];

    if (f->value_count != (uint64_t)func->local_count + at->operand_count) {
        snprintf(why, sizeof why,
                 "it has %" PRIu32 " values, not %" PRIu32 " locals and %" PRIu32 " operands",
                 f->value_count, func->local_count, at->operand_count);
        return refuse(w, why);
    }
    err = check_locals(w, func);
    for (uint32_t i = 0; i < at->operand_count && !err; i++)
        err = check_one_value(w, func->local_count + i, letters[at->operands + i]);
    return err;
}

/* ---- Frames ---- */

/* Only the last frame is not inside of a call; it alone can be an imported function's. */
static enum tern_err check_place(const struct walk *w, bool last)
{
    const struct state_frame *f = &w->c->state->frames[w->n];

    if (f->instance != 0)
        return refuse(w, "it belongs to an instance that does not exist");
    if (f->func >= w->c->m->func_count)
        return refuse(w, "there is no such function in the module");
    if (w->c->m->funcs[f->func].imported && !last)
        return refuse(w, "an imported function calls nothing, but there are frames behind it");
    if (f->inside && last)
        return refuse(w, "it is inside of a call, but there is no frame behind it");
    if (!f->inside && !last)
        return refuse(w, "it is not inside of a call, but there are frames behind it");
    return TERN_OK;
}

static enum tern_err check_callee(const struct walk *w)
{
    const struct wasm_module *m = w->c->m;
    const uint32_t func = w->c->state->frames[w->n].func;
    const bool indirect = w->call->callee == UINT32_MAX;

    if (!indirect && func != w->call->callee)
        return refuse(w, "it is not of the function that the frame before is calling");
    if (indirect && module_func_type(m, func)->canonical != w->call->type)
        return refuse(w, "it is not of the type that the frame before is calling");
    if (indirect && !m->func_declared[func])
        return refuse(w, "it was called through a table, in which it cannot be");
    return TERN_OK;
}

static enum tern_err check_imported(const struct walk *w)
{
    const struct state_frame *f = &w->c->state->frames[w->n];
    const struct wasm_type *type = module_func_type(w->c->m, f->func);
    char why[120];

    if (f->offset != 0)
        return refuse(w, "an imported function has no code, but it has an offset");
    if (f->value_count != type->param_count) {
        snprintf(why, sizeof why, "it has %" PRIu32 " values, not %" PRIu32 " parameters",
                 f->value_count, type->param_count);
        return refuse(w, why);
    }
    return check_params(w, type);
}

static enum tern_err count_cells(struct walk *w, uint32_t func)
{
    const uint32_t cells = translate_frame_cells(w->c->m, func);
    char why[120];

    if (!w->c->m->funcs[func].calls && cells <= LEAF_CELLS_MAX)
        return TERN_OK;
    w->cells += cells;
    if (w->cells <= w->c->limit_cells)
        return TERN_OK;
    snprintf(why, sizeof why,
             "the stack is deeper than the %" PRIu64 " cells that the run was allowed",
             w->c->limit_cells);
    return refuse(w, why);
}

static enum tern_err check_defined(struct walk *w)
{
    const struct state_frame *f = &w->c->state->frames[w->n];
    const struct translate_safepoint *at;
    enum tern_err err = find_points(w, f->func);

    if (err)
        return err;
    at = point_of(w, f);
    if (!at)
        return refuse(w, f->inside ? "there is no call that a program can be stopped inside of"
                                   : "a program cannot be stopped there");
    err = check_values(w, at);
    if (!err)
        err = count_cells(w, f->func);
    w->call = at;
    return err;
}

static enum tern_err check_frame(struct walk *w)
{
    const struct state *s = w->c->state;
    const bool last = w->n + 1 == s->frame_count;
    enum tern_err err = check_place(w, last);

    if (!err && w->call)
        err = check_callee(w);
    if (err)
        return err;
    return w->c->m->funcs[s->frames[w->n].func].imported ? check_imported(w) : check_defined(w);
}

/* ---- The outermost ---- */

/* UINT32_MAX: the module has no such function. */
static uint32_t entry_of(const struct checker *c)
{
    const struct wasm_export *e;

    if (c->state->phase == STATE_IN_START)
        return c->m->has_start ? c->m->start : UINT32_MAX;
    e = module_find_export(c->m, view_of_string("_start"), WASM_FUNC);
    return e ? e->index : UINT32_MAX;
}

static enum tern_err check_outermost(const struct checker *c, uint32_t entry, const char *name)
{
    const struct state *s = c->state;

    if (s->frame_count == 0)
        return problem_set(c->p, TERN_EINVALID, "the image has no frames");
    if (s->frames[0].func != entry)
        return problem_set(c->p, TERN_EINVALID,
                           "frame 0, function %" PRIu32 " at 0x%" PRIx32
                           ": it is not the %s, with which the program began",
                           s->frames[0].func, s->frames[0].offset, name);
    return TERN_OK;
}

static enum tern_err check_entry(const struct checker *c)
{
    const struct state *s = c->state;
    const uint32_t entry = entry_of(c);
    const char *name = s->phase == STATE_IN_START ? "start function" : "function _start";
    const struct wasm_type *type;

    if (c->entry)
        return check_outermost(c, *c->entry, "function");
    if (s->phase != STATE_IN_START && s->phase != STATE_IN_MAIN)
        return problem_set(c->p, TERN_EINVALID,
                           "the image does not say which function the program began with");
    if (entry == UINT32_MAX)
        return problem_set(c->p, TERN_EINVALID, "the program began with its %s, but it has none",
                           name);
    type = module_func_type(c->m, entry);
    if (type->param_count != 0 || type->result_count != 0)
        return problem_set(c->p, TERN_EINVALID,
                           "the program began with its %s, but that has parameters or results",
                           name);
    return check_outermost(c, entry, name);
}

static void release(struct walk *w)
{
    for (uint32_t i = 0; w->known && i < w->c->m->func_count; i++) {
        if (w->known[i]) {
            translate_safepoints_release(w->known[i]);
            free(w->known[i]);
        }
    }
    free(w->known);
}

enum tern_err check_frames(const struct checker *c)
{
    struct walk w = {.c = c};
    enum tern_err err = check_entry(c);

    if (err)
        return err;
    w.known = calloc(c->m->func_count, sizeof *w.known);
    if (!w.known)
        return no_memory(&w);
    for (; w.n < c->state->frame_count && !err; w.n++)
        err = check_frame(&w);
    release(&w);
    return err;
}
