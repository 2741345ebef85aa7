/*
 * job - a job as the command line has it: run, submit and map take the same options for it.
 *
 * --in     PATH=NAME (data by name), PATH=@FILE (a file here), PATH=t12:OUTPUT (what that task will
 *          have made; nothing behind the colon: its standard output). PATH "-" is standard input.
 * --out    PATH or PATH=FILE: a file that the program leaves, and where it goes here.
 * Checks   All that can be wrong is said before anything is sent; the module is validated.
 */
#ifndef TERN_CLI_JOB_H
#define TERN_CLI_JOB_H

#include "cli/pool.h"

enum { JOB_LIST_MAX = 1024 };

struct job_out {
    char *path;       /* in the program's file tree */
    const char *file; /* here; borrowed */
};

struct job {
    const struct invocation *in;
    struct tern_job job;
    struct tern_task_of task; /* what all its tasks have */
    const char *module;       /* path */
    const char **env, **labels, **machines;
    struct tern_input *inputs;
    struct tern_output *outputs;
    struct job_out *outs;
    char **own; /* texts of ours */
    size_t env_count, label_count, machine_count, input_count, output_count, own_count;
    bool takes_input; /* --in -=... was given */
    bool no_wait;     /* --no-wait */
    int code;         /* exit code, when job_take has returned false */
};

/* The module is args[0], the rest its arguments. False after a line on standard error. */
bool job_take(struct job *j, const struct invocation *in);
void job_release(struct job *j);

/* What the pool lacks of the job's requirements; false (and code) if --no-wait forbids to wait. */
bool job_check_offer(struct job *j, struct tern *t, struct tern_task task, int *code);

/* Fetches --out files; the exit code. */
int job_fetch_outs(const struct job *j, struct tern *t, const struct tern_result *r);
int job_fetch(const struct invocation *in, struct tern *t, const struct tern_result *r,
              const char *path, const char *file);

#define JOB_OPTIONS                                                                                \
    {.name = "in",                                                                                 \
     .argument = "PATH=SOURCE",                                                                    \
     .path = true,                                                                                 \
     .help = "give the program a file PATH: SOURCE is NAME (tern put), @FILE, or TASK:OUTPUT, "    \
             "what that task will have made; PATH - is standard input; can be given again"},       \
        {.name = "out",                                                                            \
         .argument = "PATH[=FILE]",                                                                \
         .path = true,                                                                             \
         .help = "keep the file PATH that the program writes, and copy it to FILE here (default: " \
                 "its last name, in the current directory); can be given again"},                  \
        {.name = "env",                                                                            \
         .argument = "NAME[=VALUE]",                                                               \
         .help = "set an environment variable of the program, or pass ours on; can be given "      \
                 "again"},                                                                         \
        {.name = "label",                                                                          \
         .argument = "TEXT",                                                                       \
         .help = "what the job is called in lists (default: the module's name)"},                  \
        {.name = "priority",                                                                       \
         .argument = "N",                                                                          \
         .help = "higher goes first (default: 0)"},                                                \
        {.name = "needs",                                                                          \
         .argument = "WHAT",                                                                       \
         .help = "only nodes with this: a label (gpu, site=berlin), a processor (x86_64, "         \
                 "aarch64), memory=8G; can be given again"},                                       \
        {.name = "node", .argument = "NODE", .help = "only this node"},                            \
        {.name = "no-wait",                                                                        \
         .help = "if no node can run it now, say why and give up, instead of waiting for one"},    \
        {.name = "every",                                                                          \
         .argument = "TIME",                                                                       \
         .help = "most work that may be lost with a machine: 10s, 5m (default: the pool's own)"},  \
        {.name = "copies",                                                                         \
         .argument = "N",                                                                          \
         .help = "depots that hold each checkpoint before it counts (default: two where there "    \
                 "are two)"},                                                                      \
        {.name = "memory",                                                                         \
         .argument = "SIZE",                                                                       \
         .help = "most memory that the program gets (default: the module's own limit)"},           \
        {.name = "time",                                                                           \
         .argument = "TIME",                                                                       \
         .help = "most processor time: 500ms, 30s, 5m (default: no limit)"},                       \
        {.name = "output",                                                                         \
         .argument = "SIZE",                                                                       \
         .help = "most bytes that the program writes in all (default: no limit)"},                 \
        {.name = "stack",                                                                          \
         .argument = "SIZE",                                                                       \
         .help = "most call stack (default: 16M)"},                                                \
        {.name = "files-size",                                                                     \
         .argument = "SIZE",                                                                       \
         .help = "most that the files of the program take (default: 4G)"},                         \
        {.name = "deterministic",                                                                  \
         .help = "the same results on every processor, as of tern exec"},                          \
        {.name = "random-seed",                                                                    \
         .argument = "N",                                                                          \
         .help = "random numbers that follow from N (default: the system's)"}

#endif
