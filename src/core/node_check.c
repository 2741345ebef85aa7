#include "core/node_inner.h"

#include "base/check.h"

struct seen {
    size_t count;
    uint32_t running;
};

static void check_list(const struct node *n, const struct attempt_list *list, uint32_t slot,
                       struct seen *seen)
{
    const struct attempt *before = NULL;
    size_t count = 0;

    for (const struct attempt *a = list->first; a; before = a, a = a->behind, count++) {
        Tern__Fence fence;

        attempt_fence(a, &fence);
        check(attempts_find(&n->held, &fence) == a); /* no fence twice */
        check(a->in == list && a->before == before);
        check((a->step == ATTEMPT_STEP_QUEUED) == (list == &n->queue));
        check((a->step == ATTEMPT_STEP_OVER) == (list == &n->over));
        check(slot == NODE_SLOTS_MAX || a->slot == slot);
        check((a->step == ATTEMPT_STEP_QUEUED || a->step == ATTEMPT_STEP_GIVEN) ==
              (a->order.data != NULL));
        check(list != &n->over || a->last_report); /* the agent hears of each how it ended */
        check(list != &n->over || !before || before->last_report < a->last_report);
        seen->running += a->step == ATTEMPT_STEP_BEGUN;
    }
    check(list->last == before && list->count == count);
    seen->count += count;
}

void node_check(const struct node *n)
{
    struct seen seen = {0};

    check_list(n, &n->queue, NODE_SLOTS_MAX, &seen);
    check_list(n, &n->over, NODE_SLOTS_MAX, &seen);
    for (uint32_t i = 0; i < n->config.slots; i++) {
        const struct slot_entry *s = &n->slot[i];

        check_list(n, &s->work, i, &seen);
        check(s->state == SLOT_UP || s->state == SLOT_DYING || !s->work.count);
        check(s->state != SLOT_UP || s->peer);
        check(s->window >= 1 && s->window <= n->config.ahead);
        check(!s->told);
    }
    check(seen.count == n->held.count);
    check(seen.running == n->running);
    check(n->owed.count >= n->over.count);
    check(!n->agent || !n->owed.unsent || n->ended);
}
