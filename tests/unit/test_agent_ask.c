/* The agent's core: what clients may ask for, what they are refused, what they are told. */
#include "agent_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS INT64_C(1000000)

/* ---------------------------------------------------------------- sessions */

static void test_sessions(void **state)
{
    struct pool p = pool_new(1, NULL);
    uint32_t again;

    (void)state;
    again = rig_up(p.rig, TERN__PART__PART_CLIENT, "", "ann", 1); /* before the old one is gone */
    assert_true(rig_closed(p.rig, p.client));
    assert_int_equal(rig_got(p.rig, again, TERN__ENVELOPE__BODY_HELLO, 0)->hello->session, 1);
    rig_down(p.rig, p.client);
    p.client = again;
    rig_submit(p.rig, p.client, 1);
    again = rig_up(p.rig, TERN__PART__PART_CLIENT, "", "bob", 1);
    assert_true(pool_refused(rig_got(p.rig, again, TERN__ENVELOPE__BODY_REFUSED, 0), TERN_EACCES,
                             "another user"));
    assert_true(rig_closed(p.rig, again));
    rig_down(p.rig, p.client);
    rig_pass(p.rig, p.rig->config.session_ns);
    again = rig_up(p.rig, TERN__PART__PART_CLIENT, "", "ann", 1);
    assert_true(
        pool_refused(rig_got(p.rig, again, TERN__ENVELOPE__BODY_REFUSED, 0), TERN_ETIME, "lapsed"));
    rig_restart(p.rig); /* nor does a restart bring it back */
    again = rig_up(p.rig, TERN__PART__PART_CLIENT, "", "ann", 1);
    assert_non_null(rig_got(p.rig, again, TERN__ENVELOPE__BODY_REFUSED, 0));
    again = rig_up(p.rig, TERN__PART__PART_CLIENT, "", "ann", 0);
    assert_int_equal(rig_got(p.rig, again, TERN__ENVELOPE__BODY_HELLO, 0)->hello->session, 2);
    pool_free(&p);
}

static void test_too_many_sessions(void **state)
{
    struct agent_config config = agent_default;
    struct pool p;
    uint32_t more;

    (void)state;
    config.sessions_max = 1;
    p = pool_new(1, &config);
    more = rig_up(p.rig, TERN__PART__PART_CLIENT, "", "ann", 0);
    assert_true(pool_refused(rig_got(p.rig, more, TERN__ENVELOPE__BODY_REFUSED, 0), TERN_EBUSY,
                             "as many sessions"));
    pool_free(&p);
}

/* ---------------------------------------------------------------- submitting */

static void no_tasks(Tern__Submit *s, struct arena *arena)
{
    (void)arena;
    s->n_tasks = 0;
}

static void no_job(Tern__Submit *s, struct arena *arena)
{
    (void)arena;
    s->job = NULL;
}

static void no_program(Tern__Submit *s, struct arena *arena)
{
    (void)arena;
    s->job->work->program = NULL;
}

static void unknown_module(Tern__Submit *s, struct arena *arena)
{
    (void)arena;
    s->job->work->program->module->sha256.data[0]++;
}

static void more_of_nothing(Tern__Submit *s, struct arena *arena)
{
    (void)arena;
    s->more = true;
    s->job->n = 77;
}

static void too_many_copies(Tern__Submit *s, struct arena *arena)
{
    s->job->policy = arena_new(arena, 1, sizeof *s->job->policy);
    tern__policy__init(s->job->policy);
    s->job->policy->copies = LIMIT_COPIES + 1;
}

static Tern__Input *add_input(Tern__Submit *s, struct arena *arena)
{
    Tern__Input *in = arena_new(arena, 1, sizeof *in);

    tern__input__init(in);
    in->path = "x";
    s->tasks[0]->inputs = arena_new(arena, 1, sizeof in);
    s->tasks[0]->inputs[0] = in;
    s->tasks[0]->n_inputs = 1;
    return in;
}

static void empty_input(Tern__Submit *s, struct arena *arena)
{
    add_input(s, arena);
}

static void unknown_input(Tern__Submit *s, struct arena *arena)
{
    Tern__Input *in = add_input(s, arena);

    in->content = arena_new(arena, 1, sizeof *in->content);
    tern__content__init(in->content);
    in->content->blob = arena_new(arena, 1, sizeof *in->content->blob);
    tern__blob__init(in->content->blob);
    in->content->blob->sha256.data = arena_new(arena, 32, 1);
    in->content->blob->sha256.len = 32;
}

static void unknown_promise(Tern__Submit *s, struct arena *arena)
{
    Tern__Input *in = add_input(s, arena);

    in->promise = arena_new(arena, 1, sizeof *in->promise);
    tern__promise__init(in->promise);
    in->promise->task = 999;
}

static void nameless_output(Tern__Submit *s, struct arena *arena)
{
    s->tasks[0]->outputs = arena_new(arena, 1, sizeof *s->tasks[0]->outputs);
    s->tasks[0]->outputs[0] = arena_new(arena, 1, sizeof **s->tasks[0]->outputs);
    tern__output__init(s->tasks[0]->outputs[0]);
    s->tasks[0]->n_outputs = 1;
}

static void test_refused_jobs(void **state)
{
    static const struct {
        void (*spoil)(Tern__Submit *s, struct arena *arena);
        enum tern_err err;
        const char *words;
    } rows[] = {
        {no_tasks, TERN_ETOOBIG, "0 tasks at once"},
        {no_job, TERN_EUSAGE, "no job"},
        {no_program, TERN_EUSAGE, "names no program"},
        {unknown_module, TERN_ENOENT, "program program is in no depot"},
        {more_of_nothing, TERN_ENOENT, "no job 77"},
        {too_many_copies, TERN_EUSAGE, "at most 8"},
        {empty_input, TERN_EUSAGE, "the input x is neither"},
        {unknown_input, TERN_ENOENT, "the input x is in no depot"},
        {unknown_promise, TERN_ENOENT, "task 999"},
        {nameless_output, TERN_EUSAGE, "no name"},
    };
    struct pool p = pool_new(1, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena arena = {0};
        Tern__Envelope e, *answer;
        const size_t facts = p.rig->fact_count;

        rig_submit_message(&e, 'm', 1, &arena);
        rows[i].spoil(e.submit, &arena);
        answer = pool_ask(&p, &e);
        if (!pool_refused(answer, rows[i].err, rows[i].words))
            fail_msg("row %zu: %s", i,
                     answer->body_case == TERN__ENVELOPE__BODY_REFUSED ? answer->refused->text
                                                                       : "accepted");
        assert_int_equal(p.rig->fact_count, facts); /* nothing is left of it */
        arena_release(&arena);
    }
    pool_free(&p);
}

static void test_a_full_pool(void **state)
{
    struct agent_config config = agent_default;
    struct arena arena = {0};
    struct pool p;
    Tern__Envelope e;

    (void)state;
    config.tasks_max = 3;
    p = pool_new(0, &config);
    rig_submit(p.rig, p.client, 2);
    rig_submit_message(&e, 'm', 2, &arena);
    assert_true(pool_refused(pool_ask(&p, &e), TERN_EBUSY, "the pool is full: 2 tasks"));
    rig_submit(p.rig, p.client, 1);
    arena_release(&arena);
    pool_free(&p);
}

static void test_data_of_others(void **state)
{
    struct pool p = pool_new(1, NULL);
    const uint64_t task = rig_submit(p.rig, p.client, 1);
    struct arena arena = {0};
    Tern__Envelope e;

    (void)state;
    p.client = rig_client(p.rig, "bob");
    rig_submit_message(&e, 'm', 1, &arena); /* ann's program: its name opens nothing */
    assert_true(pool_refused(pool_ask(&p, &e), TERN_ENOENT, "in no depot"));
    assert_true(pool_refused(pool_cancel(&p, task, 0), TERN_ENOENT, "no task"));
    assert_true(pool_refused(pool_watch(&p, 0, 1, false), TERN_ENOENT, "no job"));
    assert_int_equal(pool_query(&p, TERN__QUERY_KIND__QUERY_TASKS, 0, 0)->rows->n_tasks, 0);
    arena_release(&arena);
    pool_free(&p);
}

/* ---------------------------------------------------------------- cancelling, forgetting */

static void test_cancel_a_task(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence fence = pool_running(&p);

    (void)state;
    assert_int_equal(pool_cancel(&p, fence.task, 0)->done->count, 1);
    assert_int_equal(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_STOP, 0)->fence->task,
                     fence.task);
    assert_int_equal(pool_state(&p, fence.task), TERN__TASK_STATE__TASK_CANCELLED);
    assert_int_equal(pool_cancel(&p, fence.task, 0)->done->count, 0);
    rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_EXIT, 0); /* too late */
    assert_int_equal(pool_state(&p, fence.task), TERN__TASK_STATE__TASK_CANCELLED);
    pool_free(&p);
}

static void test_cancel_a_job(void **state)
{
    struct pool p = pool_new(1, NULL);
    const uint64_t first = rig_submit(p.rig, p.client, 4096);
    struct arena arena = {0};
    Tern__Envelope e;

    (void)state;
    rig_submit_message(&e, 'm', 1, &arena);
    e.submit->more = true;
    e.submit->job->n = 1;
    assert_int_equal(pool_cancel(&p, 0, 1)->done->count, 4096);
    assert_int_equal(agent_count(p.rig->agent).cancelled, 4096);
    assert_int_equal(pool_state(&p, first), TERN__TASK_STATE__TASK_CANCELLED);
    assert_true(pool_refused(pool_ask(&p, &e), TERN_EBUSY, "has been cancelled"));
    rig_restart(p.rig);
    assert_int_equal(agent_count(p.rig->agent).cancelled, 4096);
    arena_release(&arena);
    pool_free(&p);
}

static Tern__Envelope *forget(struct pool *p, uint64_t task, uint64_t job)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Forget f = TERN__FORGET__INIT;
    Tern__Which which = TERN__WHICH__INIT;

    which.task = task;
    which.job = job;
    f.which = &which;
    e.body_case = TERN__ENVELOPE__BODY_FORGET;
    e.forget = &f;
    return pool_ask(p, &e);
}

static void test_forget(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence fence = pool_running(&p);

    (void)state;
    assert_true(pool_refused(forget(&p, fence.task, 0), TERN_EBUSY, "not ended"));
    assert_true(pool_refused(forget(&p, 0, 1), TERN_EBUSY, "not ended"));
    rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_EXIT, 0);
    assert_int_equal(forget(&p, 0, 1)->done->count, 1);
    assert_true(pool_refused(pool_cancel(&p, fence.task, 0), TERN_ENOENT, "no task"));
    assert_int_equal(agent_count(p.rig->agent).done, 0);
    pool_free(&p);
}

static void test_what_is_kept(void **state)
{
    struct agent_config config = agent_default;
    struct pool p;
    Tern__Fence fence;

    (void)state;
    config.ended_max = 3;
    p = pool_new(1, &config);
    for (int i = 0; i < 5; i++) {
        fence = pool_running(&p);
        rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_EXIT, 0);
    }
    assert_int_equal(agent_count(p.rig->agent).done, 3); /* the newest */
    assert_int_equal(pool_state(&p, fence.task), TERN__TASK_STATE__TASK_DONE);
    assert_true(pool_refused(forget(&p, fence.task - 3, 0), TERN_ENOENT, "no task"));
    rig_pass(p.rig, config.keep_ns);
    assert_int_equal(agent_count(p.rig->agent).done, 0);
    pool_free(&p);
}

/* ---------------------------------------------------------------- watching and asking */

static size_t seen_tasks(const struct pool *p, Tern__TaskState state)
{
    size_t count = 0;
    Tern__Envelope *e;

    for (size_t i = 0; (e = rig_got(p->rig, p->client, TERN__ENVELOPE__BODY_SEEN, i)); i++)
        for (size_t k = 0; k < e->seen->n_tasks; k++)
            count += e->seen->tasks[k]->state == state;
    return count;
}

static void test_watch_a_job(void **state)
{
    struct pool p = pool_new(1, NULL);
    const uint64_t first = rig_submit(p.rig, p.client, 4000);
    const Tern__Fence fence = pool_placed(&p, p.node, 0);

    (void)state;
    assert_int_equal(pool_watch(&p, 0, 1, false)->done->count, 4000);
    assert_int_equal(seen_tasks(&p, TERN__TASK_STATE__TASK_READY), 3999); /* each once */
    assert_int_equal(seen_tasks(&p, TERN__TASK_STATE__TASK_PLACED), 1);
    assert_int_equal(pool_watch(&p, 0, 1, true)->done->count, 4000); /* the newest counts */
    assert_int_equal(seen_tasks(&p, TERN__TASK_STATE__TASK_READY), 0);
    rig_begun(p.rig, p.node, &fence);
    assert_null(rig_got(p.rig, p.client, TERN__ENVELOPE__BODY_SEEN, 0));
    rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_EXIT, 0);
    assert_int_equal(seen_tasks(&p, TERN__TASK_STATE__TASK_DONE), 1);
    assert_int_equal(first, fence.task);
    rig_down(p.rig, p.client); /* and nobody is told any more */
    rig_pass(p.rig, 1);
    pool_free(&p);
}

static void test_rows_in_pages(void **state)
{
    struct pool p = pool_new(0, NULL);
    uint64_t after = 0;
    size_t rows = 0, pages = 0;
    bool more = true;

    (void)state;
    rig_submit(p.rig, p.client, 2500);
    while (more) {
        const Tern__Rows *r = pool_query(&p, TERN__QUERY_KIND__QUERY_TASKS, after, 1000)->rows;

        for (size_t i = 0; i < r->n_tasks; i++)
            assert_int_equal(r->tasks[i]->task, ++after);
        rows += r->n_tasks;
        more = r->more;
        after = r->next;
        pages++;
    }
    assert_int_equal(rows, 2500);
    assert_int_equal(pages, 3);
    assert_int_equal(pool_query(&p, TERN__QUERY_KIND__QUERY_POOL, 0, 0)->rows->pool->ready, 2500);
    assert_int_equal(pool_query(&p, TERN__QUERY_KIND__QUERY_DEPOTS, 0, 0)->rows->n_depots, 2);
    pool_free(&p);
}

/* The reason "what" of a task, or NULL. */
static const char *reason(struct pool *p, uint64_t task, const char *what)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Query q = TERN__QUERY__INIT;
    Tern__Which which = TERN__WHICH__INIT;
    const Tern__Rows *rows;

    which.task = task;
    q.kind = TERN__QUERY_KIND__QUERY_WHY;
    q.which = &which;
    e.body_case = TERN__ENVELOPE__BODY_QUERY;
    e.query = &q;
    rows = pool_ask(p, &e)->rows;
    for (size_t i = 0; i < rows->n_reasons; i++)
        if (strcmp(rows->reasons[i]->what, what) == 0)
            return rows->reasons[i]->text;
    return NULL;
}

static void assert_reason(struct pool *p, uint64_t task, const char *what, const char *words)
{
    const char *text = reason(p, task, what);

    if (!text || !strstr(text, words))
        fail_msg("%s: %s", what, text ? text : "no such reason");
}

static void test_why(void **state)
{
    struct pool p = pool_new(0, NULL);
    uint64_t task = rig_submit(p.rig, p.client, 1);
    Tern__Fence fence;

    (void)state;
    assert_reason(&p, task, "slots", "no node yet");
    p.node = rig_node(p.rig, "n", 1);
    assert_reason(&p, task, "slots", "about to begin");
    rig_down(p.rig, p.node);
    rig_pass(p.rig, 100 * MS);
    p.node = rig_node(p.rig, "n", 1);
    fence = pool_placed(&p, p.node, 0);
    rig_begun(p.rig, p.node, &fence);
    assert_reason(&p, task, "rank", "runs on node n");
    task = rig_submit(p.rig, p.client, 1);
    assert_reason(&p, task, "slots", "all slots of 1 nodes");
    task = pool_submit(&p, 1, 0, "gpu", NULL);
    assert_reason(&p, task, "labels", "all of these labels: gpu");
    task = pool_submit(&p, 1, 0, NULL, "elsewhere");
    assert_reason(&p, task, "node", "for node elsewhere only");
    task = pool_submit(&p, 1, 0, NULL, "n");
    assert_reason(&p, task, "node", "no free slot");
    pool_drain(&p, "n", false);
    assert_reason(&p, task, "drained", "drained");
    pool_free(&p);
}

static void test_priority_and_requirements(void **state)
{
    struct pool p = pool_new(1, NULL);
    const Tern__Fence fence = pool_running(&p);
    const uint64_t low = pool_submit(&p, 1, -1, NULL, NULL);
    const uint64_t plain = pool_submit(&p, 1, 0, NULL, NULL);
    const uint64_t gpu = pool_submit(&p, 1, 9, "gpu", NULL);
    const uint64_t pinned = pool_submit(&p, 1, 5, NULL, "n");
    Tern__Fence next;

    (void)state;
    /* They begin to take long here, so that nothing is given ahead. */
    rig_pass(p.rig, 400 * MS);
    pool_beat(&p, p.node);
    rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_BROKEN, 0);
    next = pool_placed(&p, p.node, 0);
    assert_int_equal(next.task, pinned);
    rig_end(p.rig, p.node, &next, TERN__END_KIND__END_TRAP, 0);
    next = pool_placed(&p, p.node, 0);
    assert_int_equal(next.task, fence.task); /* the oldest of those that are equal */
    rig_end(p.rig, p.node, &next, TERN__END_KIND__END_TRAP, 0);
    next = pool_placed(&p, p.node, 0);
    assert_int_equal(next.task, plain);
    rig_end(p.rig, p.node, &next, TERN__END_KIND__END_TRAP, 0);
    assert_int_equal(pool_placed(&p, p.node, 0).task, low);
    assert_int_equal(pool_state(&p, gpu), TERN__TASK_STATE__TASK_READY);
    pool_free(&p);
}

/* ---------------------------------------------------------------- what a job may use */

#define WALL_NS INT64_C(1700000000000000000)

/* Submits with what `ask` sets; the answer. */
static Tern__Envelope *submit_with(struct pool *p, const Tern__Job *ask, size_t tasks)
{
    struct arena arena = {0};
    Tern__Envelope e, *answer;

    rig_submit_message(&e, 'm', tasks, &arena);
    e.submit->job->submitted_ns = ask->submitted_ns;
    e.submit->job->deadline_ns = ask->deadline_ns;
    e.submit->job->budget = ask->budget;
    e.submit->job->policy = ask->policy;
    answer = pool_ask(p, &e);
    arena_release(&arena);
    return answer;
}

static void test_a_deadline(void **state)
{
    const int64_t second_ns = 1000000000;
    struct pool p = pool_new(1, NULL);
    Tern__Job ask = TERN__JOB__INIT;
    const Tern__TaskSeen *now;
    Tern__Fence fence;
    uint64_t first;

    (void)state;
    ask.submitted_ns = WALL_NS;
    ask.deadline_ns = WALL_NS + 4 * second_ns;
    first = submit_with(&p, &ask, 3)->submitted->first;
    fence = pool_placed(&p, p.node, 0);
    rig_begun(p.rig, p.node, &fence);
    rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_EXIT, 0);
    fence = pool_placed(&p, p.node, 0);
    rig_begun(p.rig, p.node, &fence);
    rig_restart(p.rig); /* nothing of it is forgotten */
    p.client = rig_client(p.rig, "ann");
    p.node = pool_node_back(&p, "n", &fence, 1);
    rig_pass(p.rig, second_ns);
    pool_beat(&p, p.node);
    rig_pass(p.rig, second_ns);
    pool_beat(&p, p.node);
    rig_pass(p.rig, second_ns);
    pool_beat(&p, p.node);
    assert_int_equal(pool_state(&p, first + 1), TERN__TASK_STATE__TASK_RUNNING);
    rig_pass(p.rig, second_ns);
    assert_int_equal(rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_STOP, 0)->fence->task,
                     fence.task);
    assert_int_equal(pool_state(&p, first), TERN__TASK_STATE__TASK_DONE);
    for (uint64_t n = first + 1; n < first + 3; n++) {
        now = rig_task(p.rig, p.client, n)->now;
        assert_int_equal(now->state, TERN__TASK_STATE__TASK_FAILED);
        assert_non_null(strstr(now->end->text, "its deadline"));
    }
    ask.deadline_ns = WALL_NS;
    assert_true(pool_refused(submit_with(&p, &ask, 1), TERN_EUSAGE, "had passed"));
    ask.submitted_ns = 0;
    assert_true(pool_refused(submit_with(&p, &ask, 1), TERN_EUSAGE, "does not say"));
    pool_free(&p);
}

static void test_a_budget_of_time(void **state)
{
    struct pool p = pool_new(1, NULL);
    Tern__Job ask = TERN__JOB__INIT;
    Tern__Budget budget = TERN__BUDGET__INIT;
    const Tern__Order *o;
    Tern__Fence fence;
    uint64_t task;

    (void)state;
    budget.cpu_ns = 5000000000;
    ask.budget = &budget;
    task = submit_with(&p, &ask, 1)->submitted->first;
    o = rig_order(p.rig, p.node, TERN__ORDER_KIND__ORDER_PLACE, 0);
    assert_int_equal(o->placing->job->work->program->limits->cpu_ns, budget.cpu_ns);
    fence = *o->fence;
    rig_begun(p.rig, p.node, &fence);
    rig_end(p.rig, p.node, &fence, TERN__END_KIND__END_LIMIT, 1);
    assert_int_equal(pool_state(&p, task), TERN__TASK_STATE__TASK_FAILED);
    assert_string_equal(rig_task(p.rig, p.client, task)->now->end->text,
                        "its budget of 5000 ms of processor time is used up");
    pool_free(&p);
}

static void test_what_is_not_done(void **state)
{
    struct pool p = pool_new(0, NULL);
    Tern__Job ask = TERN__JOB__INIT;
    Tern__Policy policy = TERN__POLICY__INIT;

    (void)state;
    policy.speculative = true;
    ask.policy = &policy;
    assert_true(pool_refused(submit_with(&p, &ask, 1), TERN_EUSAGE, "speculative"));
    pool_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_deadline),
        cmocka_unit_test(test_a_budget_of_time),
        cmocka_unit_test(test_what_is_not_done),
        cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_too_many_sessions),
        cmocka_unit_test(test_refused_jobs),
        cmocka_unit_test(test_a_full_pool),
        cmocka_unit_test(test_data_of_others),
        cmocka_unit_test(test_cancel_a_task),
        cmocka_unit_test(test_cancel_a_job),
        cmocka_unit_test(test_forget),
        cmocka_unit_test(test_what_is_kept),
        cmocka_unit_test(test_watch_a_job),
        cmocka_unit_test(test_rows_in_pages),
        cmocka_unit_test(test_why),
        cmocka_unit_test(test_priority_and_requirements),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
