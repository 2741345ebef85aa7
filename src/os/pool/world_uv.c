#include "os/pool/world_uv_inner.h"

#include "base/check.h"
#include "os/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)

static int64_t clock_ns(clockid_t which)
{
    struct timespec t;

    check(clock_gettime(which, &t) == 0);
    return t.tv_sec * SECOND_NS + t.tv_nsec;
}

void world_begin(struct world_uv *w)
{
    check(!w->telling);
    w->telling = true;
    w->now_ns = clock_ns(CLOCK_BOOTTIME);
}

void world_end(struct world_uv *w)
{
    w->telling = false;
}

/* ---- the calls of struct world ---- */

static int64_t now(void *self)
{
    const struct world_uv *w = self;

    return w->telling ? w->now_ns : clock_ns(CLOCK_BOOTTIME);
}

static int64_t wall(void *self)
{
    (void)self;
    return clock_ns(CLOCK_REALTIME);
}

static void dice(void *self, void *to, size_t size)
{
    uint8_t *at = to;

    (void)self;
    while (size) {
        const ssize_t got = getrandom(at, size, 0);

        check(got > 0 || (got < 0 && errno == EINTR));
        at += got > 0 ? got : 0;
        size -= got > 0 ? (size_t)got : 0;
    }
}

static void wake(void *self, int64_t at_ns)
{
    const struct world_uv *w = self;
    struct itimerspec when = {0};

    if (at_ns != INT64_MAX) {
        at_ns = at_ns > 0 ? at_ns : 1; /* 0 would mean never */
        when.it_value.tv_sec = at_ns / SECOND_NS;
        when.it_value.tv_nsec = at_ns % SECOND_NS;
    }
    check(timerfd_settime(w->alarm_fd, TFD_TIMER_ABSTIME, &when, NULL) == 0);
}

static link_id dial(void *self, const char *endpoint)
{
    struct link *l = link_new(self);

    link_dial(l, endpoint);
    return l->id;
}

static struct link *open_link(void *self, link_id id)
{
    struct link *l = link_find(self, id);

    return l && l->state == LINK_OPEN ? l : NULL;
}

static void send_parts(void *self, link_id id, const struct view *parts, size_t count)
{
    struct link *l = open_link(self, id);

    if (!l)
        return;
    for (size_t i = 0; i < count; i++)
        bytes_append(&l->out, parts[i].data, parts[i].size);
    if (!bytes_ok(&l->out))
        link_fail(l, TERN_ENOMEM, "no memory for what is sent to %s", l->text);
    else
        world_dirty(self, l);
    if (link_unsent(l) > WORLD_SENT_BYTES)
        l->was_full = true;
}

static size_t unsent(void *self, link_id id)
{
    const struct link *l = open_link(self, id);

    return l ? link_unsent(l) : 0;
}

static void hold(void *self, link_id id, bool held)
{
    struct link *l = open_link(self, id);

    if (l && held)
        uv_read_stop(&l->uv.stream);
    else if (l)
        link_read_start(l);
}

static void close_link(void *self, link_id id)
{
    struct link *l = link_find(self, id);

    if (l)
        link_close(l, false);
}

static const struct world_calls calls = {.now = now,
                                         .wall = wall,
                                         .random = dice,
                                         .wake = wake,
                                         .dial = dial,
                                         .send = send_parts,
                                         .unsent = unsent,
                                         .hold = hold,
                                         .close = close_link};

/* ---- what the loop calls ---- */

static void on_flush(uv_prepare_t *handle)
{
    struct world_uv *w = handle->data;
    struct link *l = w->dirty, *next;

    w->dirty = NULL;
    uv_prepare_stop(handle);
    for (; l; l = next) {
        next = l->next_dirty;
        l->dirty = false;
        link_flush(l);
        link_put(l);
    }
}

void world_dirty(struct world_uv *w, struct link *l)
{
    if (l->dirty)
        return;
    l->dirty = true;
    l->next_dirty = w->dirty;
    w->dirty = l;
    link_got(l);
    uv_prepare_start(&w->flush, on_flush);
}

static void on_soon(uv_idle_t *handle)
{
    struct world_uv *w = handle->data;
    struct link *l = w->told_first, *next;

    w->told_first = w->told_last = NULL;
    uv_idle_stop(handle);
    for (; l; l = next) {
        next = l->next_told;
        l->next_told = NULL;
        l->telling = false;
        link_tell(l);
        link_put(l);
    }
}

void world_tell(struct world_uv *w, struct link *l)
{
    if (l->telling)
        return;
    l->telling = true;
    if (w->told_last)
        w->told_last->next_told = l;
    else
        w->told_first = l;
    w->told_last = l;
    link_got(l);
    uv_idle_start(&w->soon, on_soon);
}

static void on_alarm(uv_poll_t *handle, int status, int events)
{
    struct world_uv *w = handle->data;
    uint64_t times;

    (void)events;
    if (status < 0 || sys_read(w->alarm_fd, &times, sizeof times) != sizeof times)
        return;
    world_begin(w);
    if (w->handlers.woke)
        w->handlers.woke(w->handlers.context);
    world_end(w);
}

/* ---- life ---- */

static void own_handle(struct world_uv *w, uv_handle_t *handle)
{
    handle->data = w;
    w->holds++;
}

static enum tern_err begin_alarm(struct world_uv *w, struct problem *p)
{
    w->alarm_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (w->alarm_fd < 0)
        return problem_set(p, TERN_ESYSTEM, "cannot have a timer: %s", strerror(errno));
    check(uv_poll_init(w->loop, &w->alarm, w->alarm_fd) == 0);
    own_handle(w, (uv_handle_t *)&w->alarm);
    check(uv_poll_start(&w->alarm, UV_READABLE, on_alarm) == 0);
    return TERN_OK;
}

enum tern_err world_uv_new(uv_loop_t *loop, struct tls *tls, struct world_uv **out,
                           struct problem *p)
{
    struct world_uv *w = calloc(1, sizeof *w);
    int status = 0;

    check(w);
    w->world = (struct world){.calls = &calls, .self = w};
    w->tls = tls;
    w->loop = loop ? loop : &w->own_loop;
    if (!loop)
        status = uv_loop_init(w->loop);
    if (status < 0 || begin_alarm(w, p)) {
        if (status == 0 && !loop)
            uv_loop_close(w->loop);
        free(w);
        return status < 0 ? problem_set(p, TERN_ESYSTEM, "cannot have an event loop: %s",
                                        uv_strerror(status))
                          : TERN_ESYSTEM;
    }
    uv_prepare_init(w->loop, &w->flush);
    own_handle(w, (uv_handle_t *)&w->flush);
    uv_idle_init(w->loop, &w->soon);
    own_handle(w, (uv_handle_t *)&w->soon);
    *out = w;
    return TERN_OK;
}

void world_put(struct world_uv *w)
{
    check(w->holds);
    if (--w->holds || !w->freed || w->loop == &w->own_loop)
        return;
    bytes_release(&w->plain);
    free(w->table);
    free(w);
}

static void on_closed(uv_handle_t *handle)
{
    world_put(handle->data);
}

void world_uv_free(struct world_uv *w)
{
    if (!w)
        return;
    check(!w->telling);
    w->handlers = (struct handlers){0};
    w->freed = true;
    w->holds++; /* until all is closed */
    on_flush(&w->flush);
    on_soon(&w->soon);
    for (size_t i = 0; i < w->table_size; i++)
        for (struct link *l = w->table[i], *next; l; l = next) {
            next = l->chain;
            link_close(l, true);
        }
    listeners_close(w);
    uv_close((uv_handle_t *)&w->alarm, on_closed);
    sys_close(w->alarm_fd);
    uv_close((uv_handle_t *)&w->flush, on_closed);
    uv_close((uv_handle_t *)&w->soon, on_closed);
    if (w->loop != &w->own_loop) {
        world_put(w);
        return;
    }
    while (w->holds > 1)
        uv_run(w->loop, UV_RUN_ONCE);
    check(uv_loop_close(w->loop) == 0);
    w->loop = NULL; /* not its own: it may go */
    world_put(w);
}

void world_uv_handlers(struct world_uv *w, const struct handlers *handlers)
{
    w->handlers = *handlers;
}

struct world *world_uv_world(struct world_uv *w)
{
    return &w->world;
}

uv_loop_t *world_uv_loop(struct world_uv *w)
{
    return w->loop;
}

void world_uv_run(struct world_uv *w)
{
    uv_run(w->loop, UV_RUN_DEFAULT);
}

void world_uv_stop(struct world_uv *w)
{
    uv_stop(w->loop);
}
