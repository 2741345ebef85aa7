#include "os/pool/streams.h"

#include "base/check.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE_BYTES = 64 << 10,
    PIECES_AT_ONCE = 16, /* before others on the loop have their turn */
    INPUT_KEPT_ROOM = 1 << 20,
};

struct output {
    struct streams *streams;
    int number;  /* 1 or 2 */
    int fd, end; /* ours, the program's */
    uv_poll_t poll;
    uint64_t told;
};

/* Of one program; its handle outlives it until the loop has closed it. */
struct input {
    struct streams *streams; /* NULL: of a program that has ended */
    int fd, end;
    uv_poll_t poll;
    struct bytes waiting;
    size_t at; /* of what waits, in the pipe already */
    bool is_all;
    bool closed; /* the handle */
};

struct streams {
    struct streams_owner owner;
    uv_loop_t *loop;
    struct output out[2];
    struct input *in; /* NULL: no input comes */
    int no_input;     /* a pipe that is at its end */
    uv_idle_t soon;
    unsigned handles;
    bool going, held, sealed, finishing;
    uint8_t piece[PIECE_BYTES];
};

/* ---- Output ---- */

/* False: there is nothing more at the moment. */
static bool tell_piece(struct output *o)
{
    struct streams *s = o->streams;
    const ssize_t got = sys_read(o->fd, s->piece, sizeof s->piece);

    if (got <= 0)
        return false;
    o->told += (uint64_t)got;
    s->owner.output(s->owner.context, o->number, view_of(s->piece, (size_t)got));
    return true;
}

static void tell_all(struct streams *s)
{
    for (int i = 0; i < 2; i++)
        while (tell_piece(&s->out[i]))
            ;
}

static bool is_open(const struct streams *s)
{
    return s->going && !s->held && !s->sealed;
}

static void on_output(uv_poll_t *poll, int status, int events)
{
    struct output *o = poll->data;

    (void)status;
    (void)events;
    if (!o->streams->going)
        uv_poll_stop(poll);
    for (int i = 0; i < PIECES_AT_ONCE && is_open(o->streams); i++) {
        if (!tell_piece(o))
            return;
    }
}

/* Begins or ends listening, as things are now. */
static void listen_or_not(struct streams *s)
{
    for (int i = 0; i < 2; i++) {
        uv_poll_t *poll = &s->out[i].poll;

        if (is_open(s) && !uv_is_active((uv_handle_t *)poll))
            uv_poll_start(poll, UV_READABLE, on_output);
        else if (!is_open(s))
            uv_poll_stop(poll);
    }
}

/* ---- Input ---- */

static void forget(struct input *in)
{
    sys_close(in->end);
    bytes_release(&in->waiting);
    free(in);
}

static void on_input_closed(uv_handle_t *handle)
{
    struct input *in = handle->data;

    in->closed = true;
    if (!in->streams)
        forget(in);
}

/* Whoever reads it finds the end. The loop lets go of a descriptor before it is closed. */
static void close_input(struct input *in)
{
    if (in->fd < 0)
        return;
    uv_close((uv_handle_t *)&in->poll, on_input_closed);
    sys_close(in->fd);
    in->fd = -1;
}

static void drop_input(struct streams *s)
{
    struct input *in = s->in;

    if (!in)
        return;
    s->in = NULL;
    in->streams = NULL;
    close_input(in);
    if (in->closed)
        forget(in);
}

static void took(struct input *in, size_t count)
{
    in->at += count;
    if (in->at < in->waiting.size)
        return;
    in->at = 0;
    if (in->waiting.capacity > INPUT_KEPT_ROOM)
        bytes_release(&in->waiting);
    bytes_clear(&in->waiting);
}

/* Somebody reads, or nothing waits. */
static void on_input(uv_poll_t *poll, int status, int events)
{
    struct input *in = poll->data;
    struct streams *s = in->streams;

    (void)status;
    (void)events;
    while (in->waiting.size > 0) {
        const ssize_t done =
            sys_write(in->fd, in->waiting.data + in->at, in->waiting.size - in->at);

        if (done <= 0)
            return; /* full */
        took(in, (size_t)done);
    }
    if (in->is_all) {
        close_input(in);
        return;
    }
    uv_poll_stop(poll);
    s->owner.wants(s->owner.context);
}

void streams_input(struct streams *s, struct view bytes, bool end)
{
    struct input *in = s->in;

    if (!in || in->is_all || (bytes.size == 0 && !end))
        return;
    bytes_append(&in->waiting, bytes.data, bytes.size);
    check(bytes_ok(&in->waiting)); /* the owner gives as much as it likes to have here */
    in->is_all = end;
    if (s->going)
        uv_poll_start(&in->poll, UV_WRITABLE, on_input);
}

static enum tern_err open_input(struct streams *s, struct problem *p)
{
    struct input *in = calloc(1, sizeof *in);
    int ends[2];

    if (!in || sys_pipe(ends) < 0) {
        free(in);
        return problem_set(p, TERN_ESYSTEM, "cannot make a pipe for standard input");
    }
    in->streams = s;
    in->end = ends[0];
    in->fd = ends[1];
    in->poll.data = in;
    check(uv_poll_init(s->loop, &in->poll, in->fd) == 0);
    s->in = in;
    return TERN_OK;
}

/* ---- For one program ---- */

enum tern_err streams_begin(struct streams *s, bool has_input, int fds[3], struct problem *p)
{
    enum tern_err err;

    drop_input(s);
    err = has_input ? open_input(s, p) : TERN_OK;
    if (err)
        return err;
    fds[0] = s->in ? s->in->end : s->no_input;
    for (int i = 0; i < 2; i++) {
        s->out[i].told = 0;
        fds[i + 1] = s->out[i].end;
        if (fcntl(s->out[i].end, F_GETFL) & O_NONBLOCK)
            fcntl(s->out[i].end, F_SETFL, 0);
    }
    fcntl(s->no_input, F_SETFL, 0);
    s->held = s->sealed = false;
    return TERN_OK;
}

void streams_go(struct streams *s)
{
    s->going = true;
    listen_or_not(s);
    if (s->in)
        uv_poll_start(&s->in->poll, UV_WRITABLE, on_input);
}

static void finish(struct streams *s)
{
    for (int i = 0; i < 2; i++)
        while (!s->held && tell_piece(&s->out[i]))
            ;
    if (s->held)
        return;
    s->going = s->finishing = false; /* and goes on listening: nobody writes */
    drop_input(s);
    s->owner.finished(s->owner.context);
}

static void finish_soon(uv_idle_t *soon)
{
    struct streams *s = soon->data;

    uv_idle_stop(soon);
    if (s->finishing)
        finish(s);
}

void streams_hold(struct streams *s, bool held)
{
    s->held = held;
    listen_or_not(s);
    if (!held && s->finishing)
        uv_idle_start(&s->soon, finish_soon);
}

void streams_seal(struct streams *s)
{
    tell_all(s);
    s->sealed = true;
    listen_or_not(s);
}

void streams_unseal(struct streams *s)
{
    s->sealed = false;
    listen_or_not(s);
}

void streams_finish(struct streams *s)
{
    s->finishing = true;
    s->sealed = false;
    finish(s);
}

uint64_t streams_told(const struct streams *s, int stream)
{
    return s->out[stream - 1].told;
}

/* ---- Life ---- */

static void free_all(struct streams *s)
{
    for (int i = 0; i < 2; i++) {
        sys_close(s->out[i].fd);
        sys_close(s->out[i].end);
    }
    sys_close(s->no_input);
    free(s);
}

static void on_closed(uv_handle_t *handle)
{
    struct streams *s = handle->data;

    if (--s->handles == 0)
        free_all(s);
}

static bool open_pipes(struct streams *s)
{
    int ends[2];

    for (int i = 0; i < 2; i++) {
        if (sys_pipe(ends) < 0)
            return false;
        s->out[i].fd = ends[0];
        s->out[i].end = ends[1];
    }
    if (sys_pipe(ends) < 0)
        return false;
    sys_close(ends[1]);
    s->no_input = ends[0];
    return true;
}

enum tern_err streams_open(uv_loop_t *loop, const struct streams_owner *owner, struct streams **out,
                           struct problem *p)
{
    struct streams *s = calloc(1, sizeof *s);

    if (!s)
        return problem_set(p, TERN_ENOMEM, "out of memory");
    s->owner = *owner;
    s->loop = loop;
    s->no_input = -1;
    for (int i = 0; i < 2; i++)
        s->out[i] = (struct output){.streams = s, .number = i + 1, .fd = -1, .end = -1};
    if (!open_pipes(s)) {
        free_all(s);
        return problem_set(p, TERN_ESYSTEM, "cannot make pipes for a program's output");
    }
    for (int i = 0; i < 2; i++) {
        s->out[i].poll.data = &s->out[i];
        check(uv_poll_init(loop, &s->out[i].poll, s->out[i].fd) == 0);
    }
    s->soon.data = s;
    check(uv_idle_init(loop, &s->soon) == 0);
    s->handles = 3;
    *out = s;
    return TERN_OK;
}

void streams_close(struct streams *s)
{
    if (!s)
        return;
    s->going = false;
    drop_input(s);
    for (int i = 0; i < 2; i++) {
        s->out[i].poll.data = s;
        uv_close((uv_handle_t *)&s->out[i].poll, on_closed);
    }
    uv_close((uv_handle_t *)&s->soon, on_closed);
}
