#include "core/agent_inner.h"

#include "base/check.h"
#include "core/policy_rank.h"

#include <string.h>

#define PLACE_COST_MOST (UINT64_MAX / 2)

enum {
    PLACE_CLASSES = 16,  /* looked at for one node before it is left with what it has */
    PLACE_NODES = 4,     /* of each shape, compared by where the data is */
    PLACE_REFUSING = 64, /* passed over on the way to these */
    PLACING_DEPOTS = 64
};

/* ---------------------------------------------------------------- where the data is */

/* The largest piece that has to be fetched: its checkpoint, or its first input. */
static const struct root *main_data(const struct agent *a, const struct task *t)
{
    const struct checkpoint *c = task_checkpoint(t);
    struct core_out room = {0};
    const struct root *found = NULL;
    const Tern__Task *spec;

    if (c)
        return c->root;
    if (!t->blobs)
        return NULL;
    spec = task_spec(t, &room);
    for (size_t i = 0; i < spec->n_inputs && !found; i++)
        if (spec->inputs[i]->content && spec->inputs[i]->content->blob)
            found = root_find(a, t->job->owner, spec->inputs[i]->content->blob->sha256.data);
    core_out_release(&room);
    return found;
}

static bool is_near(const struct node_at *n, const struct root *data)
{
    for (const struct copy *c = data->copies; c; c = c->next)
        for (size_t i = 0; i < n->near_count; i++)
            if (c->depot->peer && strcmp(c->depot->name, n->near[i]) == 0)
                return true;
    return false;
}

static const struct root *missing_input(const struct agent *a, const struct task *t,
                                        struct core_out *out)
{
    const Tern__Task *spec;

    if (!t->blobs)
        return NULL;
    spec = task_spec(t, out);
    for (size_t i = 0; i <= spec->n_inputs; i++) {
        const Tern__Content *c = i < spec->n_inputs ? spec->inputs[i]->content : spec->input;
        const struct root *r =
            c && c->blob ? root_find(a, t->job->owner, c->blob->sha256.data) : NULL;

        if (r && !root_reachable(r))
            return r;
    }
    return NULL;
}

/* What it needs and nobody has who is here. */
const struct root *place_missing(const struct agent *a, const struct task *t, struct core_out *out)
{
    const struct root *module = t->job->module;

    if (module && !root_reachable(module))
        return module;
    return missing_input(a, t, out);
}

/* From where it goes on: the newest one that is to be had. */
static const struct checkpoint *reachable_checkpoint(const struct task *t)
{
    for (size_t i = t->run ? t->run->checkpoint_count : 0; i > 0; i--) {
        const struct checkpoint *c = &t->run->checkpoints[i - 1];

        if (c->root && root_reachable(c->root))
            return c;
    }
    return NULL;
}

/* Its depots have not been away for long: it is worth waiting for them. */
static bool may_come_back(const struct agent *a, const struct root *r)
{
    for (const struct copy *c = r->copies; c; c = c->next)
        if (a->now_ns < c->depot->down_ns + a->config.depot_lost_ns)
            return true;
    return false;
}

static bool waits_for_checkpoint(const struct agent *a, const struct task *t)
{
    const struct checkpoint *c = task_checkpoint(t);

    return c && !root_reachable(c->root) && may_come_back(a, c->root);
}

/* ---------------------------------------------------------------- which node */

static uint32_t ahead_of(const struct task *t, const struct node_at *n)
{
    static const struct duration unknown = {0};

    return policy_ahead(t->job->program ? &t->job->program->took : &unknown, n->speed);
}

static uint32_t assigned(const struct node_at *n)
{
    return (uint32_t)n->tasks.count + n->reserved;
}

static bool has_room(const struct task *t, const struct node_at *n, bool free_slot)
{
    if (!tree_in(&n->place) || node_has_refused(n, t->job->class))
        return false;
    if (assigned(n) < n->slots)
        return true;
    return !free_slot && assigned(n) < n->slots + (uint64_t)n->slots * ahead_of(t, n);
}

struct search {
    const struct task *task;
    const struct root *data;
    const char *avoid; /* the node where it was broken off last: only if there is no other */
    const struct node_at *not_this;
    bool free_slot; /* behind others is not good enough */
    struct node_at *node;
    uint64_t cost;
};

static void consider(struct search *s, struct node_at *n)
{
    uint64_t cost =
        policy_rank_with_data(n->cost, s->data ? s->data->size : 0, s->data && is_near(n, s->data));

    if (n == s->not_this || !has_room(s->task, n, s->free_slot))
        return;
    if (s->avoid && strcmp(n->name, s->avoid) == 0)
        cost = PLACE_COST_MOST + cost / 2;
    if (s->node && n->busy != s->node->busy && n->busy)
        return;
    if (s->node && n->busy == s->node->busy &&
        (cost > s->cost || (cost == s->cost && strcmp(n->name, s->node->name) > 0)))
        return;
    s->node = n;
    s->cost = cost;
}

static void consider_pin(const struct agent *a, struct search *s, const struct class *c)
{
    struct node_at *n = node_find(a, c->needs->node);

    if (n && n->shape && class_fits(c, n->shape))
        consider(s, n);
}

static const char *broken_at(const struct task *t)
{
    const struct attempt *at = task_attempt(t);

    return at && at->state == TERN__ATTEMPT_STATE__ATTEMPT_BROKEN ? at->node : NULL;
}

/* From this one on, those passed over that have refused such a task a moment ago. */
static struct node_at *willing(const struct class *c, const struct tree *nodes, struct tree_link *l)
{
    for (size_t i = 0; l && i < PLACE_REFUSING; i++, l = tree_behind(nodes, l)) {
        struct node_at *n = tree_of(l, struct node_at, place);

        if (!node_has_refused(n, c))
            return n;
    }
    return NULL;
}

static struct node_at *search(const struct agent *a, struct search *s)
{
    const struct class *c = s->task->job->class;

    s->data = main_data(a, s->task);
    s->avoid = broken_at(s->task);
    if (tree_in(&c->pin))
        consider_pin(a, s, c);
    for (const struct pair *p = c->pairs; p; p = p->next) {
        const struct tree *nodes = &p->shape->nodes;
        struct node_at *n = willing(c, nodes, tree_first(nodes));

        for (size_t i = 0; n && i < PLACE_NODES; i++) {
            consider(s, n);
            n = willing(c, nodes, tree_behind(nodes, &n->place));
        }
    }
    return s->node;
}

struct node_at *place_best(const struct agent *a, const struct task *t,
                           const struct node_at *not_this, bool free_slot)
{
    struct search s = {.task = t, .not_this = not_this, .free_slot = free_slot};

    return search(a, &s);
}

/* Some node takes something more of this class: most often the answer is no, and quick. */
static bool any_room(const struct agent *a, const struct task *t)
{
    const struct class *c = t->job->class;

    if (tree_in(&c->pin)) {
        const struct node_at *n = node_find(a, c->needs->node);

        return n && n->shape && has_room(t, n, false);
    }
    for (const struct pair *p = c->pairs; p; p = p->next) {
        const struct node_at *n = willing(c, &p->shape->nodes, tree_first(&p->shape->nodes));

        if (n && has_room(t, n, false))
            return true;
    }
    return false;
}

/* ---------------------------------------------------------------- placing */

static void add_depot(const struct agent *a, Tern__Placing *p, const struct depot *d,
                      const struct task *t, const Tern__Fence *fence, struct core_out *out)
{
    for (size_t i = 0; i < p->n_depots; i++)
        if (strcmp(p->depots[i]->name, d->name) == 0)
            return;
    if (p->n_depots < PLACING_DEPOTS)
        p->depots[p->n_depots++] = depot_at(
            a, d, t->job->owner, fence ? RIGHT_READ | RIGHT_WRITE : RIGHT_READ, fence, out);
}

static void add_sources(const struct agent *a, Tern__Placing *p, const struct root *r,
                        const struct task *t, struct core_out *out)
{
    for (const struct copy *c = r ? r->copies : NULL; c; c = c->next)
        if (c->depot->peer)
            add_depot(a, p, c->depot, t, NULL, out);
}

static void add_inputs(const struct agent *a, Tern__Placing *p, const struct task *t,
                       struct core_out *out)
{
    const struct run *r = t->run;

    p->input = core_new(out, r->input_count, sizeof *p->input);
    for (size_t i = 0; i < r->input_count; i++)
        p->input[p->n_input++] = packed_open(&r->inputs[i], &tern__more_input__descriptor, out);
    for (size_t i = 0; i < p->n_input; i++)
        if (p->input[i]->content && p->input[i]->content->blob)
            add_sources(a, p, root_find(a, t->job->owner, p->input[i]->content->blob->sha256.data),
                        t, out);
}

static void add_data(const struct agent *a, Tern__Placing *p, const struct task *t,
                     struct core_out *out)
{
    const Tern__Task *spec = p->task;

    add_sources(a, p, t->job->module, t, out);
    for (size_t i = 0; t->blobs && i <= spec->n_inputs; i++) {
        const Tern__Content *c = i < spec->n_inputs ? spec->inputs[i]->content : spec->input;

        if (c && c->blob)
            add_sources(a, p, root_find(a, t->job->owner, c->blob->sha256.data), t, out);
    }
}

Tern__Placing *placing_make(struct agent *a, struct core_out *out, struct task *t,
                            const struct node_at *n, const Tern__Fence *fence,
                            const struct checkpoint *from)
{
    Tern__Placing *p = core_new(out, 1, sizeof *p);

    tern__placing__init(p);
    p->job = &t->job->lean;
    p->task = task_spec(t, out);
    p->depots = core_new(out, PLACING_DEPOTS, sizeof *p->depots);
    for (size_t i = 0; i < t->run->depot_count; i++)
        if (t->run->depots[i]->peer)
            add_depot(a, p, t->run->depots[i], t, fence, out);
    if (from) {
        p->from = checkpoint_message(from, out);
        add_sources(a, p, from->root, t, out);
    }
    add_data(a, p, t, out);
    add_inputs(a, p, t, out);
    p->failure_ns = node_failure_ns(a, n);
    p->awaited = watch_awaits(a, t);
    return p;
}

static Tern__Fact *placed_fact(struct agent *a, struct core_out *out, struct task *t,
                               const struct node_at *n, const struct checkpoint *from)
{
    const Tern__Policy *policy = t->job->known->policy;
    const size_t asked = policy && policy->copies ? policy->copies : a->config.copies;
    struct depot *depots[AGENT_COPIES_MAX];
    const size_t count = depots_choose(a, t->n, t->job->module ? t->job->module->size : 0, n,
                                       depots, asked < AGENT_COPIES_MAX ? asked : AGENT_COPIES_MAX);
    Tern__Fact *f = core_store(out, a->now_ns);
    Tern__Placed *placed = core_new(out, 1, sizeof *placed);

    tern__placed__init(placed);
    placed->fence = core_new(out, 1, sizeof *placed->fence);
    tern__fence__init(placed->fence);
    placed->fence->task = t->n;
    placed->fence->attempt = task_run(a, t)->given + 1;
    placed->fence->term = a->term;
    placed->node = n->name;
    placed->from = from ? from->n : 0;
    placed->depots = core_new(out, count, sizeof(char *));
    for (size_t i = 0; i < count; i++)
        placed->depots[placed->n_depots++] = depots[i]->name;
    f->what_case = TERN__FACT__WHAT_PLACED;
    f->placed = placed;
    return f;
}

static size_t depots_bytes(const Tern__Placing *p)
{
    size_t bytes = 512;

    for (size_t i = 0; i < p->n_depots; i++)
        bytes += tern__depot_at__get_packed_size(p->depots[i]) + 40; /* with its seal */
    return bytes;
}

bool place_on(struct agent *a, struct core_out *out, struct task *t, struct node_at *n)
{
    const struct checkpoint *from = reachable_checkpoint(t);
    Tern__Fact *f = placed_fact(a, out, t, n, from);
    Tern__Order *o;

    agent_fact(a, f);
    core_note(out, NOTE_TASK_PLACED, t->n, f->placed->fence->attempt, 0);
    o = node_order(a, n, TERN__ORDER_KIND__ORDER_PLACE, t, out);
    if (o) {
        o->placing = placing_make(a, out, t, n, o->fence, from);
        orders_flush_if_large(n, t->job->lean_bytes + t->spec.size + depots_bytes(o->placing), out);
    }
    return true;
}

/* ---------------------------------------------------------------- data that is not to be had */

static void stall(struct agent *a, struct task *t)
{
    task_leave_home(a, t);
    t->in = &a->stalled;
    tree_add(t->in, &t->link);
    if (a->stalled_due_ns > a->now_ns + a->config.depot_lost_ns)
        a->stalled_due_ns = a->now_ns + a->config.depot_lost_ns;
    task_changed(a, t); /* its reason to wait */
}

void place_stalled_again(struct agent *a)
{
    a->stalled_due_ns = a->now_ns;
    a->stalled_looked = 0;
}

static void look_at_stalled(struct agent *a, struct core_out *out)
{
    struct task like = {.n = a->stalled_looked}, *t;

    if (!a->stalled.count)
        a->stalled_due_ns = INT64_MAX;
    core_wake(out, a->stalled_due_ns);
    if (a->now_ns < a->stalled_due_ns)
        return;
    for (size_t i = 0; i < AGENT_PORTION; i++) {
        t = tree_of(tree_from(&a->stalled, &like.link), struct task, link);
        if (!t) { /* all have been looked at */
            a->stalled_looked = 0;
            a->stalled_due_ns = a->now_ns + a->config.depot_lost_ns;
            return;
        }
        like.n = t->n + 1;
        task_home(a, t);
    }
    a->stalled_looked = like.n;
    a->again = true;
}

/* True: it cannot be placed now, and is out of the way. */
static bool no_data(struct agent *a, struct core_out *out, struct task *t)
{
    const struct root *missing = place_missing(a, t, out);

    if (missing && !missing->copies) {
        task_end_text(a, out, t, TERN__TASK_STATE__TASK_FAILED, TERN__END_KIND__END_REFUSED,
                      missing == t->job->module
                          ? "its program is in no depot any more; put it there and submit again"
                          : "one of its inputs is in no depot any more; put it there and submit "
                            "again");
        return true;
    }
    if (!missing && !waits_for_checkpoint(a, t))
        return false;
    stall(a, t);
    return true;
}

/* ---------------------------------------------------------------- what is placed next */

/* The first task of a class: placed, or ended, or put aside. False: it stays where it is. */
static bool place_first(struct agent *a, struct core_out *out, struct class *c)
{
    struct task *t = class_first(c);
    struct search s = {.task = t};

    if (!t)
        return false;
    if (t->job->cancelled) {
        task_end_text(a, out, t, TERN__TASK_STATE__TASK_CANCELLED, TERN__END_KIND__END_CANCELLED,
                      "cancelled");
        return true;
    }
    if (!any_room(a, t))
        return false;
    if (no_data(a, out, t))
        return true;
    return search(a, &s) && place_on(a, out, t, s.node);
}

static bool goes_before(const struct class *c, const struct class *d)
{
    const struct task *x = c ? class_first(c) : NULL, *y = d ? class_first(d) : NULL;

    if (!x || !y)
        return x != NULL;
    if (x->job->known->priority != y->job->known->priority)
        return x->job->known->priority > y->job->known->priority;
    return x->n < y->n;
}

/* Of the classes that only this node can run: the one whose first task goes first. */
static struct class *first_pinned(const struct agent *a, const struct node_at *n)
{
    Tern__Requirements needs = TERN__REQUIREMENTS__INIT;
    const struct class like = {.needs = &needs};
    struct class *best = NULL;
    struct tree_link *l;

    needs.node = n->name;
    for (l = tree_from(&a->pins, &like.pin); l; l = tree_behind(&a->pins, l)) {
        struct class *c = tree_of(l, struct class, pin);

        if (strcmp(c->needs->node, n->name) != 0)
            break;
        if (class_fits(c, n->shape) && !node_has_refused(n, c) && goes_before(c, best))
            best = c;
    }
    return best;
}

static size_t fill_node(struct agent *a, struct core_out *out, struct node_at *n, size_t most)
{
    struct class *behind = NULL;
    size_t placed = 0;

    for (size_t looked = 0; looked < PLACE_CLASSES && placed < most && tree_in(&n->place);) {
        struct class *c = first_pinned(a, n), *d = shape_first(n->shape, behind);

        if (!goes_before(c, d))
            c = d;
        if (!c)
            break;
        if (place_first(a, out, c)) {
            placed++;
            continue;
        }
        looked++;
        if (c != d) /* what only this one can run has to wait for a slot: so has all else */
            break;
        behind = c;
    }
    return placed;
}

static struct node_at *next_dirty(struct agent *a)
{
    struct node_at *n = a->dirty_nodes;

    if (n) {
        a->dirty_nodes = n->dirty_next;
        n->dirty = false;
    }
    return n;
}

static size_t fill_class(struct agent *a, struct core_out *out, size_t most)
{
    struct class *c = a->dirty_classes;
    size_t placed = 0;

    while (placed < most && place_first(a, out, c))
        placed++;
    if (placed == most)
        return placed; /* it stays in the list */
    /* Ends of cancelled tasks do not free classes here: their jobs are known still. */
    for (struct class **at = &a->dirty_classes; *at; at = &(*at)->dirty_next)
        if (*at == c) {
            *at = c->dirty_next;
            c->dirty = false;
            break;
        }
    return placed;
}

void place_all(struct agent *a, struct core_out *out)
{
    size_t left = AGENT_PORTION;
    struct node_at *n;

    look_at_stalled(a, out);
    while (left && (a->dirty_nodes || a->dirty_classes)) {
        n = next_dirty(a);
        if (n && tree_in(&n->place)) {
            left -= fill_node(a, out, n, left);
            moves_recall(a, out, n);
        } else if (!n) {
            left -= fill_class(a, out, left);
        }
    }
    if (!left)
        a->again = true;
    if (a->draining.count)
        moves_drain(a, out);
}
