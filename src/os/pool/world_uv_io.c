#include "os/pool/world_uv_inner.h"

#include "base/check.h"

#include <string.h>

enum { BUFFER_KEPT_BYTES = 2 << 20, PLAIN_BYTES = 1 << 20 };

/* ---- what comes ---- */

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    struct link *l = handle->data;

    (void)wanted;
    *out = uv_buf_init(l->world->room, sizeof l->world->room);
}

static void tell_received(struct link *l, struct view bytes)
{
    struct world_uv *w = l->world;

    world_begin(w);
    if (w->handlers.received)
        w->handlers.received(w->handlers.context, l->id, bytes);
    world_end(w);
}

static void receive_sealed(struct link *l, struct view cipher)
{
    struct world_uv *w = l->world;
    struct problem p = {0};
    enum tern_err err = TERN_OK;

    tls_feed(l->tls, cipher);
    if (l->state == LINK_SHAKING)
        link_shake(l);
    do {
        if (l->state != LINK_OPEN)
            return;
        bytes_clear(&w->plain);
        err = tls_read(l->tls, &w->plain, PLAIN_BYTES, &p);
        if (w->plain.size)
            tell_received(l, bytes_view(&w->plain));
    } while (!err && w->plain.size >= PLAIN_BYTES);
    if (err)
        link_fail(l, err, "%s: %s", l->text, p.text);
    else
        world_dirty(w, l); /* TLS may have something to answer */
}

static void receive_end(struct link *l, ssize_t status)
{
    if (status == UV_EOF)
        link_fail(l, TERN_EIO, "%s closed the connection", l->text);
    else
        link_fail(l, TERN_EIO, "the connection to %s broke: %s", l->text, uv_strerror((int)status));
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *room)
{
    struct link *l = stream->data;

    if (size == 0)
        return;
    link_got(l);
    if (size < 0)
        receive_end(l, size);
    else if (l->tls && l->state != LINK_LINGERING)
        receive_sealed(l, view_of(room->base, (size_t)size));
    else if (l->state == LINK_OPEN)
        tell_received(l, view_of(room->base, (size_t)size));
    link_put(l);
}

void link_read_start(struct link *l)
{
    const int status = uv_read_start(&l->uv.stream, on_room, on_read);

    if (status < 0 && status != UV_EALREADY)
        link_fail(l, TERN_EIO, "cannot read from %s: %s", l->text, uv_strerror(status));
}

/* ---- what goes ---- */

size_t link_unsent(const struct link *l)
{
    return l->out.size + (l->writing ? uv_stream_get_write_queue_size(&l->uv.stream) : 0);
}

static void renew(struct bytes *b)
{
    if (b->capacity > BUFFER_KEPT_BYTES)
        bytes_release(b);
    else
        bytes_clear(b);
}

static void tell_sent(struct link *l)
{
    struct world_uv *w = l->world;

    if (!l->was_full || link_unsent(l) > WORLD_SENT_BYTES || l->state != LINK_OPEN)
        return;
    l->was_full = false;
    world_begin(w);
    if (w->handlers.sent)
        w->handlers.sent(w->handlers.context, l->id);
    world_end(w);
}

static void on_shut(uv_shutdown_t *request, int status)
{
    struct link *l = request->data;

    (void)status;
    link_put(l);
}

/* Everything was sent and we are done: the other side hears of it, and closes, too. */
static void shut(struct link *l)
{
    if (l->state != LINK_LINGERING || l->shut)
        return;
    l->shut = true;
    l->shutdown.data = l;
    link_got(l);
    if (uv_shutdown(&l->shutdown, &l->uv.stream, on_shut) < 0) {
        link_fail(l, TERN_EIO, "%s is gone", l->text);
        link_put(l);
    }
}

static void on_written(uv_write_t *request, int status)
{
    struct link *l = request->data;

    l->writing = false;
    renew(&l->wire);
    if (status < 0)
        link_fail(l, TERN_EIO, "the connection to %s broke: %s", l->text, uv_strerror(status));
    else
        link_flush(l);
    link_put(l);
}

/* From `out`, sealed if need be, to `wire`. */
static bool fill_wire(struct link *l)
{
    const struct bytes empty = l->wire;

    if (!l->tls) {
        l->wire = l->out;
        l->out = empty;
        return true;
    }
    if (tls_open(l->tls) && l->out.size) {
        if (tls_write(l->tls, bytes_view(&l->out)))
            return false;
        renew(&l->out);
    }
    if (l->state == LINK_LINGERING && !l->shut)
        tls_end(l->tls);
    tls_take(l->tls, &l->wire);
    return bytes_ok(&l->wire);
}

/* Starts to write what is in `wire`; true: all of it is written. */
static bool write_wire(struct link *l)
{
    uv_buf_t buffer = uv_buf_init((char *)l->wire.data, (unsigned)l->wire.size);
    int done = uv_try_write(&l->uv.stream, &buffer, 1);

    if (done == UV_EAGAIN)
        done = 0;
    if (done >= 0 && (size_t)done == l->wire.size) {
        renew(&l->wire);
        return true;
    }
    if (done >= 0) {
        buffer = uv_buf_init((char *)l->wire.data + done, (unsigned)l->wire.size - (unsigned)done);
        l->write.data = l;
        done = uv_write(&l->write, &l->uv.stream, &buffer, 1, on_written);
    }
    if (done < 0) {
        link_fail(l, TERN_EIO, "the connection to %s broke: %s", l->text, uv_strerror(done));
    } else {
        l->writing = true;
        link_got(l);
    }
    return false;
}

void link_flush(struct link *l)
{
    if (l->writing || !l->has_handle || l->state == LINK_DIALLING || l->state == LINK_ENDED)
        return;
    if (!fill_wire(l)) {
        link_fail(l, TERN_ENOMEM, "cannot seal what is sent to %s", l->text);
        return;
    }
    if (l->wire.size && !write_wire(l))
        return;
    tell_sent(l);
    if (l->out.size == 0)
        shut(l);
}
