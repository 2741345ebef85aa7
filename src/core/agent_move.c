#include "core/agent_inner.h"

#include "base/check.h"

#define MOVE_AGAIN_NS INT64_C(1000000000) /* after a target that would not take it */
#define RECALL_NS     INT64_C(10000000)   /* what is over sooner stays where it is */

/*
 * A move: the target fetches and compiles what the newest checkpoint needs (PREPARE, under the
 * fence of the attempt to come), then the source checkpoints ahead and ends behind a last one
 * (MOVE), then the target begins (PLACE, same fence). None of it is a fact before the source has
 * ended: whatever goes wrong on the way, the task stays where it is, or goes back to the queue.
 */

static void reserve(struct agent *a, struct node_at *n, int by)
{
    check(by > 0 || n->reserved > 0);
    n->reserved = by > 0 ? n->reserved + 1 : n->reserved - 1;
    node_place(a, n);
}

static void not_moving(struct agent *a, struct run *r)
{
    r->moving = MOVING_NOT;
    r->target = NULL;
    tree_remove(&a->movers, &r->mover);
}

static Tern__Fence coming(const struct agent *a, const struct task *t)
{
    Tern__Fence fence = TERN__FENCE__INIT;

    fence.task = t->n;
    fence.attempt = t->run->given;
    fence.term = a->term;
    return fence;
}

bool move_begin(struct agent *a, struct core_out *out, struct task *t, struct node_at *to)
{
    Tern__Fence fence;
    Tern__Order *o;

    if (t->state != TERN__TASK_STATE__TASK_RUNNING || !t->node->peer)
        return false;
    if (t->run->moving)
        return true; /* on its way already */
    t->run->given++;
    t->run->moving = MOVING_PREPARE;
    t->run->target = to;
    tree_add(&a->movers, &t->run->mover);
    reserve(a, to, 1);
    fence = coming(a, t);
    node_order_fence(a, to, TERN__ORDER_KIND__ORDER_PREPARE, &fence, out);
    o = to->orders->orders[to->orders->n_orders - 1];
    o->placing = placing_make(a, out, t, to, &fence, task_checkpoint(t));
    return true;
}

/* It ends, or is lost, or goes nowhere any more: the target need not wait. */
void move_forget(struct agent *a, struct core_out *out, struct task *t)
{
    Tern__Fence fence;
    struct node_at *to;

    if (!t->run || !t->run->moving)
        return;
    fence = coming(a, t);
    to = t->run->target;
    not_moving(a, t->run);
    reserve(a, to, -1);
    node_order_fence(a, to, TERN__ORDER_KIND__ORDER_STOP, &fence, out);
}

static bool is_coming(const struct agent *a, const struct task *t, const struct node_at *n,
                      const Tern__Fence *fence)
{
    return t->run && t->run->moving && t->run->target == n && fence->attempt == t->run->given &&
           fence->term == a->term;
}

void move_prepared(struct agent *a, struct core_out *out, struct task *t, struct node_at *n,
                   const Tern__Fence *fence)
{
    if (!is_coming(a, t, n, fence) || t->run->moving != MOVING_PREPARE)
        return;
    t->run->moving = MOVING_AWAY;
    node_order(a, t->node, TERN__ORDER_KIND__ORDER_MOVE, t, out);
}

/* The target cannot or will not take it. */
bool move_refused(struct agent *a, struct core_out *out, struct task *t, const struct node_at *n,
                  const Tern__Report *r)
{
    if (!is_coming(a, t, n, r->fence) ||
        (r->what_case != TERN__REPORT__WHAT_RETURNED && r->what_case != TERN__REPORT__WHAT_END))
        return false;
    move_forget(a, out, t);
    t->run->move_after_ns = a->now_ns + MOVE_AGAIN_NS;
    core_wake(out, t->run->move_after_ns);
    return true;
}

/* The source has ended behind a last checkpoint. False: there is no target any more. */
bool move_arrive(struct agent *a, struct core_out *out, struct task *t)
{
    struct node_at *to = t->run->target;
    const uint64_t given = t->run->given;

    if (!t->run->moving || !to->peer || to->state != NODE_UP)
        return false;
    not_moving(a, t->run);
    task_gone(a, out, t, TERN__ATTEMPT_STATE__ATTEMPT_MOVED, "to go on elsewhere");
    reserve(a, to, -1);
    t->run->given = given - 1; /* the one that was prepared */
    place_on(a, out, t, to);
    return true;
}

void moves_target_lost(struct agent *a, struct node_at *n, struct core_out *out)
{
    struct tree_link *l, *next;

    for (l = tree_first(&a->movers); l && n->reserved; l = next) {
        const struct run *r = tree_of(l, struct run, mover);

        next = tree_behind(&a->movers, l);
        if (r->target == n)
            move_forget(a, out, task_get(a, r->task));
    }
}

/* ---------------------------------------------------------------- recalling */

static uint32_t assigned(const struct node_at *n)
{
    return (uint32_t)n->tasks.count + n->reserved;
}

/* The one of this shape behind whose slots most waits. */
static struct node_at *most_behind(const struct shape *s)
{
    return tree_of(tree_last(&s->nodes), struct node_at, place);
}

static bool worth_recalling(const struct task *t, uint32_t waiting, uint32_t slots)
{
    const struct program *p = t->job->program;

    if (t->state != TERN__TASK_STATE__TASK_PLACED || t->run->recalled)
        return false;
    return !p || !p->took.count || p->took.mean_ns * waiting / (slots ? slots : 1) > RECALL_NS;
}

void moves_recall(struct agent *a, struct core_out *out, struct node_at *n)
{
    struct node_at *from = most_behind(n->shape);
    uint32_t waiting, most;

    if (assigned(n) >= n->slots || !from || from == n || assigned(from) <= from->slots)
        return;
    waiting = assigned(from) - from->slots;
    most = (waiting + 1) / 2;
    for (struct tree_link *l = tree_last(&from->tasks); l && most;
         l = tree_before(&from->tasks, l)) {
        struct task *t = tree_of(l, struct task, link);

        if (!worth_recalling(t, waiting, from->slots) || *t->job->class->needs->node)
            continue;
        node_order(a, from, TERN__ORDER_KIND__ORDER_RECALL, t, out);
        t->run->recalled = true;
        most--;
    }
}

/* ---------------------------------------------------------------- drained nodes */

static bool drain_one(struct agent *a, struct core_out *out, struct task *t)
{
    struct node_at *to;

    if (t->state == TERN__TASK_STATE__TASK_PLACED) {
        if (!t->run->recalled)
            node_order(a, t->node, TERN__ORDER_KIND__ORDER_RECALL, t, out);
        t->run->recalled = true;
        return true;
    }
    if (t->run->moving || a->now_ns < t->run->move_after_ns)
        return true;
    to = place_best(a, t, t->node, true);
    return to && move_begin(a, out, t, to);
}

static void drain_node(struct agent *a, struct core_out *out, struct node_at *n)
{
    bool room = true;

    for (struct tree_link *l = tree_first(&n->tasks); l; l = tree_behind(&n->tasks, l)) {
        struct task *t = tree_of(l, struct task, link);

        if (room || t->state == TERN__TASK_STATE__TASK_PLACED)
            room = drain_one(a, out, t) && room;
    }
}

/* As far as there is room elsewhere; what there is none for goes on where it is. */
void moves_drain(struct agent *a, struct core_out *out)
{
    for (struct tree_link *l = tree_first(&a->draining); l; l = tree_behind(&a->draining, l))
        if (tree_of(l, struct node_at, drain)->peer)
            drain_node(a, out, tree_of(l, struct node_at, drain));
}
