/*
 * loops - which loops of a function need a safepoint in their header: all but those of which every
 * round passes the safepoint of a call anyway.
 *
 * Memory   The offsets are appended to a struct bytes, ascending, u32 each.
 */
#ifndef TERN_TRANSLATE_LOOPS_H
#define TERN_TRANSLATE_LOOPS_H

#include "base/bytes.h"
#include "base/error.h"
#include "wasm/module.h"

/* func must not be imported. TERN_ENOMEM. */
enum tern_err loops_find(const struct wasm_module *m, uint32_t func, struct bytes *offsets);

#endif
