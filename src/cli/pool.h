/*
 * pool - what the commands that talk to a pool have in common: reaching it, ids, exit codes, times.
 *
 * Ids      Tasks are shown as t4711, jobs as j12; so `tern checkpoint t4711` is about a task, and
 *          `tern checkpoint 4711` about a process of this machine. Where only a task can be meant,
 *          a plain number will do.
 */
#ifndef TERN_CLI_POOL_H
#define TERN_CLI_POOL_H

#include "base/bytes.h"
#include "base/error.h"
#include "cli/command.h"

#include <tern/tern.h>

enum pool_exit { /* beyond CLI_FAILED and CLI_USAGE */
    POOL_UNREACHABLE = 3,
    POOL_NOT_THERE = 4, /* a task, name or node */
    POOL_REFUSED = 5,   /* rights, or a version */
    POOL_FULL = 6,
    POOL_TASK_FAILED = 7, /* of wait and map: a task did not end well */
};

/* For the tables. */
#define POOL_OPTION_POOL                                                                           \
    {                                                                                              \
        .name = "pool", .argument = "ADDRESS",                                                     \
        .help = "the pool: HOST, HOST:PORT, unix:/path (default: TERN_POOL, else this machine's)"  \
    }
#define POOL_OPTION_JSON                                                                           \
    {                                                                                              \
        .name = "json", .help = "as JSON; docs/commands-json.md says what is in it"                \
    }
#define POOL_STATUSES                                                                              \
    {"3", "no pool can be reached: none runs here, or an unknown host"},                           \
        {"4", "what was named is not there: a task, a name, a node"},                              \
        {"5", "the pool refuses: no right to do that, or another version of tern"},                \
        {"6", "the pool or a disk is full"}

/* NULL after a line on standard error; *code is the exit code then. */
struct tern *pool_open(const struct invocation *in, int *code);
/* Says why the last call failed, with what was being done; the exit code. */
int pool_fail(const struct invocation *in, const struct tern *t, enum tern_err err);
int pool_code(enum tern_err err);

enum { POOL_ID_BYTES = 24, POOL_TIME_BYTES = 32 };
const char *pool_task_text(struct tern_task task, char out[POOL_ID_BYTES]);
const char *pool_job_text(struct tern_job_id job, char out[POOL_ID_BYTES]);
/* "t4711", "j12", "4711": a task. */
bool pool_parse_id(const char *text, struct tern_which *out);
/* The same, and says what is wrong. */
bool pool_take_id(const struct invocation *in, const char *text, struct tern_which *out);
/* A task, and no job. */
bool pool_take_task(const struct invocation *in, const char *text, struct tern_task *out);

bool pool_wants_json(const struct invocation *in);

/* "1.5 s", "12 min 3 s", "3 h 5 min" */
const char *pool_duration(int64_t ns, char out[POOL_TIME_BYTES]);
/* "2026-11-20 22:24:17", of this machine's time zone. */
const char *pool_when(int64_t wall_ns, char out[POOL_TIME_BYTES]);
int64_t pool_wall_ns(void);

/* All rows of a question, page after page. each: false ends it. The exit code; 0. */
int pool_ask_all(const struct invocation *in, struct tern *t, struct tern_query *query,
                 bool (*each)(void *context, const struct tern_rows *rows), void *context);
/* One page. NULL after a line on standard error. */
struct tern_rows *pool_ask(const struct invocation *in, struct tern *t,
                           const struct tern_query *query, int *code);

/* The exit code of `tern` for a task that ended like that: of the program, or as tern exec has it. */
int pool_end_code(const struct tern_result *r);
/* "exit 0", "trap: ...", for people. */
const char *pool_end_text(const struct tern_result *r, struct bytes *room);

#endif
