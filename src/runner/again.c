#include "runner/again.h"

#include "base/little.h"
#include "rt/suspend.h"
#include "runner/end.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEPT_ABOVE = 64, HEAD_BYTES = 5 };

static int kept[STDERR_FILENO + 1];
static bool dies_by_pipe;
static sigjmp_buf home;
static uint8_t encoded[CONTROL_TICKET_BYTES_MAX]; /* what the ticket borrows from */

void again_keep_streams(bool ends_by_pipe)
{
    dies_by_pipe = ends_by_pipe;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        kept[fd] = fcntl(fd, F_DUPFD_CLOEXEC, KEPT_ABOVE);
}

static void leave(void)
{
    siglongjmp(home, 1);
}

/* ---- The next ticket ---- */

static void read_whole(uint8_t *to, size_t size)
{
    while (size > 0) {
        const ssize_t got = read(TICKET_FD_CONTROL, to, size);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            _exit(0); /* the parent needs us no more */
        to += got;
        size -= (size_t)got;
    }
}

/* The first byte, and the descriptor that comes with it. */
static uint8_t read_first(int *fd)
{
    uint8_t what = 0;
    char room[CMSG_SPACE(sizeof *fd)];
    struct iovec one = {&what, 1};
    struct msghdr message = {
        .msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    const struct cmsghdr *head;
    ssize_t got;

    do
        got = recvmsg(TICKET_FD_CONTROL, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got != 1)
        _exit(0);
    head = CMSG_FIRSTHDR(&message);
    if (head && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof *fd))
        memcpy(fd, CMSG_DATA(head), sizeof *fd);
    return what;
}

static void hear_ticket(struct ticket *t, int *input)
{
    uint8_t size_bytes[HEAD_BYTES - 1];
    uint32_t size;

    *input = -1;
    if (read_first(input) != CONTROL_TICKET)
        _exit(1);
    read_whole(size_bytes, sizeof size_bytes);
    size = (uint32_t)little_get(size_bytes, sizeof size_bytes);
    if (size > sizeof encoded)
        _exit(1);
    read_whole(encoded, size);
    if (ticket_decode(t, view_of(encoded, size)) || !t->may_stay || t->resumes || t->dir_count ||
        t->tree_pages_max || t->record || t->cpu_ns_max)
        end_refused("tern and tern-runner are of different versions: the ticket makes no sense");
}

/* ---- Everything anew ---- */

/* Numbers are given lowest first: no entry beyond was ever used. */
static void forget_descriptors(struct fds *fds)
{
    const uint64_t used = fds->opened + STDERR_FILENO + 1;

    for (uint32_t i = 0; i < FDS_MAX && i < used; i++) {
        const struct fd_entry *e = &fds->entry[i];

        if (e->host > STDERR_FILENO)
            close(e->host); /* of a connection that it had accepted */
        fds->entry[i] = (struct fd_entry){.host = -1};
    }
    fds->opened = 0;
}

static void lend_streams(struct host *h, int input)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup3(fd == STDIN_FILENO && input >= 0 ? input : kept[fd], fd, O_CLOEXEC);
    close(input);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        fds_add_standard(&h->fds, fd, dies_by_pipe);
}

static void begin(struct host *h, const struct ticket *t, int input)
{
    const struct tern_memory *memory = h->memory;
    const bool walks = h->walk_paths;

    memset(h, 0, offsetof(struct host, fds));
    h->ticket = t;
    h->memory = memory;
    h->walk_paths = walks;
    h->random = (struct random){.seeded = t->seeded, .seed = t->random_seed};
    lend_streams(h, input);
    input_begin(h, NULL);
    end_again();
    h->cpu_start_ns = end_cpu_ns();
}

/* What can be done before there is a ticket is done while the parent is busy with the report. */
static void next(struct program *p, struct host *h, struct ticket *t)
{
    int input;

    trap_forget();
    suspend_forget();
    program_again(p, h);
    forget_descriptors(&h->fds);
    hear_ticket(t, &input);
    begin(h, t, input);
}

_Noreturn void again_run(struct program *p, struct host *h, struct ticket *t)
{
    if (t->may_stay)
        end_stay(leave);
    if (sigsetjmp(home, 0) != 0)
        next(p, h, t);
    program_run(p, h);
}
