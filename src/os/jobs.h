/*
 * jobs - runs commands side by side until all are done, one fails, or time is up.
 *
 * Does     Each command gets a process group of its own, /dev/null as input and one file for
 *          both outputs. What is still running when one fails, when the time is up, or when we
 *          are asked to end, is killed with its children.
 * Asked    By SIGINT, SIGTERM, SIGHUP, SIGQUIT. On a thread of a process that has its own use for
 *          these: by another thread that sets *give_up.
 * Errors   TERN_ETIME, TERN_ECOMPILE (a command failed: result.failed, result.status), or what
 *          process_start says. TERN_ESYSTEM with result.signal after a request to end: the
 *          caller cleans up and ends by that signal. TERN_EBUSY: given up.
 */
#ifndef TERN_OS_JOBS_H
#define TERN_OS_JOBS_H

#include "base/error.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct job {
    char *const *argv;
    char *const *env;
    const char *log; /* file for its outputs */
};

struct jobs_result {
    size_t failed; /* index of the first that failed, if TERN_ECOMPILE */
    int status;    /* as of waitpid */
    int signal;    /* that asked us to end; 0: none */
};

struct jobs_limits {
    size_t parallel_max;
    uint64_t time_ms_max;       /* 0: none */
    const atomic_bool *give_up; /* NULL: signals ask */
};

enum tern_err jobs_run(const struct job *jobs, size_t count, const struct jobs_limits *limits,
                       struct jobs_result *result, struct problem *p);

#endif
