#include "os/pool/world_uv_inner.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static void on_connected(uv_connect_t *request, int status)
{
    struct link *l = request->data;

    if (l->state != LINK_DIALLING)
        return;
    if (status == 0) {
        link_opened(l);
    } else if (l->address) { /* the next one, behind this handle */
        l->again = true;
        link_close_handle(l);
    } else if (status == UV_ENOENT || status == UV_ECONNREFUSED) {
        link_fail(l, TERN_EUNREACHABLE, "nobody listens at %s", l->text);
    } else {
        link_fail(l, status == UV_EACCES ? TERN_EACCES : TERN_EIO, "cannot connect to %s: %s",
                  l->text, uv_strerror(status));
    }
}

void link_dial_next(struct link *l)
{
    const struct addrinfo *a = l->address;
    int status;

    check(a && l->state == LINK_DIALLING);
    l->address = a->ai_next;
    l->again = false;
    check(uv_tcp_init(l->world->loop, &l->uv.tcp) == 0);
    link_have_handle(l);
    l->connect.data = l;
    status = uv_tcp_connect(&l->connect, &l->uv.tcp, a->ai_addr, on_connected);
    if (status < 0)
        link_fail(l, TERN_EIO, "cannot connect to %s: %s", l->text, uv_strerror(status));
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct link *l = request->data;

    l->resolving = false;
    l->addresses = l->address = found;
    if (l->state == LINK_DIALLING && (status < 0 || !found))
        link_fail(l, TERN_ENOENT, "there is no host '%s': %s", l->to.path,
                  status < 0 ? uv_strerror(status) : "it has no address");
    else if (l->state == LINK_DIALLING)
        link_dial_next(l);
    link_put(l);
}

static void dial_far(struct link *l)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    int status;

    if (!l->world->tls) {
        link_fail(l, TERN_EUSAGE, "%s: this part talks to no other machines", l->text);
        return;
    }
    if (!l->to.pinned) {
        link_fail(l, TERN_EUNSAFE,
                  "%s: the pin of its key is missing; write %s#PIN, as the one who listens there "
                  "printed it when it started",
                  l->text, l->text);
        return;
    }
    l->resolve.data = l;
    status =
        uv_getaddrinfo(l->world->loop, &l->resolve, on_resolved, l->to.path, l->to.port, &hints);
    if (status < 0)
        link_fail(l, TERN_EIO, "cannot look up '%s': %s", l->to.path, uv_strerror(status));
    else
        link_got(l);
    l->resolving = status == 0;
}

static void dial_local(struct link *l)
{
    uv_pipe_init(l->world->loop, &l->uv.pipe, 0);
    link_have_handle(l);
    l->connect.data = l;
    uv_pipe_connect(&l->connect, &l->uv.pipe, l->to.path, on_connected);
}

void link_dial(struct link *l, const char *endpoint)
{
    struct problem p = {0};

    l->dialled = true;
    snprintf(l->text, sizeof l->text, "%s", endpoint);
    if (endpoint_parse(endpoint, &l->to, &p)) {
        link_fail(l, TERN_EUSAGE, "%s", p.text);
        return;
    }
    endpoint_text(&l->to, false, l->text);
    if (l->to.unix_socket)
        dial_local(l);
    else
        dial_far(l);
}

link_id world_uv_adopt(struct world_uv *w, int fd, const char *text)
{
    struct link *l = link_new(w);
    int status;

    snprintf(l->text, sizeof l->text, "%s", text);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    uv_pipe_init(w->loop, &l->uv.pipe, 0);
    link_have_handle(l);
    status = uv_pipe_open(&l->uv.pipe, fd);
    if (status < 0)
        link_fail(l, TERN_ESYSTEM, "%s: cannot take descriptor %d: %s", text, fd,
                  uv_strerror(status));
    else
        world_tell(w, l);
    return l->id;
}
