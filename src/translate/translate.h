/*
 * translate - writes a validated module as C.
 *
 * Does     Deterministic: equal module, version and options give equal text. The C includes
 *          "tern_rt.h", "tern_scalar.h" and, if the module uses vectors, "tern_simd.h", needs
 *          GNU C17 (gcc 12, clang 14), and has no undefined behaviour whatever the module does.
 * Pieces   A large module becomes several C files that can be compiled side by side. Piece 0
 *          holds the module's description (TERN_MODULE) and all imports.
 * Errors   TERN_ENOMEM, TERN_ETOOBIG (out's limit).
 * Promise  The module must have passed module_validate: nothing is checked again here.
 */
#ifndef TERN_TRANSLATE_H
#define TERN_TRANSLATE_H

#include "base/bytes.h"
#include "base/error.h"
#include "wasm/module.h"

/* Part of the cache's key: to be raised whenever the text for some module changes. */
#define TRANSLATE_VERSION 6

struct translate_options {
    uint32_t piece_bytes; /* of WebAssembly code per piece; 0: all in one */
    bool deterministic;   /* NaNs of arithmetic are canonical wherever the program can see them */
};

uint32_t translate_piece_count(const struct wasm_module *m, const struct translate_options *o);

/* Appends piece `piece` (from 0) to *out. */
enum tern_err translate_piece(const struct wasm_module *m, const struct translate_options *o,
                              uint32_t piece, struct bytes *out);

struct translate_place {
    uint32_t func;
    uint32_t offset; /* of the instruction, in the module */
};

/* Which instruction line `line` (from 1) of a piece came from; false if from none. */
bool translate_locate(const struct wasm_module *m, const struct translate_options *o,
                      uint32_t piece, uint32_t line, struct translate_place *out);

/* ---- Stopping and going on (wasm/suspend.h) ---- */

/* Where a frame can be rebuilt. Of an imported function: the call, about to be made (offset 0). */
struct translate_point {
    uint32_t func;
    uint32_t offset; /* of the instruction that is executed next, or of the call it is inside of */
    bool inside;
};

/* Their order, for qsort and bsearch. */
int translate_compare_points(const void *a, const void *b);

struct translate_points { /* by func, then offset, then inside; none twice */
    const struct translate_point *list;
    size_t count;
};

/*
 * Appends C that holds a continuation for each point and lists them as TERN_CONTINUATIONS. Points
 * of one function share one continuation if `together`: small, but slow, since loops are entered
 * in several places. TERN_ENOENT: there is no such point; TERN_ENOMEM, TERN_ETOOBIG.
 */
enum tern_err translate_continuations(const struct wasm_module *m,
                                      const struct translate_options *o,
                                      const struct translate_points *points, bool together,
                                      struct bytes *out);

/* As translate_locate, for the C that translate_continuations gives for each by itself. */
bool translate_locate_continuation(const struct wasm_module *m, const struct translate_options *o,
                                   const struct translate_points *points, uint32_t line,
                                   struct translate_place *out);

struct translate_safepoint {
    struct translate_point point;
    uint32_t operand_count;
    size_t operands; /* where their letters begin in struct translate_safepoints.letters */
    uint32_t callee; /* inside: function index, UINT32_MAX: whatever has the type */
    uint32_t type;   /* inside: of the callee, canonical */
};

struct translate_safepoints {
    struct bytes list;    /* of struct translate_safepoint, by offset */
    struct bytes letters; /* of operands, lowest first */
};

/* The safepoints of a function that is not imported; appends. TERN_ENOMEM. */
enum tern_err translate_find_safepoints(const struct wasm_module *m, uint32_t func,
                                        struct translate_safepoints *out);
void translate_safepoints_release(struct translate_safepoints *s);

/* Every point of the module, in order: appends struct translate_point. TERN_ENOMEM. */
enum tern_err translate_all_points(const struct wasm_module *m, struct bytes *out);

/*
 * What a function's frame costs of `room`, in cells of 8 bytes: 8, and a cell (v128: two) for
 * each local and for each operand at the highest point.
 */
uint32_t translate_frame_cells(const struct wasm_module *m, uint32_t func);

#endif
