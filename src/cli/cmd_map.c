#include "cli/commands.h"
#include "cli/follow_line.h"
#include "cli/job.h"
#include "cli/map_items.h"
#include "cli/pool_json.h"
#include "cli/say.h"
#include "cli/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 1024, LINE_MS = 500, FAILURES_SHOWN = 20, BAR_BYTES = 30, EXIT_BY_SIGNAL = 128 };

struct map {
    const struct invocation *in;
    struct job job;
    struct map_items items;
    struct tern *pool;
    struct tern_watch *watch;
    struct tern_job_id id;
    struct tern_task_of *batch;
    struct tern_op *op; /* of the batch under way */
    struct tern_submitted answer;
    size_t submitted, asked, ended, shown, failed;
    struct tern_result **result; /* ended, not shown yet */
    bool *bad;                   /* by index */
    const char **args;
    bool as_they_come, json;
    const char *results; /* directory */
    struct follow_line line;
    int64_t begun_ns;
    int signal;
    int code;
    bool over;
};

static void fail(struct map *m, int code)
{
    m->code = m->code ? m->code : code;
    m->over = true;
}

/* ---- submitting ---- */

/* An item that no argument asks for is given behind the last one. */
static bool place_item(struct map *m)
{
    struct tern_job *job = &m->job.job;
    bool placed = false;

    m->args = calloc(job->arg_count + 1, sizeof *m->args);
    if (!m->args)
        return false;
    for (size_t i = 0; i < job->arg_count; i++) {
        m->args[i] = job->args[i];
        placed |= strstr(job->args[i], "{}") != NULL;
    }
    if (!placed)
        m->args[job->arg_count++] = "{}";
    job->args = m->args;
    return true;
}

static void submit_batch(struct map *m)
{
    const size_t left = m->items.count - m->asked, count = left < BATCH ? left : (size_t)BATCH;

    for (size_t i = 0; i < count; i++) {
        m->batch[i] = m->job.task;
        m->batch[i].item = m->items.item[m->asked + i];
    }
    m->job.job.tasks = m->batch;
    m->job.job.task_count = count;
    m->job.job.first_index = m->asked;
    m->asked += count;
    if (m->id.n)
        m->op = tern_submit_more_begin(m->pool, m->id, &m->job.job, &m->answer);
    else
        m->op = tern_submit_begin(m->pool, &m->job.job, &m->answer);
    if (!m->op) {
        say("map: out of memory");
        fail(m, CLI_FAILED);
    }
}

static void take_submitted(struct map *m)
{
    enum tern_err err = m->op ? tern_op_wait(m->op, 0) : TERN_EAGAIN;

    if (err == TERN_EAGAIN)
        return;
    tern_op_free(m->op);
    m->op = NULL;
    if (err) {
        fail(m, pool_fail(m->in, m->pool, err));
        return;
    }
    m->submitted = m->asked;
    if (!m->id.n) {
        m->id = m->answer.job;
        err = tern_watch_add(m->watch, (struct tern_which){.job = m->id});
        if (err)
            fail(m, pool_fail(m->in, m->pool, err));
    }
}

/* ---- results ---- */

/* Without anything that is to be there: what stands there of a run before goes. */
static void write_result(struct map *m, const struct tern_result *r, const char *what,
                         const char *ending, bool is_there)
{
    struct bytes path = {0};
    const char *text;
    int code = CLI_FAILED;

    bytes_appendf(&path, "%s/%llu.%s", m->results, (unsigned long long)m->items.index[r->index],
                  ending);
    text = bytes_text(&path);
    if (text && !is_there)
        code = unlink(text) == 0 || errno == ENOENT ? 0 : CLI_FAILED;
    else if (text)
        code = job_fetch(m->in, m->pool, r, what, text);
    if (code)
        fail(m, code);
    bytes_release(&path);
}

static void write_results(struct map *m, const struct tern_result *r)
{
    write_result(m, r, NULL, "out", true);
    write_result(m, r, TERN_STDERR, "err", r->error_bytes > 0);
    for (size_t i = 0; i < r->file_count && !m->over; i++) {
        const char *slash = strrchr(r->files[i].path, '/');

        write_result(m, r, r->files[i].path, slash ? slash + 1 : r->files[i].path, true);
    }
}

static void print_result(struct map *m, const struct tern_result *r)
{
    enum tern_err err;

    err = tern_result_get(m->pool, r, NULL, &(struct tern_sink){.fd = STDOUT_FILENO});
    if (!err && m->bad[r->index] && r->error_bytes)
        err = tern_result_get(m->pool, r, TERN_STDERR, &(struct tern_sink){.fd = STDERR_FILENO});
    if (err)
        fail(m, pool_fail(m->in, m->pool, err));
}

static void show(struct map *m, const struct tern_result *r)
{
    const bool has_results = r->state == TERN_DONE || r->output_bytes || r->error_bytes;

    if (m->json) {
        json_t *json = pool_json_task(r);

        json_object_set_new(json, "index", json_integer((json_int_t)m->items.index[r->index]));
        json_object_set_new(json, "item", json_string(m->items.item[r->index]));
        pool_json_line_take(json);
    }
    follow_line_clear(&m->line);
    if (m->results && has_results)
        write_results(m, r);
    else if (!m->json && has_results)
        print_result(m, r);
    m->shown++;
}

static void take_end(struct map *m, struct tern_result *r)
{
    if (r->index >= m->items.count || m->result[r->index]) {
        tern_result_free(r);
        return;
    }
    m->ended++;
    m->bad[r->index] = r->state != TERN_DONE || r->code != 0;
    m->failed += m->bad[r->index];
    m->result[r->index] = r;
    if (m->as_they_come)
        show(m, r);
}

/* Those whose turn it is. */
static void show_in_order(struct map *m)
{
    while (!m->over && !m->as_they_come && m->shown < m->ended && m->result[m->shown])
        show(m, m->result[m->shown]);
}

static void take_ends(struct map *m)
{
    struct tern_result *r = NULL;
    enum tern_err err = TERN_OK;

    while (!m->over && !(err = tern_watch_next(m->watch, 0, &r)))
        take_end(m, r);
    if (err && err != TERN_EAGAIN)
        fail(m, pool_fail(m->in, m->pool, err));
    show_in_order(m);
}

/* ---- the bar ---- */

static void draw(struct map *m)
{
    const size_t all = m->items.count, part = m->ended * BAR_BYTES / all;
    const int64_t gone_ns = pool_wall_ns() - m->begun_ns;
    char bar[BAR_BYTES + 1], left[POOL_TIME_BYTES] = "", text[256];

    memset(bar, ' ', BAR_BYTES);
    memset(bar, '#', part);
    bar[BAR_BYTES] = 0;
    if (m->ended)
        pool_duration((int64_t)((double)gone_ns / (double)m->ended * (double)(all - m->ended)),
                      left);
    snprintf(text, sizeof text, "[%s] %zu of %zu%s%s%s", bar, m->ended, all,
             *left ? ", about " : "", left, *left ? " left" : "");
    if (m->failed)
        snprintf(text + strlen(text), 64, ", %zu failed", m->failed);
    follow_line_draw(&m->line, text);
}

/* ---- the end ---- */

static void list_failures(const struct map *m)
{
    struct bytes room = {0}, item = {0};
    size_t listed = 0;

    for (size_t i = 0; i < m->items.count && listed < FAILURES_SHOWN; i++) {
        const char *text;

        if (!m->bad[i])
            continue;
        bytes_clear(&item);
        bytes_append_shown(&item, view_of_string(m->items.item[i]));
        text = bytes_text(&item);
        say("map: %s: %s", text ? text : "", pool_end_text(m->result[i], &room));
        listed++;
    }
    if (m->failed > listed)
        say("map: and %zu more", m->failed - listed);
    bytes_release(&room);
    bytes_release(&item);
}

/* Whatever did not end well, also what did not end at all. */
static void write_failed(struct map *m, const char *path)
{
    FILE *f = fopen(path, "we");
    bool fine = f;

    for (size_t i = 0; fine && i < m->items.count; i++)
        if (m->bad[i] || !m->result[i])
            fine = fprintf(f, "%llu\t%s\n", (unsigned long long)m->items.index[i],
                           m->items.item[i]) > 0;
    if ((f && fclose(f) != 0) || !fine) {
        say("map: cannot write %s: %s", path, strerror(errno));
        fail(m, CLI_FAILED);
    }
}

static void finish(struct map *m)
{
    const char *file = invocation_value(m->in, "failed");
    const size_t unended = m->items.count - m->ended;
    char id[POOL_ID_BYTES], rest[64];

    snprintf(rest, sizeof rest, ", %zu did not end", unended);
    follow_line_clear(&m->line);
    if (m->failed)
        list_failures(m);
    if (m->failed || unended)
        say("map: %zu of %zu items failed%s; tern ps --all %s lists them all", m->failed,
            m->items.count, unended ? rest : "", pool_job_text(m->id, id));
    if (file)
        write_failed(m, file);
    if (m->failed && !m->code)
        m->code = POOL_TASK_FAILED;
}

static void take_signal(struct map *m, int number)
{
    if (!number)
        return;
    m->signal = number;
    m->over = true;
    if (m->id.n && number != SIGHUP) {
        tern_set_patience(m->pool, 2000);
        tern_cancel(m->pool, (struct tern_which){.job = m->id}, NULL);
        say("map: cancelled");
    }
    m->code = EXIT_BY_SIGNAL + number;
}

/* ---- */

static void turn(struct map *m)
{
    struct pollfd fd = {.fd = tern_fd(m->pool), .events = POLLIN};
    int timeout_ms = tern_timeout(m->pool);

    if (m->line.on && (timeout_ms < 0 || timeout_ms > LINE_MS))
        timeout_ms = LINE_MS;
    signals_poll(&fd, 1, timeout_ms);
    tern_step(m->pool);
    take_submitted(m);
    if (!m->op && !m->over && m->asked < m->items.count)
        submit_batch(m);
    take_ends(m);
    if (m->line.on && !m->over)
        draw(m);
    take_signal(m, signals_take());
    m->over |= m->ended == m->items.count;
}

static bool prepare(struct map *m)
{
    m->json = pool_wants_json(m->in);
    m->as_they_come = invocation_value(m->in, "as-they-come") != NULL;
    m->results = invocation_value(m->in, "results");
    m->result = calloc(m->items.count, sizeof *m->result);
    m->bad = calloc(m->items.count, sizeof *m->bad);
    m->batch = calloc(BATCH, sizeof *m->batch);
    if (!m->result || !m->bad || !m->batch || !place_item(m)) {
        say("map: out of memory");
        return false;
    }
    if (m->results && mkdir(m->results, 0777) != 0 && errno != EEXIST) {
        say("map: cannot make %s: %s", m->results, strerror(errno));
        return false;
    }
    return true;
}

static void run(struct map *m)
{
    m->watch = tern_watch_new(m->pool, false);
    m->begun_ns = pool_wall_ns();
    m->line = follow_line_begin(true);
    signals_catch();
    submit_batch(m);
    while (!m->over)
        turn(m);
    signals_default();
    show_in_order(m);
    finish(m);
}

static void release(struct map *m)
{
    tern_op_free(m->op);
    for (size_t i = 0; m->result && i < m->items.count; i++)
        tern_result_free(m->result[i]);
    tern_close(m->pool);
    free(m->result);
    free(m->bad);
    free(m->batch);
    free(m->args);
    map_items_release(&m->items);
    job_release(&m->job);
}

int cmd_map(const struct invocation *in)
{
    struct map m = {.in = in};

    if (!job_take(&m.job, in))
        m.code = m.job.code;
    else if (!map_items_take(in, &m.items))
        m.code = CLI_USAGE;
    else if (!prepare(&m))
        m.code = CLI_FAILED;
    else if ((m.pool = pool_open(in, &m.code)))
        run(&m);
    release(&m);
    return m.code;
}
