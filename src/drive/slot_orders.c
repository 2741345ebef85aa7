#include "drive/slot_inner.h"

#include "base/check.h"

#include <stdlib.h>

void job_free(struct slot *s, struct job *job)
{
    (void)s;
    arena_release(&job->arena);
    free(job);
}

/* Where in the queue it is; NULL: nowhere. */
static struct job **find(struct slot *s, const Tern__Fence *fence)
{
    for (struct job **at = &s->jobs; *at; at = &(*at)->next)
        if ((*at)->fence.task == fence->task && (*at)->fence.attempt == fence->attempt &&
            (*at)->fence.term == fence->term)
            return at;
    return NULL;
}

/* ---------------------------------------------------------------- something to do */

static void take_placing(struct job *job, const Tern__Order *o)
{
    const Tern__Placing *placing = message_copy(&o->placing->base, &job->arena);

    check(placing);
    job->placing = placing;
    job->prepare = o->kind == TERN__ORDER_KIND__ORDER_PREPARE;
    job->awaited = placing->awaited;
    job->input = NULL;
    job->input_end = &job->input;
    for (size_t i = 0; i < placing->n_input; i++)
        job_add_input(job, placing->input[i]);
}

static void add(struct slot *s, const Tern__Order *o)
{
    struct job *job = calloc(1, sizeof *job), **last = &s->jobs;

    check(job);
    tern__fence__init(&job->fence);
    job->fence.task = o->fence->task;
    job->fence.attempt = o->fence->attempt;
    job->fence.term = o->fence->term;
    take_placing(job, o);
    while (*last)
        last = &(*last)->next;
    *last = job;
    s->again = true;
}

static uint64_t checkpoint_of(const Tern__Placing *p)
{
    return p->from ? p->from->n : 0;
}

/* What was to be prepared only is to run, perhaps from a later checkpoint. */
static void run_prepared(struct slot *s, struct job *job, const Tern__Order *o)
{
    const uint64_t before = checkpoint_of(job->placing);

    take_placing(job, o);
    if (job != s->jobs || s->step == JOB_WAITING)
        return;
    if (s->step == JOB_PREPARED && checkpoint_of(job->placing) == before) {
        s->step = JOB_STARTING;
        s->config.engine->calls->start(s->config.engine->self);
        input_begin(s);
    } else if (checkpoint_of(job->placing) != before) {
        slot_stop(s, STOP_AGAIN);
    }
}

/* ---------------------------------------------------------------- something to leave */

static void remove_waiting(struct slot *s, struct job **at, Tern__Report *report)
{
    struct job *job = *at;

    slot_report(s, job, report);
    *at = job->next;
    job_free(s, job);
}

static void recall(struct slot *s, struct job **at)
{
    Tern__Report report = TERN__REPORT__INIT;
    Tern__Returned returned = TERN__RETURNED__INIT;

    returned.why = (char *)"recalled before it began";
    report.what_case = TERN__REPORT__WHAT_RETURNED;
    report.returned = &returned;
    if (*at != s->jobs || s->step == JOB_WAITING)
        remove_waiting(s, at, &report);
    else if (s->step == JOB_FETCHING || s->step == JOB_PREPARING || s->step == JOB_PREPARED)
        slot_stop(s, STOP_RETURNED);
    else if (s->step == JOB_RUNNING)
        slot_tell_begun(s); /* so that it is not waited for */
}

static void stop(struct slot *s, struct job **at)
{
    Tern__Report report = TERN__REPORT__INIT;
    Tern__End end = TERN__END__INIT;

    end.kind = TERN__END_KIND__END_CANCELLED;
    report.what_case = TERN__REPORT__WHAT_END;
    report.end = &end;
    if (*at != s->jobs || s->step == JOB_WAITING)
        remove_waiting(s, at, &report);
    else
        slot_stop(s, STOP_CANCELLED);
}

/* ---------------------------------------------------------------- orders */

static void input(struct slot *s, struct job *job, const Tern__Order *o)
{
    const Tern__MoreInput *more;

    if (!o->input || job_has_input(job, o->input))
        return;
    more = message_copy(&o->input->base, &job->arena);
    check(more);
    job_add_input(job, more);
    if (job == s->jobs)
        input_feed(s);
}

static void move(struct slot *s, struct job **at)
{
    if (*at != s->jobs || s->step < JOB_STARTING) {
        recall(s, at);
        return;
    }
    s->take.move = s->take.wished = true;
}

static void take(struct slot *s, const Tern__Order *o)
{
    struct job **at = o->fence ? find(s, o->fence) : NULL;
    const bool place =
        o->kind == TERN__ORDER_KIND__ORDER_PLACE || o->kind == TERN__ORDER_KIND__ORDER_PREPARE;

    if (place && o->fence && o->placing && o->placing->job && o->placing->task) {
        if (!at)
            add(s, o);
        else if ((*at)->prepare)
            run_prepared(s, *at, o);
        return;
    }
    if (!at)
        return;
    switch ((int)o->kind) {
    case TERN__ORDER_KIND__ORDER_RECALL: recall(s, at); break;
    case TERN__ORDER_KIND__ORDER_STOP: stop(s, at); break;
    case TERN__ORDER_KIND__ORDER_INPUT: input(s, *at, o); break;
    case TERN__ORDER_KIND__ORDER_MOVE: move(s, at); break;
    case TERN__ORDER_KIND__ORDER_CHECKPOINT:
        if (*at == s->jobs && s->step == JOB_RUNNING)
            s->take.wished = true;
        else
            (*at)->wished = true;
        break;
    case TERN__ORDER_KIND__ORDER_AWAITED:
        (*at)->awaited = o->awaited;
        if (*at == s->jobs)
            take_awaited(s);
        break;
    case TERN__ORDER_KIND__ORDER_COMMITTED:
        if (*at == s->jobs)
            take_committed(s, o->checkpoint);
        break;
    default: break; /* of a later version */
    }
}

void slot_orders(struct slot *s, const Tern__SlotWork *work)
{
    for (size_t i = 0; i < work->n_orders; i++)
        take(s, work->orders[i]);
}
