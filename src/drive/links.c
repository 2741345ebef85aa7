#include "drive/links_inner.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct links *links_new(const struct links_config *config)
{
    struct links *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    *l = (struct links){.config = *config, .alarm_ns = INT64_MAX, .owner_ns = INT64_MAX};
    l->awake_ns = links_time(l);
    return l;
}

void links_free(struct links *l)
{
    if (!l)
        return;
    check(!l->telling);
    for (int list = 0; list < CONN_LISTS; list++)
        while (l->list[list].first) {
            struct conn *c = l->list[list].first;

            if (list != CONN_GONE)
                l->config.world->calls->close(l->config.world->self, c->id);
            conn_free(l, c);
        }
    keep_release(l);
    arena_release(&l->arena);
    bytes_release(&l->out);
    free(l->table);
    free(l);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void links_alarm(struct links *l)
{
    int64_t at = earlier(l->owner_ns, earlier(beat_next(l), keep_next(l)));

    if (l->telling)
        return;
    if (l->full)
        at = earlier(at, links_time(l) + LINK_POLL_NS);
    if (l->list[CONN_GONE].first || l->unread)
        at = links_time(l);
    if (at >= l->alarm_ns)
        return; /* to wake too early costs less than to set the alarm with each message */
    l->alarm_ns = at;
    l->config.world->calls->wake(l->config.world->self, at);
}

/* ---- the end of a connection ---- */

void conn_end(struct links *l, struct conn *c, enum tern_err err, const char *format, ...)
{
    va_list args;

    if (c->list == CONN_GONE)
        return;
    va_start(args, format);
    vsnprintf(c->why, sizeof c->why, format, args);
    va_end(args);
    c->err = err;
    if (c->full) {
        c->full = false;
        l->full--;
    }
    conn_move(l, c, CONN_GONE);
    if (!c->closed)
        l->config.world->calls->close(l->config.world->self, c->id);
    keep_ended(l, c);
    links_alarm(l);
}

static void tell_end(struct links *l, const struct conn *c)
{
    const struct links_config *to = &l->config;

    if (c->up || (c->dialled && !c->kept && !c->unasked))
        to->down(to->context, c->id, c->err, c->why);
    else if (to->failed && !c->unasked)
        to->failed(to->context, c->id, c->err, c->why);
}

void conn_settle(struct links *l)
{
    struct conn *c;

    while ((c = l->list[CONN_GONE].first)) {
        tell_end(l, c);
        conn_free(l, c);
    }
}

void links_close(struct links *l, link_id link)
{
    struct conn *c = conn_find(l, link);

    if (c)
        conn_end(l, c, TERN_OK, "closed from this side");
}

/* ---- sending ---- */

static enum tern_err send_parts(struct links *l, struct conn *c, const struct view *parts,
                                size_t count)
{
    const struct world *w = l->config.world;

    if (w->calls->unsent(w->self, c->id) > 10 * (size_t)LINKS_UNSENT_MAX) {
        conn_end(l, c, TERN_ETOOBIG, "%s does not read what it is sent", c->text);
        return TERN_OK;
    }
    w->calls->send(w->self, c->id, parts, count);
    return TERN_OK;
}

enum tern_err conn_send(struct links *l, struct conn *c, const Tern__Envelope *e,
                        struct view attachment)
{
    struct frame f;
    enum tern_err err;

    if (attachment.size > LIMIT_ATTACHMENT)
        return TERN_ETOOBIG;
    bytes_clear(&l->out);
    err = message_encode(e, (struct view){0}, c->out_next, &l->out);
    if (err)
        return err;
    check(frame_get(&f, l->out.data) == TERN_OK);
    f.size += (uint32_t)attachment.size;
    frame_put(&f, l->out.data);
    c->out_next++;
    return send_parts(l, c, (struct view[]){bytes_view(&l->out), attachment},
                      attachment.size ? 2 : 1);
}

enum tern_err links_send(struct links *l, link_id link, const Tern__Envelope *e,
                         struct view attachment)
{
    struct conn *c = conn_find(l, link);

    return c && c->up && c->list != CONN_GONE ? conn_send(l, c, e, attachment) : TERN_OK;
}

void links_send_frame(struct links *l, link_id link, struct bytes *frame)
{
    struct conn *c = conn_find(l, link);
    struct frame f;

    if (!c || !c->up || c->list == CONN_GONE)
        return;
    check(frame->size >= FRAME_HEAD_BYTES && frame_get(&f, frame->data) == TERN_OK);
    f.number = c->out_next++;
    frame_put(&f, frame->data);
    send_parts(l, c, (struct view[]){bytes_view(frame)}, 1);
}

/* ---- pressure ---- */

static size_t unsent(const struct links *l, link_id link)
{
    return l->config.world->calls->unsent(l->config.world->self, link);
}

bool links_full(const struct links *l, link_id link)
{
    struct conn *c = conn_find(l, link);
    struct links *whole = (struct links *)l; /* that it was asked is all that changes */

    if (!c || c->list == CONN_GONE || unsent(l, link) <= LINKS_UNSENT_MAX)
        return false;
    if (!c->full) {
        c->full = true;
        whole->full++;
        links_alarm(whole);
    }
    return true;
}

static void tell_room_of(struct links *l, struct conn *c)
{
    if (!c->full || unsent(l, c->id) > LINKS_UNSENT_MAX / 2)
        return;
    c->full = false;
    l->full--;
    if (l->config.drained)
        l->config.drained(l->config.context, c->id);
}

static void tell_room(struct links *l)
{
    for (size_t i = 0; l->full && i < l->table_size; i++)
        for (struct conn *c = l->table[i]; c; c = c->chain)
            tell_room_of(l, c);
}

void links_hold(struct links *l, link_id link, bool held)
{
    struct conn *c = conn_find(l, link);

    if (!c || c->list == CONN_GONE || c->held == held)
        return;
    c->held = held;
    c->heard_ns = links_time(l);
    if (c->list == CONN_BEATING)
        conn_move(l, c, CONN_QUIET); /* until its next beat: silence is our own doing now */
    l->config.world->calls->hold(l->config.world->self, link, held);
    if (!held && c->waiting)
        l->unread = true;
    links_alarm(l);
}

/* ---- from outside ---- */

void links_joined(struct links *l, link_id link, const char *text)
{
    struct conn *c = conn_add(l, link, CONN_OURS);

    check(c);
    c->dialled = true;
    snprintf(c->text, sizeof c->text, "%s", text);
    links_alarm(l);
}

link_id links_dial(struct links *l, const char *endpoint)
{
    const link_id id = l->config.world->calls->dial(l->config.world->self, endpoint);

    links_joined(l, id, endpoint);
    return id;
}

void links_wake(struct links *l, int64_t at_ns, void (*woke)(void *context))
{
    l->owner_ns = at_ns;
    l->owner_woke = woke;
    links_alarm(l);
}

int64_t links_now(const struct links *l)
{
    return links_time(l);
}

static void end_handler(struct links *l)
{
    conn_settle(l);
    l->telling = false;
    links_alarm(l);
}

static void on_opened(void *context, link_id link, const struct world_peer *peer)
{
    struct links *l = context;
    struct conn *c = conn_find(l, link);

    l->telling = true;
    if (!c) {
        while (l->list[CONN_NEW].count >= LINK_NEW_MAX)
            conn_end(l, l->list[CONN_NEW].first, TERN_EBUSY, "too many who do not say Hello");
        c = conn_add(l, link, CONN_NEW);
        check(c);
        snprintf(c->text, sizeof c->text, "%s", peer->text ? peer->text : "someone");
    }
    snprintf(c->owner, sizeof c->owner, "%s", peer->owner ? peer->owner : "");
    c->opened = true;
    c->peer = *peer;
    c->peer.owner = c->owner;
    c->peer.text = c->text;
    if (c->dialled && c->list != CONN_GONE)
        hello_open(l, c);
    end_handler(l);
}

static void on_received(void *context, link_id link, struct view bytes)
{
    struct links *l = context;
    struct conn *c = conn_find(l, link);

    l->telling = true;
    if (c && c->list != CONN_GONE) {
        c->heard_ns = c->up ? links_time(l) : c->heard_ns;
        if (c->list == CONN_BEATING)
            conn_move(l, c, CONN_BEATING);
        conn_read(l, c, bytes);
    }
    end_handler(l);
}

static void on_closed(void *context, link_id link, enum tern_err err, const char *why)
{
    struct links *l = context;
    struct conn *c = conn_find(l, link);

    l->telling = true;
    if (c) {
        c->closed = true;
        conn_end(l, c, err, "%s", why ? why : "the connection was closed");
    }
    end_handler(l);
}

static void read_on(struct links *l)
{
    const size_t size = l->table_size;

    l->unread = false;
    for (size_t i = 0; i < l->table_size; i++)
        for (struct conn *c = l->table[i]; c; c = c->chain)
            if (c->waiting && !c->held && c->list != CONN_GONE)
                conn_read(l, c, (struct view){0});
    l->unread |= size != l->table_size; /* it grew meanwhile: some may have been passed over */
}

static void on_woke(void *context)
{
    struct links *l = context;
    const int64_t now_ns = links_time(l);

    l->telling = true;
    if (l->alarm_ns != INT64_MAX && now_ns - l->alarm_ns > l->config.beat_ns / 2)
        l->awake_ns = now_ns; /* it was we who did not run: others may have spoken meanwhile */
    l->alarm_ns = INT64_MAX;
    if (l->unread)
        read_on(l);
    tell_room(l);
    beat_due(l, now_ns);
    keep_due(l, now_ns);
    if (l->owner_ns <= now_ns) {
        l->owner_ns = INT64_MAX;
        l->owner_woke(l->config.context);
    }
    end_handler(l);
}

static void on_sent(void *context, link_id link)
{
    struct links *l = context;
    struct conn *c = conn_find(l, link);

    l->telling = true;
    if (c && c->list != CONN_GONE)
        tell_room_of(l, c);
    end_handler(l);
}

const struct handlers links_handlers = {.opened = on_opened,
                                        .received = on_received,
                                        .closed = on_closed,
                                        .woke = on_woke,
                                        .sent = on_sent};
