#include "os/supervise.h"

#include "base/check.h"

#include <signal.h>
#include <stdio.h>

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM};

enum {
    PASSED_ON = sizeof passed_on / sizeof *passed_on,
    ONE_WISH_MS = 200, /* timeout(1) and others tell a process and its group: that is one wish */
};

struct watch {
    const struct program_order *given;
    struct program_order order; /* that order, and what is told goes through here */
    struct stopper_order stop;
    struct program *program;
    struct ending *ending;
    bool stopping;    /* from our stop until we are told to go on */
    bool wished;      /* that it ends behind a checkpoint */
    bool refused;     /* that could not be */
    uint64_t wish_ms; /* when that came */
    uv_loop_t loop;
    uv_signal_t on_child;
    uv_signal_t on_stop;
    uv_signal_t on_continue;
    uv_signal_t on_other[PASSED_ON];
    uv_work_t first_work;
};

/* ---- Terminal stops ---- */

static void pass_on_stop(uv_signal_t *handle, int signal);

/*
 * Only when the child has really stopped do we, so that a shell that sees us stop has the
 * terminal to itself; and by the same signal, so that it says the same.
 */
static void stop_too(struct watch *w, int signal)
{
    bool watched = signal == SIGTSTP && uv_is_active((uv_handle_t *)&w->on_stop);

    w->stopping = true;
    if (watched)
        uv_signal_stop(&w->on_stop);
    raise(signal);
    if (watched)
        uv_signal_start(&w->on_stop, pass_on_stop, SIGTSTP);
}

static void child_changed(uv_signal_t *handle, int signal)
{
    struct watch *w = handle->data;
    int number;

    (void)signal;
    while (program_was_stopped(w->program, &number))
        stop_too(w, number);
}

/* The child has it already if it came from the terminal: once more does no harm. What came before
 * we stopped has done its work: passed on now, it would stop the child again. */
static void pass_on_stop(uv_signal_t *handle, int signal)
{
    const struct watch *w = handle->data;

    if (!w->stopping)
        program_signal(w->program, signal);
}

static void pass_on_continue(uv_signal_t *handle, int signal)
{
    struct watch *w = handle->data;

    w->stopping = false;
    program_signal(w->program, signal);
}

/* ---- Other signals ---- */

static void on_end(struct watch *w, int number)
{
    const uint64_t now = uv_now(&w->loop);

    if (!w->wished && !w->refused) {
        w->wished = true;
        w->wish_ms = now;
        program_checkpoint(w->program, true);
    } else if (now - w->wish_ms >= ONE_WISH_MS) {
        program_kill(w->program, number);
    }
}

static void pass_on(uv_signal_t *handle, int signal)
{
    struct watch *w = handle->data;

    if (w->given->stop && signal == SIGUSR1)
        program_checkpoint(w->program, false);
    else if (w->given->stop && (signal == SIGTERM || signal == SIGINT || signal == SIGHUP))
        on_end(w, signal);
    else
        program_signal(w->program, signal);
}

static bool ignored(int signal)
{
    struct sigaction now;

    return sigaction(signal, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static void listen_to(struct watch *w, uv_signal_t *handle, uv_signal_cb call, int signal)
{
    check(uv_signal_init(&w->loop, handle) == 0);
    handle->data = w;
    if (!ignored(signal))
        uv_signal_start(handle, call, signal);
}

static void listen_to_all(struct watch *w)
{
    signal(SIGCHLD, SIG_DFL); /* inherited as ignored, it would hide the child's end */
    listen_to(w, &w->on_child, child_changed, SIGCHLD);
    listen_to(w, &w->on_stop, pass_on_stop, SIGTSTP);
    listen_to(w, &w->on_continue, pass_on_continue, SIGCONT);
    for (size_t i = 0; i < PASSED_ON; i++)
        listen_to(w, &w->on_other[i], pass_on, passed_on[i]);
}

/* Whoever was asked before it could hear may have kept that waiting. */
static void hear_requests(void)
{
    sigset_t requests;

    sigemptyset(&requests);
    sigaddset(&requests, SIGUSR1);
    sigprocmask(SIG_UNBLOCK, &requests, NULL);
}

static void hear_no_more(void)
{
    sigset_t late;

    sigemptyset(&late);
    sigaddset(&late, SIGUSR1);
    sigaddset(&late, SIGINT);
    sigaddset(&late, SIGTERM);
    sigaddset(&late, SIGHUP);
    sigprocmask(SIG_BLOCK, &late, NULL);
}

/* ---- What the program tells ---- */

static void tell_stopped(void *context)
{
    const struct stopper_order *o = ((struct watch *)context)->given->stop;

    if (o->stopped)
        o->stopped(o->context);
}

static void tell(void *context, const struct stopper_done *done)
{
    const struct stopper_order *o = ((struct watch *)context)->given->stop;

    o->tell(o->context, done);
}

static void tell_not(void *context, bool last, const struct problem *why)
{
    struct watch *w = context;

    w->refused |= last;
    w->wished &= !last;
    w->given->stop->tell_not(w->given->stop->context, last, why);
}

static void has_ended(void *context, const struct ending *ending)
{
    struct watch *w = context;

    if (w->given->stop)
        hear_no_more(); /* while there are handlers still */
    *w->ending = *ending;
    uv_stop(&w->loop);
}

static void listen_to_program(struct watch *w)
{
    w->order = *w->given;
    w->order.context = w;
    w->order.ended = has_ended;
    if (!w->given->stop)
        return;
    w->stop = *w->given->stop;
    w->stop.context = w;
    w->stop.ready = NULL;
    w->stop.taking = NULL;
    w->stop.stopped = tell_stopped;
    w->stop.tell = tell;
    w->stop.tell_not = tell_not;
    w->order.stop = &w->stop;
}

/* ---- All of it ---- */

static void do_nothing(uv_work_t *work)
{
    (void)work;
}

/*
 * Threads inherit what is blocked: everything, or one of them would take a signal that comes when
 * the handlers are gone and the main thread blocks it.
 */
static void make_threads(struct watch *w)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    check(uv_queue_work(&w->loop, &w->first_work, do_nothing, NULL) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void close_handle(uv_handle_t *handle, void *unused)
{
    (void)unused;
    uv_close(handle, NULL);
}

static enum tern_err run(struct watch *w, struct problem *p)
{
    enum tern_err err;

    if (uv_loop_init(&w->loop))
        return problem_set(p, TERN_ENOMEM, "out of memory");
    listen_to_all(w); /* before the start: what comes meanwhile is passed on by the loop */
    if (w->given->stop)
        make_threads(w);
    err = program_start(w->program, &w->loop, p);
    if (!err) {
        if (w->given->stop)
            hear_requests();
        uv_run(&w->loop, UV_RUN_DEFAULT);
    }
    uv_walk(&w->loop, close_handle, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    check(uv_loop_close(&w->loop) == 0);
    return err;
}

enum tern_err supervise(const struct program_order *order, struct ending *out, struct problem *p)
{
    struct watch w = {.given = order, .ending = out};
    enum tern_err err;

    listen_to_program(&w);
    err = program_new(&w.order, &w.program, p);
    if (!err)
        err = run(&w, p);
    program_free(w.program);
    if (!err && out->err)
        err = problem_set(p, out->err, "%s", out->text);
    return err;
}
