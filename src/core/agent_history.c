#include "core/agent_history.h"

#include "core/agent_inner.h"

static void of_run(const struct run *r, struct agent_history *out)
{
    const struct attempt *last = r->attempt_count ? &r->attempts[r->attempt_count - 1] : NULL;

    out->node = last && last->node ? last->node : "";
    out->attempt = last ? last->n : 0;
    out->attempts = r->dropped + r->attempt_count;
    out->checkpoints = r->checkpoint_next ? r->checkpoint_next - 1 : 0;
}

bool agent_history_of(const struct agent *a, uint64_t task, struct agent_history *out)
{
    const struct task *t = task_get(a, task);

    if (!t)
        return false;
    *out = (struct agent_history){.task = t->n,
                                  .job = t->job->n,
                                  .index = t->index,
                                  .owner = t->job->owner->name,
                                  .label = t->job->known ? t->job->known->label : "",
                                  .node = "",
                                  .submitted_wall_ns =
                                      t->job->known ? t->job->known->submitted_ns : 0};
    if (t->run)
        of_run(t->run, out);
    return true;
}
