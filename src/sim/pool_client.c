/* Users: each asks for its jobs when these are due, and notes what became of them. */
#include "sim/pool_inner.h"

#include "base/check.h"
#include "sim/pool_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct client_job { /* for one process of a client */
    struct pool_client *client;
    struct work_job *job;
    uint64_t life; /* events of an earlier process are void */
    struct client_watch *watch;
    size_t uploaded; /* module first, then the inputs that are blobs */
    struct pool_upload *upload;
};

static void go_on(struct client_job *c);

static struct work_task *task_of(const struct client_job *c, size_t i)
{
    return &c->client->pool->work.tasks[c->job->first + i];
}

static size_t index_of(const struct client_job *c)
{
    return (size_t)(c->job - c->client->pool->work.jobs);
}

static void tell(const struct client_job *c, const char *what)
{
    sim_tell(&c->client->pool->sim, TRACE_SAYS, sim_part_name(c->client->part), index_of(c),
             c->job->number, what);
}

/* ---- What became of it ---- */

/* All but which depots have it now. */
static uint64_t hash_of(const Tern__End *given)
{
    Tern__End end = *given;
    uint64_t hash;
    uint8_t *packed;
    size_t size;

    end.n_depots = 0;
    end.depots = NULL;
    size = tern__end__get_packed_size(&end);
    packed = sim_new(size, 1);
    tern__end__pack(&end, packed);
    hash = xxh64_of(packed, size, 0);
    free(packed);
    return hash;
}

static void count_end(struct client_job *c, struct work_task *t, const Tern__TaskSeen *seen)
{
    struct pool_sim_result *r = c->client->pool->result;

    if (seen->state == TERN__TASK_STATE__TASK_DONE)
        r->done++;
    else
        r->other_ends++;
    t->ended = true;
    if (++c->job->ended == c->job->count) {
        c->job->state = WORK_OVER;
        tell(c, "is over");
    }
}

static void on_ended(struct client_job *c, struct work_task *t, const Tern__TaskSeen *seen)
{
    struct pool *p = c->client->pool;
    const uint64_t hash = seen->end ? hash_of(seen->end) : 0;
    const Tern__Content *output =
        seen->end && seen->end->results ? seen->end->results->output : NULL;
    struct view here = output ? view_of(output->here.data, output->here.len) : (struct view){0};
    const bool is_here = !output || !output->blob;
    const char *wrong = pool_work_wrong(c->job, t, seen, is_here ? &here : NULL);

    if (wrong)
        pool_wrong(p, "task %llu of job %llu: %s", (unsigned long long)seen->task,
                   (unsigned long long)seen->job, wrong);
    if (t->ended && hash != t->end_hash)
        pool_wrong(p, "task %llu: its end has changed since it was told first",
                   (unsigned long long)seen->task);
    t->end_hash = hash;
    t->ends++;
    if (!t->ended)
        count_end(c, t, seen);
    if (!is_here && !wrong && seen->state == TERN__TASK_STATE__TASK_DONE)
        pool_data_verify(c->client, t, seen);
}

static void on_seen(void *context, const Tern__TaskSeen *seen)
{
    struct client_job *c = context;
    const struct work_task *first = task_of(c, 0);
    const uint64_t i = seen->task - first->number;

    if (i >= c->job->count) {
        pool_wrong(c->client->pool, "a client was told of task %llu, which is not of its job",
                   (unsigned long long)seen->task);
        return;
    }
    if (seen->state == TERN__TASK_STATE__TASK_DONE ||
        seen->state == TERN__TASK_STATE__TASK_FAILED ||
        seen->state == TERN__TASK_STATE__TASK_CANCELLED)
        on_ended(c, task_of(c, (size_t)i), seen);
}

static void on_watch_refused(void *context, enum tern_err err, const char *why)
{
    struct client_job *c = context;

    c->watch = NULL;
    if (err == TERN_ENOENT)
        pool_wrong(c->client->pool, "job %llu was acknowledged, and is not known any more: %s",
                   (unsigned long long)c->job->number, why);
}

static void watch(struct client_job *c)
{
    Tern__Which which = TERN__WHICH__INIT;
    const struct client_watch_order order = {.which = which,
                                             .ends_only = true,
                                             .context = c,
                                             .seen = on_seen,
                                             .refused = on_watch_refused};
    struct client_watch_order with = order;

    with.which.job = c->job->number;
    c->watch = client_watch(c->client->drive, &with);
    check(c->watch);
}

/* ---- Asking for it ---- */

static void on_submitted(void *context, const Tern__Envelope *answer, enum tern_err err,
                         const char *why)
{
    struct client_job *c = context;
    const Tern__Submitted *s =
        answer && answer->body_case == TERN__ENVELOPE__BODY_SUBMITTED ? answer->submitted : NULL;

    (void)err;
    if (!s) {
        tell(c, why ? why : "is refused");
        c->job->state = WORK_DUE;
        if (err != TERN_EEXPIRED)
            pool_wrong(c->client->pool, "a job was refused: %s", why ? why : "no reason was given");
        return;
    }
    c->job->number = s->job;
    c->job->state = WORK_KNOWN;
    for (size_t i = 0; i < c->job->count; i++)
        task_of(c, i)->number = s->first + i;
    if (s->count != c->job->count)
        pool_wrong(c->client->pool, "%zu tasks were submitted, %llu accepted", c->job->count,
                   (unsigned long long)s->count);
    tell(c, "is acknowledged");
    watch(c);
    go_on(c);
}

static void submit(struct client_job *c)
{
    struct data_submit s;
    Tern__Envelope e = TERN__ENVELOPE__INIT;

    pool_data_submit_make(&s, c->client->pool, c->job);
    e.body_case = TERN__ENVELOPE__BODY_SUBMIT;
    e.submit = &s.submit;
    c->job->state = WORK_ASKING;
    tell(c, "is asked for");
    check(client_ask(c->client->drive, &e, on_submitted, c) != 0);
    pool_data_submit_release(&s);
}

static void on_done(void *context, const Tern__Envelope *answer, enum tern_err err, const char *why)
{
    struct client_job *c = context;

    (void)answer;
    if (err && err != TERN_ENOENT && err != TERN_EEXPIRED)
        tell(c, why);
}

static void cancel(struct client_job *c)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Cancel cancel = TERN__CANCEL__INIT;
    Tern__Which which = TERN__WHICH__INIT;

    which.job = c->job->number;
    cancel.which = &which;
    e.body_case = TERN__ENVELOPE__BODY_CANCEL;
    e.cancel = &cancel;
    c->job->cancel_sent = true;
    tell(c, "is to be cancelled");
    check(client_ask(c->client->drive, &e, on_done, c) != 0);
}

/* The rest of its standard input. A client that is started again says it again: no harm. */
static void more_input(struct client_job *c, struct work_task *t)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__MoreInput more = TERN__MORE_INPUT__INIT;
    Tern__Content content = TERN__CONTENT__INIT;

    more.task = t->number;
    more.offset = t->input_now;
    more.content = &content;
    more.end = true;
    content.here.len = t->input.size - (size_t)t->input_now;
    content.here.data = t->input.data + t->input_now;
    if (content.here.len > LIMIT_HERE) {
        content.here.len = LIMIT_HERE;
        more.end = false;
    }
    e.body_case = TERN__ENVELOPE__BODY_MORE_INPUT;
    e.more_input = &more;
    check(client_ask(c->client->drive, &e, on_done, c) != 0);
    if (more.end)
        return;
    more.offset += LIMIT_HERE;
    content.here.data += LIMIT_HERE;
    content.here.len = t->input.size - (size_t)more.offset;
    more.end = true;
    check(client_ask(c->client->drive, &e, on_done, c) != 0);
}

/* ---- In order ---- */

/* Everything that it is given the outputs of is known to the agent. */
static bool upstream_known(const struct client_job *c)
{
    for (size_t i = 0; i < c->job->count; i++) {
        const struct work_task *t = task_of(c, i);

        for (size_t k = 0; k < t->from_count; k++)
            if (!c->client->pool->work.tasks[t->from[k]].number)
                return false;
    }
    return true;
}

static void event(void *context, uint64_t life);

static void on_uploaded(void *context, bool there)
{
    struct client_job *c = context;

    c->upload = NULL;
    c->uploaded += there;
    go_on(c);
}

static void go_on_known(struct client_job *c)
{
    for (size_t i = 0; i < c->job->count; i++)
        if (task_of(c, i)->input_now < task_of(c, i)->input.size)
            more_input(c, task_of(c, i));
    if (c->job->cancel_ns < INT64_MAX)
        sim_at(&c->client->pool->sim, c->job->cancel_ns, event, c, c->life);
}

static void go_on(struct client_job *c)
{
    struct view next;

    if (c->job->state == WORK_KNOWN) {
        go_on_known(c);
        return;
    }
    if (c->job->state == WORK_OVER || c->job->state == WORK_ASKING || c->upload)
        return;
    if (!upstream_known(c)) {
        sim_in(&c->client->pool->sim, 50 * MS, event, c, c->life);
    } else if (pool_data_to_upload(c->client->pool, c->job, c->uploaded, &next)) {
        c->job->state = WORK_UPLOADING;
        c->upload = pool_data_upload(c->client, next, on_uploaded, c);
    } else {
        submit(c);
    }
}

static void event(void *context, uint64_t life)
{
    struct client_job *c = context;

    if (c->life != life || sim_part_dead(c->client->part))
        return;
    if (c->job->state != WORK_KNOWN)
        go_on(c);
    else if (!c->job->cancel_sent && c->client->pool->sim.now_ns >= c->job->cancel_ns)
        cancel(c);
}

/* ---- Life ---- */

static void begin_job(struct client_job *c)
{
    c->life++;
    c->watch = NULL;
    c->upload = NULL;
    c->uploaded = 0;
    if (c->job->state == WORK_UPLOADING || c->job->state == WORK_ASKING)
        c->job->state = WORK_DUE; /* nobody said that it is known: asked for again */
    if (c->job->number)
        watch(c);
    if (c->job->state == WORK_KNOWN)
        go_on(c);
    else if (c->job->state == WORK_DUE)
        sim_at(&c->client->pool->sim, c->job->due_ns, event, c, c->life);
}

static void start_jobs(struct pool_client *c)
{
    struct pool *p = c->pool;
    const size_t me = (size_t)(c - p->clients);

    if (!c->jobs)
        c->jobs = sim_new(p->work.job_count, sizeof *c->jobs);
    for (size_t i = 0; i < p->work.job_count; i++) {
        c->jobs[i].client = c;
        c->jobs[i].job = &p->work.jobs[i];
        if (p->work.jobs[i].client == me)
            begin_job(&c->jobs[i]);
    }
}

void pool_client_start_part(struct pool_client *c)
{
    static const char *const agent[] = {POOL_AGENT_ENDPOINT};
    struct client_config config = {.world = &c->world,
                                   .endpoints = agent,
                                   .endpoint_count = 1,
                                   .token = c->pool->token,
                                   .owner = c->name,
                                   .context = c};
    struct handlers handlers = links_handlers;

    c->part = sim_part_new(c->host, "client", c->name);
    c->world = sim_part_world(c->part);
    c->drive = client_new(&config);
    check(c->drive);
    handlers.context = client_links(c->drive);
    sim_part_handle(c->part, &handlers);
    pool_data_client_start(c);
    client_start(c->drive);
    start_jobs(c);
}

void pool_client_kill(struct pool_client *c)
{
    if (!c->drive)
        return;
    sim_part_kill(c->part);
    pool_data_client_stop(c);
    client_free(c->drive);
    c->drive = NULL;
}
