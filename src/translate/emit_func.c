#include "translate/emit.h"

#include "base/check.h"
#include "translate/loops.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Which emit_*.c file has the instruction. */
static void dispatch(struct emitter *e, const struct wasm_insn *insn)
{
    e->insn_offset = insn->offset;
    if (insn->op <= WASM_OP_RETURN) {
        emit_control(e, insn);
    } else if (e->dead) {
        return;
    } else if (insn->op <= WASM_OP_CALL_INDIRECT) {
        emit_call(e, insn);
    } else if (insn->op <= WASM_OP_GLOBAL_SET ||
               (insn->op >= WASM_OP_I32_CONST && insn->op <= WASM_OP_F64_CONST) ||
               insn->op == WASM_OP_V128_CONST) {
        emit_variable(e, insn);
    } else if (insn->op >= WASM_OP_V128_LOAD) {
        emit_simd(e, insn);
    } else if (insn->op >= WASM_OP_I32_LOAD && insn->op <= WASM_OP_MEMORY_GROW) {
        emit_memory(e, insn);
    } else if (insn->op >= WASM_OP_MEMORY_INIT && insn->op <= WASM_OP_MEMORY_FILL) {
        emit_memory(e, insn);
    } else if (wasm_op_info(insn->op)->immediate == WASM_IMM_NONE &&
               insn->op != WASM_OP_REF_IS_NULL) {
        emit_numeric(e, insn);
    } else {
        emit_table(e, insn);
    }
}

/* Heights that operands of the function can have, with one to spare for a result. */
static uint32_t heights(const struct emitter *e)
{
    return e->func->stack_max + 4;
}

static bool reserve(struct emitter *e)
{
    uint32_t stack = heights(e);
    uint32_t locals = e->func->local_count + 1;

    if (stack > e->stack_capacity) {
        free(e->stack);
        free(e->slot_used);
        e->stack = calloc(stack, sizeof *e->stack);
        e->slot_used = malloc(stack);
        e->stack_capacity = e->stack && e->slot_used ? stack : 0;
    }
    if (locals > e->local_capacity) {
        free(e->local_letter);
        free(e->local_used);
        free(e->local_nan);
        e->local_letter = malloc(locals);
        e->local_used = malloc(locals);
        e->local_nan = malloc(locals);
        e->local_capacity = e->local_letter && e->local_used && e->local_nan ? locals : 0;
    }
    return stack <= e->stack_capacity && locals <= e->local_capacity;
}

static void name_locals(struct emitter *e, const struct wasm_type *type)
{
    uint32_t n = 0;

    for (; n < type->param_count; n++)
        e->local_letter[n] = wasm_valtype_letter(type->params[n]);
    for (uint32_t run = 0; run < e->func->local_runs; run++) {
        const struct wasm_locals *l = &e->func->locals[run];

        memset(e->local_letter + n, wasm_valtype_letter(l->valtype), l->count);
        n += l->count;
    }
    check(n == e->func->local_count);
}

static void begin(struct emitter *e, uint32_t func, const struct wasm_type *type)
{
    e->func = &e->module->funcs[func];
    e->func_index = func;
    if (!reserve(e)) {
        e->failed = true;
        return;
    }
    name_locals(e, type);
    bytes_clear(&e->loops);
    liveness_release(&e->liveness);
    e->failed |= liveness_find(e->module, func, &e->liveness) != TERN_OK;
    e->failed |= loops_find(e->module, func, &e->loops) != TERN_OK;
}

/* To the function's first instruction. */
static void rewind_body(struct emitter *e)
{
    bytes_clear(&e->body);
    bytes_clear(&e->saves);
    bytes_clear(&e->entries);
    memset(e->slot_used, 0, heights(e));
    memset(e->local_used, 0, e->func->local_count);
    e->height = 0;
    e->settled = 0;
    e->label_count = 0;
    e->label_ids = 0;
    e->indent = 1;
    e->prefix = NULL;
    e->dead = false;
    e->dead_nesting = 0;
    e->memory_used = false;
    e->stored = 0;
    e->point_ids = 0;
    e->entry_count = 0;
    e->loop_at = 0;
    control_begin(e, &e->module->types[e->func->type]);
}

static uint32_t count_lines(const struct bytes *b, size_t from)
{
    uint32_t n = 0;

    for (size_t i = from; i < b->size; i++)
        n += b->data[i] == '\n';
    return n;
}

struct line_offset {
    uint32_t line; /* first line that the instruction wrote, from 0 in the body */
    uint32_t offset;
};

/* Writes the body; with a map, also notes which lines came from where. */
static void emit_body(struct emitter *e, struct bytes *lines)
{
    struct wasm_reader r = reader_of(e->module->bytes, e->func->code_offset, e->func->code_end);
    struct wasm_fault fault;
    struct wasm_insn insn;
    uint32_t at_line = 0;

    rewind_body(e);
    while (!reader_done(&r) && !e->failed && bytes_ok(&e->body)) {
        size_t before = e->body.size;
        enum tern_err err = insn_decode(&r, &insn, &fault);

        check(err == TERN_OK); /* validated before */
        e->next_offset = r.at;
        e->repeat_from = 0;
        dispatch(e, &insn);
        if (e->repeat_from)
            r.at = e->repeat_from;
        if (lines && e->body.size > before) {
            struct line_offset note = {at_line, insn.offset};

            bytes_append(lines, &note, sizeof note);
            at_line += count_lines(&e->body, before);
        }
    }
}

static bool texts_ok(const struct emitter *e)
{
    return bytes_ok(&e->body) && bytes_ok(&e->saves) && bytes_ok(&e->entries);
}

static bool try_body(struct emitter *e)
{
    emit_body(e, NULL);
    return texts_ok(e);
}

static void append_signature(struct emitter *e, const struct wasm_type *type, const char *name,
                             struct bytes *out)
{
    bytes_append_text(out, "TERN_FN ");
    append_result_type(out, type);
    bytes_appendf(out, " %s(struct tern_instance *in, uint32_t room", name);
    for (uint32_t i = 0; i < type->param_count; i++)
        bytes_appendf(out, ", %s l%" PRIu32, c_type(e->local_letter[i]), i);
    bytes_append_text(out, ")\n{\n");
}

static const char *zero_of(char letter)
{
    switch (letter) {
    case 'f': return "F32_OPAQUE(0.0f)";
    case 'd': return "F64_OPAQUE(0.0)";
    case 'v': return "v128_const(0, 0)";
    default: return "0";
    }
}

/* Only what the body mentions: 50,000 unused locals cost nothing. */
static void append_variables(struct emitter *e, const struct wasm_type *type, struct bytes *out)
{
    static const char letters[] = "iIfdvre";

    if (e->memory_used)
        bytes_append_text(out, "    uint8_t *const m = in->mem;\n");
    if (e->point_ids > 0 && !e->wanted)
        bytes_append_text(out, "    uint8_t *value;\n");
    for (uint32_t i = type->param_count; i < e->func->local_count; i++) {
        if (e->local_used[i])
            bytes_appendf(out, "    %s l%" PRIu32 " = %s;\n", c_type(e->local_letter[i]), i,
                          zero_of(e->local_letter[i]));
    }
    for (uint32_t h = 0; h < heights(e); h++) {
        for (uint32_t k = 0; e->slot_used[h] >> k; k++) {
            if (e->slot_used[h] >> k & 1)
                bytes_appendf(out, "    %s s%" PRIu32 "%c;\n", c_type(letters[k]), h, letters[k]);
        }
    }
}

/* Leaf functions with small frames run on the reserve behind the last cell. */
static void append_stack_check(struct emitter *e, struct bytes *out)
{
    uint32_t cells = translate_frame_cells(e->module, e->func_index);

    if (e->func->calls || cells > 1024)
        bytes_appendf(out, "    ENTER(%" PRIu32 ", %" PRIu32 ", %" PRIu32 ");\n", cells,
                      e->func_index, e->func->code_offset);
}

/* The function has the lines after `before` up to `last`; its body begins with line `first`. */
static void locate(struct emitter *e, const struct bytes *lines, uint32_t before, uint32_t first,
                   uint32_t last, struct line_map *map)
{
    const struct line_offset *note = (const struct line_offset *)(const void *)lines->data;
    size_t count = lines->size / sizeof *note;

    if (map->line_wanted <= before || map->line_wanted > last)
        return;
    map->place = (struct translate_place){e->func_index, e->func->code_offset};
    map->found = true;
    for (size_t i = 0; i < count && first + note[i].line <= map->line_wanted; i++)
        map->place.offset = note[i].offset;
}

void emit_function(struct emitter *e, uint32_t func, const char *name, struct bytes *out,
                   uint32_t *line_count, struct line_map *map)
{
    const struct wasm_type *type = module_func_type(e->module, func);
    struct bytes lines = {0};
    size_t start = out->size;
    uint32_t before = *line_count, body_line;

    begin(e, func, type);
    if (e->failed)
        return;
    if (!nan_find_locals(e, type->param_count, try_body)) {
        out->failed = true;
        return;
    }
    emit_body(e, map ? &lines : NULL);
    emit_save_tail(e, type);
    bytes_appendf(out, "\n/* function %" PRIu32 ", code at 0x%" PRIx32 " */\n", func,
                  e->func->code_offset);
    append_signature(e, type, name, out);
    append_variables(e, type, out);
    append_stack_check(e, out);
    if (e->wanted)
        append_entry(e, out);
    body_line = *line_count + count_lines(out, start) + 1;
    bytes_append(out, e->body.data, e->body.size);
    bytes_append(out, e->saves.data, e->saves.size);
    bytes_append_text(out, "}\n");
    *line_count += count_lines(out, start);
    if (!texts_ok(e))
        out->failed = true;
    if (map)
        locate(e, &lines, before, body_line, *line_count, map);
    bytes_release(&lines);
}

void emitter_limit(struct emitter *e, size_t limit)
{
    e->body.limit = e->saves.limit = e->entries.limit = limit;
}

void emitter_release(struct emitter *e)
{
    free(e->stack);
    free(e->labels);
    free(e->local_letter);
    free(e->local_used);
    free(e->local_nan);
    free(e->slot_used);
    bytes_release(&e->body);
    bytes_release(&e->saves);
    bytes_release(&e->entries);
    bytes_release(&e->loops);
    liveness_release(&e->liveness);
}
