/*
 * validate - what the parts of the validator share.
 *
 * Each function returns false after the first violation, with v->fault filled and v->err saying
 * which kind it was: nearly always TERN_EINVALID.
 */
#ifndef TERN_WASM_VALIDATE_H
#define TERN_WASM_VALIDATE_H

#include "wasm/insn.h"
#include "wasm/module.h"

struct frame;

struct validator {
    struct wasm_module *m;
    struct wasm_fault *fault;
    enum tern_err err; /* why a function returned false */
    /* Scratch memory for one function at a time, as large as the limits allow: */
    uint8_t *locals;      /* the value type of each */
    uint8_t *operands;    /* the value type of each on the stack */
    struct frame *frames; /* open blocks, the function itself first */
};

/* Everything outside of function bodies; fills m->func_declared. */
bool validate_module(struct validator *v);

/* The instructions of one function; fills the facts in *f. */
bool validate_func(struct validator *v, struct wasm_func *f);

/* Whether the body is well formed, whatever its types; if not, v->err is TERN_EMALFORMED. */
bool validate_form(struct validator *v, const struct wasm_func *f);

/* A rule of the binary format that takes more than the instruction itself to tell. */
bool validate_insn_form(struct validator *v, const struct wasm_insn *insn);

#endif
