#include "agent_rig.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

void rig_init(struct rig *r, const struct agent_config *config)
{
    *r = (struct rig){.config = config ? *config : agent_default, .now_ns = 1000000000};
    rig_restart(r);
}

static void forget_sent(struct rig *r)
{
    arena_release(&r->arena);
    r->sent_count = 0;
}

void rig_release(struct rig *r)
{
    agent_free(r->agent);
    forget_sent(r);
    for (size_t i = 0; i < r->fact_count; i++)
        bytes_release(&r->facts[i]);
    free(r->facts);
    free(r->sent);
}

static void keep_fact(struct rig *r, const Tern__Fact *f)
{
    struct arena arena = {0};
    Tern__Fact *again;

    if (r->forgetful)
        return;
    if (r->fact_count == r->fact_room) {
        r->fact_room = r->fact_room ? 2 * r->fact_room : 64;
        r->facts = realloc(r->facts, r->fact_room * sizeof *r->facts);
        check(r->facts);
    }
    r->facts[r->fact_count] = (struct bytes){0};
    check(fact_encode(f, &r->facts[r->fact_count]) == TERN_OK);
    check(fact_decode(bytes_view(&r->facts[r->fact_count]), &arena, &again) == TERN_OK);
    arena_release(&arena);
    r->fact_count++;
}

/* As the wire would have it. */
static void keep_message(struct rig *r, const struct core_action *action)
{
    struct bytes frame = {0};
    struct rig_sent *sent;
    struct view envelope;

    if (r->sent_count == r->sent_room) {
        r->sent_room = r->sent_room ? 2 * r->sent_room : 64;
        r->sent = realloc(r->sent, r->sent_room * sizeof *r->sent);
        check(r->sent);
    }
    sent = &r->sent[r->sent_count++];
    *sent = (struct rig_sent){.peer = action->peer, .closed = action->kind == CORE_CLOSE};
    if (sent->closed)
        return;
    check(message_encode(action->message, (struct view){0}, 1, &frame) == TERN_OK);
    envelope = view_of(frame.data + FRAME_HEAD_BYTES, frame.size - FRAME_HEAD_BYTES);
    check(message_decode(envelope, &r->arena, &sent->message) == TERN_OK);
    bytes_release(&frame);
}

static void take_out(struct rig *r, struct core_out *out)
{
    for (size_t i = 0; i < out->count; i++)
        switch (out->actions[i].kind) {
        case CORE_STORE: keep_fact(r, out->actions[i].fact); break;
        case CORE_SEND:
        case CORE_CLOSE: keep_message(r, &out->actions[i]); break;
        case CORE_END: r->ended = true; break;
        case CORE_NOTE: check(note_text(out->actions[i].note.name)); break;
        case CORE_START_SLOT:
        case CORE_KILL_SLOT: check(out->actions[i].kind == CORE_STORE); break; /* has none */
        }
    r->wake_ns = out->wake_ns;
    core_out_release(out);
    if (!r->unchecked)
        agent_check(r->agent);
}

void rig_restart(struct rig *r)
{
    static const uint8_t pool[17] = "a pool for tests";
    struct core_out out = {.wake_ns = INT64_MAX};

    agent_free(r->agent);
    r->agent = agent_new(&r->config);
    check(r->agent);
    for (size_t i = 0; i < r->fact_count; i++) {
        struct arena arena = {0};
        Tern__Fact *f;

        check(fact_decode(bytes_view(&r->facts[i]), &arena, &f) == TERN_OK);
        check(agent_apply(r->agent, f) == TERN_OK);
        arena_release(&arena);
    }
    forget_sent(r);
    agent_start(r->agent, r->now_ns, pool, &out);
    take_out(r, &out);
}

void rig_snapshot(struct rig *r)
{
    uint64_t cursor = 0;
    bool more = true;

    for (size_t i = 0; i < r->fact_count; i++)
        bytes_release(&r->facts[i]);
    r->fact_count = 0;
    while (more) {
        struct core_out out = {.wake_ns = INT64_MAX};

        more = agent_snapshot(r->agent, &cursor, &out);
        for (size_t i = 0; i < out.count; i++) {
            check(out.actions[i].kind == CORE_STORE);
            keep_fact(r, out.actions[i].fact);
        }
        core_out_release(&out);
    }
}

/* ---------------------------------------------------------------- events */

static void step(struct rig *r, const struct core_event *ev)
{
    struct core_out out = {.wake_ns = INT64_MAX};

    agent_step(r->agent, ev, &out);
    take_out(r, &out);
}

void rig_settle(struct rig *r)
{
    for (size_t i = 0; r->wake_ns <= r->now_ns; i++) {
        check(i < 100000); /* it comes to rest */
        step(r, &(struct core_event){.kind = CORE_TICK, .now_ns = r->now_ns});
    }
}

void rig_event(struct rig *r, const struct core_event *ev)
{
    forget_sent(r);
    step(r, ev);
    rig_settle(r);
}

void rig_pass(struct rig *r, int64_t ns)
{
    const int64_t until_ns = r->now_ns + ns;

    forget_sent(r);
    rig_settle(r);
    while (r->wake_ns < until_ns) {
        r->now_ns = r->wake_ns > r->now_ns ? r->wake_ns : r->now_ns;
        step(r, &(struct core_event){.kind = CORE_TICK, .now_ns = r->now_ns});
        rig_settle(r);
    }
    r->now_ns = until_ns;
    step(r, &(struct core_event){.kind = CORE_TICK, .now_ns = r->now_ns});
    rig_settle(r);
}

uint32_t rig_up(struct rig *r, Tern__Part part, const char *name, const char *owner,
                uint64_t session)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Hello hello = TERN__HELLO__INIT;

    hello.part = part;
    hello.name = (char *)name;
    hello.session = session;
    if (r->instance)
        hello.instance = (ProtobufCBinaryData){.len = 8, .data = (uint8_t *)r->instance};
    e.body_case = TERN__ENVELOPE__BODY_HELLO;
    e.hello = &hello;
    rig_event(r, &(struct core_event){.kind = CORE_UP,
                                      .now_ns = r->now_ns,
                                      .peer = ++r->peer_next,
                                      .message = &e,
                                      .owner = owner});
    return r->peer_next;
}

void rig_down(struct rig *r, uint32_t peer)
{
    rig_event(r, &(struct core_event){.kind = CORE_DOWN, .now_ns = r->now_ns, .peer = peer});
}

static bool is_request(const Tern__Envelope *e)
{
    return e->body_case >= TERN__ENVELOPE__BODY_SUBMIT &&
           e->body_case <= TERN__ENVELOPE__BODY_FORGET;
}

uint64_t rig_say(struct rig *r, uint32_t peer, Tern__Envelope *e)
{
    if (is_request(e) && !e->number)
        e->number = ++r->number;
    rig_event(r, &(struct core_event){
                     .kind = CORE_MESSAGE, .now_ns = r->now_ns, .peer = peer, .message = e});
    return e->number;
}

/* ---------------------------------------------------------------- what came out */

Tern__Envelope *rig_got(const struct rig *r, uint32_t peer, Tern__Envelope__BodyCase what, size_t n)
{
    for (size_t i = 0; i < r->sent_count; i++)
        if (r->sent[i].peer == peer && r->sent[i].message &&
            r->sent[i].message->body_case == what && n-- == 0)
            return r->sent[i].message;
    return NULL;
}

Tern__Envelope *rig_answer(const struct rig *r, uint32_t peer, uint64_t number)
{
    for (size_t i = 0; i < r->sent_count; i++)
        if (r->sent[i].peer == peer && r->sent[i].message && r->sent[i].message->answers == number)
            return r->sent[i].message;
    return NULL;
}

Tern__Order *rig_order(const struct rig *r, uint32_t peer, Tern__OrderKind kind, size_t n)
{
    Tern__Envelope *e;

    for (size_t i = 0; (e = rig_got(r, peer, TERN__ENVELOPE__BODY_ORDERS, i)); i++)
        for (size_t k = 0; k < e->orders->n_orders; k++)
            if (e->orders->orders[k]->kind == kind && n-- == 0)
                return e->orders->orders[k];
    return NULL;
}

bool rig_closed(const struct rig *r, uint32_t peer)
{
    for (size_t i = 0; i < r->sent_count; i++)
        if (r->sent[i].peer == peer && r->sent[i].closed)
            return true;
    return false;
}

/* ---------------------------------------------------------------- stories */

uint32_t rig_node(struct rig *r, const char *name, uint32_t slots)
{
    const uint32_t peer = rig_up(r, TERN__PART__PART_NODE, name, "root", 0);
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__NodeAd ad = TERN__NODE_AD__INIT;

    ad.name = (char *)name;
    ad.slots = slots;
    ad.machine = "x86_64";
    ad.memory_bytes = UINT64_C(8) << 30;
    ad.speed = 1000;
    e.body_case = TERN__ENVELOPE__BODY_NODE_AD;
    e.node_ad = &ad;
    rig_say(r, peer, &e);
    return peer;
}

uint32_t rig_depot(struct rig *r, const char *name)
{
    const uint32_t peer = rig_up(r, TERN__PART__PART_DEPOT, name, "root", 0);
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__DepotAd ad = TERN__DEPOT_AD__INIT;
    Tern__Endpoints endpoints = TERN__ENDPOINTS__INIT;
    char *at[] = {"unix:/depot"};

    endpoints.at = at;
    endpoints.n_at = 1;
    ad.name = (char *)name;
    ad.endpoints = &endpoints;
    ad.space_bytes = UINT64_C(1) << 40;
    ad.free_bytes = UINT64_C(1) << 39;
    e.body_case = TERN__ENVELOPE__BODY_DEPOT_AD;
    e.depot_ad = &ad;
    rig_say(r, peer, &e);
    return peer;
}

uint32_t rig_client(struct rig *r, const char *owner)
{
    const uint32_t peer = rig_up(r, TERN__PART__PART_CLIENT, "", owner, 0);

    check(rig_got(r, peer, TERN__ENVELOPE__BODY_HELLO, 0));
    return peer;
}

static void name_blob(Tern__Blob *blob, uint8_t sha[32], uint8_t letter)
{
    tern__blob__init(blob);
    memset(sha, letter, 32);
    blob->sha256.data = sha;
    blob->sha256.len = 32;
    blob->size = 1000;
    blob->kind = 4;
}

void rig_module(struct rig *r, uint32_t client, uint8_t letter)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__AskDepots ask = TERN__ASK_DEPOTS__INIT;
    Tern__Blob blob;
    uint8_t sha[32];

    name_blob(&blob, sha, letter);
    ask.blob = &blob;
    ask.size = blob.size;
    e.body_case = TERN__ENVELOPE__BODY_ASK_DEPOTS;
    e.ask_depots = &ask;
    rig_say(r, client, &e);
    check(rig_got(r, client, TERN__ENVELOPE__BODY_DEPOTS, 0));
}

static void *make(struct arena *arena, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *m = arena_new(arena, 1, type->sizeof_message);

    check(m);
    protobuf_c_message_init(type, m);
    return m;
}

void rig_submit_message(Tern__Envelope *e, uint8_t letter, size_t tasks, struct arena *arena)
{
    Tern__Submit *s = make(arena, &tern__submit__descriptor);
    Tern__Program *program = make(arena, &tern__program__descriptor);

    tern__envelope__init(e);
    s->job = make(arena, &tern__job__descriptor);
    s->job->work = make(arena, &tern__work__descriptor);
    s->job->work->program = program;
    program->name = "program";
    program->module = make(arena, &tern__blob__descriptor);
    name_blob(program->module, arena_new(arena, 32, 1), letter);
    s->tasks = arena_new(arena, tasks, sizeof *s->tasks);
    for (size_t i = 0; i < tasks; i++)
        s->tasks[s->n_tasks++] = make(arena, &tern__task__descriptor);
    e->body_case = TERN__ENVELOPE__BODY_SUBMIT;
    e->submit = s;
}

uint64_t rig_submit(struct rig *r, uint32_t client, size_t tasks)
{
    struct arena arena = {0};
    Tern__Envelope e, *answer;
    uint64_t number;

    rig_submit_message(&e, 'm', tasks, &arena);
    number = rig_say(r, client, &e);
    arena_release(&arena);
    answer = rig_answer(r, client, number);
    check(answer && answer->body_case == TERN__ENVELOPE__BODY_SUBMITTED);
    check(answer->submitted->count == tasks);
    return answer->submitted->first;
}

uint64_t rig_report(struct rig *r, uint32_t node, const Tern__Fence *fence, Tern__Report *report)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Reports reports = TERN__REPORTS__INIT;
    Tern__Fence copy = *fence;

    report->n = ++r->number;
    report->fence = &copy;
    reports.reports = &report;
    reports.n_reports = 1;
    e.body_case = TERN__ENVELOPE__BODY_REPORTS;
    e.reports = &reports;
    rig_say(r, node, &e);
    return report->n;
}

void rig_begun(struct rig *r, uint32_t node, const Tern__Fence *fence)
{
    Tern__Report report = TERN__REPORT__INIT;
    Tern__Begun begun = TERN__BEGUN__INIT;

    report.what_case = TERN__REPORT__WHAT_BEGUN;
    report.begun = &begun;
    rig_report(r, node, fence, &report);
}

void rig_end(struct rig *r, uint32_t node, const Tern__Fence *fence, Tern__EndKind kind, int code)
{
    Tern__Report report = TERN__REPORT__INIT;
    Tern__End end = TERN__END__INIT;

    end.kind = kind;
    end.code = code;
    end.wall_ns = 1000000;
    end.text = kind == TERN__END_KIND__END_EXIT ? "" : "it went wrong";
    report.what_case = TERN__REPORT__WHAT_END;
    report.end = &end;
    rig_report(r, node, fence, &report);
}

void rig_checkpoint(struct rig *r, uint32_t node, const Tern__Fence *fence, uint64_t n,
                    const char *depot_a, const char *depot_b)
{
    Tern__Report report = TERN__REPORT__INIT;
    Tern__Checkpoint c = TERN__CHECKPOINT__INIT;
    Tern__Blob root;
    uint8_t sha[32];
    char *depots[] = {(char *)depot_a, (char *)depot_b};

    name_blob(&root, sha, (uint8_t)(n + 100));
    sha[0] = (uint8_t)fence->task;
    c.n = n;
    c.root = &root;
    c.depots = depots;
    c.n_depots = depot_b ? 2 : depot_a ? 1 : 0;
    report.what_case = TERN__REPORT__WHAT_CHECKPOINT;
    report.checkpoint = &c;
    rig_report(r, node, fence, &report);
}

Tern__TaskDetail *rig_task(struct rig *r, uint32_t client, uint64_t task)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT, *answer;
    Tern__Query q = TERN__QUERY__INIT;
    Tern__Which which = TERN__WHICH__INIT;
    uint64_t number;

    which.task = task;
    q.kind = TERN__QUERY_KIND__QUERY_WHY;
    q.which = &which;
    e.body_case = TERN__ENVELOPE__BODY_QUERY;
    e.query = &q;
    number = rig_say(r, client, &e);
    answer = rig_answer(r, client, number);
    check(answer && answer->body_case == TERN__ENVELOPE__BODY_ROWS && answer->rows->task);
    return answer->rows->task;
}
