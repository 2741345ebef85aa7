/*
 * jobs - runs commands side by side until all are done, one fails, or time is up.
 *
 * Does     Each command gets a process group of its own, /dev/null as input and one file for
 *          both outputs. What is still running when one fails, when the time is up, or when we
 *          are asked to end (SIGINT, SIGTERM, SIGHUP, SIGQUIT), is killed with its children.
 * Errors   TERN_ETIME, TERN_ECOMPILE (a command failed: result.failed, result.status), or what
 *          process_start says. TERN_ESYSTEM with result.signal after a request to end: the
 *          caller cleans up and ends by that signal.
 */
#ifndef TERN_OS_JOBS_H
#define TERN_OS_JOBS_H

#include "base/error.h"

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

enum tern_err jobs_run(const struct job *jobs, size_t count, size_t parallel_max,
                       uint64_t time_ms_max, struct jobs_result *result, struct problem *p);

#endif
