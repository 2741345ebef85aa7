/*
 * The agent's core with as many tasks and nodes as it promises: memory for each task, all of them
 * placed and ended, the state in a snapshot. test_agent_scale [TASKS [NODES]]
 */
#include "agent_rig.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { BATCH = 4096 };

static uint64_t task_count = 100000, node_count = 1000;

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void submit_all(struct rig *r, uint32_t client)
{
    struct arena arena = {0};
    Tern__Envelope e;

    rig_submit_message(&e, 'm', BATCH, &arena);
    for (size_t i = 0; i < BATCH; i++)
        e.submit->tasks[i]->item = "item-0123456789";
    for (uint64_t done = 0; done < task_count; done += e.submit->n_tasks) {
        if (task_count - done < BATCH)
            e.submit->n_tasks = task_count - done;
        e.number = 0;
        rig_say(r, client, &e);
        e.submit->more = true;
        e.submit->job->n = 1;
    }
    arena_release(&arena);
}

struct given {
    uint32_t node;
    Tern__Fence fence;
};

static struct given *given;
static size_t given_first, given_count;

/* What the last event has placed. */
static void note_given(const struct rig *r)
{
    for (size_t i = 0; i < r->sent_count; i++) {
        const Tern__Envelope *e = r->sent[i].message;

        for (size_t k = 0;
             e && e->body_case == TERN__ENVELOPE__BODY_ORDERS && k < e->orders->n_orders; k++)
            if (e->orders->orders[k]->kind == TERN__ORDER_KIND__ORDER_PLACE)
                given[given_count++] =
                    (struct given){r->sent[i].peer, *e->orders->orders[k]->fence};
            else if (e->orders->orders[k]->kind != TERN__ORDER_KIND__ORDER_RECALL)
                fail_msg("an order of kind %d", (int)e->orders->orders[k]->kind);
    }
}

/* Some ends, in one message from the node whose turn it is. */
static uint64_t end_some(struct rig *r)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Reports reports = TERN__REPORTS__INIT;
    Tern__Report report[64], *all[64];
    Tern__End end = TERN__END__INIT;
    const uint32_t node = given[given_first].node;

    end.kind = TERN__END_KIND__END_EXIT;
    end.wall_ns = 500000;
    reports.reports = all;
    while (reports.n_reports < 64 && given_first < given_count && given[given_first].node == node) {
        Tern__Report *one = &report[reports.n_reports];

        tern__report__init(one);
        one->n = ++r->number;
        one->fence = &given[given_first++].fence;
        one->what_case = TERN__REPORT__WHAT_END;
        one->end = &end;
        all[reports.n_reports++] = one;
    }
    e.body_case = TERN__ENVELOPE__BODY_REPORTS;
    e.reports = &reports;
    rig_say(r, node, &e);
    note_given(r);
    return reports.n_reports;
}

static void test_many(void **state)
{
    struct rig *r = malloc(sizeof *r);
    size_t before;
    uint32_t client;
    uint64_t ended = 0;
    double t0, t1, t2;

    (void)state;
    assert_non_null(r);
    rig_init(r, NULL);
    r->unchecked = r->forgetful = true;
    rig_depot(r, "a");
    rig_depot(r, "b");
    client = rig_client(r, "ann");
    rig_module(r, client, 'm');
    before = mallinfo2().uordblks + mallinfo2().hblkhd;
    t0 = seconds();
    submit_all(r, client);
    t1 = seconds();
    print_message(
        "%llu tasks: %llu bytes each by count, %llu by malloc, %.2f us each\n",
        (unsigned long long)task_count,
        (unsigned long long)(agent_count(r->agent).task_bytes / task_count),
        (unsigned long long)((mallinfo2().uordblks + mallinfo2().hblkhd - before) / task_count),
        (t1 - t0) / (double)task_count * 1e6);
    assert_int_equal(agent_count(r->agent).ready, task_count);
    assert_true(agent_count(r->agent).task_bytes / task_count <= AGENT_TASK_BYTES);
    assert_true((mallinfo2().uordblks + mallinfo2().hblkhd - before) / task_count <=
                AGENT_TASK_BYTES);
    agent_check(r->agent);
    t1 = seconds();
    given = calloc(task_count, sizeof *given);
    for (uint64_t i = 0; i < node_count; i++) {
        char name[32];

        snprintf(name, sizeof name, "node-%llu", (unsigned long long)i);
        rig_node(r, name, 2);
        note_given(r);
    }
    t2 = seconds();
    print_message("%llu nodes, %.2f us each\n", (unsigned long long)node_count,
                  (t2 - t1) / (double)node_count * 1e6);
    t1 = t2;
    while (given_first < given_count)
        ended += end_some(r);
    free(given);
    t2 = seconds();
    print_message("%llu ended on %llu nodes, %.2f us each\n", (unsigned long long)ended,
                  (unsigned long long)node_count, (t2 - t1) / (double)(ended + 1) * 1e6);
    assert_int_equal(ended, task_count);
    assert_int_equal(agent_count(r->agent).done, ended);
    assert_int_equal(agent_count(r->agent).ready, 0);
    agent_check(r->agent);
    rig_release(r);
    free(r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_many)};

    if (argc > 1)
        task_count = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        node_count = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
