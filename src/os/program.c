#include "os/program.h"

#include "base/check.h"
#include "os/launch.h"
#include "os/sys.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

struct program {
    const struct program_order *order;
    struct launch launch;
    struct stopper stopper;
    uv_poll_t report;
    uv_work_t work;
    unsigned handles; /* that are open */
    pid_t child;
    bool gone;  /* not started, or ended: its number may be another's */
    int forced; /* the signal by which it was ended at once */
    bool stays; /* the runner waits for another ticket */
    bool killed;
    int status;
    size_t said_bytes;
    uint8_t said[REPORT_BYTES + 1]; /* a longer one is none */
    struct ending ending;
};

/* ---- When all is over ---- */

/* One that was asked to stop may have a request on its way, and its pages are armed. */
static void put_back(struct program *g)
{
    if (g->killed || g->stopper.asked || !g->stopper.heard || g->order->warm->waits) {
        kill(g->child, SIGKILL);
        process_wait(g->child);
    } else {
        launch_keep(&g->launch, g->child, g->stopper.base);
    }
}

static void has_closed(uv_handle_t *handle)
{
    struct program *g = handle->data;

    if (--g->handles > 0)
        return;
    if (g->stays)
        put_back(g);
    g->order->ended(g->order->context, &g->ending);
}

static void close_all(struct program *g)
{
    g->handles = 1;
    if (g->order->stop) {
        g->handles += STOPPER_HANDLES;
        stopper_close(&g->stopper, g, has_closed);
    }
    uv_close((uv_handle_t *)&g->report, has_closed);
}

static struct view report_of(const struct program *g)
{
    return view_of(g->said, g->said_bytes <= REPORT_BYTES ? g->said_bytes : 0);
}

static void finish_record(const struct program *g)
{
    const struct program_order *o = g->order;
    struct problem p = {.text = ""};

    if (o->record_use == TICKET_RECORD_WRITE &&
        record_finish(o->record, g->status, report_of(g), &p))
        o->warn(p.text);
}

/* A program that failed keeps its own exit code. */
static void put_out(struct program *g)
{
    struct ending *e = &g->ending;
    struct problem p = {.text = ""};

    if (!e->exited ||
        files_put_out(&g->launch.files, g->launch.fds[TICKET_FD_STATE], &p) == TERN_OK)
        return;
    snprintf(e->text, sizeof e->text, "%.700s", p.text);
    if (e->code == 0)
        e->code = EXIT_TERN;
}

static void make_ending(struct program *g)
{
    const struct program_order *o = g->order;

    ending_make(&(struct ending_order){.name = o->name,
                                       .module = o->module_bytes,
                                       .object = o->object,
                                       .continuations = o->continuations,
                                       .points = o->points,
                                       .deterministic = o->deterministic,
                                       .status = g->status,
                                       .report = report_of(g),
                                       .cpu_ns_max = o->limits.cpu_ns_max,
                                       .output_bytes_max = o->limits.output_bytes_max,
                                       .replayed = o->replayed},
                &g->ending);
}

static void finish(struct program *g)
{
    struct problem p = {.text = ""};

    if (g->stopper.unfilled) {
        g->ending = (struct ending){.code = EXIT_TERN, .kind = ENDING_BROKEN};
        g->ending.err = checkpoint_unloaded(g->order->from, g->stopper.unfilled, &p);
        snprintf(g->ending.text, sizeof g->ending.text, "%.700s", p.text);
        return;
    }
    finish_record(g);
    make_ending(g);
    put_out(g);
}

static void finish_now(uv_work_t *work)
{
    finish(work->data);
}

static void has_finished(uv_work_t *work, int status)
{
    check(status == 0);
    close_all(work->data);
}

/* What an end costs: the place of a trap has to be found, files have to be copied. */
static bool is_quick(const struct program *g)
{
    struct report r;

    return g->order->record_use == TICKET_RECORD_NONE && !files_leave(&g->order->files) &&
           report_decode(&r, report_of(g)) == TERN_OK && r.kind == REPORT_EXIT;
}

static void rests(void *context)
{
    struct program *g = context;

    if (is_quick(g)) {
        finish(g);
        close_all(g);
        return;
    }
    g->work.data = g;
    check(uv_queue_work(g->report.loop, &g->work, finish_now, has_finished) == 0);
}

/* ---- The runner ---- */

/* Whoever holds the other end of its report is about to be gone: waiting for it is short. */
static void is_gone(struct program *g)
{
    uv_poll_stop(&g->report);
    g->status = process_wait(g->child);
    g->gone = true;
    if (g->forced && WIFSIGNALED(g->status))
        g->status = g->forced; /* what the user did, not how we did it */
    if (g->order->stop)
        stopper_ended(&g->stopper, WIFEXITED(g->status));
    else
        rests(g);
}

/* The report is whole, and says that it stays: its program is over as if it had ended. */
static bool has_exited(struct program *g)
{
    struct report r;

    return g->launch.may_stay && g->said_bytes == REPORT_BYTES &&
           report_decode(&r, report_of(g)) == TERN_OK && r.stays;
}

static void is_over_and_stays(struct program *g)
{
    uv_poll_stop(&g->report);
    g->gone = g->stays = true;
    g->status = 0;
    stopper_ended(&g->stopper, true);
}

static void on_report(uv_poll_t *poll, int status, int events)
{
    struct program *g = poll->data;
    uint8_t rest[64];
    ssize_t got;

    (void)status;
    (void)events;
    do {
        if (g->said_bytes < sizeof g->said)
            got =
                sys_read(g->launch.report, g->said + g->said_bytes, sizeof g->said - g->said_bytes);
        else
            got = sys_read(g->launch.report, rest, sizeof rest);
        if (got > 0 && g->said_bytes < sizeof g->said)
            g->said_bytes += (size_t)got;
        if (has_exited(g)) {
            is_over_and_stays(g);
            return;
        }
    } while (got > 0);
    if (got != -EAGAIN)
        is_gone(g);
}

static void close_end(struct program *g, enum ticket_fd which)
{
    sys_close(g->launch.fds[which]);
    g->launch.fds[which] = -1;
}

/* To a runner that waits. What does not go through in one piece meets one that has died. */
static enum tern_err send_ticket(struct program *g, struct problem *p)
{
    const struct bytes *m = &g->launch.message;

    g->child = g->launch.child;
    if (sys_send_fd(g->launch.control, m->data, m->size, g->order->streams[0]) == (ssize_t)m->size)
        return TERN_OK;
    kill(g->child, SIGKILL);
    process_wait(g->child);
    g->launch.is_warm = false;
    return problem_set(p, TERN_ESYSTEM, "a runner that waited for its next program has gone");
}

static enum tern_err start(struct program *g, struct problem *p)
{
    char *const no_env[] = {NULL};
    const struct process_spec spec = {
        .argv = g->launch.command.word,
        .env = g->order->settings->runner ? NULL : no_env, /* an emulator may need some */
        .fds = g->launch.fds,
        .fd_count = g->launch.fd_count,
    };

    return g->launch.is_warm ? send_ticket(g, p) : process_start(&spec, &g->child, p);
}

static enum tern_err make_take(void *context, struct take **out, struct problem *p)
{
    struct program *g = context;
    enum tern_err err = launch_take(&g->launch, p);

    *out = g->launch.take;
    return err;
}

/* ---- From outside ---- */

enum tern_err program_new(const struct program_order *order, struct program **out,
                          struct problem *p)
{
    struct program *g = calloc(1, sizeof *g);
    enum tern_err err = g ? TERN_OK : problem_set(p, TERN_ENOMEM, "out of memory");

    if (!err)
        err = launch_make(&g->launch, order, p);
    if (err) {
        free(g);
        return err;
    }
    g->order = order;
    g->gone = true;
    *out = g;
    return TERN_OK;
}

enum tern_err program_start(struct program *g, uv_loop_t *loop, struct problem *p)
{
    enum tern_err err = start(g, p);

    if (err)
        return err;
    g->gone = false;
    if (!g->launch.is_warm) {
        close_end(g, TICKET_FD_REPORT);
        close_end(g, TICKET_FD_CONTROL);
    }
    g->report.data = g;
    check(uv_poll_init(loop, &g->report, g->launch.report) == 0);
    uv_poll_start(&g->report, UV_READABLE, on_report);
    if (!g->order->stop)
        return TERN_OK;
    g->stopper = (struct stopper){.order = g->order->stop,
                                  .control = g->launch.control,
                                  .memory = g->launch.fds[TICKET_FD_MEMORY],
                                  .take = g->launch.take,
                                  .fill = g->launch.fill,
                                  .base = g->launch.base,
                                  .ready = g->launch.is_warm,
                                  .heard = g->launch.is_warm,
                                  .context = g,
                                  .make_take = make_take,
                                  .rests = rests};
    stopper_start(&g->stopper, loop, g->child);
    return TERN_OK;
}

bool program_is_warm(const struct program *g)
{
    return g->launch.is_warm;
}

void program_free(struct program *g)
{
    if (!g)
        return;
    if (g->launch.is_warm && !g->child) /* it still waits */
        launch_keep(&g->launch, g->launch.child, g->launch.base);
    launch_release(&g->launch);
    free(g);
}

void program_checkpoint(struct program *g, bool last)
{
    check(g->order->stop);
    if (!g->gone)
        stopper_wish(&g->stopper, last);
}

bool program_kill(struct program *g, int as)
{
    if (g->gone)
        return false;
    g->forced = as;
    g->killed = true;
    return program_signal(g, SIGKILL);
}

bool program_signal(struct program *g, int number)
{
    return !g->gone && kill(g->child, number) == 0;
}

bool program_was_stopped(struct program *g, int *number)
{
    return !g->gone && process_was_stopped(g->child, number);
}
