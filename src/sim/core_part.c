#include "sim/core_part.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct held { /* a frame, or the end of a link, that waits for facts */
    struct held *next;
    uint64_t behind; /* this fact */
    link_id link;
    bool close;
    struct bytes frame;
};

struct core_part {
    struct core_part_config config;
    struct world world;
    struct links *links;
    struct core_out out;
    struct held *first, **last;
    uint64_t appended, stored;
    int64_t ahead_ns; /* the core's time, less that of the world */
    bool ended;
};

int64_t core_part_now(const struct core_part *p)
{
    return links_now(p->links) + p->ahead_ns;
}

struct links *core_part_links(struct core_part *p)
{
    return p->links;
}

/* ---- Actions ---- */

static void put_out(struct core_part *p, struct held *h)
{
    if (h->close)
        links_close(p->links, h->link);
    else
        links_send_frame(p->links, h->link, &h->frame);
    bytes_release(&h->frame);
    free(h);
}

static void flush(struct core_part *p)
{
    while (p->first && p->first->behind <= p->stored) {
        struct held *h = p->first;

        p->first = h->next;
        if (!p->first)
            p->last = &p->first;
        put_out(p, h);
    }
}

static void hold(struct core_part *p, const struct core_action *a)
{
    struct held *h = sim_new(1, sizeof *h);

    *h = (struct held){.behind = p->appended, .link = a->peer, .close = a->kind == CORE_CLOSE};
    if (!h->close && p->config.seal) /* what is in the out's arena may be written to */
        p->config.seal(p->config.context, (ProtobufCMessage *)&a->message->base, &p->out);
    if (!h->close)
        check(message_encode(a->message, a->attachment, 0, &h->frame) == TERN_OK);
    *p->last = h;
    p->last = &h->next;
}

static void store(struct core_part *p, const Tern__Fact *fact)
{
    struct bytes encoded = {0};

    check(p->config.journal);
    check(fact_encode(fact, &encoded) == TERN_OK);
    p->appended =
        p->config.journal->calls->append(p->config.journal->self, bytes_view(&encoded), NULL);
    bytes_release(&encoded);
}

static void carry_out(struct core_part *p, const struct core_action *a)
{
    switch (a->kind) {
    case CORE_SEND:
    case CORE_CLOSE: hold(p, a); break;
    case CORE_STORE: store(p, a->fact); break;
    case CORE_NOTE: p->config.note(p->config.context, &a->note); break;
    case CORE_START_SLOT:
    case CORE_KILL_SLOT: p->config.slot(p->config.context, a->kind, a->index); break;
    case CORE_END: p->ended = true; break;
    }
}

static void woke(void *context);

static void carry_out_all(struct core_part *p)
{
    for (size_t i = 0; i < p->out.count; i++)
        carry_out(p, &p->out.actions[i]);
    links_wake(p->links, p->out.wake_ns == INT64_MAX ? INT64_MAX : p->out.wake_ns - p->ahead_ns,
               woke);
    core_out_clear(&p->out);
    flush(p);
    if (p->ended)
        p->config.end(p->config.context);
}

void core_part_event(struct core_part *p, struct core_event *ev)
{
    if (p->ended)
        return;
    ev->now_ns = core_part_now(p);
    p->config.step(p->config.context, ev, &p->out);
    carry_out_all(p);
}

/* ---- Events ---- */

static void woke(void *context)
{
    struct core_part *p = context;

    core_part_event(p, &(struct core_event){.kind = CORE_TICK});
}

static void on_up(void *context, link_id link, const Tern__Hello *hello, const char *owner)
{
    struct core_part *p = context;
    Tern__Envelope e = TERN__ENVELOPE__INIT;

    e.body_case = TERN__ENVELOPE__BODY_HELLO;
    e.hello = (Tern__Hello *)hello;
    core_part_event(
        p, &(struct core_event){
               .kind = CORE_UP,
               .peer = link,
               .message = &e,
               .owner = owner,
               .index = p->config.slot_of ? p->config.slot_of(p->config.context, link) : 0});
}

static void on_message(void *context, link_id link, const Tern__Envelope *e, struct view attachment)
{
    core_part_event(
        context, &(struct core_event){
                     .kind = CORE_MESSAGE, .peer = link, .message = e, .attachment = attachment});
}

static void on_down(void *context, link_id link, enum tern_err err, const char *why)
{
    (void)err;
    core_part_event(context, &(struct core_event){.kind = CORE_DOWN, .peer = link, .why = why});
}

static void on_beat(void *context, link_id link, Tern__Beat *beat, int64_t sent_ns)
{
    struct core_part *p = context;
    Tern__Envelope e = TERN__ENVELOPE__INIT;

    if (sent_ns == LINKS_NOT_SENT) {
        beat->lease_ns = p->config.lease_ns;
        beat->now_ns = core_part_now(p);
    } else if (beat->answer) {
        e.body_case = TERN__ENVELOPE__BODY_BEAT;
        e.beat = beat;
        core_part_event(p, &(struct core_event){.kind = CORE_MESSAGE,
                                                .peer = link,
                                                .message = &e,
                                                .sent_ns = sent_ns + p->ahead_ns});
    }
}

static void on_stored(void *context, uint64_t up_to)
{
    struct core_part *p = context;

    p->stored = up_to;
    flush(p);
}

static void on_broken(void *context, const char *why)
{
    struct core_part *p = context;

    (void)why;
    p->ended = true;
    p->config.end(p->config.context);
}

/* ---- Life ---- */

struct core_part *core_part_new(const struct core_part_config *config)
{
    struct core_part *p = sim_new(1, sizeof *p);
    struct links_config links = config->links;
    struct handlers handlers = links_handlers;

    p->config = *config;
    p->last = &p->first;
    p->world = sim_part_world(config->part);
    p->out.wake_ns = INT64_MAX;
    links.world = &p->world;
    links.context = p;
    links.up = on_up;
    links.message = on_message;
    links.down = on_down;
    links.beat = on_beat;
    p->links = links_new(&links);
    check(p->links);
    handlers.context = p->links;
    sim_part_handle(config->part, &handlers);
    p->ahead_ns = config->time_from_ns ? config->time_from_ns - links_now(p->links) : 0;
    if (config->journal) {
        config->journal->context = p;
        config->journal->stored = on_stored;
        config->journal->broken = on_broken;
    }
    return p;
}

void core_part_begin(struct core_part *p,
                     void (*first)(void *context, int64_t now_ns, struct core_out *out))
{
    first(p->config.context, core_part_now(p), &p->out);
    carry_out_all(p);
}

void core_part_free(struct core_part *p)
{
    if (!p)
        return;
    for (struct held *h = p->first, *next; h; h = next) {
        next = h->next;
        bytes_release(&h->frame);
        free(h);
    }
    links_free(p->links);
    core_out_release(&p->out);
    free(p);
}
