/*
 * attempts - those that a node holds: found by their fence, each in one list at a time.
 *
 * Memory   attempts_add: NULL if there is none.
 */
#ifndef TERN_CORE_ATTEMPTS_H
#define TERN_CORE_ATTEMPTS_H

#include "core/packed.h"

enum attempt_step {
    ATTEMPT_STEP_QUEUED, /* waits for a slot */
    ATTEMPT_STEP_GIVEN,  /* a slot has it */
    ATTEMPT_STEP_BEGUN,  /* its first instruction has run */
    ATTEMPT_STEP_OVER    /* its last report is not stored yet */
};

enum { ATTEMPT_INPUTS_MAX = 16 };

struct attempt {
    struct attempt *same; /* next one in the table's chain */
    struct attempt *before, *behind;
    struct attempt_list *in;
    uint64_t task, n, term;
    enum attempt_step step;
    uint32_t slot;            /* GIVEN, BEGUN */
    Tern__AttemptState ended; /* OVER: how */
    bool prepare;             /* PLACE has not come yet */
    bool recalled;            /* by the agent */
    bool pulled;              /* by us, for another slot that has nothing to do */
    bool stopped;             /* what it says does not count */
    bool awaited_said;        /* QUEUED: the agent has told this since the order: */
    bool awaited;
    int64_t stop_by_ns;       /* stopped: when its slot is ended with it */
    uint64_t checkpoint;      /* newest that it reported, */
    uint64_t checkpoint_report; /* the number of that report, and of the last one of all */
    uint64_t last_report;
    /* QUEUED, GIVEN: what to do, and input that came behind it. */
    struct packed order;
    struct packed input[ATTEMPT_INPUTS_MAX];
    size_t input_count;
};

struct attempt_list {
    struct attempt *first, *last;
    size_t count;
};

struct attempts {
    struct attempt **chain;
    size_t chains, count;
};

void attempts_release(struct attempts *t);
struct attempt *attempts_add(struct attempts *t, const Tern__Fence *fence,
                             struct attempt_list *list);
struct attempt *attempts_find(const struct attempts *t, const Tern__Fence *fence);
void attempts_remove(struct attempts *t, struct attempt *a);

/* Out of the list that it is in, to the end (or the front) of that one. */
void attempt_move(struct attempt *a, struct attempt_list *to);
void attempt_move_first(struct attempt *a, struct attempt_list *to);
void attempt_fence(const struct attempt *a, Tern__Fence *out);
/* It needs its order no more. */
void attempt_forget_order(struct attempt *a);

#endif
