/* The agent of the simulated pool: what ships, over a disk that tears. */
#include "sim/pool_inner.h"

#include "base/check.h"
#include "drive/agent_drive.h"

enum { SNAPSHOT_FACTS_MAX = 400 };

static void note(void *context, const struct note *note)
{
    struct pool *p = context;

    pool_note(p, sim_part_name(p->agent.part), note);
}

static void ended(void *context, enum tern_err err, const char *why)
{
    struct pool *p = context;

    p->agent.ended = true;
    sim_tell(&p->sim, TRACE_SAYS, sim_part_name(p->agent.part), err, 0, why);
}

void pool_agent_start_part(struct pool *p)
{
    struct pool_agent *a = &p->agent;
    struct agent_config agent = agent_default;
    struct agent_drive_config config = {.world = &a->world,
                                        .journal = sim_disk_journal(a->disk),
                                        .agent = &agent,
                                        .token = p->token,
                                        .software = "tern of the simulator",
                                        .snapshot_facts = p->snapshot_facts,
                                        .context = p,
                                        .note = note,
                                        .ended = ended};
    struct problem problem = {.err = TERN_OK};
    struct handlers handlers;

    agent.broken_max = 1000; /* slots die a lot here */
    a->ended = false;
    a->part = sim_part_new(a->host, "agent", "pool");
    a->world = sim_part_world(a->part);
    if (agent_drive_new(&config, &a->drive, &problem)) {
        pool_wrong(p, "the agent cannot be started again: %s", problem.text);
        return;
    }
    handlers = agent_drive_handlers(a->drive);
    sim_part_handle(a->part, &handlers);
    sim_part_listen(a->part, POOL_AGENT_ENDPOINT);
}

void pool_agent_kill(struct pool *p)
{
    struct pool_agent *a = &p->agent;

    if (!a->drive)
        return;
    sim_part_kill(a->part);
    agent_drive_free(a->drive);
    sim_disk_crash(a->disk);
    a->drive = NULL;
}

void pool_agent_draw(struct pool *p)
{
    p->snapshot_facts = (uint64_t)prng_between(&p->work_dice, 10, SNAPSHOT_FACTS_MAX);
}

const struct agent *pool_agent_core(const struct pool *p)
{
    return p->agent.drive ? agent_drive_core(p->agent.drive) : NULL;
}
