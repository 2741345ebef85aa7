#include "cli/commands.h"
#include "cli/follow.h"
#include "cli/job.h"
#include "cli/pool_json.h"
#include "cli/say.h"

#include "os/ending.h"
#include "os/process.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what standard input is ---- */

enum input_kind { INPUT_NONE, INPUT_FILE, INPUT_STREAM };

static enum input_kind input_kind(void)
{
    struct stat st, null;

    if (fstat(STDIN_FILENO, &st) != 0)
        return INPUT_NONE;
    if (S_ISREG(st.st_mode))
        return INPUT_FILE;
    if (S_ISCHR(st.st_mode) && stat("/dev/null", &null) == 0 && st.st_rdev == null.st_rdev)
        return INPUT_NONE;
    return INPUT_STREAM;
}

/* True: it is sent while the task runs. */
static bool set_input(struct job *j)
{
    const enum input_kind kind = j->takes_input ? INPUT_NONE : input_kind();

    if (kind == INPUT_FILE)
        j->task.input = (struct tern_source){.kind = TERN_FD, .fd = STDIN_FILENO};
    j->task.open_input = kind == INPUT_STREAM;
    return kind == INPUT_STREAM;
}

/* ---- the end ---- */

/* What the pool says of a program's end begins with its name. */
static void tell_end(const struct tern_result *r)
{
    struct bytes room = {0};
    char id[POOL_ID_BYTES];

    if (r->kind == TERN_END_TRAP || r->kind == TERN_END_LIMIT)
        say_text(pool_end_text(r, &room));
    else if (r->kind != TERN_END_EXIT)
        say("%s: %s", pool_task_text(r->task, id), pool_end_text(r, &room));
    bytes_release(&room);
}

static int end_code(const struct job *j, struct tern *t, const struct tern_result *r)
{
    int code = pool_end_code(r);

    tell_end(r);
    if (r->state == TERN_DONE && job_fetch_outs(j, t, r) && code == 0)
        code = EXIT_TERN;
    return code;
}

static int submit(struct job *j, struct tern *t, struct tern_submitted *out)
{
    enum tern_err err = tern_submit(t, &j->job, out);

    if (!err)
        return 0;
    pool_fail(j->in, t, err);
    return err == TERN_EMALFORMED || err == TERN_EINVALID ? EXIT_REFUSED : EXIT_TERN;
}

static int follow_it(struct job *j, struct tern *t, struct tern_task task, bool input, int *signal)
{
    const struct follow_order order = {.in = j->in,
                                       .pool = t,
                                       .task = task,
                                       .input = input,
                                       .quiet = pool_wants_json(j->in),
                                       .ctrl_c = true};
    struct tern_result *r = NULL;
    int code = EXIT_TERN;

    switch (follow(&order, &r, &code)) {
    case FOLLOW_ENDED: code = end_code(j, t, r); break;
    case FOLLOW_DETACHED:
        *signal = code < 0 ? -code : 0; /* nobody reads our output any more: nor its */
        if (*signal)
            tern_cancel(t, (struct tern_which){.task = task}, NULL);
        code = EXIT_STOPPED;
        break;
    case FOLLOW_FAILED: code = EXIT_TERN; break;
    }
    tern_result_free(r);
    return code;
}

static int run(struct job *j, struct tern *t, int *signal)
{
    const bool input = set_input(j);
    struct tern_submitted done;
    int code = submit(j, t, &done);

    if (code)
        return code;
    if (!job_check_offer(j, t, done.first, &code))
        return EXIT_TERN;
    return follow_it(j, t, done.first, input, signal);
}

int cmd_run(const struct invocation *in)
{
    int code = EXIT_TERN, death = 0;
    struct tern *t = NULL;
    struct job j;

    if (job_take(&j, in))
        t = pool_open(in, &code);
    else
        code = j.code;
    if (t)
        code = run(&j, t, &death);
    tern_close(t);
    job_release(&j);
    if (death)
        process_die_by(death);
    return code;
}

/* ---- submit ---- */

static int tell_submitted(const struct invocation *in, const struct tern_submitted *s)
{
    char task[POOL_ID_BYTES], job[POOL_ID_BYTES];

    pool_task_text(s->first, task);
    pool_job_text(s->job, job);
    if (pool_wants_json(in))
        pool_json_line_take(json_pack("{ss ss}", "task", task, "job", job));
    else
        puts(task);
    return say_end_of_output(0);
}

int cmd_submit(const struct invocation *in)
{
    struct tern_submitted done;
    struct tern *t = NULL;
    int code = CLI_FAILED;
    struct job j;

    if (job_take(&j, in))
        t = pool_open(in, &code);
    else
        code = j.code;
    if (t) {
        enum tern_err err = tern_submit(t, &j.job, &done);

        code = err ? pool_fail(in, t, err) : 0;
        if (!err && j.no_wait && !job_check_offer(&j, t, done.first, &code))
            err = TERN_EBUSY;
        if (!err)
            code = tell_submitted(in, &done);
    }
    tern_close(t);
    job_release(&j);
    return code;
}

/* ---- attach, logs ---- */

static int follow_task(const struct invocation *in, struct follow_order order, int detached)
{
    int code = CLI_USAGE, ended = 0;
    struct tern_result *r = NULL;

    if (!pool_take_task(in, in->args[0], &order.task))
        return in->command->usage_status ? in->command->usage_status : CLI_USAGE;
    order.pool = pool_open(in, &code);
    if (!order.pool)
        return code;
    order.in = in;
    switch (follow(&order, &r, &code)) {
    case FOLLOW_ENDED:
        ended = r ? pool_end_code(r) : 0;
        code = detached ? ended : 0;
        if (r && detached)
            tell_end(r);
        break;
    case FOLLOW_DETACHED: code = detached; break;
    case FOLLOW_FAILED: code = in->command->usage_status ? in->command->usage_status : code; break;
    }
    tern_result_free(r);
    tern_close(order.pool);
    return code;
}

int cmd_attach(const struct invocation *in)
{
    return follow_task(in, (struct follow_order){.ctrl_c = true}, EXIT_STOPPED);
}

int cmd_logs(const struct invocation *in)
{
    const bool follows = invocation_value(in, "follow") != NULL;

    return follow_task(in, (struct follow_order){.quiet = true, .at_now = !follows}, 0);
}
