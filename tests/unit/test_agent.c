/* The agent's core: the way of a task from its submission to its end, and of those who are told. */
#include "agent_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_a_task_goes_through(void **state)
{
    struct pool p = pool_new(1, NULL);
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
    pool_watch(&p, task, 0, false);
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
    pool_free(&p);
}

static void test_tasks_wait_for_a_node(void **state)
{
    struct pool p = pool_new(0, NULL);
    const uint64_t task = rig_submit(p.rig, p.client, 3);
    Tern__TaskDetail *d = rig_task(p.rig, p.client, task);
    Tern__Fence fence;

    (void)state;
    assert_int_equal(d->now->state, TERN__TASK_STATE__TASK_READY);
    assert_non_null(strstr(d->now->why, "no node"));
    p.node = rig_node(p.rig, "late", 2);
    fence = pool_placed(&p, p.node, 0);
    assert_int_equal(fence.task, task);
    assert_int_equal(pool_placed(&p, p.node, 1).task, task + 1);
    assert_null(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_PLACE, 2));
    rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_EXIT, 0);
    assert_int_equal(pool_placed(&p, p.node, 0).task, task + 2);
    pool_free(&p);
}

static void test_the_same_request_has_the_same_answer(void **state)
{
    struct pool p = pool_new(1, NULL);
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
    pool_free(&p);
}

static void test_what_a_restart_keeps(void **state)
{
    struct pool p = pool_new(1, NULL);
    const uint64_t task = rig_submit(p.rig, p.client, 2);
    const Tern__Fence fence = pool_placed(&p, p.node, 0);

    (void)state;
    rig_begun(p.rig, p.node, &fence);
    rig_restart(p.rig);
    assert_int_equal(agent_count(p.rig->agent).running, 1);
    p.client = rig_up(p.rig, TERN__PART__PART_CLIENT, "", "ann", 1);
    assert_int_equal(rig_task(p.rig, p.client, task)->now->state, TERN__TASK_STATE__TASK_RUNNING);
    /* Its node does not come back: a full lease later it goes elsewhere. */
    rig_depot(p.rig, "a");
    p.node = rig_node(p.rig, "other", 2);
    assert_int_equal(pool_placed(&p, p.node, 0).task, task + 1);
    rig_pass(p.rig, p.rig->config.lease_ns + p.rig->config.drift_ns);
    assert_int_equal(agent_count(p.rig->agent).running, 0);
    pool_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_task_goes_through),
        cmocka_unit_test(test_tasks_wait_for_a_node),
        cmocka_unit_test(test_the_same_request_has_the_same_answer),
        cmocka_unit_test(test_what_a_restart_keeps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
