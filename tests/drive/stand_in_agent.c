#include "stand_in_agent.h"

#include "base/check.h"
#include "core/agent_history.h"

#include <stdlib.h>

const struct agent_config agent_default = {.beat_ns = 500000000, .lease_ns = 2000000000};

struct agent *agent_new(const struct agent_config *config)
{
    struct agent *a = calloc(1, sizeof *a);

    check(a);
    a->config = *config;
    a->wake_ns = INT64_MAX;
    return a;
}

void agent_free(struct agent *a)
{
    free(a);
}

enum tern_err agent_apply(struct agent *a, const Tern__Fact *fact)
{
    check(fact->what_case != TERN__FACT__WHAT__NOT_SET);
    a->applied++;
    return fact->what_case == TERN__FACT__WHAT_GONE ? TERN_ECORRUPT : TERN_OK;
}

/* Each fact here is an Accepted; snapshots have as many as there were. */
static Tern__Fact *accept(struct core_out *out, int64_t now_ns)
{
    Tern__Fact *fact = core_store(out, now_ns);

    fact->what_case = TERN__FACT__WHAT_ACCEPTED;
    fact->accepted = core_new(out, 1, sizeof *fact->accepted);
    tern__accepted__init(fact->accepted);
    return fact;
}

void agent_start(struct agent *a, int64_t now_ns, const uint8_t pool[16], struct core_out *out)
{
    (void)pool;
    a->started++;
    a->now_ns = now_ns;
    accept(out, now_ns);
    a->applied++;
}

static void hello(struct core_out *out, uint32_t peer)
{
    Tern__Envelope *e = core_send(out, peer);

    e->body_case = TERN__ENVELOPE__BODY_HELLO;
    e->hello = core_new(out, 1, sizeof *e->hello);
    tern__hello__init(e->hello);
    e->hello->version_least = e->hello->version_most = 1;
    e->hello->part = TERN__PART__PART_AGENT;
}

static void submitted(struct agent *a, struct core_out *out, const struct core_event *ev)
{
    Tern__Envelope *e;

    accept(out, ev->now_ns);
    a->applied++;
    e = core_answer(out, ev->peer, ev->message->number);
    e->body_case = TERN__ENVELOPE__BODY_SUBMITTED;
    e->submitted = core_new(out, 1, sizeof *e->submitted);
    tern__submitted__init(e->submitted);
    e->submitted->job = (uint64_t)ev->now_ns; /* so that tests see agent time */
}

static void depots(struct core_out *out, const struct core_event *ev)
{
    Tern__Envelope *e = core_answer(out, ev->peer, ev->message->number);
    Tern__DepotAt *at = core_new(out, 1, sizeof *at);

    tern__depot_at__init(at);
    at->name = (char *)"d1";
    at->capability = core_new(out, 1, sizeof *at->capability);
    tern__capability__init(at->capability);
    at->capability->domain = (char *)"ada";
    at->capability->rights = 1;
    at->capability->expires_ns = ev->now_ns + 1000000000;
    e->body_case = TERN__ENVELOPE__BODY_DEPOTS;
    e->depots = core_new(out, 1, sizeof *e->depots);
    tern__depots__init(e->depots);
    e->depots->n_depots = 1;
    e->depots->depots = core_new(out, 1, sizeof at);
    e->depots->depots[0] = at;
}

static void on_message(struct agent *a, const struct core_event *ev, struct core_out *out)
{
    switch ((int)ev->message->body_case) {
    case TERN__ENVELOPE__BODY_SUBMIT: submitted(a, out, ev); break;
    case TERN__ENVELOPE__BODY_ASK_DEPOTS: depots(out, ev); break;
    case TERN__ENVELOPE__BODY_QUERY: core_answer(out, ev->peer, ev->message->number); break;
    case TERN__ENVELOPE__BODY_FORGET: core_close(out, ev->peer); break;
    default: break;
    }
}

void agent_step(struct agent *a, const struct core_event *ev, struct core_out *out)
{
    check(ev->now_ns >= a->now_ns);
    a->now_ns = ev->now_ns;
    switch (ev->kind) {
    case CORE_TICK: a->ticks++; break;
    case CORE_UP: hello(out, ev->peer); break;
    case CORE_MESSAGE: on_message(a, ev, out); break;
    case CORE_DOWN: a->downs++; break;
    case CORE_ABSENT: break;
    case CORE_LEAVE: core_end(out); break;
    }
    core_wake(out, ev->now_ns + 1000000000);
}

bool agent_snapshot(const struct agent *a, uint64_t *cursor, struct core_out *out)
{
    for (int i = 0; i < 3 && *cursor < a->applied; i++, ++*cursor)
        accept(out, a->now_ns);
    return *cursor < a->applied;
}

bool agent_history_of(const struct agent *a, uint64_t task, struct agent_history *out)
{
    (void)a;
    (void)task;
    (void)out;
    return false;
}
