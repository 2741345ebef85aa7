/*
 * valtype - reads value types. Their names and letters are in module.h.
 */
#ifndef TERN_WASM_VALTYPE_H
#define TERN_WASM_VALTYPE_H

#include "wasm/module.h"
#include "wasm/reader.h"

bool valtype_decode(struct wasm_reader *r, uint8_t *out, struct wasm_fault *fault);
bool reftype_decode(struct wasm_reader *r, uint8_t *out, struct wasm_fault *fault);

#endif
