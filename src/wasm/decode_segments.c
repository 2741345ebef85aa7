/* Constant expressions, element and data segments. */
#include "wasm/decode.h"

#include "wasm/fault.h"
#include "wasm/insn.h"

static const struct {
    enum wasm_op op;
    enum wasm_const_kind kind;
    uint8_t valtype; /* 0: as the instruction says, or the global */
} constants[] = {
    {WASM_OP_I32_CONST, WASM_CONST_BITS, WASM_I32},
    {WASM_OP_I64_CONST, WASM_CONST_BITS, WASM_I64},
    {WASM_OP_F32_CONST, WASM_CONST_BITS, WASM_F32},
    {WASM_OP_F64_CONST, WASM_CONST_BITS, WASM_F64},
    {WASM_OP_V128_CONST, WASM_CONST_BITS, WASM_V128},
    {WASM_OP_GLOBAL_GET, WASM_CONST_GLOBAL, 0},
    {WASM_OP_REF_NULL, WASM_CONST_REF_NULL, 0},
    {WASM_OP_REF_FUNC, WASM_CONST_REF_FUNC, WASM_FUNCREF},
};

/* What the instruction gives if it is constant; else all zero. */
static struct wasm_const constant(const struct wasm_insn *insn)
{
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (constants[i].op == insn->op)
            return (struct wasm_const){
                .kind = constants[i].kind,
                .valtype = constants[i].valtype ? constants[i].valtype : insn->valtype,
                .index = insn->index,
                .bits = {insn->bits[0], insn->bits[1]},
            };
    return (struct wasm_const){0};
}

static bool opens(const struct wasm_insn *insn)
{
    return insn->op == WASM_OP_BLOCK || insn->op == WASM_OP_LOOP || insn->op == WASM_OP_IF;
}

/*
 * Anything well formed is read up to the `end` that belongs to it, since what is not constant
 * is invalid, which is for the validator to say.
 */
bool decode_const(struct decoder *d, struct wasm_const *out)
{
    uint32_t offset = d->r.at, count = 0, depth = 0;
    struct wasm_const value = {0};
    struct wasm_insn insn;

    for (;; count++) {
        if (insn_decode(&d->r, &insn, d->fault))
            return false;
        if (insn.op == WASM_OP_END && depth == 0)
            break;
        if (insn.op == WASM_OP_END)
            depth--;
        if (opens(&insn))
            depth++;
        value = count == 0 ? constant(&insn) : (struct wasm_const){0};
    }
    *out = value;
    out->offset = offset;
    return true;
}

/* References to functions, given as indices. */
static bool func_index(struct decoder *d, struct wasm_const *out)
{
    *out = (struct wasm_const){
        .kind = WASM_CONST_REF_FUNC, .valtype = WASM_FUNCREF, .offset = d->r.at};
    return reader_u32(&d->r, &out->index, d->fault);
}

static bool elem_inits(struct decoder *d, struct wasm_elem *e, bool are_expressions)
{
    uint32_t left = WASM_TABLE_ELEMENTS_MAX - d->inits, count;

    if (!decode_count(d, "elements in segments", left, &count))
        return false;
    d->inits += count;
    e->inits = decode_new(d, count, sizeof *e->inits);
    if (!e->inits)
        return false;
    for (; e->init_count < count; e->init_count++) {
        struct wasm_const *init = &e->inits[e->init_count];

        if (!(are_expressions ? decode_const(d, init) : func_index(d, init)))
            return false;
    }
    return true;
}

static bool elem_kind(struct decoder *d, uint8_t *elemtype)
{
    uint32_t at = d->r.at;
    uint8_t byte;

    if (!reader_u8(&d->r, &byte, d->fault))
        return false;
    if (byte != 0)
        return fault_set(d->fault, at, "malformed element kind 0x%02x", byte);
    *elemtype = WASM_FUNCREF;
    return true;
}

/* Bits of the number that an element segment begins with. */
enum { ELEM_NOT_ACTIVE = 1, ELEM_EXPLICIT = 2, ELEM_EXPRESSIONS = 4 };

static bool elem(struct decoder *d, struct wasm_elem *e)
{
    uint32_t flags;

    e->offset = d->r.at;
    if (!reader_u32(&d->r, &flags, d->fault))
        return false;
    if (flags > 7)
        return fault_set(d->fault, e->offset, "malformed elements segment kind %u", flags);
    e->elemtype = WASM_FUNCREF;
    e->mode = !(flags & ELEM_NOT_ACTIVE) ? WASM_ACTIVE
              : (flags & ELEM_EXPLICIT)  ? WASM_DECLARATIVE
                                         : WASM_PASSIVE;
    if (e->mode == WASM_ACTIVE) {
        if (flags & ELEM_EXPLICIT && !reader_u32(&d->r, &e->table, d->fault))
            return false;
        if (!decode_const(d, &e->at))
            return false;
    }
    if (flags & (ELEM_NOT_ACTIVE | ELEM_EXPLICIT) &&
        !(flags & ELEM_EXPRESSIONS ? decode_reftype(d, &e->elemtype) : elem_kind(d, &e->elemtype)))
        return false;
    return elem_inits(d, e, flags & ELEM_EXPRESSIONS);
}

bool decode_elems(struct decoder *d)
{
    struct wasm_module *m = d->m;
    uint32_t count;

    if (!decode_count(d, "element segments", WASM_ELEMS_MAX, &count))
        return false;
    m->elems = decode_new(d, count, sizeof *m->elems);
    if (!m->elems)
        return false;
    for (; m->elem_count < count; m->elem_count++)
        if (!elem(d, &m->elems[m->elem_count]))
            return false;
    return true;
}

static bool data(struct decoder *d, struct wasm_data *out)
{
    uint32_t flags, size;

    out->offset = d->r.at;
    if (!reader_u32(&d->r, &flags, d->fault))
        return false;
    if (flags > 2)
        return fault_set(d->fault, out->offset, "malformed data segment kind %u", flags);
    out->mode = flags == 1 ? WASM_PASSIVE : WASM_ACTIVE;
    if (flags == 2 && !reader_u32(&d->r, &out->memory, d->fault))
        return false;
    if (out->mode == WASM_ACTIVE && !decode_const(d, &out->at))
        return false;
    return decode_count(d, "bytes of data", UINT32_MAX, &size) &&
           reader_skip(&d->r, size, &out->bytes, d->fault);
}

bool decode_datas(struct decoder *d)
{
    struct wasm_module *m = d->m;
    uint32_t count;

    if (!decode_count(d, "data segments", WASM_DATAS_MAX, &count))
        return false;
    m->datas = decode_new(d, count, sizeof *m->datas);
    if (!m->datas)
        return false;
    for (; m->data_count < count; m->data_count++)
        if (!data(d, &m->datas[m->data_count]))
            return false;
    return true;
}
