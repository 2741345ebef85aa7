#include "core/agent_inner.h"

#include "base/check.h"

#include <string.h>

/* Why a task is where it is, from the same tables that decide it. */

struct reasons {
    Tern__Reason **rows;
    size_t count, most;
    struct core_out *out;
};

static void add(struct reasons *r, const char *what, uint64_t nodes, char *text)
{
    Tern__Reason *row;

    if (r->count == r->most)
        return;
    row = core_new(r->out, 1, sizeof *row);
    tern__reason__init(row);
    row->what = (char *)what; /* protobuf-c's texts are not const; nobody writes */
    row->text = text;
    row->nodes = (uint32_t)nodes;
    r->rows[r->count++] = row;
}

/* ---------------------------------------------------------------- what nodes offer */

struct tally {
    uint64_t all, up, by[MATCH_LABELS + 1], busy, fit;
    uint64_t memory_most;
    char machines[128];
};

static void note_machine(struct tally *y, const char *machine)
{
    const size_t size = strlen(y->machines), more = strlen(machine);

    if (strstr(y->machines, machine) || size + more + 3 > sizeof y->machines)
        return;
    if (size)
        memcpy(y->machines + size, ", ", 2);
    memcpy(y->machines + size + (size ? 2 : 0), machine, more + 1);
}

static void tally_shape(const struct agent *a, const struct task *t, const struct shape *s,
                        struct tally *y)
{
    const struct offer offer = {s->machine, s->memory_bytes, s->labels, s->label_count};
    const enum match m = policy_match(t->job->class->needs, &offer);
    const struct tree_link *first = tree_first(&s->nodes);

    (void)a;
    y->all += s->node_count;
    y->up += s->node_up;
    y->by[m] += s->node_up;
    if (s->memory_bytes > y->memory_most)
        y->memory_most = s->memory_bytes;
    note_machine(y, s->machine);
    if (m != MATCH_FITS)
        return;
    y->fit += s->nodes.count;
    if (first && tree_of(first, struct node_at, place)->busy)
        y->busy += s->nodes.count;
}

static char *list(char *const *texts, size_t count, struct core_out *out)
{
    char *all = core_text(out, "%s", count ? texts[0] : "");

    for (size_t i = 1; i < count && i < 8; i++)
        all = core_text(out, "%s, %s", all, texts[i]);
    return all;
}

static void add_mismatches(const struct task *t, const struct tally *y, struct reasons *r)
{
    const Tern__Requirements *needs = t->job->class->needs;

    if (y->by[MATCH_MACHINE])
        add(r, "machine", y->by[MATCH_MACHINE],
            core_text(r->out, "it needs a machine of %s; on offer: %s",
                      list(needs->machine, needs->n_machine, r->out), y->machines));
    if (y->by[MATCH_MEMORY])
        add(r, "memory", y->by[MATCH_MEMORY],
            core_text(r->out, "it needs %llu MiB of memory; the largest node has %llu MiB",
                      (unsigned long long)(needs->memory_bytes >> 20),
                      (unsigned long long)(y->memory_most >> 20)));
    if (y->by[MATCH_LABELS])
        add(r, "labels", y->by[MATCH_LABELS],
            core_text(r->out, "it needs nodes with all of these labels: %s",
                      list(needs->labels, needs->n_labels, r->out)));
}

bool place_could(const struct task *t, const struct node_at *n)
{
    return tree_in(&n->place) && class_fits(t->job->class, n->shape) && !n->busy &&
           !node_has_refused(n, t->job->class) &&
           (!*t->job->class->needs->node || strcmp(t->job->class->needs->node, n->name) == 0);
}

const char *place_could_not(const struct task *t, const struct node_at *n, struct core_out *out)
{
    const char *asked = t->job->class->needs->node;

    if (*asked && strcmp(asked, n->name) != 0)
        return core_text(out, "it was submitted for node %s only", asked);
    if (n->drained || n->leaving)
        return core_text(out, "node %s is %s", n->name, n->drained ? "drained" : "leaving");
    if (!tree_in(&n->place))
        return core_text(out, "node %s is not here now", n->name);
    if (!class_fits(t->job->class, n->shape))
        return core_text(out, "node %s does not have what it requires; see tern why %llu", n->name,
                         (unsigned long long)t->n);
    if (node_has_refused(n, t->job->class))
        return core_text(out, "node %s gave such a task back a moment ago", n->name);
    return core_text(out, "node %s has no free slot", n->name);
}

static void add_pinned(const struct agent *a, const struct task *t, struct reasons *r)
{
    const char *name = t->job->class->needs->node;
    const struct node_at *n = node_find(a, name);

    if (!n || !n->shape)
        add(r, "node", 0,
            core_text(r->out, "it is for node %s only, which this pool has not seen", name));
    else
        add(r, n->drained ? "drained" : "node", 1,
            core_text(r->out, "it is for that node only: %s", place_could_not(t, n, r->out)));
}

static void add_nodes(const struct agent *a, const struct task *t, struct reasons *r)
{
    struct tally y = {0};

    for (struct tree_link *l = tree_first(&a->shapes); l; l = tree_behind(&a->shapes, l))
        tally_shape(a, t, tree_of(l, struct shape, link), &y);
    if (y.all == 0 || y.up == 0) {
        add(r, "slots", 0,
            core_text(r->out,
                      y.all ? "no node is here now: %llu are known, none is connected"
                            : "this pool has no node yet; start one with tern node",
                      (unsigned long long)y.all));
        return;
    }
    add_mismatches(t, &y, r);
    if (y.by[MATCH_FITS] > y.fit)
        add(r, "drained", y.by[MATCH_FITS] - y.fit,
            core_text(r->out, "%llu nodes that fit are drained or leaving",
                      (unsigned long long)(y.by[MATCH_FITS] - y.fit)));
    if (y.busy)
        add(r, "slots", y.busy,
            core_text(r->out, "all slots of %llu nodes that fit are in use",
                      (unsigned long long)y.busy));
}

/* ---------------------------------------------------------------- what it waits for */

static void add_waiting(const struct agent *a, const struct task *t, struct reasons *r)
{
    const Tern__Task *spec = task_spec(t, r->out);

    for (size_t i = 0; i < spec->n_inputs; i++) {
        const Tern__Promise *p = spec->inputs[i]->promise;
        const struct task *maker = p ? task_get(a, p->task) : NULL;

        if (p && (!maker || !task_ended(maker)))
            add(r, "input", 0,
                core_text(r->out, "it waits for %s of task %llu, which has not ended",
                          *p->output ? p->output : "the output", (unsigned long long)p->task));
    }
    if (t->doomed)
        add(r, "input", 0, promises_doom_text(a, t, r->out));
}

static void add_stalled(const struct agent *a, const struct task *t, struct reasons *r)
{
    const struct root *missing = place_missing(a, t, r->out);
    char *names = core_text(r->out, "%s", "");

    if (!missing && task_checkpoint(t))
        missing = task_checkpoint(t)->root;
    for (const struct copy *c = missing ? missing->copies : NULL; c; c = c->next)
        names = core_text(r->out, "%s%s%s", names, *names ? ", " : "", c->depot->name);
    add(r, "data", 0,
        core_text(r->out, "its %s is in depots that are not here: %s",
                  missing && missing == t->job->module ? "program" : "data", names));
}

static void add_placed(const struct task *t, struct reasons *r)
{
    const struct node_at *n = t->node;

    if (t->state == TERN__TASK_STATE__TASK_RUNNING)
        add(r, "rank", 1, core_text(r->out, "it runs on node %s, which ranked best", n->name));
    else if (n->tasks.count > n->slots)
        add(r, "slots", 1,
            core_text(r->out, "it is with node %s, behind tasks that run there", n->name));
    else
        add(r, "slots", 1, core_text(r->out, "it is with node %s and about to begin", n->name));
    if (n->state == NODE_SUSPECT)
        add(r, "node", 1, core_text(r->out, "nothing has come from node %s for a while", n->name));
}

size_t why_reasons(const struct agent *a, const struct task *t, Tern__Reason **rows, size_t most,
                   struct core_out *out)
{
    struct reasons r = {.rows = rows, .most = most, .out = out};

    switch ((Tern__TaskState)t->state) {
    case TERN__TASK_STATE__TASK_WAITING: add_waiting(a, t, &r); break;
    case TERN__TASK_STATE__TASK_READY:
        if (t->in == &a->stalled)
            add_stalled(a, t, &r);
        else if (tree_in(&t->job->class->pin))
            add_pinned(a, t, &r);
        else
            add_nodes(a, t, &r);
        break;
    case TERN__TASK_STATE__TASK_PLACED:
    case TERN__TASK_STATE__TASK_RUNNING: add_placed(t, &r); break;
    case TERN__TASK_STATE__TASK_NONE:
    case TERN__TASK_STATE__TASK_DONE:
    case TERN__TASK_STATE__TASK_FAILED:
    case TERN__TASK_STATE__TASK_CANCELLED:
    case _TERN__TASK_STATE_IS_INT_SIZE: break;
    }
    return r.count;
}

const char *why_waits(const struct agent *a, const struct task *t, struct core_out *out)
{
    Tern__Reason *first;

    if (t->state != TERN__TASK_STATE__TASK_WAITING && t->state != TERN__TASK_STATE__TASK_READY)
        return "";
    return why_reasons(a, t, &first, 1, out) ? first->text : "";
}
