#include "os/supervise.h"

#include "base/check.h"

#include <signal.h>
#include <sys/wait.h>
#include <uv.h>

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM};

enum { PASSED_ON = sizeof passed_on / sizeof *passed_on };

struct watch {
    pid_t child;
    int status;
    bool ended;
    const struct supervise_hooks *hooks;
    bool stopping; /* from our stop until we are told to go on */
    uv_loop_t loop;
    uv_signal_t on_child;
    uv_signal_t on_stop;
    uv_signal_t on_continue;
    uv_signal_t on_other[PASSED_ON];
};

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

static void look_at_child(struct watch *w)
{
    int status;

    while (!w->ended && process_changed(w->child, &status)) {
        if (WIFSTOPPED(status)) {
            stop_too(w, WSTOPSIG(status));
            continue;
        }
        w->status = status;
        w->ended = true;
    }
}

static void child_changed(uv_signal_t *handle, int signal)
{
    struct watch *w = handle->data;

    (void)signal;
    look_at_child(w);
    if (w->ended)
        uv_stop(&w->loop);
}

/* The child has it already if it came from the terminal: once more does no harm. */
static void pass_on(uv_signal_t *handle, int signal)
{
    struct watch *w = handle->data;

    if (w->ended)
        return;
    if (!w->hooks || !w->hooks->on_signal || !w->hooks->on_signal(w->hooks->context, signal))
        kill(w->child, signal);
}

/* What came before we stopped has done its work: passed on now, it would stop the child again. */
static void pass_on_stop(uv_signal_t *handle, int signal)
{
    const struct watch *w = handle->data;

    if (!w->stopping)
        pass_on(handle, signal);
}

static void pass_on_continue(uv_signal_t *handle, int signal)
{
    struct watch *w = handle->data;

    w->stopping = false;
    pass_on(handle, signal);
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
    listen_to(w, &w->on_child, child_changed, SIGCHLD);
    listen_to(w, &w->on_stop, pass_on_stop, SIGTSTP);
    listen_to(w, &w->on_continue, pass_on_continue, SIGCONT);
    for (size_t i = 0; i < PASSED_ON; i++)
        listen_to(w, &w->on_other[i], pass_on, passed_on[i]);
}

static void close_handle(uv_handle_t *handle, void *unused)
{
    (void)unused;
    uv_close(handle, NULL);
}

enum tern_err supervise(const struct process_spec *spec, const struct supervise_hooks *hooks,
                        int *status, struct problem *p)
{
    struct watch w = {.hooks = hooks};
    enum tern_err err;

    if (uv_loop_init(&w.loop))
        return problem_set(p, TERN_ENOMEM, "out of memory");
    signal(SIGCHLD, SIG_DFL); /* inherited as ignored, it would hide the child's end */
    listen_to_all(&w);        /* before the start: what comes meanwhile is passed on by the loop */
    err = process_start(spec, &w.child, p);
    if (!err) {
        if (hooks && hooks->started)
            hooks->started(hooks->context, &w.loop, w.child);
        look_at_child(&w);
        if (!w.ended)
            uv_run(&w.loop, UV_RUN_DEFAULT);
        *status = w.status;
        if (hooks && hooks->ended)
            hooks->ended(hooks->context, w.status);
    }
    uv_walk(&w.loop, close_handle, NULL);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    check(uv_loop_close(&w.loop) == 0);
    return err;
}
