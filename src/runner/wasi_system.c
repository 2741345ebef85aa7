/* wasi_system - clocks, randomness, and the process itself. */
#include "runner/private.h"

#include <sched.h>
#include <sys/random.h>
#include <time.h>

static bool clock_of(uint32_t id, clockid_t *out)
{
    switch (id) {
    case CLOCKID_REALTIME: *out = CLOCK_REALTIME; return true;
    case CLOCKID_MONOTONIC: *out = CLOCK_MONOTONIC; return true;
    case CLOCKID_PROCESS_CPU: /* a program is one thread */
    case CLOCKID_THREAD_CPU: *out = CLOCK_PROCESS_CPUTIME_ID; return true;
    default: return false;
    }
}

static uint64_t nanoseconds(const struct timespec *t)
{
    return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

enum wasi_errno wasi_clock_res_get(struct host *h, const union tern_cell *a)
{
    struct timespec resolution;
    clockid_t id;

    if (!clock_of(a[0].i32, &id) || clock_getres(id, &resolution) < 0)
        return WASI_E_INVAL;
    return guest_put64(h->memory, a[1].i32, nanoseconds(&resolution)) ? WASI_E_SUCCESS
                                                                      : WASI_E_FAULT;
}

enum wasi_errno wasi_clock_time_get(struct host *h, const union tern_cell *a)
{
    struct timespec now;
    uint64_t ns;
    clockid_t id;

    if (!clock_of(a[0].i32, &id) || clock_gettime(id, &now) < 0)
        return WASI_E_INVAL;
    ns = nanoseconds(&now);
    if (id == CLOCK_PROCESS_CPUTIME_ID)
        ns -= h->cpu_start_ns; /* loading is not the program's doing */
    if (id == CLOCK_MONOTONIC)
        ns += h->clock_base_ns;
    return guest_put64(h->memory, a[2].i32, ns) ? WASI_E_SUCCESS : WASI_E_FAULT;
}

/*
 * In pieces that no signal cuts short: filling all of it again does no harm, but takes time. Only
 * a machine that has just been started keeps waiting for its first randomness.
 */
enum wasi_errno wasi_random_get(struct host *h, const union tern_cell *a)
{
    uint64_t size = a[1].i32;
    uint8_t *to = guest_at(h->memory, a[0].i32, size);

    if (!to)
        return WASI_E_FAULT;
    if (h->random.seeded) {
        random_fill(&h->random, to, size);
        return WASI_E_SUCCESS;
    }
    while (size > 0) {
        ssize_t got = getrandom(to, size < 256 ? size : 256, 0);

        if (got < 0)
            return host_answer(got);
        to += got;
        size -= (uint64_t)got;
    }
    return WASI_E_SUCCESS;
}

enum wasi_errno wasi_sched_yield(struct host *h, const union tern_cell *a)
{
    (void)h;
    (void)a;
    sched_yield();
    return WASI_E_SUCCESS;
}

enum wasi_errno wasi_proc_exit(struct host *h, const union tern_cell *a)
{
    private_exit(h, a[0].i32);
}

/* As elsewhere: wasi-libc emulates signals within the program and does not call this. */
enum wasi_errno wasi_proc_raise(struct host *h, const union tern_cell *a)
{
    (void)h;
    (void)a;
    return WASI_E_NOTSUP;
}
