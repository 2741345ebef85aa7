#include "node_play.h"

#include <string.h>

void play_begin(struct play *p, uint32_t slots)
{
    struct node_config config = node_default;

    *p = (struct play){.now_ns = 1000};
    config.name = "n";
    config.slots = slots;
    p->node = node_new(&config);
    assert_non_null(p->node);
}

void play_end(struct play *p)
{
    node_free(p->node);
    core_out_release(&p->out);
    arena_release(&p->arena);
}

static void *room(struct play *p, size_t size)
{
    void *at = arena_new(&p->arena, 1, size);

    assert_non_null(at);
    return at;
}

static void step(struct play *p, struct core_event *ev)
{
    core_out_clear(&p->out);
    ev->now_ns = p->now_ns;
    node_step(p->node, ev, &p->out);
    node_check(p->node);
    /* What it was told is gone when the step is over. */
    arena_release(&p->arena);
}

void play_tick(struct play *p, int64_t after_ns)
{
    p->now_ns += after_ns;
    step(p, &(struct core_event){.kind = CORE_TICK});
}

static void up(struct play *p, uint32_t peer, Tern__Part part, uint32_t index)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Hello hello = TERN__HELLO__INIT;

    hello.part = part;
    e.body_case = TERN__ENVELOPE__BODY_HELLO;
    e.hello = &hello;
    step(p, &(struct core_event){.kind = CORE_UP, .peer = peer, .index = index, .message = &e});
}

void play_agent(struct play *p, uint32_t peer)
{
    up(p, peer, TERN__PART__PART_AGENT, 0);
}

void play_slot(struct play *p, uint32_t peer, uint32_t index)
{
    up(p, peer, TERN__PART__PART_SLOT, index);
}

void play_absent(struct play *p)
{
    step(p, &(struct core_event){.kind = CORE_ABSENT});
}

void play_down(struct play *p, uint32_t peer)
{
    step(p, &(struct core_event){.kind = CORE_DOWN, .peer = peer, .why = "signal 9"});
}

void play_slot_gone(struct play *p, uint32_t index)
{
    step(p, &(struct core_event){.kind = CORE_DOWN, .index = index});
}

void play_leave(struct play *p)
{
    step(p, &(struct core_event){.kind = CORE_LEAVE});
}

static void message(struct play *p, uint32_t peer, const Tern__Envelope *e, int64_t sent_ns)
{
    step(p, &(struct core_event){
                .kind = CORE_MESSAGE, .peer = peer, .message = e, .sent_ns = sent_ns});
}

void play_beat(struct play *p, uint32_t agent, int64_t sent_ns, int64_t lease_ns)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Beat beat = TERN__BEAT__INIT;

    beat.answer = true;
    beat.lease_ns = lease_ns;
    e.body_case = TERN__ENVELOPE__BODY_BEAT;
    e.beat = &beat;
    message(p, agent, &e, sent_ns);
}

void play_stored(struct play *p, uint32_t agent, uint64_t n)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Stored stored = TERN__STORED__INIT;

    stored.n = n;
    e.body_case = TERN__ENVELOPE__BODY_STORED;
    e.stored = &stored;
    message(p, agent, &e, 0);
}

/* ---------------------------------------------------------------- orders, reports */

static Tern__Fence *fence(struct play *p, uint64_t n)
{
    Tern__Fence *f = room(p, sizeof *f);

    tern__fence__init(f);
    f->task = f->attempt = n;
    f->term = 1;
    return f;
}

Tern__Order *play_order(struct play *p, struct play_orders *to, Tern__OrderKind kind, uint64_t n)
{
    Tern__Order *o = room(p, sizeof *o);

    assert_in_range(to->count, 0, sizeof to->order / sizeof *to->order - 1);
    tern__order__init(o);
    o->kind = kind;
    o->fence = fence(p, n);
    if (kind == TERN__ORDER_KIND__ORDER_PLACE || kind == TERN__ORDER_KIND__ORDER_PREPARE) {
        o->placing = room(p, sizeof *o->placing);
        tern__placing__init(o->placing);
        o->placing->job = room(p, sizeof *o->placing->job);
        tern__job__init(o->placing->job);
        o->placing->task = room(p, sizeof *o->placing->task);
        tern__task__init(o->placing->task);
        o->placing->task->n = n;
    }
    to->order[to->count++] = o;
    return o;
}

void play_orders(struct play *p, uint32_t agent, struct play_orders *orders)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Orders all = TERN__ORDERS__INIT;

    all.orders = orders->order;
    all.n_orders = orders->count;
    e.body_case = TERN__ENVELOPE__BODY_ORDERS;
    e.orders = &all;
    message(p, agent, &e, 0);
}

void play_place(struct play *p, uint32_t agent, uint64_t from, uint64_t count)
{
    struct play_orders orders = {0};

    for (uint64_t i = 0; i < count; i++)
        play_order(p, &orders, TERN__ORDER_KIND__ORDER_PLACE, from + i);
    play_orders(p, agent, &orders);
}

void play_tell(struct play *p, uint32_t agent, Tern__OrderKind kind, uint64_t n)
{
    struct play_orders orders = {0};

    play_order(p, &orders, kind, n);
    play_orders(p, agent, &orders);
}

static void fill(struct play *p, Tern__Report *r, uint64_t checkpoint)
{
    switch ((int)r->what_case) {
    case TERN__REPORT__WHAT_BEGUN: tern__begun__init(r->begun = room(p, sizeof *r->begun)); break;
    case TERN__REPORT__WHAT_CHECKPOINT:
        tern__checkpoint__init(r->checkpoint = room(p, sizeof *r->checkpoint));
        r->checkpoint->n = checkpoint;
        break;
    case TERN__REPORT__WHAT_END:
        tern__end__init(r->end = room(p, sizeof *r->end));
        r->end->kind = TERN__END_KIND__END_EXIT;
        break;
    case TERN__REPORT__WHAT_RETURNED:
        tern__returned__init(r->returned = room(p, sizeof *r->returned));
        break;
    case TERN__REPORT__WHAT_MOVED:
        tern__moved__init(r->moved = room(p, sizeof *r->moved));
        r->moved->checkpoint = checkpoint;
        break;
    case TERN__REPORT__WHAT_PREPARED:
        tern__prepared__init(r->prepared = room(p, sizeof *r->prepared));
        r->prepared->checkpoint = checkpoint;
        break;
    default: fail();
    }
}

void play_report(struct play *p, uint32_t slot_peer, Tern__Report__WhatCase what, uint64_t n,
                 uint64_t checkpoint)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__SlotAsk ask = TERN__SLOT_ASK__INIT;
    Tern__Report r = TERN__REPORT__INIT, *list[] = {&r};

    r.fence = fence(p, n);
    r.what_case = what;
    fill(p, &r, checkpoint);
    ask.reports = list;
    ask.n_reports = 1;
    e.body_case = TERN__ENVELOPE__BODY_SLOT_ASK;
    e.slot_ask = &ask;
    message(p, slot_peer, &e, 0);
}

/* ---------------------------------------------------------------- actions as text */

static const char *short_name(const ProtobufCEnumDescriptor *type, int value, const char *prefix)
{
    const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(type, value);

    assert_non_null(v);
    return v->name + strlen(prefix);
}

static void report_text(const Tern__Report *r, struct bytes *to)
{
    static const char *const names[] = {
        [TERN__REPORT__WHAT_BEGUN] = "begun", [TERN__REPORT__WHAT_CHECKPOINT] = "checkpoint",
        [TERN__REPORT__WHAT_END] = "end",     [TERN__REPORT__WHAT_RETURNED] = "returned",
        [TERN__REPORT__WHAT_MOVED] = "moved", [TERN__REPORT__WHAT_PREPARED] = "prepared"};

    bytes_appendf(to, " #%d %s", (int)r->n, names[r->what_case]);
    if (r->what_case == TERN__REPORT__WHAT_END && r->end->kind != TERN__END_KIND__END_EXIT)
        bytes_appendf(to, "(%s)",
                      short_name(&tern__end_kind__descriptor, (int)r->end->kind, "END_"));
    bytes_appendf(to, " %d", (int)r->fence->task);
}

static void send_text(const Tern__Envelope *e, struct bytes *to)
{
    switch ((int)e->body_case) {
    case TERN__ENVELOPE__BODY_NODE_AD:
        bytes_appendf(to, " ad%s", e->node_ad->leaving ? " leaving" : "");
        for (size_t i = 0; i < e->node_ad->n_holdings; i++)
            bytes_appendf(to, " %d/%s", (int)e->node_ad->holdings[i]->fence->task,
                          short_name(&tern__attempt_state__descriptor,
                                     (int)e->node_ad->holdings[i]->state, "ATTEMPT_"));
        break;
    case TERN__ENVELOPE__BODY_REPORTS:
        for (size_t i = 0; i < e->reports->n_reports; i++)
            report_text(e->reports->reports[i], to);
        break;
    case TERN__ENVELOPE__BODY_SLOT_WORK:
        for (size_t i = 0; i < e->slot_work->n_orders; i++)
            bytes_appendf(to, " %s %d",
                          short_name(&tern__order_kind__descriptor,
                                     (int)e->slot_work->orders[i]->kind, "ORDER_"),
                          (int)e->slot_work->orders[i]->fence->task);
        break;
    default: fail();
    }
}

const char *play_text(struct play *p)
{
    struct bytes text = {0};
    const char *first;

    for (size_t i = 0; i < p->out.count; i++) {
        const struct core_action *a = &p->out.actions[i];

        if (a->kind == CORE_NOTE)
            continue;
        bytes_append_text(&text, text.size ? "; " : "");
        switch (a->kind) {
        case CORE_SEND:
            bytes_appendf(&text, "%u:", a->peer);
            send_text(a->message, &text);
            break;
        case CORE_CLOSE: bytes_appendf(&text, "close %u", a->peer); break;
        case CORE_START_SLOT: bytes_appendf(&text, "start %u", a->index); break;
        case CORE_KILL_SLOT: bytes_appendf(&text, "kill %u", a->index); break;
        case CORE_END: bytes_append_text(&text, "end"); break;
        case CORE_STORE:
        case CORE_NOTE: fail(); /* a node has no journal */
        }
    }
    first = core_text(&p->out, "%s", text.size ? bytes_text(&text) : "");
    bytes_release(&text);
    return first;
}
