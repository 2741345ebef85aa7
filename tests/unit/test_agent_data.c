/* The agent's core: data and who has it, names, standard input, outputs of one task as inputs of
 * another; and that a snapshot is the same as all facts. */
#include "agent_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

static Tern__Blob blob(uint8_t sha[32], uint8_t letter)
{
    Tern__Blob b = TERN__BLOB__INIT;

    memset(sha, letter, 32);
    b.sha256.data = sha;
    b.sha256.len = 32;
    b.size = 1000;
    b.kind = 4;
    return b;
}

static Tern__Envelope *ask_depots(struct pool *p, const char *name, uint8_t letter, uint64_t size)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__AskDepots ask = TERN__ASK_DEPOTS__INIT;
    uint8_t sha[32];
    Tern__Blob b = blob(sha, letter);

    ask.name = (char *)name;
    ask.size = size;
    if (letter)
        ask.blob = &b;
    e.body_case = TERN__ENVELOPE__BODY_ASK_DEPOTS;
    e.ask_depots = &ask;
    return pool_ask(p, &e);
}

static Tern__Envelope *set_name(struct pool *p, const char *name, uint8_t letter)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__SetName set = TERN__SET_NAME__INIT;
    uint8_t sha[32];
    Tern__Blob b = blob(sha, letter);

    set.name = (char *)name;
    if (letter)
        set.blob = &b;
    e.body_case = TERN__ENVELOPE__BODY_SET_NAME;
    e.set_name = &set;
    return pool_ask(p, &e);
}

static void test_where_to_bring_data(void **state)
{
    struct pool p = pool_new(1, NULL);
    Tern__Envelope *e = ask_depots(&p, "", 'x', 1000);
    const Tern__Capability *c = e->depots->depots[0]->capability;

    (void)state;
    assert_int_equal(e->depots->n_depots, 2);
    assert_string_not_equal(e->depots->depots[0]->name, e->depots->depots[1]->name);
    assert_string_equal(e->depots->depots[0]->endpoints->at[0], "unix:/depot");
    assert_string_equal(c->domain, "ann");
    assert_int_equal(c->rights, 3);
    assert_int_equal(c->expires_ns, p.rig->now_ns + p.rig->config.hold_ns);
    assert_true(pool_refused(ask_depots(&p, "", 'y', UINT64_C(1) << 50), TERN_ETOOBIG, "of room"));
    rig_down(p.rig, p.depot[0]);
    assert_int_equal(ask_depots(&p, "", 'z', 1)->depots->n_depots, 1);
    rig_down(p.rig, p.depot[1]);
    assert_int_equal(ask_depots(&p, "", 'z', 1)->depots->n_depots, 2); /* about to be back? */
    rig_pass(p.rig, p.rig->config.lease_ns);
    assert_true(pool_refused(ask_depots(&p, "", 'z', 1), TERN_EBUSY, "no depot now"));
    pool_free(&p);
}

static void test_names(void **state)
{
    struct pool p = pool_new(1, NULL);
    Tern__Envelope *e;

    (void)state;
    assert_true(pool_refused(set_name(&p, "data", 'x'), TERN_ENOENT, "bring it there"));
    ask_depots(&p, "", 'x', 1000);
    assert_int_equal(set_name(&p, "data", 'x')->body_case, TERN__ENVELOPE__BODY_DONE);
    assert_true(pool_refused(set_name(&p, "", 'x'), TERN_EUSAGE, "between 1 and"));
    assert_true(pool_refused(set_name(&p, "a\nb", 'x'), TERN_EUSAGE, "control"));
    e = ask_depots(&p, "data", 0, 0);
    assert_int_equal(e->depots->blob->sha256.data[0], 'x');
    assert_int_equal(e->depots->n_depots, 2);
    assert_int_equal(e->depots->depots[0]->capability->rights, 1);
    rig_restart(p.rig);
    rig_depot(p.rig, "a");
    p.client = rig_up(p.rig, TERN__PART__PART_CLIENT, "", "ann", 1);
    e = pool_query(&p, TERN__QUERY_KIND__QUERY_NAMES, 0, 0);
    assert_int_equal(e->rows->n_names, 1);
    assert_string_equal(e->rows->names[0]->name, "data");
    assert_int_equal(e->rows->names[0]->n_depots, 1); /* the other one is not here */
    p.client = rig_client(p.rig, "bob");              /* nobody else's business */
    assert_int_equal(pool_query(&p, TERN__QUERY_KIND__QUERY_NAMES, 0, 0)->rows->n_names, 0);
    assert_true(pool_refused(set_name(&p, "data", 0), TERN_ENOENT, "nothing of yours"));
    p.client = rig_client(p.rig, "ann");
    assert_int_equal(set_name(&p, "data", 0)->body_case, TERN__ENVELOPE__BODY_DONE);
    assert_true(pool_refused(ask_depots(&p, "data", 0, 0), TERN_ENOENT, "nothing of yours"));
    pool_free(&p);
}

/* How many roots with this first byte the depot is told to keep (or, `gone`, to let go of). */
static size_t held(const struct pool *p, uint32_t depot, uint8_t letter, bool gone)
{
    size_t count = 0;
    Tern__Envelope *e;

    for (size_t i = 0; (e = rig_got(p->rig, depot, TERN__ENVELOPE__BODY_HOLD, i)); i++)
        for (size_t k = 0; k < e->hold->n_roots; k++)
            count += e->hold->roots[k]->root->sha256.data[1] == letter &&
                     (e->hold->roots[k]->expires_ns == 0) == gone;
    return count;
}

/* Time passes, and the node is alive. */
static void pass_beating(struct pool *p, int64_t ns)
{
    for (; ns > SECOND; ns -= SECOND) {
        rig_pass(p->rig, SECOND);
        pool_beat(p, p->node);
    }
    rig_pass(p->rig, ns);
}

static void test_leases(void **state)
{
    struct pool p = pool_new(1, NULL);
    const int64_t hold_ns = p.rig->config.hold_ns;
    const Tern__Fence fence = pool_running(&p);

    (void)state;
    rig_checkpoint(p.rig, p.node, &fence, 1, "a", "b");
    pass_beating(&p, 5 * SECOND);
    assert_int_equal(held(&p, p.depot[0], 101, false), 1);
    rig_checkpoint(p.rig, p.node, &fence, 2, "a", "b");
    rig_checkpoint(p.rig, p.node, &fence, 3, "a", "b");
    assert_int_equal(held(&p, p.depot[0], 101, true), 1); /* two are kept */
    pass_beating(&p, 5 * SECOND);
    assert_int_equal(held(&p, p.depot[0], 103, false), 1);
    assert_int_equal(held(&p, p.depot[0], 101, false), 0);
    rig_pass(p.rig, hold_ns / 2);
    assert_int_equal(held(&p, p.depot[0], 103, false), 1); /* and their leases renewed */
    assert_int_equal(held(&p, p.depot[0], 101, false), 0);
    pool_free(&p);
}

static void test_nobody_wants_it(void **state)
{
    struct pool p = pool_new(1, NULL);

    (void)state;
    ask_depots(&p, "", 'x', 1000);
    rig_pass(p.rig, p.rig->config.hold_ns - SECOND);
    assert_int_equal(held(&p, p.depot[0], 'x', true), 0);
    rig_pass(p.rig, 2 * SECOND);
    assert_int_equal(held(&p, p.depot[0], 'x', true), 1);
    pool_free(&p);
}

static void test_letting_go_of_many(void **state)
{
    struct pool p = pool_new(0, NULL);
    const Tern__Envelope *e;
    size_t messages = 0;
    uint8_t letter;

    (void)state;
    for (letter = 1; letter <= 100; letter++)
        ask_depots(&p, "", letter, 1000);
    rig_pass(p.rig, p.rig->config.hold_ns + SECOND);
    for (letter = 1; letter <= 100; letter++)
        assert_int_equal(held(&p, p.depot[0], letter, true), 1);
    for (size_t i = 0; (e = rig_got(p.rig, p.depot[0], TERN__ENVELOPE__BODY_HOLD, i)); i++)
        messages += e->hold->roots[0]->expires_ns == 0;
    assert_int_equal(messages, 1);
    pool_free(&p);
}

static void say_lost(struct pool *p, uint32_t depot, uint8_t letter)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Held h = TERN__HELD__INIT;
    Tern__RootLease lease = TERN__ROOT_LEASE__INIT, *leases[] = {&lease};
    uint8_t sha[32];
    Tern__Blob b = blob(sha, letter);

    lease.domain = "ann";
    lease.root = &b;
    h.lost = leases;
    h.n_lost = 1;
    e.body_case = TERN__ENVELOPE__BODY_HELD;
    e.held = &h;
    rig_say(p->rig, depot, &e);
}

static void test_damage_is_repaired(void **state)
{
    struct pool p = pool_new(0, NULL);
    Tern__Envelope *e;
    uint64_t task;

    (void)state;
    task = rig_submit(p.rig, p.client, 1);
    say_lost(&p, p.depot[0], 'm');
    e = rig_got(p.rig, p.depot[0], TERN__ENVELOPE__BODY_COPY_ROOT, 0);
    assert_non_null(e);
    assert_string_equal(e->copy_root->from->name, "b");
    assert_string_equal(e->copy_root->domain, "ann");
    say_lost(&p, p.depot[1], 'm'); /* the last copy of the program */
    p.node = rig_node(p.rig, "n", 1);
    assert_int_equal(pool_state(&p, task), TERN__TASK_STATE__TASK_FAILED);
    assert_non_null(
        strstr(rig_task(p.rig, p.client, task)->now->end->text, "in no depot any more"));
    pool_free(&p);
}

static void test_a_depot_that_is_gone(void **state)
{
    struct pool p = pool_new(0, NULL);
    uint32_t third;

    (void)state;
    rig_submit(p.rig, p.client, 1);
    third = rig_depot(p.rig, "c");
    rig_down(p.rig, p.depot[0]);
    rig_pass(p.rig, p.rig->config.depot_lost_ns - SECOND);
    assert_null(rig_got(p.rig, third, TERN__ENVELOPE__BODY_COPY_ROOT, 0));
    rig_pass(p.rig, 2 * SECOND);
    assert_non_null(rig_got(p.rig, third, TERN__ENVELOPE__BODY_COPY_ROOT, 0));
    pool_free(&p);
}

/* ---------------------------------------------------------------- standard input */

static Tern__Envelope *more_input(struct pool *p, uint64_t task, uint64_t at, const char *text,
                                  bool end)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__MoreInput more = TERN__MORE_INPUT__INIT;
    Tern__Content c = TERN__CONTENT__INIT;

    c.here.data = (uint8_t *)text;
    c.here.len = strlen(text);
    more.task = task;
    more.offset = at;
    more.content = &c;
    more.end = end;
    e.body_case = TERN__ENVELOPE__BODY_MORE_INPUT;
    e.more_input = &more;
    return pool_ask(p, &e);
}

static void test_more_input(void **state)
{
    struct pool p = pool_new(1, NULL);
    struct arena arena = {0};
    Tern__Envelope e;
    Tern__Content begin = TERN__CONTENT__INIT;
    Tern__Fence fence;
    Tern__Order *o;

    (void)state;
    rig_submit_message(&e, 'm', 1, &arena);
    begin.here.data = (uint8_t *)"abc";
    begin.here.len = 3;
    e.submit->tasks[0]->input = &begin;
    e.submit->tasks[0]->open_input = true;
    pool_ask(&p, &e);
    fence = pool_placed(&p, p.node, 0);
    assert_int_equal(more_input(&p, fence.task, 3, "def", false)->done->count, 6);
    o = rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_INPUT, 0);
    assert_int_equal(o->input->offset, 3);
    assert_int_equal(more_input(&p, fence.task, 3, "def", false)->done->count, 6); /* twice */
    assert_null(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_INPUT, 0));
    assert_true(pool_refused(more_input(&p, fence.task, 9, "x", false), TERN_EPROTO, "byte 6"));
    more_input(&p, fence.task, 6, "", true);
    more_input(&p, fence.task, 6, "", true); /* twice */
    rig_restart(p.rig);
    rig_pass(p.rig, 3 * SECOND); /* its node does not come back */
    rig_depot(p.rig, "a");
    p.node = rig_node(p.rig, "n2", 1);
    o = rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_PLACE, 0);
    assert_int_equal(o->placing->n_input, 2);
    assert_memory_equal(o->placing->input[0]->content->here.data, "def", 3);
    assert_true(o->placing->input[1]->end);
    p.client = rig_client(p.rig, "ann");
    assert_true(pool_refused(more_input(&p, 99, 0, "x", false), TERN_ENOENT, "no task 99"));
    arena_release(&arena);
    pool_free(&p);
}

/* What came while its node was away, or was lost on its way there. */
static void test_input_is_said_again(void **state)
{
    struct pool p = pool_new(1, NULL);
    struct arena arena = {0};
    Tern__Envelope e;
    Tern__Fence fence;
    Tern__Order *o;

    (void)state;
    rig_submit_message(&e, 'm', 1, &arena);
    e.submit->tasks[0]->open_input = true;
    pool_ask(&p, &e);
    fence = pool_placed(&p, p.node, 0);
    rig_begun(p.rig, p.node, &fence);
    rig_restart(p.rig);
    p.client = rig_client(p.rig, "ann");
    assert_int_equal(more_input(&p, fence.task, 0, "abc", false)->done->count, 3);
    p.node = pool_node_back(&p, "n", &fence, 1);
    o = rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_INPUT, 0);
    assert_non_null(o);
    assert_int_equal(o->fence->attempt, fence.attempt);
    assert_memory_equal(o->input->content->here.data, "abc", 3);
    assert_null(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_INPUT, 1));
    arena_release(&arena);
    pool_free(&p);
}

/* ---------------------------------------------------------------- who waits for output */

static const Tern__Order *await(struct pool *p, uint64_t task, bool stop)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Watch watch = TERN__WATCH__INIT;
    Tern__Which which = TERN__WHICH__INIT;

    which.task = task;
    watch.which = &which;
    watch.awaits = true;
    watch.stop = stop;
    e.body_case = TERN__ENVELOPE__BODY_WATCH;
    e.watch = &watch;
    assert_int_equal(pool_ask(p, &e)->body_case, TERN__ENVELOPE__BODY_DONE);
    return rig_order(p->rig, p->node, TERN__ORDER_KIND__ORDER_AWAITED, 0);
}

static void test_output_is_awaited(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence fence = pool_running(&p);
    const uint32_t first = p.client;

    (void)state;
    pool_watch(&p, fence.task, 0, false);
    assert_null(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_AWAITED, 0));
    assert_true(await(&p, fence.task, false)->awaited);
    assert_null(await(&p, fence.task, false)); /* as before */
    p.client = rig_client(p.rig, "ann");
    assert_null(await(&p, fence.task, false)); /* by two */
    assert_null(await(&p, fence.task, true));
    rig_down(p.rig, first);
    assert_false(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_AWAITED, 0)->awaited);
    assert_true(await(&p, fence.task, false)->awaited);
    rig_restart(p.rig); /* whoever waits says it again; till then nobody does */
    p.node = pool_node_back(&p, "n", &fence, 1);
    assert_false(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_AWAITED, 0)->awaited);
    p.client = rig_client(p.rig, "ann");
    assert_true(await(&p, fence.task, false)->awaited);
    rig_down(p.rig, p.node);
    p.node = pool_node_back(&p, "n", &fence, 1);
    assert_true(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_AWAITED, 0)->awaited);
    rig_down(p.rig, p.node);
    rig_depot(p.rig, "a");
    rig_pass(p.rig, 30 * SECOND);
    p.node = rig_node(p.rig, "n2", 1);
    assert_true(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_PLACE, 0)->placing->awaited);
    pool_free(&p);
}

/* ---------------------------------------------------------------- promises */

static uint64_t submit_waiting(struct pool *p, uint64_t on, const char *output)
{
    struct arena arena = {0};
    Tern__Envelope e, *answer;
    Tern__Input in = TERN__INPUT__INIT, *inputs[] = {&in};
    Tern__Promise promise = TERN__PROMISE__INIT;

    rig_submit_message(&e, 'm', 1, &arena);
    promise.task = on;
    promise.output = (char *)output;
    in.path = "in";
    in.promise = &promise;
    e.submit->tasks[0]->inputs = inputs;
    e.submit->tasks[0]->n_inputs = 1;
    answer = pool_ask(p, &e);
    arena_release(&arena);
    assert_int_equal(answer->body_case, TERN__ENVELOPE__BODY_SUBMITTED);
    return answer->submitted->first;
}

static void end_with_output(struct pool *p, const Tern__Fence *fence, uint8_t letter)
{
    Tern__Report report = TERN__REPORT__INIT;
    Tern__End end = TERN__END__INIT;
    Tern__Results results = TERN__RESULTS__INIT;
    Tern__Content output = TERN__CONTENT__INIT;
    uint8_t sha[32];
    Tern__Blob b = blob(sha, letter);

    output.blob = &b;
    results.output = &output;
    end.kind = TERN__END_KIND__END_EXIT;
    end.wall_ns = 10 * SECOND;
    end.results = &results;
    report.what_case = TERN__REPORT__WHAT_END;
    report.end = &end;
    rig_report(p->rig, p->node, fence, &report);
}

static void test_a_promise_is_kept(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence maker = pool_running(&p);
    const uint64_t task = submit_waiting(&p, maker.task, "");
    Tern__TaskDetail *d = rig_task(p.rig, p.client, task);
    Tern__Order *o;

    (void)state;
    assert_int_equal(d->now->state, TERN__TASK_STATE__TASK_WAITING);
    assert_non_null(strstr(d->now->why, "it waits for the output of task 1"));
    end_with_output(&p, &maker, 'r');
    o = rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_PLACE, 0);
    assert_int_equal(o->fence->task, task);
    assert_int_equal(o->placing->task->inputs[0]->content->blob->sha256.data[0], 'r');
    rig_restart(p.rig);
    assert_int_equal(agent_count(p.rig->agent).placed, 1);
    pool_free(&p);
}

static void test_a_promise_is_broken(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence maker = pool_running(&p);
    const uint64_t task = submit_waiting(&p, maker.task, "");
    const uint64_t last = submit_waiting(&p, task, "");
    Tern__TaskDetail *d;

    (void)state;
    rig_end(p.rig, p.node, &maker, TERN__END_KIND__END_TRAP, 0);
    d = rig_task(p.rig, p.client, task);
    assert_int_equal(d->now->state, TERN__TASK_STATE__TASK_FAILED);
    assert_string_equal(d->now->end->text,
                        "an input was to come from task 1, which failed: it went wrong");
    d = rig_task(p.rig, p.client, last); /* and so on */
    assert_non_null(strstr(d->now->end->text, "from task 1, which failed"));
    assert_int_equal(pool_state(&p, submit_waiting(&p, task, "")), TERN__TASK_STATE__TASK_FAILED);
    pool_free(&p);
}

/* ---------------------------------------------------------------- two lives */

/* The same things happen to both; whatever comes out is the same, bit for bit. */
static void assert_same(struct rig *x, struct rig *y)
{
    assert_int_equal(x->sent_count, y->sent_count);
    for (size_t i = 0; i < x->sent_count; i++) {
        struct bytes a = {0}, b = {0};

        assert_int_equal(x->sent[i].peer, y->sent[i].peer);
        assert_int_equal(x->sent[i].closed, y->sent[i].closed);
        if (!x->sent[i].message)
            continue;
        assert_int_equal(message_encode(x->sent[i].message, (struct view){0}, 1, &a), TERN_OK);
        assert_int_equal(message_encode(y->sent[i].message, (struct view){0}, 1, &b), TERN_OK);
        assert_true(view_equal(bytes_view(&a), bytes_view(&b)));
        bytes_release(&a);
        bytes_release(&b);
    }
}

static struct rig *copy_of(const struct rig *r)
{
    struct rig *copy = malloc(sizeof *copy);

    assert_non_null(copy);
    *copy = (struct rig){.config = r->config, .now_ns = r->now_ns, .number = r->number};
    copy->facts = calloc(r->fact_count, sizeof *copy->facts);
    copy->fact_count = copy->fact_room = r->fact_count;
    for (size_t i = 0; i < r->fact_count; i++)
        bytes_append(&copy->facts[i], r->facts[i].data, r->facts[i].size);
    return copy;
}

static void live_on(struct pool *p)
{
    p->rig->peer_next = 0;
    rig_depot(p->rig, "a");
    rig_depot(p->rig, "b");
    p->node = rig_node(p->rig, "n", 2);
    rig_pass(p->rig, 4 * SECOND);
    rig_node(p->rig, "other", 3);
    p->client = rig_up(p->rig, TERN__PART__PART_CLIENT, "", "ann", 1);
}

/* A little of everything. */
static void fill(struct pool *p)
{
    Tern__Fence fence = pool_running(p), next;

    rig_checkpoint(p->rig, p->node, &fence, 1, "a", "b");
    rig_checkpoint(p->rig, p->node, &fence, 2, "a", "b");
    submit_waiting(p, fence.task, "");
    submit_waiting(p, submit_waiting(p, fence.task, ""), "");
    pool_submit(p, 5, 3, NULL, NULL);
    pool_submit(p, 1, 0, "gpu", NULL);
    pool_submit(p, 1, 0, NULL, "other");
    ask_depots(p, "", 'x', 1000);
    set_name(p, "data", 'x');
    pool_cancel(p, fence.task + 5, 0);
    rig_down(p->rig, p->node);
    rig_pass(p->rig, SECOND);
    p->node = rig_node(p->rig, "n", 1);
    next = pool_placed(p, p->node, 0);
    end_with_output(p, &next, 'r');
    pool_drain(p, "n", false);
    pool_drain(p, "n", true);
}

static void test_a_snapshot_is_all_facts(void **state)
{
    struct pool p = pool_new(1, NULL), q;

    (void)state;
    fill(&p);
    q = p;
    q.rig = copy_of(p.rig);
    rig_snapshot(p.rig);
    rig_restart(p.rig);
    rig_restart(q.rig);
    live_on(&p);
    live_on(&q);
    assert_same(p.rig, q.rig);
    for (uint64_t task = 1; task <= 10; task++) {
        rig_task(p.rig, p.client, task);
        rig_task(q.rig, q.client, task);
        assert_same(p.rig, q.rig);
    }
    pool_query(&p, TERN__QUERY_KIND__QUERY_NODES, 0, 0);
    pool_query(&q, TERN__QUERY_KIND__QUERY_NODES, 0, 0);
    assert_same(p.rig, q.rig);
    rig_pass(p.rig, p.rig->config.hold_ns);
    rig_pass(q.rig, q.rig->config.hold_ns);
    assert_same(p.rig, q.rig);
    pool_free(&p);
    pool_free(&q);
}

static void test_facts_that_cannot_be(void **state)
{
    static const Tern__Fact__WhatCase kinds[] = {
        TERN__FACT__WHAT_PLACED,       TERN__FACT__WHAT_GONE,       TERN__FACT__WHAT_BEGUN,
        TERN__FACT__WHAT_CHECKPOINTED, TERN__FACT__WHAT_ENDED,      TERN__FACT__WHAT_INPUTTED,
        TERN__FACT__WHAT_ACCEPTED,     TERN__FACT__WHAT_STARTED,    TERN__FACT__WHAT_NAMED,
        TERN__FACT__WHAT_ROOT_AT,      TERN__FACT__WHAT_SESSION,    TERN__FACT__WHAT_CANCELLING,
        TERN__FACT__WHAT_JOB_KNOWN,    TERN__FACT__WHAT_NODE_KNOWN, TERN__FACT__WHAT_DEPOT_KNOWN,
        TERN__FACT__WHAT_TASK_KNOWN,
    };
    struct agent *a = agent_new(&agent_default);

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) { /* all of them empty */
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(&tern__fact__descriptor, kinds[i]);
        const ProtobufCMessageDescriptor *type = field->descriptor;
        Tern__Fact f = TERN__FACT__INIT;
        ProtobufCMessage *body = calloc(1, type->sizeof_message);

        protobuf_c_message_init(type, body);
        f.what_case = kinds[i];
        f.placed = (Tern__Placed *)body; /* of a union of pointers */
        if (agent_apply(a, &f) != TERN_ECORRUPT)
            fail_msg("%s", field->name);
        free(body);
    }
    assert_int_equal(agent_apply(a, &(Tern__Fact)TERN__FACT__INIT), TERN_ECORRUPT);
    agent_check(a);
    agent_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_to_bring_data),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_leases),
        cmocka_unit_test(test_nobody_wants_it),
        cmocka_unit_test(test_letting_go_of_many),
        cmocka_unit_test(test_damage_is_repaired),
        cmocka_unit_test(test_a_depot_that_is_gone),
        cmocka_unit_test(test_more_input),
        cmocka_unit_test(test_input_is_said_again),
        cmocka_unit_test(test_output_is_awaited),
        cmocka_unit_test(test_a_promise_is_kept),
        cmocka_unit_test(test_a_promise_is_broken),
        cmocka_unit_test(test_a_snapshot_is_all_facts),
        cmocka_unit_test(test_facts_that_cannot_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
