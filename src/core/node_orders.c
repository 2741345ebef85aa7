#include "core/node_inner.h"

#include "base/check.h"

#include <string.h>

/* A copy in the out's arena that may go on to a slot. */
static const Tern__Order *copy(const Tern__Order *o, struct core_out *out)
{
    Tern__Order *copied = message_copy(&o->base, &out->arena);

    check(copied);
    return copied;
}

static void pass_on(struct node *n, const struct attempt *a, const Tern__Order *o,
                    struct core_out *out)
{
    *slots_tell(n, a, o->kind, out) = *copy(o, out);
}

static void place(struct node *n, const Tern__Order *o, struct core_out *out)
{
    struct attempt *a = attempts_find(&n->held, o->fence);

    if (a && !a->prepare)
        return; /* told twice */
    if (a) {
        a->prepare = o->kind == TERN__ORDER_KIND__ORDER_PREPARE;
        a->awaited_said = false; /* the order says it */
        if (a->step == ATTEMPT_STEP_QUEUED)
            packed_set(&a->order, &o->base);
        else if (a->step == ATTEMPT_STEP_GIVEN)
            pass_on(n, a, o, out);
        return;
    }
    a = attempts_add(&n->held, o->fence, &n->queue);
    check(a);
    if (n->leaving || !o->placing || !o->placing->job || !o->placing->task) {
        node_returned(n, a, n->leaving ? "its node is leaving" : "the order says too little");
    } else if (n->held.count > NODE_ATTEMPTS_MAX) {
        node_returned(n, a, "its node has as many attempts as it can keep");
    } else {
        a->prepare = o->kind == TERN__ORDER_KIND__ORDER_PREPARE;
        packed_set(&a->order, &o->base);
    }
}

static void recall(struct node *n, struct attempt *a, struct core_out *out)
{
    if (a->step == ATTEMPT_STEP_QUEUED) {
        node_returned(n, a, "recalled");
    } else if (a->step == ATTEMPT_STEP_GIVEN && !a->recalled) {
        a->recalled = true;
        slots_tell(n, a, TERN__ORDER_KIND__ORDER_RECALL, out);
    }
}

static void stop(struct node *n, struct attempt *a, struct core_out *out)
{
    if (a->step == ATTEMPT_STEP_QUEUED || a->step == ATTEMPT_STEP_OVER) {
        node_drop(n, a);
    } else if (!a->stopped) {
        a->stopped = true;
        a->stop_by_ns = n->now_ns + n->config.stop_ns;
        slots_tell(n, a, TERN__ORDER_KIND__ORDER_STOP, out);
    }
}

/* The agent says it again when it has come back. */
static bool has_input(const struct attempt *a, const Tern__Order *o)
{
    struct packed packed = {0};
    bool has = false;

    packed_set(&packed, &o->base);
    for (size_t i = 0; i < a->input_count && !has; i++)
        has = a->input[i].size == packed.size &&
              memcmp(a->input[i].data, packed.data, packed.size) == 0;
    packed_release(&packed);
    return has;
}

static void input(struct node *n, struct attempt *a, const Tern__Order *o, struct core_out *out)
{
    if (has_input(a, o))
        return;
    if (a->step == ATTEMPT_STEP_GIVEN || a->step == ATTEMPT_STEP_BEGUN)
        pass_on(n, a, o, out);
    if (a->step == ATTEMPT_STEP_BEGUN || a->step == ATTEMPT_STEP_OVER)
        return;
    /* The agent has all of it: it says so again to whoever gets this attempt's task next. */
    if (a->input_count < ATTEMPT_INPUTS_MAX)
        packed_set(&a->input[a->input_count++], &o->base);
    else if (a->step == ATTEMPT_STEP_QUEUED)
        node_returned(n, a, "more input came than waits well");
    else
        recall(n, a, out);
}

static void take(struct node *n, const Tern__Order *o, struct core_out *out)
{
    struct attempt *a;

    if (!o->fence)
        return;
    if (o->kind == TERN__ORDER_KIND__ORDER_PLACE || o->kind == TERN__ORDER_KIND__ORDER_PREPARE) {
        place(n, o, out);
        return;
    }
    a = attempts_find(&n->held, o->fence);
    if (!a)
        return; /* its last report crossed this */
    switch ((int)o->kind) {
    case TERN__ORDER_KIND__ORDER_RECALL: recall(n, a, out); break;
    case TERN__ORDER_KIND__ORDER_STOP: stop(n, a, out); break;
    case TERN__ORDER_KIND__ORDER_INPUT: input(n, a, o, out); break;
    case TERN__ORDER_KIND__ORDER_MOVE:
        if (a->step == ATTEMPT_STEP_QUEUED)
            node_returned(n, a, "to go elsewhere");
        else if (a->step != ATTEMPT_STEP_OVER)
            pass_on(n, a, o, out);
        break;
    case TERN__ORDER_KIND__ORDER_AWAITED:
        a->awaited_said = true;
        a->awaited = o->awaited;
        if (a->step == ATTEMPT_STEP_GIVEN || a->step == ATTEMPT_STEP_BEGUN)
            pass_on(n, a, o, out);
        break;
    case TERN__ORDER_KIND__ORDER_CHECKPOINT: /* of one that is queued: it loses nothing */
    case TERN__ORDER_KIND__ORDER_COMMITTED:
        if (a->step == ATTEMPT_STEP_GIVEN || a->step == ATTEMPT_STEP_BEGUN)
            pass_on(n, a, o, out);
        break;
    default: break; /* of a later version */
    }
}

void orders_take(struct node *n, const Tern__Orders *orders, struct core_out *out)
{
    for (size_t i = 0; i < orders->n_orders; i++)
        take(n, orders->orders[i], out);
}
