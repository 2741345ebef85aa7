#include "drive/agent_drive_inner.h"

#include "base/check.h"
#include "core/agent_history.h"

static const char *state_text(Tern__TaskState state)
{
    switch ((int)state) {
    case TERN__TASK_STATE__TASK_DONE: return "done";
    case TERN__TASK_STATE__TASK_FAILED: return "failed";
    case TERN__TASK_STATE__TASK_CANCELLED: return "cancelled";
    default: return "?";
    }
}

static bool history_of(const struct agent_drive *d, const Tern__Ended *ended,
                       struct journal_history *out)
{
    const struct world *w = d->config.world;
    const Tern__End *end = ended->end;
    struct agent_history h = {0};

    if (!agent_history_of(d->agent, ended->task, &h))
        return false;
    *out = (struct journal_history){.task = h.task,
                                    .job = h.job,
                                    .index = h.index,
                                    .attempt = ended->fence ? ended->fence->attempt : h.attempt,
                                    .owner = h.owner,
                                    .label = h.label,
                                    .node = h.node,
                                    .state = state_text(ended->state),
                                    .why = end ? end->text : "",
                                    .code = end ? end->code : 0,
                                    .submitted_wall_ns = h.submitted_wall_ns,
                                    .ended_wall_ns = w->calls->wall(w->self),
                                    .cpu_ns = end ? end->cpu_ns : 0,
                                    .attempts = h.attempts,
                                    .checkpoints = h.checkpoints};
    return true;
}

void fact_store(struct agent_drive *d, const Tern__Fact *fact)
{
    const struct journal *j = d->config.journal;
    struct journal_history history;
    bool ended = false;

    bytes_clear(&d->fact);
    check(fact_encode(fact, &d->fact) == TERN_OK);
    if (fact->what_case == TERN__FACT__WHAT_DEPOT_KNOWN)
        seal_key(d, fact->depot_known->name, fact->depot_known->key);
    if (fact->what_case == TERN__FACT__WHAT_ENDED)
        ended = history_of(d, fact->ended, &history);
    d->appended = j->calls->append(j->self, bytes_view(&d->fact), ended ? &history : NULL);
}

/* ---- the beginning ---- */

struct reading {
    struct agent_drive *d;
    uint64_t facts;
};

static enum tern_err apply(void *context, uint64_t number, struct view bytes)
{
    struct reading *r = context;
    struct agent_drive *d = r->d;
    Tern__Fact *fact = NULL;
    enum tern_err err = fact_decode(bytes, &d->out.arena, &fact);

    if (!err && fact->what_case == TERN__FACT__WHAT__NOT_SET)
        time_read(d, fact->time_ns);
    else if (!err)
        err = agent_apply(d->agent, fact);
    if (!err && fact->time_ns > d->now_ns)
        d->now_ns = fact->what_case == TERN__FACT__WHAT__NOT_SET ? d->now_ns : fact->time_ns;
    if (!err && fact->what_case == TERN__FACT__WHAT_DEPOT_KNOWN)
        seal_key(d, fact->depot_known->name, fact->depot_known->key);
    arena_clear(&d->out.arena);
    d->appended = number ? number : d->appended;
    r->facts++;
    return err;
}

enum tern_err facts_read(struct agent_drive *d, struct problem *p)
{
    const struct journal *j = d->config.journal;
    struct reading r = {.d = d};
    enum tern_err err = j->calls->read(j->self, &r, apply, p);

    d->stored = d->snapshot_at = d->appended;
    d->snapshot_size = r.facts; /* at most: the first one comes a little late */
    if (!err && r.facts)
        drive_log(d, NOTE_INFO, "read %llu facts", (unsigned long long)r.facts);
    return err;
}

/* ---- snapshots ---- */

void facts_snapshot(struct agent_drive *d)
{
    const struct journal *j = d->config.journal;
    const int64_t bound_ns = d->ending       ? d->now_ns
                             : d->bound_fact ? d->bound_asked_ns
                                             : d->bound_ns;
    struct bytes all = {0};
    uint64_t count = 0;

    if (fold_facts(d->agent, bound_ns, &all, &count) == TERN_OK)
        j->calls->snapshot(j->self, &all, d->appended);
    else
        drive_log(d, NOTE_WARN, "no memory for a snapshot: the next start takes longer");
    d->snapshot_at = d->appended;
    d->snapshot_size = count;
    bytes_release(&all);
}

void facts_compact(struct agent_drive *d)
{
    const struct journal *j = d->config.journal;
    const struct journal_fold fold = fold_new(&d->agent_config);

    d->compact_up_to = d->appended;
    j->calls->compact(j->self, &fold, d->appended);
}

/* If it failed it is tried again when as many facts have come once more. */
void facts_compacted(struct agent_drive *d, enum tern_err err, uint64_t size, const char *why)
{
    if (err)
        drive_log(d, NOTE_WARN, "no snapshot could be made of the journal: %s", why);
    else
        d->snapshot_size = size;
    if (d->snapshot_at < d->compact_up_to)
        d->snapshot_at = d->compact_up_to;
    d->compact_up_to = 0;
}
