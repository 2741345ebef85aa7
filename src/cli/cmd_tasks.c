#include "cli/commands.h"
#include "cli/pool_json.h"
#include "cli/pool_text.h"
#include "cli/say.h"
#include "cli/say_json.h"

#include <stdio.h>
#include <string.h>

/* ---- ps ---- */

struct listing {
    const struct invocation *in;
    json_t *json; /* NULL: text */
    bool any;
};

static bool list_tasks(void *context, const struct tern_rows *rows)
{
    struct listing *l = context;

    for (size_t i = 0; i < rows->task_count; i++) {
        if (l->json)
            json_array_append_new(l->json, pool_json_task(&rows->tasks[i]));
        else
            pool_text_task(&rows->tasks[i], !l->any);
        l->any = true;
    }
    return true;
}

static int end_listing(struct listing *l, int code, const char *nothing)
{
    if (l->json)
        say_json_take(json_pack("{so}", "tasks", l->json));
    else if (!l->any && !code)
        puts(nothing);
    return code ? code : say_end_of_output(0);
}

int cmd_ps(const struct invocation *in)
{
    struct tern_query query = {.what = TERN_ASK_TASKS,
                               .ended = invocation_value(in, "all") || in->arg_count};
    struct listing l = {.in = in, .json = pool_wants_json(in) ? json_array() : NULL};
    struct tern *t;
    int code = 0;

    if (in->arg_count && !pool_take_id(in, in->args[0], &query.which))
        return CLI_USAGE;
    t = pool_open(in, &code);
    if (!t)
        return code;
    code = pool_ask_all(in, t, &query, list_tasks, &l);
    tern_close(t);
    return end_listing(
        &l, code, query.ended ? "no tasks" : "no tasks; tern ps --all lists those that have ended");
}

/* ---- show, why ---- */

/* All arguments name tasks or jobs: said before a pool is needed. */
static struct tern *open_for_ids(const struct invocation *in, int *code)
{
    struct tern_which which;

    *code = CLI_USAGE;
    for (size_t i = 0; i < in->arg_count; i++)
        if (!pool_take_id(in, in->args[i], &which))
            return NULL;
    *code = 0;
    return pool_open(in, code);
}

static struct tern_rows *ask_one(const struct invocation *in, struct tern *t,
                                 enum tern_question what, int *code)
{
    struct tern_query query = {.what = what};

    pool_parse_id(in->args[0], &query.which);
    return pool_ask(in, t, &query, code);
}

/* Wall time at agent time 0, as near as can be said. */
static int64_t wall_of_zero(struct tern *t)
{
    const struct tern_query query = {.what = TERN_ASK_POOL};
    struct tern_rows *rows = NULL;
    int64_t zero_ns = 0;

    if (tern_ask(t, &query, &rows) == TERN_OK && rows->pool)
        zero_ns = rows->pool->wall_of_zero_ns ? rows->pool->wall_of_zero_ns
                                              : pool_wall_ns() - rows->pool->now_ns;
    tern_rows_free(rows);
    return zero_ns;
}

int cmd_show(const struct invocation *in)
{
    int code = 0;
    struct tern *t = open_for_ids(in, &code);
    struct tern_rows *rows = t ? ask_one(in, t, TERN_ASK_TASK, &code) : NULL;

    if (rows && rows->detail && pool_wants_json(in))
        say_json_take(pool_json_detail(rows->detail));
    else if (rows && rows->detail)
        pool_text_detail(rows->detail, wall_of_zero(t));
    tern_rows_free(rows);
    tern_close(t);
    return code ? code : say_end_of_output(0);
}

static void show_reasons(const struct tern_rows *rows)
{
    char id[POOL_ID_BYTES];

    if (rows->detail)
        printf("%s is %s\n", pool_task_text(rows->detail->now.task, id),
               tern_state_text(rows->detail->now.state));
    for (size_t i = 0; i < rows->reason_count; i++)
        printf("  %s: %s\n", rows->reasons[i].what, rows->reasons[i].text);
}

int cmd_why(const struct invocation *in)
{
    int code = 0;
    struct tern *t = open_for_ids(in, &code);
    struct tern_rows *rows = t ? ask_one(in, t, TERN_ASK_WHY, &code) : NULL;

    if (rows && pool_wants_json(in)) {
        json_t *list = json_array();

        for (size_t i = 0; i < rows->reason_count; i++)
            json_array_append_new(list, pool_json_reason(&rows->reasons[i]));
        say_json_take(json_pack("{so}", "reasons", list));
    } else if (rows) {
        show_reasons(rows);
    }
    tern_rows_free(rows);
    tern_close(t);
    return code ? code : say_end_of_output(0);
}

/* ---- cancel, checkpoint, migrate ---- */

static int tell_count(const struct invocation *in, uint64_t count, const char *what)
{
    if (pool_wants_json(in))
        pool_json_line_take(json_pack("{sI}", "tasks", (json_int_t)count));
    else
        printf("%llu %s %s\n", (unsigned long long)count, count == 1 ? "task" : "tasks", what);
    return say_end_of_output(0);
}

typedef enum tern_err order_which(struct tern *t, struct tern_which which, uint64_t *count);

/* Each is told on its own; the first failure is the exit code. */
static int order_all(const struct invocation *in, order_which *order, const char *what)
{
    uint64_t sum = 0;
    int code = 0;
    struct tern *t = open_for_ids(in, &code);

    for (size_t i = 0; t && i < in->arg_count; i++) {
        struct tern_which which;
        uint64_t count = 0;
        enum tern_err err;
        int one;

        pool_parse_id(in->args[i], &which);
        err = order(t, which, &count);
        one = err ? pool_fail(in, t, err) : 0;
        sum += count;
        code = code ? code : one;
    }
    tern_close(t);
    return code ? code : tell_count(in, sum, what);
}

int cmd_cancel(const struct invocation *in)
{
    return order_all(in, tern_cancel, "cancelled");
}

int cmd_checkpoint_task(const struct invocation *in)
{
    return order_all(in, tern_checkpoint, "will take a checkpoint");
}

int cmd_forget(const struct invocation *in)
{
    return order_all(in, tern_forget, "forgotten");
}

int cmd_migrate(const struct invocation *in)
{
    const char *node = in->arg_count > 1 ? in->args[1] : NULL;
    struct tern_task task;
    enum tern_err err;
    int code = 0;
    struct tern *t;

    if (!pool_take_task(in, in->args[0], &task))
        return CLI_USAGE;
    t = pool_open(in, &code);
    if (!t)
        return code;
    err = tern_migrate(t, task, node);
    code = err ? pool_fail(in, t, err) : tell_count(in, 1, "will move");
    tern_close(t);
    return code;
}

/* ---- wait ---- */

static int tell_end(const struct invocation *in, const struct tern_result *r)
{
    char id[POOL_ID_BYTES];
    struct bytes room = {0};

    if (pool_wants_json(in))
        pool_json_line_take(pool_json_task(r));
    else
        printf("%s %s: %s\n", pool_task_text(r->task, id), tern_state_text(r->state),
               pool_end_text(r, &room));
    fflush(stdout);
    bytes_release(&room);
    return r->state == TERN_DONE && r->code == 0 ? 0 : POOL_TASK_FAILED;
}

/* How many ends are to come of what is named: a job has as many as it has tasks. */
static bool count_row(void *context, const struct tern_rows *rows)
{
    *(uint64_t *)context += rows->task_count;
    return true;
}

static int add_all(const struct invocation *in, struct tern *t, struct tern_watch *w,
                   uint64_t *ends)
{
    int code = 0;

    for (size_t i = 0; i < in->arg_count && !code; i++) {
        struct tern_query query = {.what = TERN_ASK_TASKS, .ended = true};
        uint64_t count = 0;
        enum tern_err err;

        pool_parse_id(in->args[i], &query.which);
        if (query.which.job.n)
            code = pool_ask_all(in, t, &query, count_row, &count);
        *ends += count ? count : 1; /* of a job that is not known: that it is not */
        err = code ? TERN_OK : tern_watch_add(w, query.which);
        code = err ? pool_fail(in, t, err) : code;
    }
    return code;
}

static int wait_for(const struct invocation *in, struct tern *t, struct tern_watch *w)
{
    const bool any = invocation_value(in, "any") != NULL;
    uint64_t left = 0;
    int code = add_all(in, t, w, &left);

    if (code)
        return code;
    for (left = any ? 1 : left; left; left--) {
        struct tern_result *r = NULL;
        enum tern_err err = tern_watch_next(w, -1, &r);
        int one = err ? pool_fail(in, t, err) : tell_end(in, r);

        code = code ? code : one;
        tern_result_free(r);
    }
    return code;
}

int cmd_wait(const struct invocation *in)
{
    int code = 0;
    struct tern *t = open_for_ids(in, &code);
    struct tern_watch *w = t ? tern_watch_new(t, false) : NULL;

    if (w)
        code = wait_for(in, t, w);
    tern_close(t);
    return code;
}
