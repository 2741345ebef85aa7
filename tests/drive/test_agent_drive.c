/*
 * The agent's drive over a scripted world and a journal that stores when the test says so.
 */
#include "script_world.h"
#include "stand_in_agent.h"

#include "base/little.h"
#include "drive/agent_drive.h"
#include "drive/agent_record.h"
#include "drive/capability.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

struct paper { /* a journal that a test can tear */
    struct journal journal;
    struct bytes fact[4096];
    uint64_t count, stored, snapshots, snapshot_up_to;
    struct bytes snapshot;
    struct journal_fold fold;
    uint64_t fold_up_to;
};

static enum tern_err paper_read(void *self, void *context,
                                enum tern_err (*fact)(void *context, uint64_t number,
                                                      struct view bytes),
                                struct problem *p)
{
    struct paper *paper = self;
    enum tern_err err = TERN_OK;

    for (size_t at = 0; at < paper->snapshot.size && !err;) {
        const size_t size = (size_t)little_get(paper->snapshot.data + at, 4);

        err = fact(context, 0, view_of(paper->snapshot.data + at + 4, size));
        at += 4 + size;
    }
    for (uint64_t i = paper->snapshot_up_to; i < paper->count && !err; i++)
        err = fact(context, i + 1, bytes_view(&paper->fact[i]));
    return err ? problem_set(p, err, "damaged") : TERN_OK;
}

static uint64_t paper_append(void *self, struct view fact, const struct journal_history *history)
{
    struct paper *paper = self;

    (void)history;
    assert_true(paper->count < sizeof paper->fact / sizeof *paper->fact);
    bytes_append(&paper->fact[paper->count], fact.data, fact.size);
    return ++paper->count;
}

static void paper_snapshot(void *self, struct bytes *taken, uint64_t up_to)
{
    struct paper *paper = self;

    bytes_release(&paper->snapshot);
    paper->snapshot = *taken;
    *taken = (struct bytes){0};
    paper->snapshot_up_to = up_to;
    paper->snapshots++;
}

static void paper_compact(void *self, const struct journal_fold *taken, uint64_t up_to)
{
    struct paper *paper = self;

    assert_true(!paper->fold_up_to);
    paper->fold = *taken;
    paper->fold_up_to = up_to;
}

static enum tern_err paper_to_fold(void *context, uint64_t number, struct view bytes)
{
    struct paper *paper = context;

    return number > paper->fold_up_to ? TERN_OK : paper->fold.calls->fact(paper->fold.self, bytes);
}

static void paper_fold(struct paper *paper)
{
    struct bytes result = {0};
    struct problem p = {0};
    uint64_t size;

    assert_int_equal(paper_read(paper, paper, paper_to_fold, &p), TERN_OK);
    assert_int_equal(paper->fold.calls->result(paper->fold.self, &result, &size), TERN_OK);
    paper->fold.calls->free(paper->fold.self);
    paper_snapshot(paper, &result, paper->fold_up_to);
    paper->fold_up_to = 0;
    paper->journal.compacted(paper->journal.context, TERN_OK, size, "");
}

static void paper_close(void *self)
{
    (void)self;
}

static const struct journal_calls paper_calls = {paper_read, paper_append, paper_snapshot,
                                                 paper_compact, paper_close};

static void paper_store(struct paper *paper)
{
    paper->stored = paper->count;
    paper->journal.stored(paper->journal.context, paper->stored);
    if (paper->fold_up_to && paper->fold_up_to <= paper->stored)
        paper_fold(paper);
}

/* What was not stored is gone. */
static void paper_tear(struct paper *paper)
{
    for (uint64_t i = paper->stored; i < paper->count; i++)
        bytes_release(&paper->fact[i]);
    paper->count = paper->stored;
}

struct client {
    struct links *links;
    struct script_part *part;
    link_id link;
    unsigned ups, downs, answers;
    uint64_t order; /* numbers that were answered, in decimal */
    uint64_t time;  /* agent time in the last Submitted */
    uint8_t mac[CAPABILITY_MAC_BYTES];
    enum tern_err right;
};

struct bed {
    struct script script;
    struct paper paper;
    struct script_part *agent;
    struct agent_drive *drive;
    struct client client;
    struct bytes record;
    unsigned ended;
    enum tern_err ended_err;
    uint64_t snapshot_facts;
};

static const uint8_t key[CAPABILITY_KEY_BYTES] = {1, 2, 3};

static void on_up(void *context, link_id link, const Tern__Hello *hello, const char *owner)
{
    struct client *c = context;

    (void)owner;
    assert_int_equal(hello->part, TERN__PART__PART_AGENT);
    c->ups++;
    c->link = link;
}

static void on_message(void *context, link_id link, const Tern__Envelope *e, struct view attached)
{
    struct client *c = context;

    (void)link;
    (void)attached;
    c->answers++;
    c->order = 10 * c->order + e->answers;
    if (e->body_case == TERN__ENVELOPE__BODY_SUBMITTED)
        c->time = e->submitted->job;
    if (e->body_case == TERN__ENVELOPE__BODY_DEPOTS)
        c->right = capability_check(e->depots->depots[0]->capability, key, CAPABILITY_READ, 0);
}

static void on_down(void *context, link_id link, enum tern_err err, const char *why)
{
    (void)link;
    (void)err;
    (void)why;
    ((struct client *)context)->downs++;
}

static void on_ended(void *context, enum tern_err err, const char *why)
{
    struct bed *b = context;

    (void)why;
    b->ended++;
    b->ended_err = err;
}

static void on_record(void *context, struct view bytes)
{
    bytes_append(&((struct bed *)context)->record, bytes.data, bytes.size);
}

static void begin_agent(struct bed *b)
{
    const struct agent_drive_config config = {.world = &b->agent->world,
                                              .journal = &b->paper.journal,
                                              .snapshot_facts = b->snapshot_facts,
                                              .context = b,
                                              .record = on_record,
                                              .ended = on_ended};
    struct problem p = {0};

    if (agent_drive_new(&config, &b->drive, &p))
        fail_msg("%s", p.text);
    b->agent->handlers = agent_drive_handlers(b->drive);
}

static void begin(struct bed *b)
{
    const struct links_config client = {.part = TERN__PART__PART_CLIENT,
                                        .name = "",
                                        .context = &b->client,
                                        .up = on_up,
                                        .message = on_message,
                                        .down = on_down};
    struct links_config config = client;

    *b = (struct bed){0};
    script_init(&b->script);
    b->paper.journal = (struct journal){.calls = &paper_calls, .self = &b->paper};
    b->agent = script_add(&b->script, "unix:agent");
    b->client.part = script_add(&b->script, NULL);
    config.world = &b->client.part->world;
    b->client.links = links_new(&config);
    b->client.part->handlers = links_handlers;
    b->client.part->handlers.context = b->client.links;
}

static void finish(struct bed *b)
{
    agent_drive_free(b->drive);
    links_free(b->client.links);
    script_release(&b->script);
    for (uint64_t i = 0; i < b->paper.count; i++)
        bytes_release(&b->paper.fact[i]);
    bytes_release(&b->paper.snapshot);
    bytes_release(&b->record);
}

static void join(struct bed *b)
{
    links_dial(b->client.links, "unix:agent");
    script_run(&b->script);
}

static void ask(struct bed *b, uint64_t number, Tern__Envelope__BodyCase what)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Submit submit = TERN__SUBMIT__INIT;
    Tern__Query query = TERN__QUERY__INIT;
    Tern__AskDepots ask = TERN__ASK_DEPOTS__INIT;
    Tern__Forget forget = TERN__FORGET__INIT;

    e.number = number;
    e.body_case = what;
    if (what == TERN__ENVELOPE__BODY_SUBMIT)
        e.submit = &submit;
    else if (what == TERN__ENVELOPE__BODY_QUERY)
        e.query = &query;
    else if (what == TERN__ENVELOPE__BODY_FORGET)
        e.forget = &forget;
    else
        e.ask_depots = &ask;
    assert_int_equal(links_send(b->client.links, b->client.link, &e, (struct view){0}), TERN_OK);
    script_run(&b->script);
}

static void test_nothing_leaves_before_its_fact_is_stored(void **state)
{
    struct bed b;

    (void)state;
    begin(&b);
    begin_agent(&b);
    join(&b);
    assert_int_equal(b.client.ups, 0); /* not even Hello: the new term is not stored */
    paper_store(&b.paper);
    script_run(&b.script);
    assert_int_equal(b.client.ups, 1);
    ask(&b, 1, TERN__ENVELOPE__BODY_QUERY);
    assert_int_equal(b.client.answers, 1);
    ask(&b, 2, TERN__ENVELOPE__BODY_SUBMIT);
    ask(&b, 3, TERN__ENVELOPE__BODY_QUERY); /* behind the fact, it waits, too */
    ask(&b, 4, TERN__ENVELOPE__BODY_SUBMIT);
    ask(&b, 5, TERN__ENVELOPE__BODY_FORGET);
    script_until(&b.script, b.script.now_ns + SECOND / 10);
    assert_int_equal(b.client.answers, 1);
    b.paper.journal.stored(b.paper.journal.context, b.paper.count - 1);
    script_run(&b.script);
    assert_int_equal(b.client.order, 123);
    assert_int_equal(b.client.downs, 0);
    paper_store(&b.paper);
    script_run(&b.script);
    assert_int_equal(b.client.order, 1234);
    assert_int_equal(b.client.downs, 1);
    finish(&b);
}

static uint64_t submit_now(struct bed *b)
{
    ask(b, 1, TERN__ENVELOPE__BODY_SUBMIT);
    paper_store(&b->paper);
    script_run(&b->script);
    return b->client.time;
}

static void restart(struct bed *b, bool clean)
{
    if (clean) {
        agent_drive_leave(b->drive);
        assert_int_equal(b->ended, 0);
        paper_store(&b->paper);
        assert_int_equal(b->ended, 1);
        assert_int_equal(b->ended_err, TERN_OK);
        b->ended = 0;
    }
    agent_drive_free(b->drive);
    paper_tear(&b->paper);
    script_run(&b->script);
    b->script.now_ns =
        clean ? 5000 : 7000; /* the machine was switched off: its clock begins anew */
    begin_agent(b);
    join(b);
    paper_store(&b->paper);
    script_run(&b->script);
}

static void test_time_never_runs_back(void **state)
{
    uint64_t before, after;
    struct bed b;

    (void)state;
    begin(&b);
    begin_agent(&b);
    join(&b);
    paper_store(&b.paper);
    script_run(&b.script);
    for (int i = 0; i < 100; i++) { /* 50 s, each bound stored soon after it was asked for */
        script_until(&b.script, b.script.now_ns + SECOND / 2);
        if (b.paper.stored < b.paper.count)
            paper_store(&b.paper);
    }
    before = submit_now(&b);
    assert_true(before >= 49 * (uint64_t)SECOND && before <= 51 * (uint64_t)SECOND);
    restart(&b, true);
    after = submit_now(&b);
    assert_true(after >= before && after < before + (uint64_t)SECOND);
    restart(&b, false);
    before = submit_now(&b);
    assert_true(before >= after && before <= after + AGENT_TIME_AHEAD_NS);
    finish(&b);
}

static void test_time_waits_for_a_disk_that_hangs(void **state)
{
    uint64_t first;
    struct bed b;

    (void)state;
    begin(&b);
    begin_agent(&b);
    join(&b);
    paper_store(&b.paper);
    script_run(&b.script);
    first = submit_now(&b);
    script_until(&b.script, b.script.now_ns + 100 * SECOND);
    assert_true(agent_drive_now(b.drive) <= (int64_t)first + AGENT_TIME_AHEAD_NS);
    paper_store(&b.paper);
    script_until(&b.script, b.script.now_ns + SECOND);
    paper_store(&b.paper);
    assert_true(agent_drive_now(b.drive) >= (int64_t)first + AGENT_TIME_AHEAD_NS);
    finish(&b);
}

static void test_rights_are_sealed(void **state)
{
    Tern__Fact fact = TERN__FACT__INIT;
    Tern__DepotKnown known = TERN__DEPOT_KNOWN__INIT;
    struct bytes packed = {0};
    struct bed b;

    (void)state;
    begin(&b);
    fact.what_case = TERN__FACT__WHAT_DEPOT_KNOWN;
    fact.depot_known = &known;
    known.name = (char *)"d1";
    known.key = (ProtobufCBinaryData){.len = sizeof key, .data = (uint8_t *)key};
    assert_int_equal(fact_encode(&fact, &packed), TERN_OK);
    paper_append(&b.paper, bytes_view(&packed), NULL);
    b.paper.stored = 1;
    bytes_release(&packed);
    begin_agent(&b);
    join(&b);
    paper_store(&b.paper);
    script_run(&b.script);
    b.client.right = TERN_EIO;
    ask(&b, 1, TERN__ENVELOPE__BODY_ASK_DEPOTS);
    assert_int_equal(b.client.right, TERN_OK);
    finish(&b);
}

static void test_snapshot_and_restart(void **state)
{
    struct bed b;
    uint64_t applied;

    (void)state;
    begin(&b);
    b.snapshot_facts = 10;
    begin_agent(&b);
    join(&b);
    paper_store(&b.paper);
    script_run(&b.script);
    for (int i = 0; i < 25; i++)
        submit_now(&b);
    assert_int_equal(b.paper.snapshots, 2);
    applied = agent_drive_core(b.drive)->applied;
    restart(&b, false);
    assert_int_equal(agent_drive_core(b.drive)->applied, applied + 1); /* and its own start */
    finish(&b);
}

static void test_damaged_journal_is_refused(void **state)
{
    Tern__Fact fact = TERN__FACT__INIT;
    Tern__Gone gone = TERN__GONE__INIT;
    struct bytes packed = {0};
    struct problem p = {0};
    struct bed b;

    (void)state;
    begin(&b);
    fact.what_case = TERN__FACT__WHAT_GONE;
    fact.gone = &gone;
    assert_int_equal(fact_encode(&fact, &packed), TERN_OK);
    paper_append(&b.paper, bytes_view(&packed), NULL);
    bytes_release(&packed);
    assert_int_equal(agent_drive_new(&(struct agent_drive_config){.world = &b.agent->world,
                                                                  .journal = &b.paper.journal,
                                                                  .ended = on_ended},
                                     &b.drive, &p),
                     TERN_ECORRUPT);
    assert_null(b.drive);
    finish(&b);
}

static void test_broken_journal_ends_it(void **state)
{
    struct bed b;

    (void)state;
    begin(&b);
    begin_agent(&b);
    b.paper.journal.broken(b.paper.journal.context, "disk full");
    assert_int_equal(b.ended, 1);
    assert_int_equal(b.ended_err, TERN_EIO);
    agent_drive_leave(b.drive);
    assert_int_equal(b.ended, 1);
    finish(&b);
}

/* A second core that is given the record has seen the same. */
static void test_record_can_be_played(void **state)
{
    struct core_out out = {.wake_ns = INT64_MAX};
    struct agent *again = agent_new(&agent_default);
    struct arena arena = {0};
    struct core_event ev;
    struct view from;
    struct bed b;
    unsigned events = 0;

    (void)state;
    begin(&b);
    begin_agent(&b);
    join(&b);
    paper_store(&b.paper);
    script_run(&b.script);
    for (int i = 0; i < 5; i++)
        submit_now(&b);
    ask(&b, 9, TERN__ENVELOPE__BODY_FORGET);
    agent_start(again, 0, (const uint8_t[16]){0}, &out);
    from = bytes_view(&b.record);
    for (; from.size; events++) {
        assert_int_equal(agent_record_get(&from, &arena, &ev), TERN_OK);
        agent_step(again, &ev, &out);
        core_out_clear(&out);
    }
    assert_true(events >= 8);
    assert_int_equal(again->applied, agent_drive_core(b.drive)->applied);
    assert_int_equal(again->downs, agent_drive_core(b.drive)->downs);
    from = view_of(b.record.data, b.record.size - 1);
    while (agent_record_get(&from, &arena, &ev) == TERN_OK)
        ;
    assert_true(from.size > 0); /* the one that was cut is refused */
    arena_release(&arena);
    core_out_release(&out);
    agent_free(again);
    finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_leaves_before_its_fact_is_stored),
        cmocka_unit_test(test_time_never_runs_back),
        cmocka_unit_test(test_time_waits_for_a_disk_that_hangs),
        cmocka_unit_test(test_rights_are_sealed),
        cmocka_unit_test(test_snapshot_and_restart),
        cmocka_unit_test(test_damaged_journal_is_refused),
        cmocka_unit_test(test_broken_journal_ends_it),
        cmocka_unit_test(test_record_can_be_played),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
