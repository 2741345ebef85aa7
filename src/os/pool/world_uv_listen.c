#include "os/pool/world_uv_inner.h"

#include "base/check.h"
#include "os/sys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static void on_connection(uv_stream_t *server, int status)
{
    struct listener *from = server->data;
    struct link *l;

    if (status < 0)
        return; /* it gave up, or there are too many descriptors: others go on */
    l = link_new(from->world);
    if (from->at.unix_socket)
        uv_pipe_init(from->world->loop, &l->uv.pipe, 0);
    else
        uv_tcp_init(from->world->loop, &l->uv.tcp);
    link_have_handle(l);
    link_got(l);
    if (uv_accept(server, &l->uv.stream) < 0)
        link_close(l, true);
    else
        link_opened(l);
    link_put(l);
}

static void on_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    struct world_uv *w = listener->world;

    free(listener);
    world_put(w);
}

void listeners_close(struct world_uv *w)
{
    while (w->listeners) {
        struct listener *l = w->listeners;

        w->listeners = l->next;
        uv_close(&l->uv.any, on_closed);
    }
}

/* Does somebody answer there? A socket may have been left behind by one who was killed. */
static bool alive(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool answered;

    if (fd < 0)
        return true;
    memcpy(at.sun_path, path, strnlen(path, sizeof at.sun_path - 1)); /* endpoint.c: it fits */
    answered = connect(fd, (struct sockaddr *)&at, sizeof at) == 0 || errno != ECONNREFUSED;
    sys_close(fd);
    return answered;
}

static enum tern_err cannot(struct problem *p, const char *at, int status)
{
    if (status == UV_EADDRINUSE)
        return problem_set(p, TERN_EBUSY,
                           "%s is in use: another one listens there; end it, or listen elsewhere",
                           at);
    return problem_set(p, status == UV_EACCES ? TERN_EACCES : TERN_ESYSTEM,
                       "cannot listen at %s: %s", at, uv_strerror(status));
}

/* Who may come as far as this is a matter of the directory; who it is the kernel says. */
static int bind_local(struct listener *l)
{
    struct stat st;
    int status = uv_pipe_bind(&l->uv.pipe, l->at.path);

    if (status == UV_EADDRINUSE && sys_lstat(l->at.path, &st) == 0 && S_ISSOCK(st.st_mode) &&
        !alive(l->at.path)) {
        unlink(l->at.path);
        status = uv_pipe_bind(&l->uv.pipe, l->at.path);
    }
    if (status == 0 && chmod(l->at.path, 0666) < 0)
        status = -errno;
    return status;
}

static enum tern_err bind_far(struct listener *l, struct problem *p)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    const char *host = strcmp(l->at.path, "*") == 0 ? NULL : l->at.path;
    struct addrinfo *found = NULL;
    const int error = getaddrinfo(host, l->at.port, &hints, &found);
    int status;

    if (error)
        return problem_set(p, TERN_ENOENT, "cannot listen at '%s': %s", l->at.path,
                           gai_strerror(error));
    status = uv_tcp_bind(&l->uv.tcp, found->ai_addr, 0);
    freeaddrinfo(found);
    return status < 0 ? cannot(p, l->at.path, status) : TERN_OK;
}

/* The port that it has, the name of this machine if it listens on all addresses, its own pin. */
static void find_out(struct listener *l)
{
    struct sockaddr_storage a;
    int size = sizeof a;

    if (l->at.unix_socket)
        return;
    check(uv_tcp_getsockname(&l->uv.tcp, (struct sockaddr *)&a, &size) == 0);
    getnameinfo((struct sockaddr *)&a, (socklen_t)size, NULL, 0, l->at.port, sizeof l->at.port,
                NI_NUMERICSERV);
    if (strcmp(l->at.path, "*") == 0 || strcmp(l->at.path, "0.0.0.0") == 0 ||
        strcmp(l->at.path, "::") == 0)
        gethostname(l->at.path, sizeof l->at.path - 1);
    l->at.pinned = tls_pin(l->world->tls, l->at.pin);
}

static enum tern_err begin(struct listener *l, const char *endpoint, struct problem *p)
{
    int status = 0;
    enum tern_err err = TERN_OK;

    if (l->at.unix_socket) {
        uv_pipe_init(l->world->loop, &l->uv.pipe, 0);
        status = bind_local(l);
    } else {
        uv_tcp_init(l->world->loop, &l->uv.tcp);
        err = bind_far(l, p);
    }
    l->uv.any.data = l;
    l->world->holds++;
    if (!err && status == 0)
        status = uv_listen(&l->uv.stream, BACKLOG, on_connection);
    if (status < 0)
        err = cannot(p, endpoint, status);
    return err;
}

enum tern_err world_uv_listen(struct world_uv *w, const char *endpoint, char at[LIMIT_ENDPOINT + 1],
                              struct problem *p)
{
    struct listener *l = calloc(1, sizeof *l);
    enum tern_err err;

    check(l);
    l->world = w;
    err = endpoint_parse(endpoint, &l->at, p);
    if (!err && !l->at.unix_socket && !w->tls)
        err = problem_set(p, TERN_EUSAGE, "%s: this part listens to no other machines", endpoint);
    if (err) {
        free(l);
        return err;
    }
    err = begin(l, endpoint, p);
    if (err) {
        uv_close(&l->uv.any, on_closed);
        return err;
    }
    l->next = w->listeners;
    w->listeners = l;
    find_out(l);
    endpoint_text(&l->at, true, at);
    return TERN_OK;
}
