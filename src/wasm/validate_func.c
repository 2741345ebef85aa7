#include "wasm/validate.h"

#include "base/check.h"
#include "wasm/fault.h"
#include "wasm/validate_stack.h"

#include <stdlib.h>
#include <string.h>

static bool unknown(struct checker *c, const char *what, uint32_t index)
{
    return fault_set(c->v->fault, c->insn.offset, "unknown %s %u", what, index);
}

/* Index checks. */

static bool has_memory(struct checker *c)
{
    c->f->uses_memory = true;
    return c->v->m->memory_count > 0 || unknown(c, "memory", 0);
}

static bool has_table(struct checker *c, uint32_t table)
{
    return table < c->v->m->table_count || unknown(c, "table", table);
}

static bool has_elem(struct checker *c, uint32_t elem)
{
    return elem < c->v->m->elem_count || unknown(c, "elem segment", elem);
}

static bool has_data(struct checker *c, uint32_t data)
{
    return data < c->v->m->data_count || unknown(c, "data segment", data);
}

static bool natural_alignment(struct checker *c)
{
    return 1U << c->insn.align <= wasm_op_info(c->insn.op)->access ||
           stack_refuse(c, "alignment must not be larger than natural");
}

static bool lane_below(struct checker *c, uint32_t lanes)
{
    return c->insn.lane < lanes || fault_set(c->v->fault, c->insn.offset,
                                             "invalid lane index %u (of %u)", c->insn.lane, lanes);
}

/* "i16x8.replace_lane" works on 8 lanes. */
static uint32_t lanes_of(enum wasm_op op)
{
    const char *x = strchr(wasm_op_info(op)->text, 'x');

    check(x);
    return (uint32_t)strtoul(x + 1, NULL, 10);
}

static bool shuffle_lanes(struct checker *c)
{
    for (size_t i = 0; i < sizeof c->insn.lanes; i++)
        if (c->insn.lanes[i] >= 32)
            return fault_set(c->v->fault, c->insn.offset, "invalid lane index %u (of 32)",
                             c->insn.lanes[i]);
    return true;
}

static bool same_reftype(struct checker *c, uint8_t expected, uint8_t found)
{
    return expected == found || stack_mismatch(c, expected, found);
}

static bool table_init(struct checker *c)
{
    const struct wasm_module *m = c->v->m;

    return has_table(c, c->insn.index2) && has_elem(c, c->insn.index) &&
           same_reftype(c, m->tables[c->insn.index2].elemtype, m->elems[c->insn.index].elemtype);
}

static bool table_copy(struct checker *c)
{
    const struct wasm_module *m = c->v->m;

    return has_table(c, c->insn.index) && has_table(c, c->insn.index2) &&
           same_reftype(c, m->tables[c->insn.index].elemtype, m->tables[c->insn.index2].elemtype);
}

/* The immediates of an instruction whose operands its signature tells. */
static bool immediates(struct checker *c)
{
    const struct wasm_op_info *info = wasm_op_info(c->insn.op);

    switch ((int)info->immediate) {
    case WASM_IMM_MEMARG: return has_memory(c) && natural_alignment(c);
    case WASM_IMM_MEMARG_LANE:
        return has_memory(c) && natural_alignment(c) && lane_below(c, 16U / info->access);
    case WASM_IMM_MEMORY:
    case WASM_IMM_MEMORY_COPY: return has_memory(c);
    case WASM_IMM_MEMORY_INIT: return has_memory(c) && has_data(c, c->insn.index);
    case WASM_IMM_DATA: return has_data(c, c->insn.index);
    case WASM_IMM_TABLE: return has_table(c, c->insn.index);
    case WASM_IMM_TABLE_INIT: return table_init(c);
    case WASM_IMM_TABLE_COPY: return table_copy(c);
    case WASM_IMM_ELEM: return has_elem(c, c->insn.index);
    case WASM_IMM_LANE: return lane_below(c, lanes_of(c->insn.op));
    case WASM_IMM_SHUFFLE: return shuffle_lanes(c);
    default: return true;
    }
}

static uint8_t valtype_of(char letter)
{
    switch (letter) {
    case 'i': return WASM_I32;
    case 'I': return WASM_I64;
    case 'f': return WASM_F32;
    case 'd': return WASM_F64;
    case 'v': return WASM_V128;
    default: check(false); return ANY; /* the table has no other */
    }
}

/* "ii>i": operands, the last one on top, and the result. */
static bool by_signature(struct checker *c, const char *signature)
{
    const char *arrow = strchr(signature, '>');

    check(arrow);
    for (const char *s = arrow; s > signature; s--)
        if (!stack_pop(c, valtype_of(s[-1])))
            return false;
    return arrow[1] == 0 || stack_push(c, valtype_of(arrow[1]));
}

/* Blocks and branches. */

static const uint8_t single_types[] = {WASM_EXTERNREF, WASM_FUNCREF, WASM_V128, WASM_F64,
                                       WASM_F32,       WASM_I64,     WASM_I32};

static const struct wasm_type no_types;
static const struct wasm_type block_types[] = {
    {.results = &single_types[0], .result_count = 1},
    {.results = &single_types[1], .result_count = 1},
    {.results = &single_types[2], .result_count = 1},
    {.results = &single_types[3], .result_count = 1},
    {.results = &single_types[4], .result_count = 1},
    {.results = &single_types[5], .result_count = 1},
    {.results = &single_types[6], .result_count = 1},
};

static const struct wasm_type *block_type(struct checker *c)
{
    switch (c->insn.block_kind) {
    case WASM_BLOCK_EMPTY: return &no_types;
    case WASM_BLOCK_TYPE:
        if (c->insn.index < c->v->m->type_count)
            return &c->v->m->types[c->insn.index];
        unknown(c, "type", c->insn.index);
        return NULL;
    case WASM_BLOCK_VALUE:
        for (size_t i = 0; i < sizeof single_types; i++)
            if (single_types[i] == c->insn.valtype)
                return &block_types[i];
    }
    check(false); /* insn_decode lets no other through */
    return NULL;
}

static bool open_block(struct checker *c)
{
    const struct wasm_type *type = block_type(c);

    if (!type || (c->insn.op == WASM_OP_IF && !stack_pop(c, WASM_I32)))
        return false;
    if (c->insn.op == WASM_OP_LOOP)
        c->f->loops = true;
    return stack_open(c, c->insn.op, type);
}

static bool else_block(struct checker *c)
{
    struct frame *top = stack_top(c);

    if (top->op != WASM_OP_IF) {
        c->v->err = TERN_EMALFORMED;
        return stack_refuse(c, "END opcode expected (else outside of if)");
    }
    if (!stack_results(c))
        return false;
    top->op = WASM_OP_ELSE;
    top->unreachable = false;
    return stack_push_list(c, type_params(top->type));
}

static bool end_block(struct checker *c)
{
    const struct frame *top = stack_top(c);
    struct type_list params = type_params(top->type), results = type_results(top->type);

    if (!stack_results(c))
        return false;
    if (top->op == WASM_OP_IF &&
        (params.count != results.count ||
         (params.count && memcmp(params.types, results.types, params.count) != 0)))
        return stack_refuse(c, "type mismatch in if (it has results but no else)");
    c->depth--;
    return stack_push_list(c, results);
}

/* The block that a label names, the innermost being 0; NULL if there is none. */
static struct frame *label_frame(struct checker *c, uint32_t label)
{
    if (label < c->depth)
        return &c->v->frames[c->depth - 1 - label];
    unknown(c, "label", label);
    return NULL;
}

static struct type_list label_types(const struct frame *frame)
{
    return frame->op == WASM_OP_LOOP ? type_params(frame->type) : type_results(frame->type);
}

static bool br(struct checker *c)
{
    struct frame *target = label_frame(c, c->insn.index);

    if (!target || !stack_pop_list(c, label_types(target)))
        return false;
    stack_unreachable(c);
    return true;
}

static bool br_if(struct checker *c)
{
    struct frame *target = label_frame(c, c->insn.index);

    return target && stack_pop(c, WASM_I32) && stack_pop_list(c, label_types(target)) &&
           stack_push_list(c, label_types(target));
}

/* Each block is checked once a br_table, however often it is named. */
static bool br_table(struct checker *c)
{
    struct wasm_reader labels = c->insn.labels;
    uint32_t arity = UINT32_MAX;

    if (!stack_pop(c, WASM_I32))
        return false;
    for (uint32_t i = 0; i <= c->insn.label_count; i++) {
        struct frame *target = label_frame(c, insn_next_label(&labels));

        if (!target)
            return false;
        if (target->checked_at == c->insn.offset)
            continue;
        target->checked_at = c->insn.offset;
        if (arity == UINT32_MAX)
            arity = label_types(target).count;
        if (label_types(target).count != arity)
            return stack_refuse(c, "type mismatch in br_table (labels of different arity)");
        if (!stack_has_list(c, label_types(target)))
            return false;
    }
    stack_unreachable(c);
    return true;
}

static bool call_type(struct checker *c, const struct wasm_type *type)
{
    c->f->calls = true;
    return stack_pop_list(c, type_params(type)) && stack_push_list(c, type_results(type));
}

static bool call(struct checker *c)
{
    const struct wasm_module *m = c->v->m;

    if (c->insn.index >= m->func_count)
        return unknown(c, "function", c->insn.index);
    return call_type(c, module_func_type(m, c->insn.index));
}

static bool call_indirect(struct checker *c)
{
    const struct wasm_module *m = c->v->m;

    if (!has_table(c, c->insn.index2) ||
        !same_reftype(c, WASM_FUNCREF, m->tables[c->insn.index2].elemtype))
        return false;
    if (c->insn.index >= m->type_count)
        return unknown(c, "type", c->insn.index);
    return stack_pop(c, WASM_I32) && call_type(c, &m->types[c->insn.index]);
}

/* Other instructions whose types depend on their surroundings. */

static bool select_plain(struct checker *c)
{
    uint8_t second, first;

    if (!stack_pop(c, WASM_I32))
        return false;
    if (!stack_pop_any(c, &second) || !stack_pop_any(c, &first))
        return stack_mismatch(c, ANY, ANY);
    if (wasm_valtype_is_ref(first) || wasm_valtype_is_ref(second))
        return stack_refuse(c, "type mismatch in select (references need the form with a type)");
    if (first != second && first != ANY && second != ANY)
        return stack_mismatch(c, first, second);
    return stack_push(c, first == ANY ? second : first);
}

static bool select_typed(struct checker *c)
{
    if (c->insn.label_count != 1)
        return stack_refuse(c, "invalid result arity of select");
    return stack_pop(c, WASM_I32) && stack_pop(c, c->insn.valtype) &&
           stack_pop(c, c->insn.valtype) && stack_push(c, c->insn.valtype);
}

static bool local(struct checker *c)
{
    uint8_t type;

    if (c->insn.index >= c->f->local_count)
        return unknown(c, "local", c->insn.index);
    type = c->v->locals[c->insn.index];
    if (c->insn.op == WASM_OP_LOCAL_GET)
        return stack_push(c, type);
    return stack_pop(c, type) && (c->insn.op == WASM_OP_LOCAL_SET || stack_push(c, type));
}

static bool global(struct checker *c)
{
    const struct wasm_global *g;

    if (c->insn.index >= c->v->m->global_count)
        return unknown(c, "global", c->insn.index);
    g = &c->v->m->globals[c->insn.index];
    if (c->insn.op == WASM_OP_GLOBAL_GET)
        return stack_push(c, g->valtype);
    if (!g->mutable)
        return stack_refuse(c, "global is immutable");
    return stack_pop(c, g->valtype);
}

static bool table_access(struct checker *c)
{
    uint8_t type;

    if (!has_table(c, c->insn.index))
        return false;
    type = c->v->m->tables[c->insn.index].elemtype;
    switch ((int)c->insn.op) {
    case WASM_OP_TABLE_GET: return stack_pop(c, WASM_I32) && stack_push(c, type);
    case WASM_OP_TABLE_SET: return stack_pop(c, type) && stack_pop(c, WASM_I32);
    case WASM_OP_TABLE_GROW:
        return stack_pop(c, WASM_I32) && stack_pop(c, type) && stack_push(c, WASM_I32);
    default: /* table.fill */
        return stack_pop(c, WASM_I32) && stack_pop(c, type) && stack_pop(c, WASM_I32);
    }
}

static bool ref_is_null(struct checker *c)
{
    uint8_t type;

    if (!stack_pop_any(c, &type))
        return stack_mismatch(c, ANY, ANY);
    if (type != ANY && !wasm_valtype_is_ref(type))
        return fault_set(c->v->fault, c->insn.offset,
                         "type mismatch in ref.is_null (expected a reference, found %s)",
                         wasm_valtype_name(type));
    return stack_push(c, WASM_I32);
}

static bool ref_func(struct checker *c)
{
    if (c->insn.index >= c->v->m->func_count)
        return unknown(c, "function", c->insn.index);
    if (!c->v->m->func_declared[c->insn.index])
        return stack_refuse(c, "undeclared function reference");
    return stack_push(c, WASM_FUNCREF);
}

static bool by_context(struct checker *c)
{
    uint8_t any;

    switch ((int)c->insn.op) {
    case WASM_OP_NOP: return true;
    case WASM_OP_UNREACHABLE: stack_unreachable(c); return true;
    case WASM_OP_BLOCK:
    case WASM_OP_LOOP:
    case WASM_OP_IF: return open_block(c);
    case WASM_OP_ELSE: return else_block(c);
    case WASM_OP_END: return end_block(c);
    case WASM_OP_BR: return br(c);
    case WASM_OP_BR_IF: return br_if(c);
    case WASM_OP_BR_TABLE: return br_table(c);
    case WASM_OP_RETURN:
        if (!stack_pop_list(c, type_results(c->v->frames[0].type)))
            return false;
        stack_unreachable(c);
        return true;
    case WASM_OP_CALL: return call(c);
    case WASM_OP_CALL_INDIRECT: return call_indirect(c);
    case WASM_OP_DROP: return stack_pop_any(c, &any) || stack_mismatch(c, ANY, ANY);
    case WASM_OP_SELECT: return select_plain(c);
    case WASM_OP_SELECT_T: return select_typed(c);
    case WASM_OP_LOCAL_GET:
    case WASM_OP_LOCAL_SET:
    case WASM_OP_LOCAL_TEE: return local(c);
    case WASM_OP_GLOBAL_GET:
    case WASM_OP_GLOBAL_SET: return global(c);
    case WASM_OP_TABLE_GET:
    case WASM_OP_TABLE_SET:
    case WASM_OP_TABLE_GROW:
    case WASM_OP_TABLE_FILL: return table_access(c);
    case WASM_OP_REF_NULL: return stack_push(c, c->insn.valtype);
    case WASM_OP_REF_IS_NULL: return ref_is_null(c);
    case WASM_OP_REF_FUNC: return ref_func(c);
    default: check(false); return false; /* all others have a signature */
    }
}

static bool step(struct checker *c)
{
    const struct wasm_op_info *info = wasm_op_info(c->insn.op);

    c->f->insn_count++;
    if (c->insn.op >= WASM_OP_V128_LOAD) /* the first behind the prefix 0xfd */
        c->f->uses_v128 = true;
    if (info->signature[0] == 0)
        return by_context(c);
    return validate_insn_form(c->v, &c->insn) && immediates(c) && by_signature(c, info->signature);
}

static void add_locals(struct checker *c, struct type_list types)
{
    if (types.count && memchr(types.types, WASM_V128, types.count))
        c->f->uses_v128 = true;
}

/* Types of all local variables, parameters first. */
static void lay_out_locals(struct checker *c, const struct wasm_type *type)
{
    uint8_t *at = c->v->locals;

    check(c->f->local_count <= WASM_LOCALS_MAX);
    if (type->param_count)
        memcpy(at, type->params, type->param_count);
    at += type->param_count;
    for (uint32_t i = 0; i < c->f->local_runs; i++) {
        const struct wasm_locals *run = &c->f->locals[i];

        if (run->count)
            memset(at, run->valtype, run->count);
        at += run->count;
    }
    check(at == c->v->locals + c->f->local_count);
    add_locals(c, (struct type_list){.types = c->v->locals, .count = c->f->local_count});
    add_locals(c, type_results(type));
}

/* A module may be validated again. */
static void forget_facts(struct wasm_func *f)
{
    f->stack_max = f->insn_count = 0;
    f->calls = f->loops = f->uses_memory = f->uses_v128 = false;
}

bool validate_func(struct validator *v, struct wasm_func *f)
{
    struct checker c = {.v = v, .f = f, .depth = 1};
    struct wasm_reader r = reader_of(v->m->bytes, f->code_offset, f->code_end);

    v->frames[0] = (struct frame){.op = WASM_OP_BLOCK, .type = &v->m->types[f->type]};
    forget_facts(f);
    lay_out_locals(&c, v->frames[0].type);
    while (c.depth > 0) {
        v->err = insn_decode(&r, &c.insn, v->fault);
        if (v->err)
            return false;
        v->err = TERN_EINVALID;
        if (!step(&c))
            return false;
    }
    if (reader_done(&r))
        return true;
    v->err = TERN_EMALFORMED;
    return fault_set(v->fault, r.at, "END opcode expected (bytes behind the end of the function)");
}
