/* Nodes of the simulated pool. */
#include "sim/pool_inner.h"

#include "base/check.h"
#include "core/node.h"
#include "sim/core_part.h"
#include "sim/pool_slot.h"

#include <stdlib.h>
#include <string.h>

static void step(void *context, const struct core_event *ev, struct core_out *out)
{
    struct pool_node *n = context;

    node_step(n->core, ev, out);
    node_check(n->core);
}

static void note(void *context, const struct note *note)
{
    struct pool_node *n = context;

    pool_note(n->pool, sim_part_name(n->part), note);
}

static void slot_is_gone(void *node, uint64_t index_and_life)
{
    struct pool_node *n = node;
    const uint32_t index = (uint32_t)index_and_life;

    if (index_and_life >> 32 != n->life || !n->slot[index])
        return;
    slot_part_free(n->slot[index]);
    n->slot[index] = NULL;
    n->slot_link[index] = 0;
}

static uint32_t slot_of(void *context, link_id link)
{
    const struct pool_node *n = context;

    for (uint32_t i = 0; i < n->slots; i++)
        if (n->slot_link[i] == link)
            return i;
    return NODE_SLOTS_MAX;
}

/* Not from within what the slot itself is told: soon. */
static void end_slot(struct pool_node *n, uint32_t index, int64_t delay_ns)
{
    sim_in(&n->pool->sim, delay_ns, slot_is_gone, n, n->life << 32 | index);
}

static void start_or_kill(void *context, enum core_action_kind kind, uint32_t index)
{
    struct pool_node *n = context;

    if (kind == CORE_START_SLOT) {
        slot_part_free(n->slot[index]);
        n->slot[index] = slot_part_new(n, index, &n->slot_link[index]);
    } else if (n->slot[index]) {
        end_slot(n, index, MS);
    }
}

static void end(void *context)
{
    struct pool_node *n = context;

    n->ended = true;
}

static void make_ad(struct pool_node *n, Tern__NodeAd *ad)
{
    static char machine[] = "x86_64", system[] = "Linux";

    tern__node_ad__init(ad);
    ad->name = n->name;
    ad->slots = n->slots;
    ad->machine = machine;
    ad->system = system;
    ad->memory_bytes = UINT64_C(8) << 30;
    ad->processors = n->slots;
    ad->speed = n->speed;
}

void node_start_part(struct pool_node *n)
{
    static const char *const agent[] = {POOL_AGENT_ENDPOINT};
    struct node_config config = node_default;
    struct core_part_config part = {.sim = &n->pool->sim,
                                    .links = {.part = TERN__PART__PART_NODE,
                                              .name = n->name,
                                              .token = n->pool->token,
                                              .beat_ns = 500 * MS,
                                              .welcome = 1 << TERN__PART__PART_SLOT},
                                    .context = n,
                                    .step = step,
                                    .note = note,
                                    .slot = start_or_kill,
                                    .slot_of = slot_of,
                                    .end = end};

    n->part = sim_part_new(n->host, "node", "pool");
    n->life++;
    n->ended = false;
    config.name = n->name;
    config.slots = n->slots;
    make_ad(n, &config.ad);
    n->core = node_new(&config);
    check(n->core);
    part.part = n->part;
    n->drive = core_part_new(&part);
    links_keep(core_part_links(n->drive), agent, 1);
}

void node_kill(struct pool_node *n)
{
    if (!n->drive)
        return;
    sim_part_kill(n->part);
    for (uint32_t i = 0; i < n->slots; i++) {
        slot_part_free(n->slot[i]);
        n->slot[i] = NULL;
        n->slot_link[i] = 0;
    }
    core_part_free(n->drive);
    node_free(n->core);
    n->drive = NULL;
    n->core = NULL;
}

void node_kill_slot(struct pool_node *n, uint32_t index)
{
    if (n->drive)
        slot_is_gone(n, n->life << 32 | index);
}

void node_pause(struct pool_node *n, bool paused, bool slots_too)
{
    if (!n->drive)
        return;
    sim_part_pause(n->part, paused);
    for (uint32_t i = 0; i < n->slots && slots_too; i++)
        if (n->slot[i])
            slot_part_pause(n->slot[i], paused);
}

void node_leave(struct pool_node *n)
{
    if (n->drive)
        core_part_event(n->drive, &(struct core_event){.kind = CORE_LEAVE});
}
