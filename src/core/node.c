#include "core/node_inner.h"

#include "base/check.h"

#include <stdlib.h>

const struct node_config node_default = {
    .name = "",
    .slots = 1,
    .ahead = 32,
    .beat_ns = 500000000,
    .lease_ns = 2000000000,
    .stop_ns = 5000000000,
    .leave_ns = 60000000000,
    .ad = TERN__NODE_AD__INIT,
};

struct node *node_new(const struct node_config *config)
{
    struct node *n;

    check(config->slots >= 1 && config->slots <= NODE_SLOTS_MAX);
    check(config->ahead >= 1);
    n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->slot = calloc(config->slots, sizeof *n->slot);
    if (!n->slot) {
        free(n);
        return NULL;
    }
    n->config = *config;
    n->lease_ns = config->lease_ns;
    n->lease_until_ns = INT64_MAX;
    for (uint32_t i = 0; i < config->slots; i++)
        n->slot[i].window = 1;
    return n;
}

void node_free(struct node *n)
{
    if (!n)
        return;
    owed_release(&n->owed);
    attempts_release(&n->held);
    free(n->slot);
    free(n);
}

void node_load(struct node *n, uint32_t foreign_thousandths, uint64_t memory_free)
{
    n->foreign = foreign_thousandths;
    n->memory_free = memory_free;
}

void node_beat(const struct node *n, Tern__Load *out)
{
    tern__load__init(out);
    out->foreign = n->foreign;
    out->memory_free = n->memory_free;
    out->running = n->running;
    out->waiting = (uint32_t)(n->held.count - n->over.count - n->running);
}

/* ---------------------------------------------------------------- reports */

uint64_t node_report(struct node *n, const struct attempt *a, const Tern__Report *report)
{
    Tern__Report ours = *report;
    Tern__Fence fence;

    attempt_fence(a, &fence);
    ours.fence = &fence;
    ours.n = 0;
    return owed_add(&n->owed, &ours);
}

void node_over(struct node *n, struct attempt *a, Tern__AttemptState how,
               const Tern__Report *report)
{
    if (a->step == ATTEMPT_STEP_BEGUN)
        n->running--;
    a->last_report = node_report(n, a, report);
    a->step = ATTEMPT_STEP_OVER;
    a->ended = how;
    attempt_forget_order(a);
    attempt_move(a, &n->over);
}

void node_returned(struct node *n, struct attempt *a, const char *why)
{
    Tern__Report report = TERN__REPORT__INIT;
    Tern__Returned returned = TERN__RETURNED__INIT;

    returned.why = (char *)why; /* protobuf-c's texts are not const; nobody writes */
    report.what_case = TERN__REPORT__WHAT_RETURNED;
    report.returned = &returned;
    node_over(n, a, TERN__ATTEMPT_STATE__ATTEMPT_RETURNED, &report);
}

void node_broken(struct node *n, struct attempt *a, const char *why)
{
    Tern__Report report = TERN__REPORT__INIT;
    Tern__End end = TERN__END__INIT;

    end.kind = TERN__END_KIND__END_BROKEN;
    end.text = (char *)why;
    report.what_case = TERN__REPORT__WHAT_END;
    report.end = &end;
    node_over(n, a, TERN__ATTEMPT_STATE__ATTEMPT_BROKEN, &report);
}

/* Without a word. */
void node_drop(struct node *n, struct attempt *a)
{
    if (a->step == ATTEMPT_STEP_BEGUN)
        n->running--;
    attempts_remove(&n->held, a);
}

static void on_stored(struct node *n, uint64_t up_to)
{
    owed_stored(&n->owed, up_to);
    for (struct attempt *a = n->over.first, *next; a; a = next) {
        next = a->behind;
        if (a->last_report > up_to)
            break; /* in the order of their last reports */
        attempts_remove(&n->held, a);
    }
}

/* ---------------------------------------------------------------- the agent */

static Tern__AttemptState holding_state(const struct attempt *a)
{
    switch (a->step) {
    case ATTEMPT_STEP_QUEUED:
    case ATTEMPT_STEP_GIVEN: break;
    case ATTEMPT_STEP_BEGUN: return TERN__ATTEMPT_STATE__ATTEMPT_RUNNING;
    case ATTEMPT_STEP_OVER: return a->ended;
    }
    return TERN__ATTEMPT_STATE__ATTEMPT_PLACED;
}

static void add_holdings(const struct attempt_list *list, Tern__NodeAd *ad, struct core_out *out)
{
    for (const struct attempt *a = list->first; a; a = a->behind) {
        Tern__Holding *holding;

        if (a->stopped)
            continue;
        holding = core_new(out, 1, sizeof *holding);
        tern__holding__init(holding);
        holding->fence = core_new(out, 1, sizeof *holding->fence);
        attempt_fence(a, holding->fence);
        holding->state = holding_state(a);
        holding->checkpoint = a->checkpoint;
        ad->holdings[ad->n_holdings++] = holding;
    }
}

static void send_ad(struct node *n, struct core_out *out)
{
    Tern__Envelope *e = core_send(out, n->agent);
    Tern__NodeAd *ad = core_new(out, 1, sizeof *ad);

    *ad = n->config.ad;
    ad->name = (char *)n->config.name;
    ad->slots = n->config.slots;
    ad->leaving = n->leaving;
    ad->load = core_new(out, 1, sizeof *ad->load);
    node_beat(n, ad->load);
    ad->holdings = core_new(out, n->held.count, sizeof(Tern__Holding *));
    add_holdings(&n->queue, ad, out);
    for (uint32_t i = 0; i < n->config.slots; i++)
        add_holdings(&n->slot[i].work, ad, out);
    add_holdings(&n->over, ad, out);
    e->body_case = TERN__ENVELOPE__BODY_NODE_AD;
    e->node_ad = ad;
}

static void renew(struct node *n, int64_t from_ns)
{
    n->lease_from_ns = from_ns;
    n->lease_until_ns = from_ns + n->lease_ns;
}

static void on_agent_up(struct node *n, uint32_t peer, struct core_out *out)
{
    if (n->agent)
        core_close(out, n->agent); /* an old connection that nobody has ended yet */
    n->agent = peer;
    /* It counts from our Hello at the earliest, which was sent some time ago. */
    if (n->lease_until_ns == INT64_MAX ||
        n->lease_until_ns < n->now_ns + n->lease_ns - n->config.beat_ns)
        renew(n, n->now_ns - n->config.beat_ns);
    send_ad(n, out);
    owed_again(&n->owed);
}

static void on_beat(struct node *n, const struct core_event *ev)
{
    const Tern__Beat *beat = ev->message->beat;

    if (!beat->answer || ev->sent_ns > n->now_ns)
        return;
    if (beat->lease_ns > 0)
        n->lease_ns = beat->lease_ns;
    if (ev->sent_ns + n->lease_ns > n->lease_until_ns)
        renew(n, ev->sent_ns);
}

/* One that starts later than now waits for a whole lease before it takes us for lost. */
static void on_absent(struct node *n)
{
    if (!n->agent && n->lease_until_ns != INT64_MAX)
        renew(n, n->now_ns);
}

static void on_agent(struct node *n, const struct core_event *ev, struct core_out *out)
{
    switch ((int)ev->message->body_case) {
    case TERN__ENVELOPE__BODY_BEAT: on_beat(n, ev); break;
    case TERN__ENVELOPE__BODY_STORED: on_stored(n, ev->message->stored->n); break;
    case TERN__ENVELOPE__BODY_ORDERS: orders_take(n, ev->message->orders, out); break;
    default: break; /* of a later version */
    }
}

/* ---------------------------------------------------------------- the end of the lease */

static void lease_over(struct node *n, struct core_out *out)
{
    const uint64_t before = n->held.count - n->over.count;

    for (uint32_t i = 0; i < n->config.slots; i++) {
        if (n->slot[i].work.count)
            slots_kill(n, i, out);
        while (n->slot[i].work.first)
            node_drop(n, n->slot[i].work.first);
    }
    while (n->queue.first)
        node_drop(n, n->queue.first);
    if (before)
        core_note(out, NOTE_LEASE_OVER, (uint64_t)(n->now_ns - n->lease_from_ns) / 1000000, before,
                  0);
    n->lease_until_ns = INT64_MAX;
    if (n->agent)
        core_close(out, n->agent);
    n->agent = 0;
}

/* ---------------------------------------------------------------- leaving */

static void leave(struct node *n, struct core_out *out)
{
    if (n->leaving) { /* asked twice: at once */
        n->leave_by_ns = n->now_ns;
        return;
    }
    n->leaving = true;
    n->leave_by_ns = n->now_ns + n->config.leave_ns;
    if (n->held.count > n->over.count)
        core_note(out, NOTE_LEAVING, n->held.count - n->over.count, 0, 0);
    if (n->agent)
        send_ad(n, out);
    while (n->queue.first)
        node_returned(n, n->queue.first, "its node is leaving");
    for (uint32_t i = 0; i < n->config.slots; i++)
        for (struct attempt *a = n->slot[i].work.first; a; a = a->behind)
            slots_tell(n, a,
                       a->step == ATTEMPT_STEP_BEGUN ? TERN__ORDER_KIND__ORDER_MOVE
                                                     : TERN__ORDER_KIND__ORDER_RECALL,
                       out);
}

static void end_if_left(struct node *n, struct core_out *out)
{
    if (!n->leaving || n->ended)
        return;
    /* Without an agent nothing goes elsewhere by our doing; it may come back within its lease. */
    if (!n->agent && n->leave_by_ns > n->now_ns + n->lease_ns)
        n->leave_by_ns = n->now_ns + n->lease_ns;
    if (n->held.count && n->now_ns < n->leave_by_ns) {
        core_wake(out, n->leave_by_ns);
        return;
    }
    n->ended = true;
    core_end(out);
}

/* ---------------------------------------------------------------- the step */

static void on_up(struct node *n, const struct core_event *ev, struct core_out *out)
{
    switch ((int)ev->message->hello->part) {
    case TERN__PART__PART_AGENT: on_agent_up(n, ev->peer, out); break;
    case TERN__PART__PART_SLOT: slots_up(n, ev, out); break;
    default: core_close(out, ev->peer); break;
    }
}

static void on_message(struct node *n, const struct core_event *ev, struct core_out *out)
{
    const uint32_t index = slots_of_peer(n, ev->peer);

    if (ev->peer == n->agent)
        on_agent(n, ev, out);
    else if (index < n->config.slots && ev->message->body_case == TERN__ENVELOPE__BODY_SLOT_ASK)
        slots_reports(n, index, ev->message->slot_ask, out);
}

static void on_down(struct node *n, const struct core_event *ev, struct core_out *out)
{
    if (ev->peer && ev->peer == n->agent)
        n->agent = 0;
    else
        slots_down(n, ev, out);
}

void node_step(struct node *n, const struct core_event *ev, struct core_out *out)
{
    check(ev->now_ns >= n->now_ns);
    n->now_ns = ev->now_ns;
    if (n->ended)
        return;
    if (n->now_ns >= n->lease_until_ns)
        lease_over(n, out);
    switch (ev->kind) {
    case CORE_TICK: break;
    case CORE_UP: on_up(n, ev, out); break;
    case CORE_MESSAGE: on_message(n, ev, out); break;
    case CORE_DOWN: on_down(n, ev, out); break;
    case CORE_ABSENT: on_absent(n); break;
    case CORE_LEAVE: leave(n, out); break;
    }
    slots_go_on(n, out);
    if (n->agent)
        owed_send(&n->owed, out, n->agent);
    end_if_left(n, out);
    core_wake(out, n->lease_until_ns);
}
