#include "drive/links_inner.h"

#include <string.h>

static void take_message(struct links *l, struct conn *c, const Tern__Envelope *e,
                         struct view attachment)
{
    if (!c->up)
        hello_take(l, c, e);
    else if (e->body_case == TERN__ENVELOPE__BODY_BEAT)
        beat_take(l, c, e);
    else
        l->config.message(l->config.context, c->id, e, attachment);
}

static void take_frame(struct links *l, struct conn *c, const struct frame *f, struct view body)
{
    const struct view attachment = view_of(body.data + f->envelope, body.size - f->envelope);
    Tern__Envelope *e = NULL;
    enum tern_err err;

    if (f->number != c->in_next) {
        conn_end(l, c, TERN_EPROTO, "frames from %s were lost", c->text);
        return;
    }
    c->in_next++;
    err = message_decode(view_of(body.data, f->envelope), &l->arena, &e);
    if (err)
        conn_end(l, c, err, "%s sent what is no message: %s", c->text, tern_err_text(err));
    else
        take_message(l, c, e, attachment);
    arena_clear(&l->arena);
}

/* The frame at the beginning of bytes. 0: more is needed, or it cannot be one, or not now. */
static size_t take_one(struct links *l, struct conn *c, struct view bytes)
{
    struct frame f;
    enum tern_err err;

    if (c->list == CONN_GONE || c->held || bytes.size < FRAME_HEAD_BYTES)
        return 0;
    err = frame_get(&f, bytes.data);
    if (!err && !c->up && f.size > LINK_FIRST_BYTES)
        err = TERN_ETOOBIG;
    if (err) {
        conn_end(l, c, err, "%s sent what is no frame: %s", c->text, tern_err_text(err));
        return 0;
    }
    if (bytes.size - FRAME_HEAD_BYTES < f.size)
        return 0;
    take_frame(l, c, &f, view_of(bytes.data + FRAME_HEAD_BYTES, f.size));
    return FRAME_HEAD_BYTES + (size_t)f.size;
}

static size_t take_all(struct links *l, struct conn *c, struct view bytes)
{
    size_t used = 0, one;

    do {
        one = take_one(l, c, view_of(bytes.data + used, bytes.size - used));
        used += one;
    } while (one);
    return used;
}

/* Leaves in c->in what was not used of it. */
static void keep_rest(struct conn *c, size_t used)
{
    const size_t rest = c->in.size - used;

    if (used && rest)
        memmove(c->in.data, c->in.data + used, rest);
    c->in.size = rest;
    if (!rest && c->in.capacity > LINK_IDLE_BYTES)
        bytes_release(&c->in);
}

void conn_read(struct links *l, struct conn *c, struct view bytes)
{
    size_t used = 0;

    if (c->in.size == 0) { /* the usual case: whole frames, read where they lie */
        used = bytes.size ? take_all(l, c, bytes) : 0;
        bytes = view_of(bytes.data + used, bytes.size - used);
        bytes_append(&c->in, bytes.data, bytes.size);
    } else {
        bytes_append(&c->in, bytes.data, bytes.size);
        if (bytes_ok(&c->in))
            keep_rest(c, take_all(l, c, bytes_view(&c->in)));
    }
    if (!bytes_ok(&c->in))
        conn_end(l, c, TERN_ENOMEM, "no memory for what %s sends", c->text);
    c->waiting = c->held && c->in.size > 0;
}
