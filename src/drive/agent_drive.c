#include "drive/agent_drive_inner.h"

#include "base/check.h"
#include "drive/agent_record.h"

#include <stdlib.h>

/* The core's own clock tells a lost node; links only clears away connections that say nothing. */
enum { SILENCE_BEATS = 2 };

static void on_wake(void *context);

static void end(struct agent_drive *d, enum tern_err err, const char *why)
{
    if (d->ended)
        return;
    d->ended = true;
    d->config.ended(d->config.context, err, why);
}

static void end_if_over(struct agent_drive *d)
{
    if (d->ending && d->stored >= d->end_fact && !d->first)
        end(d, TERN_OK, "");
}

/* The last fact says what time it is; a snapshot makes the next start short. */
static void begin_end(struct agent_drive *d)
{
    if (d->ending)
        return;
    d->ending = true;
    time_end(d);
    d->end_fact = d->appended;
    if (d->appended - d->snapshot_at > 1000)
        facts_snapshot(d);
}

static void carry_out(struct agent_drive *d, const struct core_action *a)
{
    switch (a->kind) {
    case CORE_SEND: gate_send(d, a->peer, a->message, a->attachment); break;
    case CORE_CLOSE: gate_close(d, a->peer); break;
    case CORE_STORE: fact_store(d, a->fact); break;
    case CORE_NOTE: note_log(d, &a->note); break;
    case CORE_END: begin_end(d); break;
    case CORE_START_SLOT:
    case CORE_KILL_SLOT: check(false); /* an agent has no slots */
    }
}

/* Not more often than there is as much new as there was: so snapshots cost a constant share. */
static bool snapshot_is_due(const struct agent_drive *d)
{
    const uint64_t least =
        d->config.snapshot_facts ? d->config.snapshot_facts : AGENT_SNAPSHOT_FACTS;
    const uint64_t facts = d->appended - d->snapshot_at;

    return !d->ending && !d->compact_up_to && facts >= least && facts >= d->snapshot_size;
}

static void carry_all(struct agent_drive *d)
{
    for (size_t i = 0; i < d->out.count; i++)
        carry_out(d, &d->out.actions[i]);
    time_renew(d);
    links_wake(d->links, time_wake(d, d->out.wake_ns), on_wake);
    core_out_clear(&d->out);
    if (snapshot_is_due(d))
        facts_compact(d);
}

static void give(struct agent_drive *d, struct core_event *ev)
{
    if (d->ended)
        return;
    ev->now_ns = drive_time(d);
    if (d->config.record) {
        bytes_clear(&d->event);
        agent_record_put(&d->event, ev);
        d->config.record(d->config.context, bytes_view(&d->event));
    }
    agent_step(d->agent, ev, &d->out);
    carry_all(d);
}

/* ---- what links tells ---- */

static void on_wake(void *context)
{
    give(context, &(struct core_event){.kind = CORE_TICK});
}

static void on_up(void *context, link_id link, const Tern__Hello *hello, const char *owner)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;

    e.body_case = TERN__ENVELOPE__BODY_HELLO;
    e.hello = (Tern__Hello *)hello; /* to be read only */
    give(context,
         &(struct core_event){.kind = CORE_UP, .peer = link, .message = &e, .owner = owner});
}

static void on_message(void *context, link_id link, const Tern__Envelope *e, struct view attachment)
{
    struct agent_drive *d = context;

    if (e->body_case == TERN__ENVELOPE__BODY_DEPOT_AD)
        seal_key(d, e->depot_ad->name, e->depot_ad->key);
    give(d, &(struct core_event){
                .kind = CORE_MESSAGE, .peer = link, .message = e, .attachment = attachment});
    gate_hold(d, link);
}

static void on_down(void *context, link_id link, enum tern_err err, const char *why)
{
    struct agent_drive *d = context;

    if (err && err != TERN_EIO)
        drive_log(d, NOTE_INFO, "%s", why);
    give(d, &(struct core_event){.kind = CORE_DOWN, .peer = link, .why = why});
}

static void on_failed(void *context, link_id link, enum tern_err err, const char *why)
{
    (void)link;
    (void)err;
    drive_log(context, NOTE_INFO, "%s", why);
}

static void on_beat(void *context, link_id link, Tern__Beat *beat, int64_t sent_ns)
{
    struct agent_drive *d = context;

    (void)link;
    if (sent_ns != LINKS_NOT_SENT)
        return;
    beat->lease_ns = d->agent_config.lease_ns;
    beat->now_ns = drive_time(d);
}

static struct links *begin_links(struct agent_drive *d)
{
    const struct links_config config = {
        .world = d->config.world,
        .part = TERN__PART__PART_AGENT,
        .name = "",
        .token = d->config.token,
        .beat_ns = SILENCE_BEATS * d->agent_config.beat_ns,
        .welcome = 1u << TERN__PART__PART_CLIENT | 1u << TERN__PART__PART_NODE |
                   1u << TERN__PART__PART_DEPOT,
        .hello_later = true,
        .context = d,
        .up = on_up,
        .message = on_message,
        .down = on_down,
        .beat = on_beat,
        .failed = on_failed,
    };

    return links_new(&config);
}

/* ---- what the journal tells ---- */

static void on_stored(void *context, uint64_t up_to)
{
    struct agent_drive *d = context;

    d->stored = up_to;
    if (time_stored(d, up_to))
        links_wake(d->links, links_now(d->links), on_wake);
    gate_open(d);
    if (!d->ended)
        end_if_over(d);
}

static void on_broken(void *context, const char *why)
{
    end(context, TERN_EIO, why);
}

static void on_compacted(void *context, enum tern_err err, uint64_t size, const char *why)
{
    facts_compacted(context, err, size, why);
}

/* ---- life ---- */

enum tern_err agent_drive_new(const struct agent_drive_config *config, struct agent_drive **out,
                              struct problem *p)
{
    struct agent_drive *d = calloc(1, sizeof *d);
    uint8_t pool[16];
    enum tern_err err;

    check(d);
    *d = (struct agent_drive){.config = *config, .out = {.wake_ns = INT64_MAX}};
    d->agent_config = config->agent ? *config->agent : agent_default;
    d->agent = agent_new(&d->agent_config);
    d->links = begin_links(d);
    check(d->agent && d->links);
    err = facts_read(d, p);
    if (err) {
        agent_drive_free(d);
        return err;
    }
    config->journal->context = d;
    config->journal->stored = on_stored;
    config->journal->broken = on_broken;
    config->journal->compacted = on_compacted;
    config->world->calls->random(config->world->self, pool, sizeof pool);
    time_begin(d);
    agent_start(d->agent, drive_time(d), pool, &d->out);
    carry_all(d);
    *out = d;
    return TERN_OK;
}

struct handlers agent_drive_handlers(struct agent_drive *d)
{
    struct handlers handlers = links_handlers;

    handlers.context = d->links;
    return handlers;
}

void agent_drive_leave(struct agent_drive *d)
{
    if (d->leaving)
        return;
    d->leaving = true;
    give(d, &(struct core_event){.kind = CORE_LEAVE});
}

void agent_drive_free(struct agent_drive *d)
{
    if (!d)
        return;
    d->config.journal->stored = NULL;
    d->config.journal->broken = NULL;
    d->config.journal->compacted = NULL;
    links_free(d->links);
    agent_free(d->agent);
    core_out_release(&d->out);
    gate_release(d);
    seal_release(d);
    bytes_release(&d->fact);
    bytes_release(&d->event);
    free(d);
}

const struct agent *agent_drive_core(const struct agent_drive *d)
{
    return d->agent;
}
