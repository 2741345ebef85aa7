#include "core/agent_inner.h"

#include "base/check.h"

#include <string.h>

/* What is wrong with a request, for its answer; text NULL: nothing. */
struct fault {
    enum tern_err err;
    const char *text;
};

enum { SUBMIT_BYTES = 1 << 20 }; /* of a job, of a task: both have to go into one order */

#define FINE ((struct fault){0})

static struct fault fault(enum tern_err err, const char *text)
{
    return (struct fault){.err = err, .text = text};
}

/* ---------------------------------------------------------------- data */

/* Some depot is known to have it, or is about to. */
static bool is_known(const struct agent *a, const struct peer *p, const Tern__Blob *blob)
{
    const struct root *r =
        blob->sha256.len == 32 ? root_find(a, p->owner, blob->sha256.data) : NULL;

    return r && r->copy_count;
}

static struct fault check_content(const struct agent *a, const struct peer *p,
                                  const Tern__Content *c, const char *what, struct core_out *out)
{
    if (c && c->blob && c->here.len)
        return fault(TERN_EPROTO, core_text(out, "%s is both here and elsewhere", what));
    if (c && c->blob && !is_known(a, p, c->blob))
        return fault(TERN_ENOENT,
                     core_text(out, "%s is in no depot of this pool; bring it there first", what));
    return FINE;
}

/* ---------------------------------------------------------------- the job */

static struct fault check_work(const struct agent *a, const struct peer *p, const Tern__Work *work,
                               struct core_out *out)
{
    const Tern__Program *program = work ? work->program : NULL;

    if (work && work->service)
        return fault(TERN_EUSAGE, "this agent does not take service calls as tasks");
    if (!program || !program->module)
        return fault(TERN_EUSAGE, "the job names no program");
    if (program->module->sha256.len != 32)
        return fault(TERN_EPROTO, "the name of the program's data is not 32 bytes");
    if (!is_known(a, p, program->module))
        return fault(TERN_ENOENT, core_text(out,
                                            "the program %s is in no depot of this pool; bring "
                                            "it there first",
                                            program->name));
    return FINE;
}

static struct fault check_wishes(const Tern__Job *job, struct core_out *out)
{
    if (job->policy && job->policy->copies > LIMIT_COPIES)
        return fault(TERN_EUSAGE, core_text(out, "%u copies are asked for; at most %d are kept",
                                            (unsigned)job->policy->copies, LIMIT_COPIES));
    if (job->policy && job->policy->speculative)
        return fault(TERN_EUSAGE, "this agent runs no task twice at a time; submit it without "
                                  "asking for that (speculative)");
    if (job->deadline_ns < 0 || (job->deadline_ns && job->submitted_ns <= 0))
        return fault(TERN_EUSAGE, "a deadline is a time, and counts from when the job was "
                                  "submitted, which it does not say");
    if (job->deadline_ns && job->deadline_ns <= job->submitted_ns)
        return fault(TERN_EUSAGE, "the job's deadline had passed when it was submitted");
    return FINE;
}

static struct fault check_job(const struct agent *a, const struct peer *p, const Tern__Job *job,
                              struct core_out *out)
{
    struct fault f = job ? check_wishes(job, out) : FINE;

    if (!job)
        return fault(TERN_EUSAGE, "the request has no job in it");
    if (f.text)
        return f;
    if (tern__job__get_packed_size(job) > SUBMIT_BYTES)
        return fault(TERN_ETOOBIG,
                     core_text(out, "the job's description has more than %d bytes", SUBMIT_BYTES));
    if (job->n_groups)
        return fault(TERN_EUSAGE, "this agent does not run groups of tasks");
    return check_work(a, p, job->work, out);
}

static struct fault check_more(const struct agent *a, const struct peer *p, const Tern__Job *job,
                               struct core_out *out)
{
    const struct job *j = job ? job_get(a, job->n) : NULL;

    if (!j || j->owner != p->owner)
        return fault(TERN_ENOENT, core_text(out, "there is no job %llu of yours to add to",
                                            (unsigned long long)(job ? job->n : 0)));
    if (j->cancelled)
        return fault(TERN_EBUSY,
                     core_text(out, "job %llu has been cancelled", (unsigned long long)j->n));
    if (a->now_ns >= j->due_ns)
        return fault(TERN_EBUSY, core_text(out, "the deadline of job %llu has passed",
                                           (unsigned long long)j->n));
    return FINE;
}

/* ---------------------------------------------------------------- its tasks */

static bool makes(const struct task *t, const char *output, struct core_out *out)
{
    const Tern__Task *spec;

    if (!*output)
        return true;
    spec = task_spec(t, out);
    for (size_t i = 0; i < spec->n_outputs; i++)
        if (strcmp(spec->outputs[i]->path, output) == 0)
            return true;
    return false;
}

static struct fault check_promise(const struct agent *a, const struct peer *p,
                                  const Tern__Promise *promise, struct core_out *out)
{
    const struct task *t = task_get(a, promise->task);

    if (!t || t->job->owner != p->owner)
        return fault(TERN_ENOENT, core_text(out,
                                            "an input is to come from task %llu, which is none of "
                                            "yours, or has been forgotten",
                                            (unsigned long long)promise->task));
    if (!makes(t, promise->output, out))
        return fault(TERN_ENOENT, core_text(out, "task %llu has no output %s",
                                            (unsigned long long)promise->task, promise->output));
    return FINE;
}

static struct fault check_input(const struct agent *a, const struct peer *p, const Tern__Input *in,
                                struct core_out *out)
{
    const char *what = *in->path ? core_text(out, "the input %s", in->path) : "standard input";

    if (!in->content == !in->promise)
        return fault(TERN_EUSAGE,
                     core_text(out, "%s is neither data nor a promise, or both", what));
    return in->promise ? check_promise(a, p, in->promise, out)
                       : check_content(a, p, in->content, what, out);
}

static struct fault check_task(const struct agent *a, const struct peer *p, const Tern__Task *t,
                               struct core_out *out)
{
    struct fault f = check_content(a, p, t->input, "standard input", out);

    if (!f.text && tern__task__get_packed_size(t) > SUBMIT_BYTES)
        f = fault(TERN_ETOOBIG,
                  core_text(out, "a task's description has more than %d bytes", SUBMIT_BYTES));
    for (size_t i = 0; !f.text && i < t->n_inputs; i++)
        f = check_input(a, p, t->inputs[i], out);
    if (!f.text && t->n_alternatives)
        f = fault(TERN_EUSAGE, "this agent does not choose between alternatives");
    if (!f.text && t->n_mailboxes)
        f = fault(TERN_EUSAGE, "this agent does not know mailboxes");
    for (size_t i = 0; !f.text && i < t->n_outputs; i++)
        if (!*t->outputs[i]->path)
            f = fault(TERN_EUSAGE, "an output has no name");
    return f;
}

static struct fault check_submit(const struct agent *a, const struct peer *p, const Tern__Submit *s,
                                 struct core_out *out)
{
    const uint64_t now = a->count.waiting + a->count.ready + a->count.placed + a->count.running;
    struct fault f = s->more ? check_more(a, p, s->job, out) : check_job(a, p, s->job, out);

    if (!f.text && (s->n_tasks == 0 || s->n_tasks > LIMIT_TASKS))
        f = fault(TERN_ETOOBIG, core_text(out, "%zu tasks at once; between 1 and %d can be",
                                          s->n_tasks, LIMIT_TASKS));
    if (!f.text && now + s->n_tasks > a->config.tasks_max)
        f = fault(TERN_EBUSY,
                  core_text(out,
                            "the pool is full: %llu tasks wait or run, %llu can; try "
                            "again when some have ended",
                            (unsigned long long)now, (unsigned long long)a->config.tasks_max));
    for (size_t i = 0; !f.text && i < s->n_tasks; i++)
        f = check_task(a, p, s->tasks[i], out);
    return f;
}

/* ---------------------------------------------------------------- accepting */

static Tern__Job *new_job(const struct agent *a, const struct peer *p, const Tern__Job *asked,
                          struct core_out *out)
{
    Tern__Job *job = core_new(out, 1, sizeof *job);

    *job = *asked;
    job->n = a->job_next;
    job->owner = job->domain = p->owner->name;
    return job;
}

static Tern__Task *const *numbered(const struct agent *a, const Tern__Submit *s, uint64_t job_n,
                                   uint64_t index, struct core_out *out)
{
    Tern__Task **tasks = core_new(out, s->n_tasks, sizeof *tasks);
    Tern__Task *copies = core_new(out, s->n_tasks, sizeof *copies);

    for (size_t i = 0; i < s->n_tasks; i++) {
        copies[i] = *s->tasks[i];
        copies[i].n = a->task_next + i;
        copies[i].job = job_n;
        copies[i].index = index + i;
        copies[i].group = 0;
        tasks[i] = &copies[i];
    }
    return tasks;
}

static void accept(struct agent *a, const struct peer *p, const Tern__Envelope *e,
                   struct core_out *out)
{
    const Tern__Submit *s = e->submit;
    const struct job *j = s->more ? job_get(a, s->job->n) : NULL;
    Tern__Fact *f = core_store(out, a->now_ns);
    Tern__Accepted *accepted = core_new(out, 1, sizeof *accepted);

    tern__accepted__init(accepted);
    accepted->session = p->session->n;
    accepted->number = e->number;
    accepted->job = j ? NULL : new_job(a, p, s->job, out);
    accepted->job_n = j ? j->n : a->job_next;
    accepted->first = a->task_next;
    accepted->n_tasks = s->n_tasks;
    accepted->tasks = (Tern__Task **)numbered(a, s, accepted->job_n, j ? j->next_index : 0, out);
    f->what_case = TERN__FACT__WHAT_ACCEPTED;
    f->accepted = accepted;
    core_note(out, NOTE_TASK_ACCEPTED, accepted->job_n, accepted->first, accepted->n_tasks);
    agent_fact(a, f);
}

static void answer(struct core_out *out, const struct peer *p, const struct answer *with)
{
    Tern__Envelope *e = core_answer(out, p->n, with->number);

    e->body_case = TERN__ENVELOPE__BODY_SUBMITTED;
    e->submitted = core_new(out, 1, sizeof *e->submitted);
    tern__submitted__init(e->submitted);
    e->submitted->job = with->job;
    e->submitted->first = with->first;
    e->submitted->count = with->count;
}

void submit_take(struct agent *a, struct peer *p, const Tern__Envelope *e, struct core_out *out)
{
    const struct answer *before = session_find(p->session, e->number);
    struct fault f;

    if (before) {
        answer(out, p, before);
        return;
    }
    if (!e->number || e->number + LIMIT_OUTSTANDING <= p->session->highest) {
        core_refuse(out, p->n, e->number, TERN_EPROTO,
                    "request %llu is older than those that may still be open",
                    (unsigned long long)e->number);
        return;
    }
    f = check_submit(a, p, e->submit, out);
    if (f.text) {
        core_refuse(out, p->n, e->number, f.err, "%s", f.text);
        return;
    }
    accept(a, p, e, out);
    answer(out, p, session_find(p->session, e->number));
}

/* ---------------------------------------------------------------- more standard input */

static struct fault check_more_input(const struct agent *a, const struct peer *p,
                                     const struct task *t, const Tern__MoreInput *more,
                                     struct core_out *out)
{
    const uint64_t at = task_input_at(t);

    if (!t->open_input)
        return fault(TERN_EUSAGE, "this task's standard input was complete when it was submitted");
    if (task_ended(t))
        return fault(TERN_ENOENT, "this task has ended");
    if (more->offset > at)
        return fault(TERN_EPROTO, core_text(out, "its standard input goes on at byte %llu",
                                            (unsigned long long)at));
    if (t->run && t->run->input_count >= AGENT_INPUTS_MAX)
        return fault(TERN_EBUSY, "it has not used what it was given so far; try again later");
    return check_content(a, p, more->content, "the input", out);
}

void input_take(struct agent *a, struct peer *p, const Tern__Envelope *e, struct task *t,
                struct core_out *out)
{
    const Tern__MoreInput *more = e->more_input;
    struct fault fault_found = check_more_input(a, p, t, more, out);
    const uint64_t at = task_input_at(t);
    Tern__Fact *f;
    Tern__Order *o;

    if (!fault_found.text && (more->offset < at || (t->run && t->run->input_ended &&
                                                    !task_content_size(more->content)))) {
        clients_done(out, p, e->number, at); /* said twice */
        return;
    }
    if (fault_found.text) {
        core_refuse(out, p->n, e->number, fault_found.err, "%s", fault_found.text);
        return;
    }
    f = core_store(out, a->now_ns);
    f->what_case = TERN__FACT__WHAT_INPUTTED;
    f->inputted = core_new(out, 1, sizeof *f->inputted);
    tern__inputted__init(f->inputted);
    f->inputted->input = message_copy(&more->base, &out->arena);
    check(f->inputted->input);
    agent_fact(a, f);
    o = t->node ? node_order(a, t->node, TERN__ORDER_KIND__ORDER_INPUT, t, out) : NULL;
    if (o)
        o->input = f->inputted->input;
    clients_done(out, p, e->number, t->run->input_at);
}
