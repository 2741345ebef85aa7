/* What goes wrong in the simulated pool, and how it is mended. */
#include "sim/pool_inner.h"

#include "base/check.h"

#include <string.h>

/* How long, on average, between two of a kind; 0: it is no event, but how the world is. */
static const int64_t mean_ns[POOL_FAULT_COUNT] = {
    [POOL_FAULT_BREAKS] = 4 * SECOND,  [POOL_FAULT_CUTS] = 15 * SECOND,
    [POOL_FAULT_PAUSES] = 10 * SECOND, [POOL_FAULT_NODES] = 20 * SECOND,
    [POOL_FAULT_SLOTS] = 15 * SECOND,  [POOL_FAULT_AGENT] = 30 * SECOND,
    [POOL_FAULT_DEPOTS] = 30 * SECOND, [POOL_FAULT_CLIENTS] = 30 * SECOND,
    [POOL_FAULT_POWER] = 45 * SECOND,  [POOL_FAULT_DRAINS] = 10 * SECOND,
};

static const struct {
    const char *word, *text;
} names[] = {
#define POOL_FAULT_NAME(name, word, text) {word, text},
    POOL_FAULTS(POOL_FAULT_NAME)
#undef POOL_FAULT_NAME
};

const char *pool_fault_word(enum pool_fault fault)
{
    return names[fault].word;
}

const char *pool_fault_text(enum pool_fault fault)
{
    return names[fault].text;
}

bool pool_has_fault(const struct pool *p, enum pool_fault fault)
{
    return !p->healing && p->config.faults & 1u << fault;
}

static bool apply_word(struct view word, uint32_t *faults)
{
    const bool off = word.size && word.data[0] == '-';
    uint32_t bits = 0;

    if (off)
        word = view_of(word.data + 1, word.size - 1);
    if (view_equal(word, view_of_string("all")))
        bits = (1u << POOL_FAULT_COUNT) - 1;
    for (unsigned i = 0; i < POOL_FAULT_COUNT; i++)
        if (view_equal(word, view_of_string(names[i].word)))
            bits = 1u << i;
    *faults = off ? *faults & ~bits : *faults | bits;
    return bits || view_equal(word, view_of_string("none"));
}

bool pool_faults_parse(const char *text, uint32_t *out, struct view *bad)
{
    uint32_t faults = 0;

    for (;;) {
        const size_t size = strcspn(text, ",");

        *bad = view_of(text, size);
        if (!apply_word(*bad, &faults))
            return false;
        if (!text[size])
            break;
        text += size + 1;
    }
    *out = faults;
    return true;
}

enum pool_plant pool_plant_parse(const char *word)
{
    static const char *const words[] = {
#define POOL_PLANT_WORD(name, word) word,
        POOL_PLANTS(POOL_PLANT_WORD)
#undef POOL_PLANT_WORD
    };
    unsigned i = 0;

    while (i < POOL_PLANT_COUNT && strcmp(word, words[i]) != 0)
        i++;
    return (enum pool_plant)i;
}

/* ---- Machines ---- */

/* Any but those of clients: agent, depots, nodes. */
static struct sim_host *draw_host(struct pool *p, struct prng *d)
{
    const size_t n = (size_t)prng_below(d, 1 + p->depot_count + p->node_count);

    if (n == 0)
        return p->agent.host;
    return n <= p->depot_count ? p->depots[n - 1].host : p->nodes[n - 1 - p->depot_count].host;
}

static struct pool_node *draw_node(struct pool *p, struct prng *d)
{
    return &p->nodes[prng_below(d, p->node_count)];
}

/* ---- What is started again ---- */

static void start_agent(void *pool, uint64_t unused)
{
    struct pool *p = pool;

    (void)unused;
    if (p->agent.drive || p->closing)
        return;
    sim_host_back(p->agent.host);
    pool_agent_start_part(p);
}

static void start_node(void *node, uint64_t unused)
{
    struct pool_node *n = node;

    (void)unused;
    if (n->drive || n->pool->closing)
        return;
    sim_host_back(n->host);
    pool_node_start_part(n);
}

static void start_depot(void *depot, uint64_t unused)
{
    struct pool_depot *d = depot;

    (void)unused;
    if (d->drive || d->pool->closing)
        return;
    sim_host_back(d->host);
    pool_depot_start_part(d);
}

static void start_client(void *client, uint64_t unused)
{
    struct pool_client *c = client;

    (void)unused;
    if (!c->drive && !c->pool->closing)
        pool_client_start_part(c);
}

/* ---- One of each kind ---- */

static void strike_breaks(struct pool *p, struct prng *d)
{
    sim_net_break(p->net, d, (enum sim_break)prng_below(d, SIM_BREAK_KINDS));
}

static void mend(void *pool, uint64_t unused)
{
    struct pool *p = pool;

    (void)unused;
    sim_net_mend_all(p->net);
}

static void strike_cuts(struct pool *p, struct prng *d)
{
    struct sim_host *a = draw_host(p, d), *b = draw_host(p, d);
    const uint64_t how = prng_below(d, 4);

    if (a == b)
        b = NULL; /* from everybody */
    if (how != 0)
        sim_net_cut(p->net, a, b);
    if (how != 1)
        sim_net_cut(p->net, b, a);
    sim_in(&p->sim, prng_waiting(d, 4 * SECOND), mend, p, 0);
}

static void resume_all(void *pool, uint64_t unused)
{
    struct pool *p = pool;

    (void)unused;
    if (p->agent.drive) {
        sim_part_pause(p->agent.part, false);
        sim_disk_pause(p->agent.disk, false);
    }
    for (size_t i = 0; i < p->depot_count; i++)
        if (p->depots[i].drive)
            sim_part_pause(p->depots[i].part, false);
    for (size_t i = 0; i < p->node_count; i++)
        pool_node_pause(&p->nodes[i], false, true);
    for (size_t i = 0; i < p->client_count; i++)
        if (p->clients[i].drive)
            sim_part_pause(p->clients[i].part, false);
}

static void strike_pauses(struct pool *p, struct prng *d)
{
    struct pool_depot *depot = &p->depots[prng_below(d, p->depot_count)];
    struct pool_client *client = &p->clients[prng_below(d, p->client_count)];
    struct pool_node *node = draw_node(p, d);
    const uint64_t which = prng_below(d, 8);

    if (which == 0 && p->agent.drive) {
        sim_part_pause(p->agent.part, true);
        sim_disk_pause(p->agent.disk, true);
    } else if (which == 1 && depot->drive) {
        sim_part_pause(depot->part, true);
    } else if (which == 2 && client->drive) {
        sim_part_pause(client->part, true);
    } else {
        pool_node_pause(node, true, prng_chance(d, 500000));
    }
    sim_in(&p->sim, prng_waiting(d, 2 * SECOND), resume_all, p, 0);
}

static void strike_nodes(struct pool *p, struct prng *d)
{
    struct pool_node *n = draw_node(p, d);

    pool_node_kill(n);
    sim_in(&p->sim, prng_waiting(d, 3 * SECOND), start_node, n, 0);
}

static void strike_slots(struct pool *p, struct prng *d)
{
    struct pool_node *n = draw_node(p, d);

    pool_node_kill_slot(n, (uint32_t)prng_below(d, n->slot_count));
}

static void strike_agent(struct pool *p, struct prng *d)
{
    pool_agent_kill(p);
    sim_in(&p->sim, prng_waiting(d, 2 * SECOND), start_agent, p, 0);
}

static void strike_depots(struct pool *p, struct prng *d)
{
    struct pool_depot *depot = &p->depots[prng_below(d, p->depot_count)];

    pool_depot_kill(depot);
    sim_in(&p->sim, prng_waiting(d, 3 * SECOND), start_depot, depot, 0);
}

static void strike_clients(struct pool *p, struct prng *d)
{
    struct pool_client *c = &p->clients[prng_below(d, p->client_count)];

    pool_client_kill(c);
    sim_in(&p->sim, prng_waiting(d, 3 * SECOND), start_client, c, 0);
}

static void strike_power(struct pool *p, struct prng *d)
{
    struct sim_host *h = draw_host(p, d);
    const int64_t back = prng_waiting(d, 8 * SECOND);

    sim_host_fail(h);
    if (h == p->agent.host) {
        pool_agent_kill(p);
        sim_in(&p->sim, back, start_agent, p, 0);
    }
    for (size_t i = 0; i < p->depot_count; i++)
        if (p->depots[i].host == h) {
            pool_depot_kill(&p->depots[i]);
            sim_in(&p->sim, back, start_depot, &p->depots[i], 0);
        }
    for (size_t i = 0; i < p->node_count; i++)
        if (p->nodes[i].host == h) {
            pool_node_kill(&p->nodes[i]);
            sim_in(&p->sim, back, start_node, &p->nodes[i], 0);
        }
}

static void ignore(void *context, const Tern__Envelope *answer, enum tern_err err, const char *why)
{
    (void)context;
    (void)answer;
    (void)err;
    (void)why;
}

static void ask(struct pool_client *c, const Tern__Envelope *e)
{
    if (c->drive)
        check(client_ask(c->drive, e, ignore, NULL) != 0);
}

static void drain(struct pool_client *c, struct pool_node *n, bool back)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Drain drain = TERN__DRAIN__INIT;

    drain.node = n->name;
    drain.back = back;
    e.body_case = TERN__ENVELOPE__BODY_DRAIN;
    e.drain = &drain;
    ask(c, &e);
}

static void move_or_checkpoint(struct pool *p, struct prng *d, struct pool_client *c)
{
    const struct work_task *t = &p->work.tasks[prng_below(d, p->work.task_count)];
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Move move = TERN__MOVE__INIT;
    Tern__TakeCheckpoint take = TERN__TAKE_CHECKPOINT__INIT;
    Tern__Which which = TERN__WHICH__INIT;

    if (!t->number)
        return;
    move.task = which.task = t->number;
    take.which = &which;
    if (prng_chance(d, 700000)) {
        if (prng_chance(d, 500000))
            move.node = draw_node(p, d)->name;
        e.body_case = TERN__ENVELOPE__BODY_MOVE;
        e.move = &move;
    } else {
        e.body_case = TERN__ENVELOPE__BODY_TAKE_CHECKPOINT;
        e.take_checkpoint = &take;
    }
    ask(c, &e);
}

static void strike_drains(struct pool *p, struct prng *d)
{
    struct pool_client *c = &p->clients[prng_below(d, p->client_count)];
    struct pool_node *n = draw_node(p, d);

    switch (prng_below(d, 4)) {
    case 0: drain(c, n, prng_chance(d, 600000)); break;
    case 1: pool_node_leave(n); break;
    default: move_or_checkpoint(p, d, c); break;
    }
}

static void (*const strike[POOL_FAULT_COUNT])(struct pool *p, struct prng *d) = {
    [POOL_FAULT_BREAKS] = strike_breaks, [POOL_FAULT_CUTS] = strike_cuts,
    [POOL_FAULT_PAUSES] = strike_pauses, [POOL_FAULT_NODES] = strike_nodes,
    [POOL_FAULT_SLOTS] = strike_slots,   [POOL_FAULT_AGENT] = strike_agent,
    [POOL_FAULT_DEPOTS] = strike_depots, [POOL_FAULT_CLIENTS] = strike_clients,
    [POOL_FAULT_POWER] = strike_power,   [POOL_FAULT_DRAINS] = strike_drains,
};

/* ---- When ---- */

static void next_strike(struct pool *p, enum pool_fault kind);

static void struck(void *pool, uint64_t kind)
{
    struct pool *p = pool;

    if (p->healing)
        return;
    p->result->fault[kind]++;
    sim_tell(&p->sim, TRACE_FAULT, "world", kind, 0, names[kind].word);
    strike[kind](p, &p->fault_dice[kind]);
    next_strike(p, (enum pool_fault)kind);
}

static void next_strike(struct pool *p, enum pool_fault kind)
{
    sim_in(&p->sim, prng_waiting(&p->fault_dice[kind], mean_ns[kind] / 10 * p->calm), struck, p,
           kind);
}

void pool_faults_begin(struct pool *p)
{
    for (unsigned i = 0; i < POOL_FAULT_COUNT; i++)
        if (strike[i] && pool_has_fault(p, (enum pool_fault)i))
            next_strike(p, (enum pool_fault)i);
    if (pool_has_fault(p, POOL_FAULT_FRAMES))
        p->net_config.odd_frames = (uint32_t)prng_below(&p->fault_dice[POOL_FAULT_FRAMES], 500);
    if (pool_has_fault(p, POOL_FAULT_DIALS))
        p->net_config.refused_dials =
            (uint32_t)prng_below(&p->fault_dice[POOL_FAULT_DIALS], 300000);
    sim_net_set(p->net, &p->net_config);
}

static void nobody_drained(void *pool, uint64_t unused)
{
    struct pool *p = pool;

    (void)unused;
    for (size_t i = 0; i < p->node_count; i++)
        drain(&p->clients[0], &p->nodes[i], true);
}

void pool_faults_heal(struct pool *p)
{
    p->healing = true;
    p->net_config.odd_frames = p->net_config.refused_dials = 0;
    sim_net_set(p->net, &p->net_config);
    sim_net_mend_all(p->net);
    start_agent(p, 0);
    for (size_t i = 0; i < p->depot_count; i++)
        start_depot(&p->depots[i], 0);
    for (size_t i = 0; i < p->node_count; i++)
        start_node(&p->nodes[i], 0);
    for (size_t i = 0; i < p->client_count; i++)
        start_client(&p->clients[i], 0);
    resume_all(p, 0);
    for (int n = 0; n < 3; n++) /* what was asked for before may come late */
        sim_in(&p->sim, n * 30 * SECOND, nobody_drained, p, 0);
    sim_tell(&p->sim, TRACE_FAULT, "world", 0, 0, "everything is mended");
}
