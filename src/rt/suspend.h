/*
 * suspend - stops a program at a safepoint, holds its frames, sets it going again.
 *
 * Stopping suspend_ask makes the next safepoint stop the program: its functions save their frames
 *          and return, and trap_run ends with TRAP_STOPPED. The frames are kept until the program
 *          runs again.
 * Going on trap_go_on puts the native stack back as it was at the safepoint: the same code goes
 *          on. Elsewhere, or later, suspend_resume makes frames the ones that continuations
 *          rebuild, and the outermost of these is called.
 * Host     A host call is a safepoint before it is made: its frame is that of the imported
 *          function, with the arguments as locals.
 * Memory   Address space for the frames of a full call stack; what is touched is kept.
 * Needs    libc only.
 */
#ifndef TERN_RT_SUSPEND_H
#define TERN_RT_SUSPEND_H

#include "rt/tern_rt.h"

#include <stdbool.h>

struct rt_frame {
    struct tern_instance *instance;
    const uint8_t *value; /* its locals, then its operands: TERN_VALUE_BYTES each */
    uint32_t func;
    uint32_t offset; /* of the instruction that is executed next, or of the call it is inside of */
    uint32_t inside;
    uint32_t count; /* of values */
};

/* Room for the frames of a call stack of so many cells. 0, or an errno. */
int suspend_init(uint32_t stack_cells);
/* Instances that suspend_ask reaches, numbered from 0. False: no memory. */
bool suspend_add(struct tern_instance *in);
uint32_t suspend_number(const struct tern_instance *in);
/* Makes it number 0, and what that was, its number: a number holds from a stop to its end only. */
void suspend_first(struct tern_instance *in);

/* May be called by a signal handler. */
void suspend_ask(void);
/*
 * If set, says at each safepoint whether to stop there, as long as it is set; suspend_ask counts
 * for nothing then. For tests.
 */
void suspend_decide(bool (*stop)(void *context), void *context);
/* Whether the stack will be put back (default), or not: then it is not kept, either. */
void suspend_keep_stack(bool keep);

/* Whether the program was stopped and its frames are held. */
bool suspend_stopped(void);
/* How many frames; the n-th, 0 is the outermost. */
uint32_t suspend_frame_count(void);
const struct rt_frame *suspend_frame(uint32_t n);

/* Before a host call: true if it is not to be made now, since its frame was saved. */
bool suspend_host_call(struct tern_instance *in, uint32_t func, const union tern_cell *cells);

/*
 * The frames that continuations ask for, outermost first: they must stay where they are until the
 * innermost was entered. Then the caller calls list[0].code.
 */
void suspend_resume(const struct tern_resumed *list, uint32_t count);
/* The continuation of a frame, or NULL. */
tern_code suspend_find(const struct tern_continuations *c, uint32_t func, uint32_t offset,
                       uint32_t inside);
/* Instances are forgotten, as after suspend_init. */
void suspend_forget(void);
/* For trap.c: frames are no longer held; functions run again. */
void suspend_over(void);

#endif
