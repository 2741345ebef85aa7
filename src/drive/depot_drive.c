#include "drive/depot_inner.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_NS INT64_C(1000000000)
#define LOOK_NS INT64_C(5000000000)

/* ---- Connections ---- */

struct depot_conn *depot_conn_find(struct depot_drive *d, link_id link)
{
    struct depot_conn *c = d->conn[link % CONN_TABLE];

    while (c && c->link != link)
        c = c->next;
    return c;
}

static struct depot_conn *add_conn(struct depot_drive *d, link_id link, Tern__Part part)
{
    struct depot_conn *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    *c = (struct depot_conn){.next = d->conn[link % CONN_TABLE], .link = link, .part = part};
    d->conn[link % CONN_TABLE] = c;
    return c;
}

static void remove_conn(struct depot_drive *d, link_id link)
{
    struct depot_conn **at = &d->conn[link % CONN_TABLE], *c;

    while (*at && (*at)->link != link)
        at = &(*at)->next;
    c = *at;
    if (!c)
        return;
    *at = c->next;
    depot_data_down(d, c);
    free(c);
}

/* ---- Words ---- */

void depot_tell(struct depot_drive *d, bool warn, const char *format, ...)
{
    char sentence[PROBLEM_TEXT_MAX];
    va_list args;

    if (!d->config.told)
        return;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    d->config.told(d->config.context, warn, sentence);
}

void depot_refuse(struct depot_drive *d, link_id link, uint64_t number, enum tern_err err,
                  const char *format, ...)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Refused r = TERN__REFUSED__INIT;
    char text[DEPOT_WHY_BYTES];
    va_list args;

    d->count.refused++;
    if (!number)
        return; /* it asked for no answer */
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    r.error = err;
    r.text = text;
    e.answers = number;
    e.body_case = TERN__ENVELOPE__BODY_REFUSED;
    e.refused = &r;
    (void)links_send(d->links, link, &e, (struct view){0});
}

/* ---- Rights ---- */

int64_t depot_agent_time(const struct depot_drive *d)
{
    if (!d->agent)
        return d->agent_ns;
    return d->agent_ns + (links_now(d->links) - d->agent_at_ns);
}

static void learn_time(struct depot_drive *d, int64_t agent_ns)
{
    const int64_t now = depot_agent_time(d);

    d->agent_ns = agent_ns > now ? agent_ns : now; /* it never runs back */
    d->agent_at_ns = links_now(d->links);
    d->agent_known = true;
}

bool depot_fence_holds(struct depot_drive *d, const Tern__Fence *f)
{
    struct fence *known;

    if (!f || !f->task)
        return true;
    known = &d->fences[f->task % DEPOT_FENCES_MAX];
    if (known->task == f->task &&
        (known->term > f->term || (known->term == f->term && known->attempt > f->attempt)))
        return false;
    *known = (struct fence){.task = f->task, .attempt = f->attempt, .term = f->term};
    return true;
}

bool depot_allows(struct depot_drive *d, link_id link, uint64_t number, const Tern__Capability *c,
                  uint32_t right)
{
    const enum tern_err err = capability_check(c, d->config.key, right, depot_agent_time(d));

    if (err == TERN_ETIME)
        depot_refuse(d, link, number, err, "the right to do this has ended: ask the agent again");
    else if (err)
        depot_refuse(d, link, number, err,
                     "this needs a right that the agent gives for depot %s, and that is not it",
                     d->config.name);
    else if (right & CAPABILITY_WRITE && !depot_fence_holds(d, c->fence))
        depot_refuse(d, link, number, TERN_EACCES,
                     "a newer attempt of this task runs: this one can write no more");
    else
        return true;
    return false;
}

bool depot_name_of(const ProtobufCBinaryData *from, struct store_name *out)
{
    if (from->len != sizeof out->bytes)
        return false;
    memcpy(out->bytes, from->data, sizeof out->bytes);
    return true;
}

/* ---- What links tell ---- */

static void on_up(void *context, link_id link, const Tern__Hello *hello, const char *owner)
{
    struct depot_drive *d = context;

    (void)owner;
    if (!add_conn(d, link, hello->part)) {
        links_close(d->links, link);
        return;
    }
    if (links_kept(d->links, d->kept) != link) {
        depot_copy_up(d->copies, link);
        return;
    }
    d->agent_at_ns = links_now(d->links);
    d->agent = link;
    if (hello->now_ns)
        learn_time(d, hello->now_ns);
    depot_ad(d);
    if (d->config.ready)
        d->config.ready(d->config.context);
}

static void on_agent(struct depot_drive *d, const Tern__Envelope *e)
{
    switch ((int)e->body_case) {
    case TERN__ENVELOPE__BODY_HOLD: depot_hold(d, e); break;
    case TERN__ENVELOPE__BODY_COPY_ROOT: depot_copy(d, e); break;
    case TERN__ENVELOPE__BODY_REFUSED:
        depot_tell(d, true, "the agent refuses: %s", e->refused->text ? e->refused->text : "");
        break;
    default: break; /* of a later version */
    }
}

static void on_message(void *context, link_id link, const Tern__Envelope *e, struct view attachment)
{
    struct depot_drive *d = context;
    struct depot_conn *c = depot_conn_find(d, link);

    if (!c)
        return;
    if (link == d->agent) {
        on_agent(d, e);
        return;
    }
    switch ((int)e->body_case) {
    case TERN__ENVELOPE__BODY_PROBE: depot_probe(d, c, e); break;
    case TERN__ENVELOPE__BODY_PUT_CHUNK: depot_put(d, c, e, attachment); break;
    case TERN__ENVELOPE__BODY_COMMIT: depot_commit(d, c, e); break;
    case TERN__ENVELOPE__BODY_GET_CHUNK: depot_get(d, c, e); break;
    case TERN__ENVELOPE__BODY_TAIL: depot_tail(d->tails, e, attachment); break;
    case TERN__ENVELOPE__BODY_FOLLOW: depot_follow(d->tails, link, e); break;
    case TERN__ENVELOPE__BODY_BEAT: break;
    default:
        if (!depot_copy_message(d->copies, link, e, attachment))
            depot_refuse(d, link, e->number, TERN_EPROTO, "a depot does not do this");
    }
}

static void on_down(void *context, link_id link, enum tern_err err, const char *why)
{
    struct depot_drive *d = context;

    (void)err;
    if (link == d->agent) {
        d->agent_ns = depot_agent_time(d); /* leases stand still */
        d->agent = 0;
        depot_copies_agent_down(d->copies);
        depot_tell(d, true, "lost the agent: %s", why);
    }
    depot_copy_down(d->copies, link, why);
    depot_tails_down(d->tails, link);
    remove_conn(d, link);
}

static void on_drained(void *context, link_id link)
{
    struct depot_drive *d = context;
    struct depot_conn *c = depot_conn_find(d, link);

    if (c)
        depot_serve(d, c);
    depot_tails_drained(d->tails, link);
    depot_copy_drained(d->copies, link);
}

static void on_beat(void *context, link_id link, Tern__Beat *beat, int64_t sent_ns)
{
    struct depot_drive *d = context;

    if (beat->answer && sent_ns != LINKS_NOT_SENT && link == d->agent && beat->now_ns)
        learn_time(d, beat->now_ns);
}

static void on_failed(void *context, link_id link, enum tern_err err, const char *why)
{
    struct depot_drive *d = context;

    (void)link;
    depot_tell(d, true, err == TERN_EEXIST ? "%s" : "cannot reach the agent: %s", why);
}

/* ---- Time ---- */

static void on_woke(void *context)
{
    struct depot_drive *d = context;
    const int64_t now = links_now(d->links);
    const bool more = d->chunks->calls->tidy(d->chunks->self);

    if (now - d->looked_ns >= LOOK_NS) {
        d->looked_ns = now;
        depot_look_for_lapsed(d);
        depot_look_for_damage(d);
        depot_ad(d);
    }
    links_wake(d->links, more ? now : now + TICK_NS, on_woke);
}

/* ---- Life ---- */

static void say_instance(void *context, link_id link, Tern__Hello *ours)
{
    struct depot_drive *d = context;

    (void)link;
    ours->instance = (ProtobufCBinaryData){.len = sizeof d->instance, .data = d->instance};
}

static void find_instance(struct depot_drive *d)
{
    const Tern__Capability nothing = TERN__CAPABILITY__INIT;
    uint8_t mac[CAPABILITY_MAC_BYTES];

    capability_seal(&nothing, d->config.key, mac);
    memcpy(d->instance, mac, sizeof d->instance);
}

static struct links *new_links(struct depot_drive *d)
{
    const struct links_config config = {
        .world = d->config.world,
        .part = TERN__PART__PART_DEPOT,
        .name = d->config.name,
        .token = d->config.token,
        .beat_ns = d->config.beat_ns,
        .welcome = 1U << TERN__PART__PART_CLIENT | 1U << TERN__PART__PART_NODE |
                   1U << TERN__PART__PART_SLOT | 1U << TERN__PART__PART_DEPOT,
        .hello = say_instance,
        .context = d,
        .up = on_up,
        .message = on_message,
        .down = on_down,
        .drained = on_drained,
        .beat = on_beat,
        .failed = on_failed,
    };

    return links_new(&config);
}

struct depot_drive *depot_drive_new(const struct depot_drive_config *config)
{
    struct depot_drive *d = calloc(1, sizeof *d);
    struct chunks_usage usage;

    if (!d)
        return NULL;
    d->config = *config;
    d->chunks = config->chunks;
    find_instance(d);
    d->links = new_links(d);
    d->tails = d->links ? depot_tails_new(d) : NULL;
    d->copies = d->tails ? depot_copies_new(d) : NULL;
    if (!d->copies) {
        depot_drive_free(d);
        return NULL;
    }
    d->chunks->calls->usage(d->chunks->self, &usage);
    d->damaged = usage.damaged;
    d->looked_ns = links_now(d->links);
    d->kept = links_keep(d->links, config->agent, config->agent_count);
    links_wake(d->links, links_now(d->links) + TICK_NS, on_woke);
    return d;
}

void depot_drive_free(struct depot_drive *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < CONN_TABLE; i++)
        while (d->conn[i])
            remove_conn(d, d->conn[i]->link);
    depot_copies_free(d->copies);
    depot_tails_free(d->tails);
    links_free(d->links);
    bytes_release(&d->room);
    bytes_release(&d->missing);
    free(d);
}

struct links *depot_drive_links(struct depot_drive *d)
{
    return d->links;
}

struct depot_drive_count depot_drive_count(const struct depot_drive *d)
{
    return d->count;
}
