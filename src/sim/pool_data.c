#include "sim/pool_data.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOMAIN "mine" /* in a client's own memory */

struct pool_upload {
    struct pool_upload *next;
    struct pool_client *client;
    struct chunks_root root;
    uint64_t size;
    struct errand *errand;
    bool waiting; /* to ask again */
    void (*done)(void *context, bool there);
    void *context;
};

struct download {
    struct download *next;
    struct pool_client *client;
    const struct work_task *task;
    struct errand *errand;
    bool waiting; /* to fetch again */
    struct bytes got;
    Tern__TaskSeen *seen;
    struct arena arena;
    unsigned tries;
};

struct client_data { /* of one process of a client */
    struct chunks_mem *store;
    struct transfer_domain domain;
    struct pool_upload *uploads;
    struct download *downloads;
};

/* ---- Requests ---- */

static void *room(struct data_submit *s, size_t count, size_t size)
{
    void *p = arena_new(&s->arena, count ? count : 1, size);

    check(p);
    return p;
}

static char *text(struct data_submit *s, const char *from)
{
    return memcpy(room(s, strlen(from) + 1, 1), from, strlen(from) + 1);
}

static ProtobufCBinaryData binary(struct data_submit *s, struct view from)
{
    uint8_t *data = room(s, from.size, 1);

    if (from.size)
        memcpy(data, from.data, from.size);
    return (ProtobufCBinaryData){.len = from.size, .data = data};
}

static Tern__Blob *blob(struct data_submit *s, struct view bytes)
{
    Tern__Blob *b = room(s, 1, sizeof *b);
    const struct store_name name = store_name_of(bytes);

    tern__blob__init(b);
    b->sha256 = binary(s, view_of(name.bytes, sizeof name.bytes));
    b->size = bytes.size;
    b->kind = CHUNK_LEAF;
    return b;
}

static Tern__Content *content(struct data_submit *s, struct view bytes)
{
    Tern__Content *c = room(s, 1, sizeof *c);

    tern__content__init(c);
    if (bytes.size > LIMIT_HERE)
        c->blob = blob(s, bytes);
    else
        c->here = binary(s, bytes);
    return c;
}

static Tern__Program *program(struct data_submit *s, const struct work_job *j,
                              const struct work_task *t)
{
    Tern__Program *p = room(s, 1, sizeof *p);
    size_t count;
    char **args = pool_work_args(t, &count);

    tern__program__init(p);
    p->module = blob(s, bytes_view(&j->module));
    p->name = text(s, "count");
    p->n_args = count;
    p->args = room(s, count, sizeof(char *));
    for (size_t i = 0; i < count; i++)
        p->args[i] = text(s, args[i]);
    pool_work_args_free(args, count);
    return p;
}

static Tern__Job *job(struct data_submit *s, const struct work_job *j, const struct work_task *t)
{
    Tern__Job *job = room(s, 1, sizeof *job);

    tern__job__init(job);
    job->label = text(s, "simulated");
    job->work = room(s, 1, sizeof *job->work);
    tern__work__init(job->work);
    job->work->program = program(s, j, t);
    job->requirements = room(s, 1, sizeof *job->requirements);
    tern__requirements__init(job->requirements);
    job->policy = room(s, 1, sizeof *job->policy);
    tern__policy__init(job->policy);
    job->policy->checkpoint_every_ns = 2 * SECOND;
    return job;
}

static Tern__Input *promised(struct data_submit *s, const struct pool *p, const struct work_task *t,
                             size_t i)
{
    Tern__Input *in = room(s, 1, sizeof *in);
    char path[16];

    snprintf(path, sizeof path, "in%zu", i);
    tern__input__init(in);
    in->path = text(s, path);
    in->promise = room(s, 1, sizeof *in->promise);
    tern__promise__init(in->promise);
    in->promise->task = p->work.tasks[t->from[i]].number;
    in->promise->output = text(s, t->from_file[i] ? "result" : "");
    return in;
}

static Tern__Task *task(struct data_submit *s, const struct pool *p, const struct work_task *t)
{
    Tern__Task *task = room(s, 1, sizeof *task);

    tern__task__init(task);
    task->item = text(s, t->item ? t->item : "");
    task->input = content(s, view_of(t->input.data, (size_t)t->input_now));
    task->open_input = t->input_now < t->input.size;
    task->n_inputs = t->from_count;
    task->inputs = room(s, t->from_count, sizeof(Tern__Input *));
    for (size_t i = 0; i < t->from_count; i++)
        task->inputs[i] = promised(s, p, t, i);
    task->n_outputs = t->makes_file;
    task->outputs = room(s, 1, sizeof(Tern__Output *));
    task->outputs[0] = room(s, 1, sizeof(Tern__Output));
    tern__output__init(task->outputs[0]);
    task->outputs[0]->path = text(s, "result");
    return task;
}

void pool_data_submit_make(struct data_submit *s, struct pool *p, const struct work_job *j)
{
    *s = (struct data_submit){0};
    tern__submit__init(&s->submit);
    s->submit.job = job(s, j, &p->work.tasks[j->first]);
    s->submit.n_tasks = j->count;
    s->submit.tasks = room(s, j->count, sizeof(Tern__Task *));
    for (size_t i = 0; i < j->count; i++)
        s->submit.tasks[i] = task(s, p, &p->work.tasks[j->first + i]);
}

void pool_data_submit_release(struct data_submit *s)
{
    arena_release(&s->arena);
}

bool pool_data_to_upload(const struct pool *p, const struct work_job *j, size_t n, struct view *out)
{
    *out = bytes_view(&j->module);
    for (size_t i = 0; i < j->count && n; i++) {
        const struct work_task *t = &p->work.tasks[j->first + i];

        if (t->input_now > LIMIT_HERE && --n == 0)
            *out = view_of(t->input.data, (size_t)t->input_now);
    }
    return n == 0;
}

/* ---- Bringing ---- */

static struct client_data *data_of(const struct pool_client *c)
{
    return c->data;
}

static void upload_over(struct pool_upload *u)
{
    struct pool_upload **at = &data_of(u->client)->uploads;

    while (*at != u)
        at = &(*at)->next;
    *at = u->next;
    errand_free(u->errand);
    u->done(u->context, true);
    free(u);
}

static void ask_depots(struct pool_upload *u);

static void ask_again(void *context, uint64_t unused)
{
    struct pool_upload *u = context;

    (void)unused;
    u->waiting = false;
    if (u->client)
        ask_depots(u);
    else
        free(u); /* its client was killed meanwhile */
}

/* No depot is there, or none took it: they will come back. */
static void retry(struct pool_upload *u, enum tern_err err, const char *why)
{
    sim_tell(&u->client->pool->sim, TRACE_SAYS, sim_part_name(u->client->part), err, 0, why);
    errand_free(u->errand);
    u->errand = NULL;
    u->waiting = true;
    sim_in(&u->client->pool->sim, SECOND, ask_again, u, 0);
}

static void on_put(void *context, enum tern_err err, const char *why)
{
    struct pool_upload *u = context;

    if (err)
        retry(u, err, why);
    else
        upload_over(u);
}

static void on_depots(void *context, const Tern__Envelope *answer, enum tern_err err,
                      const char *why)
{
    struct pool_upload *u = context;
    struct errand_order order = {.root = u->root,
                                 .size = u->size,
                                 .source = transfer_from_domain(&data_of(u->client)->domain),
                                 .copies = 2,
                                 .context = u,
                                 .done = on_put};

    if (!answer || answer->body_case != TERN__ENVELOPE__BODY_DEPOTS || !answer->depots->n_depots) {
        retry(u, err, why ? why : "there are no depots");
        return;
    }
    order.depots = answer->depots->depots;
    order.depot_count = answer->depots->n_depots;
    u->errand = courier_put(client_courier(u->client->drive), &order);
    check(u->errand);
}

static void ask_depots(struct pool_upload *u)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__AskDepots ask = TERN__ASK_DEPOTS__INIT;
    Tern__Blob wanted = TERN__BLOB__INIT;

    wanted.sha256 =
        (ProtobufCBinaryData){.len = sizeof u->root.name.bytes, .data = u->root.name.bytes};
    wanted.size = u->size;
    wanted.kind = u->root.kind;
    ask.size = u->size;
    ask.blob = &wanted;
    e.body_case = TERN__ENVELOPE__BODY_ASK_DEPOTS;
    e.ask_depots = &ask;
    check(client_ask(u->client->drive, &e, on_depots, u) != 0);
}

struct pool_upload *pool_data_upload(struct pool_client *c, struct view bytes,
                                     void (*done)(void *context, bool there), void *context)
{
    struct pool_upload *u = sim_new(1, sizeof *u);
    struct client_data *d = data_of(c);
    struct chunks *chunks = chunks_mem_chunks(d->store);
    const struct store_stored stored = {
        .codec = CODEC_PLAIN, .plain_size = (uint32_t)bytes.size, .bytes = bytes};

    *u = (struct pool_upload){.next = d->uploads,
                              .client = c,
                              .root = {.name = store_name_of(bytes), .kind = CHUNK_LEAF},
                              .size = bytes.size,
                              .done = done,
                              .context = context};
    d->uploads = u;
    check(chunks->calls->put(chunks->self, DOMAIN, &u->root.name, &stored) == TERN_OK);
    ask_depots(u);
    return u;
}

/* ---- Fetching ---- */

enum { VERIFY_TRIES = 60 };

static void fetch(struct download *d);

static void download_free(struct download *d)
{
    struct download **at = &data_of(d->client)->downloads;

    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    errand_free(d->errand);
    bytes_release(&d->got);
    arena_release(&d->arena);
    free(d);
}

static void fetch_again(void *context, uint64_t unused)
{
    struct download *d = context;

    (void)unused;
    if (d->client) {
        fetch(d);
        return;
    }
    arena_release(&d->arena);
    free(d);
}

static enum tern_err on_bytes(void *context, struct view bytes, const char **why)
{
    struct download *d = context;

    (void)why;
    bytes_append(&d->got, bytes.data, bytes.size);
    return bytes_ok(&d->got) ? TERN_OK : TERN_ENOMEM;
}

static void on_fetched(void *context, enum tern_err err, const char *why)
{
    struct download *d = context;
    struct pool *p = d->client->pool;

    errand_free(d->errand);
    d->errand = NULL;
    if (err && ++d->tries < VERIFY_TRIES) {
        d->waiting = true;
        bytes_clear(&d->got);
        sim_in(&p->sim, 5 * SECOND, fetch_again, d, 0);
        return;
    }
    if (err)
        pool_wrong(p, "the output of task %llu cannot be fetched: %s",
                   (unsigned long long)d->seen->task, why);
    else if (!view_equal(bytes_view(&d->got), bytes_view(&d->task->output)))
        pool_wrong(p, "the output of task %llu, %zu bytes, is not that of a quiet run",
                   (unsigned long long)d->seen->task, d->got.size);
    download_free(d);
}

static void fetch(struct download *d)
{
    const Tern__Blob *b = d->seen->end->results->output->blob;
    struct errand_order order = {.depots = d->seen->depots,
                                 .depot_count = d->seen->n_depots,
                                 .root = {.kind = b->kind},
                                 .size = b->size,
                                 .bytes = on_bytes,
                                 .context = d,
                                 .done = on_fetched};

    d->waiting = false;
    check(b->sha256.len == sizeof order.root.name.bytes);
    memcpy(order.root.name.bytes, b->sha256.data, b->sha256.len);
    d->errand = courier_get(client_courier(d->client->drive), &order);
    check(d->errand);
}

void pool_data_verify(struct pool_client *c, const struct work_task *t, const Tern__TaskSeen *seen)
{
    struct download *d;

    if (!seen->n_depots) {
        pool_wrong(c->pool, "the output of task %llu is in no depot (its end names %zu)",
                   (unsigned long long)seen->task, seen->end->n_depots);
        return;
    }
    d = sim_new(1, sizeof *d);
    *d = (struct download){.next = data_of(c)->downloads, .client = c, .task = t};
    data_of(c)->downloads = d;
    d->seen = message_copy(&seen->base, &d->arena);
    check(d->seen);
    fetch(d);
}

size_t pool_data_pending(const struct pool_client *c)
{
    size_t count = 0;

    for (const struct download *d = c->data ? data_of(c)->downloads : NULL; d; d = d->next)
        count++;
    return count;
}

/* ---- Life ---- */

void pool_data_client_start(struct pool_client *c)
{
    struct client_data *d = sim_new(1, sizeof *d);

    d->store = chunks_mem_new(0);
    d->domain = (struct transfer_domain){.chunks = chunks_mem_chunks(d->store), .domain = DOMAIN};
    c->data = d;
}

/* What an event still points to is freed by that. */
static void forget_upload(struct pool_upload *u)
{
    errand_free(u->errand);
    u->errand = NULL;
    u->client = NULL;
    if (!u->waiting)
        free(u);
}

static void forget_download(struct download *d)
{
    errand_free(d->errand);
    d->errand = NULL;
    bytes_release(&d->got);
    d->client = NULL;
    if (d->waiting)
        return;
    arena_release(&d->arena);
    free(d);
}

void pool_data_client_stop(struct pool_client *c)
{
    struct client_data *d = data_of(c);

    for (struct pool_upload *u = d->uploads, *next; u; u = next) {
        next = u->next;
        forget_upload(u);
    }
    for (struct download *l = d->downloads, *next; l; l = next) {
        next = l->next;
        forget_download(l);
    }
    chunks_mem_free(d->store);
    free(d);
    c->data = NULL;
}
