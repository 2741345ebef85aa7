#include "translate/emit.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>

static void cell_text(const struct emitter *e, uint32_t global, char out[64])
{
    const char *member = cell_member(wasm_valtype_letter(e->module->globals[global].valtype));
    uint32_t imported = e->module->imported_globals;

    if (global < imported)
        snprintf(out, 64, "in->global[%" PRIu32 "]->%s", global, member);
    else
        snprintf(out, 64, "in->cell[%" PRIu32 "].%s", global - imported, member);
}

static void on_global_get(struct emitter *e, uint32_t global)
{
    char letter = wasm_valtype_letter(e->module->globals[global].valtype);
    char cell[64], text[96];

    cell_text(e, global, cell);
    snprintf(text, sizeof text, letter == 'v' ? "v128_from_bytes(%s)" : "%s", cell);
    push_stored(e, letter, text);
}

static void on_global_set(struct emitter *e, uint32_t global)
{
    struct operand value = pop_exact(e);
    char cell[64];

    cell_text(e, global, cell);
    if (value.letter == 'v')
        line(e, "v128_to_bytes(%s, %s);", cell, value_text(&value));
    else
        line(e, "%s = %s;", cell, value_text(&value));
}

static void set_local(struct emitter *e, uint32_t local)
{
    struct operand value = pop(e);
    char stored[EMIT_STORED_MAX];

    nan_to_local(e, local, &value);
    settle_local(e, local);
    e->local_used[local] = 1;
    if (!value.pending && take_stored(e, &value, stored))
        line(e, "l%" PRIu32 " = %s;", local, stored);
    else
        line(e, "l%" PRIu32 " = %s;", local, value_text(&value));
}

static void on_select(struct emitter *e)
{
    struct operand from[3];
    char condition[EMIT_TEXT_MAX + 32], a[EMIT_TEXT_MAX + 32], b[EMIT_TEXT_MAX + 32];
    char text[3 * (EMIT_TEXT_MAX + 40)];
    enum nan_kind nan;

    from[2] = pop(e);
    from[1] = pop(e);
    from[0] = pop(e);
    nan = nan_select(&from[0], &from[1]);
    condition_text(&from[2], condition, false);
    operand_text(&from[0], a);
    operand_text(&from[1], b);
    snprintf(text, sizeof text, "(%s) ? %s : %s", condition, a, b);
    push_pure(e, from[0].letter, text, from, 3);
    e->stack[e->height - 1].nan = nan;
}

static void on_const(struct emitter *e, const struct wasm_insn *insn)
{
    char letter = wasm_op_info(insn->op)->signature[1];
    char text[EMIT_TEXT_MAX];

    bits_text(letter, insn->bits, text);
    push_constant(e, letter, text);
    e->stack[e->height - 1].nan = nan_constant(e, letter, insn->bits);
}

void emit_variable(struct emitter *e, const struct wasm_insn *insn)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
    switch (insn->op) {
    case WASM_OP_LOCAL_GET: push_local(e, insn->index); break;
    case WASM_OP_LOCAL_SET: set_local(e, insn->index); break;
    case WASM_OP_LOCAL_TEE:
        set_local(e, insn->index);
        push_local(e, insn->index);
        break;
    case WASM_OP_GLOBAL_GET: on_global_get(e, insn->index); break;
    case WASM_OP_GLOBAL_SET: on_global_set(e, insn->index); break;
    case WASM_OP_DROP: (void)pop(e); break;
    case WASM_OP_SELECT:
    case WASM_OP_SELECT_T: on_select(e); break;
    default: on_const(e, insn);
    }
#pragma GCC diagnostic pop
}
