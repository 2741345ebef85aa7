#include "lib/address.h"
#include "lib/lib.h"

#include "base/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *tern_error_text(enum tern_err err)
{
    return tern_err_text(err);
}

const char *tern_version(void)
{
    return TERN_VERSION;
}

enum tern_err lib_fail(struct tern *t, enum tern_err err, const char *format, ...)
{
    va_list args;

    t->why.err = err;
    va_start(args, format);
    vsnprintf(t->why.text, sizeof t->why.text, format, args);
    va_end(args);
    return err;
}

const char *tern_why(const struct tern *t)
{
    return t ? t->why.text : tern_err_text(TERN_ENOMEM);
}

bool tern_is_up(const struct tern *t)
{
    return t->client && client_is_up(t->client);
}

void tern_set_patience(struct tern *t, int ms)
{
    t->patience_ms = ms;
}

const char *tern_owner(const struct tern *t)
{
    return t->owner;
}

/* ---- what the client tells ---- */

static void on_up(void *context, const Tern__Hello *agent)
{
    struct tern *t = context;

    t->was_up = true;
    t->refused = false;
    t->failures = 0;
    snprintf(t->owner, sizeof t->owner, "%s", agent->owner);
}

/* With these it makes no sense to dial again. */
static bool is_refusal(enum tern_err err)
{
    return err == TERN_EACCES || err == TERN_EVERSION || err == TERN_EPROTO ||
           err == TERN_EUNSAFE || err == TERN_ENOENT || err == TERN_EUNREACHABLE;
}

static void note_down(struct tern *t, enum tern_err err, const char *why)
{
    if (!t->down_ns || client_is_up(t->client))
        t->down_ns = (int64_t)uv_now(&t->loop) * 1000000;
    problem_set(&t->down, err ? err : TERN_EUNREACHABLE, "%s", why);
    t->refused = is_refusal(err);
}

static void on_down(void *context, enum tern_err err, const char *why)
{
    struct tern *t = context;

    t->down_ns = 0;
    note_down(t, err, why);
    t->refused = false; /* it will be told when it is dialled again */
}

static void on_failed(void *context, enum tern_err err, const char *why)
{
    struct tern *t = context;

    t->failures++;
    note_down(t, err, why);
}

/* ---- the loop ---- */

/* libuv writes to sockets without MSG_NOSIGNAL. */
struct quiet {
    sigset_t before;
    bool pending, blocked;
};

static struct quiet quiet_begin(void)
{
    struct quiet q = {.pending = false};
    sigset_t pipe, pending;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    q.pending = sigismember(&pending, SIGPIPE);
    q.blocked = pthread_sigmask(SIG_BLOCK, &pipe, &q.before) == 0;
    return q;
}

static void quiet_end(const struct quiet *q)
{
    const struct timespec at_once = {.tv_sec = 0};
    sigset_t pipe, pending;

    if (!q->blocked)
        return;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    if (!q->pending && sigismember(&pending, SIGPIPE))
        sigtimedwait(&pipe, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &q->before, NULL);
}

static void turn(struct tern *t, uv_run_mode mode)
{
    const struct quiet q = quiet_begin();

    t->unpolled = false;
    uv_run(&t->loop, mode);
    quiet_end(&q);
}

void tern_step(struct tern *t)
{
    turn(t, UV_RUN_NOWAIT);
}

int tern_fd(const struct tern *t)
{
    return uv_backend_fd(&t->loop);
}

int tern_timeout(const struct tern *t)
{
    return t->unpolled ? 0 : uv_backend_timeout(&t->loop);
}

static void on_idle(uv_idle_t *idle)
{
    struct tern *t = idle->data;
    bool more = false;

    for (struct tern_op *op = t->ops; op; op = op->next)
        more |= op_work(op);
    if (!more)
        uv_idle_stop(idle);
}

void lib_idle(struct tern *t)
{
    uv_idle_start(&t->idle, on_idle);
    t->unpolled = true;
}

static void on_timer(uv_timer_t *timer)
{
    ((struct tern *)timer->data)->late = true;
}

static int64_t patience_left_ms(const struct tern *t)
{
    int64_t gone_ms;

    if (t->patience_ms < 0 || client_is_up(t->client) || !t->down_ns)
        return -1;
    gone_ms = (int64_t)uv_now(&t->loop) - t->down_ns / 1000000;
    return gone_ms < t->patience_ms ? t->patience_ms - gone_ms : 0;
}

static enum tern_err out_of_patience(struct tern *t)
{
    return lib_fail(t, TERN_EUNREACHABLE, "%s", t->down.text);
}

/* One turn, of at most so long. */
static void turn_for(struct tern *t, int64_t ms)
{
    if (ms == 0) {
        turn(t, UV_RUN_NOWAIT);
        return;
    }
    t->late = false;
    if (ms > 0)
        uv_timer_start(&t->timer, on_timer, (uint64_t)ms, 0);
    turn(t, UV_RUN_ONCE);
    uv_timer_stop(&t->timer);
}

enum tern_err lib_wait(struct tern *t, bool (*over)(void *context), void *context, int timeout_ms)
{
    int64_t end_ms, left_ms, patience_ms;

    uv_update_time(&t->loop);
    end_ms = (int64_t)uv_now(&t->loop) + timeout_ms;
    if (timeout_ms == 0 && !over(context))
        turn(t, UV_RUN_NOWAIT);
    while (!over(context)) {
        left_ms = timeout_ms < 0 ? -1 : end_ms - (int64_t)uv_now(&t->loop);
        patience_ms = patience_left_ms(t);
        if (patience_ms == 0)
            return out_of_patience(t);
        if (timeout_ms >= 0 && left_ms <= 0)
            return TERN_EAGAIN;
        if (patience_ms > 0 && (left_ms < 0 || patience_ms < left_ms))
            left_ms = patience_ms;
        turn_for(t, left_ms);
    }
    return TERN_OK;
}

/* ---- the beginning and the end ---- */

static bool make_loop(struct tern *t)
{
    if (uv_loop_init(&t->loop))
        return false;
    uv_timer_init(&t->loop, &t->timer);
    uv_idle_init(&t->loop, &t->idle);
    t->timer.data = t->idle.data = t;
    t->begun = true;
    return true;
}

static enum tern_err begin(struct tern *t, const char *pool)
{
    struct client_config config = {.context = t, .up = on_up, .down = on_down, .failed = on_failed};
    enum tern_err err = address_find(pool, &t->address, &t->why);
    struct handlers handlers = links_handlers;

    if (!err)
        err = tls_new(NULL, &t->tls, &t->why);
    if (!err)
        err = world_uv_new(&t->loop, t->tls, &t->world, &t->why);
    if (err)
        return err;
    config.world = world_uv_world(t->world);
    config.endpoints = address_endpoints(t->address, &config.endpoint_count);
    config.token = address_token(t->address);
    config.owner = address_owner(t->address);
    t->client = client_new(&config);
    if (!t->client)
        return lib_fail(t, TERN_ENOMEM, "out of memory");
    handlers.context = client_links(t->client);
    world_uv_handlers(t->world, &handlers);
    client_start(t->client);
    t->unpolled = true;
    return TERN_OK;
}

enum tern_err tern_connect_begin(const char *pool, struct tern **out)
{
    struct tern *t = calloc(1, sizeof *t);

    *out = t;
    if (!t)
        return TERN_ENOMEM;
    t->patience_ms = -1;
    if (!make_loop(t))
        return lib_fail(t, TERN_ESYSTEM, "cannot make an event loop: too many open files?");
    return begin(t, pool);
}

/* Each endpoint was tried, or one has said no. */
static bool is_decided(void *context)
{
    const struct tern *t = context;
    size_t count;

    address_endpoints(t->address, &count);
    return client_is_up(t->client) || t->refused || (!t->was_up && t->failures >= count);
}

enum tern_err tern_connected(struct tern *t, int timeout_ms)
{
    enum tern_err err;

    if (!t->client)
        return t->why.err;
    err = lib_wait(t, is_decided, t, timeout_ms);
    if (err || client_is_up(t->client))
        return err;
    return address_explain(t->address, &t->down, &t->why);
}

enum tern_err tern_connect(const char *pool, struct tern **out)
{
    enum tern_err err = tern_connect_begin(pool, out);

    return err ? err : tern_connected(*out, -1);
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void tern_close(struct tern *t)
{
    if (!t)
        return;
    while (t->ops)
        tern_op_free(t->ops);
    watches_free(t);
    streams_free(t);
    client_free(t->client);
    if (t->begun) {
        const struct quiet q = quiet_begin();

        world_uv_free(t->world);
        uv_walk(&t->loop, close_handle, NULL);
        uv_run(&t->loop, UV_RUN_DEFAULT);
        check(uv_loop_close(&t->loop) == 0);
        quiet_end(&q);
    }
    tls_free(t->tls);
    address_free(t->address);
    free(t);
}
