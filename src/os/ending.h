/*
 * ending - what became of a program, for its user: a sentence, and how tern itself is to end.
 *
 * Does     Takes the runner's report and the status of its process.
 * Not here Ending: the caller does that, by code or by signal.
 */
#ifndef TERN_OS_ENDING_H
#define TERN_OS_ENDING_H

#include "base/bytes.h"
#include "wire/ticket.h"

/* Of `tern exec`, besides the program's own; as near as can be to what shells know. */
enum exit_code {
    EXIT_STOPPED = 75,     /* stopped, with a checkpoint to go on from (EX_TEMPFAIL: again later) */
    EXIT_DIVERGED = 76,    /* a replayed run did something else than the recorded one */
    EXIT_RECORD_ENDS = 77, /* a replayed run came to where the record was cut off */
    EXIT_TERN = 125,       /* Tern could not do its part */
    EXIT_REFUSED = 126,    /* not a module, not a valid one, or one that needs what there is not */
    EXIT_NOT_FOUND = 127,
    EXIT_TRAP = 134,         /* as abort() looks to a shell: 128 + SIGABRT */
    EXIT_CPU_LIMIT = 152,    /* 128 + SIGXCPU */
    EXIT_OUTPUT_LIMIT = 153, /* 128 + SIGXFSZ */
};

enum ending_kind {
    ENDING_EXIT,    /* number: the exit code */
    ENDING_TRAP,    /* number: enum tern_trap_kind */
    ENDING_LIMIT,   /* number: enum report_limit */
    ENDING_SIGNAL,  /* number: of the signal that it raised itself */
    ENDING_STOPPED, /* behind its last checkpoint */
    ENDING_REFUSED, /* it could not be started */
    ENDING_KILLED,  /* number: of the signal, from outside */
    ENDING_REPLAY,  /* a replay that did not come to its end */
    ENDING_BROKEN,  /* by a fault of ours */
};

struct ending {
    enum ending_kind kind;
    uint32_t number;
    uint64_t cpu_ns;   /* that it has used, as its runner says */
    enum tern_err err; /* why it could not go on, though it was started; text is about that */
    int code;
    int signal;     /* if not 0: end by this signal instead */
    bool exited;    /* by itself, whatever the code */
    char text[768]; /* for standard error, without "tern: "; empty: nothing to say */
};

struct record_file;
struct translate_points;

struct ending_order {
    const char *name;   /* of the module's file */
    struct view module; /* for function names and places */
    int object;
    int continuations;                     /* of a program that went on */
    const struct translate_points *points; /* of these; else NULL */
    bool deterministic;
    int status;         /* as of waitpid */
    struct view report; /* what came through the pipe */
    uint64_t cpu_ns_max;
    uint64_t output_bytes_max;
    const struct record_file *replayed; /* NULL: it was no replay */
};

/* For ending_make: of a replay that gave this report. */
void ending_replayed(const struct ending_order *order, const struct report *r, struct ending *out);
void ending_make(const struct ending_order *order, struct ending *out);

#endif
