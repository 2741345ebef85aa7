#include "os/process.h"

#include "base/bytes.h"
#include "base/check.h"
#include "os/file.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { CAPTURE_BYTES_MAX = 64 << 10 };

/* Copies above all targets, so that no dup2 overwrites a descriptor that is still needed. */
static int lift(const struct process_spec *spec, int high[PROCESS_FDS_MAX])
{
    for (size_t i = 0; i < spec->fd_count; i++) {
        int fd = spec->fds[i];

        if (fd >= 0)
            high[i] = sys_dup_above(fd, (int)spec->fd_count);
        else
            high[i] = sys_open("/dev/null", O_RDWR, 0);
        if (fd < 0 && high[i] >= 0) {
            int lifted = sys_dup_above(high[i], (int)spec->fd_count);
            sys_close(high[i]);
            high[i] = lifted;
        }
        if (high[i] < 0)
            return high[i];
    }
    return 0;
}

static int add_actions(const struct process_spec *spec, const int *high,
                       posix_spawn_file_actions_t *actions)
{
    int error = 0;

    for (size_t i = 0; i < spec->fd_count && !error; i++)
        error = posix_spawn_file_actions_adddup2(actions, high[i], (int)i);
    if (!error)
        error = posix_spawn_file_actions_addclosefrom_np(actions, (int)spec->fd_count);
    return error;
}

static int spawn(const struct process_spec *spec, const int *high, pid_t *out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);

    if (error)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    if (spec->own_group)
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    error = add_actions(spec, high, &actions);
    if (!error)
        error = posix_spawnp(out, spec->argv[0], &actions, &attributes, spec->argv,
                             spec->env ? spec->env : environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

enum tern_err process_start(const struct process_spec *spec, pid_t *out, struct problem *p)
{
    int high[PROCESS_FDS_MAX];
    int error;

    check(spec->fd_count <= PROCESS_FDS_MAX);
    for (size_t i = 0; i < PROCESS_FDS_MAX; i++)
        high[i] = -1;
    error = -lift(spec, high);
    if (!error)
        error = spawn(spec, high, out);
    for (size_t i = 0; i < spec->fd_count; i++)
        sys_close(high[i]);
    if (error == ENOENT || error == EACCES)
        return problem_set(p, file_error(-error), "cannot start %s: %s", spec->argv[0],
                           strerror(error));
    if (error)
        return problem_set(p, TERN_ESYSTEM, "cannot start %s: %s", spec->argv[0], strerror(error));
    return TERN_OK;
}

bool process_ended(pid_t pid, int *status)
{
    pid_t got;

    do
        got = waitpid(pid, status, WNOHANG);
    while (got < 0 && errno == EINTR);
    check(got == pid || got == 0); /* ours, and not waited for before */
    return got == pid;
}

bool process_was_stopped(pid_t pid, int *number)
{
    siginfo_t what = {.si_pid = 0};
    int result;

    do
        result = waitid(P_PID, (id_t)pid, &what, WSTOPPED | WNOHANG);
    while (result < 0 && errno == EINTR);
    *number = what.si_status;
    return result == 0 && what.si_pid == pid; /* of one that has ended nothing is said */
}

int process_wait(pid_t pid)
{
    int status = 0;
    pid_t got;

    do
        got = waitpid(pid, &status, 0);
    while (got < 0 && errno == EINTR);
    check(got == pid);
    return status;
}

enum tern_err process_capture(char *const *argv, struct bytes *out, int *status, struct problem *p)
{
    int ends[2];
    struct process_spec spec = {.argv = argv, .fd_count = 3};
    enum tern_err err = file_error(sys_pipe(ends));
    pid_t pid;

    if (err)
        return problem_set(p, err, "cannot make a pipe");
    spec.fds = (const int[]){-1, ends[1], ends[1]};
    err = process_start(&spec, &pid, p);
    sys_close(ends[1]);
    if (!err) {
        err = file_read_fd(ends[0], CAPTURE_BYTES_MAX, out);
        sys_close(ends[0]); /* before waiting: a flood ends by SIGPIPE */
        *status = process_wait(pid);
        return err ? problem_set(p, err, "cannot read what %s says", argv[0]) : TERN_OK;
    }
    sys_close(ends[0]);
    return err;
}

void process_die_by(int signal)
{
    const struct rlimit no_core = {0, 0};
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t all;

    setrlimit(RLIMIT_CORE, &no_core); /* a core of ours would say nothing of the program */
    sigaction(signal, &plain, NULL);
    sigfillset(&all);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    raise(signal);
    _exit(128 + signal); /* a signal that does not end processes */
}
