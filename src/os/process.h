/*
 * process - starts a child with exactly the given descriptors, and tells how it ended.
 *
 * uv_spawn is not used for it: that resets every signal in the child, and a program started with
 * nohup (SIGHUP ignored) would lose its protection.
 *
 * Errors   TERN_ENOENT, TERN_EACCES: there is no such executable; TERN_ESYSTEM: anything else.
 */
#ifndef TERN_OS_PROCESS_H
#define TERN_OS_PROCESS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PROCESS_FDS_MAX = 128 };

struct process_spec {
    char *const *argv; /* argv[0] is searched in PATH if it has no slash */
    char *const *env;  /* NULL: our own */
    const int *fds;    /* fds[i] becomes descriptor i; -1: /dev/null; all others are closed */
    size_t fd_count;   /* at most PROCESS_FDS_MAX */
    bool own_group;    /* so that kill(-pid) reaches its children, and Ctrl-C does not */
};

enum tern_err process_start(const struct process_spec *spec, pid_t *out, struct problem *p);

/* True once the child has ended; *status is what waitpid says. Does not block. */
bool process_ended(pid_t pid, int *status);
/* True when it was stopped by a signal, once each time. */
bool process_was_stopped(pid_t pid, int *number);
/* Blocks until then. */
int process_wait(pid_t pid);

/* Runs to its end with both outputs captured (cut at limit). The child's stdin is /dev/null. */
struct bytes;
enum tern_err process_capture(char *const *argv, struct bytes *out, int *status, struct problem *p);

/* Ends this process by a signal, as its parent would have seen it without us. Does not return. */
_Noreturn void process_die_by(int signal);

#endif
