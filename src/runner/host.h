/*
 * host - the seam between the program and the world: every host call passes through tern_host.
 *
 * Does     Gives each call its sequence number, finds its handler by number, makes it again
 *          while a signal interrupts it, puts the answer into the cells. A program that is to stop
 *          leaves a call that was interrupted: it is made again when the program goes on.
 * Signals  Whatever asks a program to stop comes by a signal without SA_RESTART, and again until
 *          the program has stopped: a call that was about to wait when the first came is not
 *          interrupted by it. A handler says HOST_AGAIN only if nothing has happened yet, or if
 *          the same once more does no harm.
 * Clock    The program's own never runs back and stands still while the program is stopped.
 * Call     struct host_call holds all of the call that is being made until its answer stands:
 *          arguments in cells that no handler writes, and what a second attempt must know of
 *          the first. So a call can be recorded (recorder.h), answered from a record (replayer.h),
 *          or saved as 'about to be made again'.
 * Not here What the calls do: wasi_*.c, one function per row of wire/calls.h.
 * Memory   Guest memory through guest.h only, and no field of it is read twice.
 */
#ifndef TERN_RUNNER_HOST_H
#define TERN_RUNNER_HOST_H

#include "rt/instance.h"
#include "runner/fds.h"
#include "runner/guest.h"
#include "runner/input.h"
#include "runner/random.h"
#include "runner/wasi_errno.h"
#include "wire/calls.h"
#include "wire/ticket.h"

struct host_call {
    uint64_t sequence; /* from 1 */
    uint32_t number;
    const union tern_cell *args;
    bool answered;
    uint32_t attempt;  /* from 0 */
    uint64_t start_ns; /* on the program's clock, at attempt 0 of a call that waits, else 0 */
};

struct recorder;
struct replayer;
struct state;

struct host {
    const struct ticket *ticket;
    const struct state *resumed;      /* what it goes on from; NULL: from the beginning */
    const struct tern_memory *memory; /* memory 0, or NULL */
    struct input input;
    bool walk_paths; /* no openat2 */
    struct host_call call;
    struct recorder *recorder; /* NULL: nothing is recorded */
    struct replayer *replayer; /* NULL: calls are made */
    uint64_t output_bytes;     /* written so far */
    uint64_t cpu_start_ns;  /* processor time before the program's first instruction; modulo 2^64 */
    uint64_t clock_base_ns; /* the program's monotonic clock less the machine's; modulo 2^64 */
    bool files_changed;     /* perhaps: changes.h; since the program last went on */
    struct random random;
    uint64_t waited_ns; /* already, by the call that is made next */
    struct fds fds;     /* last: all in front is zeroed for another program (again.c) */
};

/* A handler's answer when a signal came before anything had happened. Not one of WASI's. */
#define HOST_AGAIN ((enum wasi_errno)0xffff)

typedef enum wasi_errno host_handler(struct host *h, const union tern_cell *a);

#define HOST_HANDLER(number, name, signature) host_handler wasi_##name;
HOST_CALLS(HOST_HANDLER)
#undef HOST_HANDLER

/* Of an imported function: its number and signature; 0 if there is none. */
uint32_t host_find(const struct tern_import *import, const char **signature);

/* An error number in WASI's words, or HOST_AGAIN for EINTR. */
enum wasi_errno host_error(int error);
/* The answer to a system call's result: that of errno if it is -1. */
enum wasi_errno host_answer(long result);

/* The time of day, in nanoseconds since 1970, as what happens to the program's files is dated. */
uint64_t host_real_ns(const struct host *h);
/* The program's own monotonic clock. */
uint64_t host_monotonic_ns(const struct host *h);

/*
 * How much of `wanted` the program may still write; counts what host_written is told. Where
 * nothing is left, the program ends here.
 */
uint64_t host_may_write(struct host *h, uint64_t wanted);
void host_written(struct host *h, uint64_t bytes);

#endif
