/* Depots of the simulated pool: what ships, over chunks in memory. */
#include "sim/pool_inner.h"

#include "base/check.h"
#include "drive/depot_drive.h"

#include <string.h>

static void told(void *context, bool warn, const char *sentence)
{
    struct pool_depot *d = context;

    sim_tell(&d->pool->sim, TRACE_SAYS, sim_part_name(d->part), warn, 0, sentence);
}

void pool_depot_start_part(struct pool_depot *d)
{
    static const char *const agent[] = {POOL_AGENT_ENDPOINT};
    struct depot_drive_config config = {.world = &d->world,
                                        .chunks = chunks_mem_chunks(d->chunks),
                                        .name = d->name,
                                        .token = d->pool->token,
                                        .endpoints = d->here,
                                        .endpoint_count = 1,
                                        .agent = agent,
                                        .agent_count = 1,
                                        .beat_ns = 500 * MS,
                                        .context = d,
                                        .told = told};
    struct handlers handlers = links_handlers;

    d->here[0] = d->endpoint;
    memset(config.key, d->name[strlen(d->name) - 1], sizeof config.key);
    d->part = sim_part_new(d->host, "depot", "pool");
    d->world = sim_part_world(d->part);
    d->drive = depot_drive_new(&config);
    check(d->drive);
    handlers.context = depot_drive_links(d->drive);
    sim_part_handle(d->part, &handlers);
    sim_part_listen(d->part, d->endpoint);
}

void pool_depot_kill(struct pool_depot *d)
{
    if (!d->drive)
        return;
    sim_part_kill(d->part);
    depot_drive_free(d->drive);
    d->drive = NULL;
    chunks_mem_power_loss(d->chunks);
    if (d->pool->config.plant == POOL_PLANT_FORGETFUL_DEPOT)
        chunks_mem_empty(d->chunks);
}
