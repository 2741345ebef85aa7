#include "drive/links_inner.h"

enum { SILENT_BEATS = 3 };

static void send_beat(struct links *l, struct conn *c, Tern__Beat *beat, int64_t sent_ns)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;

    if (l->config.beat)
        l->config.beat(l->config.context, c->id, beat, sent_ns);
    e.body_case = TERN__ENVELOPE__BODY_BEAT;
    e.beat = beat;
    if (c->list != CONN_GONE)
        conn_send(l, c, &e, (struct view){0});
}

static void take_answer(struct links *l, struct conn *c, Tern__Beat *beat)
{
    if (!beat->n || beat->n > c->beat || c->beat - beat->n >= LINK_BEATS)
        return; /* of no beat of ours, or of one long ago: proves nothing about now */
    if (l->config.beat)
        l->config.beat(l->config.context, c->id, beat, c->beat_ns[beat->n % LINK_BEATS]);
}

void beat_take(struct links *l, struct conn *c, const Tern__Envelope *e)
{
    Tern__Beat answer = TERN__BEAT__INIT;

    if (e->beat->answer) {
        take_answer(l, c, e->beat);
        return;
    }
    l->config.message(l->config.context, c->id, e, (struct view){0});
    if (c->list == CONN_GONE)
        return;
    if (!c->dialled)
        conn_move(l, c, CONN_BEATING);
    answer.n = e->beat->n;
    answer.answer = true;
    send_beat(l, c, &answer, LINKS_NOT_SENT);
}

static void beat_now(struct links *l, struct conn *c, int64_t now_ns)
{
    Tern__Beat beat = TERN__BEAT__INIT;

    beat.n = ++c->beat;
    c->beat_ns[beat.n % LINK_BEATS] = now_ns;
    send_beat(l, c, &beat, now_ns);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When it ends if nothing comes. */
static int64_t silent_at(const struct links *l, const struct conn *c)
{
    if (c->list == CONN_NEW || !c->up)
        return c->heard_ns + LINK_HELLO_NS;
    if (c->list == CONN_QUIET || !l->config.beat_ns || c->held)
        return INT64_MAX;
    return later(c->heard_ns, l->awake_ns) + SILENT_BEATS * l->config.beat_ns;
}

static int64_t beat_at(const struct links *l, const struct conn *c)
{
    if (!c->dialled || !c->up || !l->config.beat_ns)
        return INT64_MAX;
    return c->beat ? c->beat_ns[c->beat % LINK_BEATS] + l->config.beat_ns : c->up_ns;
}

static void end_silent(struct links *l, struct conn *c)
{
    if (c->up)
        conn_end(l, c, TERN_ETIME, "nothing came from %s for %lld ms", c->text,
                 (long long)(SILENT_BEATS * l->config.beat_ns / 1000000));
    else if (c->opened)
        conn_end(l, c, TERN_ETIME, "%s did not say Hello", c->text);
    else
        conn_end(l, c, TERN_ETIME, "no answer from %s", c->text);
}

void beat_due(struct links *l, int64_t now_ns)
{
    struct conn *c, *next;

    while ((c = l->list[CONN_NEW].first) && silent_at(l, c) <= now_ns)
        end_silent(l, c);
    while ((c = l->list[CONN_BEATING].first) && silent_at(l, c) <= now_ns)
        end_silent(l, c);
    /* An owner who closes another one meanwhile ends this round: the rest is due at once. */
    for (c = l->list[CONN_OURS].first; c && c->list == CONN_OURS; c = next) {
        next = c->behind;
        if (silent_at(l, c) <= now_ns)
            end_silent(l, c);
        else if (beat_at(l, c) <= now_ns)
            beat_now(l, c, now_ns);
    }
}

int64_t beat_next(const struct links *l)
{
    const struct conn *first[] = {l->list[CONN_NEW].first, l->list[CONN_BEATING].first};
    int64_t at = INT64_MAX;

    for (size_t i = 0; i < 2; i++)
        if (first[i] && silent_at(l, first[i]) < at)
            at = silent_at(l, first[i]);
    for (const struct conn *c = l->list[CONN_OURS].first; c; c = c->behind) {
        if (silent_at(l, c) < at)
            at = silent_at(l, c);
        if (beat_at(l, c) < at)
            at = beat_at(l, c);
    }
    return at;
}
