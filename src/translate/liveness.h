/*
 * liveness - which locals still matter at a function's safepoints: those that may be read before
 * they are written again. The others need not be saved, and so need not be kept anywhere.
 *
 * Where     At each loop's header, and behind each call.
 * Limits    A function with too many locals, places or levels of loops for its size is not looked
 *           into: what it reads anywhere is live everywhere. The limits count steps, not time:
 * equal functions, equal answers. Source    The usual backward data-flow analysis; WebAssembly's
 * nesting gives the order.
 */
#ifndef TERN_TRANSLATE_LIVENESS_H
#define TERN_TRANSLATE_LIVENESS_H

#include "base/error.h"
#include "wasm/module.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct liveness {
    uint32_t *offset; /* of loops and calls, ascending */
    uint64_t *sets;   /* `words` each */
    uint32_t count;   /* 0: one set serves for all */
    uint32_t words;
};

/* func must not be imported. TERN_ENOMEM. */
enum tern_err liveness_find(const struct wasm_module *m, uint32_t func, struct liveness *out);
void liveness_release(struct liveness *l);

/* The locals that are live at the loop or behind the call at `offset`. */
const uint64_t *liveness_at(const struct liveness *l, uint32_t offset);
bool liveness_has(const uint64_t *set, uint32_t local);

#endif
