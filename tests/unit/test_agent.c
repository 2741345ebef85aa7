/* The agent's core: the way of a task from its submission to its end, and of those who are told. */
#include "agent_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct pool {
    struct rig *rig;
    uint32_t client, depot[2], node;
};

static struct rig *new_rig(const struct agent_config *config)
{
    struct rig *r = malloc(sizeof *r);

    assert_non_null(r);
    rig_init(r, config);
    return r;
}

static void free_rig(struct rig *r)
{
    rig_release(r);
    free(r);
}

static struct pool new_pool(uint32_t slots)
{
    struct pool p = {.rig = new_rig(NULL)};

    p.depot[0] = rig_depot(p.rig, "a");
    p.depot[1] = rig_depot(p.rig, "b");
    p.node = slots ? rig_node(p.rig, "n", slots) : 0;
    p.client = rig_client(p.rig, "ann");
    rig_module(p.rig, p.client, 'm');
    return p;
}

static void watch(struct pool *p, uint64_t task, uint64_t job, bool ends_only)
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
    rig_say(p->rig, p->client, &e);
}

static Tern__Fence placed(struct rig *r, uint32_t node, size_t n)
{
    const Tern__Order *o = rig_order(r, node, TERN__ORDER_KIND__ORDER_PLACE, n);

    assert_non_null(o);
    return *o->fence;
}

static void test_a_task_goes_through(void **state)
{
    struct pool p = new_pool(1);
    const uint64_t task = rig_submit(p.rig, p.client, 1);
    const Tern__Order *o = rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_PLACE, 0);
    Tern__Fence fence;
    Tern__Envelope *e;

    (void)state;
    assert_non_null(o);
    fence = *o->fence;
    assert_int_equal(fence.task, task);
    assert_int_equal(fence.attempt, 1);
    assert_int_equal(fence.term, 1);
    assert_string_equal(o->placing->job->work->program->name, "program");
    assert_string_equal(o->placing->job->owner, "ann");
    assert_int_equal(o->placing->n_depots, 2);
    assert_int_equal(o->placing->depots[0]->capability->rights, 3);
    assert_string_equal(o->placing->depots[0]->capability->domain, "ann");
    watch(&p, task, 0, false);
    e = rig_got(p.rig, p.client, TERN__ENVELOPE__BODY_SEEN, 0);
    assert_non_null(e);
    assert_int_equal(e->seen->tasks[0]->state, TERN__TASK_STATE__TASK_PLACED);
    rig_begun(p.rig, p.node, &fence);
    e = rig_got(p.rig, p.client, TERN__ENVELOPE__BODY_SEEN, 0);
    assert_int_equal(e->seen->tasks[0]->state, TERN__TASK_STATE__TASK_RUNNING);
    assert_string_equal(e->seen->tasks[0]->node, "n");
    assert_non_null(e->seen->tasks[0]->tail);
    rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_EXIT, 7);
    assert_non_null(rig_got(p.rig, p.node, TERN__ENVELOPE__BODY_STORED, 0));
    e = rig_got(p.rig, p.client, TERN__ENVELOPE__BODY_SEEN, 0);
    assert_int_equal(e->seen->tasks[0]->state, TERN__TASK_STATE__TASK_DONE);
    assert_int_equal(e->seen->tasks[0]->end->code, 7);
    assert_int_equal(agent_count(p.rig->agent).done, 1);
    free_rig(p.rig);
}

static void test_tasks_wait_for_a_node(void **state)
{
    struct pool p = new_pool(0);
    const uint64_t task = rig_submit(p.rig, p.client, 3);
    Tern__TaskDetail *d = rig_task(p.rig, p.client, task);
    Tern__Fence fence;

    (void)state;
    assert_int_equal(d->now->state, TERN__TASK_STATE__TASK_READY);
    assert_non_null(strstr(d->now->why, "no node"));
    p.node = rig_node(p.rig, "late", 2);
    fence = placed(p.rig, p.node, 0);
    assert_int_equal(fence.task, task);
    assert_int_equal(placed(p.rig, p.node, 1).task, task + 1);
    assert_null(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_PLACE, 2));
    rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_EXIT, 0);
    assert_int_equal(placed(p.rig, p.node, 0).task, task + 2);
    free_rig(p.rig);
}

static void test_the_same_request_has_the_same_answer(void **state)
{
    struct pool p = new_pool(1);
    struct arena arena = {0};
    Tern__Envelope e;
    uint64_t number, first;

    (void)state;
    rig_submit_message(&e, 'm', 2, &arena);
    number = rig_say(p.rig, p.client, &e);
    first = rig_answer(p.rig, p.client, number)->submitted->first;
    rig_say(p.rig, p.client, &e);
    assert_int_equal(rig_answer(p.rig, p.client, number)->submitted->first, first);
    assert_int_equal(agent_count(p.rig->agent).placed + agent_count(p.rig->agent).ready, 2);
    rig_restart(p.rig);
    p.client = rig_up(p.rig, TERN__PART__PART_CLIENT, "", "ann", 1);
    assert_int_equal(rig_got(p.rig, p.client, TERN__ENVELOPE__BODY_HELLO, 0)->hello->session, 1);
    rig_say(p.rig, p.client, &e);
    assert_int_equal(rig_answer(p.rig, p.client, number)->submitted->first, first);
    assert_int_equal(agent_count(p.rig->agent).placed + agent_count(p.rig->agent).ready, 2);
    arena_release(&arena);
    free_rig(p.rig);
}

static void test_what_a_restart_keeps(void **state)
{
    struct pool p = new_pool(1);
    const uint64_t task = rig_submit(p.rig, p.client, 2);
    const Tern__Fence fence = placed(p.rig, p.node, 0);

    (void)state;
    rig_begun(p.rig, p.node, &fence);
    rig_restart(p.rig);
    assert_int_equal(agent_count(p.rig->agent).running, 1);
    p.client = rig_up(p.rig, TERN__PART__PART_CLIENT, "", "ann", 1);
    assert_int_equal(rig_task(p.rig, p.client, task)->now->state, TERN__TASK_STATE__TASK_RUNNING);
    /* Its node does not come back: a full lease later it goes elsewhere. */
    rig_depot(p.rig, "a");
    p.node = rig_node(p.rig, "other", 2);
    assert_int_equal(placed(p.rig, p.node, 0).task, task + 1);
    rig_pass(p.rig, p.rig->config.lease_ns + p.rig->config.drift_ns);
    assert_int_equal(agent_count(p.rig->agent).running, 0);
    free_rig(p.rig);
}

/* ---------------------------------------------------------------- losing and moving */

static Tern__Envelope *request(struct pool *p, Tern__Envelope *e)
{
    const uint64_t number = rig_say(p->rig, p->client, e);
    Tern__Envelope *answer = rig_answer(p->rig, p->client, number);

    assert_non_null(answer);
    return answer;
}

static Tern__Envelope *ask_move(struct pool *p, uint64_t task, const char *node)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Move move = TERN__MOVE__INIT;

    move.task = task;
    move.node = (char *)node;
    e.body_case = TERN__ENVELOPE__BODY_MOVE;
    e.move = &move;
    return request(p, &e);
}

static void report_plain(struct pool *p, uint32_t node, const Tern__Fence *fence,
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

static void test_a_task_moves(void **state)
{
    struct pool p = new_pool(1);
    const uint64_t task = rig_submit(p.rig, p.client, 1);
    const Tern__Fence fence = placed(p.rig, p.node, 0);
    uint32_t other;
    Tern__Order *o;
    Tern__Fence next;

    (void)state;
    rig_begun(p.rig, p.node, &fence);
    other = rig_node(p.rig, "other", 1);
    rig_checkpoint(p.rig, p.node, &fence, 1, "a", "b");
    assert_int_equal(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_COMMITTED, 0)->checkpoint, 1);
    assert_int_equal(ask_move(&p, task, "")->body_case, TERN__ENVELOPE__BODY_DONE);
    o = rig_order(p.rig, other, TERN__ORDER_KIND__ORDER_PREPARE, 0);
    assert_non_null(o);
    next = *o->fence;
    assert_int_equal(next.attempt, 2);
    assert_int_equal(o->placing->from->n, 1);
    report_plain(&p, other, &next, TERN__REPORT__WHAT_PREPARED);
    assert_non_null(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_MOVE, 0));
    rig_checkpoint(p.rig, p.node, &fence, 2, "a", "b");
    report_plain(&p, p.node, &fence, TERN__REPORT__WHAT_MOVED);
    o = rig_order(p.rig, other, TERN__ORDER_KIND__ORDER_PLACE, 0);
    assert_non_null(o);
    assert_int_equal(o->fence->attempt, next.attempt);
    assert_int_equal(o->placing->from->n, 2);
    rig_begun(p.rig, other, &next);
    rig_end(p.rig, other, &next, TERN__END_KIND__END_EXIT, 0);
    assert_int_equal(agent_count(p.rig->agent).done, 1);
    assert_int_equal(rig_task(p.rig, p.client, task)->now->moves, 1);
    free_rig(p.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_task_goes_through),
        cmocka_unit_test(test_tasks_wait_for_a_node),
        cmocka_unit_test(test_the_same_request_has_the_same_answer),
        cmocka_unit_test(test_what_a_restart_keeps),
        cmocka_unit_test(test_a_task_moves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
