#include "core/agent_inner.h"

#include "base/check.h"

#include <string.h>

struct sums {
    struct agent_count count;
    uint64_t placed;
};

static void count_state(struct sums *s, const struct task *t)
{
    check(t->state != TERN__TASK_STATE__TASK_NONE);
    switch ((Tern__TaskState)t->state) {
    case TERN__TASK_STATE__TASK_WAITING: s->count.waiting++; break;
    case TERN__TASK_STATE__TASK_READY: s->count.ready++; break;
    case TERN__TASK_STATE__TASK_PLACED: s->count.placed++; break;
    case TERN__TASK_STATE__TASK_RUNNING: s->count.running++; break;
    case TERN__TASK_STATE__TASK_DONE: s->count.done++; break;
    case TERN__TASK_STATE__TASK_FAILED: s->count.failed++; break;
    case TERN__TASK_STATE__TASK_CANCELLED: s->count.cancelled++; break;
    case TERN__TASK_STATE__TASK_NONE:
    case _TERN__TASK_STATE_IS_INT_SIZE: break;
    }
}

static void check_attempts(const struct task *t)
{
    const struct run *r = t->run;
    const struct attempt *at = task_attempt(t);

    for (size_t i = 1; i < r->attempt_count; i++) {
        check(r->attempts[i - 1].n < r->attempts[i].n);
        check(r->attempts[i - 1].state > TERN__ATTEMPT_STATE__ATTEMPT_ENDED);
    }
    check(r->attempt_count <= AGENT_ATTEMPTS_MAX);
    check(!at || r->given >= at->n);
    check(!t->node || (at && strcmp(at->node, t->node->name) == 0));
    check(!r->moving == !r->target && !r->moving == !tree_in(&r->mover));
    check(!r->moving || (t->node && r->given > at->n));
}

static void check_checkpoints(const struct task *t)
{
    const struct run *r = t->run;
    size_t held = 0;

    for (size_t i = 0; i < r->checkpoint_count; i++) {
        check(!i || r->checkpoints[i - 1].n < r->checkpoints[i].n);
        check(r->checkpoints[i].n < r->checkpoint_next);
        held += r->checkpoints[i].root != NULL;
        check(!r->checkpoints[i].root || r->checkpoints[i].root->wanted > 0);
    }
    check(held <= AGENT_CHECKPOINTS_HELD && (!task_ended(t) || !held));
}

/* Where a task is says what it is. */
static void check_home(const struct agent *a, const struct task *t)
{
    const bool at_node =
        t->state == TERN__TASK_STATE__TASK_PLACED || t->state == TERN__TASK_STATE__TASK_RUNNING;

    check(at_node == (t->node != NULL));
    check(!t->in == !tree_in(&t->link));
    check(!t->in || tree_find(t->in, &t->link) == &t->link);
    if (at_node)
        check(t->in == &t->node->tasks);
    else if (task_ended(t))
        check(t->in == &a->ended && t->run && t->run->end.size);
    else if (t->state == TERN__TASK_STATE__TASK_READY)
        check(t->in == &t->job->class->ready || t->in == &a->stalled);
    else
        check((t->doomed != 0) == (t->in == &a->doomed) && (t->waits || t->doomed));
}

static void check_tasks(const struct agent *a, struct sums *s)
{
    uint64_t n = 0;
    const struct task *t;

    for (; (t = directory_from(&a->tasks, n, &n)); n++) {
        check(t->n == n && t->n < a->task_next);
        check(job_get(a, t->job->n) == t->job);
        count_state(s, t);
        check_home(a, t);
        if (!t->run)
            continue;
        check_attempts(t);
        check_checkpoints(t);
    }
    check(s->count.waiting == a->count.waiting && s->count.ready == a->count.ready);
    check(s->count.placed == a->count.placed && s->count.running == a->count.running);
    check(s->count.done == a->count.done && s->count.failed == a->count.failed);
    check(s->count.cancelled == a->count.cancelled);
}

static void check_jobs(const struct agent *a)
{
    uint64_t n = 0, tasks = 0, ended = 0, unended = 0;
    const struct job *j;

    for (; (j = directory_from(&a->jobs, n, &n)); n++) {
        check(j->n == n && j->n < a->job_next && j->tasks > 0 && j->ended <= j->tasks);
        tasks += j->tasks;
        ended += j->ended;
    }
    check(tasks == a->tasks.things && ended == a->ended.count);
    for (struct tree_link *l = tree_first(&a->owners); l; l = tree_behind(&a->owners, l))
        unended += tree_of(l, struct owner, link)->tasks;
    check(unended == tasks - ended);
}

static void check_nodes(const struct agent *a, const struct sums *s)
{
    uint64_t tasks = 0, reserved = 0;

    for (struct tree_link *l = tree_first(&a->nodes); l; l = tree_behind(&a->nodes, l)) {
        const struct node_at *n = tree_of(l, struct node_at, link);
        const bool placeable = n->state == NODE_UP && !n->drained && !n->leaving && n->shape;

        tasks += n->tasks.count;
        reserved += n->reserved;
        check(tree_in(&n->place) == placeable);
        check(!placeable || n->busy == (n->tasks.count + n->reserved >= n->slots));
        check(n->state != NODE_UP || n->peer);
        check(n->state != NODE_DOWN || !n->tasks.count);
        check(tree_in(&n->drain) == (n->drained && n->tasks.count));
        check((n->state == NODE_DOWN) == !tree_in(&n->timer));
        check(!n->orders);
    }
    check(tasks == s->count.placed + s->count.running);
    check(reserved == a->movers.count);
}

static void check_roots(const struct agent *a)
{
    uint64_t copies = 0, held = 0;

    for (struct tree_link *l = tree_first(&a->roots); l; l = tree_behind(&a->roots, l)) {
        const struct root *r = tree_of(l, struct root, link);
        uint32_t count = 0;

        for (const struct copy *c = r->copies; c; c = c->next, count++)
            check(tree_find(&c->depot->copies, &c->link) == &c->link);
        check(count == r->copy_count);
        check(tree_in(&r->idle) == (r->wanted == 0));
        copies += count;
    }
    for (struct tree_link *l = tree_first(&a->depots); l; l = tree_behind(&a->depots, l)) {
        const struct depot *d = tree_of(l, struct depot, link);

        held += d->copies.count;
        check(tree_in(&d->room) == (d->peer != 0));
    }
    check(copies == held);
}

static void check_clients(const struct agent *a)
{
    uint64_t n = 0, watches = 0;
    const struct session *s;

    for (; (s = directory_from(&a->sessions, n, &n)); n++) {
        const struct peer *p = s->peer ? agent_peer(a, s->peer) : NULL;

        check(!s->peer || (p && p->session == s));
        check(tree_in(&s->timer) == (s->peer == 0));
        check(s->answer_count <= LIMIT_OUTSTANDING + 1);
    }
    for (struct tree_link *l = tree_first(&a->peers); l; l = tree_behind(&a->peers, l)) {
        const struct peer *p = tree_of(l, struct peer, link);

        for (const struct watch *w = p->watches; w; w = w->next, watches++)
            check(w->peer == p);
        check(!p->seen);
    }
    check(watches == a->watch_count && watches == a->watches.count);
}

/* Whatever could be placed has been, unless there is more to do at once. */
static void check_placed(const struct agent *a)
{
    if (a->again || !a->started)
        return;
    for (struct tree_link *l = tree_first(&a->classes); l; l = tree_behind(&a->classes, l)) {
        const struct class *c = tree_of(l, struct class, link);
        const struct task *t = class_first(c);

        check(!t || !place_best(a, t, NULL, true));
    }
}

void agent_check(const struct agent *a)
{
    struct sums sums = {0};

    check_tasks(a, &sums);
    check_jobs(a);
    check_nodes(a, &sums);
    check_roots(a);
    check_clients(a);
    check_placed(a);
}
