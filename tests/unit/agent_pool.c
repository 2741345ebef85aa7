#include "agent_pool.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

struct pool pool_new(uint32_t slots, const struct agent_config *config)
{
    struct pool p = {.rig = malloc(sizeof *p.rig)};

    check(p.rig);
    rig_init(p.rig, config);
    p.depot[0] = rig_depot(p.rig, "a");
    p.depot[1] = rig_depot(p.rig, "b");
    p.node = slots ? rig_node(p.rig, "n", slots) : 0;
    p.client = rig_client(p.rig, "ann");
    rig_module(p.rig, p.client, 'm');
    return p;
}

void pool_free(struct pool *p)
{
    rig_release(p->rig);
    free(p->rig);
}

Tern__Envelope *pool_ask(struct pool *p, Tern__Envelope *e)
{
    const uint64_t number = rig_say(p->rig, p->client, e);
    Tern__Envelope *answer = rig_answer(p->rig, p->client, number);

    check(answer);
    return answer;
}

bool pool_refused(const Tern__Envelope *e, enum tern_err err, const char *words)
{
    return e->body_case == TERN__ENVELOPE__BODY_REFUSED && e->refused->error == (uint32_t)err &&
           strstr(e->refused->text, words);
}

uint64_t pool_submit(struct pool *p, size_t tasks, int32_t priority, const char *label,
                     const char *node)
{
    struct arena arena = {0};
    Tern__Requirements r = TERN__REQUIREMENTS__INIT;
    char *labels[] = {(char *)label};
    Tern__Envelope e, *answer;

    rig_submit_message(&e, 'm', tasks, &arena);
    e.submit->job->priority = priority;
    e.submit->job->requirements = &r;
    r.labels = labels;
    r.n_labels = label != NULL;
    if (node)
        r.node = (char *)node;
    answer = pool_ask(p, &e);
    arena_release(&arena);
    check(answer->body_case == TERN__ENVELOPE__BODY_SUBMITTED);
    return answer->submitted->first;
}

Tern__Fence pool_placed(struct pool *p, uint32_t node, size_t n)
{
    const Tern__Order *o = rig_order(p->rig, node, TERN__ORDER_KIND__ORDER_PLACE, n);

    check(o);
    return *o->fence;
}

Tern__Fence pool_running(struct pool *p)
{
    Tern__Fence fence;

    rig_submit(p->rig, p->client, 1);
    fence = pool_placed(p, p->node, 0);
    rig_begun(p->rig, p->node, &fence);
    return fence;
}

void pool_report(struct pool *p, uint32_t node, const Tern__Fence *fence,
                 Tern__Report__WhatCase what)
{
    Tern__Report report = TERN__REPORT__INIT;
    Tern__Moved moved = TERN__MOVED__INIT;
    Tern__Prepared prepared = TERN__PREPARED__INIT;
    Tern__Returned returned = TERN__RETURNED__INIT;

    report.what_case = what;
    if (what == TERN__REPORT__WHAT_MOVED)
        report.moved = &moved;
    else if (what == TERN__REPORT__WHAT_PREPARED)
        report.prepared = &prepared;
    else
        report.returned = &returned;
    rig_report(p->rig, node, fence, &report);
}

uint32_t pool_node_back(struct pool *p, const char *name, const Tern__Fence *held, size_t count)
{
    const uint32_t peer = rig_up(p->rig, TERN__PART__PART_NODE, name, "root", 0);
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__NodeAd ad = TERN__NODE_AD__INIT;
    Tern__Holding holding[8], *holdings[8];
    Tern__Fence fence[8];

    check(count <= 8);
    for (size_t i = 0; i < count; i++) {
        fence[i] = held[i];
        tern__holding__init(&holding[i]);
        holding[i].fence = &fence[i];
        holdings[i] = &holding[i];
    }
    ad.slots = 1;
    ad.machine = "x86_64";
    ad.holdings = holdings;
    ad.n_holdings = count;
    e.body_case = TERN__ENVELOPE__BODY_NODE_AD;
    e.node_ad = &ad;
    rig_say(p->rig, peer, &e);
    return peer;
}

void pool_beat(struct pool *p, uint32_t node)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Beat beat = TERN__BEAT__INIT;

    e.body_case = TERN__ENVELOPE__BODY_BEAT;
    e.beat = &beat;
    rig_say(p->rig, node, &e);
}

Tern__Envelope *pool_watch(struct pool *p, uint64_t task, uint64_t job, bool ends_only)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Watch w = TERN__WATCH__INIT;
    Tern__Which which = TERN__WHICH__INIT;

    which.task = task;
    which.job = job;
    w.which = &which;
    w.ends_only = ends_only;
    e.body_case = TERN__ENVELOPE__BODY_WATCH;
    e.watch = &w;
    return pool_ask(p, &e);
}

Tern__Envelope *pool_cancel(struct pool *p, uint64_t task, uint64_t job)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Cancel cancel = TERN__CANCEL__INIT;
    Tern__Which which = TERN__WHICH__INIT;

    which.task = task;
    which.job = job;
    cancel.which = &which;
    e.body_case = TERN__ENVELOPE__BODY_CANCEL;
    e.cancel = &cancel;
    return pool_ask(p, &e);
}

Tern__Envelope *pool_move(struct pool *p, uint64_t task, const char *node)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Move move = TERN__MOVE__INIT;

    move.task = task;
    move.node = (char *)node;
    e.body_case = TERN__ENVELOPE__BODY_MOVE;
    e.move = &move;
    return pool_ask(p, &e);
}

Tern__Envelope *pool_drain(struct pool *p, const char *node, bool back)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Drain drain = TERN__DRAIN__INIT;

    drain.node = (char *)node;
    drain.back = back;
    e.body_case = TERN__ENVELOPE__BODY_DRAIN;
    e.drain = &drain;
    return pool_ask(p, &e);
}

Tern__Envelope *pool_query(struct pool *p, Tern__QueryKind kind, uint64_t after, uint32_t count)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Query q = TERN__QUERY__INIT;

    q.kind = kind;
    q.after = after;
    q.count = count;
    q.ended = true;
    e.body_case = TERN__ENVELOPE__BODY_QUERY;
    e.query = &q;
    return pool_ask(p, &e);
}

Tern__TaskState pool_state(struct pool *p, uint64_t task)
{
    return rig_task(p->rig, p->client, task)->now->state;
}
