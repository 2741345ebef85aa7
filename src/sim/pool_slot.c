#include "sim/pool_slot.h"

#include "base/check.h"
#include "drive/slot.h"
#include "sim/engine_sim.h"

#include <stdio.h>
#include <stdlib.h>

struct slot_part {
    struct pool_node *node;
    char name[POOL_NAME_BYTES];
    struct sim_part *part;
    struct world world;
    struct chunks_mem *chunks;
    struct engine_sim *engine;
    struct slot *drive;
    bool over;
};

static void over(void *context, const char *why)
{
    struct slot_part *s = context;

    sim_tell(&s->node->pool->sim, TRACE_SAYS, sim_part_name(s->part), 0, 0, why);
    s->over = true;
}

static void make_engine(struct slot_part *s)
{
    struct pool *p = s->node->pool;
    const struct engine_sim_config config = {
        .sim = &p->sim,
        .name = sim_part_name(s->part),
        .chunks = chunks_mem_chunks(s->chunks),
        .dice = &p->program_dice,
        .speed = s->node->speed,
        .breaks = pool_has_fault(p, POOL_FAULT_PROGRAMS) ? 300 : 0,
        .not_checkpointed = pool_has_fault(p, POOL_FAULT_PROGRAMS) ? 30000 : 0,
        .echoes = p->config.plant == POOL_PLANT_ECHO,
        .strict = &p->strict};

    s->engine = engine_sim_new(&config);
}

struct slot_part *slot_part_new(struct pool_node *n, uint32_t index, link_id *at_node)
{
    struct slot_part *s = sim_new(1, sizeof *s);
    struct slot_config config = {.world = &s->world,
                                 .token = n->pool->token,
                                 .every_ns = 5 * SECOND,
                                 .context = s,
                                 .over = over};
    struct handlers handlers = links_handlers;
    link_id here;

    s->node = n;
    snprintf(s->name, sizeof s->name, "slot-%u", (unsigned)index);
    s->part = sim_part_new(n->host, s->name, "pool");
    s->world = sim_part_world(s->part);
    s->chunks = chunks_mem_new(0);
    make_engine(s);
    config.chunks = chunks_mem_chunks(s->chunks);
    config.engine = engine_sim_engine(s->engine);
    s->drive = slot_new(&config);
    check(s->drive);
    handlers.context = slot_links(s->drive);
    sim_part_handle(s->part, &handlers);
    sim_part_join(n->part, s->part, at_node, &here);
    slot_begin(s->drive, here);
    return s;
}

void slot_part_free(struct slot_part *s)
{
    if (!s)
        return;
    sim_part_kill(s->part);
    slot_free(s->drive);
    engine_sim_free(s->engine);
    chunks_mem_free(s->chunks);
    free(s);
}

bool slot_part_over(const struct slot_part *s)
{
    return s->over;
}

void slot_part_pause(struct slot_part *s, bool paused)
{
    sim_part_pause(s->part, paused);
    engine_sim_pause(s->engine, paused);
}
