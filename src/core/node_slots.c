#include "core/node_inner.h"

#include "base/check.h"

/* ---------------------------------------------------------------- telling a slot */

uint32_t slots_of_peer(const struct node *n, uint32_t peer)
{
    for (uint32_t i = 0; i < n->config.slots; i++)
        if (n->slot[i].state == SLOT_UP && n->slot[i].peer == peer)
            return i;
    return NODE_SLOTS_MAX;
}

/* One message for each slot in a step: the orders are added to it. */
static Tern__Order **next_order(struct slot_entry *s, struct core_out *out)
{
    Tern__SlotWork *work = s->told;

    if (!work) {
        Tern__Envelope *e = core_send(out, s->peer);

        work = core_new(out, 1, sizeof *work);
        tern__slot_work__init(work);
        e->body_case = TERN__ENVELOPE__BODY_SLOT_WORK;
        e->slot_work = s->told = work;
        s->told_room = 0;
    }
    if (work->n_orders == s->told_room) {
        Tern__Order **orders = work->orders;

        s->told_room = s->told_room ? 2 * s->told_room : 8;
        work->orders = core_new(out, s->told_room, sizeof(Tern__Order *));
        for (size_t i = 0; i < work->n_orders; i++)
            work->orders[i] = orders[i];
    }
    return &work->orders[work->n_orders++];
}

Tern__Order *slots_tell(struct node *n, const struct attempt *a, Tern__OrderKind kind,
                        struct core_out *out)
{
    Tern__Order *order = core_new(out, 1, sizeof *order);
    struct slot_entry *s = &n->slot[a->slot];

    tern__order__init(order);
    order->kind = kind;
    order->fence = core_new(out, 1, sizeof *order->fence);
    attempt_fence(a, order->fence);
    if (s->state == SLOT_UP) /* one that is dying will be told nothing */
        *next_order(s, out) = order;
    return order;
}

static void give(struct node *n, uint32_t index, struct attempt *a, struct core_out *out)
{
    struct slot_entry *s = &n->slot[index];

    a->step = ATTEMPT_STEP_GIVEN;
    a->slot = index;
    a->pulled = false;
    if (!s->work.count)
        s->since_ns = n->now_ns;
    attempt_move(a, &s->work);
    *next_order(s, out) = packed_open(&a->order, &tern__order__descriptor, out);
    for (size_t i = 0; i < a->input_count; i++)
        *next_order(s, out) = packed_open(&a->input[i], &tern__order__descriptor, out);
    if (a->awaited_said)
        slots_tell(n, a, TERN__ORDER_KIND__ORDER_AWAITED, out)->awaited = a->awaited;
}

/* ---------------------------------------------------------------- coming and going */

void slots_up(struct node *n, const struct core_event *ev, struct core_out *out)
{
    struct slot_entry *s;

    if (ev->index >= n->config.slots || n->slot[ev->index].state != SLOT_STARTING) {
        core_close(out, ev->peer);
        return;
    }
    s = &n->slot[ev->index];
    s->state = SLOT_UP;
    s->peer = ev->peer;
    core_note(out, NOTE_SLOT_UP, ev->index, 0, 0);
}

/* What it had: the first attempt may be why it died; the others have nothing to do with it. */
static void take_back(struct node *n, struct slot_entry *s, const char *why)
{
    struct attempt *first = s->work.first;

    while (s->work.count > 1 && s->work.last->step == ATTEMPT_STEP_GIVEN) {
        struct attempt *a = s->work.last;

        if (a->stopped) {
            node_drop(n, a);
        } else if (a->recalled) {
            node_returned(n, a, "recalled");
        } else {
            a->step = ATTEMPT_STEP_QUEUED;
            attempt_move_first(a, &n->queue);
        }
    }
    for (struct attempt *next; first; first = next) {
        next = first->behind;
        if (first->stopped)
            node_drop(n, first);
        else
            node_broken(n, first, why);
    }
}

void slots_down(struct node *n, const struct core_event *ev, struct core_out *out)
{
    struct slot_entry *s = NULL;

    for (uint32_t i = 0; i < n->config.slots && !s; i++)
        if (ev->peer ? n->slot[i].state != SLOT_NONE && n->slot[i].peer == ev->peer
                     : i == ev->index && n->slot[i].state != SLOT_NONE)
            s = &n->slot[i];
    if (!s)
        return;
    if (s->state != SLOT_DYING)
        core_note(out, NOTE_SLOT_GONE, (uint64_t)(s - n->slot), s->work.count, 0);
    if (s->state == SLOT_DYING)
        s->delay_ns = 0;
    else
        s->delay_ns = !s->delay_ns ? SLOT_DELAY_LEAST_NS : 2 * s->delay_ns;
    if (s->delay_ns > SLOT_DELAY_MOST_NS)
        s->delay_ns = SLOT_DELAY_MOST_NS;
    s->start_ns = n->now_ns + s->delay_ns;
    s->state = SLOT_NONE;
    s->peer = 0;
    s->window = 1;
    s->each_ns = 0;
    take_back(n, s,
              core_text(out, "the process of its slot ended%s%s", ev->why ? ": " : "",
                        ev->why ? ev->why : ""));
}

void slots_kill(struct node *n, uint32_t index, struct core_out *out)
{
    struct slot_entry *s = &n->slot[index];

    if (s->state != SLOT_UP && s->state != SLOT_STARTING)
        return;
    s->state = SLOT_DYING;
    core_slot(out, CORE_KILL_SLOT, index);
}

/* ---------------------------------------------------------------- what a slot reports */

/* How long one takes here decides how many it is given ahead. */
static void measure_one(struct node *n, struct slot_entry *s, const struct attempt *a)
{
    int64_t took = n->now_ns - s->since_ns;
    int64_t window;

    if (s->work.first != a)
        return;
    s->since_ns = n->now_ns;
    s->each_ns = s->each_ns ? (3 * s->each_ns + took) / 4 : took;
    window = s->each_ns ? 1 + SLOT_AHEAD_NS / s->each_ns : n->config.ahead;
    s->window = window < n->config.ahead ? (uint32_t)window : n->config.ahead;
    s->delay_ns = 0;
}

static Tern__AttemptState how_ended(const Tern__End *end)
{
    switch ((int)end->kind) {
    case TERN__END_KIND__END_BROKEN: return TERN__ATTEMPT_STATE__ATTEMPT_BROKEN;
    case TERN__END_KIND__END_CANCELLED: return TERN__ATTEMPT_STATE__ATTEMPT_CANCELLED;
    default: return TERN__ATTEMPT_STATE__ATTEMPT_ENDED;
    }
}

static void on_last(struct node *n, struct attempt *a, Tern__AttemptState how,
                    const Tern__Report *report)
{
    measure_one(n, &n->slot[a->slot], a);
    if (a->stopped)
        node_drop(n, a);
    else
        node_over(n, a, how, report);
}

static void on_returned(struct node *n, struct attempt *a, const Tern__Report *report)
{
    if (a->step == ATTEMPT_STEP_GIVEN && a->pulled && !a->recalled && !a->stopped && !n->leaving) {
        a->step = ATTEMPT_STEP_QUEUED;
        attempt_move_first(a, &n->queue);
        return;
    }
    if (a->stopped)
        node_drop(n, a);
    else
        node_over(n, a, TERN__ATTEMPT_STATE__ATTEMPT_RETURNED, report);
}

static void on_begun(struct node *n, struct attempt *a, const Tern__Report *report,
                     struct core_out *out)
{
    if (a->step != ATTEMPT_STEP_GIVEN)
        return;
    a->step = ATTEMPT_STEP_BEGUN;
    n->running++;
    attempt_forget_order(a);
    if (a->stopped)
        return;
    node_report(n, a, report);
    if (n->leaving) /* the recall came too late */
        slots_tell(n, a, TERN__ORDER_KIND__ORDER_MOVE, out);
}

static void on_checkpoint(struct node *n, struct attempt *a, const Tern__Report *report)
{
    if (a->stopped || report->checkpoint->n <= a->checkpoint)
        return;
    owed_drop(&n->owed, a->checkpoint_report); /* this one says more */
    a->checkpoint = report->checkpoint->n;
    a->checkpoint_report = node_report(n, a, report);
}

static void take_report(struct node *n, uint32_t index, const Tern__Report *report,
                        struct core_out *out)
{
    struct attempt *a = attempts_find(&n->held, report->fence);

    if (!a || a->slot != index || a->in != &n->slot[index].work)
        return; /* of one that was dropped meanwhile */
    switch ((int)report->what_case) {
    case TERN__REPORT__WHAT_BEGUN: on_begun(n, a, report, out); break;
    case TERN__REPORT__WHAT_CHECKPOINT: on_checkpoint(n, a, report); break;
    case TERN__REPORT__WHAT_END: on_last(n, a, how_ended(report->end), report); break;
    case TERN__REPORT__WHAT_RETURNED: on_returned(n, a, report); break;
    case TERN__REPORT__WHAT_MOVED: on_last(n, a, TERN__ATTEMPT_STATE__ATTEMPT_MOVED, report); break;
    case TERN__REPORT__WHAT_PREPARED:
        if (!a->stopped)
            node_report(n, a, report);
        break;
    default: break; /* of a later version */
    }
}

void slots_reports(struct node *n, uint32_t index, const Tern__SlotAsk *ask, struct core_out *out)
{
    for (size_t i = 0; i < ask->n_reports; i++)
        take_report(n, index, ask->reports[i], out);
}

/* ---------------------------------------------------------------- going on */

static bool may_take(const struct slot_entry *s, const struct attempt *a)
{
    if (s->state != SLOT_UP)
        return false;
    if (a->prepare || (s->work.first && s->work.first->prepare))
        return !s->work.count;
    return s->work.count < s->window;
}

/* The one with least to do; NODE_SLOTS_MAX: none can take it. */
static uint32_t slot_for(const struct node *n, const struct attempt *a)
{
    uint32_t best = NODE_SLOTS_MAX;

    for (uint32_t i = 0; i < n->config.slots; i++)
        if (may_take(&n->slot[i], a) &&
            (best == NODE_SLOTS_MAX || n->slot[i].work.count < n->slot[best].work.count))
            best = i;
    return best;
}

static void give_work(struct node *n, struct core_out *out)
{
    for (struct attempt *a = n->queue.first, *next; a; a = next) {
        const uint32_t index = slot_for(n, a);

        next = a->behind;
        if (index < NODE_SLOTS_MAX)
            give(n, index, a, out);
        else if (!a->prepare)
            return; /* no slot takes any; what is only to be prepared waits for an empty one */
    }
}

/* What waits in a slot whose first attempt turns out to be long goes to one that is empty. */
static void pull_from(struct node *n, struct slot_entry *s, uint32_t *idle, struct core_out *out)
{
    for (struct attempt *a = s->work.last; a && *idle && a != s->work.first; a = a->before) {
        if (a->step != ATTEMPT_STEP_GIVEN || a->pulled || a->recalled || a->stopped)
            continue;
        a->pulled = true;
        slots_tell(n, a, TERN__ORDER_KIND__ORDER_RECALL, out);
        --*idle;
    }
}

static void share_work(struct node *n, struct core_out *out)
{
    uint32_t idle = 0;

    for (uint32_t i = 0; i < n->config.slots; i++)
        idle += n->slot[i].state == SLOT_UP && !n->slot[i].work.count;
    if (n->queue.count || n->leaving)
        return;
    for (uint32_t i = 0; i < n->config.slots; i++) {
        struct slot_entry *s = &n->slot[i];

        if (s->state != SLOT_UP || s->work.count < 2)
            continue;
        if (n->now_ns < s->since_ns + SLOT_PULL_NS) {
            core_wake(out, s->since_ns + SLOT_PULL_NS);
        } else {
            s->window = 1;
            s->each_ns = 0;
            pull_from(n, s, &idle, out);
        }
    }
}

static void start_slots(struct node *n, struct core_out *out)
{
    size_t wanted = n->queue.count + 1; /* one to spare */

    if (n->leaving)
        return;
    for (uint32_t i = 0; i < n->config.slots && wanted; i++)
        wanted -= n->slot[i].state == SLOT_STARTING ||
                  (n->slot[i].state == SLOT_UP && !n->slot[i].work.count);
    for (uint32_t i = 0; i < n->config.slots && wanted; i++) {
        struct slot_entry *s = &n->slot[i];

        if (s->state != SLOT_NONE)
            continue;
        wanted--;
        if (s->start_ns > n->now_ns) {
            core_wake(out, s->start_ns);
            continue;
        }
        s->state = SLOT_STARTING;
        core_slot(out, CORE_START_SLOT, i);
    }
}

/* It was told to stop something long ago. */
static void end_stuck(struct node *n, uint32_t index, struct core_out *out)
{
    for (const struct attempt *a = n->slot[index].work.first; a; a = a->behind) {
        if (!a->stopped)
            continue;
        if (n->now_ns < a->stop_by_ns) {
            core_wake(out, a->stop_by_ns);
            continue;
        }
        core_note(out, NOTE_SLOT_STUCK, index, a->task, 0);
        slots_kill(n, index, out);
        return;
    }
}

void slots_go_on(struct node *n, struct core_out *out)
{
    for (uint32_t i = 0; i < n->config.slots; i++)
        if (n->slot[i].state == SLOT_UP)
            end_stuck(n, i, out);
    give_work(n, out);
    share_work(n, out);
    start_slots(n, out);
    for (uint32_t i = 0; i < n->config.slots; i++)
        n->slot[i].told = NULL;
}
