#include "cli/signals.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

static volatile sig_atomic_t caught; /* a handler can write nowhere else */
static sigset_t before;

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

static void on_signal(int number)
{
    caught = number;
}

void signals_catch(void)
{
    struct sigaction action = {.sa_handler = on_signal}, old;
    sigset_t ours;

    sigemptyset(&ours);
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sigaction(numbers[i], NULL, &old);
        if (old.sa_handler == SIG_IGN)
            continue; /* nohup */
        sigaction(numbers[i], &action, NULL);
        sigaddset(&ours, numbers[i]);
    }
    sigprocmask(SIG_BLOCK, &ours, &before);
}

void signals_default(void)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction old;

        sigaction(numbers[i], NULL, &old);
        if (old.sa_handler == on_signal)
            signal(numbers[i], SIG_DFL);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}

int signals_take(void)
{
    const int number = caught;

    caught = 0;
    return number;
}

int signals_poll(struct pollfd *fds, unsigned count, int timeout_ms)
{
    const struct timespec limit = {.tv_sec = timeout_ms / 1000,
                                   .tv_nsec = timeout_ms % 1000 * 1000000L};

    return ppoll(fds, count, timeout_ms < 0 ? NULL : &limit, &before);
}
