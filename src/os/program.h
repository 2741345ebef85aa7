/*
 * program - runs a compiled module in a runner, within what its order names, on its owner's loop.
 *
 * Does     Starts the runner with exactly the descriptors of enum ticket_fd, watches it, has
 *          checkpoints taken, reads its report.
 * Life     program_new makes ready what it needs; program_start; then any of the calls below, which
 *          have no effect once its runner has ended. `ended` is told last, when nothing of it is
 *          on the loop any more: from then on (from within it, too) program_free. One that was not
 *          started may be freed at any time.
 * Order    Is borrowed until program_free.
 * Tells    From the loop. No signal is listened to, and none changed: supervise.h does.
 * Threads  program_new may be called from any thread, while nobody else uses the order's store;
 *          all else from the loop's. While the program runs, that store belongs to the loop's
 *          threads: from `ready` of one that goes on until its memory is filled, from
 *          program_checkpoint until that is answered; and until then nobody else uses it.
 * End      The runner ends with whoever started it, by whatever that dies: the kernel sees to it
 *          (runner/main.c). So program_start has to be called by a thread that lives as long.
 * Record   One that is written gets its end here; in a replay no directory is lent, nothing is
 *          read from standard input, and only the limits apply that the run does not depend on.
 * Errors   Only what keeps it from starting. How a program that was started ended is told; that
 *          says, too, if what it was to leave could not be put where it should.
 */
#ifndef TERN_OS_PROGRAM_H
#define TERN_OS_PROGRAM_H

#include "os/checkpoint.h"
#include "os/ending.h"
#include "os/files.h"
#include "os/record.h"
#include "os/settings.h"
#include "os/stopper.h"
#include "os/warm.h"
#include "os/words.h"

struct program_dir {
    char *host;
    char *guest;
    bool read_only;
};

struct program_limits {
    uint32_t memory_pages_max;
    uint64_t stack_bytes; /* of WebAssembly's own locals and operands */
    uint64_t cpu_ns_max;
    uint64_t output_bytes_max;
};

extern const struct program_limits program_default;

struct program_order {
    const struct settings *settings;
    const char *name;         /* of the module's file, for messages */
    const struct words *args; /* with the program's own name */
    const struct words *env;
    int streams[3]; /* 0, 1 and 2 of the program: borrowed; -1: /dev/null */
    bool counts_input; /* what it reads from the first is counted; else see stop->input */
    const struct program_dir *dirs;
    size_t dir_count;
    struct files_order files;
    struct program_limits limits;
    bool deterministic;
    const uint64_t *random_seed;           /* NULL: the system's own randomness */
    const struct stopper_order *stop;      /* NULL: it cannot be stopped */
    struct warm *warm; /* which runner may be used, and where it may be left; NULL: none (warm.h) */
    struct store *store;                   /* of `from` */
    const struct checkpoint *from;         /* NULL: from the beginning */
    int continuations;                     /* for that: a sealed object */
    const struct translate_points *points; /* of these */
    enum ticket_record record_use;
    int record;                         /* for that: borrowed */
    const struct record_file *replayed; /* of TICKET_RECORD_REPLAY */
    void (*warn)(const char *text);     /* what went wrong with the record */
    int module;                         /* sealed descriptors */
    int object;
    struct view module_bytes;

    void *context;
    void (*ended)(void *context, const struct ending *end);
};

struct program;

/* Of an order with `warm`: a runner that waited for it is used. */
bool program_is_warm(const struct program *g);
enum tern_err program_new(const struct program_order *order, struct program **out,
                          struct problem *p);
enum tern_err program_start(struct program *g, uv_loop_t *loop, struct problem *p);
void program_free(struct program *g); /* NULL is fine */

/* Of one that can be stopped. last: it does not go on. The stopper's order is told what came. */
void program_checkpoint(struct program *g, bool last);
/* At once; the ending is that of signal `as`. False: its runner has ended already. */
bool program_kill(struct program *g, int as);
/* As the shell of a job does. */
bool program_signal(struct program *g, int number);
/* Whether its runner was stopped by a signal, which is told once. */
bool program_was_stopped(struct program *g, int *number);

#endif
