/* Nodes of the simulated pool: what ships, with slots that are parts of the virtual world. */
#include "sim/pool_inner.h"

#include "base/check.h"
#include "drive/node_drive.h"
#include "sim/pool_slot.h"

#include <stdlib.h>

/* ---- Its slots ---- */

/* Which slot of which life of the node an event is about. */
static uint64_t event_arg(const struct pool_node *n, uint32_t index)
{
    return n->life << 32 | index;
}

static void slot_is_gone(void *node, uint64_t arg)
{
    struct pool_node *n = node;
    const uint32_t index = (uint32_t)arg;

    if (arg >> 32 != n->life || !n->slot[index])
        return;
    slot_part_free(n->slot[index]);
    n->slot[index] = NULL;
    n->slots_calls->gone(n->slots_calls->context, index, "it was killed");
}

static enum tern_err start_slot(void *self, uint32_t index, link_id *link, struct problem *p)
{
    struct pool_node *n = self;

    if (n->slot[index])
        return problem_set(p, TERN_EBUSY, "that slot has not ended yet");
    n->slot[index] = slot_part_new(n, index, link);
    return TERN_OK;
}

static void kill_slot(void *self, uint32_t index)
{
    struct pool_node *n = self;

    if (n->slot[index])
        sim_in(&n->pool->sim, MS, slot_is_gone, n, event_arg(n, index));
}

static const struct slots_calls slots_calls = {.start = start_slot, .kill = kill_slot};

void pool_node_kill_slot(struct pool_node *n, uint32_t index)
{
    if (n->drive)
        slot_is_gone(n, event_arg(n, index));
}

/* Those that have ended by themselves, as a process does. */
void pool_node_reap(struct pool_node *n)
{
    for (uint32_t i = 0; n->drive && i < n->slot_count; i++)
        if (n->slot[i] && slot_part_over(n->slot[i]))
            slot_is_gone(n, event_arg(n, i));
}

/* ---- The node ---- */

static void note(void *context, const struct note *note)
{
    struct pool_node *n = context;

    pool_note(n->pool, sim_part_name(n->part), note);
}

static void over(void *context, enum tern_err err, const char *why)
{
    struct pool_node *n = context;

    sim_tell(&n->pool->sim, TRACE_SAYS, sim_part_name(n->part), err, 0, why);
    n->ended = true;
}

static void make_ad(struct pool_node *n, Tern__NodeAd *ad)
{
    static char machine[] = "x86_64", system[] = "Linux";

    tern__node_ad__init(ad);
    ad->name = n->name;
    ad->slots = n->slot_count;
    ad->machine = machine;
    ad->system = system;
    ad->memory_bytes = UINT64_C(8) << 30;
    ad->processors = n->slot_count;
    ad->speed = n->speed;
}

void pool_node_start_part(struct pool_node *n)
{
    static const char *const agent[] = {POOL_AGENT_ENDPOINT};
    struct node_drive_config config = {.world = &n->world,
                                       .token = n->pool->token,
                                       .node = node_default,
                                       .agents = agent,
                                       .agent_count = 1,
                                       .slots = n->slots_calls,
                                       .context = n,
                                       .note = note,
                                       .over = over};
    struct handlers handlers = links_handlers;

    n->part = sim_part_new(n->host, "node", "pool");
    n->world = sim_part_world(n->part);
    n->life++;
    n->ended = false;
    *n->slots_calls = (struct slots){.calls = &slots_calls, .self = n};
    config.node.name = n->name;
    config.node.slots = n->slot_count;
    make_ad(n, &config.node.ad);
    n->drive = node_drive_new(&config);
    check(n->drive);
    handlers.context = node_drive_links(n->drive);
    sim_part_handle(n->part, &handlers);
    node_drive_begin(n->drive);
}

void pool_node_kill(struct pool_node *n)
{
    if (!n->drive)
        return;
    sim_part_kill(n->part);
    for (uint32_t i = 0; i < n->slot_count; i++) {
        slot_part_free(n->slot[i]);
        n->slot[i] = NULL;
    }
    node_drive_free(n->drive);
    n->drive = NULL;
}

void pool_node_pause(struct pool_node *n, bool paused, bool slots_too)
{
    if (!n->drive)
        return;
    sim_part_pause(n->part, paused);
    for (uint32_t i = 0; i < n->slot_count && slots_too; i++)
        if (n->slot[i])
            slot_part_pause(n->slot[i], paused);
}

void pool_node_leave(struct pool_node *n)
{
    if (n->drive)
        node_drive_leave(n->drive);
}

void pool_node_look(struct pool_node *n)
{
    if (n->drive)
        node_check(node_drive_node(n->drive));
}

void pool_node_make(struct pool_node *n)
{
    n->slot = sim_new(n->slot_count, sizeof(struct slot_part *));
    n->slots_calls = sim_new(1, sizeof *n->slots_calls);
}

void pool_node_release(struct pool_node *n)
{
    free(n->slot);
    free(n->slots_calls);
}
