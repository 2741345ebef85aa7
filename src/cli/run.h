/*
 * run - what exec, resume and replay have in common: a module, what it may use, its checkpoints,
 *       its record.
 *
 * Life     run_init; fill in the order; run_load (exec), run_open (resume) or run_open_record
 *          (replay); run_go; run_release.
 * Settings Arguments, variables, directories and limits travel with each checkpoint and each record
 *          as JSON, so that a directory of checkpoints is all that resume needs, a record all that
 *          replay needs. Bytes that are not printable
 *          ASCII stand there as %XX.
 */
#ifndef TERN_CLI_RUN_H
#define TERN_CLI_RUN_H

#include "cli/command.h"

#include "os/hash.h"
#include "os/object.h"
#include "os/program.h"
#include "translate/translate.h"
#include "wasm/module.h"

enum { RUN_OUTS_MAX = 256 };

struct run {
    const struct invocation *in;
    const char *verb; /* "exec", "resume": for messages */
    char *path;       /* of the module, as it was given */
    struct words args;
    struct words env;
    struct program_dir dirs[TICKET_DIRS_MAX];
    size_t dir_count;
    char *files; /* folder that the program's own file tree begins with; NULL: it has none */
    struct tree_out outs[RUN_OUTS_MAX];
    size_t out_count;
    uint64_t files_bytes_max;
    struct program_limits limits;
    bool deterministic; /* of resume: as the image says; of replay: as it was recorded */
    bool seeded;        /* random numbers, of exec: of resume the image says */
    uint64_t random_seed;
    uint64_t every_ns; /* between checkpoints; 0: only when asked */

    const char *checkpoints; /* directory; NULL: none are taken */
    struct store *store;
    struct kept_input input;
    struct checkpoint from; /* of resume */
    bool resumes;
    char said[PROBLEM_TEXT_MAX]; /* why the last checkpoint was not taken, or "" */
    int stats;                   /* a line for each checkpoint goes there; -1: nowhere */
    struct bytes settings;

    const char *record; /* a file: written by exec, read by replay; NULL: none */
    int record_fd;
    struct record_file replayed;
    bool replays;

    int module; /* sealed */
    struct view bytes;
    void *map;
    struct digest digest;
    struct object object, continuations;
    struct translate_points points; /* of these; the list is ours */
};

void run_init(struct run *r, const struct invocation *in, const char *verb);
void run_release(struct run *r);

/* HOST or HOST::GUEST; false after a line on standard error. */
bool run_add_dir(struct run *r, const char *value, bool read_only);
bool run_add_env(struct run *r, const char *value);
/* PATH or PATH=HOSTPATH; likewise. */
bool run_add_out(struct run *r, const char *value);
/* Whether the directories, files and outputs that were given go together; likewise. */
bool run_check_files(const struct run *r);

/* Reads the module's file; with checkpoints, makes their directory. */
enum tern_err run_load(struct run *r, struct problem *p);
/* Opens the directory's newest checkpoint: module, settings, image, all checked. */
enum tern_err run_open(struct run *r, struct problem *p);
/* Opens the record: module and settings; its calls are checked. */
enum tern_err run_open_record(struct run *r, struct problem *p);
/* Compiles what is missing, and runs; the code or signal to end by. */
int run_go(struct run *r, int *signal);

/* run_stats.c. False after a line on standard error. */
bool run_open_stats(struct run *r, const char *path);
void run_tell_stats(const struct run *r, const struct stopper_done *done);

/* run_settings.c */
enum tern_err run_write_settings(struct run *r);
enum tern_err run_read_settings(struct run *r, struct view json, struct problem *p);

#endif
