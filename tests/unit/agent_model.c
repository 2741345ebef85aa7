#include "agent_model.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- mail */

static void mail_put(struct mail *q, const ProtobufCMessage *m)
{
    struct bytes b = {0};
    uint8_t *to = bytes_reserve(&b, protobuf_c_message_get_packed_size(m) + 1);

    check(to);
    b.size = protobuf_c_message_pack(m, to);
    if (q->first + q->count == q->room) {
        q->room = 2 * q->room + 16;
        q->item = realloc(q->item, q->room * sizeof *q->item);
        check(q->item);
    }
    q->item[q->first + q->count++] = b;
}

static struct bytes mail_take(struct mail *q)
{
    struct bytes b = q->item[q->first];

    q->first++;
    if (--q->count == 0)
        q->first = 0;
    return b;
}

static void mail_clear(struct mail *q)
{
    while (q->count) {
        struct bytes b = mail_take(q);

        bytes_release(&b);
    }
}

static void mail_release(struct mail *q)
{
    mail_clear(q);
    free(q->item);
    *q = (struct mail){0};
}

/* ---------------------------------------------------------------- parties */

static struct party *party_at(struct model *m, size_t i)
{
    if (i < MODEL_NODES)
        return &m->node[i].party;
    i -= MODEL_NODES;
    return i < MODEL_DEPOTS ? &m->depot[i] : &m->client[i - MODEL_DEPOTS].party;
}

enum { PARTIES = MODEL_NODES + MODEL_DEPOTS + MODEL_CLIENTS };

static void disconnected(struct model *m, struct party *p)
{
    mail_clear(&p->to_agent);
    mail_clear(&p->from_agent);
    p->peer = 0;
    for (size_t i = 0; i < MODEL_NODES; i++)
        if (p == &m->node[i].party)
            m->node[i].cut_ns = m->rig.now_ns;
}

/* What the agent sent goes into the queues; whom it closed is gone. */
static void distribute(struct model *m)
{
    struct rig *r = &m->rig;

    for (size_t i = 0; i < r->sent_count; i++)
        for (size_t k = 0; k < PARTIES; k++) {
            struct party *p = party_at(m, k);

            if (p->peer == 0 || p->peer != r->sent[i].peer)
                continue;
            if (!r->sent[i].closed) {
                mail_put(&p->from_agent, &r->sent[i].message->base);
            } else {
                const uint32_t peer = p->peer;

                disconnected(m, p);
                rig_down(r, peer);
                distribute(m);
                return; /* what else was sent in that step is lost, as it may be */
            }
        }
}

static void cut(struct model *m, struct party *p)
{
    const uint32_t peer = p->peer;

    disconnected(m, p);
    if (peer) {
        rig_down(&m->rig, peer);
        distribute(m);
    }
}

static void say(struct party *p, const Tern__Envelope *e)
{
    if (p->peer)
        mail_put(&p->to_agent, &e->base);
}

/* ---------------------------------------------------------------- nodes */

static void owe(struct model *m, struct model_node *n, struct held *h, Tern__Report *report)
{
    Tern__Reports reports = TERN__REPORTS__INIT;
    Tern__Envelope e = TERN__ENVELOPE__INIT;

    (void)m;
    report->n = ++n->report;
    report->fence = &h->fence;
    h->last_report = report->n;
    reports.reports = &report;
    reports.n_reports = 1;
    e.body_case = TERN__ENVELOPE__BODY_REPORTS;
    e.reports = &reports;
    check(n->owed.first + n->owed.count < 4000);
    n->owed_n[n->owed.first + n->owed.count] = report->n;
    mail_put(&n->owed, &e.base);
    say(&n->party, &e);
}

static void forget_held(struct model_node *n, size_t i)
{
    n->held[i] = n->held[--n->held_count];
}

static void report_end(struct model *m, struct model_node *n, struct held *h)
{
    Tern__Report report = TERN__REPORT__INIT;
    Tern__End end = TERN__END__INIT;

    end.kind = prng_chance(&m->prng, 50000) && !m->healing ? TERN__END_KIND__END_BROKEN
               : prng_chance(&m->prng, 100000)             ? TERN__END_KIND__END_TRAP
                                                           : TERN__END_KIND__END_EXIT;
    end.code = (int32_t)prng_below(&m->prng, 1000);
    end.wall_ns = prng_below(&m->prng, 100000000);
    report.what_case = TERN__REPORT__WHAT_END;
    report.end = &end;
    h->over = true;
    check(m->end_count < MODEL_ENDS);
    m->end[m->end_count++] = (struct model_end){.fence = h->fence, .code = end.code};
    owe(m, n, h, &report);
}

static void report_simple(struct model *m, struct model_node *n, struct held *h,
                          Tern__Report__WhatCase what)
{
    Tern__Report report = TERN__REPORT__INIT;
    Tern__Begun begun = TERN__BEGUN__INIT;
    Tern__Returned returned = TERN__RETURNED__INIT;
    Tern__Moved moved = TERN__MOVED__INIT;
    Tern__Prepared prepared = TERN__PREPARED__INIT;

    report.what_case = what;
    if (what == TERN__REPORT__WHAT_BEGUN)
        report.begun = &begun;
    else if (what == TERN__REPORT__WHAT_RETURNED)
        report.returned = &returned;
    else if (what == TERN__REPORT__WHAT_MOVED)
        report.moved = &moved;
    else
        report.prepared = &prepared;
    h->begun |= what == TERN__REPORT__WHAT_BEGUN;
    h->over |= what == TERN__REPORT__WHAT_RETURNED || what == TERN__REPORT__WHAT_MOVED;
    owe(m, n, h, &report);
}

static void report_checkpoint(struct model *m, struct model_node *n, struct held *h)
{
    Tern__Report report = TERN__REPORT__INIT;
    Tern__Checkpoint c = TERN__CHECKPOINT__INIT;
    Tern__Blob root = TERN__BLOB__INIT;
    uint8_t sha[32];
    char *depots[] = {"a", "b"};

    prng_fill(&m->prng, sha, sizeof sha);
    root.sha256.data = sha;
    root.sha256.len = sizeof sha;
    c.n = ++h->checkpoint;
    c.root = &root;
    c.depots = depots;
    c.n_depots = 1 + prng_below(&m->prng, 2);
    report.what_case = TERN__REPORT__WHAT_CHECKPOINT;
    report.checkpoint = &c;
    owe(m, n, h, &report);
}

static struct held *find_held(struct model_node *n, const Tern__Fence *fence)
{
    for (size_t i = 0; i < n->held_count; i++)
        if (n->held[i].fence.task == fence->task && n->held[i].fence.attempt == fence->attempt &&
            n->held[i].fence.term == fence->term)
            return &n->held[i];
    return NULL;
}

static void take_place(struct model *m, struct model_node *n, const Tern__Order *o)
{
    struct held *h = find_held(n, o->fence);
    const Tern__Checkpoint *from = o->placing->from;

    if (!h) {
        check(n->held_count < MODEL_HELD);
        h = &n->held[n->held_count++];
        *h = (struct held){.fence = *o->fence};
    }
    h->prepare = o->kind == TERN__ORDER_KIND__ORDER_PREPARE;
    if (from && from->n > h->checkpoint)
        h->checkpoint = from->n;
    if (h->prepare)
        report_simple(m, n, h, TERN__REPORT__WHAT_PREPARED);
}

static void take_order(struct model *m, struct model_node *n, const Tern__Order *o)
{
    struct held *h = find_held(n, o->fence);

    if (o->kind == TERN__ORDER_KIND__ORDER_PLACE || o->kind == TERN__ORDER_KIND__ORDER_PREPARE) {
        take_place(m, n, o);
        return;
    }
    if (!h || h->over)
        return;
    if (o->kind == TERN__ORDER_KIND__ORDER_STOP) {
        forget_held(n, (size_t)(h - n->held));
    } else if (o->kind == TERN__ORDER_KIND__ORDER_RECALL && !h->begun) {
        report_simple(m, n, h, TERN__REPORT__WHAT_RETURNED);
    } else if (o->kind == TERN__ORDER_KIND__ORDER_MOVE && h->begun) {
        report_checkpoint(m, n, h);
        report_simple(m, n, h, TERN__REPORT__WHAT_MOVED);
    }
}

static void take_stored(struct model_node *n, uint64_t up_to)
{
    while (n->owed.count && n->owed_n[n->owed.first] <= up_to) {
        struct bytes b = mail_take(&n->owed);

        bytes_release(&b);
        if (n->owed.first > 2000) { /* the numbers lie beside it */
            memmove(n->owed_n, n->owed_n + n->owed.first, n->owed.count * sizeof *n->owed_n);
            memmove(n->owed.item, n->owed.item + n->owed.first,
                    n->owed.count * sizeof *n->owed.item);
            n->owed.first = 0;
        }
    }
    for (size_t i = 0; i < n->held_count;)
        if (n->held[i].over && n->held[i].last_report <= up_to)
            forget_held(n, i);
        else
            i++;
}

static void connect_node(struct model *m, struct model_node *n)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__NodeAd ad = TERN__NODE_AD__INIT;
    Tern__Holding holding[MODEL_HELD], *holdings[MODEL_HELD];

    if (m->rig.now_ns - n->cut_ns > m->rig.config.lease_ns) { /* its lease is over */
        for (size_t i = 0; i < n->held_count;)
            if (!n->held[i].over)
                forget_held(n, i);
            else
                i++;
    }
    n->party.peer = rig_up(&m->rig, TERN__PART__PART_NODE, n->party.name, "root", 0);
    distribute(m);
    ad.slots = MODEL_SLOTS;
    ad.machine = "x86_64";
    for (size_t i = 0; i < n->held_count; i++) {
        tern__holding__init(&holding[i]);
        holding[i].fence = &n->held[i].fence;
        holdings[i] = &holding[i];
    }
    ad.holdings = holdings;
    ad.n_holdings = n->held_count;
    e.body_case = TERN__ENVELOPE__BODY_NODE_AD;
    e.node_ad = &ad;
    say(&n->party, &e);
    for (size_t i = 0; i < n->owed.count; i++) {
        struct bytes *b = &n->owed.item[n->owed.first + i];
        struct arena arena = {0};
        Tern__Envelope *again;

        check(message_decode(bytes_view(b), &arena, &again) == TERN_OK);
        say(&n->party, again);
        arena_release(&arena);
    }
}

static void node_acts(struct model *m, struct model_node *n)
{
    struct held *h = n->held_count ? &n->held[prng_below(&m->prng, n->held_count)] : NULL;
    size_t running = 0;

    for (size_t i = 0; i < n->held_count; i++)
        running += n->held[i].begun && !n->held[i].over;
    if (!h || h->over || h->prepare)
        return;
    if (!h->begun && running < MODEL_SLOTS)
        report_simple(m, n, h, TERN__REPORT__WHAT_BEGUN);
    else if (!h->begun)
        return;
    else if (!m->healing && prng_chance(&m->prng, 500000))
        report_checkpoint(m, n, h);
    else
        report_end(m, n, h);
}

/* ---------------------------------------------------------------- clients */

static void connect_client(struct model *m, struct model_client *c)
{
    c->party.peer = rig_up(&m->rig, TERN__PART__PART_CLIENT, "", c->owner, c->session);
    distribute(m);
    for (size_t i = 0; i < c->ask_count; i++) {
        struct arena arena = {0};
        Tern__Envelope *e;

        if (c->ask[i].answered)
            continue;
        check(message_decode(bytes_view(&c->ask[i].message), &arena, &e) == TERN_OK);
        say(&c->party, e);
        arena_release(&arena);
    }
}

static void ask(struct model_client *c, Tern__Envelope *e)
{
    struct model_ask *a = &c->ask[c->ask_count++];
    uint8_t *to = bytes_reserve(&a->message, tern__envelope__get_packed_size(e) + 16);

    check(c->ask_count < 1024 && to);
    e->number = a->number = ++c->number;
    to = bytes_reserve(&a->message, tern__envelope__get_packed_size(e) + 1);
    a->message.size = tern__envelope__pack(e, to);
    say(&c->party, e);
}

static void add_promise(struct model *m, size_t client, Tern__Task *t, struct arena *arena)
{
    const uint64_t on = m->task_most ? 1 + prng_below(&m->prng, m->task_most) : 0;
    Tern__Input *in = arena_new(arena, 1, sizeof *in);

    if (!on || !m->task[on].accepted || m->task[on].client != client)
        return;
    tern__input__init(in);
    in->promise = arena_new(arena, 1, sizeof *in->promise);
    tern__promise__init(in->promise);
    in->promise->task = on;
    t->inputs = arena_new(arena, 1, sizeof *t->inputs);
    t->inputs[0] = in;
    t->n_inputs = 1;
}

static void client_submits(struct model *m, size_t i)
{
    struct arena arena = {0};
    Tern__Envelope e;

    if (m->task_most > MODEL_TASKS / 2)
        return;
    rig_submit_message(&e, 'm', 1 + prng_below(&m->prng, 5), &arena);
    e.submit->job->priority = (int32_t)prng_below(&m->prng, 3);
    if (prng_chance(&m->prng, 300000))
        add_promise(m, i, e.submit->tasks[0], &arena);
    ask(&m->client[i], &e);
    arena_release(&arena);
}

/* A task that runs somewhere, or any. */
static uint64_t some_task(struct model *m)
{
    const struct model_node *n = &m->node[prng_below(&m->prng, MODEL_NODES)];

    if (n->held_count && prng_chance(&m->prng, 800000))
        return n->held[prng_below(&m->prng, n->held_count)].fence.task;
    return 1 + prng_below(&m->prng, m->task_most + 1);
}

static void client_asks(struct model *m, size_t i)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Which which = TERN__WHICH__INIT;
    Tern__Cancel cancel = TERN__CANCEL__INIT;
    Tern__Move move = TERN__MOVE__INIT;
    Tern__Watch watch = TERN__WATCH__INIT;
    Tern__Drain drain = TERN__DRAIN__INIT;

    which.task = some_task(m);
    if (m->task[which.task].accepted)
        i = m->task[which.task].client;
    cancel.which = watch.which = &which;
    switch (prng_below(&m->prng, 10)) {
    case 0:
        e.body_case = TERN__ENVELOPE__BODY_CANCEL;
        if (prng_chance(&m->prng, 100000)) { /* a job */
            which.job = which.task;
            which.task = 0;
        }
        e.cancel = &cancel;
        break;
    case 1:
    case 2:
    case 3:
    case 4:
        e.body_case = TERN__ENVELOPE__BODY_MOVE;
        move.task = which.task;
        e.move = &move;
        break;
    case 5:
    case 6:
        drain.node = (char *)m->node[prng_below(&m->prng, MODEL_NODES)].party.name;
        drain.back = prng_chance(&m->prng, 600000);
        e.body_case = TERN__ENVELOPE__BODY_DRAIN;
        e.drain = &drain;
        break;
    default:
        e.body_case = TERN__ENVELOPE__BODY_WATCH;
        e.watch = &watch;
        break;
    }
    ask(&m->client[i], &e);
}

static void take_seen(struct model *m, const Tern__Seen *seen)
{
    for (size_t i = 0; i < seen->n_tasks; i++) {
        const Tern__TaskSeen *s = seen->tasks[i];
        struct model_task *t = &m->task[s->task];

        check(s->task < MODEL_TASKS);
        check(!t->ended || s->end); /* an end stays */
        if (!s->end)
            continue;
        check(!t->ended || (t->code == s->end->code && t->state == s->state));
        t->ended = true;
        t->code = s->end->code;
        t->state = s->state;
        m->ends_seen++;
    }
}

static void take_answer(struct model *m, size_t client, const Tern__Envelope *e)
{
    struct model_client *c = &m->client[client];

    for (size_t i = 0; i < c->ask_count; i++)
        if (c->ask[i].number == e->answers)
            c->ask[i].answered = true;
    if (e->body_case != TERN__ENVELOPE__BODY_SUBMITTED)
        return;
    for (uint64_t n = e->submitted->first; n < e->submitted->first + e->submitted->count; n++) {
        check(n < MODEL_TASKS);
        check(!m->task[n].accepted || m->task[n].client == client);
        m->task[n].accepted = true;
        m->task[n].client = client;
        if (n > m->task_most)
            m->task_most = n;
    }
}

/* ---------------------------------------------------------------- what is delivered */

static void take(struct model *m, size_t i, const Tern__Envelope *e)
{
    struct model_node *n = i < MODEL_NODES ? &m->node[i] : NULL;
    const size_t client = i - MODEL_NODES - MODEL_DEPOTS;

    if (n && e->body_case == TERN__ENVELOPE__BODY_STORED) {
        take_stored(n, e->stored->n);
    } else if (n && e->body_case == TERN__ENVELOPE__BODY_ORDERS) {
        for (size_t k = 0; k < e->orders->n_orders; k++)
            take_order(m, n, e->orders->orders[k]);
    } else if (!n && i < MODEL_NODES + MODEL_DEPOTS) {
        Tern__Envelope answer = TERN__ENVELOPE__INIT;
        Tern__Copied copied = TERN__COPIED__INIT;

        if (e->body_case != TERN__ENVELOPE__BODY_COPY_ROOT)
            return;
        copied.domain = e->copy_root->domain;
        copied.root = e->copy_root->root;
        copied.error = prng_chance(&m->prng, 200000) ? TERN_EIO : 0;
        answer.body_case = TERN__ENVELOPE__BODY_COPIED;
        answer.copied = &copied;
        say(party_at(m, i), &answer);
    } else if (!n) {
        if (e->body_case == TERN__ENVELOPE__BODY_HELLO)
            m->client[client].session = e->hello->session;
        else if (e->body_case == TERN__ENVELOPE__BODY_SEEN)
            take_seen(m, e->seen);
        else if (e->answers)
            take_answer(m, client, e);
        else
            check(e->body_case != TERN__ENVELOPE__BODY_REFUSED);
    }
}

static void deliver(struct model *m, size_t i, bool to_agent)
{
    struct party *p = party_at(m, i);
    struct mail *q = to_agent ? &p->to_agent : &p->from_agent;
    struct arena arena = {0};
    Tern__Envelope *e;
    struct bytes b;

    if (!q->count || !p->peer)
        return;
    b = mail_take(q);
    check(message_decode(bytes_view(&b), &arena, &e) == TERN_OK);
    if (to_agent) {
        rig_event(&m->rig, &(struct core_event){.kind = CORE_MESSAGE,
                                                .now_ns = m->rig.now_ns,
                                                .peer = p->peer,
                                                .message = e});
        distribute(m);
    } else {
        take(m, i, e);
    }
    arena_release(&arena);
    bytes_release(&b);
}

/* ---------------------------------------------------------------- all of it */

static void connect_depot(struct model *m, size_t i)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__DepotAd ad = TERN__DEPOT_AD__INIT;

    m->depot[i].peer = rig_up(&m->rig, TERN__PART__PART_DEPOT, m->depot[i].name, "root", 0);
    distribute(m);
    e.body_case = TERN__ENVELOPE__BODY_DEPOT_AD;
    e.depot_ad = &ad;
    say(&m->depot[i], &e);
}

static void connect(struct model *m, size_t i)
{
    if (party_at(m, i)->peer)
        return;
    if (i < MODEL_NODES)
        connect_node(m, &m->node[i]);
    else if (i < MODEL_NODES + MODEL_DEPOTS)
        connect_depot(m, i - MODEL_NODES);
    else
        connect_client(m, &m->client[i - MODEL_NODES - MODEL_DEPOTS]);
}

void model_init(struct model *m, uint64_t seed)
{
    static const char *const nodes[] = {"n0", "n1", "n2"}, *const depots[] = {"a", "b"};
    static const char *const owners[] = {"ann", "bob"};

    *m = (struct model){0};
    rig_init(&m->rig, NULL);
    prng_seed(&m->prng, seed, "model");
    for (size_t i = 0; i < MODEL_NODES; i++)
        m->node[i].party = (struct party){.name = nodes[i], .part = TERN__PART__PART_NODE};
    for (size_t i = 0; i < MODEL_DEPOTS; i++)
        m->depot[i] = (struct party){.name = depots[i], .part = TERN__PART__PART_DEPOT};
    for (size_t i = 0; i < MODEL_CLIENTS; i++) {
        m->client[i].party = (struct party){.name = "", .part = TERN__PART__PART_CLIENT};
        m->client[i].owner = owners[i];
    }
    for (size_t i = 0; i < PARTIES; i++)
        connect(m, i);
    for (size_t i = 0; i < PARTIES; i++)
        while (party_at(m, i)->to_agent.count)
            deliver(m, i, true);
    for (size_t i = 0; i < MODEL_CLIENTS; i++) {
        rig_module(&m->rig, m->client[i].party.peer, 'm');
        m->client[i].session = i + 1;
    }
}

void model_release(struct model *m)
{
    for (size_t i = 0; i < PARTIES; i++) {
        mail_release(&party_at(m, i)->to_agent);
        mail_release(&party_at(m, i)->from_agent);
    }
    for (size_t i = 0; i < MODEL_NODES; i++)
        mail_release(&m->node[i].owed);
    for (size_t i = 0; i < MODEL_CLIENTS; i++)
        for (size_t k = 0; k < m->client[i].ask_count; k++)
            bytes_release(&m->client[i].ask[k].message);
    rig_release(&m->rig);
}

/* Those that are connected beat, so that none is lost by silence alone. */
static void pass(struct model *m, int64_t ns)
{
    for (; ns > 0; ns -= 400000000) {
        for (size_t i = 0; i < MODEL_NODES; i++) {
            Tern__Envelope e = TERN__ENVELOPE__INIT;
            Tern__Beat beat = TERN__BEAT__INIT;

            e.body_case = TERN__ENVELOPE__BODY_BEAT;
            e.beat = &beat;
            if (m->node[i].party.peer)
                rig_event(&m->rig, &(struct core_event){.kind = CORE_MESSAGE,
                                                        .now_ns = m->rig.now_ns,
                                                        .peer = m->node[i].party.peer,
                                                        .message = &e});
            distribute(m);
        }
        rig_pass(&m->rig, ns < 400000000 ? ns : 400000000);
        distribute(m);
    }
}

static void restart(struct model *m)
{
    for (size_t i = 0; i < PARTIES; i++)
        disconnected(m, party_at(m, i));
    rig_restart(&m->rig);
}

static void crash(struct model *m, struct model_node *n)
{
    n->held_count = 0;
    mail_clear(&n->owed);
    n->owed.first = 0;
    cut(m, &n->party);
}

static void something_bad(struct model *m)
{
    const uint64_t what = prng_below(&m->prng, 100);

    if (what < 30)
        cut(m, party_at(m, prng_below(&m->prng, PARTIES)));
    else if (what < 50)
        crash(m, &m->node[prng_below(&m->prng, MODEL_NODES)]);
    else if (what < 60)
        restart(m);
    else if (what < 65)
        rig_snapshot(&m->rig);
    else
        pass(m, (int64_t)prng_below(&m->prng, 1500000000));
}

void model_event(struct model *m)
{
    const size_t i = prng_below(&m->prng, PARTIES);
    const uint64_t what = prng_below(&m->prng, 100);

    if (what < 35)
        deliver(m, i, true);
    else if (what < 70)
        deliver(m, i, false);
    else if (what < 80)
        node_acts(m, &m->node[prng_below(&m->prng, MODEL_NODES)]);
    else if (what < 81)
        client_submits(m, prng_below(&m->prng, MODEL_CLIENTS));
    else if (what < 88)
        client_asks(m, prng_below(&m->prng, MODEL_CLIENTS));
    else if (what < 97)
        connect(m, i);
    else
        something_bad(m);
}

static void undrain(struct model *m)
{
    for (size_t i = 0; i < MODEL_NODES; i++) {
        Tern__Envelope e = TERN__ENVELOPE__INIT;
        Tern__Drain drain = TERN__DRAIN__INIT;

        drain.node = (char *)m->node[i].party.name;
        drain.back = true;
        e.body_case = TERN__ENVELOPE__BODY_DRAIN;
        e.drain = &drain;
        ask(&m->client[0], &e);
    }
}

/* Nor does any node have anything left. */
static bool all_ended(const struct model *m)
{
    const struct agent_count c = agent_count(m->rig.agent);

    for (size_t i = 0; i < MODEL_NODES; i++)
        if (m->node[i].held_count)
            return false;
    return c.waiting + c.ready + c.placed + c.running == 0;
}

bool model_heal(struct model *m)
{
    m->healing = true;
    for (size_t round = 0; round < 3000; round++) {
        bool quiet = true;

        if (round % 50 == 10) /* behind what clients repeat */
            undrain(m);
        for (size_t i = 0; i < PARTIES; i++) {
            connect(m, i);
            while (party_at(m, i)->to_agent.count)
                deliver(m, i, true);
            while (party_at(m, i)->from_agent.count) {
                deliver(m, i, false);
                quiet = false;
            }
        }
        for (size_t i = 0; i < 4 * MODEL_NODES; i++)
            node_acts(m, &m->node[i % MODEL_NODES]);
        pass(m, 100000000);
        if (quiet && all_ended(m))
            return true;
    }
    return false;
}

/* An end is what the attempt said that is named with it, not another one. */
static void check_end(const struct model *m, const Tern__Ended *e)
{
    bool said = false;

    if (e->state != TERN__TASK_STATE__TASK_DONE)
        return;
    check(e->fence);
    for (size_t i = 0; i < m->end_count; i++)
        said |= m->end[i].fence.task == e->task && m->end[i].fence.attempt == e->fence->attempt &&
                m->end[i].fence.term == e->fence->term && m->end[i].code == e->end->code;
    check(said);
}

void model_verify(const struct model *m)
{
    uint8_t ends[MODEL_TASKS] = {0};

    for (size_t i = 0; i < m->rig.fact_count; i++) {
        struct arena arena = {0};
        Tern__Fact *f;

        check(fact_decode(bytes_view(&m->rig.facts[i]), &arena, &f) == TERN_OK);
        if (f->what_case == TERN__FACT__WHAT_ENDED) {
            const struct model_task *t = &m->task[f->ended->task];

            check(++ends[f->ended->task] == 1);
            check_end(m, f->ended);
            check(!t->ended || (t->code == f->ended->end->code && t->state == f->ended->state));
        }
        arena_release(&arena);
    }
    for (size_t n = 0; n < MODEL_TASKS; n++)
        check(m->task[n].accepted == ends[n]); /* none twice, none that nobody asked for */
}
