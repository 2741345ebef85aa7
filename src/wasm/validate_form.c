/* What the binary format asks of function bodies beyond single instructions. */
#include "wasm/validate.h"

#include "wasm/fault.h"
#include "wasm/reader.h"

/* Open blocks, the function itself first: a bit each, whether an `else` may still come. */
struct nesting {
    uint32_t depth;
    uint8_t may_else[(WASM_NESTING_MAX + 1) / 8 + 1];
};

static void set_may_else(struct nesting *n, bool may)
{
    uint32_t top = n->depth - 1;
    uint32_t bit = 1U << top % 8;

    n->may_else[top / 8] = (uint8_t)((n->may_else[top / 8] & ~bit) | (may ? bit : 0));
}

static bool get_may_else(const struct nesting *n)
{
    uint32_t top = n->depth - 1;

    return n->may_else[top / 8] >> top % 8 & 1;
}

static bool nest(struct nesting *n, const struct wasm_insn *insn, struct wasm_fault *fault)
{
    switch ((int)insn->op) {
    case WASM_OP_BLOCK:
    case WASM_OP_LOOP:
    case WASM_OP_IF:
        if (n->depth > WASM_NESTING_MAX)
            return fault_set(fault, insn->offset, "blocks nested too deeply (limit %d)",
                             WASM_NESTING_MAX);
        n->depth++;
        set_may_else(n, insn->op == WASM_OP_IF);
        return true;
    case WASM_OP_ELSE:
        if (!get_may_else(n))
            return fault_set(fault, insn->offset, "END opcode expected (else outside of if)");
        set_may_else(n, false);
        return true;
    case WASM_OP_END: n->depth--; return true;
    default: return true;
    }
}

/* Without data segments the index is unknown anyway, which is for the types to say. */
bool validate_insn_form(struct validator *v, const struct wasm_insn *insn)
{
    enum wasm_immediate immediate = wasm_op_info(insn->op)->immediate;

    if (v->m->has_data_count || v->m->data_count == 0 ||
        (immediate != WASM_IMM_MEMORY_INIT && immediate != WASM_IMM_DATA))
        return true;
    v->err = TERN_EMALFORMED;
    return fault_set(v->fault, insn->offset, "data count section required by %s",
                     wasm_op_info(insn->op)->text);
}

bool validate_form(struct validator *v, const struct wasm_func *f)
{
    struct wasm_reader r = reader_of(v->m->bytes, f->code_offset, f->code_end);
    struct nesting n = {.depth = 1};
    struct wasm_insn insn;

    v->err = TERN_EMALFORMED;
    while (n.depth > 0)
        if (insn_decode(&r, &insn, v->fault) || !validate_insn_form(v, &insn) ||
            !nest(&n, &insn, v->fault))
            return false;
    return reader_done(&r) ||
           fault_set(v->fault, r.at, "END opcode expected (bytes behind the end of the function)");
}
