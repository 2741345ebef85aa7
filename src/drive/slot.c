#include "drive/slot_inner.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- reports */

void slot_report(struct slot *s, const struct job *job, Tern__Report *report)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__SlotAsk ask = TERN__SLOT_ASK__INIT;
    Tern__Report *list[] = {report};

    report->fence = (Tern__Fence *)&job->fence; /* protobuf-c does not know const */
    ask.reports = list;
    ask.n_reports = 1;
    e.body_case = TERN__ENVELOPE__BODY_SLOT_ASK;
    e.slot_ask = &ask;
    if (s->node_up)
        links_send(s->links, s->node, &e, (struct view){0});
}

void slot_tell_begun(struct slot *s)
{
    Tern__Report report = TERN__REPORT__INIT;
    Tern__Begun begun = TERN__BEGUN__INIT;
    const struct job *job = s->jobs;

    s->begun_due_ns = INT64_MAX;
    if (s->begun_told)
        return;
    s->begun_told = true;
    begun.from = job->placing->from ? job->placing->from->n : 0;
    begun.start_ns = (uint64_t)(s->began_ns - s->given_ns);
    report.what_case = TERN__REPORT__WHAT_BEGUN;
    report.begun = &begun;
    slot_report(s, job, &report);
}

static void tell_returned(struct slot *s, const struct job *job)
{
    Tern__Report report = TERN__REPORT__INIT;
    Tern__Returned returned = TERN__RETURNED__INIT;

    returned.why = (char *)"recalled before it began";
    report.what_case = TERN__REPORT__WHAT_RETURNED;
    report.returned = &returned;
    slot_report(s, job, &report);
}

static void tell_prepared(struct slot *s, const struct job *job)
{
    Tern__Report report = TERN__REPORT__INIT;
    Tern__Prepared prepared = TERN__PREPARED__INIT;

    prepared.checkpoint = job->placing->from ? job->placing->from->n : 0;
    report.what_case = TERN__REPORT__WHAT_PREPARED;
    report.prepared = &prepared;
    slot_report(s, job, &report);
}

/* ---------------------------------------------------------------- the end of an attempt */

void slot_over(struct slot *s)
{
    struct job *job = s->jobs;

    save_release(s);
    take_release(s);
    input_release(s);
    fetch_release(s);
    stream_release(&s->stream[0]);
    stream_release(&s->stream[1]);
    free(s->domain);
    s->domain = NULL;
    s->begun_due_ns = s->tail_due_ns = INT64_MAX;
    s->step = JOB_WAITING;
    s->jobs = job->next;
    job_free(s, job);
    s->again = true;
}

void slot_end_with(struct slot *s, Tern__EndKind kind, const char *text)
{
    Tern__Report report = TERN__REPORT__INIT;
    Tern__End end = TERN__END__INIT;

    end.kind = kind;
    end.text = (char *)text;
    end.wall_ns = s->began_ns ? (uint64_t)(slot_now(s) - s->began_ns) : 0;
    report.what_case = TERN__REPORT__WHAT_END;
    report.end = &end;
    slot_report(s, s->jobs, &report);
    slot_over(s);
}

static void stopped(struct slot *s)
{
    struct job *job = s->jobs;

    switch (s->stop) {
    case STOP_CANCELLED: slot_end_with(s, TERN__END_KIND__END_CANCELLED, "stopped"); break;
    case STOP_BROKEN: slot_end_with(s, TERN__END_KIND__END_BROKEN, s->why); break;
    case STOP_RETURNED:
        tell_returned(s, job);
        slot_over(s);
        break;
    case STOP_AGAIN:
        s->step = JOB_WAITING;
        s->again = true;
        break;
    }
}

void slot_stop(struct slot *s, enum job_stop stop)
{
    if (s->step == JOB_STOPPING) {
        if (stop == STOP_CANCELLED || s->stop == STOP_AGAIN)
            s->stop = stop;
        return;
    }
    s->stop = stop;
    input_release(s);
    take_release(s);
    save_release(s);
    if (stop == STOP_AGAIN)
        carry_free_all(s->depots); /* what it has may serve again */
    else
        fetch_release(s);
    if (s->engine_busy) {
        s->step = JOB_STOPPING;
        s->config.engine->calls->stop(s->config.engine->self);
    } else {
        stopped(s);
    }
}

void slot_broken(struct slot *s, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(s->why, sizeof s->why, format, args);
    va_end(args);
    slot_stop(s, STOP_BROKEN);
}

/* ---------------------------------------------------------------- what the engine tells */

static void on_prepared(void *context, enum tern_err err, const char *why)
{
    struct slot *s = context;

    if (s->step != JOB_PREPARING)
        return;
    if (err) {
        s->engine_busy = false;
        slot_end_with(
            s, err == TERN_EINVALID ? TERN__END_KIND__END_REFUSED : TERN__END_KIND__END_BROKEN,
            why && *why ? why : tern_err_text(err));
    } else if (s->jobs->prepare) {
        s->step = JOB_PREPARED;
        tell_prepared(s, s->jobs);
    } else {
        s->step = JOB_STARTING;
        s->config.engine->calls->start(s->config.engine->self);
        input_begin(s);
    }
    slot_settle(s);
}

static void on_began(void *context)
{
    struct slot *s = context;

    if (s->step != JOB_STARTING)
        return;
    s->step = JOB_RUNNING;
    s->began_ns = slot_now(s);
    s->begun_due_ns = s->began_ns + BEGUN_DELAY_NS;
    take_begin(s);
    slot_settle(s);
}

static void on_output(void *context, int stream, struct view bytes)
{
    struct slot *s = context;
    enum tern_err err;

    if (s->step != JOB_STARTING && s->step != JOB_RUNNING)
        return;
    check(stream == 1 || stream == 2);
    err = stream_add(&s->stream[stream - 1], bytes);
    if (err)
        slot_broken(s, "what it writes cannot be kept on this machine: %s", tern_err_text(err));
    else if (s->tail_due_ns == INT64_MAX)
        s->tail_due_ns = slot_now(s) + TAIL_DELAY_NS;
    take_awaited(s);
    slot_settle(s);
}

static void on_wants_input(void *context)
{
    struct slot *s = context;

    s->input.wanted = true;
    input_feed(s);
    slot_settle(s);
}

static void on_checkpointed(void *context, const struct engine_checkpoint *c)
{
    struct slot *s = context;

    if (c->last)
        s->engine_busy = false;
    if (s->step == JOB_RUNNING)
        take_made(s, c);
    else if (c->last && s->step == JOB_STOPPING)
        stopped(s);
    slot_settle(s);
}

static void on_not_checkpointed(void *context, bool last, const char *why)
{
    struct slot *s = context;

    if (s->step == JOB_RUNNING)
        take_not_made(s, last, why);
    slot_settle(s);
}

static void on_ended(void *context, const struct engine_end *end)
{
    struct slot *s = context;

    s->engine_busy = false;
    if (s->step == JOB_STOPPING)
        stopped(s);
    else if (s->step != JOB_WAITING)
        save_begin(s, end);
    slot_settle(s);
}

/* ---------------------------------------------------------------- what links tell */

static void on_up(void *context, link_id link, const Tern__Hello *hello, const char *owner)
{
    struct slot *s = context;

    (void)hello;
    (void)owner;
    if (link == s->node)
        s->node_up = true;
    else
        carry_up(s->depots, link);
    slot_settle(s);
}

static void on_message(void *context, link_id link, const Tern__Envelope *e, struct view attachment)
{
    struct slot *s = context;

    if (link != s->node)
        carry_message(s->depots, link, e, attachment);
    else if (e->body_case == TERN__ENVELOPE__BODY_SLOT_WORK)
        slot_orders(s, e->slot_work);
    slot_settle(s);
}

static void on_down(void *context, link_id link, enum tern_err err, const char *why)
{
    struct slot *s = context;

    if (link == s->node) {
        s->node_up = false;
        s->config.over(s->config.context, why ? why : "");
        return;
    }
    carry_down(s->depots, link, err, why);
    slot_settle(s);
}

static void on_drained(void *context, link_id link)
{
    struct slot *s = context;

    carry_drained(s->depots, link);
    tail_send(s);
    slot_settle(s);
}

static void on_woke(void *context)
{
    slot_settle(context);
}

/* ---------------------------------------------------------------- going on */

static void set_alarm(struct slot *s)
{
    const int64_t due[] = {s->begun_due_ns, s->tail_due_ns, take_wake(s), carry_wake(s->depots),
                           s->saving.retry_ns ? s->saving.retry_ns : INT64_MAX};
    int64_t at = INT64_MAX;

    for (size_t i = 0; i < sizeof due / sizeof *due; i++)
        if (due[i] < at)
            at = due[i];
    links_wake(s->links, at, on_woke);
}

void slot_settle(struct slot *s)
{
    const int64_t now = slot_now(s);

    do {
        s->again = false;
        if (s->jobs && s->step == JOB_WAITING)
            fetch_begin(s);
        if (s->begun_due_ns <= now)
            slot_tell_begun(s);
        if (s->tail_due_ns <= now)
            tail_send(s);
        input_feed(s);
        take_due(s);
        save_due(s);
        carry_tick(s->depots);
    } while (s->again);
    set_alarm(s);
}

/* ---------------------------------------------------------------- life */

struct slot *slot_new(const struct slot_config *config)
{
    struct slot *s = calloc(1, sizeof *s);
    const struct links_config links = {.world = config->world,
                                       .part = TERN__PART__PART_SLOT,
                                       .name = "slot",
                                       .token = config->token,
                                       .context = s,
                                       .up = on_up,
                                       .message = on_message,
                                       .down = on_down,
                                       .drained = on_drained};

    if (!s)
        return NULL;
    s->config = *config;
    s->links = links_new(&links);
    s->depots = s->links ? depots_new(s->links) : NULL;
    if (!s->depots) {
        links_free(s->links);
        free(s);
        return NULL;
    }
    s->begun_due_ns = s->tail_due_ns = INT64_MAX;
    config->engine->context = s;
    config->engine->prepared = on_prepared;
    config->engine->began = on_began;
    config->engine->output = on_output;
    config->engine->wants_input = on_wants_input;
    config->engine->checkpointed = on_checkpointed;
    config->engine->not_checkpointed = on_not_checkpointed;
    config->engine->ended = on_ended;
    return s;
}

void slot_free(struct slot *s)
{
    if (!s)
        return;
    while (s->jobs) {
        struct job *job = s->jobs;

        if (s->step != JOB_WAITING) {
            slot_over(s);
            continue;
        }
        s->jobs = job->next;
        job_free(s, job);
    }
    for (size_t i = 0; i < s->held_count; i++)
        free(s->held[i].domain);
    depots_free(s->depots);
    links_free(s->links);
    free(s);
}

struct links *slot_links(struct slot *s)
{
    return s->links;
}

void slot_begin(struct slot *s, link_id node)
{
    fetch_forget_all(s);
    s->node = node;
    links_joined(s->links, node, "its node");
}
