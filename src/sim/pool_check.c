/* What may never be, and what has to be in the end. */
#include "sim/pool_inner.h"

#include "sim/pool_data.h"

static void restart_ended(struct pool *p)
{
    for (size_t i = 0; i < p->node_count; i++) {
        struct pool_node *n = &p->nodes[i];

        pool_node_reap(n);
        if (!n->drive || !n->ended)
            continue;
        pool_node_kill(n); /* it has left: it comes back as a new one */
        pool_node_start_part(n);
    }
    if (p->agent.ended)
        pool_wrong(p, "the agent ended by itself");
}

void pool_check_step(struct pool *p)
{
    /* It looks at everything: often while things break, now and then afterwards. */
    const uint64_t every = p->healing ? 1000 : 1 + p->work.task_count / 20;

    restart_ended(p);
    if (p->strict)
        pool_wrong(p, "a slot prepared a program whose data was not in its store");
    if (p->sim.happened % every || !pool_agent_core(p))
        return;
    agent_check(pool_agent_core(p));
    for (size_t i = 0; i < p->node_count; i++)
        pool_node_look(&p->nodes[i]);
    p->checked++;
}

bool pool_check_all_over(struct pool *p)
{
    for (size_t i = 0; i < p->work.job_count; i++)
        if (p->work.jobs[i].state != WORK_OVER)
            return false;
    for (size_t i = 0; i < p->client_count; i++)
        if (pool_data_pending(&p->clients[i]))
            return false;
    return true;
}

static void name_unfinished(struct pool *p)
{
    static const char *const states[] = {"not asked for", "being uploaded", "not acknowledged",
                                         "acknowledged", "over"};

    for (size_t i = 0; i < p->work.job_count; i++) {
        const struct work_job *j = &p->work.jobs[i];

        if (j->state != WORK_OVER)
            pool_wrong(p,
                       "all was mended %lld s ago, and job %zu of client %zu (the agent's %llu) is "
                       "%s, with %llu of %zu tasks ended",
                       (long long)((p->sim.now_ns - p->healed_ns) / SECOND), i, j->client,
                       (unsigned long long)j->number, states[j->state],
                       (unsigned long long)j->ended, j->count);
    }
    pool_wrong(p, "all has ended, and some output cannot be fetched");
}

void pool_check_quiet(struct pool *p)
{
    struct agent_count count;

    if (!pool_check_all_over(p)) {
        name_unfinished(p);
        return;
    }
    for (size_t i = 0; i < p->work.task_count; i++)
        if (!p->work.tasks[i].ended)
            pool_wrong(p, "task %zu of the model has not ended", i);
    if (!pool_agent_core(p))
        return;
    count = agent_count(pool_agent_core(p));
    if (count.waiting + count.ready + count.placed + count.running)
        pool_wrong(
            p, "the agent still has %llu tasks that have not ended",
            (unsigned long long)(count.waiting + count.ready + count.placed + count.running));
}
