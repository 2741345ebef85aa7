/*
 * Blocks become labels and gotos, so that nesting in the module is not nesting in the C. Values
 * that a branch carries are moved down into the slots where the target expects them; moving from
 * the lowest up never overwrites what is still to be moved, since a value at height h only
 * mentions slots from h on.
 */
#include "translate/emit.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SWITCH_CASES_MAX = 1024,
    COPIES = 2,            /* of a small loop's body */
    COPIED_INSNS_MAX = 48, /* in one */
};

static struct label *label_at(struct emitter *e, uint32_t depth)
{
    check(depth < e->label_count);
    return &e->labels[e->label_count - 1 - depth];
}

static uint32_t branch_arity(const struct label *l)
{
    return l->kind == LABEL_LOOP ? l->param_count : l->result_count;
}

static void push_label(struct emitter *e, struct label l)
{
    if (e->label_count == e->label_capacity) {
        uint32_t capacity = e->label_capacity ? e->label_capacity * 2 : 64;
        struct label *grown = realloc(e->labels, capacity * sizeof *grown);

        if (!grown) {
            e->failed = true;
            return;
        }
        e->labels = grown;
        e->label_capacity = capacity;
    }
    e->labels[e->label_count++] = l;
    e->indent += l.kind == LABEL_LOOP || l.kind == LABEL_IF;
}

void control_begin(struct emitter *e, const struct wasm_type *type)
{
    push_label(e, (struct label){.kind = LABEL_FUNC,
                                 .results = type->results,
                                 .result_count = type->result_count});
}

/* The types of a block; a single result lives in the label itself. */
static struct label label_of(struct emitter *e, const struct wasm_insn *insn, enum label_kind kind)
{
    struct label l = {.kind = kind, .id = ++e->label_ids};

    if (insn->block_kind == WASM_BLOCK_TYPE) {
        const struct wasm_type *t = &e->module->types[insn->index];

        l.params = t->params;
        l.param_count = t->param_count;
        l.results = t->results;
        l.result_count = t->result_count;
    } else if (insn->block_kind == WASM_BLOCK_VALUE) {
        l.value = insn->valtype;
        l.result_count = 1;
    }
    l.height = e->height - l.param_count;
    return l;
}

static char result_letter(const struct label *l, uint32_t i)
{
    return wasm_valtype_letter(l->results ? l->results[i] : l->value);
}

static void on_block(struct emitter *e, const struct wasm_insn *insn)
{
    struct label l = label_of(e, insn, LABEL_BLOCK);

    nan_settle_from(e, l.height);
    settle_all(e, l.height);
    push_label(e, l);
}

/* Whether an instruction makes no round of a loop so long that its safepoint does not matter. */
static bool is_short(enum wasm_op op)
{
    return op != WASM_OP_LOOP && op != WASM_OP_CALL && op != WASM_OP_CALL_INDIRECT &&
           op != WASM_OP_BR_TABLE;
}

/*
 * A safepoint in each round costs small loops the most. The body of such a loop is written twice,
 * one copy behind the other, so that two rounds pass one safepoint. How often, for the loop whose
 * body begins at the next instruction.
 */
static uint32_t copies_of(struct emitter *e, const struct label *l)
{
    struct wasm_reader r = reader_of(e->module->bytes, e->next_offset, e->func->code_end);
    uint32_t nesting = 1, count = 0;
    struct wasm_fault fault;
    struct wasm_insn insn;

    if (l->param_count > 0)
        return 1;
    while (nesting > 0) {
        enum tern_err err = insn_decode(&r, &insn, &fault);

        check(err == TERN_OK); /* validated before */
        if (++count > COPIED_INSNS_MAX || !is_short(insn.op))
            return 1;
        nesting += insn.op == WASM_OP_BLOCK || insn.op == WASM_OP_IF;
        nesting -= insn.op == WASM_OP_END;
    }
    return COPIES;
}

static void on_loop(struct emitter *e, const struct wasm_insn *insn)
{
    struct label l = label_of(e, insn, LABEL_LOOP);

    nan_settle_from(e, l.height);
    settle_all(e, l.height);
    line(e, "loop_%" PRIu32 ":;", l.id);
    l.next = l.id;
    l.body = e->next_offset;
    push_label(e, l);
    if (emit_loop_safepoint(e) && !e->failed) {
        l.copies = copies_of(e, &l) - 1;
        l.next = l.copies ? ++e->label_ids : l.id;
        *label_at(e, 0) = l;
    }
}

static void on_if(struct emitter *e, const struct wasm_insn *insn)
{
    struct operand condition = pop(e);
    struct label l = label_of(e, insn, LABEL_IF);
    char text[EMIT_TEXT_MAX + 32];

    nan_settle_from(e, l.height);
    settle_all(e, l.height);
    condition_text(&condition, text, true);
    line(e, "if (%s) goto else_%" PRIu32 ";", text, l.id);
    push_label(e, l);
}

/* Moves the branch's values into the slots of the target. */
static void move_values(struct emitter *e, const struct label *target)
{
    uint32_t arity = branch_arity(target);
    uint32_t from = e->height - arity;

    for (uint32_t i = 0; i < arity; i++) {
        struct operand o = e->stack[from + i];
        char to[32];

        nan_settle(&o);
        slot_name(e, target->height + i, o.letter, to);
        if (strcmp(to, o.text) != 0)
            line(e, "%s = %s;", to, value_text(&o));
    }
}

void emit_return(struct emitter *e)
{
    const struct wasm_type *t = &e->module->types[e->func->type];
    uint32_t from = e->height - t->result_count;

    if (t->result_count == 0) {
        line(e, "return;");
        return;
    }
    if (t->result_count > 1)
        line(e, "return (struct r%" PRIu32 "){", t->canonical);
    for (uint32_t i = 0; i < t->result_count; i++) {
        struct operand o = e->stack[from + i];

        nan_settle(&o);
        line(e, t->result_count > 1 ? "    %s," : "return %s;", value_text(&o));
    }
    if (t->result_count > 1)
        line(e, "};");
}

static void jump(struct emitter *e, struct label *target)
{
    if (target->kind == LABEL_FUNC) {
        emit_return(e);
        return;
    }
    move_values(e, target);
    if (target->kind == LABEL_LOOP) {
        target->again = true;
        line(e, "goto loop_%" PRIu32 ";", target->next);
    } else {
        target->used = true;
        line(e, "goto end_%" PRIu32 ";", target->id);
    }
}

/* True if a jump there takes more than one statement. */
static bool branch_moves(const struct emitter *e, const struct label *target)
{
    uint32_t arity = branch_arity(target);

    if (target->kind == LABEL_FUNC)
        return arity > 1;
    for (uint32_t i = 0; i < arity; i++) {
        const struct operand *o = &e->stack[e->height - arity + i];

        if (o->pending || o->constant || o->nan != NAN_EXACT ||
            o->slot_end != target->height + i + 1)
            return true;
    }
    return false;
}

static void on_br_if(struct emitter *e, uint32_t depth)
{
    struct operand condition = pop(e);
    struct label *target = label_at(e, depth);
    char text[EMIT_TEXT_MAX + 32], prefix[EMIT_TEXT_MAX + 48];

    condition_text(&condition, text, false);
    if (branch_moves(e, target)) {
        line(e, "if (%s) {", text);
        e->indent++;
        jump(e, target);
        e->indent--;
        line(e, "}");
    } else {
        snprintf(prefix, sizeof prefix, "if (%s) ", text);
        e->prefix = prefix;
        jump(e, target);
    }
}

static void jump_inside(struct emitter *e, uint32_t depth)
{
    e->indent++;
    jump(e, label_at(e, depth));
    e->indent--;
}

static uint32_t default_label(const struct wasm_insn *insn)
{
    struct wasm_reader labels = insn->labels;

    for (uint32_t i = 0; i < insn->label_count; i++)
        (void)insn_next_label(&labels);
    return insn_next_label(&labels);
}

/* Neighbours that go to the same place share its jump; those of the default need none. */
static void switch_on_index(struct emitter *e, const struct wasm_insn *insn, const char *index)
{
    struct wasm_reader labels = insn->labels;
    uint32_t otherwise = default_label(insn);
    uint32_t depth = insn_next_label(&labels);

    line(e, "switch (%s) {", index);
    for (uint32_t i = 0; i < insn->label_count; i++) {
        uint32_t next = insn_next_label(&labels);

        if (depth != otherwise)
            line(e, "case %" PRIu32 ":", i);
        if (depth != otherwise && depth != next)
            jump_inside(e, depth);
        depth = next;
    }
    line(e, "default:");
    jump_inside(e, otherwise);
    line(e, "}");
}

/* A table of depths, and a switch over those that occur: gcc takes long for very many cases. */
static void switch_on_depth(struct emitter *e, const struct wasm_insn *insn, const char *index)
{
    struct wasm_reader labels = insn->labels;
    uint32_t otherwise = default_label(insn);
    uint8_t *seen = calloc(e->label_count, 1);

    if (!seen) {
        e->failed = true;
        return;
    }
    line_begin(e);
    bytes_append_text(&e->body, "{ static const uint16_t depth[] = {");
    for (uint32_t i = 0; i < insn->label_count; i++) {
        uint32_t depth = insn_next_label(&labels);

        seen[depth] = 1;
        bytes_appendf(&e->body, "%" PRIu32 ",", depth);
    }
    bytes_append_text(&e->body, "};\n");
    line(e, "uint32_t at = %s;", index);
    line(e, "switch (at < %" PRIu32 "u ? depth[at] : %" PRIu32 "u) {", insn->label_count,
         otherwise);
    for (uint32_t depth = 0; depth < e->label_count; depth++) {
        if (seen[depth] && depth != otherwise) {
            line(e, "case %" PRIu32 ":", depth);
            jump_inside(e, depth);
        }
    }
    line(e, "default:");
    jump_inside(e, otherwise);
    line(e, "} }");
    free(seen);
}

static void on_br_table(struct emitter *e, const struct wasm_insn *insn)
{
    struct operand index = pop(e);

    if (insn->label_count > SWITCH_CASES_MAX)
        switch_on_depth(e, insn, value_text(&index));
    else
        switch_on_index(e, insn, value_text(&index));
    e->dead = true;
}

/* Back to the operands beneath the block, plus `count` values in their slots. */
static void restart_stack(struct emitter *e, const struct label *l, uint32_t count, bool params)
{
    while (e->height > l->height)
        (void)pop(e);
    for (uint32_t i = 0; i < count; i++)
        push_slot(e, params ? wasm_valtype_letter(l->params[i]) : result_letter(l, i));
    e->settled = e->height;
}

static void on_else(struct emitter *e)
{
    struct label *l = label_at(e, 0);

    check(l->kind == LABEL_IF);
    if (!e->dead) {
        move_values(e, l);
        l->used = true;
        line(e, "goto end_%" PRIu32 ";", l->id);
    }
    l->kind = LABEL_ELSE;
    e->dead = false;
    restart_stack(e, l, l->param_count, true);
    e->indent--;
    line(e, "else_%" PRIu32 ":;", l->id);
    e->indent++;
}

/* Branches to a loop carry its parameters; what leaves at the end are its results. */
static void move_results(struct emitter *e, const struct label *loop)
{
    struct label as_block = *loop;

    as_block.kind = LABEL_BLOCK;
    move_values(e, &as_block);
}

/* At a body's end: begins the next copy, if there is to be one and something leads to it. */
static bool repeat_body(struct emitter *e)
{
    struct label *l = label_at(e, 0);

    if (l->kind != LABEL_LOOP || l->copies == 0 || !l->again)
        return false;
    if (!e->dead) {
        move_results(e, l);
        line(e, "goto end_%" PRIu32 ";", l->id);
        l->used = true;
    }
    e->dead = false;
    restart_stack(e, l, 0, false);
    line(e, "loop_%" PRIu32 ":;", l->next);
    l->copies--;
    l->again = false;
    l->next = l->copies ? ++e->label_ids : l->id;
    e->repeat_from = l->body;
    return true;
}

static void on_end(struct emitter *e)
{
    struct label l = *label_at(e, 0);
    bool falls_through = !e->dead;

    if (repeat_body(e))
        return;

    if (l.kind == LABEL_FUNC) {
        if (falls_through)
            emit_return(e);
        e->label_count--;
        return;
    }
    if (falls_through && l.kind == LABEL_LOOP) {
        move_results(e, &l);
    } else if (falls_through) {
        move_values(e, &l);
    }
    e->label_count--;
    e->indent -= l.kind == LABEL_LOOP || l.kind == LABEL_IF || l.kind == LABEL_ELSE;
    e->dead = !falls_through && !l.used && l.kind != LABEL_IF;
    restart_stack(e, &l, l.result_count, false);
    if (l.kind == LABEL_IF)
        line(e, "else_%" PRIu32 ":;", l.id); /* without else: parameters are the results */
    if (l.used)
        line(e, "end_%" PRIu32 ":;", l.id);
}

/* While nothing can be reached only the nesting of blocks matters. True: instruction is done. */
static bool skip_dead(struct emitter *e, enum wasm_op op)
{
    bool opens = op == WASM_OP_BLOCK || op == WASM_OP_LOOP || op == WASM_OP_IF;

    if (!e->dead)
        return false;
    if (opens) {
        e->dead_nesting++;
    } else if (op == WASM_OP_END && e->dead_nesting > 0) {
        e->dead_nesting--;
    } else if (e->dead_nesting == 0 && (op == WASM_OP_END || op == WASM_OP_ELSE)) {
        return false;
    }
    return true;
}

void emit_control(struct emitter *e, const struct wasm_insn *insn)
{
    if (skip_dead(e, insn->op))
        return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
    switch (insn->op) {
    case WASM_OP_UNREACHABLE:
        line(e, "tern_trap(in, TERN_TRAP_UNREACHABLE, %" PRIu32 ", %" PRIu32 ");", e->func_index,
             insn->offset);
        e->dead = true;
        break;
    case WASM_OP_NOP: break;
    case WASM_OP_BLOCK: on_block(e, insn); break;
    case WASM_OP_LOOP: on_loop(e, insn); break;
    case WASM_OP_IF: on_if(e, insn); break;
    case WASM_OP_ELSE: on_else(e); break;
    case WASM_OP_END: on_end(e); break;
    case WASM_OP_BR:
        jump(e, label_at(e, insn->index));
        e->dead = true;
        break;
    case WASM_OP_BR_IF: on_br_if(e, insn->index); break;
    case WASM_OP_BR_TABLE: on_br_table(e, insn); break;
    default:
        check(insn->op == WASM_OP_RETURN);
        emit_return(e);
        e->dead = true;
    }
#pragma GCC diagnostic pop
}
