#include "core/agent_inner.h"

#include <stdlib.h>

/*
 * A node that gives back what it was just given would be the best one for it again, at once and for
 * ever: it is left alone with tasks of that class for a moment. What it was told to give back
 * (RECALL) does not count.
 */

#define REFUSED_NS INT64_C(1000000000) /* as after a move that was refused */

static struct refusal *refusal_of(const struct tree_link *link)
{
    return tree_of(link, struct refusal, timer);
}

static int compare_refusals(const struct tree_link *a, const struct tree_link *b)
{
    const struct refusal *x = refusal_of(a), *y = refusal_of(b);

    if (x->until_ns != y->until_ns)
        return x->until_ns < y->until_ns ? -1 : 1;
    return x->node != y->node ? order_u64(x->node->n, y->node->n) : order_u64(x->class, y->class);
}

void refusals_init(struct agent *a)
{
    a->refusals.compare = compare_refusals;
}

static void forget(struct agent *a, struct refusal *r)
{
    struct refusal **at = &r->node->refusals;

    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    tree_remove(&a->refusals, &r->timer);
    free(r);
}

void refusals_forget(struct agent *a, struct node_at *n)
{
    while (n->refusals)
        forget(a, n->refusals);
}

static struct refusal *find(const struct node_at *n, const struct class *c)
{
    struct refusal *r = n->refusals;

    while (r && r->class != c->n)
        r = r->next;
    return r;
}

bool node_has_refused(const struct node_at *n, const struct class *c)
{
    return find(n, c) != NULL;
}

/* The oldest makes room. */
static void limit(struct agent *a, const struct node_at *n)
{
    struct refusal *last = n->refusals;
    size_t count = last != NULL;

    for (; last && last->next; last = last->next)
        count++;
    if (count == NODE_REFUSALS_MAX)
        forget(a, last);
}

void node_refuses(struct agent *a, struct node_at *n, const struct task *t, struct core_out *out)
{
    struct refusal *r = find(n, t->job->class);

    if (r)
        forget(a, r);
    limit(a, n);
    r = agent_alloc(1, sizeof *r);
    *r = (struct refusal){.node = n,
                          .class = t->job->class->n,
                          .until_ns = a->now_ns + REFUSED_NS,
                          .next = n->refusals};
    n->refusals = r;
    tree_add(&a->refusals, &r->timer);
    core_wake(out, r->until_ns);
}

void refusals_due(struct agent *a, struct core_out *out)
{
    struct refusal *r;

    while ((r = refusal_of(tree_first(&a->refusals))) && r->until_ns <= a->now_ns) {
        struct node_at *n = r->node;

        forget(a, r);
        node_place(a, n); /* it is asked again */
    }
    if (r)
        core_wake(out, r->until_ns);
}
