/* world_sim: bytes arrive in order, or not at all; who hears what when something breaks. */
#include "sim/world_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS     INT64_C(1000000)
#define SECOND INT64_C(1000000000)

struct side {
    struct sim_part *part;
    struct world world;
    link_id link;
    unsigned opened, closed, woke;
    enum tern_err err;
    int64_t woke_at, closed_at;
    struct sim *sim;
    struct bytes got;
    bool close_on_bytes;
};

struct pair {
    struct sim sim;
    struct sim_net *net;
    struct sim_host *host[2];
    struct side side[2]; /* 0 dials 1 */
};

static void on_opened(void *context, link_id link, const struct world_peer *peer)
{
    struct side *s = context;

    (void)peer;
    s->link = link;
    s->opened++;
}

static void on_received(void *context, link_id link, struct view bytes)
{
    struct side *s = context;

    bytes_append(&s->got, bytes.data, bytes.size);
    if (s->close_on_bytes)
        s->world.calls->close(s->world.self, link);
}

static void on_closed(void *context, link_id link, enum tern_err err, const char *why)
{
    struct side *s = context;

    (void)link;
    assert_non_null(why);
    s->closed++;
    s->closed_at = s->sim->now_ns;
    s->err = err;
}

static void on_woke(void *context)
{
    struct side *s = context;

    s->woke++;
    s->woke_at = s->world.calls->now(s->world.self);
}

static void side_init(struct pair *p, int i, struct sim_host *host)
{
    struct side *s = &p->side[i];
    const struct handlers handlers = {.context = s,
                                      .opened = on_opened,
                                      .received = on_received,
                                      .closed = on_closed,
                                      .woke = on_woke};

    s->sim = &p->sim;
    s->part = sim_part_new(host, "part", "anna");
    s->world = sim_part_world(s->part);
    sim_part_handle(s->part, &handlers);
}

static void run(struct pair *p, int64_t for_ns)
{
    const int64_t until = p->sim.now_ns + for_ns;

    while (sim_step(&p->sim, until))
        ;
}

static struct pair *begin(uint64_t seed, const struct sim_net_config *config)
{
    struct pair *p = calloc(1, sizeof *p);

    assert_non_null(p);
    sim_init(&p->sim, seed);
    p->net = sim_net_new(&p->sim, config);
    p->host[0] = sim_host_new(p->net, "a", 50);
    p->host[1] = sim_host_new(p->net, "b", -80);
    side_init(p, 0, p->host[0]);
    side_init(p, 1, p->host[1]);
    sim_part_listen(p->side[1].part, "tcp:b:7");
    return p;
}

static void dial(struct pair *p)
{
    struct world *w = &p->side[0].world;

    assert_true(w->calls->dial(w->self, "tcp:b:7") != 0);
    run(p, SECOND);
    assert_int_equal(p->side[0].opened, 1);
    assert_int_equal(p->side[1].opened, 1);
}

static void send(struct side *s, const void *data, size_t size)
{
    s->world.calls->send(s->world.self, s->link, &(struct view){data, size}, 1);
}

static uint64_t finish(struct pair *p)
{
    const uint64_t hash = trace_hash(&p->sim.trace);

    sim_net_free(p->net);
    sim_release(&p->sim);
    bytes_release(&p->side[0].got);
    bytes_release(&p->side[1].got);
    free(p);
    return hash;
}

/* Ten thousand pieces, from nothing to more than a window, with others on their way back. */
static uint64_t chat(uint64_t seed)
{
    enum { PIECES = 1000, LARGE = 300000 };
    struct sim_net_config config = sim_net_default;
    struct pair *p;
    struct prng dice;
    struct bytes sent = {0};
    uint8_t *piece = calloc(1, LARGE);

    config.split_reads = 300000;
    prng_seed(&dice, seed, "chat");
    p = begin(seed, &config);
    dial(p);
    for (int i = 0; i < PIECES; i++) {
        const size_t size = prng_chance(&dice, 10000) ? LARGE : (size_t)prng_below(&dice, 3000);

        prng_fill(&dice, piece, size);
        bytes_append(&sent, piece, size);
        send(&p->side[0], piece, size);
        send(&p->side[1], piece, size % 7);
        run(p, prng_between(&dice, 0, MS));
    }
    run(p, 100 * SECOND);
    assert_true(view_equal(bytes_view(&sent), bytes_view(&p->side[1].got)));
    assert_int_equal(p->side[0].closed + p->side[1].closed, 0);
    bytes_release(&sent);
    free(piece);
    return finish(p);
}

static void test_order(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed < 5; seed++)
        assert_true(chat(seed) == chat(seed));
    assert_true(chat(1) != chat(2));
}

/* What was sent before a close or a death arrives; then the other end hears of it, once. */
static void test_ends(void **unused)
{
    (void)unused;
    for (int how = 0; how < 3; how++) {
        struct pair *p = begin(3, &sim_net_default);
        struct side *a = &p->side[0], *b = &p->side[1];

        dial(p);
        send(a, "last words", 10);
        if (how == 0)
            a->world.calls->close(a->world.self, a->link);
        else if (how == 1)
            sim_part_kill(a->part);
        else
            sim_part_exit(a->part);
        send(a, "too late", 8);
        run(p, 10 * SECOND);
        assert_int_equal(b->got.size, 10);
        assert_int_equal(b->closed, 1);
        assert_int_equal(a->closed, 0);
        finish(p);
    }
}

static void test_refused(void **unused)
{
    struct pair *p = begin(4, &sim_net_default);
    struct world *w = &p->side[0].world;

    (void)unused;
    w->calls->dial(w->self, "tcp:c:7");
    run(p, SECOND);
    assert_int_equal(p->side[0].closed, 1);
    sim_part_kill(p->side[1].part);
    w->calls->dial(w->self, "tcp:b:7");
    run(p, SECOND);
    assert_int_equal(p->side[0].closed, 2);
    assert_int_equal(p->side[0].err, TERN_EUNREACHABLE);
    w->calls->dial(w->self, "unix:x"); /* nobody there */
    run(p, SECOND);
    assert_int_equal(p->side[0].closed, 3);
    finish(p);
}

/* The power goes: the other end hears only when it speaks to a machine that is back. */
static void test_power(void **unused)
{
    struct pair *p = begin(5, &sim_net_default);
    struct side *b = &p->side[1];
    struct world *w = &p->side[0].world;

    (void)unused;
    dial(p);
    sim_host_fail(p->host[1]);
    send(&p->side[0], "x", 1);
    run(p, 10 * SECOND);
    assert_int_equal(p->side[0].closed, 0);
    w->calls->dial(w->self, "tcp:b:7");
    run(p, 10 * SECOND);
    assert_int_equal(p->side[0].closed, 1);
    assert_int_equal(p->side[0].err, TERN_ETIME);
    sim_host_back(p->host[1]);
    send(&p->side[0], "x", 1);
    run(p, 10 * SECOND);
    assert_int_equal(p->side[0].closed, 2);
    assert_int_equal(b->closed, 0);
    finish(p);
}

static void test_cut(void **unused)
{
    struct pair *p = begin(6, &sim_net_default);
    struct side *a = &p->side[0], *b = &p->side[1];

    (void)unused;
    dial(p);
    sim_net_cut(p->net, p->host[0], p->host[1]);
    send(a, "to b", 4);
    send(b, "to a", 4);
    run(p, 10 * SECOND);
    assert_int_equal(a->got.size, 4);
    assert_int_equal(b->got.size, 0);
    sim_net_mend(p->net, p->host[0], p->host[1]);
    run(p, 10 * SECOND);
    assert_int_equal(b->got.size, 4);
    assert_int_equal(a->closed + b->closed, 0);
    finish(p);
}

static void test_breaks(void **unused)
{
    static const unsigned told[SIM_BREAK_KINDS] = {2, 1, 0};

    (void)unused;
    for (int how = 0; how < SIM_BREAK_KINDS; how++) {
        struct pair *p = begin(7, &sim_net_default);
        struct side *a = &p->side[0], *b = &p->side[1];
        struct prng dice;

        prng_seed(&dice, 1, "break");
        dial(p);
        send(a, "on its way", 10);
        assert_true(sim_net_break(p->net, &dice, (enum sim_break)how));
        run(p, 10 * SECOND);
        assert_int_equal(b->got.size, 0);
        assert_int_equal(a->closed + b->closed, told[how]);
        assert_true(how != SIM_BREAK_TOLD || a->closed_at != b->closed_at);
        finish(p);
    }
}

/* Bytes wait for one that is paused or holds; its alarm rings afterwards. */
static void test_pause(void **unused)
{
    struct pair *p = begin(8, &sim_net_default);
    struct side *a = &p->side[0], *b = &p->side[1];

    (void)unused;
    dial(p);
    b->world.calls->wake(b->world.self, b->world.calls->now(b->world.self) + SECOND);
    sim_part_pause(b->part, true);
    send(a, "hello", 5);
    run(p, 5 * SECOND);
    assert_int_equal(b->got.size + b->woke, 0);
    sim_part_pause(b->part, false);
    run(p, SECOND);
    assert_int_equal(b->got.size, 5);
    assert_int_equal(b->woke, 1);
    b->world.calls->hold(b->world.self, b->link, true);
    send(a, "hello", 5);
    run(p, SECOND);
    assert_int_equal(b->got.size, 5);
    b->world.calls->hold(b->world.self, b->link, false);
    run(p, SECOND);
    assert_int_equal(b->got.size, 10);
    finish(p);
}

/* One who does not read: what is unsent grows at the sender, and goes when he closes. */
static void test_pressure(void **unused)
{
    enum { SIZE = 100000, PIECES = 20 };
    struct pair *p = begin(9, &sim_net_default);
    struct side *a = &p->side[0], *b = &p->side[1];
    uint8_t *piece = calloc(1, SIZE);

    (void)unused;
    dial(p);
    b->world.calls->hold(b->world.self, b->link, true);
    for (int i = 0; i < PIECES; i++)
        send(a, piece, SIZE);
    run(p, 10 * SECOND);
    assert_in_range(a->world.calls->unsent(a->world.self, a->link), SIZE * (PIECES - 4),
                    SIZE * (PIECES - 1));
    b->close_on_bytes = true;
    b->world.calls->hold(b->world.self, b->link, false);
    run(p, 10 * SECOND);
    assert_int_equal(b->closed, 0);
    assert_int_equal(a->closed, 1);
    assert_true(b->got.size <= SIZE);
    free(piece);
    finish(p);
}

/* By its own clock, which is wrong: never too early. */
static void test_clock(void **unused)
{
    struct pair *p = begin(10, &sim_net_default);
    struct world *w = &p->side[0].world;
    const int64_t from = w->calls->now(w->self);
    int64_t passed;

    (void)unused;
    for (unsigned i = 1; i < 100; i++) {
        const int64_t at = w->calls->now(w->self) + (int64_t)i * 12345678;

        w->calls->wake(w->self, at + SECOND);
        w->calls->wake(w->self, at); /* the last one counts */
        run(p, 2 * SECOND);
        assert_int_equal(p->side[0].woke, i);
        assert_in_range(p->side[0].woke_at, at, at + 2);
    }
    passed = w->calls->now(w->self) - from;
    assert_in_range(passed - p->sim.now_ns, p->sim.now_ns / 1000000 * 49,
                    p->sim.now_ns / 1000000 * 51);
    finish(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),   cmocka_unit_test(test_ends),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_power),
        cmocka_unit_test(test_cut),     cmocka_unit_test(test_breaks),
        cmocka_unit_test(test_pause),   cmocka_unit_test(test_pressure),
        cmocka_unit_test(test_clock),
    };

    return cmocka_run_group_tests_name("world_sim", tests, NULL, NULL);
}
