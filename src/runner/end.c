#include "runner/end.h"

#include "runner/clock.h"
#include "runner/replayer.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* For the signal handler of the processor-time limit, which gets no context of ours. */
static int report_fd = -1;
static const struct host *host;
static uintptr_t in_object, in_continuations; /* any address there */
static volatile sig_atomic_t ended;
static void (*stay)(void);

void end_init(int fd)
{
    report_fd = fd;
}

void end_watch(const struct host *h, uintptr_t object, uintptr_t continuations)
{
    in_object = object;
    in_continuations = continuations;
    host = h;
}

void end_stay(void (*leave)(void))
{
    stay = leave;
}

void end_again(void)
{
    ended = 0;
}

uint64_t end_cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* A pipe takes the whole report at once; if the parent is gone, nobody wants it. */
static void write_report(const uint8_t *from, size_t size)
{
    while (size > 0) {
        ssize_t sent = write(report_fd, from, size);

        if (sent < 0)
            return;
        from += sent;
        size -= (size_t)sent;
    }
}

/* A program that ends has made all the calls that it made. */
static void compare_end(struct report *r)
{
    const char *name;
    uint64_t sequence;

    if ((r->kind != REPORT_EXIT && r->kind != REPORT_TRAP) || !end_is_replaying() ||
        !replayer_next(host, &sequence, &name))
        return;
    *r = (struct report){.kind = REPORT_DIVERGED};
    snprintf(r->text, sizeof r->text, "it ends before call %" PRIu64 ", %s", sequence, name);
}

static _Noreturn void end_with(struct report *r)
{
    uint8_t bytes[REPORT_BYTES];

    compare_end(r);
    ended = 1;
    if (host) {
        r->memory_pages = host->memory ? host->memory->pages : 0;
        r->cpu_ns = end_cpu_ns() - host->cpu_start_ns;
        r->output_bytes = host->output_bytes;
    }
    r->stays = stay && r->kind == REPORT_EXIT;
    report_encode(r, bytes);
    write_report(bytes, sizeof bytes);
    if (r->stays)
        stay();
    _exit(0);
}

bool end_begun(void)
{
    return ended;
}

void end_exit(uint32_t code)
{
    end_with(&(struct report){.kind = REPORT_EXIT, .code = code});
}

/* 0 unless both lie in one object: addresses of our own mean nothing to the reader. */
static uint64_t relative(uintptr_t pc, uintptr_t inside)
{
    Dl_info at, object;

    if (!inside || !dladdr((void *)pc, &at) || !dladdr((void *)inside, &object))
        return 0;
    return at.dli_fbase == object.dli_fbase ? pc - (uintptr_t)at.dli_fbase : 0;
}

void end_trap(const struct trap_info *info)
{
    const uint64_t continued = info->by_fault ? relative(info->pc, in_continuations) : 0;

    end_with(&(struct report){
        .kind = REPORT_TRAP,
        .code = info->kind,
        .by_fault = info->by_fault,
        .continued = continued > 0,
        .func = info->func,
        .offset = info->offset,
        .pc = info->by_fault && !continued ? relative(info->pc, in_object) : continued,
    });
}

void end_limit(enum report_limit limit)
{
    end_with(&(struct report){.kind = REPORT_LIMIT, .code = limit});
}

void end_signal(int signal)
{
    end_with(&(struct report){.kind = REPORT_SIGNAL, .code = (uint32_t)signal});
}

void end_stopped(void)
{
    end_with(&(struct report){.kind = REPORT_STOPPED});
}

static _Noreturn void end_saying(enum report_kind kind, const char *format, va_list args)
{
    struct report r = {.kind = kind};

    vsnprintf(r.text, sizeof r.text, format, args);
    end_with(&r);
}

void end_refused(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    end_saying(REPORT_REFUSED, format, args);
    va_end(args);
}

void end_diverged(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    end_saying(REPORT_DIVERGED, format, args);
    va_end(args);
}

void end_replayed(uint32_t number)
{
    end_with(&(struct report){.kind = REPORT_REPLAYED, .code = number});
}

bool end_is_replaying(void)
{
    const char *name;
    uint64_t sequence;

    return host && host->replayer && replayer_next(host, &sequence, &name);
}
