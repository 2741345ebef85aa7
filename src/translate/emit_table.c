#include "translate/emit.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>

/* `if (!call) trap`, for table operations that say whether they were inside the bounds. */
static void guarded(struct emitter *e, const char *call)
{
    line(e, "if (!%s) tern_trap(in, TERN_TRAP_TABLE, %" PRIu32 ", %" PRIu32 ");", call,
         e->func_index, e->insn_offset);
}

static void on_get(struct emitter *e, uint32_t table)
{
    struct operand at = pop(e);
    char text[256];

    snprintf(text, sizeof text, "tern_table_get(in, %" PRIu32 ", %s, %" PRIu32 ", %" PRIu32 ")",
             table, value_text(&at), e->func_index, e->insn_offset);
    push_stored(e, wasm_valtype_letter(e->module->tables[table].elemtype), text);
}

static void on_set(struct emitter *e, uint32_t table)
{
    struct operand ref = pop(e);
    struct operand at = pop(e);
    char text[320];

    snprintf(text, sizeof text, "tern_table_set(in, %" PRIu32 ", %s, %s)", table, value_text(&at),
             value_text(&ref));
    guarded(e, text);
}

static void on_grow(struct emitter *e, uint32_t table)
{
    struct operand delta = pop(e);
    struct operand ref = pop(e);
    char text[320];

    snprintf(text, sizeof text, "tern_table_grow(in, %" PRIu32 ", %s, %s)", table, value_text(&ref),
             value_text(&delta));
    push_stored(e, 'i', text);
}

/* table.init, table.copy and table.fill take three operands. */
static void on_bulk(struct emitter *e, const struct wasm_insn *insn)
{
    struct operand c = pop(e);
    struct operand b = pop(e);
    struct operand a = pop(e);
    char text[512];

    if (insn->op == WASM_OP_TABLE_FILL)
        snprintf(text, sizeof text, "tern_table_fill(in, %" PRIu32 ", %s, %s, %s)", insn->index,
                 value_text(&a), value_text(&b), value_text(&c));
    else if (insn->op == WASM_OP_TABLE_COPY)
        snprintf(text, sizeof text, "tern_table_copy(in, %" PRIu32 ", %" PRIu32 ", %s, %s, %s)",
                 insn->index, insn->index2, value_text(&a), value_text(&b), value_text(&c));
    else
        snprintf(text, sizeof text, "tern_table_init(in, %" PRIu32 ", %" PRIu32 ", %s, %s, %s)",
                 insn->index2, insn->index, value_text(&a), value_text(&b), value_text(&c));
    guarded(e, text);
}

static void on_is_null(struct emitter *e)
{
    struct operand ref = pop(e);
    char text[EMIT_TEXT_MAX + 64], operand[EMIT_TEXT_MAX + 32];

    operand_text(&ref, operand);
    snprintf(text, sizeof text, "%s == 0", operand);
    push_condition(e, text, &ref, 1);
}

void emit_table(struct emitter *e, const struct wasm_insn *insn)
{
    char text[96];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
    switch (insn->op) {
    case WASM_OP_TABLE_GET: on_get(e, insn->index); break;
    case WASM_OP_TABLE_SET: on_set(e, insn->index); break;
    case WASM_OP_TABLE_GROW: on_grow(e, insn->index); break;
    case WASM_OP_TABLE_SIZE:
        snprintf(text, sizeof text, "in->table[%" PRIu32 "]->size", insn->index);
        push_stored(e, 'i', text);
        break;
    case WASM_OP_TABLE_INIT:
    case WASM_OP_TABLE_COPY:
    case WASM_OP_TABLE_FILL: on_bulk(e, insn); break;
    case WASM_OP_ELEM_DROP: line(e, "tern_elem_drop(in, %" PRIu32 ");", insn->index); break;
    case WASM_OP_REF_NULL: push_constant(e, wasm_valtype_letter(insn->valtype), "0ull"); break;
    case WASM_OP_REF_FUNC:
        snprintf(text, sizeof text, "(uint64_t)(uintptr_t)in->func[%" PRIu32 "]", insn->index);
        push_stored(e, 'r', text);
        break;
    default: check(insn->op == WASM_OP_REF_IS_NULL); on_is_null(e);
    }
#pragma GCC diagnostic pop
}
