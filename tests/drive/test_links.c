/*
 * Links over a scripted world: who comes up and who is refused, what breaks a connection, silence,
 * dialling again, pressure.
 */
#include "script_world.h"

#include "drive/links.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MS INT64_C(1000000)

struct side {
    struct script_part *part;
    struct links *links;
    unsigned ups, downs, fails, messages, beats, drains, wakes;
    link_id last;
    char owner[64], why[512], text[64];
    enum tern_err err;
    uint64_t sum; /* of the numbers of messages, in order */
    size_t attached;
    int64_t lease_sent_ns;
    bool close_on_message, hold_on_message;
};

struct pair {
    struct script script;
    struct side agent, node;
};

static void on_up(void *context, link_id link, const Tern__Hello *hello, const char *owner)
{
    struct side *s = context;

    s->ups++;
    s->last = link;
    snprintf(s->owner, sizeof s->owner, "%s", owner);
    snprintf(s->text, sizeof s->text, "%s", hello->name);
}

static void on_message(void *context, link_id link, const Tern__Envelope *e, struct view attached)
{
    struct side *s = context;

    if (e->body_case == TERN__ENVELOPE__BODY_BEAT) {
        s->beats++;
        return;
    }
    s->messages++;
    s->sum = 31 * s->sum + e->number;
    s->attached += attached.size;
    if (s->close_on_message)
        links_close(s->links, link);
    if (s->hold_on_message)
        links_hold(s->links, link, true);
}

static void on_down(void *context, link_id link, enum tern_err err, const char *why)
{
    struct side *s = context;

    s->downs++;
    s->last = link;
    s->err = err;
    snprintf(s->why, sizeof s->why, "%s", why);
}

static void on_failed(void *context, link_id link, enum tern_err err, const char *why)
{
    struct side *s = context;

    (void)link;
    s->fails++;
    s->err = err;
    snprintf(s->why, sizeof s->why, "%s", why);
}

static void on_drained(void *context, link_id link)
{
    (void)link;
    ((struct side *)context)->drains++;
}

static void on_beat(void *context, link_id link, Tern__Beat *beat, int64_t sent_ns)
{
    struct side *s = context;

    (void)link;
    if (sent_ns == LINKS_NOT_SENT)
        beat->lease_ns = 7;
    else if (beat->answer && beat->lease_ns == 7)
        s->lease_sent_ns = sent_ns;
}

static void on_woke(void *context)
{
    ((struct side *)context)->wakes++;
}

static struct links_config config_of(struct side *s, Tern__Part part, const char *name)
{
    return (struct links_config){.world = &s->part->world,
                                 .part = part,
                                 .name = name,
                                 .beat_ns = 500 * MS,
                                 .welcome =
                                     1u << TERN__PART__PART_NODE | 1u << TERN__PART__PART_CLIENT,
                                 .context = s,
                                 .up = on_up,
                                 .message = on_message,
                                 .down = on_down,
                                 .drained = on_drained,
                                 .beat = on_beat,
                                 .failed = on_failed};
}

static void begin(struct side *s, const struct links_config *config)
{
    s->links = links_new(config);
    assert_non_null(s->links);
    s->part->handlers = links_handlers;
    s->part->handlers.context = s->links;
}

/* Worlds only: each test begins the links with configs of its own. */
static void worlds(struct pair *p)
{
    *p = (struct pair){0};
    script_init(&p->script);
    p->agent.part = script_add(&p->script, "unix:agent");
    p->node.part = script_add(&p->script, NULL);
}

static void pair_begin(struct pair *p)
{
    struct links_config agent, node;

    worlds(p);
    agent = config_of(&p->agent, TERN__PART__PART_AGENT, "");
    node = config_of(&p->node, TERN__PART__PART_NODE, "n1");
    begin(&p->agent, &agent);
    begin(&p->node, &node);
}

static void pair_end(struct pair *p)
{
    links_free(p->agent.links);
    links_free(p->node.links);
    script_release(&p->script);
}

static const char *const agent_at[] = {"unix:agent"};

static void join(struct pair *p)
{
    links_keep(p->node.links, agent_at, 1);
    script_run(&p->script);
    assert_int_equal(p->agent.ups, 1);
    assert_int_equal(p->node.ups, 1);
}

static void send_number(struct side *s, link_id link, uint64_t number)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Done done = TERN__DONE__INIT;

    e.number = number;
    e.body_case = TERN__ENVELOPE__BODY_DONE;
    e.done = &done;
    assert_int_equal(links_send(s->links, link, &e, view_of_string("abc")), TERN_OK);
}

static void test_hello_and_messages_in_any_pieces(void **state)
{
    (void)state;
    for (size_t piece = 0; piece < 40; piece++) {
        struct pair p;

        pair_begin(&p);
        p.script.piece = piece;
        join(&p);
        assert_string_equal(p.agent.text, "n1");
        assert_string_equal(p.agent.owner, "ada");
        for (uint64_t i = 1; i <= 5; i++) {
            send_number(&p.node, p.node.last, i);
            send_number(&p.agent, p.agent.last, i);
        }
        script_run(&p.script);
        assert_int_equal(p.agent.messages, 5);
        assert_int_equal(p.node.messages, 5);
        assert_int_equal(p.agent.attached, 15);
        assert_int_equal(p.agent.sum, ((((1 * 31 + 2) * 31 + 3) * 31 + 4) * 31) + 5);
        assert_int_equal(p.agent.sum, p.node.sum);
        pair_end(&p);
    }
}

static void test_frame_made_before_is_given_its_number(void **state)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    struct bytes frame = {0};
    struct pair p;

    (void)state;
    pair_begin(&p);
    join(&p);
    e.number = 9;
    assert_int_equal(message_encode(&e, view_of_string("xy"), 0, &frame), TERN_OK);
    links_send_frame(p.node.links, p.node.last, &frame);
    links_send_frame(p.node.links, p.node.last, &frame);
    script_run(&p.script);
    assert_int_equal(p.agent.messages, 2);
    assert_int_equal(p.agent.attached, 4);
    bytes_release(&frame);
    pair_end(&p);
}

/* What a stranger's first bytes may be, and what becomes of him. */
static void refused_hello(struct pair *p, const Tern__Hello *hello, const char *part_of_why)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    struct bytes frame = {0};
    link_id at = script_stranger(&p->script, p->agent.part);
    unsigned fails = p->agent.fails;

    e.body_case = TERN__ENVELOPE__BODY_HELLO;
    e.hello = (Tern__Hello *)hello;
    assert_int_equal(message_encode(&e, (struct view){0}, 1, &frame), TERN_OK);
    script_inject(&p->script, at, bytes_view(&frame));
    script_run(&p->script);
    assert_int_equal(p->agent.ups, 0);
    assert_int_equal(p->agent.fails, fails + 1);
    if (!strstr(p->agent.why, part_of_why))
        fail_msg("'%s' should contain '%s'", p->agent.why, part_of_why);
    bytes_release(&frame);
}

static Tern__Hello good_hello(void)
{
    Tern__Hello hello = TERN__HELLO__INIT;

    hello.version_least = LINKS_VERSION_LEAST;
    hello.version_most = LINKS_VERSION_MOST;
    hello.part = TERN__PART__PART_NODE;
    hello.name = (char *)"n1";
    return hello;
}

static void test_hellos_that_are_refused(void **state)
{
    Tern__Hello hello = good_hello();
    struct pair p;

    (void)state;
    pair_begin(&p);
    hello.version_least = hello.version_most = LINKS_VERSION_MOST + 1;
    refused_hello(&p, &hello, "same release");
    hello = good_hello();
    hello.part = TERN__PART__PART_DEPOT;
    refused_hello(&p, &hello, "takes no connections from a depot");
    hello = good_hello();
    hello.name = (char *)"no good";
    refused_hello(&p, &hello, "the name of a node");
    hello.name = (char *)"";
    refused_hello(&p, &hello, "the name of a node");
    hello = good_hello();
    p.script.peer.stranger = true;
    refused_hello(&p, &hello, "may only be a client");
    p.script.peer.stranger = false;
    p.script.peer.local = false;
    refused_hello(&p, &hello, "a token is needed");
    pair_end(&p);
}

static void with_tokens(struct pair *p, const uint8_t *agents, const uint8_t *nodes)
{
    struct links_config agent, node;

    worlds(p);
    p->script.peer.local = false;
    agent = config_of(&p->agent, TERN__PART__PART_AGENT, "");
    node = config_of(&p->node, TERN__PART__PART_NODE, "n1");
    agent.token = agents;
    node.token = nodes;
    begin(&p->agent, &agent);
    begin(&p->node, &node);
    p->script.peer.authentic = true;
}

static void test_tokens(void **state)
{
    static const uint8_t right[LINKS_TOKEN_BYTES] = {1, 2, 3}, wrong[LINKS_TOKEN_BYTES] = {1, 2, 4};
    struct pair p;

    (void)state;
    with_tokens(&p, right, right);
    join(&p);
    assert_string_equal(p.agent.owner, "pool");
    pair_end(&p);

    with_tokens(&p, right, wrong);
    links_keep(p.node.links, agent_at, 1);
    script_run(&p.script);
    assert_int_equal(p.agent.ups + p.node.ups, 0);
    assert_int_equal(p.node.err, TERN_EACCES);
    assert_non_null(strstr(p.node.why, "not that of this pool"));
    pair_end(&p);

    with_tokens(&p, right, right); /* one who may be anybody is not shown the token */
    p.script.peer.authentic = false;
    links_keep(p.node.links, agent_at, 1);
    script_run(&p.script);
    assert_int_equal(p.agent.ups + p.node.ups, 0);
    assert_int_equal(p.node.err, TERN_EUNSAFE);
    pair_end(&p);
}

static void test_bytes_that_are_no_frames(void **state)
{
    static const char *const junk[] = {
        "GET / HTTP/1.1\r\n\r\n", "\xff\xff\xff\xff\xff\xff\xff\xff\1\0\0\0",
        "\5\0\0\0\5\0\0\0\1\0\0\0\1\2\3\4\5", "\0\0\0\0\0\0\0\0\2\0\0\0"};
    static const size_t size[] = {18, 12, 17, 12};
    struct pair p;

    (void)state;
    pair_begin(&p);
    for (size_t i = 0; i < 4; i++) {
        const link_id at = script_stranger(&p.script, p.agent.part);

        script_inject(&p.script, at, view_of(junk[i], size[i]));
        script_run(&p.script);
        assert_int_equal(p.agent.fails, i + 1);
    }
    assert_int_equal(p.agent.ups, 0);
    pair_end(&p);
}

static void test_gap_ends_the_connection(void **state)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    struct bytes frame = {0};
    struct pair p;

    (void)state;
    pair_begin(&p);
    join(&p);
    assert_int_equal(message_encode(&e, (struct view){0}, 4, &frame), TERN_OK);
    script_inject(&p.script, p.agent.last, bytes_view(&frame));
    script_run(&p.script);
    assert_int_equal(p.agent.downs, 1);
    assert_int_equal(p.agent.err, TERN_EPROTO);
    assert_non_null(strstr(p.agent.why, "lost"));
    assert_int_equal(p.agent.messages, 0);
    assert_int_equal(p.node.downs, 1);
    bytes_release(&frame);
    pair_end(&p);
}

static void test_beats_renew_and_silence_ends(void **state)
{
    struct pair p;

    (void)state;
    pair_begin(&p);
    join(&p);
    script_until(&p.script, p.script.now_ns + 2000 * MS);
    assert_true(p.agent.beats >= 4 && p.agent.beats <= 6);
    assert_true(p.node.lease_sent_ns > 0);
    assert_int_equal(p.node.downs + p.agent.downs, 0);
    p.script.deaf = true;
    script_until(&p.script, p.script.now_ns + 1600 * MS);
    assert_int_equal(p.agent.downs, 1);
    assert_int_equal(p.node.downs, 1);
    assert_int_equal(p.agent.err, TERN_ETIME);
    pair_end(&p);
}

static void test_stopped_ourselves_is_no_silence(void **state)
{
    struct pair p;

    (void)state;
    pair_begin(&p);
    join(&p);
    p.script.now_ns += 60000 * MS; /* both were frozen: alarms are late */
    script_until(&p.script, p.script.now_ns + 2000 * MS);
    assert_int_equal(p.agent.downs + p.node.downs, 0);
    pair_end(&p);
}

static void test_silent_stranger_is_shown_out(void **state)
{
    struct pair p;

    (void)state;
    pair_begin(&p);
    script_stranger(&p.script, p.agent.part);
    script_until(&p.script, p.script.now_ns + 9000 * MS);
    assert_int_equal(p.agent.fails, 0);
    script_until(&p.script, p.script.now_ns + 2000 * MS);
    assert_int_equal(p.agent.fails, 1);
    assert_non_null(strstr(p.agent.why, "Hello"));
    pair_end(&p);
}

static void test_client_that_never_beats_may_be_silent(void **state)
{
    struct links_config agent, client;
    struct pair p;

    (void)state;
    worlds(&p);
    agent = config_of(&p.agent, TERN__PART__PART_AGENT, "");
    client = config_of(&p.node, TERN__PART__PART_CLIENT, "");
    client.beat_ns = 0;
    begin(&p.agent, &agent);
    begin(&p.node, &client);
    links_dial(p.node.links, "unix:agent");
    script_until(&p.script, p.script.now_ns + 3600000 * MS);
    assert_int_equal(p.agent.ups, 1);
    assert_int_equal(p.agent.downs + p.node.downs, 0);
    pair_end(&p);
}

static void test_kept_is_dialled_again(void **state)
{
    static const char *const two[] = {"unix:nobody", "unix:agent"};
    struct pair p;
    uint32_t kept;

    (void)state;
    pair_begin(&p);
    kept = links_keep(p.node.links, two, 2);
    script_until(&p.script, p.script.now_ns + 50 * MS);
    assert_int_equal(p.node.fails, 1);
    assert_int_equal(p.node.ups, 1);
    for (unsigned i = 1; i < 5; i++) {
        script_until(&p.script, p.script.now_ns + 3000 * MS);
        script_cut(&p.script, links_kept(p.node.links, kept));
        assert_int_equal(p.node.downs, i);
        script_until(&p.script, p.script.now_ns + 100 * MS);
        assert_int_equal(p.node.ups, i + 1);
    }
    assert_true(links_kept(p.node.links, kept));
    links_let_go(p.node.links, kept);
    script_until(&p.script, p.script.now_ns + 10000 * MS);
    assert_int_equal(p.node.ups, 5);
    assert_int_equal(p.node.downs, 5);
    assert_int_equal(p.agent.downs, 5);
    pair_end(&p);
}

static void test_delays_grow(void **state)
{
    static const char *const nobody[] = {"unix:nobody"};
    struct pair p;

    (void)state;
    pair_begin(&p);
    links_keep(p.node.links, nobody, 1);
    script_until(&p.script, p.script.now_ns + 30000 * MS);
    assert_true(p.node.fails > 30 && p.node.fails < 80); /* each half to whole second in the end */
    pair_end(&p);
}

static void test_dialled_once_hears_once(void **state)
{
    struct pair p;

    (void)state;
    pair_begin(&p);
    links_dial(p.node.links, "unix:nobody");
    assert_int_equal(p.node.downs, 0);
    script_until(&p.script, p.script.now_ns + 10000 * MS);
    assert_int_equal(p.node.downs, 1);
    assert_int_equal(p.node.fails, 0);
    pair_end(&p);
}

static void test_closing_in_the_middle(void **state)
{
    struct pair p;

    (void)state;
    pair_begin(&p);
    join(&p);
    p.agent.close_on_message = true;
    for (uint64_t i = 1; i <= 5; i++)
        send_number(&p.node, p.node.last, i);
    script_run(&p.script);
    assert_int_equal(p.agent.messages, 1);
    assert_int_equal(p.agent.downs, 1);
    assert_int_equal(p.agent.err, TERN_OK);
    assert_int_equal(p.node.downs, 1);
    send_number(&p.agent, 1, 1); /* to one that is gone: nothing happens */
    pair_end(&p);
}

static void test_hold_in_the_middle(void **state)
{
    struct pair p;

    (void)state;
    pair_begin(&p);
    join(&p);
    p.agent.hold_on_message = true;
    for (uint64_t i = 1; i <= 5; i++)
        send_number(&p.node, p.node.last, i);
    for (unsigned i = 1; i <= 5; i++) {
        script_run(&p.script);
        assert_int_equal(p.agent.messages, i);
        links_hold(p.agent.links, p.agent.last, false);
    }
    script_run(&p.script);
    assert_int_equal(p.agent.messages, 5);
    assert_int_equal(p.agent.downs, 0);
    pair_end(&p);
}

static void fill(struct pair *p, size_t upto)
{
    static uint8_t block[LIMIT_ATTACHMENT];
    Tern__Envelope e = TERN__ENVELOPE__INIT;

    for (size_t sent = 0; sent < upto; sent += sizeof block)
        assert_int_equal(links_send(p->node.links, p->node.last, &e, view_of(block, sizeof block)),
                         TERN_OK);
}

static void test_pressure(void **state)
{
    struct pair p;

    (void)state;
    pair_begin(&p);
    join(&p);
    p.script.stuck = true;
    assert_false(links_full(p.node.links, p.node.last));
    fill(&p, LINKS_UNSENT_MAX + 1);
    assert_true(links_full(p.node.links, p.node.last));
    script_until(&p.script, p.script.now_ns + 50 * MS);
    assert_int_equal(p.node.drains, 0);
    p.script.stuck = false;
    script_until(&p.script, p.script.now_ns + 50 * MS);
    assert_int_equal(p.node.drains, 1);
    assert_false(links_full(p.node.links, p.node.last));
    p.script.stuck = true;
    fill(&p, 11 * (size_t)LINKS_UNSENT_MAX);
    script_run(&p.script);
    assert_int_equal(p.node.downs, 1);
    assert_non_null(strstr(p.node.why, "does not read"));
    pair_end(&p);
}

static void test_alarm_of_the_owner(void **state)
{
    struct pair p;

    (void)state;
    pair_begin(&p);
    join(&p);
    links_wake(p.node.links, p.script.now_ns + 700 * MS, on_woke);
    script_until(&p.script, p.script.now_ns + 699 * MS);
    assert_int_equal(p.node.wakes, 0);
    script_until(&p.script, p.script.now_ns + 5000 * MS);
    assert_int_equal(p.node.wakes, 1);
    pair_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello_and_messages_in_any_pieces),
        cmocka_unit_test(test_frame_made_before_is_given_its_number),
        cmocka_unit_test(test_hellos_that_are_refused),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_bytes_that_are_no_frames),
        cmocka_unit_test(test_gap_ends_the_connection),
        cmocka_unit_test(test_beats_renew_and_silence_ends),
        cmocka_unit_test(test_stopped_ourselves_is_no_silence),
        cmocka_unit_test(test_silent_stranger_is_shown_out),
        cmocka_unit_test(test_client_that_never_beats_may_be_silent),
        cmocka_unit_test(test_kept_is_dialled_again),
        cmocka_unit_test(test_delays_grow),
        cmocka_unit_test(test_dialled_once_hears_once),
        cmocka_unit_test(test_closing_in_the_middle),
        cmocka_unit_test(test_hold_in_the_middle),
        cmocka_unit_test(test_pressure),
        cmocka_unit_test(test_alarm_of_the_owner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
