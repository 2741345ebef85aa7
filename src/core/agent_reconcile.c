/* A node has come, with what it holds: what it has and what it should have are brought together. */
#include "core/agent_inner.h"

#include <stdlib.h>
#include <string.h>

static bool holds(const Tern__NodeAd *ad, const struct task *t)
{
    for (size_t i = 0; i < ad->n_holdings; i++)
        if (ad->holdings[i]->fence && ad->holdings[i]->fence->task == t->n &&
            task_is_at(t, ad->holdings[i]->fence))
            return true;
    return false;
}

static int order_holdings(const void *a, const void *b)
{
    const Tern__Holding *x = *(Tern__Holding *const *)a, *y = *(Tern__Holding *const *)b;

    return order_u64(x->fence ? x->fence->task : 0, y->fence ? y->fence->task : 0);
}

/* What it was told of a task that it has may not have reached it: twice is no harm. */
static void say_again(struct agent *a, struct node_at *n, const struct task *t,
                      struct core_out *out)
{
    const struct run *r = t->run;

    for (size_t i = 0; i < r->input_count; i++) {
        node_order(a, n, TERN__ORDER_KIND__ORDER_INPUT, t, out)->input =
            packed_open(&r->inputs[i], &tern__more_input__descriptor, out);
        orders_flush_if_large(n, r->inputs[i].size, out);
    }
    if (r->moving == MOVING_AWAY)
        node_order(a, n, TERN__ORDER_KIND__ORDER_MOVE, t, out);
    if (t->begun || watch_awaits(a, t))
        watch_tell_awaited(a, t, out);
}

/* What it does not have any more goes elsewhere; what we do not want any more it stops. */
void node_reconcile(struct agent *a, struct node_at *n, const Tern__NodeAd *ad,
                    struct core_out *out)
{
    Tern__NodeAd sorted = *ad, one = TERN__NODE_AD__INIT;
    struct task *t, *next;
    size_t at = 0;

    sorted.holdings = core_new(out, ad->n_holdings, sizeof *sorted.holdings);
    if (ad->n_holdings)
        memcpy(sorted.holdings, ad->holdings, ad->n_holdings * sizeof *sorted.holdings);
    qsort(sorted.holdings, sorted.n_holdings, sizeof *sorted.holdings, order_holdings);
    for (t = tree_of(tree_first(&n->tasks), struct task, link); t; t = next) {
        next = tree_of(tree_behind(&n->tasks, &t->link), struct task, link);
        while (at < sorted.n_holdings &&
               (!sorted.holdings[at]->fence || sorted.holdings[at]->fence->task < t->n))
            at++;
        one.holdings = sorted.holdings + at;
        for (one.n_holdings = 0; at + one.n_holdings < sorted.n_holdings &&
                                 one.holdings[one.n_holdings]->fence->task == t->n;)
            one.n_holdings++;
        if (holds(&one, t)) {
            say_again(a, n, t, out);
            continue;
        }
        if (t->begun)
            task_gone(a, out, t, TERN__ATTEMPT_STATE__ATTEMPT_LOST, "its node began anew");
        else
            task_gone(a, out, t, TERN__ATTEMPT_STATE__ATTEMPT_RETURNED,
                      "the order did not reach its node");
    }
    for (size_t i = 0; i < ad->n_holdings; i++) {
        const Tern__Fence *fence = ad->holdings[i]->fence;

        if (fence &&
            !(task_is_at(task_get(a, fence->task), fence) && task_get(a, fence->task)->node == n))
            node_order_fence(a, n, TERN__ORDER_KIND__ORDER_STOP, fence, out);
    }
}
