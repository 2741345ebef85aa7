/*
 * plan - what memory a host call reads and fills, found out from its arguments before it is made.
 *
 * Does     Follows wire/call.h and the lists of buffers in memory. What is out of bounds is left
 *          out: the call answers FAULT and touches nothing there. After the call plan_settle cuts
 *          what it can fill down to what it has filled.
 * Why      So recording and replaying know every byte that comes in, and no handler has to say so.
 *          A handler that fills memory must be described in wire/call.h, and must store its count
 *          of bytes (CALL_MOVED) last: the buffers may lie over it.
 * Memory   struct plan is large: static, not on a program's stack.
 */
#ifndef TERN_RUNNER_PLAN_H
#define TERN_RUNNER_PLAN_H

#include "runner/host.h"
#include "runner/vectors.h"
#include "wire/record.h"

enum { PLAN_READS_MAX = VECTORS_MAX + 4 };

struct plan {
    const struct call *call;
    struct record_range reads[PLAN_READS_MAX];
    struct record_range fills[RECORD_RANGES_MAX];
    uint32_t read_count, fill_count;
    uint32_t sent, sent_count;    /* which of the reads are sent somewhere */
    uint32_t varied, varied_unit; /* fills from here on are cut to what was moved, in such units */
    uint32_t varied_count;
    uint32_t in_vain, in_vain_count; /* which of the fills can have changed in spite of an error */
    bool says_moved;                 /* at this address: */
    uint32_t moved_at;
};

void plan_make(struct plan *p, const struct host *h, const struct host_call *c);
/* Of all that it reads, with sizes. */
uint64_t plan_hash(const struct plan *p, const struct host *h);
/* What is kept of it: parts lie in the program's memory, or are static. How many. */
uint8_t plan_keep(const struct plan *p, const struct host *h, const struct host_call *c,
                  struct record_kept out[RECORD_KEPT_MAX]);
/* What the call has said that it moved. */
uint32_t plan_moved(const struct plan *p, const struct host *h);
/* False: the call cannot have moved so much. */
bool plan_settle(struct plan *p, enum wasi_errno answer, uint32_t moved);
/* What a recorded call filled, once more; false: not what this one, settled, can have filled. */
bool plan_fill(const struct plan *p, const struct host *h, const struct record_call *c);

#endif
