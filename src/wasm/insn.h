/*
 * insn - reads one instruction at a time from a function body.
 *
 * The one decoder of instructions, for the validator and the translator.
 *
 * Errors   TERN_EMALFORMED with offset and reason: bad LEB128, unknown opcode, body cut short.
 *          Indices are not compared with the module here: that is the validator's part.
 * Source   WebAssembly Core Specification 2.0, section 5.4.
 */
#ifndef TERN_WASM_INSN_H
#define TERN_WASM_INSN_H

#include "wasm/module.h"
#include "wasm/opcodes.h"
#include "wasm/reader.h"

enum wasm_op {
#define WASM_OP_ENUM(name, prefix, code, text, imm, sig, access) WASM_OP_##name,
    WASM_OPCODES(WASM_OP_ENUM)
#undef WASM_OP_ENUM
        WASM_OP_COUNT
};

enum wasm_immediate {
    WASM_IMM_NONE,
    WASM_IMM_BLOCK,         /* block */
    WASM_IMM_LABEL,         /* index: relative depth */
    WASM_IMM_LABELS,        /* labels: br_table */
    WASM_IMM_FUNC,          /* index */
    WASM_IMM_CALL_INDIRECT, /* index: type; index2: table */
    WASM_IMM_LOCAL,         /* index */
    WASM_IMM_GLOBAL,        /* index */
    WASM_IMM_TABLE,         /* index */
    WASM_IMM_MEMARG,        /* align (log2), address */
    WASM_IMM_MEMARG_LANE,   /* align, address, lane */
    WASM_IMM_MEMORY,        /* index: 0 */
    WASM_IMM_I32,           /* bits[0], zero-extended */
    WASM_IMM_I64,           /* bits[0] */
    WASM_IMM_F32,           /* bits[0], zero-extended */
    WASM_IMM_F64,           /* bits[0] */
    WASM_IMM_V128,          /* bits */
    WASM_IMM_SHUFFLE,       /* shuffle: lanes[16], not yet checked to be < 32 */
    WASM_IMM_LANE,          /* lane */
    WASM_IMM_REFTYPE,       /* valtype */
    WASM_IMM_SELECT_T,      /* select: type vector */
    WASM_IMM_MEMORY_INIT,   /* index: data segment; index2: memory */
    WASM_IMM_DATA,          /* index */
    WASM_IMM_MEMORY_COPY,   /* index, index2: memories */
    WASM_IMM_TABLE_INIT,    /* index: element segment; index2: table */
    WASM_IMM_ELEM,          /* index */
    WASM_IMM_TABLE_COPY,    /* index: to table; index2: from table */
};

struct wasm_op_info {
    const char *text;      /* "i32.add" */
    const char *signature; /* see opcodes.h */
    enum wasm_immediate immediate;
    uint8_t access; /* bytes of memory */
};

enum wasm_block_kind { WASM_BLOCK_EMPTY, WASM_BLOCK_VALUE, WASM_BLOCK_TYPE };

struct wasm_insn {
    enum wasm_op op;
    uint32_t offset; /* in the module */
    uint32_t index;
    uint32_t index2;
    uint32_t align;   /* log2 */
    uint32_t address; /* constant part of a memory address */
    uint8_t lane;
    uint8_t valtype;                 /* BLOCK_VALUE, REFTYPE, the type of SELECT_T if one */
    enum wasm_block_kind block_kind; /* BLOCK: EMPTY, VALUE (valtype), TYPE (index) */
    uint32_t label_count;            /* LABELS: without the default; SELECT_T: types */
    struct wasm_reader labels;       /* LABELS: label_count + 1 LEB128 numbers, default last */
    uint8_t lanes[16];
    uint64_t bits[2];
};

const struct wasm_op_info *wasm_op_info(enum wasm_op op);

/* Reads the instruction at r and moves r behind it. */
enum tern_err insn_decode(struct wasm_reader *r, struct wasm_insn *out, struct wasm_fault *fault);

/* The next label of a br_table that insn_decode accepted. */
uint32_t insn_next_label(struct wasm_reader *labels);

#endif
