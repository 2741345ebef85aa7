/*
 * tern-runner - runs one compiled program, inside walls. Started by tern; see wire/ticket.h for
 * what it finds open.
 */
#include "runner/again.h"
#include "runner/end.h"
#include "runner/hold.h"
#include "runner/path.h"
#include "runner/private.h"
#include "runner/program.h"
#include "runner/quota.h"
#include "runner/recorder.h"
#include "runner/replayer.h"
#include "runner/sandbox.h"
#include "runner/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OTHERS_MAX = 1024 };

static struct ticket ticket; /* megabytes of arrays, of which few pages are ever touched */
static struct host host = {.ticket = &ticket};

static void insist_on_parent(void)
{
    if (fcntl(TICKET_FD_TICKET, F_GETFD) >= 0 && fcntl(TICKET_FD_REPORT, F_GETFD) >= 0)
        return;
    fputs("tern-runner: this is a part of tern and not for use by hand; see: tern help exec\n",
          stderr);
    exit(2);
}

/* Whoever started us is gone if nobody can read the report: then its death came too early. */
static void die_with_parent(void)
{
    struct pollfd report = {.fd = TICKET_FD_REPORT, .events = POLLOUT};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (poll(&report, 1, 0) == 1 && report.revents & (POLLERR | POLLNVAL))
        exit(1);
}

static void read_ticket(void)
{
    struct stat st;
    void *bytes;

    if (fstat(TICKET_FD_TICKET, &st) < 0 || st.st_size <= 0)
        end_refused("the runner was given an empty ticket");
    bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, TICKET_FD_TICKET, 0);
    if (bytes == MAP_FAILED)
        end_refused("the runner cannot read its ticket: %s", strerror(errno));
    if (ticket_decode(&ticket, view_of(bytes, (size_t)st.st_size)))
        end_refused("tern and tern-runner are of different versions: the ticket makes no sense");
}

/* What came along by somebody's mistake is none of the program's. */
static void close_others(uint32_t dir_count)
{
    unsigned first = TICKET_FD_DIRS + dir_count;

    if (syscall(SYS_close_range, first, ~0u, 0) == 0)
        return;
    for (unsigned fd = first; fd < first + OTHERS_MAX; fd++) /* an older kernel, an emulator */
        close((int)fd);
}

/* What stands for a standard stream that was closed; also fills those that are closed already. */
static int open_plug(void)
{
    int fd = STDIN_FILENO;

    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return fd;
}

static void lend_descriptors(struct host *h, int dirs[TICKET_DIRS_MAX])
{
    /* A closed pipe is an error number first; whoever ignored the signal wants no more than that.
     */
    bool ends_by_pipe = signal(SIGPIPE, SIG_IGN) != SIG_IGN;

    fds_init(&h->fds);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        fds_add_standard(&h->fds, fd, ends_by_pipe);
    if (h->ticket->may_stay)
        again_keep_streams(ends_by_pipe);
    h->fds.plug = open_plug();
    if (h->ticket->tree.size)
        private_begin(h, h->ticket->tree);
    for (uint32_t i = 0; i < h->ticket->dir_count; i++) {
        const struct ticket_dir *dir = &h->ticket->dirs[i];
        struct stat st;

        dirs[i] = TICKET_FD_DIRS + (int)i;
        if (fstat(dirs[i], &st) < 0 || !S_ISDIR(st.st_mode))
            end_refused("%.*s is not a directory", (int)dir->guest_path.size,
                        (const char *)dir->guest_path.data);
        fds_add_preopened(&h->fds, dirs[i], dir->guest_path, dir->read_only);
    }
}

static void close_used_up(void)
{
    close(TICKET_FD_TICKET);
    close(TICKET_FD_OBJECT);
    close(TICKET_FD_MODULE);
    close(TICKET_FD_MEMORY);
    close(TICKET_FD_RESUME);
    if (ticket.record == TICKET_RECORD_NONE)
        close(TICKET_FD_RECORD);
    if (!ticket.stoppable) {
        close(TICKET_FD_INPUT);
        close(TICKET_FD_CONTROL);
    }
    if (!ticket.stoppable && !ticket.tells_tree)
        close(TICKET_FD_STATE);
    if (ticket.tree_pages_max == 0)
        close(TICKET_FD_TREE);
}

/* --walk-paths: as on a kernel without openat2; for tests. */
static bool must_walk(int argc, char **argv)
{
    return (argc > 1 && strcmp(argv[1], "--walk-paths") == 0) || !path_kernel_resolves();
}

int main(int argc, char **argv)
{
    struct program program = {0};
    int dirs[TICKET_DIRS_MAX];

    insist_on_parent();
    die_with_parent();
    end_init(TICKET_FD_REPORT);
    read_ticket();
    close_others(ticket.dir_count);
    quota_apply();
    lend_descriptors(&host, dirs);
    host.walk_paths = must_walk(argc, argv);
    host.random = (struct random){.seeded = ticket.seeded, .seed = ticket.random_seed};
    program_load(&program, &host);
    close_used_up();
    if (ticket.stoppable)
        input_begin(&host, ticket.resumes ? &program.state : NULL);

    host.cpu_start_ns = end_cpu_ns();
    end_watch(&host, (uintptr_t)program.module, (uintptr_t)program.continuations);
    quota_start_clock(ticket.resumes ? hold_cpu_left_ns(&ticket, &program.state)
                                     : ticket.cpu_ns_max,
                      ticket.record == TICKET_RECORD_REPLAY);
    if (ticket.stoppable)
        stop_listen(host.memory ? program.in->memory[0] : NULL, ticket.resumes);
    sandbox_enter(&ticket, dirs);
    if (ticket.resumes)
        hold_restore(&host, &program.state);
    if (ticket.record == TICKET_RECORD_WRITE)
        recorder_start(&host);
    else if (ticket.record == TICKET_RECORD_REPLAY)
        replayer_start(&host);
    again_run(&program, &host, &ticket);
}
