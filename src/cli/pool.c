#include "cli/pool.h"

#include "cli/say.h"

#include "os/ending.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)
enum { EXIT_CANCELLED = 130 };

int pool_code(enum tern_err err)
{
    switch ((int)err) {
    case TERN_OK: return 0;
    case TERN_EUNREACHABLE:
    case TERN_EAGAIN: return POOL_UNREACHABLE;
    case TERN_ENOENT: return POOL_NOT_THERE;
    case TERN_EACCES:
    case TERN_EUNSAFE:
    case TERN_EVERSION:
    case TERN_EPROTO: return POOL_REFUSED;
    case TERN_EBUSY:
    case TERN_ENOSPACE: return POOL_FULL;
    case TERN_EUSAGE: return CLI_USAGE;
    default: return CLI_FAILED;
    }
}

int pool_fail(const struct invocation *in, const struct tern *t, enum tern_err err)
{
    say("%s: %s", in->command->name, tern_why(t));
    return pool_code(err);
}

struct tern *pool_open(const struct invocation *in, int *code)
{
    struct tern *t = NULL;
    enum tern_err err = tern_connect(invocation_value(in, "pool"), &t);

    if (!err)
        return t;
    *code = pool_fail(in, t, err);
    if (in->command->usage_status)
        *code = in->command->usage_status; /* the others are the program's own */
    tern_close(t);
    return NULL;
}

/* ---- ids ---- */

const char *pool_task_text(struct tern_task task, char out[POOL_ID_BYTES])
{
    snprintf(out, POOL_ID_BYTES, "t%llu", (unsigned long long)task.n);
    return out;
}

const char *pool_job_text(struct tern_job_id job, char out[POOL_ID_BYTES])
{
    snprintf(out, POOL_ID_BYTES, "j%llu", (unsigned long long)job.n);
    return out;
}

bool pool_parse_id(const char *text, struct tern_which *out)
{
    const bool job = *text == 'j';
    const char *digits = job || *text == 't' ? text + 1 : text;
    unsigned long long n;
    char *end;

    if (!isdigit((unsigned char)*digits))
        return false;
    errno = 0;
    n = strtoull(digits, &end, 10);
    if (*end || errno || n == 0)
        return false;
    *out = (struct tern_which){.task = {job ? 0 : n}, .job = {job ? n : 0}};
    return true;
}

bool pool_take_id(const struct invocation *in, const char *text, struct tern_which *out)
{
    if (pool_parse_id(text, out))
        return true;
    say("%s: '%s' is no task (t4711) and no job (j12); tern ps lists them", in->command->name,
        text);
    return false;
}

bool pool_take_task(const struct invocation *in, const char *text, struct tern_task *out)
{
    struct tern_which which;

    if (!pool_take_id(in, text, &which))
        return false;
    if (!which.task.n) {
        say("%s: %s is a job; name one of its tasks: tern ps %s lists them", in->command->name,
            text, text);
        return false;
    }
    *out = which.task;
    return true;
}

bool pool_wants_json(const struct invocation *in)
{
    return invocation_value(in, "json") != NULL;
}

/* ---- times ---- */

const char *pool_duration(int64_t ns, char out[POOL_TIME_BYTES])
{
    const long long seconds = ns / SECOND_NS;

    if (ns < 10 * SECOND_NS)
        snprintf(out, POOL_TIME_BYTES, "%.1f s", (double)ns / 1e9);
    else if (seconds < 60)
        snprintf(out, POOL_TIME_BYTES, "%lld s", seconds);
    else if (seconds < 3600)
        snprintf(out, POOL_TIME_BYTES, "%lld min %lld s", seconds / 60, seconds % 60);
    else if (seconds < 86400)
        snprintf(out, POOL_TIME_BYTES, "%lld h %lld min", seconds / 3600, seconds / 60 % 60);
    else
        snprintf(out, POOL_TIME_BYTES, "%lld d %lld h", seconds / 86400, seconds / 3600 % 24);
    return out;
}

const char *pool_when(int64_t wall_ns, char out[POOL_TIME_BYTES])
{
    time_t seconds = (time_t)(wall_ns / SECOND_NS);
    struct tm tm;

    if (!localtime_r(&seconds, &tm) || !strftime(out, POOL_TIME_BYTES, "%Y-%m-%d %H:%M:%S", &tm))
        out[0] = 0;
    return out;
}

int64_t pool_wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* ---- questions ---- */

struct tern_rows *pool_ask(const struct invocation *in, struct tern *t,
                           const struct tern_query *query, int *code)
{
    struct tern_rows *rows = NULL;
    enum tern_err err = tern_ask(t, query, &rows);

    if (!err)
        return rows;
    *code = pool_fail(in, t, err);
    return NULL;
}

/* Where the next page begins; name has room for it. */
static void go_on(struct tern_query *q, const struct tern_rows *rows, struct bytes *name)
{
    const char *last = NULL;

    if (rows->next)
        q->after = rows->next;
    if (rows->node_count)
        last = rows->nodes[rows->node_count - 1].name;
    if (rows->depot_count)
        last = rows->depots[rows->depot_count - 1].name;
    if (rows->name_count)
        last = rows->names[rows->name_count - 1].name;
    if (last) {
        bytes_clear(name);
        bytes_append_text(name, last);
        q->after_name = bytes_text(name);
    }
}

int pool_ask_all(const struct invocation *in, struct tern *t, struct tern_query *query,
                 bool (*each)(void *context, const struct tern_rows *rows), void *context)
{
    struct bytes name = {0};
    bool more = true;
    int code = 0;

    while (more) {
        struct tern_rows *rows = pool_ask(in, t, query, &code);

        more = rows && each(context, rows) && rows->more;
        if (more)
            go_on(query, rows, &name);
        tern_rows_free(rows);
    }
    bytes_release(&name);
    return code;
}

/* ---- ends ---- */

int pool_end_code(const struct tern_result *r)
{
    switch (r->kind) {
    case TERN_END_EXIT: return r->code;
    case TERN_END_TRAP: return EXIT_TRAP;
    case TERN_END_LIMIT: return r->code == REPORT_LIMIT_OUTPUT ? EXIT_OUTPUT_LIMIT : EXIT_CPU_LIMIT;
    case TERN_END_REFUSED: return EXIT_REFUSED;
    case TERN_END_CANCELLED: return EXIT_CANCELLED;
    case TERN_END_BROKEN:
    case TERN_END_NONE: break;
    }
    return r->state == TERN_CANCELLED ? EXIT_CANCELLED : EXIT_TERN;
}

const char *pool_end_text(const struct tern_result *r, struct bytes *room)
{
    const char *text;

    bytes_clear(room);
    if (r->kind == TERN_END_EXIT)
        bytes_appendf(room, "exit %d", r->code);
    else if (*r->text)
        bytes_append_shown(room, view_of_string(r->text));
    else
        bytes_append_text(room, tern_state_text(r->state));
    text = bytes_text(room);
    return text ? text : "";
}
