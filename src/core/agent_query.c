#include "core/agent_inner.h"

#include "base/check.h"

#include <string.h>

enum { QUERY_LOOKED = 65536, QUERY_REASONS = 16, QUERY_BYTES = 2 << 20 };

/* ---------------------------------------------------------------- a task */

enum { SEEN_DEPOTS = 16 };

struct found { /* depots, each once */
    const struct depot *at[SEEN_DEPOTS];
    size_t count;
    bool away; /* look for those that are not here: they may come back */
};

static void find_depot(struct found *f, const struct depot *d)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->at[i] == d)
            return;
    if (!d->peer == f->away && d->endpoint_count && f->count < SEEN_DEPOTS)
        f->at[f->count++] = d;
}

static void find_root(struct found *f, const struct root *r)
{
    for (const struct copy *c = r ? r->copies : NULL; c; c = c->next)
        find_depot(f, c->depot);
}

static void find_content(const struct agent *a, const struct task *t, const Tern__Content *c,
                         struct found *f)
{
    if (c && c->blob && c->blob->sha256.len == 32)
        find_root(f, root_find(a, t->job->owner, c->blob->sha256.data));
}

static void find_results(const struct agent *a, const struct task *t, const Tern__Results *r,
                         struct found *f)
{
    if (!r)
        return;
    find_content(a, t, r->output, f);
    find_content(a, t, r->error, f);
    for (size_t i = 0; i < r->n_files; i++)
        find_content(a, t, r->files[i]->content, f);
}

static void find_running(const struct task *t, struct found *f)
{
    const struct checkpoint *c = task_checkpoint(t);

    find_root(f, c ? c->root : NULL);
    for (size_t i = 0; i < t->run->depot_count; i++)
        find_depot(f, t->run->depots[i]);
}

static void seen_depots(const struct agent *a, const struct task *t, Tern__TaskSeen *seen,
                        struct core_out *out)
{
    const struct run *r = t->run;
    struct found f = {0};

    for (int pass = 0; pass < 2; pass++, f.away = true) {
        if (task_ended(t))
            find_results(a, t, seen->end->results, &f);
        else
            find_running(t, &f);
    }
    seen->depots = core_new(out, f.count, sizeof *seen->depots);
    for (size_t i = 0; i < f.count; i++)
        seen->depots[seen->n_depots++] = depot_at(a, f.at[i], t->job->owner, RIGHT_READ, NULL, out);
    if (t->node && r->depot_count && r->depots[0]->peer)
        seen->tail = depot_at(a, r->depots[0], t->job->owner, RIGHT_READ, NULL, out);
}

static void seen_run(const struct agent *a, const struct task *t, bool results,
                     Tern__TaskSeen *seen, struct core_out *out)
{
    const struct run *r = t->run;
    const struct attempt *at = task_attempt(t);

    seen->node = at ? core_text(out, "%s", at->node) : seen->node;
    seen->attempt = at ? at->n : 0;
    seen->moves = r->moves;
    seen->losses = r->losses;
    if (!task_ended(t) && task_checkpoint(t))
        seen->checkpoint = checkpoint_message(task_checkpoint(t), out);
    if (task_ended(t)) {
        seen->end = packed_open(&r->end, &tern__end__descriptor, out);
        if (!results)
            seen->end->results = NULL;
    }
    seen_depots(a, t, seen, out);
}

Tern__TaskSeen *seen_of(const struct agent *a, const struct task *t, bool results,
                        struct core_out *out)
{
    Tern__TaskSeen *seen = core_new(out, 1, sizeof *seen);

    tern__task_seen__init(seen);
    seen->task = t->n;
    seen->job = t->job->n;
    seen->index = t->index;
    seen->state = (Tern__TaskState)t->state;
    if (t->run)
        seen_run(a, t, results, seen, out);
    seen->why = (char *)why_waits(a, t, out);
    return seen;
}

static Tern__Attempt *attempt_row(const struct attempt *at, struct core_out *out)
{
    Tern__Attempt *row = core_new(out, 1, sizeof *row);

    tern__attempt__init(row);
    row->n = at->n;
    row->term = at->term;
    row->node = core_text(out, "%s", at->node);
    row->state = at->state;
    row->placed_ns = at->placed_ns;
    row->begun_ns = at->begun_ns;
    row->ended_ns = at->ended_ns;
    row->from = at->from;
    row->why = core_text(out, "%s", at->why ? at->why : "");
    row->cpu_ns = at->cpu_ns;
    return row;
}

static Tern__TaskDetail *detail_of(const struct agent *a, const struct task *t,
                                   struct core_out *out)
{
    Tern__TaskDetail *d = core_new(out, 1, sizeof *d);
    const size_t attempts = t->run ? t->run->attempt_count : 0;
    const size_t checkpoints = t->run ? t->run->checkpoint_count : 0;

    tern__task_detail__init(d);
    d->now = seen_of(a, t, true, out);
    d->job = t->job->known;
    d->task = task_spec(t, out);
    d->attempts = core_new(out, attempts, sizeof *d->attempts);
    for (size_t i = 0; i < attempts; i++)
        d->attempts[d->n_attempts++] = attempt_row(&t->run->attempts[i], out);
    d->checkpoints = core_new(out, checkpoints, sizeof *d->checkpoints);
    for (size_t i = 0; i < checkpoints; i++)
        d->checkpoints[d->n_checkpoints++] = checkpoint_message(&t->run->checkpoints[i], out);
    return d;
}

/* ---------------------------------------------------------------- rows */

static size_t row_limit(const Tern__Query *q)
{
    return q->count && q->count < LIMIT_ROWS ? q->count : LIMIT_ROWS;
}

static void query_tasks(const struct agent *a, const struct peer *p, const Tern__Query *q,
                        Tern__Rows *rows, struct core_out *out)
{
    const struct job *j = q->which && q->which->job ? job_get(a, q->which->job) : NULL;
    const size_t most = row_limit(q);
    uint64_t n = q->after + 1;
    size_t bytes = 0;

    rows->tasks = core_new(out, most, sizeof *rows->tasks);
    for (size_t looked = 0; looked < QUERY_LOOKED; looked++, n++) {
        const struct task *t = directory_from(&a->tasks, n, &n);

        if (j && t && (n = job_next_task(a, j, n)))
            t = task_get(a, n);
        if (!t || !n)
            return;
        if (rows->n_tasks == most || bytes > QUERY_BYTES)
            break;
        rows->next = n;
        if (t->job->owner != p->owner || (!q->ended && task_ended(t)) ||
            (q->which && q->which->job && !j))
            continue;
        rows->tasks[rows->n_tasks] = seen_of(a, t, true, out);
        bytes += tern__task_seen__get_packed_size(rows->tasks[rows->n_tasks++]) + 8;
    }
    rows->more = true;
}

static const char *state_text(const struct node_at *n)
{
    if (n->state == NODE_DOWN)
        return "lost";
    if (n->drained || n->leaving)
        return "drained";
    return n->state == NODE_UP ? "up" : "suspect";
}

static Tern__NodeRow *node_row(const struct node_at *n, struct core_out *out)
{
    Tern__NodeRow *row = core_new(out, 1, sizeof *row);

    tern__node_row__init(row);
    if (n->ad.size) {
        row->ad = packed_open(&n->ad, &tern__node_ad__descriptor, out);
    } else {
        row->ad = core_new(out, 1, sizeof *row->ad);
        tern__node_ad__init(row->ad);
    }
    row->ad->name = n->name;
    row->load = core_new(out, 1, sizeof *row->load);
    tern__load__init(row->load);
    row->load->foreign = n->foreign;
    row->load->running = n->running;
    row->load->waiting = n->waiting;
    row->load->memory_free = n->memory_free;
    row->state = (char *)state_text(n);
    row->drained = n->drained;
    row->attempts = n->tasks.count;
    row->losses = n->losses;
    row->seen_ns = n->seen_ns;
    return row;
}

static void query_nodes(const struct agent *a, const Tern__Query *q, Tern__Rows *rows,
                        struct core_out *out)
{
    const struct node_at like = {.name = q->after_name};
    const size_t most = row_limit(q);
    struct tree_link *l = tree_behind(&a->nodes, &like.link);

    rows->nodes = core_new(out, most, sizeof *rows->nodes);
    for (size_t bytes = 0; l && rows->n_nodes < most && bytes < QUERY_BYTES;
         l = tree_behind(&a->nodes, l)) {
        const struct node_at *n = tree_of(l, struct node_at, link);

        bytes += n->ad.size + 256;
        rows->nodes[rows->n_nodes++] = node_row(n, out);
    }
    rows->more = l != NULL;
}

static Tern__DepotRow *depot_row(const struct depot *d, struct core_out *out)
{
    Tern__DepotRow *row = core_new(out, 1, sizeof *row);
    Tern__DepotAd *ad = core_new(out, 1, sizeof *ad);

    tern__depot_row__init(row);
    tern__depot_ad__init(ad);
    ad->name = d->name;
    ad->endpoints = core_new(out, 1, sizeof *ad->endpoints);
    tern__endpoints__init(ad->endpoints);
    ad->endpoints->n_at = d->endpoint_count;
    ad->endpoints->at = core_new(out, d->endpoint_count, sizeof(char *));
    for (size_t i = 0; i < d->endpoint_count; i++)
        ad->endpoints->at[i] = core_text(out, "%s", d->endpoints[i]);
    ad->space_bytes = d->space_bytes;
    ad->free_bytes = d->space_bytes ? d->free_bytes : 0;
    ad->memory = d->memory;
    row->ad = ad;
    row->state = d->peer ? "up" : "lost";
    row->roots = d->copies.count;
    return row;
}

static void query_depots(const struct agent *a, const Tern__Query *q, Tern__Rows *rows,
                         struct core_out *out)
{
    const struct depot like = {.name = q->after_name};
    const size_t most = row_limit(q);
    struct tree_link *l = tree_behind(&a->depots, &like.link);

    rows->depots = core_new(out, most, sizeof *rows->depots);
    for (; l && rows->n_depots < most; l = tree_behind(&a->depots, l))
        rows->depots[rows->n_depots++] = depot_row(tree_of(l, struct depot, link), out);
    rows->more = l != NULL;
}

static void query_names(const struct agent *a, const struct peer *p, const Tern__Query *q,
                        Tern__Rows *rows, struct core_out *out)
{
    const struct name like = {.name = q->after_name};
    const size_t most = row_limit(q);
    struct tree_link *l = tree_behind(&p->owner->names, &like.link);

    rows->names = core_new(out, most, sizeof *rows->names);
    for (size_t bytes = 0; l && rows->n_names < most && bytes < QUERY_BYTES;
         l = tree_behind(&p->owner->names, l)) {
        Tern__NameRow *row = name_row(a, p->owner, tree_of(l, struct name, link), out);

        bytes += tern__name_row__get_packed_size(row) + 8;
        rows->names[rows->n_names++] = row;
    }
    rows->more = l != NULL;
}

static Tern__PoolRow *pool_row(const struct agent *a, struct core_out *out)
{
    Tern__PoolRow *row = core_new(out, 1, sizeof *row);

    tern__pool_row__init(row);
    row->id.len = 16;
    row->id.data = core_new(out, 16, 1);
    memcpy(row->id.data, a->pool, 16);
    row->term = a->term;
    row->now_ns = a->now_ns;
    row->waiting = a->count.waiting;
    row->ready = a->count.ready;
    row->placed = a->count.placed;
    row->running = a->count.running;
    row->ended = a->ended.count;
    row->facts = a->count.facts;
    row->depots = (uint32_t)a->rooms.count;
    for (struct tree_link *l = tree_first(&a->nodes); l; l = tree_behind(&a->nodes, l)) {
        const struct node_at *n = tree_of(l, struct node_at, link);

        row->nodes += n->state == NODE_UP;
        row->slots += n->state == NODE_UP ? n->slots : 0;
    }
    return row;
}

/* False: it was refused. */
static bool query_task(struct agent *a, struct peer *p, const Tern__Envelope *e, Tern__Rows *rows,
                       struct core_out *out)
{
    const Tern__Query *q = e->query;
    struct task *t;
    struct job *j;

    if (!clients_which(a, p, e->number, q->which, &t, &j, out))
        return false;
    if (j)
        t = task_get(a, job_next_task(a, j, 0)); /* a job's first one stands for it */
    if (!t) {
        core_refuse(out, p->n, e->number, TERN_ENOENT, "this job has no task that is known");
        return false;
    }
    rows->task = detail_of(a, t, out);
    if (q->kind == TERN__QUERY_KIND__QUERY_WHY) {
        rows->reasons = core_new(out, QUERY_REASONS, sizeof *rows->reasons);
        rows->n_reasons = why_reasons(a, t, rows->reasons, QUERY_REASONS, out);
    }
    return true;
}

static bool fill(struct agent *a, struct peer *p, const Tern__Envelope *e, Tern__Rows *rows,
                 struct core_out *out)
{
    const Tern__Query *q = e->query;

    switch ((int)q->kind) {
    case TERN__QUERY_KIND__QUERY_TASKS: query_tasks(a, p, q, rows, out); break;
    case TERN__QUERY_KIND__QUERY_TASK:
    case TERN__QUERY_KIND__QUERY_WHY: return query_task(a, p, e, rows, out);
    case TERN__QUERY_KIND__QUERY_NODES: query_nodes(a, q, rows, out); break;
    case TERN__QUERY_KIND__QUERY_DEPOTS: query_depots(a, q, rows, out); break;
    case TERN__QUERY_KIND__QUERY_NAMES: query_names(a, p, q, rows, out); break;
    case TERN__QUERY_KIND__QUERY_POOL: rows->pool = pool_row(a, out); break;
    default:
        core_refuse(out, p->n, e->number, TERN_EPROTO, "this agent does not know that query");
        return false;
    }
    return true;
}

void query_take(struct agent *a, struct peer *p, const Tern__Envelope *e, struct core_out *out)
{
    Tern__Rows *rows = core_new(out, 1, sizeof *rows);
    Tern__Envelope *answer;

    tern__rows__init(rows);
    if (!fill(a, p, e, rows, out))
        return;
    answer = core_answer(out, p->n, e->number);
    answer->body_case = TERN__ENVELOPE__BODY_ROWS;
    answer->rows = rows;
}
