#include "core/agent_inner.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

/* Each of these looks at all of a fact before it changes anything. */

static enum tern_err apply_started(struct agent *a, const Tern__Started *f)
{
    if (f->term <= a->term || f->pool.len != 16 || f->sessions_from < a->session_next)
        return TERN_ECORRUPT;
    if (a->term && memcmp(f->pool.data, a->pool, 16) != 0)
        return TERN_ECORRUPT;
    memcpy(a->pool, f->pool.data, 16);
    a->term = f->term;
    a->session_next = f->sessions_from;
    if (f->tasks_from > a->task_next)
        a->task_next = f->tasks_from;
    if (f->jobs_from > a->job_next)
        a->job_next = f->jobs_from;
    return TERN_OK;
}

static enum tern_err apply_session(struct agent *a, const Tern__SessionKnown *f)
{
    struct session *s = directory_get(&a->sessions, f->session);

    if (f->session == 0 || f->n_number != f->n_answer || f->lapsed != (s != NULL) ||
        f->n_number > LIMIT_OUTSTANDING)
        return TERN_ECORRUPT;
    if (f->lapsed) {
        session_free(a, s);
        return TERN_OK;
    }
    s = session_make(a, f->session, agent_owner(a, f->owner));
    for (size_t i = 0; i < f->n_number; i++)
        session_answer(s, &(struct answer){.number = f->number[i],
                                           .job = f->answer[i]->job,
                                           .first = f->answer[i]->first,
                                           .count = f->answer[i]->count});
    if (f->session >= a->session_next)
        a->session_next = f->session + 1;
    return TERN_OK;
}

/* ---------------------------------------------------------------- accepted */

static bool accepted_good(const struct agent *a, const Tern__Accepted *f)
{
    const struct job *j = job_get(a, f->job_n);
    uint64_t at;

    if (f->job_n == 0 || f->first == 0 || f->n_tasks == 0 || !f->job == !j)
        return false;
    if (f->job && f->job->n != f->job_n)
        return false;
    if (directory_from(&a->tasks, f->first, &at) && at < f->first + f->n_tasks)
        return false;
    return !f->session || directory_get(&a->sessions, f->session);
}

static enum tern_err apply_accepted(struct agent *a, const Tern__Accepted *f, int64_t time_ns)
{
    struct job *j;

    if (!accepted_good(a, f))
        return TERN_ECORRUPT;
    j = job_get(a, f->job_n);
    if (!j) {
        j = job_new(a, f->job, agent_owner(a, f->job->owner));
        job_begin(a, j, time_ns);
        if (f->job_n >= a->job_next)
            a->job_next = f->job_n + 1;
    }
    for (size_t i = 0; i < f->n_tasks; i++) {
        struct task *t = task_new(a, j, f->tasks[i], f->first + i);

        promises_begin(a, t);
        task_state(a, t,
                   t->waits || t->doomed ? TERN__TASK_STATE__TASK_WAITING
                                         : TERN__TASK_STATE__TASK_READY);
    }
    if (f->first + f->n_tasks > a->task_next)
        a->task_next = f->first + f->n_tasks;
    if (f->session)
        session_answer(directory_get(&a->sessions, f->session),
                       &(struct answer){f->number, f->job_n, f->first, f->n_tasks});
    return TERN_OK;
}

/* ---------------------------------------------------------------- attempts */

static void drop_oldest(struct run *r)
{
    free(r->attempts[0].node);
    free(r->attempts[0].why);
    memmove(r->attempts, r->attempts + 1, --r->attempt_count * sizeof *r->attempts);
    r->dropped++;
}

static struct attempt *add_attempt(struct agent *a, struct run *r)
{
    const size_t before = r->attempt_room;

    if (r->attempt_count == AGENT_ATTEMPTS_MAX)
        drop_oldest(r);
    r->attempts = agent_grow(r->attempts, &r->attempt_room, r->attempt_count, sizeof *r->attempts);
    a->count.task_bytes += (r->attempt_room - before) * sizeof *r->attempts;
    r->attempts[r->attempt_count] = (struct attempt){0};
    return &r->attempts[r->attempt_count++];
}

static enum tern_err apply_placed(struct agent *a, const Tern__Placed *f, int64_t time_ns)
{
    struct task *t = f->fence ? task_get(a, f->fence->task) : NULL;
    const struct attempt *last = t ? task_attempt(t) : NULL;
    struct attempt *at;

    if (!t || t->state != TERN__TASK_STATE__TASK_READY || !*f->node || f->fence->attempt == 0 ||
        f->fence->term > a->term || (last && f->fence->attempt <= last->n))
        return TERN_ECORRUPT;
    at = add_attempt(a, task_run(a, t));
    *at = (struct attempt){.n = f->fence->attempt,
                           .term = f->fence->term,
                           .node = agent_text(f->node),
                           .state = TERN__ATTEMPT_STATE__ATTEMPT_PLACED,
                           .placed_ns = time_ns,
                           .from = f->from};
    t->run->given = at->n;
    t->run->recalled = false;
    t->run->depot_count = 0;
    for (size_t i = 0; i < f->n_depots && i < AGENT_COPIES_MAX; i++)
        t->run->depots[t->run->depot_count++] = depot_make(a, f->depots[i]);
    task_leave_home(a, t);
    t->node = node_make(a, f->node);
    t->begun = false;
    task_state(a, t, TERN__TASK_STATE__TASK_PLACED);
    node_place(a, t->node);
    return TERN_OK;
}

static enum tern_err apply_begun(struct agent *a, const Tern__BegunFact *f, int64_t time_ns)
{
    struct task *t = f->fence ? task_get(a, f->fence->task) : NULL;
    struct attempt *at;

    if (!task_is_at(t, f->fence) || t->state != TERN__TASK_STATE__TASK_PLACED)
        return TERN_ECORRUPT;
    at = task_attempt(t);
    at->state = TERN__ATTEMPT_STATE__ATTEMPT_RUNNING;
    at->begun_ns = time_ns;
    t->begun = true;
    task_state(a, t, TERN__TASK_STATE__TASK_RUNNING);
    return TERN_OK;
}

/* The task is at no node any more. */
static void leave_node(struct agent *a, struct task *t, Tern__AttemptState how, int64_t time_ns)
{
    struct attempt *at = task_attempt(t);
    struct node_at *n = t->node;

    at->state = how;
    at->ended_ns = time_ns;
    task_leave_home(a, t);
    t->node = NULL;
    packed_release(&t->run->pending);
    node_place(a, n);
}

static enum tern_err apply_gone(struct agent *a, const Tern__Gone *f, int64_t time_ns)
{
    struct task *t = f->fence ? task_get(a, f->fence->task) : NULL;

    if (!task_is_at(t, f->fence) || f->state <= TERN__ATTEMPT_STATE__ATTEMPT_ENDED ||
        f->state > TERN__ATTEMPT_STATE__ATTEMPT_BROKEN)
        return TERN_ECORRUPT;
    leave_node(a, t, f->state, time_ns);
    if (*f->why)
        task_attempt(t)->why = agent_text(f->why);
    t->run->losses += f->state == TERN__ATTEMPT_STATE__ATTEMPT_LOST;
    t->run->moves += f->state == TERN__ATTEMPT_STATE__ATTEMPT_MOVED;
    t->run->broken += f->state == TERN__ATTEMPT_STATE__ATTEMPT_BROKEN;
    task_state(a, t, TERN__TASK_STATE__TASK_READY);
    return TERN_OK;
}

/* ---------------------------------------------------------------- checkpoints */

/* What a checkpoint has passed is not needed any more. */
static void drop_inputs(struct agent *a, struct task *t, uint64_t passed)
{
    struct core_out room = {0};
    struct run *r = t->run;
    size_t gone = 0;

    for (; gone < r->input_count; gone++) {
        const Tern__MoreInput *more =
            packed_open(&r->inputs[gone], &tern__more_input__descriptor, &room);

        if (more->offset + task_content_size(more->content) > passed || more->end)
            break;
        if (more->content && more->content->blob)
            root_unwant(a, root_find(a, t->job->owner, more->content->blob->sha256.data));
        packed_release(&r->inputs[gone]);
    }
    core_out_release(&room);
    if (!gone)
        return;
    memmove(r->inputs, r->inputs + gone, (r->input_count - gone) * sizeof *r->inputs);
    r->input_count -= gone;
}

static void let_go_of_older(struct agent *a, struct run *r)
{
    if (r->checkpoint_count > AGENT_CHECKPOINTS_HELD) {
        struct checkpoint *old = &r->checkpoints[r->checkpoint_count - 1 - AGENT_CHECKPOINTS_HELD];

        if (old->root)
            root_unwant(a, old->root);
        old->root = NULL;
    }
    if (r->checkpoint_count > AGENT_CHECKPOINTS_MAX) {
        check(!r->checkpoints[0].root);
        packed_release(&r->checkpoints[0].packed);
        memmove(r->checkpoints, r->checkpoints + 1, --r->checkpoint_count * sizeof *r->checkpoints);
    }
}

static enum tern_err apply_checkpointed(struct agent *a, const Tern__Checkpointed *f)
{
    struct task *t = f->fence ? task_get(a, f->fence->task) : NULL;
    const Tern__Checkpoint *c = f->checkpoint;
    const size_t before = t && t->run ? t->run->checkpoint_room : 0;
    struct checkpoint *kept;
    Tern__Checkpoint bare;
    struct run *r;

    if (!t || task_ended(t) || !c || !c->root || c->root->sha256.len != 32 || !task_attempt(t) ||
        f->fence->attempt > task_attempt(t)->n || c->n < t->run->checkpoint_next)
        return TERN_ECORRUPT;
    r = t->run;
    r->checkpoints =
        agent_grow(r->checkpoints, &r->checkpoint_room, r->checkpoint_count, sizeof *kept);
    a->count.task_bytes += (r->checkpoint_room - before) * sizeof *kept;
    kept = &r->checkpoints[r->checkpoint_count++];
    *kept = (struct checkpoint){.n = c->n, .attempt = f->fence->attempt};
    bare = *c;
    bare.n_depots = 0; /* where it is now is said by its root */
    packed_set(&kept->packed, &bare.base);
    kept->root = root_make(a, t->job->owner, c->root);
    for (size_t i = 0; i < c->n_depots; i++)
        root_add(a, kept->root, depot_make(a, c->depots[i]));
    root_want(a, kept->root);
    r->checkpoint_next = c->n + 1;
    r->broken = 0; /* it gets on */
    let_go_of_older(a, r);
    drop_inputs(a, t, c->input_bytes);
    task_changed(a, t);
    return TERN_OK;
}

/* ---------------------------------------------------------------- the end */

static void count_end(struct agent *a, struct task *t, const Tern__End *end)
{
    struct job *j = t->job;

    (void)a;
    j->ended++;
    j->owner->tasks--;
    if (j->program && end->kind == TERN__END_KIND__END_EXIT)
        policy_duration_add(&j->program->took, (int64_t)end->wall_ns);
}

static int64_t keep_ns(const struct agent *a, const struct job *j)
{
    const Tern__Policy *policy = j->known->policy;

    return policy && policy->keep_ns > 0 && policy->keep_ns < a->config.keep_ns ? policy->keep_ns
                                                                                : a->config.keep_ns;
}

static void keep_end(struct agent *a, struct task *t, const Tern__End *end, int64_t time_ns)
{
    struct run *r = task_run(a, t);
    Tern__End bare = *end;

    bare.n_depots = 0; /* where its results are now is said by their roots */
    packed_set(&r->end, &bare.base);
    a->count.task_bytes += r->end.size;
    r->ended_ns = time_ns;
    r->forget_ns = time_ns + keep_ns(a, t->job);
    results_want(a, t->job->owner, end->results, true, end->depots, end->n_depots);
}

static void end_attempt(struct attempt *at, const Tern__End *end, int64_t time_ns)
{
    at->cpu_ns = end->cpu_ns;
    if (!at->begun_ns && end->kind == TERN__END_KIND__END_EXIT)
        at->begun_ns = time_ns - (int64_t)(end->wall_ns % INT64_MAX);
}

static enum tern_err apply_ended(struct agent *a, const Tern__Ended *f, int64_t time_ns)
{
    struct task *t = task_get(a, f->task);

    if (!t || task_ended(t) || !f->end || f->state < TERN__TASK_STATE__TASK_DONE ||
        f->state > TERN__TASK_STATE__TASK_CANCELLED || (f->fence && !task_is_at(t, f->fence)))
        return TERN_ECORRUPT;
    if (t->node) {
        end_attempt(task_attempt(t), f->end, time_ns);
        leave_node(a, t,
                   f->state == TERN__TASK_STATE__TASK_CANCELLED
                       ? TERN__ATTEMPT_STATE__ATTEMPT_CANCELLED
                       : TERN__ATTEMPT_STATE__ATTEMPT_ENDED,
                   time_ns);
    }
    task_leave_home(a, t);
    keep_end(a, t, f->end, time_ns); /* before what it wanted is let go: they may share data */
    task_unwant(a, t);
    count_end(a, t, f->end);
    t->doomed = 0;
    task_state(a, t, f->state);
    promises_end(a, t);
    return TERN_OK;
}

static enum tern_err apply_inputted(struct agent *a, const Tern__Inputted *f)
{
    const Tern__MoreInput *more = f->input;
    struct task *t = more ? task_get(a, more->task) : NULL;
    struct run *r;

    if (!t || task_ended(t) || !t->open_input ||
        (more->content && more->content->blob && more->content->blob->sha256.len != 32))
        return TERN_ECORRUPT;
    r = task_run(a, t);
    if (more->offset + task_content_size(more->content) > r->input_at) { /* else of a snapshot */
        if (r->input_ended || more->offset != task_input_at(t))
            return TERN_ECORRUPT;
        r->input_at = more->offset + task_content_size(more->content);
    }
    r->inputs = agent_grow(r->inputs, &r->input_room, r->input_count, sizeof *r->inputs);
    r->inputs[r->input_count] = (struct packed){0};
    packed_set(&r->inputs[r->input_count++], &more->base);
    r->input_ended |= more->end;
    if (more->content && more->content->blob)
        root_want(a, root_make(a, t->job->owner, more->content->blob));
    return TERN_OK;
}

/* ---------------------------------------------------------------- forgetting */

static void forget_task(struct agent *a, struct task *t)
{
    struct job *j = t->job;

    promises_drop(a, t);
    if (t->run && t->run->end.size) {
        struct core_out room = {0};
        const Tern__End *end = packed_open(&t->run->end, &tern__end__descriptor, &room);

        results_want(a, j->owner, end->results, false, NULL, 0);
        core_out_release(&room);
    }
    task_free(a, t);
    j->tasks--;
    j->ended--;
    job_free_if_empty(a, j);
}

static enum tern_err apply_forgotten(struct agent *a, const Tern__Forgotten *f)
{
    for (size_t i = 0; i < f->n_task; i++) {
        const struct task *t = task_get(a, f->task[i]);

        if (!t || !task_ended(t))
            return TERN_ECORRUPT;
        if (i && f->task[i - 1] >= f->task[i])
            return TERN_ECORRUPT; /* in order, and so each once */
    }
    for (size_t i = 0; i < f->n_task; i++)
        forget_task(a, task_get(a, f->task[i]));
    return TERN_OK;
}

static enum tern_err apply_cancelling(struct agent *a, const Tern__Cancelling *f)
{
    struct job *j = job_get(a, f->job);

    if (!j || j->cancelled)
        return TERN_ECORRUPT;
    j->cancelled = true;
    tree_add(&a->cancelling, &j->walk);
    return TERN_OK;
}

static enum tern_err apply_job_known(struct agent *a, const Tern__JobKnown *f)
{
    struct job *j = job_get(a, f->job);

    if (!j || f->next_index < j->next_index)
        return TERN_ECORRUPT;
    j->next_index = f->next_index;
    if (j->program)
        j->program->took = (struct duration){.mean_ns = f->mean_ns, .count = f->count};
    return TERN_OK;
}

static enum tern_err apply_task_known(struct agent *a, const Tern__TaskKnown *f)
{
    struct task *t = task_get(a, f->task);
    struct run *r;

    if (!t || (t->run && f->checkpoint_next < t->run->checkpoint_next))
        return TERN_ECORRUPT;
    r = task_run(a, t);
    r->moves = f->moves;
    r->losses = f->losses;
    r->broken = f->broken;
    r->dropped = f->dropped;
    r->checkpoint_next = f->checkpoint_next;
    r->input_at = f->input_at;
    r->input_ended = f->input_ended;
    return TERN_OK;
}

/* ---------------------------------------------------------------- all facts */

static enum tern_err apply(struct agent *a, const Tern__Fact *f)
{
    switch ((int)f->what_case) {
    case TERN__FACT__WHAT_STARTED: return apply_started(a, f->started);
    case TERN__FACT__WHAT_ACCEPTED: return apply_accepted(a, f->accepted, f->time_ns);
    case TERN__FACT__WHAT_PLACED: return apply_placed(a, f->placed, f->time_ns);
    case TERN__FACT__WHAT_BEGUN: return apply_begun(a, f->begun, f->time_ns);
    case TERN__FACT__WHAT_GONE: return apply_gone(a, f->gone, f->time_ns);
    case TERN__FACT__WHAT_CHECKPOINTED: return apply_checkpointed(a, f->checkpointed);
    case TERN__FACT__WHAT_ENDED: return apply_ended(a, f->ended, f->time_ns);
    case TERN__FACT__WHAT_INPUTTED: return apply_inputted(a, f->inputted);
    case TERN__FACT__WHAT_NODE_KNOWN: return apply_node_known(a, f->node_known);
    case TERN__FACT__WHAT_DEPOT_KNOWN: return apply_depot_known(a, f->depot_known);
    case TERN__FACT__WHAT_NAMED: return apply_named(a, f->named);
    case TERN__FACT__WHAT_ROOT_AT: return apply_root_at(a, f->root_at, f->time_ns);
    case TERN__FACT__WHAT_FORGOTTEN: return apply_forgotten(a, f->forgotten);
    case TERN__FACT__WHAT_SESSION: return apply_session(a, f->session);
    case TERN__FACT__WHAT_CANCELLING: return apply_cancelling(a, f->cancelling);
    case TERN__FACT__WHAT_JOB_KNOWN: return apply_job_known(a, f->job_known);
    case TERN__FACT__WHAT_TASK_KNOWN: return apply_task_known(a, f->task_known);
    default: return TERN_ECORRUPT; /* of a later version: what it changed we cannot know */
    }
}

enum tern_err agent_apply(struct agent *a, const Tern__Fact *fact)
{
    const enum tern_err err = apply(a, fact);

    if (!err) {
        a->count.facts++;
        if (fact->time_ns > a->now_ns)
            a->now_ns = fact->time_ns;
    }
    if (!a->started) { /* no step comes in between: what is left to steps is done here */
        promises_portion(a, SIZE_MAX);
        a->changed_count = 0;
        jobs_bury(a);
    }
    return err;
}

void agent_fact(struct agent *a, const Tern__Fact *fact)
{
    check(agent_apply(a, fact) == TERN_OK);
}
