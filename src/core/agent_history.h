/*
 * agent_history - what there is to tell of a task that has ended, in one row, for people who ask
 *                 later.
 */
#ifndef TERN_CORE_AGENT_HISTORY_H
#define TERN_CORE_AGENT_HISTORY_H

#include "core/agent.h"

struct agent_history { /* texts are good until the next step */
    uint64_t task, job, index, attempt;
    const char *owner, *label, *node;
    int64_t submitted_wall_ns; /* as the client said; 0: it did not */
    uint64_t attempts, checkpoints;
};

/* False: it is not known, or not any more. */
bool agent_history_of(const struct agent *a, uint64_t task, struct agent_history *out);

#endif
