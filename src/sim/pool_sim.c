#include "sim/pool_sim.h"

#include "sim/pool_inner.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pool_wrong(struct pool *p, const char *format, ...)
{
    struct pool_sim_result *r = p->result;
    va_list args;

    if (r->failed)
        return; /* the first one is the cause, most likely */
    r->failed = true;
    va_start(args, format);
    vsnprintf(r->failure, sizeof r->failure, format, args);
    va_end(args);
    sim_tell(&p->sim, TRACE_SAYS, "FAILED", 0, 0, r->failure);
    trace_last(&p->sim.trace, POOL_LAST_ROWS, &r->last);
}

void pool_note(struct pool *p, const char *who, const struct note *note)
{
    struct trace_row row = {.at_ns = p->sim.now_ns,
                            .kind = TRACE_NOTE,
                            .who = who,
                            .a = note->value[0],
                            .b = note->value[1],
                            .c = note->value[2]};
    const char *text = note_text(note->name);

    memcpy(row.text, text, strnlen(text, sizeof row.text - 1));
    trace_add(&p->sim.trace, &row);
    p->result->note[note->name]++;
    p->result->checkpoints += note->name == NOTE_TASK_CHECKPOINT;
    p->result->attempts += note->name == NOTE_TASK_PLACED;
}

/* ---- Building it ---- */

static struct sim_host *new_host(struct pool *p, const char *name)
{
    return sim_host_new(p->net, name, (int32_t)prng_between(&p->work_dice, -100, 100));
}

static void draw_sizes(struct pool *p)
{
    struct prng *d = &p->work_dice;

    p->node_count = p->config.nodes ? p->config.nodes : 1 + (size_t)prng_below(d, 6);
    p->depot_count = 1 + (size_t)prng_below(d, POOL_DEPOTS_MAX);
    p->client_count = 1 + (size_t)prng_below(d, POOL_CLIENTS_MAX);
    p->for_ns = p->config.for_ns ? p->config.for_ns : prng_between(d, 10, 120) * SECOND;
    p->calm = prng_between(d, 4, 40);
}

static void make_depots(struct pool *p)
{
    for (size_t i = 0; i < p->depot_count; i++) {
        struct pool_depot *d = &p->depots[i];

        d->pool = p;
        snprintf(d->name, sizeof d->name, "depot%zu", i);
        snprintf(d->endpoint, sizeof d->endpoint, "tcp:%s:7", d->name);
        d->host = new_host(p, d->name);
        d->chunks = chunks_mem_new(UINT64_C(1) << 30);
    }
}

static void make_nodes(struct pool *p)
{
    p->nodes = sim_new(p->node_count, sizeof *p->nodes);
    for (size_t i = 0; i < p->node_count; i++) {
        struct pool_node *n = &p->nodes[i];

        n->pool = p;
        snprintf(n->name, sizeof n->name, "node%zu", i);
        n->host = new_host(p, n->name);
        n->slot_count = 1 + (uint32_t)prng_below(&p->work_dice, 3);
        n->speed = (uint32_t)prng_between(&p->work_dice, 500, 2000);
        pool_node_make(n);
    }
}

static void make_clients(struct pool *p)
{
    for (size_t i = 0; i < p->client_count; i++) {
        struct pool_client *c = &p->clients[i];

        c->pool = p;
        snprintf(c->name, sizeof c->name, "user%zu", i);
        c->host = new_host(p, c->name);
    }
}

static void make(struct pool *p)
{
    struct sim_disk_config disk = sim_disk_default;

    sim_init(&p->sim, p->config.seed);
    p->sim.trace.context = p->config.context;
    p->sim.trace.show = p->config.row;
    prng_seed(&p->work_dice, p->config.seed, "work");
    prng_seed(&p->program_dice, p->config.seed, "programs");
    for (unsigned i = 0; i < POOL_FAULT_COUNT; i++)
        prng_seed(&p->fault_dice[i], p->config.seed, pool_fault_word((enum pool_fault)i));
    prng_fill(&p->work_dice, p->token, sizeof p->token);
    p->net_config = sim_net_default;
    p->net = sim_net_new(&p->sim, &p->net_config);
    draw_sizes(p);
    pool_agent_draw(p);
    if (pool_has_fault(p, POOL_FAULT_DISK))
        disk.slow = 100000;
    disk.lies = p->config.plant == POOL_PLANT_LYING_DISK;
    p->agent.host = new_host(p, "agent");
    p->agent.disk = sim_disk_new(&p->sim, "agent/disk", &disk);
    make_depots(p);
    make_nodes(p);
    make_clients(p);
    pool_work_draw(p);
}

static void start(struct pool *p)
{
    pool_agent_start_part(p);
    for (size_t i = 0; i < p->depot_count; i++)
        pool_depot_start_part(&p->depots[i]);
    for (size_t i = 0; i < p->node_count; i++)
        pool_node_start_part(&p->nodes[i]);
    for (size_t i = 0; i < p->client_count; i++)
        pool_client_start_part(&p->clients[i]);
    pool_faults_begin(p);
}

/* ---- Running it ---- */

static void run_until(struct pool *p, int64_t until_ns, bool stop_when_over)
{
    while (!p->result->failed && sim_step(&p->sim, until_ns)) {
        pool_check_step(p);
        if (stop_when_over && p->sim.happened % 64 == 0 && pool_check_all_over(p))
            return;
    }
}

/* What it takes if everything begins anew, three times over, and a while for all to find together.
 */
static int64_t bound_ns(const struct pool *p)
{
    int64_t work = 0, slots = 0;

    for (size_t i = 0; i < p->work.task_count; i++)
        work += (int64_t)p->work.tasks[i].whole.step * p->work.tasks[i].args.each_ns * 2;
    for (size_t i = 0; i < p->node_count; i++)
        slots += p->nodes[i].slot_count;
    return 900 * SECOND + 3 * work / slots + work / (int64_t)(p->work.task_count / 8 + 1);
}

/* Whoever comes new, and an agent that has to read what it wrote, find what was acknowledged. */
static void ask_once_more(struct pool *p)
{
    for (size_t i = 0; i < p->work.task_count; i++)
        p->work.tasks[i].ends = 0;
    for (size_t i = 0; i < p->client_count; i++)
        pool_client_kill(&p->clients[i]);
    pool_agent_kill(p);
    pool_agent_start_part(p);
    for (size_t i = 0; i < p->client_count; i++)
        pool_client_start_part(&p->clients[i]);
    run_until(p, p->sim.now_ns + 60 * SECOND, false);
    for (size_t i = 0; i < p->work.task_count; i++)
        if (!p->work.tasks[i].ends)
            pool_wrong(p, "task %llu ended, and a restarted agent does not say so",
                       (unsigned long long)p->work.tasks[i].number);
}

static void kill_all(struct pool *p)
{
    p->closing = p->healing = true;
    for (size_t i = 0; i < p->client_count; i++)
        pool_client_kill(&p->clients[i]);
    for (size_t i = 0; i < p->node_count; i++)
        pool_node_kill(&p->nodes[i]);
    for (size_t i = 0; i < p->depot_count; i++)
        pool_depot_kill(&p->depots[i]);
    pool_agent_kill(p);
    sim_drain(&p->sim);
}

static void release(struct pool *p)
{
    kill_all(p);
    for (size_t i = 0; i < p->client_count; i++)
        free(p->clients[i].jobs);
    for (size_t i = 0; i < p->node_count; i++)
        pool_node_release(&p->nodes[i]);
    for (size_t i = 0; i < p->depot_count; i++)
        chunks_mem_free(p->depots[i].chunks);
    sim_disk_free(p->agent.disk);
    sim_net_free(p->net);
    sim_release(&p->sim);
    pool_work_release(&p->work);
    free(p->nodes);
}

static void sum_up(struct pool *p)
{
    struct pool_sim_result *r = p->result;

    r->hash = trace_hash(&p->sim.trace);
    r->rows = p->sim.trace.count;
    r->events = p->sim.happened;
    r->took_ns = p->sim.now_ns;
    r->healed_ns = p->healed_ns;
    r->nodes = (uint32_t)p->node_count;
    r->depots = (uint32_t)p->depot_count;
    r->clients = (uint32_t)p->client_count;
    r->jobs = p->work.job_count;
    r->tasks = p->work.task_count;
    r->fault[POOL_FAULT_FRAMES] = sim_net_count(p->net).odd_frames;
}

void pool_sim_run(const struct pool_sim_config *config, struct pool_sim_result *result)
{
    struct pool *p = sim_new(1, sizeof *p);

    *result = (struct pool_sim_result){0};
    p->config = *config;
    p->result = result;
    make(p);
    start(p);
    run_until(p, p->for_ns, false);
    p->healed_ns = p->sim.now_ns;
    if (!result->failed) {
        pool_faults_heal(p);
        run_until(p, p->healed_ns + bound_ns(p), true);
        result->quiet_ns = p->sim.now_ns;
    }
    if (!result->failed)
        pool_check_quiet(p);
    if (!result->failed)
        ask_once_more(p);
    sum_up(p);
    release(p);
    free(p);
}

void pool_sim_release(struct pool_sim_result *result)
{
    bytes_release(&result->last);
}
