/* wasi_sock - sockets that the program was given; it cannot make any of its own. */
#include "runner/end.h"
#include "runner/host.h"
#include "runner/vectors.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static enum wasi_errno get_socket(struct host *h, uint32_t fd, uint64_t rights, struct fd_entry **e)
{
    enum wasi_errno error = fds_get(&h->fds, fd, rights, e);

    if (error != WASI_E_BADF && (*e)->filetype != FILETYPE_SOCKET_STREAM &&
        (*e)->filetype != FILETYPE_SOCKET_DGRAM)
        return WASI_E_NOTSOCK;
    return error;
}

enum wasi_errno wasi_sock_accept(struct host *h, const union tern_cell *a)
{
    uint8_t *result = guest_at(h->memory, a[2].i32, 4);
    struct fd_entry *e, accepted = {.filetype = FILETYPE_SOCKET_STREAM};
    enum wasi_errno error = get_socket(h, a[0].i32, RIGHT_SOCK_ACCEPT, &e);
    uint32_t fd;

    if (error)
        return error;
    if (!result)
        return WASI_E_FAULT;
    if (a[1].i32 & ~(uint32_t)FDFLAG_NONBLOCK)
        return WASI_E_INVAL;
    if (!fds_has_room(&h->fds))
        return WASI_E_MFILE;
    accepted.host = accept4(e->host, NULL, NULL, SOCK_CLOEXEC | (a[1].i32 ? SOCK_NONBLOCK : 0));
    if (accepted.host < 0)
        return host_answer(-1);
    accepted.rights = RIGHTS_SOCKET & ~RIGHT_SOCK_ACCEPT;
    error = fds_add_take(&h->fds, &accepted, &fd);
    if (error)
        close(accepted.host);
    else
        guest_store32(result, fd);
    return error;
}

static unsigned input_way(uint32_t flags)
{
    return (flags & RIFLAG_PEEK ? (unsigned)INPUT_PEEK : 0) |
           (flags & RIFLAG_WAITALL ? (unsigned)INPUT_ALL : 0);
}

/* Count of bytes to a[4], flags to a[5]. */
enum wasi_errno wasi_sock_recv(struct host *h, const union tern_cell *a)
{
    uint8_t *received = guest_at(h->memory, a[4].i32, 4);
    uint8_t *flags = guest_at(h->memory, a[5].i32, 2);
    int how =
        (a[3].i32 & RIFLAG_PEEK ? MSG_PEEK : 0) | (a[3].i32 & RIFLAG_WAITALL ? MSG_WAITALL : 0);
    struct vectors v;
    struct fd_entry *e;
    enum wasi_errno error = get_socket(h, a[0].i32, RIGHT_FD_READ, &e);
    struct msghdr message = {0};
    ssize_t done;

    if (!error)
        error = vectors_get(h->memory, a[1].i32, a[2].i32, &v);
    if (error)
        return error;
    if (!received || !flags)
        return WASI_E_FAULT;
    if (a[3].i32 & ~(uint32_t)(RIFLAG_PEEK | RIFLAG_WAITALL))
        return WASI_E_INVAL;
    if (input_keeps(h, e)) {
        uint64_t got = 0;

        error = input_read(h, e, &v, input_way(a[3].i32), &got);
        if (error)
            return error;
        guest_store32(received, (uint32_t)got);
        guest_store16(flags, 0);
        return WASI_E_SUCCESS;
    }
    message.msg_iov = v.iov;
    message.msg_iovlen = (size_t)v.count;
    done = recvmsg(e->host, &message, how);
    if (done < 0)
        return host_answer(done);
    if (!(how & MSG_PEEK))
        input_count(h, e, (uint64_t)done);
    guest_store16(flags, message.msg_flags & MSG_TRUNC ? ROFLAG_TRUNCATED : 0);
    guest_store32(received, (uint32_t)done); /* last: the seam reads it (plan.h) */
    return WASI_E_SUCCESS;
}

/* Count of bytes to a[4]. */
enum wasi_errno wasi_sock_send(struct host *h, const union tern_cell *a)
{
    uint8_t *sent = guest_at(h->memory, a[4].i32, 4);
    struct vectors v;
    struct fd_entry *e;
    enum wasi_errno error = get_socket(h, a[0].i32, RIGHT_FD_WRITE, &e);
    struct msghdr message = {0};
    ssize_t done;

    if (!error)
        error = vectors_get(h->memory, a[1].i32, a[2].i32, &v);
    if (error)
        return error;
    if (!sent)
        return WASI_E_FAULT;
    if (a[3].i32)
        return WASI_E_INVAL; /* no flags are defined */
    vectors_cut(&v, host_may_write(h, v.bytes));
    message.msg_iov = v.iov;
    message.msg_iovlen = (size_t)v.count;
    done = sendmsg(e->host, &message, MSG_NOSIGNAL);
    if (done < 0 && errno == EPIPE && e->standard_output)
        end_signal(SIGPIPE);
    if (done < 0)
        return host_answer(done);
    host_written(h, (uint64_t)done);
    guest_store32(sent, (uint32_t)done);
    return WASI_E_SUCCESS;
}

enum wasi_errno wasi_sock_shutdown(struct host *h, const union tern_cell *a)
{
    static const int hows[] = {
        [SDFLAG_RD] = SHUT_RD, [SDFLAG_WR] = SHUT_WR, [SDFLAG_RD | SDFLAG_WR] = SHUT_RDWR};
    struct fd_entry *e;
    enum wasi_errno error = get_socket(h, a[0].i32, RIGHT_SOCK_SHUTDOWN, &e);

    if (error)
        return error;
    if (a[1].i32 == 0 || a[1].i32 >= sizeof hows / sizeof *hows)
        return WASI_E_INVAL;
    return host_answer(shutdown(e->host, hows[a[1].i32]));
}
