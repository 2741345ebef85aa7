#include "os/pool/world_uv_inner.h"

#include "base/check.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SHAKING_MS = 10000, KEEPALIVE_S = 30 };

/* ---- how long it stays ---- */

void link_got(struct link *l)
{
    l->holds++;
}

static void free_if_over(struct link *l)
{
    if (l->holds == 0 && l->state == LINK_ENDED)
        link_forget(l);
}

void link_put(struct link *l)
{
    check(l->holds);
    l->holds--;
    free_if_over(l);
}

static void on_patience_closed(uv_handle_t *handle)
{
    link_put(handle->data);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct link *l = handle->data;

    if (l->again && l->state == LINK_DIALLING)
        link_dial_next(l);
    link_put(l);
}

void link_have_handle(struct link *l)
{
    l->uv.any.data = l;
    l->has_handle = true;
    link_got(l);
}

void link_close_handle(struct link *l)
{
    if (!l->has_handle)
        return;
    l->has_handle = false;
    uv_close(&l->uv.any, on_handle_closed);
}

/* libuv lets go of what it has of it. */
static void drop(struct link *l)
{
    link_close_handle(l);
    if (l->has_patience) {
        l->has_patience = false;
        uv_close((uv_handle_t *)&l->patience, on_patience_closed);
    }
    if (l->resolving)
        uv_cancel((uv_req_t *)&l->resolve);
}

static void end(struct link *l, bool silent)
{
    drop(l);
    l->state = LINK_ENDED;
    l->silent = silent;
    bytes_release(&l->out);
}

void link_fail(struct link *l, enum tern_err err, const char *format, ...)
{
    va_list args;
    const bool told = l->state == LINK_LINGERING || (l->state == LINK_SHAKING && !l->dialled);

    if (l->state == LINK_ENDED)
        return;
    va_start(args, format);
    vsnprintf(l->why, sizeof l->why, format, args);
    va_end(args);
    l->err = err;
    end(l, told);
    world_tell(l->world, l);
}

static void on_impatient(uv_timer_t *timer)
{
    struct link *l = timer->data;
    const size_t left = link_unsent(l);

    if (l->state == LINK_LINGERING && left < l->left) { /* slowly, but it goes */
        l->left = left;
        uv_timer_again(timer);
        return;
    }
    link_got(l);
    link_fail(l, TERN_ETIME, "%s did not shake hands", l->text);
    link_put(l);
}

static void be_patient(struct link *l, uint64_t ms)
{
    if (!l->has_patience) {
        uv_timer_init(l->world->loop, &l->patience);
        l->patience.data = l;
        l->has_patience = true;
        link_got(l);
    }
    uv_timer_start(&l->patience, on_impatient, ms, ms);
}

/* By our side: nothing more is told of it. */
void link_close(struct link *l, bool at_once)
{
    if (l->state == LINK_ENDED) {
        l->silent = true;
        return;
    }
    link_got(l);
    if (at_once || l->state != LINK_OPEN) {
        end(l, true);
    } else {
        l->state = LINK_LINGERING;
        l->left = link_unsent(l) + 1;
        be_patient(l, WORLD_LINGER_MS);
        link_read_start(l); /* to see its end, should it be held */
        world_dirty(l->world, l);
    }
    link_put(l);
}

void link_tell(struct link *l)
{
    struct world_uv *w = l->world;

    if (l->state == LINK_DIALLING) { /* adopted */
        link_opened(l);
        return;
    }
    if (l->state != LINK_ENDED || l->silent)
        return;
    l->silent = true;
    world_begin(w);
    if (w->handlers.closed)
        w->handlers.closed(w->handlers.context, l->id, l->err, l->why);
    world_end(w);
}

/* ---- who is there ---- */

static void tell_opened(struct link *l)
{
    struct world_uv *w = l->world;

    l->state = LINK_OPEN;
    if (l->has_patience)
        uv_timer_stop(&l->patience);
    l->peer.text = l->text;
    world_begin(w);
    if (w->handlers.opened)
        w->handlers.opened(w->handlers.context, l->id, &l->peer);
    world_end(w);
}

static void name_owner(struct link *l, uid_t uid)
{
    char room[4096];
    struct passwd entry, *found = NULL;

    if (getpwuid_r(uid, &entry, room, sizeof room, &found) == 0 && found &&
        strlen(found->pw_name) < sizeof l->owner)
        snprintf(l->owner, sizeof l->owner, "%s", found->pw_name);
    else
        snprintf(l->owner, sizeof l->owner, "uid-%u", (unsigned)uid);
}

static void open_local(struct link *l)
{
    struct ucred who = {0};
    socklen_t size = sizeof who;
    uv_os_fd_t fd;

    if (uv_fileno(&l->uv.any, &fd) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0) {
        link_fail(l, TERN_ESYSTEM, "the kernel does not say who is at the other end of %s",
                  l->text);
        return;
    }
    name_owner(l, who.uid);
    l->peer = (struct world_peer){.local = true,
                                  .uid = who.uid,
                                  .owner = l->owner,
                                  .stranger = who.uid != geteuid() && who.uid != 0};
    if (!*l->text)
        snprintf(l->text, sizeof l->text, "process %ld of %s", (long)who.pid, l->owner);
    link_read_start(l);
    tell_opened(l);
}

static void name_address(struct link *l)
{
    struct sockaddr_storage a;
    int size = sizeof a;
    char host[64] = "?", port[16] = "?";

    if (uv_tcp_getpeername(&l->uv.tcp, (struct sockaddr *)&a, &size) == 0)
        getnameinfo((struct sockaddr *)&a, (socklen_t)size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(l->text, sizeof l->text, "%s port %s", host, port);
}

static void open_far(struct link *l)
{
    if (!*l->text)
        name_address(l);
    uv_tcp_nodelay(&l->uv.tcp, 1);
    uv_tcp_keepalive(&l->uv.tcp, 1, KEEPALIVE_S);
    l->tls = tls_link_new(l->world->tls, l->dialled ? l->to.pin : NULL);
    if (!l->tls) {
        link_fail(l, TERN_ENOMEM, "no memory for TLS with %s", l->text);
        return;
    }
    l->state = LINK_SHAKING;
    be_patient(l, SHAKING_MS);
    link_read_start(l);
    link_shake(l);
}

void link_opened(struct link *l)
{
    if (l->uv.any.type == UV_TCP)
        open_far(l);
    else
        open_local(l);
}

void link_shake(struct link *l)
{
    struct problem p = {0};
    enum tern_err err = tls_read(l->tls, &l->world->plain, 0, &p);

    if (err) {
        link_flush(l); /* what TLS has to say about it */
        link_fail(l, err, "%s: %s", l->text, p.text);
        return;
    }
    world_dirty(l->world, l);
    if (!tls_open(l->tls))
        return;
    l->peer = (struct world_peer){.authentic = l->dialled};
    tell_opened(l);
}
