/*
 * program - runs a compiled module in a runner, within what its order names.
 *
 * Does     Writes the ticket, makes the memory, starts the runner with exactly the descriptors
 *          of enum ticket_fd, watches it, reads its report.
 * Record   One that is written gets its end here; in a replay no directory is lent, nothing is
 *          read from standard input, and only the limits apply that the run does not depend on.
 * Errors   Only what keeps it from starting. How a program that was started ended is *out; that
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
    const struct program_dir *dirs;
    size_t dir_count;
    struct files_order files;
    struct program_limits limits;
    bool deterministic;
    const uint64_t *random_seed;           /* NULL: the system's own randomness */
    const struct stopper_order *stop;      /* NULL: it cannot be stopped */
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
};

enum tern_err program_run(const struct program_order *order, struct ending *out, struct problem *p);

#endif
