/* node: what it answers to each event, and that nothing it was given is lost, by dice. */
#include "node_play.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define BEGUN       TERN__REPORT__WHAT_BEGUN
#define CHECKPOINT  TERN__REPORT__WHAT_CHECKPOINT
#define END         TERN__REPORT__WHAT_END
#define RETURNED    TERN__REPORT__WHAT_RETURNED
#define MOVED       TERN__REPORT__WHAT_MOVED
#define PREPARED    TERN__REPORT__WHAT_PREPARED
#define ORDER(name) TERN__ORDER_KIND__ORDER_##name
#define MS          INT64_C(1000000)

enum { AGENT = 3, SLOT = 7, SLOT2 = 8 };

/* A node with its agent and its first slot. */
static void begin(struct play *p, uint32_t slots)
{
    play_begin(p, slots);
    play_tick(p, 0);
    assert_play(p, "start 0");
    play_slot(p, SLOT, 0);
    assert_play(p, "");
    play_agent(p, AGENT);
    assert_play(p, "3: ad");
}

static void test_one_task(void **state)
{
    struct play p;

    (void)state;
    begin(&p, 1);
    play_place(&p, AGENT, 1, 1);
    assert_play(&p, "7: PLACE 1");
    play_report(&p, SLOT, BEGUN, 1, 0);
    assert_play(&p, "3: #1 begun 1");
    play_stored(&p, AGENT, 1);
    play_report(&p, SLOT, CHECKPOINT, 1, 1);
    assert_play(&p, "3: #2 checkpoint 1");
    play_tell(&p, AGENT, ORDER(COMMITTED), 1);
    assert_play(&p, "7: COMMITTED 1");
    play_report(&p, SLOT, END, 1, 0);
    assert_play(&p, "3: #3 end 1");
    play_stored(&p, AGENT, 3);
    assert_play(&p, "");
    play_down(&p, AGENT);
    play_agent(&p, 4);
    assert_play(&p, "4: ad"); /* nothing is held or owed */
    play_end(&p);
}

static void test_slots_are_started_as_needed(void **state)
{
    struct play p;

    (void)state;
    begin(&p, 3);
    play_place(&p, AGENT, 1, 2);
    assert_play(&p, "7: PLACE 1; start 1; start 2"); /* one for task 2, one to spare */
    play_slot(&p, SLOT2, 1);
    assert_play(&p, "8: PLACE 2");
    play_slot(&p, 9, 2);
    assert_play(&p, "");
    play_slot(&p, 10, 2); /* nobody asked for it */
    assert_play(&p, "close 10");
    play_end(&p);
}

static void test_reports_are_repeated(void **state)
{
    struct play p;

    (void)state;
    begin(&p, 1);
    play_place(&p, AGENT, 1, 3);
    play_report(&p, SLOT, BEGUN, 1, 0);
    play_down(&p, AGENT);
    play_report(&p, SLOT, CHECKPOINT, 1, 1);
    play_report(&p, SLOT, CHECKPOINT, 1, 2); /* says more than the one before */
    play_report(&p, SLOT, END, 1, 0);
    play_agent(&p, 4);
    assert_play(&p, "4: ad 2/PLACED 3/PLACED 1/ENDED; 4: #1 begun 1 #3 checkpoint 1 #4 end 1");
    play_stored(&p, 4, 3);
    play_down(&p, 4);
    play_agent(&p, 5);
    assert_play(&p, "5: ad 2/PLACED 3/PLACED 1/ENDED; 5: #4 end 1");
    play_stored(&p, 5, 4);
    play_agent(&p, 6); /* before the old one is known to be gone */
    assert_play(&p, "close 5; 6: ad 2/PLACED 3/PLACED");
    play_end(&p);
}

static void test_ahead_when_short(void **state)
{
    struct play p;

    (void)state;
    begin(&p, 1);
    play_place(&p, AGENT, 1, 60);
    assert_play(&p, "7: PLACE 1");
    p.now_ns += 5 * MS;
    play_report(&p, SLOT, END, 1, 0); /* 5 ms each: as many as take 20 ms, and one */
    assert_play(&p, "7: PLACE 2 PLACE 3 PLACE 4 PLACE 5 PLACE 6; 3: #1 end 1");
    p.now_ns += 400 * MS;
    play_report(&p, SLOT, END, 2, 0); /* it was no good guess: no more for now */
    assert_play(&p, "3: #2 end 2");
    play_end(&p);
}

static void test_waiting_work_is_pulled(void **state)
{
    struct play p;

    (void)state;
    begin(&p, 2);
    play_place(&p, AGENT, 1, 4);
    play_report(&p, SLOT, END, 1, 0);
    assert_play(&p, "7: PLACE 2 PLACE 3 PLACE 4; 3: #1 end 1");
    play_slot(&p, SLOT2, 1);
    play_report(&p, SLOT, BEGUN, 2, 0);
    play_tick(&p, 60 * MS); /* task 2 is long, and slot 1 has nothing to do */
    assert_play(&p, "7: RECALL 4");
    play_report(&p, SLOT, RETURNED, 4, 0);
    assert_play(&p, "8: PLACE 4");
    play_end(&p);
}

static void test_recall(void **state)
{
    struct play p;

    (void)state;
    begin(&p, 1);
    play_place(&p, AGENT, 1, 2);
    play_tell(&p, AGENT, ORDER(RECALL), 2);
    assert_play(&p, "3: #1 returned 2");
    play_tell(&p, AGENT, ORDER(RECALL), 1);
    assert_play(&p, "7: RECALL 1");
    play_report(&p, SLOT, RETURNED, 1, 0);
    assert_play(&p, "3: #2 returned 1");
    play_tell(&p, AGENT, ORDER(RECALL), 77); /* not here */
    assert_play(&p, "");
    play_end(&p);
}

static void test_stop(void **state)
{
    struct play p;

    (void)state;
    begin(&p, 1);
    play_place(&p, AGENT, 1, 2);
    play_report(&p, SLOT, BEGUN, 1, 0);
    play_tell(&p, AGENT, ORDER(STOP), 2);
    assert_play(&p, "");
    play_tell(&p, AGENT, ORDER(STOP), 1);
    assert_play(&p, "7: STOP 1");
    play_report(&p, SLOT, CHECKPOINT, 1, 1); /* does not count any more */
    assert_play(&p, "");
    play_beat(&p, AGENT, p.now_ns, 60000 * MS);
    play_tick(&p, 4999 * MS);
    assert_play(&p, "");
    play_tick(&p, 1 * MS); /* it does not stop: what cannot be stopped is killed */
    assert_play(&p, "kill 0");
    play_down(&p, SLOT);
    assert_play(&p, "start 0"); /* nothing is reported of what was stopped */
    play_end(&p);
}

static void test_slot_dies(void **state)
{
    struct play p;

    (void)state;
    begin(&p, 1);
    play_place(&p, AGENT, 1, 4);
    play_report(&p, SLOT, END, 1, 0); /* gives it 2, 3 and 4 */
    play_report(&p, SLOT, BEGUN, 2, 0);
    play_down(&p, SLOT);
    assert_play(&p, "3: #3 end(BROKEN) 2");
    play_tick(&p, 10 * MS);
    assert_play(&p, "start 0");
    play_slot(&p, SLOT, 0);
    assert_play(&p, "7: PLACE 3");
    play_end(&p);
}

static void test_slot_does_not_start(void **state)
{
    struct play p;
    int64_t waited = 10 * MS;

    (void)state;
    begin(&p, 1);
    play_down(&p, SLOT);
    for (int i = 0; i < 12; i++) {
        assert_play(&p, "");
        assert_int_equal(p.out.wake_ns,
                         p.now_ns + waited < 1500 * MS ? p.now_ns + waited : p.out.wake_ns);
        play_tick(&p, waited - 1);
        play_beat(&p, AGENT, p.now_ns, 60000 * MS);
        assert_play(&p, "");
        play_tick(&p, 1);
        assert_play(&p, "start 0");
        waited = 2 * waited < 5000 * MS ? 2 * waited : 5000 * MS;
        play_slot_gone(&p, 0);
    }
    play_end(&p);
}

static void test_lease(void **state)
{
    struct play p;
    const int64_t lease = 2000 * MS;
    int64_t sent;

    (void)state;
    begin(&p, 1);
    play_place(&p, AGENT, 1, 3);
    play_report(&p, SLOT, END, 1, 0);
    play_report(&p, SLOT, BEGUN, 2, 0);
    sent = p.now_ns;
    play_tick(&p, 700 * MS);
    play_beat(&p, AGENT, sent, lease); /* counts from when it was sent, not from now */
    play_down(&p, AGENT);
    play_tick(&p, sent + lease - 1 - p.now_ns);
    assert_play(&p, "");
    play_tick(&p, 1);
    assert_play(&p, "kill 0");
    play_report(&p, SLOT, END, 2, 0); /* too late */
    play_down(&p, SLOT);
    assert_play(&p, "start 0");
    play_agent(&p, 4); /* what ended before is still told */
    assert_play(&p, "4: ad 1/ENDED; 4: #1 end 1 #2 begun 2");
    play_end(&p);
}

static void test_no_lease_runs_without_an_agent(void **state)
{
    struct play p;

    (void)state;
    begin(&p, 1);
    play_place(&p, AGENT, 1, 1);
    play_report(&p, SLOT, BEGUN, 1, 0);
    play_down(&p, AGENT);
    for (int i = 0; i < 10; i++) {
        play_tick(&p, 1000 * MS);
        assert_play(&p, "");
        play_absent(&p);
        assert_play(&p, "");
    }
    play_tick(&p, 2000 * MS - 1); /* from now on it does not answer at all */
    assert_play(&p, "");
    play_tick(&p, 1);
    assert_play(&p, "kill 0");
    play_absent(&p); /* too late */
    play_tick(&p, 1);
    assert_play(&p, "");
    play_end(&p);
}

static void test_lease_over_with_agent(void **state)
{
    struct play p;

    (void)state;
    begin(&p, 1);
    play_place(&p, AGENT, 1, 1);
    play_tick(&p, 2000 * MS);
    assert_play(&p, "kill 0; close 3"); /* it is to learn that the task is gone */
    play_end(&p);
}

static void test_leave(void **state)
{
    struct play p;

    (void)state;
    begin(&p, 1);
    play_place(&p, AGENT, 1, 2);
    play_report(&p, SLOT, BEGUN, 1, 0);
    play_leave(&p);
    assert_play(&p, "3: ad leaving 2/PLACED 1/RUNNING; 7: MOVE 1; 3: #2 returned 2");
    play_place(&p, AGENT, 5, 1);
    assert_play(&p, "3: #3 returned 5");
    play_report(&p, SLOT, CHECKPOINT, 1, 1);
    play_report(&p, SLOT, MOVED, 1, 1);
    assert_play(&p, "3: #5 moved 1");
    play_stored(&p, AGENT, 4);
    assert_play(&p, "");
    play_stored(&p, AGENT, 5);
    assert_play(&p, "end");
    play_end(&p);
}

static void test_leave_is_bounded(void **state)
{
    struct play p;

    (void)state;
    begin(&p, 1);
    play_place(&p, AGENT, 1, 1);
    play_beat(&p, AGENT, p.now_ns, 600000 * MS);
    play_leave(&p);
    assert_play(&p, "3: ad leaving 1/PLACED; 7: RECALL 1");
    play_report(&p, SLOT, BEGUN, 1, 0); /* crossed the recall */
    assert_play(&p, "7: MOVE 1; 3: #1 begun 1");
    play_tick(&p, 59999 * MS);
    assert_play(&p, "");
    play_tick(&p, MS);
    assert_play(&p, "end");
    play_end(&p);
    begin(&p, 1);
    play_place(&p, AGENT, 1, 1);
    play_beat(&p, AGENT, p.now_ns, 30000 * MS);
    play_leave(&p);
    play_down(&p, AGENT); /* nobody takes what it has: it may be back within a lease */
    play_tick(&p, 29999 * MS);
    assert_play(&p, "");
    play_tick(&p, MS);
    assert_play(&p, "kill 0; end");
    play_end(&p);
    begin(&p, 1);
    play_leave(&p);
    assert_play(&p, "3: ad leaving; end");
    play_end(&p);
    begin(&p, 1);
    play_place(&p, AGENT, 1, 1);
    play_leave(&p);
    play_leave(&p); /* asked twice: at once */
    assert_play(&p, "end");
    play_end(&p);
}

static void test_prepare(void **state)
{
    struct play p;

    (void)state;
    begin(&p, 2);
    play_place(&p, AGENT, 1, 1);
    play_tell(&p, AGENT, ORDER(PREPARE), 2);
    assert_play(&p, ""); /* slot 1 is being started */
    play_slot(&p, SLOT2, 1);
    assert_play(&p, "8: PREPARE 2");
    play_report(&p, SLOT2, PREPARED, 2, 4);
    assert_play(&p, "3: #1 prepared 2");
    play_place(&p, AGENT, 3, 1);
    assert_play(&p, ""); /* slot 1 is kept for it */
    play_place(&p, AGENT, 2, 1);
    assert_play(&p, "8: PLACE 2");
    play_place(&p, AGENT, 2, 1);
    assert_play(&p, ""); /* told twice */
    play_end(&p);
}

static void test_input(void **state)
{
    struct play p;
    struct play_orders orders = {0};
    Tern__MoreInput input[17];

    (void)state;
    begin(&p, 1);
    play_place(&p, AGENT, 1, 2);
    play_tell(&p, AGENT, ORDER(INPUT), 2);
    assert_play(&p, "");
    play_tell(&p, AGENT, ORDER(INPUT), 2); /* told twice */
    assert_play(&p, "");
    play_tell(&p, AGENT, ORDER(INPUT), 1);
    assert_play(&p, "7: INPUT 1");
    play_report(&p, SLOT, END, 1, 0);
    assert_play(&p, "7: PLACE 2 INPUT 2; 3: #1 end 1");
    play_place(&p, AGENT, 3, 1);
    play_report(&p, SLOT, BEGUN, 2, 0);
    for (size_t i = 0; i < 17; i++) {
        tern__more_input__init(&input[i]);
        input[i].offset = i;
        play_order(&p, &orders, ORDER(INPUT), 3)->input = &input[i];
    }
    play_orders(&p, AGENT, &orders); /* more than waits well: asked for again later */
    assert_play(&p, "7: INPUT 3 INPUT 3 INPUT 3 INPUT 3 INPUT 3 INPUT 3 INPUT 3 INPUT 3 INPUT 3 "
                    "INPUT 3 INPUT 3 INPUT 3 INPUT 3 INPUT 3 INPUT 3 INPUT 3 INPUT 3 RECALL 3");
    play_end(&p);
}

/* ---------------------------------------------------------------- by dice */

enum { TASKS = 400, SLOTS = 3 };

enum fate { FATE_NONE, FATE_PLACED, FATE_FINAL, FATE_GONE };

/* What the agent and the slots, played by dice, know. */
struct model {
    struct play p;
    uint64_t dice;
    enum fate fate[TASKS + 1];
    bool stopped[TASKS + 1];
    uint64_t last_n, stored_n; /* reports that came, that were acknowledged */
    uint64_t final_n[TASKS + 1];
    uint32_t agent, peer[SLOTS]; /* 0: none */
    bool starting[SLOTS], killed[SLOTS];
    uint64_t work[SLOTS][64]; /* of each slot, in order */
    size_t count[SLOTS];
    bool begun[TASKS + 1];
    uint32_t next_peer;
    uint64_t placed;
    bool ended;
};

static uint64_t roll(struct model *m, uint64_t sides)
{
    m->dice ^= m->dice << 13;
    m->dice ^= m->dice >> 7;
    m->dice ^= m->dice << 17;
    return m->dice % sides;
}

static void forget_work(struct model *m, size_t slot, size_t i)
{
    m->count[slot]--;
    for (; i < m->count[slot]; i++)
        m->work[slot][i] = m->work[slot][i + 1];
}

static size_t slot_of(const struct model *m, uint32_t peer)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (m->peer[i] == peer)
            return i;
    fail_msg("told to peer %u, which is no slot", peer);
    return 0;
}

static void hear_report(struct model *m, const Tern__Report *r)
{
    const uint64_t task = r->fence->task;

    if (r->n > m->last_n)
        m->last_n = r->n;
    if (r->what_case == TERN__REPORT__WHAT_BEGUN || r->what_case == TERN__REPORT__WHAT_CHECKPOINT ||
        r->what_case == TERN__REPORT__WHAT_PREPARED)
        return;
    if (m->fate[task] == FATE_GONE)
        return; /* its end was on its way when the lease ended, or it was stopped */
    /* Never two ends of one attempt, though one may be told again. */
    assert_true(m->fate[task] == FATE_PLACED || m->final_n[task] == r->n);
    m->fate[task] = FATE_FINAL;
    m->final_n[task] = r->n;
}

/* The agent ends what the node does not hold. */
static void hear_ad(struct model *m, const Tern__NodeAd *ad)
{
    static bool held[TASKS + 1];

    for (size_t i = 1; i <= TASKS; i++)
        held[i] = false;
    for (size_t i = 0; i < ad->n_holdings; i++)
        held[ad->holdings[i]->fence->task] = true;
    for (size_t i = 1; i <= TASKS; i++)
        if (m->fate[i] == FATE_PLACED && !held[i])
            m->fate[i] = FATE_GONE;
}

static void hear_order(struct model *m, size_t slot, const Tern__Order *o)
{
    const uint64_t task = o->fence->task;

    if (o->kind == ORDER(PLACE)) {
        for (size_t s = 0; s < SLOTS; s++) /* never in two slots at once */
            for (size_t i = 0; i < m->count[s]; i++)
                assert_int_not_equal(m->work[s][i], task);
        assert_in_range(m->count[slot], 0, 63);
        m->work[slot][m->count[slot]++] = task;
    }
}

static void hear_send(struct model *m, const struct core_action *a)
{
    const Tern__Envelope *e = a->message;

    if (e->body_case == TERN__ENVELOPE__BODY_SLOT_WORK) {
        for (size_t i = 0; i < e->slot_work->n_orders; i++)
            hear_order(m, slot_of(m, a->peer), e->slot_work->orders[i]);
        return;
    }
    assert_int_equal(a->peer, m->agent);
    if (e->body_case == TERN__ENVELOPE__BODY_NODE_AD)
        hear_ad(m, e->node_ad);
    else
        for (size_t i = 0; i < e->reports->n_reports; i++)
            hear_report(m, e->reports->reports[i]);
}

static void hear(struct model *m)
{
    for (size_t i = 0; i < m->p.out.count; i++) {
        const struct core_action *a = &m->p.out.actions[i];

        if (a->kind == CORE_SEND)
            hear_send(m, a);
        else if (a->kind == CORE_START_SLOT)
            m->starting[a->index] = true;
        else if (a->kind == CORE_KILL_SLOT)
            m->killed[a->index] = true;
        else if (a->kind == CORE_CLOSE && a->peer == m->agent)
            m->agent = 0;
        else if (a->kind == CORE_END)
            m->ended = true;
    }
    m->p.out.count = 0;
}

static void slot_dies(struct model *m, size_t slot)
{
    const uint32_t peer = m->peer[slot];

    m->killed[slot] = false;
    if (m->starting[slot] && !peer) {
        m->starting[slot] = false;
        play_slot_gone(&m->p, (uint32_t)slot);
    } else if (peer) {
        m->peer[slot] = 0;
        for (size_t i = 0; i < m->count[slot]; i++)
            m->begun[m->work[slot][i]] = false;
        m->count[slot] = 0;
        play_down(&m->p, peer);
    } else {
        return;
    }
    hear(m);
}

/* The slot goes on with its first attempt, or gives back its last. */
static void slot_acts(struct model *m, size_t slot)
{
    uint64_t task;

    if (m->killed[slot]) {
        slot_dies(m, slot);
        return;
    }
    if (m->starting[slot] && !m->peer[slot]) {
        m->starting[slot] = false;
        m->peer[slot] = m->next_peer++;
        play_slot(&m->p, m->peer[slot], (uint32_t)slot);
    } else if (m->count[slot] > 1 && roll(m, 6) == 0) {
        task = m->work[slot][m->count[slot] - 1];
        if (m->begun[task])
            return;
        forget_work(m, slot, m->count[slot] - 1);
        play_report(&m->p, m->peer[slot], RETURNED, task, 0);
    } else if (m->count[slot]) {
        task = m->work[slot][0];
        if (!m->begun[task]) {
            m->begun[task] = true;
            play_report(&m->p, m->peer[slot], BEGUN, task, 0);
        } else if (roll(m, 3) == 0) {
            play_report(&m->p, m->peer[slot], CHECKPOINT, task, 1 + roll(m, 9));
        } else {
            forget_work(m, slot, 0);
            play_report(&m->p, m->peer[slot], END, task, 0);
        }
    } else {
        return;
    }
    hear(m);
}

static void agent_places(struct model *m)
{
    const uint64_t count = 1 + roll(m, 20);
    const uint64_t from = m->placed + 1;

    if (!m->agent || from + count > TASKS)
        return;
    for (uint64_t i = 0; i < count; i++)
        m->fate[from + i] = FATE_PLACED;
    m->placed += count;
    play_place(&m->p, m->agent, from, count);
    hear(m);
}

static void agent_tells(struct model *m, uint64_t task)
{
    const Tern__OrderKind kinds[] = {ORDER(STOP), ORDER(RECALL), ORDER(CHECKPOINT), ORDER(INPUT)};
    const Tern__OrderKind kind = kinds[roll(m, 4)];

    if (!m->agent || !m->placed)
        return;
    if (kind == ORDER(STOP))
        m->fate[task] = FATE_GONE;
    play_tell(&m->p, m->agent, kind, task);
    hear(m);
}

static void agent_changes(struct model *m)
{
    if (m->agent && roll(m, 4)) {
        m->stored_n += roll(m, m->last_n - m->stored_n + 1);
        play_stored(&m->p, m->agent, m->stored_n);
    } else if (m->agent) {
        const uint32_t peer = m->agent;

        m->agent = 0;
        play_down(&m->p, peer);
    } else {
        m->agent = m->next_peer++;
        play_agent(&m->p, m->agent);
    }
    hear(m);
}

static void one_event(struct model *m)
{
    m->p.now_ns += (int64_t)roll(m, 4) * MS;
    switch (roll(m, 10)) {
    case 0: agent_places(m); break;
    case 1: agent_tells(m, 1 + roll(m, m->placed ? m->placed : 1)); break;
    case 2: agent_changes(m); break;
    case 3:
        if (roll(m, 12) == 0)
            slot_dies(m, roll(m, SLOTS));
        break;
    case 4:
        if (m->agent)
            play_beat(&m->p, m->agent, m->p.now_ns, (1 + (int64_t)roll(m, 300)) * MS);
        hear(m);
        break;
    case 5:
        play_tick(&m->p, (int64_t)roll(m, 60) * MS);
        hear(m);
        break;
    default: slot_acts(m, roll(m, SLOTS)); break;
    }
}

/* No more faults: everything comes to its end. */
static void heal(struct model *m)
{
    for (int i = 0; i < 20000; i++) {
        if (!m->agent)
            agent_changes(m);
        play_beat(&m->p, m->agent, m->p.now_ns, 60000 * MS);
        hear(m);
        play_tick(&m->p, 3 * MS);
        hear(m);
        slot_acts(m, (size_t)i % SLOTS);
        m->stored_n = m->last_n;
        play_stored(&m->p, m->agent, m->stored_n);
        hear(m);
    }
}

/* Every attempt that the node was given has ended, once; or the agent knows that it is gone. */
static void test_by_dice(void **state)
{
    const char *given = getenv("TERN_SEED");
    const uint64_t first = given ? strtoull(given, NULL, 10) : 1;
    uint64_t ended = 0, gone = 0;

    (void)state;
    for (uint64_t seed = first; seed < first + 60; seed++) {
        static struct model m;

        m = (struct model){.dice = seed * 0x9E3779B97F4A7C15u, .next_peer = 100};
        print_message("# seed %" PRIu64 "\n", seed);
        play_begin(&m.p, SLOTS);
        play_tick(&m.p, 0);
        hear(&m);
        for (int i = 0; i < 3000; i++)
            one_event(&m);
        heal(&m);
        for (uint64_t i = 1; i <= m.placed; i++) {
            ended += m.fate[i] == FATE_FINAL;
            gone += m.fate[i] == FATE_GONE;
            assert_true(m.fate[i] == FATE_FINAL || m.fate[i] == FATE_GONE);
        }
        play_leave(&m.p); /* nothing is left */
        hear(&m);
        assert_true(m.ended);
        play_end(&m.p);
    }
    assert_true(ended > 1000 && gone > 100); /* the dice did both */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_task),
        cmocka_unit_test(test_slots_are_started_as_needed),
        cmocka_unit_test(test_reports_are_repeated),
        cmocka_unit_test(test_ahead_when_short),
        cmocka_unit_test(test_waiting_work_is_pulled),
        cmocka_unit_test(test_recall),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_slot_dies),
        cmocka_unit_test(test_slot_does_not_start),
        cmocka_unit_test(test_lease),
        cmocka_unit_test(test_no_lease_runs_without_an_agent),
        cmocka_unit_test(test_lease_over_with_agent),
        cmocka_unit_test(test_leave),
        cmocka_unit_test(test_leave_is_bounded),
        cmocka_unit_test(test_prepare),
        cmocka_unit_test(test_input),
        cmocka_unit_test(test_by_dice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
