/*
 * emit - the state of translating one function, shared by the emit_*.c files.
 *
 * Operands  WebAssembly's stack is followed while translating. An operand at height h is either
 *           in its slot, the C variable s<h><letter>, or pending: a pure expression over locals,
 *           constants and slots at height h or above, written out only when it is used. Before a
 *           local or slot changes, pending operands that mention it are put into their slots; so
 *           they are before every block, loop and if. At most EMIT_PENDING_MAX are pending.
 * Why so    The C stays readable and short to compile, and at every instruction it is known which
 *           variable holds which operand, which a checkpoint of the frame needs.
 * Dead code After an instruction that does not fall through nothing is written until the block
 *           ends.
 */
#ifndef TERN_TRANSLATE_EMIT_H
#define TERN_TRANSLATE_EMIT_H

#include "base/bytes.h"
#include "translate/liveness.h"
#include "translate/translate.h"
#include "wasm/insn.h"

enum {
    EMIT_TEXT_MAX = 112,   /* of a pending expression */
    EMIT_NAN_MAX = 24,     /* of this, kept free for making its NaN canonical */
    EMIT_LOCALS_MAX = 4,   /* locals that a pending expression may mention */
    EMIT_PENDING_MAX = 64, /* pending operands at once: keeps translation linear */
    EMIT_STORED_MAX = 256, /* of a statement's right side that may yet get another left side */
    EMIT_INDENT_MAX = 12,  /* levels of indentation */
};

/* What a NaN in a value stands for: emit_nan.c. */
enum nan_kind {
    NAN_EXACT, /* for itself */
    NAN_NEVER, /* there is none in it */
    /* Lazy kinds: whatever its bits, it stands for the canonical NaN; */
    NAN_ANY,      /* of a scalar; */
    NAN_NEGATIVE, /* of a scalar, and with its sign set; */
    NAN_F32X4,    /* in any lane of a vector of that shape. */
    NAN_F64X2,
};

struct operand {
    char letter;  /* of the type */
    bool pending; /* not in its slot; constants are never counted as pending */
    bool constant;
    bool condition;     /* text is a C condition: 0 or 1, of type int */
    bool inner_primary; /* text is '!' and a primary text */
    bool primary;       /* text needs no parentheses */
    uint8_t local_count;
    enum nan_kind nan;
    uint32_t stored;   /* number of the push_stored that wrote its slot; 0 if none */
    uint32_t slot_end; /* highest slot mentioned, plus 1; 0 if none */
    uint32_t local[EMIT_LOCALS_MAX];
    char text[EMIT_TEXT_MAX];
};

enum label_kind { LABEL_FUNC, LABEL_BLOCK, LABEL_LOOP, LABEL_IF, LABEL_ELSE };

struct label {
    enum label_kind kind;
    bool used; /* something jumps to its end */
    uint32_t id;
    uint32_t height; /* of the operands beneath its parameters */
    const uint8_t *params;
    const uint8_t *results;
    uint32_t param_count;
    uint32_t result_count;
    uint8_t value; /* storage for a block type of one value */
    /* Of a loop whose body is written several times: emit_control.c. */
    uint32_t copies; /* that are still to be written */
    uint32_t next;   /* id of the label where the next round begins */
    uint32_t body;   /* offset of its first instruction */
    bool again;      /* this copy goes there */
};

struct emitter {
    const struct wasm_module *module;
    const struct translate_options *options;
    const struct wasm_func *func;
    uint32_t func_index;
    struct bytes body; /* statements of the function so far */

    struct operand *stack;
    uint32_t height, stack_capacity;
    uint32_t settled; /* below this height nothing is pending */

    struct label *labels;
    uint32_t label_count, label_capacity;
    uint32_t label_ids;
    uint32_t indent;       /* loops and ifs around */
    const char *prefix;    /* of the next line; NULL if none */
    bool dead;             /* the next instruction cannot be reached */
    uint32_t dead_nesting; /* blocks opened while dead */

    char *local_letter; /* per local, parameters first */
    uint8_t *local_used;
    uint8_t *local_nan; /* enum nan_kind of whatever the local holds */
    bool nan_changed;   /* one of them was found to be less than was thought */
    uint32_t local_capacity;
    uint8_t *slot_used; /* per height, a bit for each letter: slot_letters */
    bool memory_used;
    uint32_t stored;                 /* number of the last push_stored in the function */
    size_t stored_start, stored_end; /* its line in the body */
    char stored_text[EMIT_STORED_MAX];
    uint32_t insn_offset;
    uint32_t repeat_from; /* offset of the instruction to go on with; 0: the next one */
    uint32_t next_offset; /* of the instruction behind it */
    bool failed;          /* no memory */

    struct bytes saves;   /* code behind the function's end that saves its frame */
    struct bytes entries; /* code at a continuation's beginning that enters it */
    uint32_t entry_count; /* points in it */
    struct liveness liveness;
    struct bytes loops; /* offsets of those that need a safepoint; the next one is at */
    uint32_t loop_at;
    uint32_t point_ids;
    const struct translate_points *wanted; /* of a continuation; NULL: the function itself */
    struct translate_safepoints *found;    /* NULL: nobody wants to know */
};

/* ---- emit_text.c: how things are spelled in C ---- */

const char *c_type(char letter);
/* "void", the type of the one result, "struct r3" of several. */
void append_result_type(struct bytes *out, const struct wasm_type *t);
/* The member of union tern_cell. */
const char *cell_member(char letter);
/* `array[cell].i32`; the second writes a whole statement. */
void append_cell_read(struct bytes *out, const char *array, uint32_t cell, char letter);
void append_cell_write(struct bytes *out, const char *array, uint32_t cell, char letter,
                       const char *value);
void bits_text(char letter, const uint64_t bits[2], char out[EMIT_TEXT_MAX]);
/* `i32.add` as `i32_add`. */
void op_identifier(enum wasm_op op, char out[64]);

/* ---- emit_stack.c: operands ---- */

void push_slot(struct emitter *e, char letter);
void push_local(struct emitter *e, uint32_t local);
void push_constant(struct emitter *e, char letter, const char *text);
struct operand pop(struct emitter *e);
/* A result of operands that were just popped: pending if it is pure and short enough. */
void push_pure(struct emitter *e, char letter, const char *text, const struct operand *from,
               uint32_t from_count);
/* The same for a C condition (0 or 1). */
void push_condition(struct emitter *e, const char *text, const struct operand *from,
                    uint32_t from_count);
/* Writes `s<h><letter> = text;` and pushes that slot. */
void push_stored(struct emitter *e, char letter, const char *text);
/* If `value`, just popped, was stored by the last line: takes that line back, out is its right
 * side, to be stored somewhere else at once. */
bool take_stored(struct emitter *e, const struct operand *value, char out[EMIT_STORED_MAX]);
/* Name of the slot that the next push_slot would get, after making it free to write. */
void next_slot(struct emitter *e, char letter, char out[32]);
void slot_name(struct emitter *e, uint32_t height, char letter, char out[32]);
/* Before local `local` changes: settles the operands that mention it. */
void settle_local(struct emitter *e, uint32_t local);
/* Before slots from `height` on are written: settles operands below that mention them. */
void settle_below(struct emitter *e, uint32_t height);
/* The operand at `height`. */
void settle_operand(struct emitter *e, uint32_t height);
/* The lowest `count` operands: everything pending into its slot. */
void settle_first(struct emitter *e, uint32_t count);
/* Everything pending into its slot; from height `constants_from` on constants, too. */
void settle_all(struct emitter *e, uint32_t constants_from);
/* Text as a C condition. */
void condition_text(const struct operand *o, char out[EMIT_TEXT_MAX + 32], bool negate);
/* Text that can stand as an operand of anything. */
void operand_text(const struct operand *o, char out[EMIT_TEXT_MAX + 32]);
/* Text of the full type, not a condition: as an argument or a right side. */
const char *value_text(const struct operand *o);

/* ---- statements ---- */

void line_begin(struct emitter *e); /* indentation and prefix */
/* The same, the formatted text, a newline. */
void line(struct emitter *e, const char *format, ...) __attribute__((format(__printf__, 2, 3)));

/* ---- one file per class of instruction: each takes what its name says ---- */

void emit_control(struct emitter *e, const struct wasm_insn *insn);  /* emit_control.c */
void emit_call(struct emitter *e, const struct wasm_insn *insn);     /* emit_call.c */
void emit_numeric(struct emitter *e, const struct wasm_insn *insn);  /* emit_numeric.c */
void emit_memory(struct emitter *e, const struct wasm_insn *insn);   /* emit_memory.c */
void emit_variable(struct emitter *e, const struct wasm_insn *insn); /* emit_variable.c */
void emit_table(struct emitter *e, const struct wasm_insn *insn);    /* emit_table.c */
void emit_simd(struct emitter *e, const struct wasm_insn *insn);     /* emit_simd.c */

/* Opens the function's own label; closes it at the final `end`. */
void control_begin(struct emitter *e, const struct wasm_type *type);
void emit_return(struct emitter *e);

/* ---- emit_nan.c: canonical NaNs; where they do not matter, all is NAN_EXACT ---- */

bool nan_matters(const struct emitter *e);
/* The operand, or the text of one, so that its bits are what they stand for. */
void nan_settle(struct operand *o);
void nan_text(char letter, enum nan_kind kind, const char *text, char out[EMIT_TEXT_MAX]);
/* The same with all operands from `height` on; they may be pending then. */
void nan_settle_from(struct emitter *e, uint32_t height);
struct operand pop_exact(struct emitter *e);
/* Makes exact what the instruction must have so, says what its result is. */
enum nan_kind nan_numeric(const struct emitter *e, enum wasm_op op, struct operand *from,
                          uint32_t count);
enum nan_kind nan_select(struct operand *a, struct operand *b);
enum nan_kind nan_simd(struct emitter *e, enum wasm_op op, uint32_t count); /* still on the stack */
enum nan_kind nan_constant(const struct emitter *e, char letter, const uint64_t bits[2]);
/* Before `value` becomes the local's. */
void nan_to_local(struct emitter *e, uint32_t local, struct operand *value);
/* What all locals hold; translate() writes the whole body, which then has to be written anew. False
 * if it could not. */
bool nan_find_locals(struct emitter *e, uint32_t params, bool translate(struct emitter *e));

/* ---- emit_suspend.c: safepoints ---- */

/* At a loop's label, which has been written: operands are as a branch to it finds them. False if
 * the loop needs none. */
bool emit_loop_safepoint(struct emitter *e);

struct call_site {
    const struct wasm_type *type;
    uint32_t func; /* UINT32_MAX: indirect */
};

/* Behind a call, whose results have been pushed. */
void emit_call_safepoint(struct emitter *e, const struct call_site *site);
/* What all safepoints end with: returns. To be appended to saves. */
void emit_save_tail(struct emitter *e, const struct wasm_type *type);
/* The first lines of a continuation: to the point. */
void append_entry(struct emitter *e, struct bytes *out);

/* ---- emit_func.c ---- */

/* Line by line, which instruction a function's text came from: for translate_locate. */
struct line_map {
    uint32_t line_wanted; /* from 1, in the piece */
    bool found;
    struct translate_place place;
};

/* Appends the definition of `func`, or of a continuation of it, to *out; map may be NULL. */
void emit_function(struct emitter *e, uint32_t func, const char *name, struct bytes *out,
                   uint32_t *line_count, struct line_map *map);
/* On the text of one function. */
void emitter_limit(struct emitter *e, size_t limit);
void emitter_release(struct emitter *e);

/* ---- emit_module.c ---- */

/* The C name of a function: f12, or f12_name. */
void func_name(const struct wasm_module *m, uint32_t func, char out[64]);
void emit_prologue(const struct wasm_module *m, bool alone, struct bytes *out);
/* Headers, TERN_FN and the function types only. */
void emit_types(const struct wasm_module *m, bool alone, struct bytes *out);
/* Goes on with a host call that was about to be made. */
void emit_host_continuation(const struct wasm_module *m, uint32_t func, const char *name,
                            struct bytes *out);
void emit_description(const struct wasm_module *m, struct bytes *out);
uint64_t type_key(const struct wasm_type *t); /* see struct tern_type */

#endif
