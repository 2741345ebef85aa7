#include "os/jobs.h"

#include "base/check.h"
#include "os/file.h"
#include "os/process.h"
#include "os/sys.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <uv.h>

static const int end_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

enum { END_SIGNALS = sizeof end_signals / sizeof *end_signals, LOOK_MS = 20 };

struct run {
    const struct job *jobs;
    pid_t *pids; /* 0: not started, or ended */
    size_t count;
    size_t next; /* first that was not started */
    size_t running;
    const struct jobs_limits *limits;
    enum tern_err err;
    struct jobs_result *result;
    struct problem *problem;
    uv_loop_t loop;
    uv_signal_t child;
    uv_signal_t end[END_SIGNALS];
    uv_timer_t timer, look;
};

static void stop_all(struct run *r, enum tern_err err)
{
    if (r->err)
        return;
    r->err = err;
    r->next = r->count;
    for (size_t i = 0; i < r->count; i++)
        if (r->pids[i])
            kill(-r->pids[i], SIGKILL);
}

static enum tern_err start(struct run *r, size_t i)
{
    const struct job *j = &r->jobs[i];
    int log = sys_open(j->log, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    struct process_spec spec = {.argv = j->argv, .env = j->env, .fd_count = 3, .own_group = true};
    enum tern_err err;

    if (log < 0)
        return problem_set(r->problem, file_error(log), "cannot write %s", j->log);
    spec.fds = (const int[]){-1, log, log};
    err = process_start(&spec, &r->pids[i], r->problem);
    sys_close(log);
    if (err)
        r->pids[i] = 0;
    else
        r->running++;
    return err;
}

static void start_more(struct run *r)
{
    while (r->next < r->count &&
           r->running < (r->limits->parallel_max ? r->limits->parallel_max : 1)) {
        enum tern_err err = start(r, r->next++);

        if (err)
            stop_all(r, err);
    }
}

static void on_child(uv_signal_t *handle, int signal)
{
    struct run *r = handle->data;
    int status;

    (void)signal;
    for (size_t i = 0; i < r->count; i++) {
        if (!r->pids[i] || !process_ended(r->pids[i], &status))
            continue;
        r->pids[i] = 0;
        r->running--;
        if (status != 0 && !r->err) {
            r->result->failed = i;
            r->result->status = status;
            stop_all(r, TERN_ECOMPILE);
        }
    }
    start_more(r);
    if (!r->running)
        uv_stop(&r->loop);
}

static void on_end(uv_signal_t *handle, int signal)
{
    struct run *r = handle->data;

    r->result->signal = signal;
    problem_set(r->problem, TERN_ESYSTEM, "interrupted");
    stop_all(r, TERN_ESYSTEM);
}

static void on_time(uv_timer_t *timer)
{
    struct run *r = timer->data;

    problem_set(r->problem, TERN_ETIME, "the time limit was reached");
    stop_all(r, TERN_ETIME);
}

static void look_whether_given_up(uv_timer_t *timer)
{
    struct run *r = timer->data;

    if (!atomic_load(r->limits->give_up))
        return;
    problem_set(r->problem, TERN_EBUSY, "given up");
    stop_all(r, TERN_EBUSY);
}

static bool ignored(int signal)
{
    struct sigaction now;

    return sigaction(signal, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static void watch(struct run *r)
{
    uv_signal_init(&r->loop, &r->child);
    r->child.data = r;
    uv_signal_start(&r->child, on_child, SIGCHLD);
    uv_timer_init(&r->loop, &r->look);
    r->look.data = r;
    if (r->limits->give_up)
        uv_timer_start(&r->look, look_whether_given_up, 0, LOOK_MS);
    for (size_t i = 0; i < END_SIGNALS && !r->limits->give_up; i++) {
        uv_signal_init(&r->loop, &r->end[i]);
        r->end[i].data = r;
        if (!ignored(end_signals[i]))
            uv_signal_start(&r->end[i], on_end, end_signals[i]);
    }
    uv_timer_init(&r->loop, &r->timer);
    r->timer.data = r;
    if (r->limits->time_ms_max)
        uv_timer_start(&r->timer, on_time, r->limits->time_ms_max, 0);
}

static void close_handle(uv_handle_t *handle, void *unused)
{
    (void)unused;
    uv_close(handle, NULL);
}

enum tern_err jobs_run(const struct job *jobs, size_t count, const struct jobs_limits *limits,
                       struct jobs_result *result, struct problem *p)
{
    struct run r = {.jobs = jobs, .count = count, .limits = limits, .result = result, .problem = p};

    *result = (struct jobs_result){0};
    r.pids = calloc(count ? count : 1, sizeof *r.pids);
    if (!r.pids || uv_loop_init(&r.loop)) {
        free(r.pids);
        return problem_set(p, TERN_ENOMEM, "out of memory");
    }
    watch(&r);
    start_more(&r);
    if (r.running)
        uv_run(&r.loop, UV_RUN_DEFAULT);
    uv_walk(&r.loop, close_handle, NULL);
    uv_run(&r.loop, UV_RUN_DEFAULT);
    check(uv_loop_close(&r.loop) == 0);
    free(r.pids);
    return r.err;
}
