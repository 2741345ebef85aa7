#include "translate/emit.h"

#include "wasm/suspend.h"

#include <inttypes.h>
#include <stdio.h>

/* Appends ", a, b" for the topmost `count` operands. */
static void append_arguments(struct emitter *e, uint32_t count)
{
    for (uint32_t i = e->height - count; i < e->height; i++)
        bytes_appendf(&e->body, ", %s", value_text(&e->stack[i]));
    bytes_append_text(&e->body, ");\n");
}

/*
 * `callee` is the text up to and with the argument `room`; arguments are on the stack. If it
 * suspends, a frame can be saved behind it, which needs all operands below in their slots.
 */
static void emit_call_text(struct emitter *e, const struct wasm_type *t, const char *callee,
                           bool suspends)
{
    uint32_t base = e->height - t->param_count;
    char to[32];

    nan_settle_from(e, base);
    if (suspends)
        settle_first(e, base);
    if (t->result_count > 0)
        settle_below(e, base);
    line_begin(e);
    if (t->result_count == 1) {
        slot_name(e, base, wasm_valtype_letter(t->results[0]), to);
        bytes_appendf(&e->body, "%s = ", to);
    } else if (t->result_count > 1) {
        bytes_appendf(&e->body, "{ struct r%" PRIu32 " r = ", t->canonical);
    }
    bytes_append_text(&e->body, callee);
    append_arguments(e, t->param_count);
    while (e->height > base)
        (void)pop(e);
    for (uint32_t i = 0; i < t->result_count; i++) {
        push_slot(e, wasm_valtype_letter(t->results[i]));
        if (t->result_count > 1)
            line(e, "  s%" PRIu32 "%c = r.r%" PRIu32 ";", base + i,
                 wasm_valtype_letter(t->results[i]), i);
    }
    if (t->result_count > 1)
        line(e, "}");
}

static void on_call(struct emitter *e, uint32_t func)
{
    const struct wasm_func *f = &e->module->funcs[func];
    const struct wasm_type *t = &e->module->types[f->type];
    bool suspends = suspend_after_call(e->module, e->func_index, func);
    char callee[192], name[64];

    /* A continuation is compiled apart from the functions that it calls. */
    if (f->imported || e->wanted) {
        snprintf(callee, sizeof callee,
                 "((t%" PRIu32 " *)in->func[%" PRIu32 "]->code)(in->func[%" PRIu32
                 "]->instance, room",
                 t->canonical, func, func);
    } else {
        func_name(e->module, func, name);
        snprintf(callee, sizeof callee, "%s(in, room", name);
    }
    emit_call_text(e, t, callee, suspends);
    if (suspends)
        emit_call_safepoint(e, &(struct call_site){t, func});
}

static void on_call_indirect(struct emitter *e, const struct wasm_insn *insn)
{
    const struct wasm_type *t = &e->module->types[insn->index];
    struct operand index = pop(e);
    uint64_t key = type_key(t);
    bool suspends = suspend_after_indirect(e->module, e->func_index, insn->index);
    char key_text[64], callee[64];

    if (key)
        snprintf(key_text, sizeof key_text, "0x%" PRIx64 "ull", key);
    else
        snprintf(key_text, sizeof key_text, "in->key[%" PRIu32 "]", t->canonical);
    line(e,
         "{ const struct tern_slot *callee = tern_callee(in, %" PRIu32 ", %s, %s, %" PRIu32
         ", %" PRIu32 ");",
         insn->index2, value_text(&index), key_text, e->func_index, insn->offset);
    snprintf(callee, sizeof callee, "((t%" PRIu32 " *)callee->code)(callee->instance, room",
             t->canonical);
    emit_call_text(e, t, callee, suspends);
    line(e, "}");
    if (suspends)
        emit_call_safepoint(e, &(struct call_site){t, UINT32_MAX});
}

void emit_call(struct emitter *e, const struct wasm_insn *insn)
{
    if (insn->op == WASM_OP_CALL)
        on_call(e, insn->index);
    else
        on_call_indirect(e, insn);
}
