#include "translate/emit.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>

/* AT(address, offset): the byte's own place; no sum leaves the reservation (tern_rt.h). */
static void place_text(struct emitter *e, const struct operand *address, uint32_t offset,
                       char out[EMIT_TEXT_MAX + 64])
{
    e->memory_used = true;
    snprintf(out, EMIT_TEXT_MAX + 64, "AT(%s, %" PRIu32 "u)", value_text(address), offset);
}

static void on_load(struct emitter *e, const struct wasm_insn *insn)
{
    struct operand address = pop(e);
    char place[EMIT_TEXT_MAX + 64], op[64], text[EMIT_TEXT_MAX + 160];

    place_text(e, &address, insn->address, place);
    op_identifier(insn->op, op);
    snprintf(text, sizeof text, "%s(%s)", op, place);
    push_stored(e, wasm_op_info(insn->op)->signature[2], text);
}

static void on_store(struct emitter *e, const struct wasm_insn *insn)
{
    struct operand value = pop_exact(e);
    struct operand address = pop(e);
    char place[EMIT_TEXT_MAX + 64], op[64];

    place_text(e, &address, insn->address, place);
    op_identifier(insn->op, op);
    line(e, "%s(%s, %s);", op, place, value_text(&value));
}

static void on_grow(struct emitter *e)
{
    struct operand delta = pop(e);
    char text[EMIT_TEXT_MAX + 64];

    snprintf(text, sizeof text, "tern_memory_grow(in, %s)", value_text(&delta));
    push_stored(e, 'i', text);
}

static void on_bulk(struct emitter *e, const struct wasm_insn *insn)
{
    struct operand size = pop(e);
    struct operand from = pop(e);
    struct operand to = pop(e);
    const char *name = insn->op == WASM_OP_MEMORY_COPY ? "copy" : "fill";
    char call[64];

    if (insn->op == WASM_OP_MEMORY_INIT)
        snprintf(call, sizeof call, "tern_memory_init(in, %" PRIu32, insn->index);
    else
        snprintf(call, sizeof call, "tern_memory_%s(in", name);
    line(e, "if (!%s, %s, %s, %s)) tern_trap(in, TERN_TRAP_MEMORY, %" PRIu32 ", %" PRIu32 ");",
         call, value_text(&to), value_text(&from), value_text(&size), e->func_index, insn->offset);
}

void emit_memory(struct emitter *e, const struct wasm_insn *insn)
{
    const struct wasm_op_info *info = wasm_op_info(insn->op);

    if (info->access) {
        bool load = info->signature[1] == '>';

        if (load)
            on_load(e, insn);
        else
            on_store(e, insn);
        return;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
    switch (insn->op) {
    case WASM_OP_MEMORY_SIZE: push_stored(e, 'i', "in->memory[0]->pages"); break;
    case WASM_OP_MEMORY_GROW: on_grow(e); break;
    case WASM_OP_DATA_DROP: line(e, "tern_data_drop(in, %" PRIu32 ");", insn->index); break;
    default: on_bulk(e, insn);
    }
#pragma GCC diagnostic pop
}
