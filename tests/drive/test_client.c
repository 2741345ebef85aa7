/*
 * The client over a scripted world, with an agent that the test plays: sessions over broken
 * connections, repeating, acknowledging, watches.
 */
#include "script_world.h"

#include "drive/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ASKED_MAX = 512 };

struct asked { /* a request, as the agent saw it */
    uint64_t number, acknowledged;
    int body;
    uint64_t from_index;
    bool stop;
};

struct stage {
    struct script script;
    struct script_part *agent_part, *client_part;
    struct links *agent;
    struct client *client;
    /* The agent. */
    link_id at; /* the client's link there */
    unsigned hellos;
    uint64_t last_session, give_session;
    struct asked asked[ASKED_MAX];
    size_t asked_count;
    bool silent; /* answers nothing */
    bool later;  /* says the session in a message, not in its first Hello */
    bool lapsed; /* refuses sessions that it gave */
    /* The client's owner. */
    unsigned ups, downs, done, failed, seen, refused;
    uint64_t sum; /* of counts, in order */
    enum tern_err err;
    char why[512];
    uint64_t seen_task;
};

static void agent_answer(struct stage *s, uint64_t number)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Done done = TERN__DONE__INIT;

    e.answers = number;
    e.body_case = TERN__ENVELOPE__BODY_DONE;
    e.done = &done;
    done.count = number;
    assert_int_equal(links_send(s->agent, s->at, &e, (struct view){0}), TERN_OK);
}

static void agent_refuse(struct stage *s, uint64_t number, enum tern_err err, const char *why)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Refused refused = TERN__REFUSED__INIT;

    e.answers = number;
    e.body_case = TERN__ENVELOPE__BODY_REFUSED;
    e.refused = &refused;
    refused.error = err;
    refused.text = (char *)why;
    assert_int_equal(links_send(s->agent, s->at, &e, (struct view){0}), TERN_OK);
}

static void agent_tell(struct stage *s, uint64_t task, uint64_t job)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Seen seen = TERN__SEEN__INIT;
    Tern__TaskSeen one = TERN__TASK_SEEN__INIT;
    Tern__TaskSeen *list[] = {&one};

    one.task = task;
    one.job = job;
    one.state = TERN__TASK_STATE__TASK_RUNNING;
    seen.n_tasks = 1;
    seen.tasks = list;
    e.body_case = TERN__ENVELOPE__BODY_SEEN;
    e.seen = &seen;
    assert_int_equal(links_send(s->agent, s->at, &e, (struct view){0}), TERN_OK);
}

static void agent_say_session(struct stage *s)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Hello hello = TERN__HELLO__INIT;

    hello.session = s->give_session;
    e.body_case = TERN__ENVELOPE__BODY_HELLO;
    e.hello = &hello;
    assert_int_equal(links_send(s->agent, s->at, &e, (struct view){0}), TERN_OK);
}

static void agent_up(void *context, link_id link, const Tern__Hello *hello, const char *owner)
{
    struct stage *s = context;

    (void)owner;
    s->hellos++;
    s->last_session = hello->session;
    s->at = link;
    if (s->lapsed && hello->session) {
        agent_refuse(s, 0, TERN_ETIME, "this session has lapsed");
        links_close(s->agent, link);
    } else if (s->later) {
        agent_say_session(s);
    }
}

static void agent_hello(void *context, link_id link, Tern__Hello *ours)
{
    struct stage *s = context;

    (void)link;
    ours->session = s->later ? 0 : s->give_session;
}

static void agent_message(void *context, link_id link, const Tern__Envelope *e, struct view bytes)
{
    struct stage *s = context;
    struct asked *a = &s->asked[s->asked_count];

    (void)link;
    (void)bytes;
    if (e->body_case == TERN__ENVELOPE__BODY_BEAT)
        return;
    assert_true(++s->asked_count < ASKED_MAX);
    *a = (struct asked){
        .number = e->number, .acknowledged = e->acknowledged, .body = (int)e->body_case};
    if (e->body_case == TERN__ENVELOPE__BODY_WATCH) {
        a->from_index = e->watch->from_index;
        a->stop = e->watch->stop;
    }
    if (!s->silent)
        agent_answer(s, e->number);
}

static void agent_down(void *context, link_id link, enum tern_err err, const char *why)
{
    struct stage *s = context;

    (void)err;
    (void)why;
    if (s->at == link)
        s->at = 0;
}

static void on_up(void *context, const Tern__Hello *agent)
{
    (void)agent;
    ((struct stage *)context)->ups++;
}

static void on_down(void *context, enum tern_err err, const char *why)
{
    (void)err;
    (void)why;
    ((struct stage *)context)->downs++;
}

static void on_answer(void *context, const Tern__Envelope *answer, enum tern_err err,
                      const char *why)
{
    struct stage *s = context;

    if (answer) {
        assert_int_equal(answer->body_case, TERN__ENVELOPE__BODY_DONE);
        s->done++;
        s->sum = 31 * s->sum + answer->done->count;
    } else {
        s->failed++;
        s->err = err;
        snprintf(s->why, sizeof s->why, "%s", why);
    }
}

static const char *const agent_at[] = {"unix:agent"};

static void begin(struct stage *s)
{
    struct links_config agent = {.part = TERN__PART__PART_AGENT,
                                 .name = "",
                                 .welcome = 1u << TERN__PART__PART_CLIENT,
                                 .context = s,
                                 .up = agent_up,
                                 .message = agent_message,
                                 .down = agent_down,
                                 .hello = agent_hello};
    struct client_config client = {
        .endpoints = agent_at, .endpoint_count = 1, .context = s, .up = on_up, .down = on_down};

    *s = (struct stage){.give_session = 77};
    script_init(&s->script);
    s->agent_part = script_add(&s->script, "unix:agent");
    s->client_part = script_add(&s->script, NULL);
    agent.world = &s->agent_part->world;
    client.world = &s->client_part->world;
    s->agent = links_new(&agent);
    s->client = client_new(&client);
    assert_true(s->agent && s->client);
    s->agent_part->handlers = s->client_part->handlers = links_handlers;
    s->agent_part->handlers.context = s->agent;
    s->client_part->handlers.context = client_links(s->client);
    client_start(s->client);
}

static void end(struct stage *s)
{
    client_free(s->client);
    links_free(s->agent);
    script_release(&s->script);
}

static void run(struct stage *s)
{
    script_run(&s->script);
}

/* The connection breaks, and the next one comes up. */
static void break_connection(struct stage *s)
{
    const unsigned ups = s->ups;

    script_cut(&s->script, s->at);
    script_until(&s->script, s->script.now_ns + INT64_C(5000000000));
    assert_int_equal(s->ups, ups + 1);
}

static uint64_t cancel(struct stage *s)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Cancel c = TERN__CANCEL__INIT;

    e.body_case = TERN__ENVELOPE__BODY_CANCEL;
    e.cancel = &c;
    return client_ask(s->client, &e, on_answer, s);
}

static uint64_t query(struct stage *s)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Query q = TERN__QUERY__INIT;

    e.body_case = TERN__ENVELOPE__BODY_QUERY;
    e.query = &q;
    return client_ask(s->client, &e, on_answer, s);
}

static void test_requests_are_answered_in_order(void **state)
{
    struct stage s;

    (void)state;
    begin(&s);
    assert_true(cancel(&s) && cancel(&s) && cancel(&s)); /* before there is a connection */
    assert_int_equal(client_waiting(s.client), 3);
    run(&s);
    assert_int_equal(s.last_session, 0);
    assert_int_equal(s.done, 3);
    assert_int_equal(s.sum, (1 * 31 + 2) * 31 + 3);
    assert_int_equal(client_waiting(s.client), 0);
    cancel(&s);
    run(&s);
    assert_int_equal(s.asked[3].number, 4);
    assert_int_equal(s.asked[3].acknowledged, 3);
    end(&s);
}

static void test_unanswered_requests_are_repeated_as_they_were(void **state)
{
    struct stage s;

    (void)state;
    begin(&s);
    run(&s);
    s.silent = true;
    for (int i = 0; i < 5; i++)
        cancel(&s);
    run(&s);
    assert_int_equal(s.asked_count, 5);
    agent_answer(&s, 2); /* not the first */
    run(&s);
    assert_int_equal(s.done, 1);
    break_connection(&s);
    assert_int_equal(s.last_session, 77);
    assert_int_equal(s.asked_count, 9);
    for (size_t i = 5; i < 9; i++) {
        static const uint64_t again[] = {1, 3, 4, 5};

        assert_int_equal(s.asked[i].number, again[i - 5]);
        assert_int_equal(s.asked[i].acknowledged, 0); /* 1 is not answered yet */
    }
    for (uint64_t n = 5; n; n--)
        agent_answer(&s, n); /* 2 for the second time: no harm */
    run(&s);
    assert_int_equal(s.done, 5);
    assert_int_equal(s.downs, 1);
    cancel(&s);
    run(&s);
    assert_int_equal(s.asked[9].acknowledged, 5);
    end(&s);
}

static void test_no_more_than_so_many_are_outstanding(void **state)
{
    struct stage s;

    (void)state;
    begin(&s);
    s.silent = true;
    for (int i = 0; i < 2 * CLIENT_OUTSTANDING; i++)
        cancel(&s);
    run(&s);
    assert_int_equal(s.asked_count, CLIENT_OUTSTANDING);
    for (uint64_t n = 1; n <= 10; n++)
        agent_answer(&s, n);
    run(&s);
    assert_int_equal(s.asked_count, CLIENT_OUTSTANDING + 10);
    assert_int_equal(client_waiting(s.client), 2 * CLIENT_OUTSTANDING - 10);
    end(&s);
}

static void test_refusals_come_with_their_words(void **state)
{
    struct stage s;

    (void)state;
    begin(&s);
    s.silent = true;
    cancel(&s);
    run(&s);
    agent_refuse(&s, 1, TERN_ENOENT, "there is no task t9");
    run(&s);
    assert_int_equal(s.failed, 1);
    assert_int_equal(s.err, TERN_ENOENT);
    assert_string_equal(s.why, "there is no task t9");
    end(&s);
}

static void test_a_forgotten_session_is_told_and_questions_are_asked_anew(void **state)
{
    struct stage s;

    (void)state;
    begin(&s);
    s.silent = true;
    cancel(&s);
    query(&s);
    run(&s);
    assert_int_equal(s.asked_count, 2);
    s.give_session = 99;
    break_connection(&s);
    assert_int_equal(s.failed, 1); /* what may or may not have been done */
    assert_int_equal(s.err, TERN_EEXPIRED);
    assert_int_equal(s.asked_count, 3);
    assert_int_equal(s.asked[2].body, TERN__ENVELOPE__BODY_QUERY);
    assert_int_equal(s.asked[2].number, 1); /* of the new session */
    agent_answer(&s, 1);
    run(&s);
    assert_int_equal(s.done, 1);
    end(&s);
}

static void test_a_session_may_come_behind_the_hello(void **state)
{
    struct stage s;

    (void)state;
    begin(&s);
    s.later = true;
    cancel(&s);
    run(&s);
    assert_int_equal(s.ups, 1);
    assert_int_equal(s.done, 1);
    break_connection(&s);
    assert_int_equal(s.last_session, 77);
    end(&s);
}

static void test_a_lapsed_session_is_replaced(void **state)
{
    struct stage s;

    (void)state;
    begin(&s);
    s.later = true;
    s.silent = true;
    run(&s);
    cancel(&s);
    query(&s);
    run(&s);
    s.lapsed = true;
    s.give_session = 78;
    break_connection(&s);
    assert_int_equal(s.hellos, 3); /* refused, then as a new one */
    assert_int_equal(s.last_session, 0);
    assert_int_equal(s.failed, 1);
    assert_int_equal(s.err, TERN_EEXPIRED);
    assert_int_equal(s.asked[2].body, TERN__ENVELOPE__BODY_QUERY);
    assert_int_equal(s.asked[2].number, 1);
    end(&s);
}

static void test_nobody_hears_of_what_is_not_wanted_any_more(void **state)
{
    struct stage s;
    uint64_t ask;

    (void)state;
    begin(&s);
    s.silent = true;
    ask = cancel(&s);
    run(&s);
    client_unask(s.client, ask);
    agent_answer(&s, 1);
    run(&s);
    assert_int_equal(s.done + s.failed, 0);
    assert_int_equal(client_waiting(s.client), 0);
    cancel(&s);
    client_give_up(s.client, TERN_EUNREACHABLE, "no patience");
    assert_int_equal(s.failed, 1);
    assert_int_equal(s.err, TERN_EUNREACHABLE);
    end(&s);
}

/* ---- watches ---- */

static void on_seen(void *context, const Tern__TaskSeen *task)
{
    struct stage *s = context;

    s->seen++;
    s->seen_task = task->task;
}

static void on_refused(void *context, enum tern_err err, const char *why)
{
    struct stage *s = context;

    s->refused++;
    s->err = err;
    snprintf(s->why, sizeof s->why, "%s", why);
}

static struct client_watch *watch(struct stage *s, uint64_t task, uint64_t job)
{
    struct client_watch_order order = {
        .which = TERN__WHICH__INIT, .context = s, .seen = on_seen, .refused = on_refused};

    order.which.task = task;
    order.which.job = job;
    return client_watch(s->client, &order);
}

static void test_watches_outlive_connections(void **state)
{
    struct client_watch *job;
    struct stage s;

    (void)state;
    begin(&s);
    job = watch(&s, 0, 7);
    run(&s);
    assert_int_equal(s.asked_count, 1);
    agent_tell(&s, 12, 7);
    agent_tell(&s, 13, 8); /* of another job */
    run(&s);
    assert_int_equal(s.seen, 1);
    assert_int_equal(s.seen_task, 12);
    client_watch_from(job, 5);
    break_connection(&s);
    assert_int_equal(s.asked_count, 2);
    assert_int_equal(s.asked[1].body, TERN__ENVELOPE__BODY_WATCH);
    assert_int_equal(s.asked[1].from_index, 5);
    agent_tell(&s, 14, 7);
    run(&s);
    assert_int_equal(s.seen_task, 14);
    client_unwatch(job);
    run(&s);
    assert_true(s.asked[2].stop);
    agent_tell(&s, 15, 7);
    run(&s);
    assert_int_equal(s.seen_task, 14);
    end(&s);
}

static void test_a_watch_that_is_refused_says_so_once(void **state)
{
    struct client_watch *w;
    struct stage s;

    (void)state;
    begin(&s);
    s.silent = true;
    w = watch(&s, 9, 0);
    run(&s);
    agent_refuse(&s, 1, TERN_ENOENT, "there is no task t9");
    run(&s);
    assert_int_equal(s.refused, 1);
    assert_string_equal(s.why, "there is no task t9");
    client_unwatch(w);
    end(&s);
}

static void ring(void *context)
{
    ((struct stage *)context)->sum++;
}

static void test_alarms(void **state)
{
    struct stage s;
    int64_t now_ns;

    (void)state;
    begin(&s);
    run(&s);
    now_ns = s.script.now_ns;
    client_alarm(s.client, now_ns + 1000, ring, &s);
    client_alarm(s.client, now_ns + 2000, ring, &s); /* instead of the other */
    script_until(&s.script, now_ns + 1500);
    assert_int_equal(s.sum, 0);
    script_until(&s.script, now_ns + 2500);
    assert_int_equal(s.sum, 1);
    client_alarm(s.client, now_ns + 3000, ring, &s);
    client_alarm(s.client, INT64_MAX, ring, &s);
    script_until(&s.script, now_ns + 5000);
    assert_int_equal(s.sum, 1);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_are_answered_in_order),
        cmocka_unit_test(test_unanswered_requests_are_repeated_as_they_were),
        cmocka_unit_test(test_no_more_than_so_many_are_outstanding),
        cmocka_unit_test(test_refusals_come_with_their_words),
        cmocka_unit_test(test_a_forgotten_session_is_told_and_questions_are_asked_anew),
        cmocka_unit_test(test_a_session_may_come_behind_the_hello),
        cmocka_unit_test(test_a_lapsed_session_is_replaced),
        cmocka_unit_test(test_nobody_hears_of_what_is_not_wanted_any_more),
        cmocka_unit_test(test_watches_outlive_connections),
        cmocka_unit_test(test_a_watch_that_is_refused_says_so_once),
        cmocka_unit_test(test_alarms),
    };

    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
