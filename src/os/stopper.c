#include "os/stopper.h"

#include "base/check.h"
#include "os/sys.h"
#include "wire/ticket.h"

#include <signal.h>
#include <string.h>

enum {
    AGAIN_MS = 10,
    ONE_WISH_MS = 200, /* timeout(1) and others tell a process and its group: that is one wish */
    SENTENCE_BYTES = 512,
};

static void ask(struct stopper *s, bool last)
{
    s->last |= last;
    s->asked = true;
    if (!s->ready)
        return; /* as soon as it is */
    kill(s->child, SIGUSR1);
    uv_timer_again(&s->again);
}

static void on_again(uv_timer_t *timer)
{
    const struct stopper *s = timer->data;

    if (s->asked)
        kill(s->child, SIGUSR1);
}

static void on_every(uv_timer_t *timer)
{
    struct stopper *s = timer->data;

    if (!s->asked)
        ask(s, false);
}

static void answer(const struct stopper *s, char what)
{
    (void)sys_write(s->control, &what, 1); /* a runner that is gone is noticed elsewhere */
}

static void take(struct stopper *s)
{
    struct checkpoint_done done = {.frames = 0};
    struct problem why = {.text = ""};
    enum tern_err err = checkpoint_take(&s->checkpoint, &done, &why);
    const bool last = s->last;

    s->order->tell(s->order->context, err ? NULL : &done, last, &why);
    s->refused |= last && err;
    s->last = false;
    answer(s, last && !err ? CONTROL_END : CONTROL_GO_ON);
}

/* The runner's reason, up to the end of its line. */
static void hear_why(const struct stopper *s, struct problem *why)
{
    char text[SENTENCE_BYTES];
    size_t size = 0;

    while (size + 1 < sizeof text && sys_read(s->control, text + size, 1) == 1 &&
           text[size] != '\n')
        size++;
    text[size] = 0;
    problem_set(why, TERN_EBUSY, "%s", text);
}

static void stays(struct stopper *s)
{
    struct problem why = {.text = ""};

    hear_why(s, &why);
    s->order->tell(s->order->context, NULL, s->last, &why);
    s->refused |= s->last;
    s->last = false;
}

static void on_answer(uv_poll_t *poll, int status, int events)
{
    struct stopper *s = poll->data;
    char what;

    (void)events;
    if (status < 0 || sys_read(s->control, &what, 1) != 1) {
        uv_poll_stop(poll); /* the runner has ended */
        return;
    }
    if (what == CONTROL_READY) {
        s->ready = true;
        if (s->asked)
            ask(s, false);
        return;
    }
    s->asked = false;
    uv_timer_stop(&s->again);
    if (what == CONTROL_STOPPED)
        take(s);
    else
        stays(s);
    uv_update_time(poll->loop); /* a checkpoint takes its time: the next one counts from here */
    uv_timer_again(&s->every);
}

/* Whoever was asked before it could hear may have kept that waiting. */
static void hear_requests(void)
{
    sigset_t requests;

    sigemptyset(&requests);
    sigaddset(&requests, SIGUSR1);
    sigprocmask(SIG_UNBLOCK, &requests, NULL);
}

static void started(void *context, uv_loop_t *loop, pid_t child)
{
    struct stopper *s = context;

    s->child = child;
    s->every.data = s->again.data = s->answers.data = s;
    check(uv_timer_init(loop, &s->every) == 0 && uv_timer_init(loop, &s->again) == 0);
    check(uv_poll_init(loop, &s->answers, s->control) == 0);
    uv_poll_start(&s->answers, UV_READABLE, on_answer);
    uv_timer_start(&s->again, on_again, AGAIN_MS, AGAIN_MS);
    uv_timer_stop(&s->again);
    hear_requests();
    if (s->order->every_ms)
        uv_timer_start(&s->every, on_every, s->order->every_ms, s->order->every_ms);
}

static void on_end(struct stopper *s, int number)
{
    const uint64_t now = uv_now(s->again.loop);

    if (!s->last && !s->refused) {
        s->wish_ms = now;
        ask(s, true);
    } else if (now - s->wish_ms >= ONE_WISH_MS) {
        s->forced = number;
        kill(s->child, SIGKILL);
    }
}

static bool on_signal(void *context, int number)
{
    struct stopper *s = context;

    switch (number) {
    case SIGUSR1:
        if (!s->asked)
            ask(s, false);
        return true;
    case SIGTERM:
    case SIGINT:
    case SIGHUP: on_end(s, number); return true;
    default: return false;
    }
}

struct supervise_hooks stopper_hooks(struct stopper *s)
{
    return (struct supervise_hooks){.context = s, .started = started, .on_signal = on_signal};
}

void stopper_over(void)
{
    sigset_t late;

    sigemptyset(&late);
    sigaddset(&late, SIGUSR1);
    sigaddset(&late, SIGINT);
    sigaddset(&late, SIGTERM);
    sigaddset(&late, SIGHUP);
    sigprocmask(SIG_BLOCK, &late, NULL);
}
