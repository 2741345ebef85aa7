#include "core/agent_inner.h"

#include "base/check.h"
#include "core/policy_rank.h"

#include <stdlib.h>
#include <string.h>

enum { SUSPECT_BEATS = 3 };

static struct node_at *node_of(const struct tree_link *link)
{
    return tree_of(link, struct node_at, link);
}

static int compare_nodes(const struct tree_link *a, const struct tree_link *b)
{
    return strcmp(node_of(a)->name, node_of(b)->name);
}

static int compare_timers(const struct tree_link *a, const struct tree_link *b)
{
    const struct node_at *x = tree_of(a, struct node_at, timer);
    const struct node_at *y = tree_of(b, struct node_at, timer);

    if (x->timer_ns != y->timer_ns)
        return x->timer_ns < y->timer_ns ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int compare_draining(const struct tree_link *a, const struct tree_link *b)
{
    return strcmp(tree_of(a, struct node_at, drain)->name, tree_of(b, struct node_at, drain)->name);
}

void nodes_init(struct agent *a)
{
    a->nodes.compare = compare_nodes;
    a->timers_node.compare = compare_timers;
    a->draining.compare = compare_draining;
}

struct node_at *node_find(const struct agent *a, const char *name)
{
    const struct node_at like = {.name = (char *)name};

    return node_of(tree_find(&a->nodes, &like.link));
}

struct node_at *node_make(struct agent *a, const char *name)
{
    struct node_at *n = node_find(a, name);

    if (n)
        return n;
    n = agent_alloc(1, sizeof *n);
    n->n = ++a->node_next;
    n->name = agent_text(name);
    tree_add(&a->nodes, &n->link);
    check(directory_put(&a->node_dir, n->n, n));
    return n;
}

static void timer_set(struct agent *a, struct node_at *n, int64_t at_ns)
{
    if (tree_in(&n->timer))
        tree_remove(&a->timers_node, &n->timer);
    n->timer_ns = at_ns;
    if (at_ns != INT64_MAX)
        tree_add(&a->timers_node, &n->timer);
}

static void undirty(struct agent *a, struct node_at *n)
{
    struct node_at **at = &a->dirty_nodes;

    if (!n->dirty)
        return;
    while (*at != n)
        at = &(*at)->dirty_next;
    *at = n->dirty_next;
    n->dirty = false;
}

void node_free_at(struct agent *a, struct node_at *n)
{
    timer_set(a, n, INT64_MAX);
    refusals_forget(a, n);
    undirty(a, n);
    if (tree_in(&n->place))
        tree_remove(&n->shape->nodes, &n->place);
    if (tree_in(&n->drain))
        tree_remove(&a->draining, &n->drain);
    if (n->shape)
        shape_give_back(a, n->shape);
    tree_remove(&a->nodes, &n->link);
    directory_remove(&a->node_dir, n->n);
    packed_release(&n->ad);
    agent_texts_free(n->near, n->near_count);
    free(n->name);
    free(n);
}

void nodes_release(struct agent *a)
{
    struct tree_link *l;

    while ((l = tree_first(&a->nodes)))
        node_free_at(a, node_of(l));
    directory_release(&a->node_dir);
}

/* ---------------------------------------------------------------- where it stands */

static bool takes_work(const struct node_at *n)
{
    return n->state == NODE_UP && !n->drained && !n->leaving && n->shape;
}

static void dirty(struct agent *a, struct node_at *n)
{
    if (n->dirty)
        return;
    n->dirty = true;
    n->dirty_next = a->dirty_nodes;
    a->dirty_nodes = n;
}

void node_place(struct agent *a, struct node_at *n)
{
    const uint32_t assigned = (uint32_t)n->tasks.count + n->reserved;
    const struct rank_node rank = {
        .speed = n->speed, .foreign = n->foreign, .slots = n->slots, .assigned = assigned};

    if (tree_in(&n->place))
        tree_remove(&n->shape->nodes, &n->place);
    if (n->drained && n->tasks.count && !tree_in(&n->drain))
        tree_add(&a->draining, &n->drain);
    else if (tree_in(&n->drain) && (!n->drained || !n->tasks.count))
        tree_remove(&a->draining, &n->drain);
    if (!takes_work(n))
        return;
    n->cost = policy_rank_cost(&rank);
    n->busy = assigned >= n->slots;
    tree_add(&n->shape->nodes, &n->place);
    dirty(a, n);
}

int64_t node_failure_ns(const struct agent *a, const struct node_at *n)
{
    const int64_t up = n->up_before_ns + (n->peer ? a->now_ns - n->up_ns : 0);

    return n->losses ? up / (int64_t)n->losses + 1 : 0;
}

/* ---------------------------------------------------------------- orders */

static Tern__Order *add_order(struct agent *a, struct node_at *n, Tern__OrderKind kind,
                              struct core_out *out)
{
    Tern__Order *o = core_new(out, 1, sizeof *o);

    if (!n->orders) {
        n->orders = core_new(out, 1, sizeof *n->orders);
        tern__orders__init(n->orders);
        n->orders_room = n->orders_bytes = 0;
        n->orders_next = a->ordered;
        a->ordered = n;
    }
    if (n->orders->n_orders == n->orders_room) {
        const size_t room = n->orders_room ? 2 * n->orders_room : 8;
        Tern__Order **more = core_new(out, room, sizeof *more);

        if (n->orders->n_orders)
            memcpy(more, n->orders->orders, n->orders->n_orders * sizeof *more);
        n->orders->orders = more;
        n->orders_room = room;
    }
    tern__order__init(o);
    o->kind = kind;
    n->orders->orders[n->orders->n_orders++] = o;
    return o;
}

static void send_orders(struct node_at *n, struct core_out *out)
{
    Tern__Envelope *e = core_send(out, n->peer);

    e->body_case = TERN__ENVELOPE__BODY_ORDERS;
    e->orders = n->orders;
}

void node_order_fence(struct agent *a, struct node_at *n, Tern__OrderKind kind,
                      const Tern__Fence *fence, struct core_out *out)
{
    Tern__Order *o;

    if (!n->peer)
        return;
    o = add_order(a, n, kind, out);
    o->fence = core_new(out, 1, sizeof *o->fence);
    *o->fence = *fence;
}

/* For the task's newest attempt; NULL if the node is not here. */
Tern__Order *node_order(struct agent *a, struct node_at *n, Tern__OrderKind kind,
                        const struct task *t, struct core_out *out)
{
    const struct attempt *at = task_attempt(t);
    Tern__Order *o;

    if (!n->peer)
        return NULL;
    o = add_order(a, n, kind, out);
    o->fence = core_new(out, 1, sizeof *o->fence);
    tern__fence__init(o->fence);
    o->fence->task = t->n;
    o->fence->attempt = at->n;
    o->fence->term = at->term;
    return o;
}

void orders_flush(struct agent *a, struct core_out *out)
{
    while (a->ordered) {
        struct node_at *n = a->ordered;

        a->ordered = n->orders_next;
        if (n->peer)
            send_orders(n, out);
        n->orders = NULL;
    }
}

void orders_flush_if_large(struct node_at *n, size_t bytes, struct core_out *out)
{
    n->orders_bytes += bytes;
    if (n->orders_bytes < AGENT_ORDERS_BYTES || !n->peer)
        return;
    send_orders(n, out);
    n->orders = core_new(out, 1, sizeof *n->orders); /* it stays in the list, with an empty one */
    tern__orders__init(n->orders);
    n->orders_room = n->orders_bytes = 0;
}

/* ---------------------------------------------------------------- losing */

void node_fact(struct agent *a, struct core_out *out, const struct node_at *n, bool drained,
               uint64_t losses)
{
    Tern__Fact *f = core_store(out, a->now_ns);
    Tern__NodeKnown *known = core_new(out, 1, sizeof *known);

    tern__node_known__init(known);
    known->name = n->name;
    known->drained = drained;
    known->losses = losses;
    known->up_ns = n->up_before_ns + (n->up_ns ? a->now_ns - n->up_ns : 0);
    f->what_case = TERN__FACT__WHAT_NODE_KNOWN;
    f->node_known = known;
    agent_fact(a, f);
}

static void set_state(struct agent *a, struct node_at *n, enum node_state state)
{
    if (n->shape)
        n->shape->node_up += (state == NODE_UP) - (uint64_t)(n->state == NODE_UP);
    n->state = state;
    node_place(a, n);
}

static void lose(struct agent *a, struct node_at *n, struct core_out *out)
{
    const size_t tasks = n->tasks.count;
    struct task *t;

    set_state(a, n, NODE_DOWN);
    timer_set(a, n, INT64_MAX);
    if (n->peer)
        core_close(out, n->peer); /* it hangs: when it speaks again, it has to say what it has */
    n->peer = 0;
    if (tasks || !n->leaving) {
        core_note(out, NOTE_NODE_LOST, tasks, 0, 0);
        node_fact(a, out, n, n->drained, n->losses + (n->up_ns != 0));
    }
    n->up_ns = 0;
    moves_target_lost(a, n, out);
    while ((t = tree_of(tree_first(&n->tasks), struct task, link)))
        task_gone(a, out, t, TERN__ATTEMPT_STATE__ATTEMPT_LOST, "its node was lost");
}

static void look_at(struct agent *a, struct node_at *n, struct core_out *out)
{
    const int64_t suspect_ns = n->seen_ns + SUSPECT_BEATS * a->config.beat_ns;
    const int64_t lost_ns = n->seen_ns + a->config.lease_ns + a->config.drift_ns;

    if (!n->peer) { /* the time that it had to come back is over */
        lose(a, n, out);
    } else if (a->now_ns >= lost_ns) {
        lose(a, n, out);
    } else if (a->now_ns >= suspect_ns) {
        if (n->state == NODE_UP)
            core_note(out, NOTE_NODE_SUSPECT, n->tasks.count, 0, 0);
        set_state(a, n, NODE_SUSPECT);
        timer_set(a, n, lost_ns);
    } else {
        timer_set(a, n, suspect_ns < lost_ns ? suspect_ns : lost_ns);
    }
}

void nodes_due(struct agent *a, struct core_out *out)
{
    struct node_at *n;

    while ((n = tree_of(tree_first(&a->timers_node), struct node_at, timer)) &&
           n->timer_ns <= a->now_ns)
        look_at(a, n, out);
    if (n)
        core_wake(out, n->timer_ns);
}

void nodes_down(struct agent *a, struct peer *p, struct core_out *out)
{
    struct node_at *n = p->node;

    if (!n || n->peer != p->n)
        return;
    n->peer = 0;
    core_note(out, NOTE_NODE_SUSPECT, n->tasks.count, 0, 0);
    set_state(a, n, NODE_SUSPECT);
    timer_set(a, n, a->now_ns + a->config.grace_ns);
}

/* Those with tasks may come back: a full lease from now, since they may have renewed it just now.
 */
void nodes_started(struct agent *a)
{
    for (struct tree_link *l = tree_first(&a->nodes); l; l = tree_behind(&a->nodes, l)) {
        struct node_at *n = node_of(l);

        if (!n->tasks.count)
            continue;
        n->state = NODE_SUSPECT;
        timer_set(a, n, a->now_ns + a->config.lease_ns + a->config.drift_ns);
    }
}

/* ---------------------------------------------------------------- coming */

static void set_load(struct agent *a, struct node_at *n, const Tern__Load *load)
{
    const uint32_t before = n->foreign / 128;

    if (!load)
        return;
    n->foreign = load->foreign < 1000 ? load->foreign : 1000;
    n->running = load->running;
    n->waiting = load->waiting;
    n->memory_free = load->memory_free;
    if (n->foreign / 128 != before) /* only what changes its rank by much */
        node_place(a, n);
}

static void set_ad(struct agent *a, struct node_at *n, const Tern__NodeAd *ad)
{
    Tern__NodeAd kept = *ad;
    struct shape *old = n->shape;

    if (tree_in(&n->place))
        tree_remove(&old->nodes, &n->place);
    if (old && n->state == NODE_UP)
        old->node_up--;
    kept.n_holdings = 0;
    kept.holdings = NULL;
    packed_set(&n->ad, &kept.base);
    n->shape = shape_take(a, ad);
    if (n->state == NODE_UP)
        n->shape->node_up++;
    if (old)
        shape_give_back(a, old);
    n->slots = ad->slots < NODE_SLOTS_LIMIT ? ad->slots : NODE_SLOTS_LIMIT;
    n->speed = ad->speed;
    n->leaving = ad->leaving;
    agent_texts_free(n->near, n->near_count);
    n->near_count = ad->n_near < AGENT_NEAR_MAX ? ad->n_near : AGENT_NEAR_MAX;
    n->near = agent_texts(ad->near, n->near_count);
    set_load(a, n, ad->load);
}

/* Room for one more: the one that has been away longest is forgotten. */
static bool make_room(struct agent *a, struct core_out *out)
{
    struct node_at *oldest = NULL;
    Tern__Fact *f;

    if (a->nodes.count < a->config.nodes_max)
        return true;
    for (struct tree_link *l = tree_first(&a->nodes); l; l = tree_behind(&a->nodes, l)) {
        struct node_at *n = node_of(l);

        if (n->state == NODE_DOWN && !n->tasks.count && !n->drained && !n->reserved &&
            (!oldest || n->seen_ns < oldest->seen_ns))
            oldest = n;
    }
    if (!oldest)
        return false;
    f = core_store(out, a->now_ns);
    f->what_case = TERN__FACT__WHAT_NODE_KNOWN;
    f->node_known = core_new(out, 1, sizeof *f->node_known);
    tern__node_known__init(f->node_known);
    f->node_known->name = core_text(out, "%s", oldest->name);
    f->node_known->forgotten = true;
    agent_fact(a, f);
    return true;
}

/* Who is there keeps its name; one that is suspect or lost makes room for whoever says it next. */
bool nodes_up(struct agent *a, const struct peer *p, struct core_out *out)
{
    const struct node_at *n = node_find(a, p->name);

    if (!n || !n->peer || n->peer == p->n || n->state != NODE_UP || n->instance == p->instance)
        return true;
    core_refuse(out, p->n, 0, TERN_EEXIST,
                "another node named %s is connected; give this one another --name", p->name);
    core_close(out, p->n);
    return false;
}

static void on_ad(struct agent *a, struct peer *p, const Tern__NodeAd *ad, struct core_out *out)
{
    struct node_at *n = node_find(a, p->name);
    const bool again = p->node != NULL;

    if (!nodes_up(a, p, out)) /* another one came in between */
        return;
    if (!n && !make_room(a, out)) {
        core_refuse(out, p->n, 0, TERN_ETOOBIG, "this pool has %u nodes, which is its limit",
                    (unsigned)a->config.nodes_max);
        core_close(out, p->n);
        return;
    }
    if (!n) {
        struct node_at like = {.name = p->name};

        node_fact(a, out, &like, false, 0);
        n = node_find(a, p->name);
    }
    if (n->peer && n->peer != p->n)
        core_close(out, n->peer); /* it has come back before its old connection was gone */
    if (!again) {
        refusals_forget(a, n);
        n->up_ns = n->up_ns ? n->up_ns : a->now_ns;
        core_note(out, NOTE_NODE_UP, p->n, ad->slots, 0);
    }
    p->node = n;
    n->peer = p->n;
    n->instance = p->instance;
    n->seen_ns = a->now_ns;
    set_ad(a, n, ad);
    set_state(a, n, NODE_UP);
    timer_set(a, n, a->now_ns + SUSPECT_BEATS * a->config.beat_ns);
    if (!again)
        node_reconcile(a, n, ad, out);
}

static void on_beat(struct agent *a, struct node_at *n, const Tern__Beat *beat)
{
    set_load(a, n, beat->load);
}

void nodes_message(struct agent *a, struct peer *p, const Tern__Envelope *e, struct core_out *out)
{
    struct node_at *n = p->node;

    if (e->body_case == TERN__ENVELOPE__BODY_NODE_AD) {
        on_ad(a, p, e->node_ad, out);
        return;
    }
    if (!n || n->peer != p->n)
        return; /* an old connection */
    n->seen_ns = a->now_ns;
    if (n->state == NODE_SUSPECT) {
        set_state(a, n, NODE_UP);
        timer_set(a, n, a->now_ns + SUSPECT_BEATS * a->config.beat_ns);
    }
    switch ((int)e->body_case) {
    case TERN__ENVELOPE__BODY_BEAT: on_beat(a, n, e->beat); break;
    case TERN__ENVELOPE__BODY_REPORTS: reports_take(a, n, e->reports, out); break;
    default: break;
    }
}
