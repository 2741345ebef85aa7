/*
 * suspend - which functions of a module can be stopped in their middle: an analysis of the whole
 * module, made once before it is translated.
 *
 * Where     A program can be stopped at its safepoints: at loop headers, and right after the calls
 *           that this analysis marks. It can be stopped *inside* of those calls, too: then the
 *           callee's frame lies above.
 * Enough    Between two safepoints lies a bounded amount of work. Loops have one in each round. A
 *           recursion need not be stopped on its way down, for the call stack is finite; on its way
 *           up each return is followed by a safepoint. Code without either that calls itself to
 *           death by sheer multiplication (f calls g twice, g calls h twice ...) gets safepoints
 *           after calls as soon as it could execute SUSPEND_WORK_MAX instructions.
 * Others    An imported function can be stopped inside, and so can whatever an indirect call finds
 *           once another instance may have put a function of its own there.
 * Memory    The marks are members of the module (struct wasm_func, struct wasm_type); the call
 *           graph lives while they are made.
 * Errors    TERN_ENOMEM.
 * Replay    Equal modules give equal marks: an image's frames are named by them.
 */
#ifndef TERN_WASM_SUSPEND_H
#define TERN_WASM_SUSPEND_H

#include "base/error.h"
#include "wasm/module.h"

enum { SUSPEND_WORK_MAX = 100000 }; /* instructions; bulk operations count as one */

/* The last step of module_validate: every instruction has been typed. */
enum tern_err suspend_mark(struct wasm_module *m);

/* Whether a safepoint follows a call that function `caller` makes: of a function, of a type. */
bool suspend_after_call(const struct wasm_module *m, uint32_t caller, uint32_t callee);
bool suspend_after_indirect(const struct wasm_module *m, uint32_t caller, uint32_t type);

#endif
