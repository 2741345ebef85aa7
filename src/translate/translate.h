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
#define TRANSLATE_VERSION 2

struct translate_options {
    uint32_t piece_bytes; /* of WebAssembly code per piece; 0: all in one */
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

/*
 * What a function's frame costs of `room`, in cells of 8 bytes: 8, and a cell (v128: two) for
 * each local and for each operand at the highest point.
 */
uint32_t translate_frame_cells(const struct wasm_module *m, uint32_t func);

#endif
