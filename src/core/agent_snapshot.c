#include "core/agent_inner.h"

#include "base/check.h"

#include <string.h>

/*
 * The state as facts, in an order in which each can be applied: what exists by itself first, then
 * jobs with their tasks, then what became of each task, in the order in which it happened. A cursor
 * is a stage and the number that is next in it.
 */

enum stage {
    STAGE_START,
    STAGE_NODES,
    STAGE_DEPOTS,
    STAGE_SESSIONS,
    STAGE_ROOTS,
    STAGE_TASKS, /* accepted */
    STAGE_JOBS,
    STAGE_RUNS,   /* what became of them */
    STAGE_TOOK,   /* what programs took, behind the ends that changed it */
    STAGE_CANCEL, /* behind all tasks */
    STAGE_NAMES,
    STAGE_END
};

enum { CURSOR_STAGE = 56, SNAPSHOT_PORTION = 256 };

static Tern__Fact *fact(struct core_out *out, int64_t time_ns, Tern__Fact__WhatCase what)
{
    Tern__Fact *f = core_store(out, time_ns);

    f->what_case = what;
    return f;
}

/* ---------------------------------------------------------------- what exists by itself */

static void put_start(const struct agent *a, struct core_out *out)
{
    Tern__Fact *f = fact(out, a->now_ns, TERN__FACT__WHAT_STARTED);

    f->started = core_new(out, 1, sizeof *f->started);
    tern__started__init(f->started);
    f->started->term = a->term;
    f->started->pool.len = 16;
    f->started->pool.data = core_new(out, 16, 1);
    memcpy(f->started->pool.data, a->pool, 16);
    f->started->sessions_from = a->session_next;
    f->started->attempts_from = 1;
    f->started->tasks_from = a->task_next;
    f->started->jobs_from = a->job_next;
}

static void put_node(const struct agent *a, const struct node_at *n, struct core_out *out)
{
    Tern__Fact *f = fact(out, a->now_ns, TERN__FACT__WHAT_NODE_KNOWN);

    f->node_known = core_new(out, 1, sizeof *f->node_known);
    tern__node_known__init(f->node_known);
    f->node_known->name = n->name;
    f->node_known->drained = n->drained;
    f->node_known->losses = n->losses;
    f->node_known->up_ns = n->up_before_ns + (n->up_ns ? a->now_ns - n->up_ns : 0);
}

static void put_depot(const struct agent *a, const struct depot *d, struct core_out *out)
{
    Tern__Fact *f = fact(out, a->now_ns, TERN__FACT__WHAT_DEPOT_KNOWN);

    if (d->known.size) {
        f->depot_known = packed_open(&d->known, &tern__depot_known__descriptor, out);
        return;
    }
    f->depot_known = core_new(out, 1, sizeof *f->depot_known);
    tern__depot_known__init(f->depot_known);
    f->depot_known->name = d->name;
}

static void put_session(const struct agent *a, const struct session *s, struct core_out *out)
{
    Tern__Fact *f = fact(out, a->now_ns, TERN__FACT__WHAT_SESSION);
    Tern__SessionKnown *known = core_new(out, 1, sizeof *known);

    tern__session_known__init(known);
    known->session = s->n;
    known->owner = s->owner->name;
    known->number = core_new(out, s->answer_count, sizeof *known->number);
    known->answer = core_new(out, s->answer_count, sizeof *known->answer);
    for (size_t i = 0; i < s->answer_count && i < LIMIT_OUTSTANDING; i++) {
        Tern__Submitted *answer = core_new(out, 1, sizeof *answer);

        tern__submitted__init(answer);
        answer->job = s->answers[i].job;
        answer->first = s->answers[i].first;
        answer->count = s->answers[i].count;
        known->number[known->n_number++] = s->answers[i].number;
        known->answer[known->n_answer++] = answer;
    }
    f->session = known;
}

static void put_root(const struct agent *a, const struct root *r, struct core_out *out)
{
    Tern__Fact *f = fact(out, r->fresh_ns - a->config.hold_ns, TERN__FACT__WHAT_ROOT_AT);

    f->root_at = core_new(out, 1, sizeof *f->root_at);
    tern__root_at__init(f->root_at);
    f->root_at->domain = r->domain->name;
    f->root_at->root = root_blob(r, out);
    f->root_at->depots = core_new(out, r->copy_count, sizeof(char *));
    for (const struct copy *c = r->copies; c; c = c->next)
        f->root_at->depots[f->root_at->n_depots++] = c->depot->name;
}

/* ---------------------------------------------------------------- tasks */

/* A run of tasks of one job with numbers in a row; returns the number behind it. */
static uint64_t put_tasks(const struct agent *a, const struct task *t, struct core_out *out)
{
    struct job *j = t->job;
    Tern__Fact *f = fact(out, j->accepted_ns, TERN__FACT__WHAT_ACCEPTED);
    Tern__Accepted *accepted = core_new(out, 1, sizeof *accepted);
    uint64_t n = t->n;

    tern__accepted__init(accepted);
    if (n == job_next_task(a, j, 0)) /* the first that is known brings the job */
        accepted->job = j->known;
    accepted->job_n = j->n;
    accepted->first = n;
    accepted->tasks = core_new(out, SNAPSHOT_PORTION, sizeof *accepted->tasks);
    for (; t && t->job == j && accepted->n_tasks < SNAPSHOT_PORTION; t = task_get(a, ++n))
        accepted->tasks[accepted->n_tasks++] = task_spec(t, out);
    f->accepted = accepted;
    return n;
}

static void put_fence(const struct task *t, const struct attempt *at, Tern__Fence **to,
                      struct core_out *out)
{
    *to = core_new(out, 1, sizeof **to);
    tern__fence__init(*to);
    (*to)->task = t->n;
    (*to)->attempt = at->n;
    (*to)->term = at->term;
}

static void put_placed(const struct task *t, const struct attempt *at, struct core_out *out)
{
    Tern__Fact *f = fact(out, at->placed_ns, TERN__FACT__WHAT_PLACED);

    f->placed = core_new(out, 1, sizeof *f->placed);
    tern__placed__init(f->placed);
    put_fence(t, at, &f->placed->fence, out);
    f->placed->node = at->node;
    f->placed->from = at->from;
    f->placed->depots = core_new(out, t->run->depot_count, sizeof(char *));
    if (at == task_attempt(t))
        for (size_t i = 0; i < t->run->depot_count; i++)
            f->placed->depots[f->placed->n_depots++] = t->run->depots[i]->name;
    if (!at->begun_ns && at->state != TERN__ATTEMPT_STATE__ATTEMPT_RUNNING)
        return;
    f = fact(out, at->begun_ns, TERN__FACT__WHAT_BEGUN);
    f->begun = core_new(out, 1, sizeof *f->begun);
    tern__begun_fact__init(f->begun);
    put_fence(t, at, &f->begun->fence, out);
}

static void put_checkpoints(const struct task *t, const struct attempt *at, size_t *next,
                            struct core_out *out)
{
    const struct run *r = t->run;

    /* Those of attempts that are not remembered any more go with the first one that is. */
    for (; *next < r->checkpoint_count && r->checkpoints[*next].attempt <= at->n; ++*next) {
        const struct checkpoint *c = &r->checkpoints[*next];
        Tern__Checkpoint *body = packed_open(&c->packed, &tern__checkpoint__descriptor, out);
        Tern__Fact *f = fact(out, body->time_ns, TERN__FACT__WHAT_CHECKPOINTED);

        f->checkpointed = core_new(out, 1, sizeof *f->checkpointed);
        tern__checkpointed__init(f->checkpointed);
        put_fence(t, at, &f->checkpointed->fence, out);
        f->checkpointed->fence->attempt = c->attempt;
        f->checkpointed->checkpoint = body;
    }
}

static void put_gone(const struct task *t, const struct attempt *at, struct core_out *out)
{
    Tern__Fact *f;

    if (at->state <= TERN__ATTEMPT_STATE__ATTEMPT_ENDED ||
        at->state > TERN__ATTEMPT_STATE__ATTEMPT_BROKEN)
        return;
    f = fact(out, at->ended_ns, TERN__FACT__WHAT_GONE);
    f->gone = core_new(out, 1, sizeof *f->gone);
    tern__gone__init(f->gone);
    put_fence(t, at, &f->gone->fence, out);
    f->gone->state = at->state;
    f->gone->why = at->why ? at->why : f->gone->why;
}

static void put_inputs(const struct task *t, struct core_out *out)
{
    for (size_t i = 0; i < t->run->input_count; i++) {
        Tern__Fact *f = fact(out, 0, TERN__FACT__WHAT_INPUTTED);

        f->inputted = core_new(out, 1, sizeof *f->inputted);
        tern__inputted__init(f->inputted);
        f->inputted->input = packed_open(&t->run->inputs[i], &tern__more_input__descriptor, out);
    }
}

static void put_end(const struct task *t, struct core_out *out)
{
    const struct attempt *at = task_attempt(t);
    Tern__Fact *f = fact(out, t->run->ended_ns, TERN__FACT__WHAT_ENDED);

    f->ended = core_new(out, 1, sizeof *f->ended);
    tern__ended__init(f->ended);
    f->ended->task = t->n;
    if (at && (at->state == TERN__ATTEMPT_STATE__ATTEMPT_ENDED ||
               at->state == TERN__ATTEMPT_STATE__ATTEMPT_CANCELLED))
        put_fence(t, at, &f->ended->fence, out);
    f->ended->state = (Tern__TaskState)t->state;
    f->ended->end = packed_open(&t->run->end, &tern__end__descriptor, out);
}

static void put_known(const struct task *t, struct core_out *out)
{
    const struct run *r = t->run;
    Tern__Fact *f = fact(out, 0, TERN__FACT__WHAT_TASK_KNOWN);
    Tern__TaskKnown *known = core_new(out, 1, sizeof *known);

    tern__task_known__init(known);
    known->task = t->n;
    known->moves = r->moves;
    known->losses = r->losses;
    known->broken = r->broken;
    known->dropped = r->dropped;
    known->checkpoint_next = r->checkpoint_next;
    known->input_at = r->input_at;
    known->input_ended = r->input_ended;
    f->task_known = known;
}

static void put_run(const struct task *t, struct core_out *out)
{
    const struct run *r = t->run;
    size_t next = 0;

    if (!r)
        return;
    for (size_t i = 0; i < r->attempt_count; i++) {
        put_placed(t, &r->attempts[i], out);
        put_checkpoints(t, &r->attempts[i], &next, out);
        put_gone(t, &r->attempts[i], out);
    }
    put_known(t, out);
    put_inputs(t, out);
    if (task_ended(t))
        put_end(t, out);
}

static void put_took(const struct job *j, struct core_out *out)
{
    Tern__Fact *f = fact(out, 0, TERN__FACT__WHAT_JOB_KNOWN);

    f->job_known = core_new(out, 1, sizeof *f->job_known);
    tern__job_known__init(f->job_known);
    f->job_known->job = j->n;
    f->job_known->next_index = j->next_index;
    f->job_known->mean_ns = j->program ? j->program->took.mean_ns : 0;
    f->job_known->count = j->program ? j->program->took.count : 0;
}

static void put_cancel(const struct job *j, struct core_out *out)
{
    Tern__Fact *f;

    if (!j->cancelled)
        return;
    f = fact(out, 0, TERN__FACT__WHAT_CANCELLING);
    f->cancelling = core_new(out, 1, sizeof *f->cancelling);
    tern__cancelling__init(f->cancelling);
    f->cancelling->job = j->n;
}

static void put_names(const struct agent *a, const struct owner *o, struct core_out *out)
{
    for (struct tree_link *l = tree_first(&o->names); l; l = tree_behind(&o->names, l)) {
        const struct name *n = tree_of(l, struct name, link);
        Tern__Fact *f = fact(out, a->now_ns, TERN__FACT__WHAT_NAMED);

        f->named = core_new(out, 1, sizeof *f->named);
        tern__named__init(f->named);
        f->named->owner = o->name;
        f->named->row = name_row(a, o, n, out);
        f->named->row->n_depots = 0;
    }
}

/* ---------------------------------------------------------------- going through it */

static const struct directory *directory_of(const struct agent *a, enum stage stage)
{
    switch (stage) {
    case STAGE_NODES: return &a->node_dir;
    case STAGE_DEPOTS: return &a->depot_dir;
    case STAGE_SESSIONS: return &a->sessions;
    case STAGE_ROOTS: return &a->root_dir;
    case STAGE_TASKS:
    case STAGE_RUNS: return &a->tasks;
    case STAGE_JOBS:
    case STAGE_TOOK:
    case STAGE_CANCEL: return &a->jobs;
    case STAGE_NAMES: return &a->owner_dir;
    case STAGE_START:
    case STAGE_END: break;
    }
    return NULL;
}

/* The number that is next. */
static uint64_t put(const struct agent *a, enum stage stage, void *thing, uint64_t n,
                    struct core_out *out)
{
    switch (stage) {
    case STAGE_NODES: put_node(a, thing, out); break;
    case STAGE_DEPOTS: put_depot(a, thing, out); break;
    case STAGE_SESSIONS: put_session(a, thing, out); break;
    case STAGE_ROOTS: put_root(a, thing, out); break;
    case STAGE_TASKS: return put_tasks(a, thing, out);
    case STAGE_RUNS: put_run(thing, out); break;
    case STAGE_JOBS:
    case STAGE_TOOK: put_took(thing, out); break;
    case STAGE_CANCEL: put_cancel(thing, out); break;
    case STAGE_NAMES: put_names(a, thing, out); break;
    case STAGE_START:
    case STAGE_END: break;
    }
    return n + 1;
}

bool agent_snapshot(const struct agent *a, uint64_t *cursor, struct core_out *out)
{
    enum stage stage = (enum stage)(*cursor >> CURSOR_STAGE);
    uint64_t n = *cursor & ((UINT64_C(1) << CURSOR_STAGE) - 1);
    void *thing;

    if (stage == STAGE_START) {
        put_start(a, out);
        stage++;
    }
    for (size_t i = 0; i < SNAPSHOT_PORTION && stage != STAGE_END; i++) {
        thing = directory_from(directory_of(a, stage), n, &n);
        if (thing) {
            n = put(a, stage, thing, n, out);
        } else {
            stage++;
            n = 0;
        }
        if (stage == STAGE_TASKS)
            i += SNAPSHOT_PORTION / 8; /* each is many */
    }
    *cursor = (uint64_t)stage << CURSOR_STAGE | n;
    return stage != STAGE_END;
}
