/*
 * validate_stack - the types of operands and of open blocks while a function is validated.
 *
 * After an instruction that never goes on (br, return, unreachable) the rest of its block may
 * take any operand from nowhere: it is of type ANY then.
 *
 * Source   WebAssembly Core Specification 2.0, appendix, Validation Algorithm.
 */
#ifndef TERN_WASM_VALIDATE_STACK_H
#define TERN_WASM_VALIDATE_STACK_H

#include "wasm/validate.h"

enum { ANY = 0 }; /* beside the numbers of enum wasm_valtype */

struct frame {
    enum wasm_op op; /* BLOCK, LOOP, IF, ELSE; BLOCK for the function itself */
    bool unreachable;
    const struct wasm_type *type;
    uint32_t height;     /* operands below this block */
    uint32_t checked_at; /* the last br_table that checked this block as a label */
};

struct checker {
    struct validator *v;
    struct wasm_func *f;
    struct wasm_insn insn; /* the one at hand */
    uint32_t height;       /* operands on the stack */
    uint32_t depth;        /* open blocks with the function itself */
};

struct type_list {
    const uint8_t *types;
    uint32_t count;
};

/* Fills the fault with the offset of the instruction at hand; always false. */
bool stack_refuse(struct checker *c, const char *reason);
bool stack_mismatch(struct checker *c, uint8_t expected, uint8_t found);

struct frame *stack_top(struct checker *c);
bool stack_pop(struct checker *c, uint8_t expected);
/* Any type; *found may become ANY. */
bool stack_pop_any(struct checker *c, uint8_t *found);
bool stack_push(struct checker *c, uint8_t type);
bool stack_pop_list(struct checker *c, struct type_list list);
bool stack_push_list(struct checker *c, struct type_list list);
/* Whether these operands could be popped, without popping them. */
bool stack_has_list(struct checker *c, struct type_list list);
/* Nothing behind the instruction at hand is reached. */
void stack_unreachable(struct checker *c);

/* Takes the parameters from the stack and gives them to the new block. */
bool stack_open(struct checker *c, enum wasm_op op, const struct wasm_type *type);
/* Takes the results of the innermost block, and nothing may be left then. */
bool stack_results(struct checker *c);

struct type_list type_params(const struct wasm_type *type);
struct type_list type_results(const struct wasm_type *type);

#endif
