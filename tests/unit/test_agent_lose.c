/* The agent's core: nodes that are lost, hang, come back, are drained; tasks that move or break. */
#include "agent_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS INT64_C(1000000)

static void test_a_closed_connection(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence fence = pool_running(&p);
    Tern__TaskDetail *d;
    Tern__Order *o;
    uint32_t other;

    (void)state;
    rig_checkpoint(p.rig, p.node, &fence, 1, "a", "b");
    other = rig_node(p.rig, "other", 1);
    rig_down(p.rig, p.node);
    assert_int_equal(pool_state(&p, fence.task), TERN__TASK_STATE__TASK_RUNNING); /* in grace */
    rig_pass(p.rig, p.rig->config.grace_ns);
    o = rig_order(p.rig, other, TERN__ORDER_KIND__ORDER_PLACE, 0);
    assert_non_null(o);
    assert_int_equal(o->fence->attempt, 2);
    assert_int_equal(o->placing->from->n, 1); /* goes on */
    d = rig_task(p.rig, p.client, fence.task);
    assert_int_equal(d->now->losses, 1);
    assert_int_equal(d->attempts[0]->state, TERN__ATTEMPT_STATE__ATTEMPT_LOST);
    assert_int_equal(d->attempts[1]->from, 1);
    pool_free(&p);
}

static void test_back_in_time(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence fence = pool_running(&p);

    (void)state;
    rig_down(p.rig, p.node);
    p.node = pool_node_back(&p, "n", &fence, 1);
    rig_pass(p.rig, 100 * MS);
    assert_int_equal(pool_state(&p, fence.task), TERN__TASK_STATE__TASK_RUNNING);
    assert_null(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_STOP, 0));
    rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_EXIT, 0);
    assert_int_equal(pool_state(&p, fence.task), TERN__TASK_STATE__TASK_DONE);
    pool_free(&p);
}

static void test_back_too_late(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence fence = pool_running(&p);

    (void)state;
    rig_down(p.rig, p.node);
    rig_pass(p.rig, 100 * MS);
    assert_int_equal(pool_state(&p, fence.task), TERN__TASK_STATE__TASK_READY);
    p.node = pool_node_back(&p, "n", &fence, 1);
    assert_int_equal(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_STOP, 0)->fence->attempt, 1);
    assert_int_equal(pool_placed(&p, p.node, 0).attempt, 2);
    /* What the old attempt says changes nothing, but is acknowledged. */
    rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_EXIT, 99);
    assert_non_null(rig_got(p.rig, p.node, TERN__ENVELOPE__BODY_STORED, 0));
    assert_int_equal(pool_state(&p, fence.task), TERN__TASK_STATE__TASK_PLACED);
    pool_free(&p);
}

static void test_an_empty_node_comes_back(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence fence = pool_running(&p);

    (void)state;
    rig_down(p.rig, p.node);
    p.node = pool_node_back(&p, "n", NULL, 0);
    assert_int_equal(pool_placed(&p, p.node, 0).attempt, 2); /* at once */
    assert_int_equal(rig_task(p.rig, p.client, fence.task)->now->losses, 1);
    pool_free(&p);
}

static void test_silence(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence fence = pool_running(&p);
    const int64_t lost_ns = p.rig->config.lease_ns + p.rig->config.drift_ns;
    Tern__Envelope *rows;

    (void)state;
    for (int i = 0; i < 20; i++) { /* as long as it beats, nothing happens */
        rig_pass(p.rig, 500 * MS);
        pool_beat(&p, p.node);
    }
    assert_int_equal(pool_state(&p, fence.task), TERN__TASK_STATE__TASK_RUNNING);
    rig_pass(p.rig, 1600 * MS);
    rows = pool_query(&p, TERN__QUERY_KIND__QUERY_NODES, 0, 0);
    assert_string_equal(rows->rows->nodes[0]->state, "suspect");
    pool_beat(&p, p.node);
    rows = pool_query(&p, TERN__QUERY_KIND__QUERY_NODES, 0, 0);
    assert_string_equal(rows->rows->nodes[0]->state, "up");
    rig_pass(p.rig, lost_ns);
    assert_true(rig_closed(p.rig, p.node));
    assert_int_equal(pool_state(&p, fence.task), TERN__TASK_STATE__TASK_READY);
    rows = pool_query(&p, TERN__QUERY_KIND__QUERY_NODES, 0, 0);
    assert_string_equal(rows->rows->nodes[0]->state, "lost");
    assert_int_equal(rows->rows->nodes[0]->losses, 1);
    pool_free(&p);
}

static void test_broken_attempts(void **state)
{
    struct pool p = pool_new(1, NULL);
    Tern__Fence fence = pool_running(&p);
    Tern__TaskDetail *d;

    (void)state;
    rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_BROKEN, 0);
    fence = pool_placed(&p, p.node, 0);
    rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_BROKEN, 0);
    fence = pool_placed(&p, p.node, 0);
    rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_BROKEN, 0);
    d = rig_task(p.rig, p.client, fence.task);
    assert_int_equal(d->now->state, TERN__TASK_STATE__TASK_FAILED);
    assert_int_equal(d->now->end->kind, TERN__END_KIND__END_BROKEN);
    assert_non_null(strstr(d->now->end->text, "not the program's fault"));
    assert_non_null(strstr(d->now->end->text, "it went wrong"));
    pool_free(&p);
}

static void test_broken_but_getting_on(void **state)
{
    struct pool p = pool_new(1, NULL);
    Tern__Fence fence = pool_running(&p);

    (void)state;
    for (uint64_t i = 1; i <= 10; i++) { /* two in a row, each time */
        rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_BROKEN, 0);
        fence = pool_placed(&p, p.node, 0);
        rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_BROKEN, 0);
        fence = pool_placed(&p, p.node, 0);
        rig_begun(p.rig, p.node, &fence);
        rig_checkpoint(p.rig, p.node, &fence, i, "a", "b");
        rig_snapshot(p.rig);
    }
    assert_int_equal(pool_state(&p, fence.task), TERN__TASK_STATE__TASK_RUNNING);
    pool_free(&p);
}

static void test_broken_attempts_go_elsewhere(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence fence = pool_running(&p);
    const uint32_t other = rig_node(p.rig, "z", 1); /* by its name it would come second */

    (void)state;
    rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_BROKEN, 0);
    assert_int_equal(pool_placed(&p, other, 0).task, fence.task);
    pool_free(&p);
}

static void test_a_target_that_refuses(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence fence = pool_running(&p);
    const uint32_t other = rig_node(p.rig, "other", 1);
    Tern__Fence next;

    (void)state;
    pool_drain(&p, "n", false);
    next = *rig_order(p.rig, other, TERN__ORDER_KIND__ORDER_PREPARE, 0)->fence;
    pool_report(&p, other, &next, TERN__REPORT__WHAT_RETURNED);
    assert_null(rig_order(p.rig, other, TERN__ORDER_KIND__ORDER_PREPARE, 0)); /* not at once */
    assert_int_equal(pool_state(&p, fence.task), TERN__TASK_STATE__TASK_RUNNING);
    rig_pass(p.rig, 1000 * MS);
    assert_non_null(rig_order(p.rig, other, TERN__ORDER_KIND__ORDER_PREPARE, 0));
    pool_free(&p);
}

static void test_ends(void **state)
{
    static const struct {
        Tern__EndKind kind;
        Tern__TaskState state;
    } rows[] = {
        {TERN__END_KIND__END_EXIT, TERN__TASK_STATE__TASK_DONE},
        {TERN__END_KIND__END_TRAP, TERN__TASK_STATE__TASK_FAILED},
        {TERN__END_KIND__END_LIMIT, TERN__TASK_STATE__TASK_FAILED},
        {TERN__END_KIND__END_REFUSED, TERN__TASK_STATE__TASK_FAILED},
        {TERN__END_KIND__END_BROKEN, TERN__TASK_STATE__TASK_PLACED},
        {TERN__END_KIND__END_CANCELLED, TERN__TASK_STATE__TASK_PLACED}, /* nobody asked for it */
        {(Tern__EndKind)77, TERN__TASK_STATE__TASK_PLACED},             /* of a later version */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pool p = pool_new(1, NULL);
        const Tern__Fence fence = pool_running(&p);

        rig_end(p.rig, p.node, &fence, rows[i].kind, 3);
        assert_int_equal(pool_state(&p, fence.task), rows[i].state);
        if (rows[i].state != TERN__TASK_STATE__TASK_PLACED) { /* said twice */
            rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_EXIT, 4);
            assert_int_equal(rig_task(p.rig, p.client, fence.task)->now->end->code, 3);
        }
        pool_free(&p);
    }
}

static void test_a_move(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence fence = pool_running(&p);
    const uint32_t other = rig_node(p.rig, "other", 1);
    Tern__Fence next;
    Tern__Order *o;

    (void)state;
    rig_checkpoint(p.rig, p.node, &fence, 1, "a", "b");
    assert_int_equal(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_COMMITTED, 0)->checkpoint, 1);
    assert_int_equal(pool_move(&p, fence.task, "")->body_case, TERN__ENVELOPE__BODY_DONE);
    o = rig_order(p.rig, other, TERN__ORDER_KIND__ORDER_PREPARE, 0);
    next = *o->fence;
    assert_int_equal(next.attempt, 2);
    assert_int_equal(o->placing->from->n, 1);
    pool_report(&p, other, &next, TERN__REPORT__WHAT_PREPARED);
    assert_non_null(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_MOVE, 0));
    rig_checkpoint(p.rig, p.node, &fence, 2, "a", "b");
    pool_report(&p, p.node, &fence, TERN__REPORT__WHAT_MOVED);
    o = rig_order(p.rig, other, TERN__ORDER_KIND__ORDER_PLACE, 0);
    assert_int_equal(o->fence->attempt, next.attempt);
    assert_int_equal(o->placing->from->n, 2);
    rig_end(p.rig, other, &next, TERN__END_KIND__END_EXIT, 0);
    assert_int_equal(rig_task(p.rig, p.client, fence.task)->now->moves, 1);
    pool_free(&p);
}

static void test_moves_that_are_refused(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence fence = pool_running(&p);
    const uint64_t queued = rig_submit(p.rig, p.client, 1);

    (void)state;
    assert_true(pool_refused(pool_move(&p, fence.task, ""), TERN_EBUSY, "no other node"));
    assert_true(pool_refused(pool_move(&p, fence.task, "n"), TERN_EBUSY, "runs there already"));
    assert_true(pool_refused(pool_move(&p, fence.task, "x"), TERN_ENOENT, "no node x"));
    assert_true(pool_refused(pool_move(&p, queued, ""), TERN_EBUSY, "does not run"));
    assert_true(pool_refused(pool_move(&p, 999, ""), TERN_ENOENT, "no task 999"));
    pool_free(&p);
}

static void test_the_target_of_a_move_is_lost(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence fence = pool_running(&p);
    const uint32_t other = rig_node(p.rig, "other", 1);

    (void)state;
    pool_move(&p, fence.task, "other");
    rig_down(p.rig, other);
    rig_pass(p.rig, 100 * MS);
    assert_int_equal(pool_state(&p, fence.task), TERN__TASK_STATE__TASK_RUNNING);
    pool_report(&p, p.node, &fence, TERN__REPORT__WHAT_MOVED); /* had it been told already */
    assert_int_equal(pool_placed(&p, p.node, 0).attempt, 3);
    pool_free(&p);
}

static void test_drain(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence fence = pool_running(&p);
    uint32_t other;

    (void)state;
    assert_int_equal(pool_drain(&p, "n", false)->done->count, 1);
    assert_null(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_MOVE, 0)); /* nowhere to go */
    rig_submit(p.rig, p.client, 1);
    assert_null(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_PLACE, 0)); /* takes no more */
    other = rig_node(p.rig, "other", 2);
    assert_int_equal(pool_placed(&p, other, 0).task, fence.task + 1);
    assert_int_equal(rig_order(p.rig, other, TERN__ORDER_KIND__ORDER_PREPARE, 0)->fence->task,
                     fence.task);
    rig_restart(p.rig); /* that it is drained is remembered */
    p.node = pool_node_back(&p, "n", &fence, 1);
    p.client = rig_up(p.rig, TERN__PART__PART_CLIENT, "", "ann", 1);
    assert_true(pool_query(&p, TERN__QUERY_KIND__QUERY_NODES, 0, 0)->rows->nodes[0]->drained);
    pool_drain(&p, "n", true);
    assert_false(pool_query(&p, TERN__QUERY_KIND__QUERY_NODES, 0, 0)->rows->nodes[0]->drained);
    assert_true(pool_refused(pool_drain(&p, "x", false), TERN_ENOENT, "no node x"));
    pool_free(&p);
}

static void test_a_checkpoint_with_too_few_copies(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence fence = pool_running(&p);
    Tern__Envelope *copy, e = TERN__ENVELOPE__INIT;
    Tern__Copied copied = TERN__COPIED__INIT;
    Tern__Blob root = TERN__BLOB__INIT;
    uint8_t sha[32];

    (void)state;
    rig_checkpoint(p.rig, p.node, &fence, 1, "a", NULL);
    assert_null(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_COMMITTED, 0));
    copy = rig_got(p.rig, p.depot[1], TERN__ENVELOPE__BODY_COPY_ROOT, 0);
    assert_non_null(copy);
    assert_string_equal(copy->copy_root->from->name, "a");
    memcpy(sha, copy->copy_root->root->sha256.data, sizeof sha);
    root.sha256.data = sha;
    root.sha256.len = sizeof sha;
    copied.domain = "ann";
    copied.root = &root;
    e.body_case = TERN__ENVELOPE__BODY_COPIED;
    e.copied = &copied;
    rig_say(p.rig, p.depot[1], &e);
    assert_int_equal(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_COMMITTED, 0)->checkpoint, 1);
    assert_int_equal(rig_task(p.rig, p.client, fence.task)->checkpoints[0]->n_depots, 2);
    rig_checkpoint(p.rig, p.node, &fence, 1, "a", "b"); /* said twice */
    assert_null(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_COMMITTED, 0));
    pool_free(&p);
}

static void test_going_back_for_want_of_depots(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence fence = pool_running(&p);
    Tern__Order *o;
    uint32_t other;

    (void)state;
    rig_checkpoint(p.rig, p.node, &fence, 1, "a", "b");
    rig_down(p.rig, p.depot[1]);
    rig_checkpoint(p.rig, p.node, &fence, 2, "a", NULL); /* all that are here */
    assert_non_null(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_COMMITTED, 0));
    p.depot[1] = rig_depot(p.rig, "b");
    rig_down(p.rig, p.depot[0]); /* the newest one is away, the one before is not */
    rig_down(p.rig, p.node);
    rig_pass(p.rig, 100 * MS);
    other = rig_node(p.rig, "other", 1);
    assert_null(rig_order(p.rig, other, TERN__ORDER_KIND__ORDER_PLACE, 0)); /* worth waiting */
    assert_non_null(strstr(rig_task(p.rig, p.client, fence.task)->now->why, "depots"));
    for (int64_t ns = 0; ns <= p.rig->config.depot_lost_ns; ns += 400 * MS) {
        pool_beat(&p, other);
        rig_pass(p.rig, 400 * MS);
        if (rig_order(p.rig, other, TERN__ORDER_KIND__ORDER_PLACE, 0))
            break;
    }
    o = rig_order(p.rig, other, TERN__ORDER_KIND__ORDER_PLACE, 0);
    assert_non_null(o);
    assert_int_equal(o->placing->from->n, 1);
    pool_free(&p);
}

static void test_recall(void **state)
{
    struct pool p = pool_new(1, NULL);
    Tern__Fence fence = pool_running(&p);
    uint32_t other;
    size_t recalled = 0;

    (void)state;
    rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_EXIT, 0); /* they take 1 ms */
    rig_submit(p.rig, p.client, 60);
    pool_placed(&p, p.node, 59); /* all are given ahead */
    other = rig_node(p.rig, "other", 1);
    while (rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_RECALL, recalled))
        recalled++;
    assert_in_range(recalled, 20, 40);
    fence = *rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_RECALL, 0)->fence;
    pool_report(&p, p.node, &fence, TERN__REPORT__WHAT_RETURNED);
    assert_int_equal(pool_placed(&p, other, 0).task, fence.task);
    pool_free(&p);
}

static void test_what_is_given_back_unasked(void **state)
{
    struct pool p = pool_new(1, NULL);
    const uint64_t task = rig_submit(p.rig, p.client, 1);
    Tern__Fence fence = pool_placed(&p, p.node, 0);
    Tern__Envelope *rows;

    (void)state;
    for (int i = 0; i < 3; i++) {
        pool_report(&p, p.node, &fence, TERN__REPORT__WHAT_RETURNED);
        assert_null(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_PLACE, 0));
        pool_beat(&p, p.node);
        rig_pass(p.rig, 900 * MS);
        assert_null(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_PLACE, 0));
        rig_pass(p.rig, 100 * MS);
        fence = pool_placed(&p, p.node, 0);
    }
    assert_int_equal(fence.attempt, 4);
    pool_report(&p, p.node, &fence, TERN__REPORT__WHAT_RETURNED);
    /* What is of another class it is given meanwhile; and another node the one it gave back. */
    pool_submit(&p, 1, 0, NULL, "n");
    assert_true(pool_placed(&p, p.node, 0).task != task);
    rows = pool_query(&p, TERN__QUERY_KIND__QUERY_NODES, 0, 0);
    assert_string_equal(rows->rows->nodes[0]->state, "up");
    assert_int_equal(pool_placed(&p, rig_node(p.rig, "other", 1), 0).task, task);
    pool_free(&p);
}

/* ---------------------------------------------------------------- one name, two processes */

static bool refused_for_its_name(struct pool *p, uint32_t peer)
{
    const Tern__Envelope *e = rig_got(p->rig, peer, TERN__ENVELOPE__BODY_REFUSED, 0);

    return e && rig_closed(p->rig, peer) && pool_refused(e, TERN_EEXIST, "another --name") &&
           !rig_got(p->rig, peer, TERN__ENVELOPE__BODY_HELLO, 0);
}

static void test_two_nodes_of_one_name(void **state)
{
    struct pool p = pool_new(0, NULL);
    Tern__Fence fence;
    uint32_t other;

    (void)state;
    p.rig->instance = "first...";
    p.node = rig_node(p.rig, "n", 1);
    fence = pool_running(&p);
    p.rig->instance = "second..";
    other = rig_up(p.rig, TERN__PART__PART_NODE, "n", "root", 0);
    assert_true(refused_for_its_name(&p, other));
    assert_false(rig_closed(p.rig, p.node));
    rig_down(p.rig, other);
    assert_int_equal(pool_state(&p, fence.task), TERN__TASK_STATE__TASK_RUNNING);
    /* The first dials again before its old connection is gone. */
    p.rig->instance = "first...";
    p.node = pool_node_back(&p, "n", &fence, 1);
    assert_null(rig_got(p.rig, p.node, TERN__ENVELOPE__BODY_REFUSED, 0));
    assert_int_equal(pool_state(&p, fence.task), TERN__TASK_STATE__TASK_RUNNING);
    pool_free(&p);
}

static void test_a_suspect_makes_room_for_its_name(void **state)
{
    struct pool p = pool_new(0, NULL);
    Tern__Fence fence;
    uint32_t old;

    (void)state;
    p.rig->instance = "first...";
    old = p.node = rig_node(p.rig, "n", 1);
    fence = pool_running(&p);
    rig_pass(p.rig, 1600 * MS); /* silent, but connected */
    p.rig->instance = "second..";
    p.node = pool_node_back(&p, "n", NULL, 0);
    assert_true(rig_closed(p.rig, old));
    assert_int_equal(pool_placed(&p, p.node, 0).attempt, 2); /* it began anew */
    rig_down(p.rig, old);
    p.rig->instance = "first...";
    old = rig_up(p.rig, TERN__PART__PART_NODE, "n", "root", 0);
    assert_true(refused_for_its_name(&p, old));
    /* Gone, within its grace: so is the name. */
    rig_down(p.rig, p.node);
    p.node = pool_node_back(&p, "n", &fence, 1);
    assert_int_equal(pool_placed(&p, p.node, 0).attempt, 3);
    pool_free(&p);
}

static void test_two_depots_of_one_name(void **state)
{
    struct pool p = pool_new(0, NULL);
    uint32_t first, other;

    (void)state;
    p.rig->instance = "one key.";
    first = rig_depot(p.rig, "c");
    p.rig->instance = "another.";
    other = rig_up(p.rig, TERN__PART__PART_DEPOT, "c", "root", 0);
    assert_true(refused_for_its_name(&p, other));
    assert_false(rig_closed(p.rig, first));
    p.rig->instance = "one key.";
    other = rig_depot(p.rig, "c"); /* back before its old connection is gone */
    assert_null(rig_got(p.rig, other, TERN__ENVELOPE__BODY_REFUSED, 0));
    rig_down(p.rig, other);
    p.rig->instance = "another.";
    other = rig_depot(p.rig, "c");
    assert_null(rig_got(p.rig, other, TERN__ENVELOPE__BODY_REFUSED, 0));
    pool_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_closed_connection),
        cmocka_unit_test(test_back_in_time),
        cmocka_unit_test(test_back_too_late),
        cmocka_unit_test(test_an_empty_node_comes_back),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_broken_attempts),
        cmocka_unit_test(test_broken_but_getting_on),
        cmocka_unit_test(test_broken_attempts_go_elsewhere),
        cmocka_unit_test(test_a_target_that_refuses),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_a_move),
        cmocka_unit_test(test_moves_that_are_refused),
        cmocka_unit_test(test_the_target_of_a_move_is_lost),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_a_checkpoint_with_too_few_copies),
        cmocka_unit_test(test_going_back_for_want_of_depots),
        cmocka_unit_test(test_what_is_given_back_unasked),
        cmocka_unit_test(test_two_nodes_of_one_name),
        cmocka_unit_test(test_a_suspect_makes_room_for_its_name),
        cmocka_unit_test(test_two_depots_of_one_name),
        cmocka_unit_test(test_recall),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
