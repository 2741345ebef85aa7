#include "wasm/validate_stack.h"

#include "wasm/fault.h"

#include <string.h>

struct type_list type_params(const struct wasm_type *type)
{
    return (struct type_list){.types = type->params, .count = type->param_count};
}

struct type_list type_results(const struct wasm_type *type)
{
    return (struct type_list){.types = type->results, .count = type->result_count};
}

bool stack_refuse(struct checker *c, const char *reason)
{
    return reader_refuse(c->v->fault, c->insn.offset, reason);
}

bool stack_mismatch(struct checker *c, uint8_t expected, uint8_t found)
{
    const char *text = wasm_op_info(c->insn.op)->text;

    return fault_set(c->v->fault, c->insn.offset, "type mismatch in %s (expected %s, found %s)",
                     text, expected == ANY ? "an operand" : wasm_valtype_name(expected),
                     found == ANY ? "nothing" : wasm_valtype_name(found));
}

struct frame *stack_top(struct checker *c)
{
    return &c->v->frames[c->depth - 1];
}

bool stack_pop_any(struct checker *c, uint8_t *found)
{
    const struct frame *top = stack_top(c);

    if (c->height > top->height) {
        *found = c->v->operands[--c->height];
        return true;
    }
    *found = ANY;
    return top->unreachable;
}

bool stack_pop(struct checker *c, uint8_t expected)
{
    uint8_t found;

    if (!stack_pop_any(c, &found))
        return stack_mismatch(c, expected, ANY);
    return expected == found || found == ANY || stack_mismatch(c, expected, found);
}

static bool stack_room(struct checker *c, uint32_t more)
{
    if (more <= WASM_STACK_MAX - c->height)
        return true;
    c->v->err = TERN_EMALFORMED;
    return fault_set(c->v->fault, c->insn.offset, "too many operands on the stack (limit %d)",
                     WASM_STACK_MAX);
}

static void note_height(struct checker *c)
{
    if (c->height > c->f->stack_max)
        c->f->stack_max = c->height;
}

bool stack_push(struct checker *c, uint8_t type)
{
    if (!stack_room(c, 1))
        return false;
    c->v->operands[c->height++] = type;
    note_height(c);
    if (type == WASM_V128)
        c->f->uses_v128 = true;
    return true;
}

bool stack_push_list(struct checker *c, struct type_list list)
{
    if (list.count == 0)
        return true;
    if (!stack_room(c, list.count))
        return false;
    memcpy(c->v->operands + c->height, list.types, list.count);
    c->height += list.count;
    note_height(c);
    if (memchr(list.types, WASM_V128, list.count))
        c->f->uses_v128 = true;
    return true;
}

/* How many of the list's operands are on the stack and not taken from nowhere. */
static uint32_t present(struct checker *c, struct type_list list)
{
    uint32_t own = c->height - stack_top(c)->height;

    return list.count < own ? list.count : own;
}

bool stack_has_list(struct checker *c, struct type_list list)
{
    uint32_t count = present(c, list);
    const uint8_t *found, *expected;

    if (list.count == 0)
        return true;
    if (count < list.count && !stack_top(c)->unreachable)
        return stack_mismatch(c, list.types[list.count - count - 1], ANY);
    found = c->v->operands + (c->height - count);
    expected = list.types + (list.count - count);
    if (memcmp(found, expected, count) == 0) /* nearly always; the rest is in unreached code */
        return true;
    for (uint32_t i = count; i-- > 0;)
        if (found[i] != expected[i] && found[i] != ANY)
            return stack_mismatch(c, expected[i], found[i]);
    return true;
}

bool stack_pop_list(struct checker *c, struct type_list list)
{
    if (!stack_has_list(c, list))
        return false;
    c->height -= present(c, list);
    return true;
}

void stack_unreachable(struct checker *c)
{
    struct frame *top = stack_top(c);

    c->height = top->height;
    top->unreachable = true;
}

bool stack_open(struct checker *c, enum wasm_op op, const struct wasm_type *type)
{
    if (c->depth > WASM_NESTING_MAX) {
        c->v->err = TERN_EMALFORMED;
        return fault_set(c->v->fault, c->insn.offset, "blocks nested too deeply (limit %d)",
                         WASM_NESTING_MAX);
    }
    if (!stack_pop_list(c, type_params(type)))
        return false;
    c->v->frames[c->depth++] = (struct frame){.op = op, .type = type, .height = c->height};
    return stack_push_list(c, type_params(type));
}

bool stack_results(struct checker *c)
{
    if (!stack_pop_list(c, type_results(stack_top(c)->type)))
        return false;
    if (c->height != stack_top(c)->height)
        return fault_set(c->v->fault, c->insn.offset, "type mismatch in %s (%u operands left over)",
                         wasm_op_info(c->insn.op)->text, c->height - stack_top(c)->height);
    return true;
}
