#include "runner/quota.h"

#include "runner/end.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

/* Those of the program, directories on the way to a path, and as many as one poll can ask for. */
enum { OPEN_FILES_MAX = 2 * FDS_MAX + 256 };

enum { SECONDS_OF_GRACE = 3 }; /* before the kernel's own limit, which is for our mistakes */

static void lower(int resource, rlim_t soft, rlim_t hard)
{
    struct rlimit limit;

    if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
        return;
    if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > hard)
        limit.rlim_max = hard;
    limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
    setrlimit((__rlimit_resource_t)resource, &limit);
}

void quota_apply(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    lower(RLIMIT_CORE, 0, 0);
    lower(RLIMIT_NOFILE, OPEN_FILES_MAX, OPEN_FILES_MAX);
}

static void on_time(int number)
{
    (void)number;
    if (!end_begun() && !end_is_replaying())
        end_limit(REPORT_LIMIT_CPU);
}

static bool start_timer(uint64_t ns, bool again)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGXCPU};
    const struct timespec span = {.tv_sec = (time_t)(ns / 1000000000u),
                                  .tv_nsec = (long)(ns % 1000000000u)};
    const struct itimerspec when = {.it_value = span,
                                    .it_interval = again ? span : (struct timespec){.tv_sec = 0}};
    timer_t timer;

    return timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer) == 0 &&
           timer_settime(timer, 0, &when, NULL) == 0;
}

static bool start_interval_timer(uint64_t ns, bool again)
{
    const uint64_t us = ns / 1000 + 1;
    const struct timeval span = {.tv_sec = (time_t)(us / 1000000u),
                                 .tv_usec = (suseconds_t)(us % 1000000u)};
    const struct itimerval when = {.it_value = span,
                                   .it_interval = again ? span : (struct timeval){.tv_sec = 0}};

    return setitimer(ITIMER_PROF, &when, NULL) == 0;
}

void quota_start_clock(uint64_t cpu_ns_max, bool replays)
{
    /* The program's own stack may be what is nearly used up: hence the other one. */
    struct sigaction action = {.sa_handler = on_time, .sa_flags = SA_ONSTACK | SA_RESTART};
    rlim_t seconds = end_cpu_ns() / 1000000000u + cpu_ns_max / 1000000000u + SECONDS_OF_GRACE;

    if (cpu_ns_max == 0)
        return;
    sigemptyset(&action.sa_mask);
    sigaction(SIGXCPU, &action, NULL);
    sigaction(SIGPROF, &action, NULL);
    if (!start_timer(cpu_ns_max, replays))
        start_interval_timer(cpu_ns_max, replays);
    if (!replays)
        lower(RLIMIT_CPU, seconds, seconds + SECONDS_OF_GRACE);
}
