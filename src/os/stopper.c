#include "os/stopper.h"

#include "base/check.h"
#include "base/little.h"
#include "os/sys.h"
#include "wire/ticket.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

enum {
    AGAIN_MS = 10,
    SENTENCE_BYTES = 512,
    NS_PER_MS = 1000000,
};

static void go_further(struct stopper *s);

static uint64_t now_ns(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void answer(const struct stopper *s, char what)
{
    (void)sys_send(s->control, &what, 1); /* a runner that is gone is noticed elsewhere */
}

/* ---- One checkpoint, step by step ---- */

/* A slow one must not leave the program no time of its own. */
static void wait_for_next(struct stopper *s)
{
    const uint64_t took_ms = (now_ns() - s->began_ns) / NS_PER_MS;
    const uint64_t rest_ms = took_ms < s->order->every_ms ? s->order->every_ms - took_ms : 0;

    if (s->order->every_ms && !s->gone) {
        uv_update_time(s->every.loop);
        uv_timer_start(&s->every, s->every.timer_cb,
                       rest_ms > took_ms / 2 ? rest_ms : took_ms / 2 + 1, s->order->every_ms);
    }
}

/* Told once each way, however a wish is answered. */
static void tell_taking(struct stopper *s, bool taking)
{
    if (s->order->taking && s->taking != taking)
        s->order->taking(s->order->context, taking);
    s->taking = taking;
}

static void is_over(struct stopper *s)
{
    tell_taking(s, false);
    s->step = STOPPER_IDLE;
    s->told = false;
    wait_for_next(s);
    go_further(s);
}

static void was_not_taken(struct stopper *s)
{
    const bool last = s->last;

    s->last = false;
    s->order->tell_not(s->order->context, last, &s->why);
    is_over(s);
}

static void runs_again(struct stopper *s)
{
    s->done.pause_ns = now_ns() - s->stopped_ns;
    answer(s, s->may_read ? CONTROL_GO_READ : CONTROL_GO_ON);
}

static void store_now(uv_work_t *work)
{
    struct stopper *s = work->data;

    s->err = take_store(s->take, &s->done.take, &s->why);
}

static void stored(struct stopper *s)
{
    s->may_read |= s->still || !s->err;
    if (s->err) {
        if (s->still)
            runs_again(s);
        if (s->err != TERN_EBUSY) /* then nobody wants it any more */
            was_not_taken(s);
        return;
    }
    s->done.total_ns = now_ns() - s->began_ns;
    if (s->still && !s->done.last)
        runs_again(s);
    s->order->tell(s->order->context, &s->done);
    if (s->order->input)
        kept_input_pass(s->order->input, s->done.take.input_bytes);
    if (s->done.last)
        answer(s, CONTROL_END);
    is_over(s);
}

static void worked(uv_work_t *work, int status)
{
    struct stopper *s = work->data;

    check(status == 0);
    s->working = false;
    s->then(s);
    if (s->gone) {
        check(!s->working);
        s->rests(s->context);
    }
}

static void work_on(struct stopper *s, uv_work_cb does, void (*then)(struct stopper *s))
{
    s->work.data = s;
    s->then = then;
    s->working = true;
    check(uv_queue_work(s->every.loop, &s->work, does, worked) == 0);
}

static void has_stopped(struct stopper *s)
{
    s->done = (struct stopper_done){.last = s->last, .tracked = pages_tracked(take_pages(s->take))};
    s->still = s->last || s->wishes;
    s->wishes = false;
    if (take_stopped(s->take, &s->still, &s->why)) {
        s->may_read = true; /* none can be taken: it is not to wait for one */
        runs_again(s);
        was_not_taken(s);
        return;
    }
    if (s->order->stopped)
        s->order->stopped(s->order->context);
    s->step = STOPPER_STORING;
    if (!s->still)
        runs_again(s);
    work_on(s, store_now, stored);
}

/* Only then the names of all pages are kept, and the kernel is asked which were written. */
static bool have_take(struct stopper *s)
{
    struct dirty d;

    if (s->take)
        return true;
    s->why.text[0] = 0;
    if (s->make_take(s->context, &s->take, &s->why))
        return false;
    if (s->base && dirty_open(&d, s->child, s->base))
        pages_track(take_pages(s->take), &d);
    return true;
}

static void ask(struct stopper *s)
{
    s->asked = true;
    s->wish = false;
    s->step = STOPPER_ASKED;
    kill(s->child, SIGUSR1);
    uv_timer_again(&s->again);
}

static void on_again(uv_timer_t *timer)
{
    const struct stopper *s = timer->data;

    if (s->step == STOPPER_ASKED)
        kill(s->child, SIGUSR1);
}

static void store_ahead(uv_work_t *work)
{
    struct stopper *s = work->data;

    s->err = take_ahead(s->take, &s->why);
}

static void is_ahead(struct stopper *s)
{
    if (!s->ready) /* it has ended, and its number may be another's */
        return;
    if (!s->err)
        ask(s);
    else if (s->err != TERN_EBUSY)
        was_not_taken(s);
}

/* A program that is to end has no use for stopping briefly. */
static void go_further(struct stopper *s)
{
    if (s->step != STOPPER_IDLE || !s->wish || !s->ready)
        return;
    if (!have_take(s)) {
        s->wish = false;
        was_not_taken(s);
        return;
    }
    s->began_ns = now_ns();
    s->why.text[0] = 0;
    tell_taking(s, true);
    if (s->last || s->wishes || !pages_behind(take_pages(s->take))) {
        ask(s);
        return;
    }
    s->wish = false;
    s->step = STOPPER_AHEAD;
    work_on(s, store_ahead, is_ahead);
}

static void wish_for(struct stopper *s, bool last)
{
    s->wish = true;
    s->last |= last;
    go_further(s);
}

static void on_every(uv_timer_t *timer)
{
    wish_for(timer->data, false);
}

/* ---- What the runner says ---- */

/* What belongs together is on its way together: waiting for it is short. */
static bool hear(const struct stopper *s, void *to, size_t size)
{
    struct pollfd rest = {.fd = s->control, .events = POLLIN};
    uint8_t *at = to;

    while (size > 0) {
        const ssize_t got = sys_read(s->control, at, size);

        if (got == -EAGAIN && poll(&rest, 1, -1) >= 0)
            continue;
        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

static uint64_t hear_number(const struct stopper *s)
{
    uint8_t bytes[8] = {0};

    hear(s, bytes, sizeof bytes);
    return little_get(bytes, sizeof bytes);
}

/* The runner's reason, up to the end of its line. */
static void hear_why(struct stopper *s)
{
    char text[SENTENCE_BYTES];
    size_t size = 0;

    while (size + 1 < sizeof text && hear(s, text + size, 1) && text[size] != '\n')
        size++;
    text[size] = 0;
    problem_set(&s->why, TERN_EBUSY, "%s", text);
}

/* ---- The memory of a program that goes on ---- */

static void is_unfilled(struct stopper *s, enum tern_err err)
{
    s->unfilled = err;
    if (!s->gone)
        kill(s->child, SIGKILL);
}

static void fill_now(uv_work_t *work)
{
    struct stopper *s = work->data;

    s->err = fill_run(s->fill);
}

static void filled(struct stopper *s)
{
    s->step = STOPPER_IDLE;
    if (s->err == TERN_EBUSY) /* nobody needs it any more */
        return;
    if (s->err)
        is_unfilled(s, s->err);
    go_further(s);
}

static void fill_memory(struct stopper *s, int tracker, uint64_t base)
{
    enum tern_err err = TERN_OK;

    if (fill_begin(s->fill, tracker, base)) {
        s->step = STOPPER_FILLING;
        work_on(s, fill_now, filled);
    } else {
        err = fill_all(s->fill, s->memory);
    }
    if (err)
        is_unfilled(s, err);
    else
        answer(s, CONTROL_GO_ON);
}

static void is_ready(struct stopper *s, int tracker)
{
    const uint64_t base = hear_number(s);
    struct dirty d;

    s->heard = true;
    s->base = s->order->compare ? 0 : base;
    if (s->base && s->take && dirty_open(&d, s->child, base))
        pages_track(take_pages(s->take), &d);
    if (s->fill)
        fill_memory(s, tracker, s->base);
    else
        sys_close(tracker);
    s->ready = true;
    if (s->order->ready)
        s->order->ready(s->order->context);
    go_further(s);
}

static void on_answer(uv_poll_t *poll, int status, int events)
{
    struct stopper *s = poll->data;
    int tracker = -1;
    char what;

    (void)events;
    if (status < 0 || sys_read_fd(s->control, &what, 1, &tracker) != 1) {
        uv_poll_stop(poll); /* the runner has ended */
        return;
    }
    if (what == CONTROL_READY) {
        is_ready(s, tracker);
        return;
    }
    sys_close(tracker);
    if (what == CONTROL_WISHES) {
        s->wishes = true;
        wish_for(s, false);
        return;
    }
    uv_timer_stop(&s->again);
    if (what == CONTROL_STOPPED) {
        s->stopped_ns = hear_number(s);
        has_stopped(s);
    } else {
        hear_why(s);
        was_not_taken(s);
    }
}

/* ---- From outside ---- */

void stopper_start(struct stopper *s, uv_loop_t *loop, pid_t child)
{
    s->child = child;
    s->began_ns = now_ns();
    s->every.data = s->again.data = s->answers.data = s;
    check(uv_timer_init(loop, &s->every) == 0 && uv_timer_init(loop, &s->again) == 0);
    check(uv_poll_init(loop, &s->answers, s->control) == 0);
    uv_poll_start(&s->answers, UV_READABLE, on_answer);
    uv_timer_start(&s->again, on_again, AGAIN_MS, AGAIN_MS);
    uv_timer_stop(&s->again);
    if (s->order->every_ms)
        uv_timer_start(&s->every, on_every, s->order->every_ms, s->order->every_ms);
}

void stopper_wish(struct stopper *s, bool last)
{
    s->told |= !last;
    wish_for(s, last);
}

/* A program that was quick has gone before that was read; a runner that stays says it once only. */
static void hear_ready(struct stopper *s)
{
    int tracker = -1;
    char what = 0;

    if (sys_read_fd(s->control, &what, 1, &tracker) == 1 && what == CONTROL_READY) {
        s->base = hear_number(s);
        s->heard = true;
    }
    sys_close(tracker);
}

/* Of a program that has ended only what somebody asked for is worth storing. */
void stopper_ended(struct stopper *s, bool by_itself)
{
    s->ready = false;
    s->gone = true;
    uv_timer_stop(&s->every);
    uv_timer_stop(&s->again);
    uv_poll_stop(&s->answers);
    if (!s->heard && !s->fill)
        hear_ready(s);
    if (s->fill)
        fill_give_up(s->fill);
    if (s->take && (s->step != STOPPER_STORING || (by_itself && (!s->told || s->order->lets_go))))
        take_give_up(s->take);
    if (!s->working)
        s->rests(s->context);
}

void stopper_close(struct stopper *s, void *data, void (*closed)(uv_handle_t *handle))
{
    s->every.data = s->again.data = s->answers.data = data;
    uv_close((uv_handle_t *)&s->every, closed);
    uv_close((uv_handle_t *)&s->again, closed);
    uv_close((uv_handle_t *)&s->answers, closed);
}
