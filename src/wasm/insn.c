#include "wasm/insn.h"

#include "base/check.h"
#include "wasm/fault.h"
#include "wasm/valtype.h"

#include <stdio.h>
#include <string.h>

static const struct wasm_op_info infos[WASM_OP_COUNT] = {
#define WASM_OP_INFO(name, prefix, code, text, imm, sig, access)                                   \
    [WASM_OP_##name] = {text, sig, WASM_IMM_##imm, access},
    WASM_OPCODES(WASM_OP_INFO)
#undef WASM_OP_INFO
};

enum { ROW_PLAIN, ROW_FC, ROW_FD, ROW_COUNT };

#define ROW_OF(prefix) ((prefix) == 0xfc ? ROW_FC : (prefix) == 0xfd ? ROW_FD : ROW_PLAIN)

/* One more than the enum wasm_op of each code; 0: no such instruction. */
static const uint16_t ops[ROW_COUNT][256] = {
#define WASM_OP_CODE(name, prefix, code, text, imm, sig, access)                                   \
    [ROW_OF(prefix)][code] = WASM_OP_##name + 1,
    WASM_OPCODES(WASM_OP_CODE)
#undef WASM_OP_CODE
};

const struct wasm_op_info *wasm_op_info(enum wasm_op op)
{
    check(op < WASM_OP_COUNT);
    return &infos[op];
}

/* The proposal that an unknown opcode comes from, for the reason; NULL if we know of none. */
static const char *proposal_of(uint32_t prefix, uint32_t code)
{
    if (prefix == 0xfd)
        return code >= 0x100 ? "relaxed SIMD" : NULL;
    if (prefix == 0xfc)
        return NULL;
    if ((code >= 0x06 && code <= 0x0a) || code == 0x18 || code == 0x19 || code == 0x1f)
        return "exception handling";
    if (code == 0x12 || code == 0x13)
        return "tail calls";
    if (code == 0x14 || code == 0x15 || (code >= 0xd3 && code <= 0xd6))
        return "typed function references";
    if (code == 0xfb)
        return "garbage collection";
    return code == 0xfe ? "threads" : NULL;
}

static bool refuse_opcode(uint32_t prefix, uint32_t code, uint32_t offset, struct wasm_fault *fault)
{
    const char *proposal = proposal_of(prefix, code);
    char number[32];

    if (prefix)
        snprintf(number, sizeof number, "0x%02x 0x%02x", prefix, code);
    else
        snprintf(number, sizeof number, "0x%02x", code);
    if (proposal)
        return fault_set(fault, offset, "illegal opcode %s (%s: not supported)", number, proposal);
    return fault_set(fault, offset, "illegal opcode %s", number);
}

static bool decode_op(struct wasm_reader *r, enum wasm_op *out, struct wasm_fault *fault)
{
    uint32_t offset = r->at, prefix = 0, code;
    uint8_t byte;

    if (!reader_u8(r, &byte, fault))
        return false;
    code = byte;
    if (byte == 0xfc || byte == 0xfd) {
        prefix = byte;
        if (!reader_u32(r, &code, fault))
            return false;
    }
    if (code > 0xff || !ops[ROW_OF(prefix)][code])
        return refuse_opcode(prefix, code, offset, fault);
    *out = (enum wasm_op)(ops[ROW_OF(prefix)][code] - 1);
    return true;
}

static bool decode_block(struct wasm_reader *r, struct wasm_insn *out, struct wasm_fault *fault)
{
    uint32_t at = r->at;
    int64_t type;

    if (r->at < r->end && r->base[r->at] == 0x40) {
        r->at++;
        out->block_kind = WASM_BLOCK_EMPTY;
        return true;
    }
    if (r->at < r->end && (r->base[r->at] & 0xc0) == 0x40) { /* a negative number of one byte */
        out->block_kind = WASM_BLOCK_VALUE;
        return valtype_decode(r, &out->valtype, fault);
    }
    if (!reader_s33(r, &type, fault))
        return false;
    if (type < 0)
        return reader_refuse(fault, at, "malformed block type");
    out->block_kind = WASM_BLOCK_TYPE;
    out->index = (uint32_t)type;
    return true;
}

static bool decode_labels(struct wasm_reader *r, struct wasm_insn *out, struct wasm_fault *fault)
{
    uint32_t at = r->at, label;

    if (!reader_u32(r, &out->label_count, fault))
        return false;
    if (out->label_count >= r->end - r->at)
        return reader_refuse(fault, at,
                             "unexpected end of section or function (more labels than bytes)");
    if (out->label_count > WASM_BR_TABLE_MAX)
        return fault_set(fault, at, "too many labels in br_table (limit %d)", WASM_BR_TABLE_MAX);
    out->labels = *r;
    for (uint32_t i = 0; i <= out->label_count; i++)
        if (!reader_u32(r, &label, fault))
            return false;
    out->labels.end = r->at;
    return true;
}

static bool decode_select_types(struct wasm_reader *r, struct wasm_insn *out,
                                struct wasm_fault *fault)
{
    uint32_t at = r->at;

    if (!reader_u32(r, &out->label_count, fault))
        return false;
    if (out->label_count > r->end - r->at)
        return reader_refuse(fault, at,
                             "unexpected end of section or function (more types than bytes)");
    for (uint32_t i = 0; i < out->label_count; i++)
        if (!valtype_decode(r, &out->valtype, fault))
            return false;
    return true;
}

static bool decode_memarg(struct wasm_reader *r, struct wasm_insn *out, struct wasm_fault *fault)
{
    uint32_t at = r->at;

    if (!reader_u32(r, &out->align, fault))
        return false;
    if (out->align & 0x40 && out->align < 0x80)
        return reader_refuse(fault, at, "malformed memop flags (multiple memories: not supported)");
    if (out->align >= 32)
        return reader_refuse(fault, at, "malformed memop flags");
    return reader_u32(r, &out->address, fault);
}

static bool decode_zero(struct wasm_reader *r, struct wasm_fault *fault)
{
    uint32_t at = r->at;
    uint8_t byte;

    if (!reader_u8(r, &byte, fault))
        return false;
    return byte == 0 || reader_refuse(fault, at, "zero byte expected");
}

static bool decode_i32(struct wasm_reader *r, struct wasm_insn *out, struct wasm_fault *fault)
{
    int32_t value;

    if (!reader_s32(r, &value, fault))
        return false;
    out->bits[0] = (uint32_t)value;
    return true;
}

static bool decode_i64(struct wasm_reader *r, struct wasm_insn *out, struct wasm_fault *fault)
{
    int64_t value;

    if (!reader_s64(r, &value, fault))
        return false;
    out->bits[0] = (uint64_t)value;
    return true;
}

static bool decode_lanes(struct wasm_reader *r, struct wasm_insn *out, struct wasm_fault *fault)
{
    for (size_t i = 0; i < sizeof out->lanes; i++)
        if (!reader_u8(r, &out->lanes[i], fault))
            return false;
    return true;
}

static bool decode_immediate(struct wasm_reader *r, struct wasm_insn *out, struct wasm_fault *fault)
{
    switch (infos[out->op].immediate) {
    case WASM_IMM_NONE: return true;
    case WASM_IMM_BLOCK: return decode_block(r, out, fault);
    case WASM_IMM_LABELS: return decode_labels(r, out, fault);
    case WASM_IMM_LABEL:
    case WASM_IMM_FUNC:
    case WASM_IMM_LOCAL:
    case WASM_IMM_GLOBAL:
    case WASM_IMM_TABLE:
    case WASM_IMM_DATA:
    case WASM_IMM_ELEM: return reader_u32(r, &out->index, fault);
    case WASM_IMM_CALL_INDIRECT:
    case WASM_IMM_TABLE_INIT:
    case WASM_IMM_TABLE_COPY:
        return reader_u32(r, &out->index, fault) && reader_u32(r, &out->index2, fault);
    case WASM_IMM_MEMARG: return decode_memarg(r, out, fault);
    case WASM_IMM_MEMARG_LANE:
        return decode_memarg(r, out, fault) && reader_u8(r, &out->lane, fault);
    case WASM_IMM_MEMORY: return decode_zero(r, fault);
    case WASM_IMM_MEMORY_INIT: return reader_u32(r, &out->index, fault) && decode_zero(r, fault);
    case WASM_IMM_MEMORY_COPY: return decode_zero(r, fault) && decode_zero(r, fault);
    case WASM_IMM_I32: return decode_i32(r, out, fault);
    case WASM_IMM_I64: return decode_i64(r, out, fault);
    case WASM_IMM_F32: return reader_fixed(r, 4, &out->bits[0], fault);
    case WASM_IMM_F64: return reader_fixed(r, 8, &out->bits[0], fault);
    case WASM_IMM_V128:
        return reader_fixed(r, 8, &out->bits[0], fault) && reader_fixed(r, 8, &out->bits[1], fault);
    case WASM_IMM_SHUFFLE: return decode_lanes(r, out, fault);
    case WASM_IMM_LANE: return reader_u8(r, &out->lane, fault);
    case WASM_IMM_REFTYPE: return reftype_decode(r, &out->valtype, fault);
    case WASM_IMM_SELECT_T: return decode_select_types(r, out, fault);
    }
    check(false); /* the table has no other */
    return false;
}

enum tern_err insn_decode(struct wasm_reader *r, struct wasm_insn *out, struct wasm_fault *fault)
{
    struct wasm_reader ahead = *r;
    struct wasm_insn insn;

    memset(&insn, 0, sizeof insn);
    insn.offset = r->at;
    if (!decode_op(&ahead, &insn.op, fault) || !decode_immediate(&ahead, &insn, fault))
        return TERN_EMALFORMED;
    *r = ahead;
    *out = insn;
    return TERN_OK;
}

uint32_t insn_next_label(struct wasm_reader *labels)
{
    struct wasm_fault fault;
    uint32_t label = 0;
    bool found = reader_u32(labels, &label, &fault);

    check(found); /* insn_decode has read them before */
    return label;
}
