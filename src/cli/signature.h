/*
 * signature - parts of a module as text: "(i32, f64) -> i64", constants, kinds.
 */
#ifndef TERN_CLI_SIGNATURE_H
#define TERN_CLI_SIGNATURE_H

#include "base/bytes.h"
#include "wasm/module.h"

void signature_append(struct bytes *out, const struct wasm_type *type);
/* "42", "global 3", "func 7", "null" */
void const_append(struct bytes *out, const struct wasm_const *c);
const char *kind_name(enum wasm_kind kind);

#endif
