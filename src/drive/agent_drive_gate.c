#include "drive/agent_drive_inner.h"

#include "base/check.h"

#include <stdlib.h>

/* A new one at the end, behind the newest fact. */
static struct waiting *wait_in_line(struct agent_drive *d, link_id link)
{
    struct waiting *w = calloc(1, sizeof *w);

    check(w);
    *w = (struct waiting){.fact = d->appended, .link = link};
    if (d->last)
        d->last->next = w;
    else
        d->first = w;
    d->last = w;
    return w;
}

static bool is_open(const struct agent_drive *d)
{
    return !d->first && d->stored == d->appended;
}

static void too_big(struct agent_drive *d, const Tern__Envelope *e)
{
    drive_log(d, NOTE_WARN, "a message (%s) is larger than the limit, and was not sent",
              message_name(e));
}

/* The core knows no wall time. */
static void tell_wall(const struct agent_drive *d, const Tern__Envelope *e)
{
    const struct world *w = d->config.world;
    Tern__PoolRow *pool = e->body_case == TERN__ENVELOPE__BODY_ROWS ? e->rows->pool : NULL;

    if (pool)
        pool->wall_of_zero_ns = w->calls->wall(w->self) - pool->now_ns;
}

void gate_send(struct agent_drive *d, link_id link, const Tern__Envelope *e, struct view attachment)
{
    struct waiting *w;

    seal_message(d, e);
    tell_wall(d, e);
    if (is_open(d)) {
        if (links_send(d->links, link, e, attachment))
            too_big(d, e);
        return;
    }
    w = wait_in_line(d, link);
    if (message_encode(e, attachment, 0, &w->frame)) {
        too_big(d, e);
        w->link = 0;
    }
    d->waiting_bytes += w->frame.size;
}

void gate_close(struct agent_drive *d, link_id link)
{
    if (is_open(d))
        links_close(d->links, link);
    else
        wait_in_line(d, link)->closes = true;
}

static void read_again(struct agent_drive *d)
{
    for (size_t i = 0; i < d->held_count; i++)
        links_hold(d->links, d->held[i], false);
    d->held_count = 0;
}

void gate_open(struct agent_drive *d)
{
    struct waiting *w;

    while ((w = d->first) && w->fact <= d->stored) {
        d->first = w->next;
        if (!d->first)
            d->last = NULL;
        d->waiting_bytes -= w->frame.size;
        if (w->closes)
            links_close(d->links, w->link);
        else if (w->link)
            links_send_frame(d->links, w->link, &w->frame);
        bytes_release(&w->frame);
        free(w);
    }
    if (d->held_count && d->waiting_bytes < AGENT_HELD_BYTES / 2)
        read_again(d);
}

void gate_hold(struct agent_drive *d, link_id link)
{
    if (d->waiting_bytes < AGENT_HELD_BYTES)
        return;
    if (d->held_count == d->held_room) {
        d->held_room = d->held_room ? 2 * d->held_room : 64;
        d->held = realloc(d->held, d->held_room * sizeof *d->held);
        check(d->held);
    }
    d->held[d->held_count++] = link;
    links_hold(d->links, link, true);
}

void gate_release(struct agent_drive *d)
{
    while (d->first) {
        struct waiting *w = d->first;

        d->first = w->next;
        bytes_release(&w->frame);
        free(w);
    }
    free(d->held);
}
