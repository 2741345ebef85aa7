/*
 * Provisional output, relayed: from the slot that writes it to whoever follows the task. The last
 * of it is kept, for those who come a little later.
 *
 * A newer attempt writes again from the committed offset on: its offset is where the stream goes
 * on, also for followers that have seen more of an older one; by fence and offset they know.
 */
#include "drive/depot_inner.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

enum { STREAMS = 2, TABLE = 1024, PIECE_BYTES = 64 << 10 };

struct stream {
    uint64_t from, to; /* offsets of what is kept */
    uint8_t *ring;     /* DEPOT_TAIL_BYTES, by offset; NULL: nothing was written yet */
};

struct follower {
    struct follower *next;
    link_id link;
    uint64_t credit;
    uint64_t at[STREAMS];
};

struct tail {                   /* a task */
    struct tail *chain;         /* in the table */
    struct tail *older, *newer; /* by use */
    uint64_t task;
    struct fence fence;
    struct stream stream[STREAMS];
    struct follower *followers;
    char domain[];
};

struct depot_tails {
    struct depot_drive *d;
    struct tail *table[TABLE];
    struct tail *oldest, *newest;
    size_t count, followers;
    uint64_t ring_bytes;
};

struct depot_tails *depot_tails_new(struct depot_drive *d)
{
    struct depot_tails *ts = calloc(1, sizeof *ts);

    if (ts)
        ts->d = d;
    return ts;
}

/* ---- Which are kept ---- */

static void unlink_use(struct depot_tails *ts, struct tail *t)
{
    *(t->older ? &t->older->newer : &ts->oldest) = t->newer;
    *(t->newer ? &t->newer->older : &ts->newest) = t->older;
    t->older = t->newer = NULL;
}

static void link_use(struct depot_tails *ts, struct tail *t)
{
    t->older = ts->newest;
    t->newer = NULL;
    *(ts->newest ? &ts->newest->newer : &ts->oldest) = t;
    ts->newest = t;
}

static void free_ring(struct depot_tails *ts, struct stream *s)
{
    if (s->ring)
        ts->ring_bytes -= DEPOT_TAIL_BYTES;
    free(s->ring);
    s->ring = NULL;
}

static void remove_tail(struct depot_tails *ts, struct tail *t)
{
    struct tail **at = &ts->table[t->task % TABLE];

    while (*at != t)
        at = &(*at)->chain;
    *at = t->chain;
    unlink_use(ts, t);
    for (int i = 0; i < STREAMS; i++)
        free_ring(ts, &t->stream[i]);
    while (t->followers) {
        struct follower *f = t->followers;

        t->followers = f->next;
        ts->followers--;
        free(f);
    }
    ts->count--;
    free(t);
}

/* The one that was not used for longest and that nobody follows. */
static bool remove_oldest(struct depot_tails *ts)
{
    for (struct tail *t = ts->oldest; t; t = t->newer) {
        if (t->followers)
            continue;
        remove_tail(ts, t);
        return true;
    }
    return false;
}

static struct tail *find(struct depot_tails *ts, const char *domain, uint64_t task)
{
    struct tail *t = ts->table[task % TABLE];

    while (t && (t->task != task || strcmp(t->domain, domain) != 0))
        t = t->chain;
    return t;
}

static struct tail *find_or_add(struct depot_tails *ts, const char *domain, uint64_t task)
{
    const size_t bytes = strlen(domain) + 1;
    struct tail *t = find(ts, domain, task);

    if (t) {
        unlink_use(ts, t);
        link_use(ts, t);
        return t;
    }
    if (ts->count >= DEPOT_TAILS_MAX && !remove_oldest(ts))
        return NULL;
    t = calloc(1, sizeof *t + bytes);
    if (!t)
        return NULL;
    t->task = task;
    memcpy(t->domain, domain, bytes);
    t->chain = ts->table[task % TABLE];
    ts->table[task % TABLE] = t;
    link_use(ts, t);
    ts->count++;
    return t;
}

/* ---- Writing ---- */

static bool make_ring(struct depot_tails *ts, struct tail *t, struct stream *s)
{
    if (s->ring)
        return true;
    while (ts->ring_bytes + DEPOT_TAIL_BYTES > DEPOT_TAILS_BYTES) {
        if (ts->oldest == t || !remove_oldest(ts))
            return false;
    }
    s->ring = malloc(DEPOT_TAIL_BYTES);
    if (s->ring)
        ts->ring_bytes += DEPOT_TAIL_BYTES;
    return s->ring;
}

/* Behind what is there; what is in front of it and was written already is left out. */
static void write_stream(struct stream *s, uint64_t offset, struct view bytes)
{
    if (offset > s->to || offset < s->from)
        s->from = s->to = offset; /* a gap, or begun again further back */
    if (offset < s->to) {
        const uint64_t known = s->to - offset;

        if (known >= bytes.size)
            return;
        bytes.data += known;
        bytes.size -= known;
    }
    for (size_t i = 0; i < bytes.size; i++)
        s->ring[(s->to + i) % DEPOT_TAIL_BYTES] = bytes.data[i];
    s->to += bytes.size;
    if (s->to - s->from > DEPOT_TAIL_BYTES)
        s->from = s->to - DEPOT_TAIL_BYTES;
}

/* ---- Following ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void send_piece(struct depot_tails *ts, const struct tail *t, struct follower *f, int i,
                       uint64_t size)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Tail m = TERN__TAIL__INIT;
    Tern__Fence fence = TERN__FENCE__INIT;

    fence.task = t->task;
    fence.attempt = t->fence.attempt;
    fence.term = t->fence.term;
    m.fence = &fence;
    m.stream = (uint32_t)i + 1;
    m.offset = f->at[i];
    e.body_case = TERN__ENVELOPE__BODY_TAIL;
    e.tail = &m;
    (void)links_send(ts->d->links, f->link, &e,
                     view_of(t->stream[i].ring + f->at[i] % DEPOT_TAIL_BYTES, (size_t)size));
    f->at[i] += size;
    f->credit -= size;
    ts->d->count.tail_bytes += size;
}

/* As much as it has credit for, and its link has room. */
static void send_to(struct depot_tails *ts, const struct tail *t, struct follower *f)
{
    for (int i = 0; i < STREAMS; i++) {
        const struct stream *s = &t->stream[i];

        if (s->to == UINT64_MAX)
            continue; /* nothing of this attempt yet */
        if (f->at[i] < s->from)
            f->at[i] =
                s->from; /* it is gone: the reader sees the gap, and waits for the checkpoint */
        while (f->at[i] < s->to && f->credit && !links_full(ts->d->links, f->link)) {
            const uint64_t to_end = DEPOT_TAIL_BYTES - f->at[i] % DEPOT_TAIL_BYTES;

            send_piece(ts, t, f, i, least(least(s->to - f->at[i], f->credit), to_end));
        }
    }
}

/* An attempt that is newer than the one before: all goes on where it says. */
static bool fence_of(struct tail *t, const Tern__Fence *f)
{
    struct fence *known = &t->fence;

    if (f->term < known->term || (f->term == known->term && f->attempt < known->attempt))
        return false;
    if (f->term != known->term || f->attempt != known->attempt)
        for (int i = 0; i < STREAMS; i++)
            t->stream[i].from = t->stream[i].to = UINT64_MAX;
    *known = (struct fence){.task = f->task, .attempt = f->attempt, .term = f->term};
    return true;
}

void depot_tail(struct depot_tails *ts, const Tern__Envelope *e, struct view attachment)
{
    const Tern__Tail *m = e->tail;
    const int i = (int)m->stream - 1;
    struct stream *s;
    struct tail *t;

    /* Nobody waits for an answer: what is not allowed is left out. */
    if (!depot_allows(ts->d, 0, 0, m->capability, CAPABILITY_WRITE) || !m->fence ||
        m->capability->fence == NULL || m->capability->fence->task != m->fence->task ||
        (m->stream != 1 && m->stream != 2) || m->offset > INT64_MAX)
        return;
    t = find_or_add(ts, m->capability->domain, m->fence->task);
    if (!t || !fence_of(t, m->fence))
        return;
    s = &t->stream[i];
    if (!make_ring(ts, t, s))
        return;
    if (s->to == UINT64_MAX) {
        s->from = s->to = m->offset;
        for (struct follower *f = t->followers; f; f = f->next)
            f->at[i] = least(f->at[i], m->offset);
    }
    for (size_t done = 0; done < attachment.size;) {
        const size_t size = (size_t)least(attachment.size - done, PIECE_BYTES / 2);

        write_stream(s, m->offset + done, view_of(attachment.data + done, size));
        for (struct follower *f = t->followers; f; f = f->next)
            send_to(ts, t, f);
        done += size;
    }
}

static struct follower **find_follower(struct tail *t, link_id link)
{
    struct follower **at = &t->followers;

    while (*at && (*at)->link != link)
        at = &(*at)->next;
    return at;
}

static void stop_following(struct depot_tails *ts, struct follower **at)
{
    struct follower *f = *at;

    *at = f->next;
    ts->followers--;
    free(f);
}

static struct follower *add_follower(struct depot_tails *ts, struct tail *t, link_id link,
                                     const Tern__Follow *m)
{
    struct follower *f = ts->followers < DEPOT_FOLLOWERS_MAX ? calloc(1, sizeof *f) : NULL;

    if (!f)
        return NULL;
    f->link = link;
    f->at[0] = m->output_from;
    f->at[1] = m->error_from;
    f->next = t->followers;
    t->followers = f;
    ts->followers++;
    return f;
}

void depot_follow(struct depot_tails *ts, link_id link, const Tern__Envelope *e)
{
    const Tern__Follow *m = e->follow;
    struct follower **at;
    struct follower *f;
    struct tail *t;

    if (!depot_allows(ts->d, link, e->number, m->capability, CAPABILITY_READ))
        return;
    t = m->stop ? find(ts, m->capability->domain, m->task)
                : find_or_add(ts, m->capability->domain, m->task);
    at = t ? find_follower(t, link) : NULL;
    if (m->stop) {
        if (at && *at)
            stop_following(ts, at);
        return;
    }
    f = at ? *at : NULL;
    if (t && !f)
        f = add_follower(ts, t, link, m);
    if (!f) {
        depot_refuse(ts->d, link, e->number, TERN_EBUSY, "too much is followed here already");
        return;
    }
    f->credit = f->credit + m->credit < f->credit ? UINT64_MAX : f->credit + m->credit;
    send_to(ts, t, f);
}

void depot_tails_drained(struct depot_tails *ts, link_id link)
{
    for (struct tail *t = ts->oldest; t; t = t->newer) {
        struct follower **at = t->followers ? find_follower(t, link) : NULL;

        if (at && *at)
            send_to(ts, t, *at);
    }
}

void depot_tails_down(struct depot_tails *ts, link_id link)
{
    for (struct tail *t = ts->oldest; t; t = t->newer) {
        struct follower **at = t->followers ? find_follower(t, link) : NULL;

        if (at && *at)
            stop_following(ts, at);
    }
}

void depot_tails_free(struct depot_tails *ts)
{
    if (!ts)
        return;
    while (ts->oldest)
        remove_tail(ts, ts->oldest);
    free(ts);
}
