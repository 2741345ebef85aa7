/*
 * Safepoints: what a function does when the program is to be stopped there, and, in a continuation,
 * how the function is entered there.
 *
 * A frame's values are its locals and then its operands. Locals that no longer matter are 0. At a
 * safepoint no operand is pending: each is in its slot, or a constant. Behind a call there are two
 * points. Either the callee came back: then the frame is about to execute the next instruction, and
 * has the call's results. Or the program was stopped inside: then it has not. Both save with the
 * same code, for tern_frame knows which it is. That code stands behind the function's last line and
 * costs only its size.
 */
#include "translate/emit.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How a saved value is written and read: with the loads and stores of memory, little-endian. */
static const char *value_type(char letter)
{
    switch (letter) {
    case 'i': return "i32";
    case 'f': return "f32";
    case 'd': return "f64";
    case 'v': return "v128";
    default: return "i64";
    }
}

/* NaNs are canonical in a frame, too: so states are equal that mean the same. */
static void append_save(struct emitter *e, uint32_t n, char letter, enum nan_kind nan,
                        const char *value)
{
    char text[EMIT_TEXT_MAX];

    nan_text(letter, nan, value, text);
    bytes_appendf(&e->saves,
                  letter == 'r' ? "    %s_store(VALUE(%" PRIu32 "), tern_ref_number(%s));\n"
                                : "    %s_store(VALUE(%" PRIu32 "), %s);\n",
                  value_type(letter), n, text);
}

static void append_restore(struct bytes *out, uint32_t n, char letter, const char *name)
{
    bytes_appendf(out,
                  letter == 'r' ? "    %s = tern_ref_numbered(%s_load(VALUE(%" PRIu32 ")));\n"
                                : "    %s = %s_load(VALUE(%" PRIu32 "));\n",
                  name, value_type(letter), n);
}

/* ---- Saving ---- */

/* Those whose values can matter behind the safepoint at this instruction. */
static void save_locals(struct emitter *e)
{
    const uint64_t *live = liveness_at(&e->liveness, e->insn_offset);
    char name[32];

    for (uint32_t i = 0; i < e->func->local_count; i++) {
        if (!liveness_has(live, i))
            continue;
        e->local_used[i] = 1;
        snprintf(name, sizeof name, "l%" PRIu32, i);
        append_save(e, i, e->local_letter[i], (enum nan_kind)e->local_nan[i], name);
    }
}

static void save_frame(struct emitter *e, uint32_t call, uint32_t results)
{
    uint32_t locals = e->func->local_count;

    if (e->found)
        return; /* nobody wants to read it */
    bytes_appendf(&e->saves, "save_%" PRIu32 ":\n", e->point_ids);
    bytes_appendf(&e->saves,
                  "    value = tern_frame(in, %" PRIu32 ", %" PRIu32 ", %" PRIu32 ", %" PRIu32
                  ", %" PRIu32 ");\n",
                  e->func_index, call, e->next_offset, locals + e->height, results);
    save_locals(e);
    for (uint32_t h = 0; h < e->height; h++)
        append_save(e, locals + h, e->stack[h].letter, e->stack[h].nan, value_text(&e->stack[h]));
    bytes_append_text(&e->saves, "    goto save;\n");
}

static void append_zero(struct emitter *e, const struct wasm_type *type)
{
    char letter = type->result_count ? wasm_valtype_letter(type->results[0]) : 0;

    if (type->result_count == 0)
        bytes_append_text(&e->saves, "    return;\n");
    else if (type->result_count > 1)
        bytes_appendf(&e->saves, "    return (struct r%" PRIu32 "){0};\n", type->canonical);
    else
        bytes_append_text(&e->saves,
                          letter == 'v' ? "    return v128_const(0, 0);\n" : "    return 0;\n");
}

void emit_save_tail(struct emitter *e, const struct wasm_type *type)
{
    if (e->point_ids == 0)
        return;
    bytes_append_text(&e->saves, "save:\n");
    append_zero(e, type);
}

/* ---- Entering ---- */

static bool wanted(const struct emitter *e, uint32_t offset, bool inside)
{
    const struct translate_point point = {e->func_index, offset, inside};

    return e->wanted && bsearch(&point, e->wanted->list, e->wanted->count, sizeof point,
                                translate_compare_points) != NULL;
}

static void restore_locals(struct emitter *e)
{
    const uint64_t *live = liveness_at(&e->liveness, e->insn_offset);
    char name[32];

    for (uint32_t i = 0; i < e->func->local_count; i++) {
        if (!liveness_has(live, i))
            continue;
        snprintf(name, sizeof name, "l%" PRIu32, i);
        bytes_append_text(&e->entries, "    ");
        append_restore(&e->entries, i, e->local_letter[i], name);
    }
}

/* All are in their slots, or constants. */
static void restore_operands(struct emitter *e, uint32_t count)
{
    char name[32];

    for (uint32_t h = 0; h < count; h++) {
        const struct operand *o = &e->stack[h];

        check(!o->pending);
        if (o->constant)
            continue;
        slot_name(e, h, o->letter, name);
        bytes_append_text(&e->entries, "    ");
        append_restore(&e->entries, e->func->local_count + h, o->letter, name);
    }
}

static void call_callee(struct emitter *e, const struct wasm_type *t, uint32_t base)
{
    bytes_append_text(&e->entries,
                      "        { const struct tern_resumed *callee = tern_resume_callee();\n"
                      "          ");
    if (t->result_count == 1)
        bytes_appendf(&e->entries, "s%" PRIu32 "%c = ", base, wasm_valtype_letter(t->results[0]));
    else if (t->result_count > 1)
        bytes_appendf(&e->entries, "struct r%" PRIu32 " r = ", t->canonical);
    bytes_appendf(&e->entries, "((t%" PRIu32 " *)callee->code)(callee->instance, room",
                  t->canonical);
    for (uint32_t i = 0; i < t->param_count; i++)
        bytes_append_text(&e->entries,
                          wasm_valtype_letter(t->params[i]) == 'v' ? ", v128_const(0, 0)" : ", 0");
    bytes_append_text(&e->entries, ");\n");
    for (uint32_t i = 0; i < t->result_count && t->result_count > 1; i++)
        bytes_appendf(&e->entries, "          s%" PRIu32 "%c = r.r%" PRIu32 ";\n", base + i,
                      wasm_valtype_letter(t->results[i]), i);
    bytes_append_text(&e->entries, "        }\n");
}

/* Points of a function are numbered by offset, twice, plus one if inside. */
static void open_entry(struct emitter *e, uint32_t offset, bool inside)
{
    e->entry_count++;
    bytes_appendf(&e->entries, "    case %" PRIu32 "u:\n", offset << 1 | inside);
}

static void enter_inside(struct emitter *e, const struct wasm_type *t, uint32_t below)
{
    if (!wanted(e, e->insn_offset, true))
        return;
    open_entry(e, e->insn_offset, true);
    restore_locals(e);
    restore_operands(e, below);
    call_callee(e, t, below);
    bytes_appendf(&e->entries, "        goto back_%" PRIu32 ";\n", e->point_ids);
}

static void enter_next(struct emitter *e)
{
    if (!wanted(e, e->next_offset, false))
        return;
    open_entry(e, e->next_offset, false);
    restore_locals(e);
    restore_operands(e, e->height);
    bytes_appendf(&e->entries, "        goto on_%" PRIu32 ";\n", e->point_ids);
}

void append_entry(struct emitter *e, struct bytes *out)
{
    bytes_append_text(out, "    const struct tern_resumed *const resumed = tern_resumed();\n"
                           "    uint8_t *value = (uint8_t *)resumed->value;\n"
                           "    switch (resumed->offset << 1 | resumed->inside) {\n");
    bytes_append(out, e->entries.data, e->entries.size);
    bytes_append_text(out, "    default: __builtin_trap();\n    }\n");
}

/* ---- Telling ---- */

static void note(struct emitter *e, uint32_t offset, uint32_t operands,
                 const struct call_site *site)
{
    struct translate_safepoint s = {
        .point = {e->func_index, offset, site != NULL},
        .operand_count = operands,
        .callee = site ? site->func : 0,
        .type = site ? site->type->canonical : 0,
    };

    if (!e->found)
        return;
    s.operands = e->found->letters.size;
    for (uint32_t h = 0; h < operands; h++)
        bytes_append_byte(&e->found->letters, (uint8_t)e->stack[h].letter);
    bytes_append(&e->found->list, &s, sizeof s);
}

/* ---- The two kinds ---- */

/* Offsets are asked for in ascending order. */
static bool loop_needs_safepoint(struct emitter *e, uint32_t at)
{
    const uint32_t *offset = (const uint32_t *)(const void *)e->loops.data;
    size_t count = e->loops.size / sizeof *offset;

    while (e->loop_at < count && offset[e->loop_at] < at)
        e->loop_at++;
    return e->loop_at < count && offset[e->loop_at] == at;
}

/* Who comes back from a callee looks whether to stop; who goes on after a stop has stopped. */
static void stop_here(struct emitter *e, const char *macro)
{
    if (e->wanted)
        line(e, "back_%" PRIu32 ":;", e->point_ids);
    line(e, "%s(in, save_%" PRIu32 ");", macro, e->point_ids);
    if (e->wanted)
        line(e, "on_%" PRIu32 ":;", e->point_ids);
}

bool emit_loop_safepoint(struct emitter *e)
{
    uint32_t next = e->next_offset;

    if (!loop_needs_safepoint(e, e->insn_offset))
        return false;
    e->next_offset = e->insn_offset; /* the loop itself is what is executed next */
    e->point_ids++;
    stop_here(e, "TERN_POLL");
    save_frame(e, e->insn_offset, 0);
    enter_next(e);
    note(e, e->insn_offset, e->height, NULL);
    e->next_offset = next;
    return true;
}

void emit_call_safepoint(struct emitter *e, const struct call_site *site)
{
    uint32_t below = e->height - site->type->result_count;

    e->point_ids++;
    stop_here(e, "TERN_TEST");
    save_frame(e, e->insn_offset, site->type->result_count);
    enter_inside(e, site->type, below);
    note(e, e->insn_offset, below, site);
    if (loop_needs_safepoint(e, e->next_offset))
        return; /* a loop, whose header is the same point */
    enter_next(e);
    note(e, e->next_offset, e->height, NULL);
}
