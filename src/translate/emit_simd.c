/*
 * Every vector instruction is a function or macro of tern_simd.h with the instruction's name.
 * Results go into slots at once: macros there may use an argument more than once.
 */
#include "translate/emit.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* "op(" and the place in memory, the operands, the lane: whatever the instruction has. */
static void call_text(struct emitter *e, const struct wasm_insn *insn, uint32_t count,
                      struct bytes *out)
{
    const struct wasm_op_info *info = wasm_op_info(insn->op);
    const struct operand *from = &e->stack[e->height - count];
    const char *separator = "";
    char op[64];

    op_identifier(insn->op, op);
    bytes_appendf(out, "%s(", op);
    for (uint32_t i = 0; i < count; i++) {
        bool address = i == 0 && info->access;

        bytes_appendf(out, address ? "%sAT(%s, %" PRIu32 "u)" : "%s%s", separator,
                      value_text(&from[i]), insn->address);
        separator = ", ";
    }
    if (info->immediate == WASM_IMM_LANE || info->immediate == WASM_IMM_MEMARG_LANE)
        bytes_appendf(out, ", %u", (unsigned)insn->lane);
    for (uint32_t i = 0; i < 16 && info->immediate == WASM_IMM_SHUFFLE; i++)
        bytes_appendf(out, ", %u", (unsigned)insn->lanes[i]);
    bytes_append_text(out, ")");
}

void emit_simd(struct emitter *e, const struct wasm_insn *insn)
{
    const char *signature = wasm_op_info(insn->op)->signature;
    const char *arrow = strchr(signature, '>');
    struct bytes text = {.limit = 1 << 16};
    enum nan_kind nan;
    uint32_t count;

    check(arrow);
    count = (uint32_t)(arrow - signature);
    if (wasm_op_info(insn->op)->access)
        e->memory_used = true;
    nan = nan_simd(e, insn->op, count);
    call_text(e, insn, count, &text);
    for (uint32_t i = 0; i < count; i++)
        (void)pop(e);
    if (!bytes_text(&text))
        e->failed = true;
    else if (arrow[1])
        push_stored(e, arrow[1], (const char *)text.data);
    else
        line(e, "%s;", (const char *)text.data);
    if (arrow[1] && !e->failed)
        e->stack[e->height - 1].nan = nan;
    bytes_release(&text);
}
