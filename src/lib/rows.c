#include "lib/lib.h"

#include <stdlib.h>
#include <string.h>

struct held_rows {
    struct tern_rows rows; /* first: it is what the caller sees */
    struct arena arena;
    Tern__Rows *wire; /* what texts point into */
    bool short_of_memory;
};

static void *memory(struct held_rows *h, size_t count, size_t size)
{
    void *p = arena_new(&h->arena, count + 1, size);

    h->short_of_memory |= !p;
    return p;
}

static const char *const *texts(char *const *from)
{
    return (const char *const *)from;
}

/* ---- tasks ---- */

static void fill_tasks(struct held_rows *h)
{
    struct tern_result *to = memory(h, h->wire->n_tasks, sizeof *to);

    for (size_t i = 0; to && i < h->wire->n_tasks; i++)
        h->short_of_memory |= !result_fill(&to[i], h->wire->tasks[i], &h->arena);
    h->rows.tasks = to;
    h->rows.task_count = h->wire->n_tasks;
}

static const char *attempt_state(Tern__AttemptState state)
{
    static const char *const names[] = {"none",  "placed",   "running", "ended",    "lost",
                                        "moved", "returned", "broken",  "cancelled"};

    return (unsigned)state < sizeof names / sizeof *names ? names[state] : names[0];
}

static void fill_attempts(struct held_rows *h, struct tern_detail *d, const Tern__TaskDetail *from)
{
    struct tern_attempt *to = memory(h, from->n_attempts, sizeof *to);

    for (size_t i = 0; to && i < from->n_attempts; i++) {
        const Tern__Attempt *a = from->attempts[i];

        to[i] = (struct tern_attempt){.n = a->n,
                                      .term = a->term,
                                      .node = a->node,
                                      .state = attempt_state(a->state),
                                      .placed_ns = a->placed_ns,
                                      .begun_ns = a->begun_ns,
                                      .ended_ns = a->ended_ns,
                                      .from = a->from,
                                      .why = a->why,
                                      .cpu_ns = a->cpu_ns};
    }
    d->attempts = to;
    d->attempt_count = from->n_attempts;
}

static struct tern_checkpoint checkpoint_of(const Tern__Checkpoint *c)
{
    return (struct tern_checkpoint){.n = c->n,
                                    .attempt = c->attempt,
                                    .time_ns = c->time_ns,
                                    .pause_ns = c->pause_ns,
                                    .total_ns = c->total_ns,
                                    .image_bytes = c->image_bytes,
                                    .sent_bytes = c->sent_bytes,
                                    .cpu_ns = c->cpu_ns,
                                    .input_bytes = c->input_bytes,
                                    .output_bytes = c->results ? c->results->output_bytes : 0,
                                    .error_bytes = c->results ? c->results->error_bytes : 0,
                                    .depots = texts(c->depots),
                                    .depot_count = c->n_depots};
}

static void fill_checkpoints(struct held_rows *h, struct tern_detail *d,
                             const Tern__TaskDetail *from)
{
    struct tern_checkpoint *to = memory(h, from->n_checkpoints, sizeof *to);

    for (size_t i = 0; to && i < from->n_checkpoints; i++)
        to[i] = checkpoint_of(from->checkpoints[i]);
    d->checkpoints = to;
    d->checkpoint_count = from->n_checkpoints;
}

static void fill_job(struct tern_detail *d, const Tern__Job *job)
{
    const Tern__Program *program = job->work ? job->work->program : NULL;

    d->owner = job->owner;
    d->label = job->label;
    d->priority = job->priority;
    d->submitted_ns = job->submitted_ns;
    d->deadline_ns = job->deadline_ns;
    if (program) {
        d->program = program->name;
        d->args = texts(program->args);
        d->arg_count = program->n_args;
    }
}

static void fill_detail(struct held_rows *h)
{
    const Tern__TaskDetail *from = h->wire->task;
    struct tern_detail *d = from ? memory(h, 1, sizeof *d) : NULL;

    if (!d)
        return;
    *d = (struct tern_detail){.owner = "", .label = "", .program = "", .item = ""};
    if (from->now)
        h->short_of_memory |= !result_fill(&d->now, from->now, &h->arena);
    if (from->job)
        fill_job(d, from->job);
    if (from->task)
        d->item = from->task->item;
    fill_attempts(h, d, from);
    fill_checkpoints(h, d, from);
    h->rows.detail = d;
}

/* ---- the pool ---- */

static struct tern_node node_of(const Tern__NodeRow *row)
{
    const Tern__NodeAd *ad = row->ad;
    const Tern__Load *load = row->load;
    struct tern_node n = {.name = "", .machine = "", .system = ""};

    if (ad)
        n = (struct tern_node){.name = ad->name,
                               .machine = ad->machine,
                               .system = ad->system,
                               .slots = ad->slots,
                               .processors = ad->processors,
                               .speed = ad->speed,
                               .memory_bytes = ad->memory_bytes,
                               .labels = texts(ad->labels),
                               .label_count = ad->n_labels,
                               .leaving = ad->leaving};
    n.state = row->state;
    n.drained = row->drained;
    n.attempts = row->attempts;
    n.losses = row->losses;
    n.seen_ns = row->seen_ns;
    if (load) {
        n.running = load->running;
        n.waiting = load->waiting;
        n.foreign_thousandths = load->foreign;
        n.memory_free = load->memory_free;
    }
    return n;
}

static void fill_nodes(struct held_rows *h)
{
    struct tern_node *to = memory(h, h->wire->n_nodes, sizeof *to);

    for (size_t i = 0; to && i < h->wire->n_nodes; i++)
        to[i] = node_of(h->wire->nodes[i]);
    h->rows.nodes = to;
    h->rows.node_count = h->wire->n_nodes;
}

static void fill_depots(struct held_rows *h)
{
    struct tern_depot *to = memory(h, h->wire->n_depots, sizeof *to);

    for (size_t i = 0; to && i < h->wire->n_depots; i++) {
        const Tern__DepotRow *row = h->wire->depots[i];
        const Tern__DepotAd *ad = row->ad;

        to[i] = (struct tern_depot){.name = ad ? ad->name : "",
                                    .state = row->state,
                                    .roots = row->roots,
                                    .space_bytes = ad ? ad->space_bytes : 0,
                                    .free_bytes = ad ? ad->free_bytes : 0,
                                    .memory = ad && ad->memory};
        if (ad && ad->endpoints) {
            to[i].endpoints = texts(ad->endpoints->at);
            to[i].endpoint_count = ad->endpoints->n_at;
        }
    }
    h->rows.depots = to;
    h->rows.depot_count = h->wire->n_depots;
}

static void fill_names(struct held_rows *h)
{
    struct tern_name *to = memory(h, h->wire->n_names, sizeof *to);

    for (size_t i = 0; to && i < h->wire->n_names; i++) {
        const Tern__NameRow *row = h->wire->names[i];

        to[i] = (struct tern_name){
            .name = row->name, .time_ns = row->time_ns, .depots = (uint32_t)row->n_depots};
        if (row->blob)
            blob_from_wire(&to[i].blob, row->blob);
    }
    h->rows.names = to;
    h->rows.name_count = h->wire->n_names;
}

static void fill_reasons(struct held_rows *h)
{
    struct tern_reason *to = memory(h, h->wire->n_reasons, sizeof *to);

    for (size_t i = 0; to && i < h->wire->n_reasons; i++)
        to[i] = (struct tern_reason){.what = h->wire->reasons[i]->what,
                                     .text = h->wire->reasons[i]->text,
                                     .nodes = h->wire->reasons[i]->nodes};
    h->rows.reasons = to;
    h->rows.reason_count = h->wire->n_reasons;
}

static void fill_pool(struct held_rows *h)
{
    const Tern__PoolRow *from = h->wire->pool;
    struct tern_pool *to = from ? memory(h, 1, sizeof *to) : NULL;

    if (!to)
        return;
    *to = (struct tern_pool){.term = from->term,
                             .waiting = from->waiting,
                             .ready = from->ready,
                             .placed = from->placed,
                             .running = from->running,
                             .ended = from->ended,
                             .facts = from->facts,
                             .now_ns = from->now_ns,
                             .wall_of_zero_ns = from->wall_of_zero_ns,
                             .nodes = from->nodes,
                             .slots = from->slots,
                             .depots = from->depots};
    if (from->id.len == sizeof to->id)
        memcpy(to->id, from->id.data, sizeof to->id);
    h->rows.pool = to;
}

/* ---- the question ---- */

static struct held_rows *rows_new(const Tern__Rows *wire)
{
    struct held_rows *h = calloc(1, sizeof *h);

    if (!h)
        return NULL;
    h->wire = message_copy(&wire->base, &h->arena);
    if (!h->wire) {
        tern_rows_free(&h->rows);
        return NULL;
    }
    fill_tasks(h);
    fill_detail(h);
    fill_nodes(h);
    fill_depots(h);
    fill_names(h);
    fill_reasons(h);
    fill_pool(h);
    h->rows.more = wire->more;
    h->rows.next = wire->next;
    if (!h->short_of_memory)
        return h;
    tern_rows_free(&h->rows);
    return NULL;
}

void tern_rows_free(struct tern_rows *rows)
{
    struct held_rows *h = (struct held_rows *)(void *)rows;

    if (!rows)
        return;
    arena_release(&h->arena);
    free(h);
}

static void take_rows(struct tern_op *op, const Tern__Envelope *answer)
{
    struct tern_rows **out = op->out;
    struct held_rows *h;

    if (answer->body_case != TERN__ENVELOPE__BODY_ROWS) {
        op_confused(op, answer);
        return;
    }
    h = rows_new(answer->rows);
    if (!h) {
        op_end(op, TERN_ENOMEM, "out of memory");
        return;
    }
    *out = &h->rows;
    op_well(op);
}

struct tern_op *tern_ask_begin(struct tern *t, const struct tern_query *query,
                               struct tern_rows **out)
{
    struct tern_op *op = op_new(t);
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Query q = TERN__QUERY__INIT;
    Tern__Which which = lib_which(query->which);

    if (!op || op->over)
        return op;
    q.kind = (Tern__QueryKind)query->what;
    q.which = &which;
    q.after = query->after;
    q.after_name = (char *)(query->after_name ? query->after_name : ""); /* is copied */
    q.count = query->count;
    q.ended = query->ended;
    e.body_case = TERN__ENVELOPE__BODY_QUERY;
    e.query = &q;
    op->out = out;
    op_ask(op, &e, take_rows);
    return op;
}

enum tern_err tern_ask(struct tern *t, const struct tern_query *query, struct tern_rows **out)
{
    return op_finish(t, tern_ask_begin(t, query, out));
}
