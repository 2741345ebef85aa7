#include "drive/node_drive.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

enum { WHY_BYTES = 256 };

/* Longer than an agent takes to find out that one who had the same name is gone. */
#define NAMESAKE_NS INT64_C(5000000000)

struct place {    /* of a slot */
    bool started; /* and not gone yet */
    bool failed;  /* could not be started: the core is to hear of it */
    bool up;
    link_id link;
    char why[WHY_BYTES];
};

struct node_drive {
    struct node_drive_config config;
    struct links *links;
    struct node *node;
    struct core_out out;
    struct place *place;
    link_id agent; /* the core has heard of it */
    bool was_up, over, stepping;
    uint8_t instance[8];
    int64_t namesake_ns; /* since when the agent says that another one has its name; 0: never */
};

/* ---------------------------------------------------------------- actions */

static struct place *place_of(struct node_drive *d, link_id link)
{
    for (uint32_t i = 0; i < d->config.node.slots; i++)
        if (d->place[i].started && d->place[i].link == link)
            return &d->place[i];
    return NULL;
}

static void start_slot(struct node_drive *d, uint32_t index)
{
    struct place *place = &d->place[index];
    struct problem p = {0};
    enum tern_err err;

    check(!place->started);
    *place = (struct place){0};
    err = d->config.slots->calls->start(d->config.slots->self, index, &place->link, &p);
    place->started = !err;
    place->failed = err != TERN_OK;
    if (err)
        snprintf(place->why, sizeof place->why, "%.200s", p.text);
}

static void kill_slot(struct node_drive *d, uint32_t index)
{
    if (d->place[index].started)
        d->config.slots->calls->kill(d->config.slots->self, index);
}

static void end(struct node_drive *d, enum tern_err err, const char *why)
{
    if (d->over)
        return;
    d->over = true;
    d->config.over(d->config.context, err, why);
}

static void carry_out(struct node_drive *d, const struct core_action *a)
{
    switch (a->kind) {
    case CORE_SEND:
        check(links_send(d->links, a->peer, a->message, a->attachment) == TERN_OK);
        break;
    case CORE_CLOSE: links_close(d->links, a->peer); break;
    case CORE_START_SLOT: start_slot(d, a->index); break;
    case CORE_KILL_SLOT: kill_slot(d, a->index); break;
    case CORE_NOTE:
        if (d->config.note)
            d->config.note(d->config.context, &a->note);
        break;
    case CORE_END: end(d, TERN_OK, ""); break;
    case CORE_STORE: check(!"a node has no journal"); break;
    }
}

static void on_woke(void *context);

static void step_one(struct node_drive *d, struct core_event *ev)
{
    ev->now_ns = links_now(d->links);
    core_out_clear(&d->out);
    node_step(d->node, ev, &d->out);
    for (size_t i = 0; i < d->out.count; i++)
        carry_out(d, &d->out.actions[i]);
}

static void step(struct node_drive *d, struct core_event *ev)
{
    check(!d->stepping);
    if (d->over)
        return;
    d->stepping = true;
    step_one(d, ev);
    for (uint32_t i = 0; i < d->config.node.slots; i++) {
        if (!d->place[i].failed)
            continue;
        d->place[i].failed = false;
        step_one(d, &(struct core_event){.kind = CORE_DOWN, .index = i, .why = d->place[i].why});
    }
    links_wake(d->links, d->out.wake_ns, on_woke);
    d->stepping = false;
}

static void on_woke(void *context)
{
    step(context, &(struct core_event){.kind = CORE_TICK});
}

/* ---------------------------------------------------------------- links */

static void on_up(void *context, link_id link, const Tern__Hello *hello, const char *owner)
{
    struct node_drive *d = context;
    struct place *place = place_of(d, link);
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    struct core_event ev = {.kind = CORE_UP, .peer = link, .message = &e, .owner = owner};

    e.body_case = TERN__ENVELOPE__BODY_HELLO;
    e.hello = (Tern__Hello *)hello; /* protobuf-c does not know const */
    if (place) {
        place->up = true;
        ev.index = (uint32_t)(place - d->place);
    } else if (hello->part == TERN__PART__PART_AGENT) {
        d->agent = link;
        d->was_up = true;
        if (d->config.agent)
            d->config.agent(d->config.context, true, "");
    } else {
        links_close(d->links, link);
        return;
    }
    step(d, &ev);
}

static void on_message(void *context, link_id link, const Tern__Envelope *e, struct view attachment)
{
    step(context, &(struct core_event){
                      .kind = CORE_MESSAGE, .peer = link, .message = e, .attachment = attachment});
}

static void on_down(void *context, link_id link, enum tern_err err, const char *why)
{
    struct node_drive *d = context;
    struct place *place = place_of(d, link);

    (void)err;
    if (place) { /* the process goes with it, and then the core hears */
        place->up = false;
        kill_slot(d, (uint32_t)(place - d->place));
    } else if (link == d->agent) {
        d->agent = 0;
        if (d->config.agent)
            d->config.agent(d->config.context, false, why);
        step(d, &(struct core_event){.kind = CORE_DOWN, .peer = link, .why = why});
    }
}

static bool refuses(enum tern_err err)
{
    return err == TERN_EACCES || err == TERN_EUNSAFE || err == TERN_EEXIST || err == TERN_EPROTO ||
           err == TERN_EUSAGE;
}

/* It may be what was there before us and has just died: the agent is asked for a while. */
static bool may_pass(struct node_drive *d, enum tern_err err)
{
    const int64_t now_ns = links_now(d->links);

    if (err != TERN_EEXIST)
        return false;
    if (!d->namesake_ns)
        d->namesake_ns = now_ns;
    return now_ns - d->namesake_ns < NAMESAKE_NS;
}

static void on_failed(void *context, link_id link, enum tern_err err, const char *why)
{
    struct node_drive *d = context;

    (void)link;
    if (!d->was_up && refuses(err) && !may_pass(d, err))
        end(d, err, why);
    else if (d->config.agent)
        d->config.agent(d->config.context, false, why);
    if (err == TERN_EUNREACHABLE)
        step(d, &(struct core_event){.kind = CORE_ABSENT});
}

static void on_beat(void *context, link_id link, Tern__Beat *beat, int64_t sent_ns)
{
    struct node_drive *d = context;
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    static Tern__Load load; /* until it is sent, which is at once */
    uint32_t foreign = 0;
    uint64_t memory_free = 0;

    if (sent_ns == LINKS_NOT_SENT || link != d->agent)
        return;
    if (beat->answer) {
        e.body_case = TERN__ENVELOPE__BODY_BEAT;
        e.beat = beat;
        step(d, &(struct core_event){
                    .kind = CORE_MESSAGE, .peer = link, .message = &e, .sent_ns = sent_ns});
        return;
    }
    if (d->config.load) {
        d->config.load(d->config.context, &foreign, &memory_free);
        node_load(d->node, foreign, memory_free);
    }
    node_beat(d->node, &load);
    beat->load = &load;
}

/* ---------------------------------------------------------------- slots */

static void on_gone(void *context, uint32_t index, const char *why)
{
    struct node_drive *d = context;
    struct place *place = &d->place[index];
    const link_id link = place->link;
    char said[WHY_BYTES];

    check(place->started);
    snprintf(said, sizeof said, "%s", why);
    place->started = false;
    links_close(d->links, link);
    step(d, &(struct core_event){.kind = CORE_DOWN, .peer = link, .index = index, .why = said});
}

/* ---------------------------------------------------------------- life */

static void say_instance(void *context, link_id link, Tern__Hello *ours)
{
    struct node_drive *d = context;

    (void)link;
    ours->instance = (ProtobufCBinaryData){.len = sizeof d->instance, .data = d->instance};
}

struct node_drive *node_drive_new(const struct node_drive_config *config)
{
    struct node_drive *d = calloc(1, sizeof *d);
    const struct links_config links = {.world = config->world,
                                       .part = TERN__PART__PART_NODE,
                                       .name = config->node.name,
                                       .token = config->token,
                                       .beat_ns = config->node.beat_ns,
                                       .welcome = 1u << TERN__PART__PART_SLOT,
                                       .hello = say_instance,
                                       .context = d,
                                       .up = on_up,
                                       .message = on_message,
                                       .down = on_down,
                                       .beat = on_beat,
                                       .failed = on_failed};

    if (!d)
        return NULL;
    d->config = *config;
    config->world->calls->random(config->world->self, d->instance, sizeof d->instance);
    d->place = calloc(config->node.slots, sizeof *d->place);
    d->links = links_new(&links);
    d->node = node_new(&config->node);
    if (!d->place || !d->links || !d->node) {
        node_drive_free(d);
        return NULL;
    }
    config->slots->context = d;
    config->slots->gone = on_gone;
    return d;
}

void node_drive_free(struct node_drive *d)
{
    if (!d)
        return;
    if (d->links)
        links_free(d->links);
    node_free(d->node);
    core_out_release(&d->out);
    free(d->place);
    free(d);
}

struct links *node_drive_links(struct node_drive *d)
{
    return d->links;
}

void node_drive_begin(struct node_drive *d)
{
    links_keep(d->links, d->config.agents, d->config.agent_count);
    step(d, &(struct core_event){.kind = CORE_TICK});
}

void node_drive_leave(struct node_drive *d)
{
    step(d, &(struct core_event){.kind = CORE_LEAVE});
}

const struct node *node_drive_node(const struct node_drive *d)
{
    return d->node;
}
