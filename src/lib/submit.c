#include "lib/lib.h"

#include "os/file.h"
#include "os/sys.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const uint8_t magic[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};

/* The supplies of a job, in the order in which the message wants them. */
struct order {
    const struct tern_job *job;
    uint64_t more; /* number of the job that these belong to; 0: a new one */
    struct supply *module;
    struct supply **input;   /* one for each task */
    struct supply ***inputs; /* of each task */
    const struct tern_task_of *tasks;
    size_t task_count;
};

static const struct tern_task_of nothing;

/* ---- is it good, before anything is sent? ---- */

static bool is_module(const struct tern_source *source)
{
    uint8_t head[sizeof magic];
    int fd;
    bool fine;

    if (source->kind == TERN_BYTES)
        return source->size >= sizeof magic && memcmp(source->bytes, magic, sizeof magic) == 0;
    if (source->kind != TERN_FILE)
        return true;
    fd = sys_open(source->text, O_RDONLY, 0);
    if (fd < 0)
        return true; /* it is said why when it is opened to be sent */
    fine =
        file_read_exact(fd, head, sizeof head) == TERN_OK && memcmp(head, magic, sizeof magic) == 0;
    sys_close(fd);
    return fine;
}

static bool check_job(struct tern_op *op, const struct tern_job *job)
{
    if (job->module.kind == TERN_EMPTY)
        op_end(op, TERN_EUSAGE, "the job has no module");
    else if (!is_module(&job->module))
        op_end(op, TERN_EMALFORMED,
               "%s is no WebAssembly module; compile it with tern cc, or name another file",
               job->module.kind == TERN_FILE ? job->module.text : "what is given");
    else
        return true;
    return false;
}

static bool check_tasks(struct tern_op *op, const struct order *o)
{
    if (o->task_count > TERN_TASKS_MAX) {
        op_end(op, TERN_ETOOBIG, "at most %d tasks at a time; send the rest by tern_submit_more",
               TERN_TASKS_MAX);
        return false;
    }
    for (size_t i = 0; i < o->task_count; i++) {
        const struct tern_task_of *task = &o->tasks[i];

        if (task->item && strlen(task->item) > LIMIT_TEXT)
            op_end(op, TERN_ETOOBIG, "item %zu has more than %d bytes", i, LIMIT_TEXT);
        else if (task->input_count > LIMIT_FILES || task->output_count > LIMIT_FILES)
            op_end(op, TERN_ETOOBIG, "a task has at most %d inputs and %d outputs", LIMIT_FILES,
                   LIMIT_FILES);
    }
    return !op->over;
}

/* ---- what has to be there first ---- */

static bool supply_task(struct tern_op *op, struct order *o, size_t i)
{
    const struct tern_task_of *task = &o->tasks[i];

    o->inputs[i] = op_memory(op, task->input_count, sizeof **o->inputs);
    if (!o->inputs[i])
        return false;
    o->input[i] = supply_add(op, &task->input, true, false);
    for (size_t k = 0; k < task->input_count && !op->over; k++)
        o->inputs[i][k] = supply_add(op, &task->inputs[k].source, true, false);
    return !op->over;
}

static bool supply_all(struct tern_op *op, struct order *o)
{
    o->input = op_memory(op, o->task_count, sizeof *o->input);
    o->inputs = op_memory(op, o->task_count, sizeof *o->inputs);
    if (!o->input || !o->inputs)
        return false;
    if (!o->more)
        o->module = supply_add(op, &o->job->module, false, false);
    for (size_t i = 0; i < o->task_count && !op->over; i++)
        supply_task(op, o, i);
    return !op->over;
}

/* ---- the message ---- */

static char **texts(struct tern_op *op, const char *const *from, size_t count)
{
    char **to = op_memory(op, count, sizeof *to);

    for (size_t i = 0; to && i < count; i++)
        to[i] = (char *)from[i]; /* nobody writes to it */
    return to;
}

/* NULL: no memory; the op has ended. */
static void *new_message(struct tern_op *op, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *m = op_memory(op, 1, type->sizeof_message);

    if (m)
        protobuf_c_message_init(type, m);
    return m;
}

static Tern__Task *make_task(struct tern_op *op, const struct order *o, size_t i)
{
    const struct tern_task_of *from = &o->tasks[i];
    Tern__Task *task = new_message(op, &tern__task__descriptor);

    if (!task)
        return NULL;
    task->index = o->job->first_index + i;
    task->item = (char *)(from->item ? from->item : "");
    task->open_input = from->open_input;
    task->deterministic = o->job->deterministic;
    task->pure = o->job->pure;
    task->input = o->input[i]->content;
    task->inputs = op_memory(op, from->input_count + 1, sizeof *task->inputs);
    task->outputs = op_memory(op, from->output_count, sizeof *task->outputs);
    return task->inputs && task->outputs ? task : NULL;
}

static bool add_input(struct tern_op *op, Tern__Task *task, const char *path,
                      const struct supply *s)
{
    Tern__Input *input = new_message(op, &tern__input__descriptor);

    if (!input)
        return false;
    input->path = (char *)path;
    input->content = s->content;
    input->promise = s->promise;
    task->inputs[task->n_inputs++] = input;
    return true;
}

static bool add_outputs(struct tern_op *op, Tern__Task *task, const struct tern_task_of *from)
{
    for (size_t k = 0; k < from->output_count; k++) {
        Tern__Output *output = new_message(op, &tern__output__descriptor);

        if (!output)
            return false;
        output->path = (char *)from->outputs[k].path;
        output->optional = from->outputs[k].optional;
        task->outputs[task->n_outputs++] = output;
    }
    return true;
}

static Tern__Task *task_of(struct tern_op *op, const struct order *o, size_t i)
{
    const struct tern_task_of *from = &o->tasks[i];
    Tern__Task *task = make_task(op, o, i);
    bool fine = task;

    if (fine && o->input[i]->promise)
        fine = add_input(op, task, "", o->input[i]);
    for (size_t k = 0; fine && k < from->input_count; k++)
        fine = add_input(op, task, from->inputs[k].path, o->inputs[i][k]);
    return fine && add_outputs(op, task, from) ? task : NULL;
}

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static const char *name_of(const struct tern_job *job)
{
    if (job->name)
        return job->name;
    return job->module.kind == TERN_FILE || job->module.kind == TERN_NAMED
               ? last_name(job->module.text)
               : "program";
}

static Tern__Program *program_of(struct tern_op *op, const struct order *o)
{
    const struct tern_job *job = o->job;
    Tern__Program *p = new_message(op, &tern__program__descriptor);
    Tern__ProgramLimits *limits = new_message(op, &tern__program_limits__descriptor);

    if (!p || !limits)
        return NULL;
    limits->memory_pages = (uint32_t)(job->memory_bytes / 65536);
    limits->stack_bytes = job->stack_bytes;
    limits->cpu_ns = job->cpu_ns;
    limits->output_bytes = job->output_bytes;
    p->module = o->module->content->blob;
    p->name = (char *)name_of(job);
    p->args = texts(op, job->args, job->arg_count);
    p->n_args = job->arg_count;
    p->env = texts(op, job->env, job->env_count);
    p->n_env = job->env_count;
    p->limits = limits;
    p->files_bytes = job->files_bytes;
    p->random_seeded = job->seeded || job->deterministic;
    p->random_seed = job->random_seed;
    return p->args && p->env ? p : NULL;
}

static Tern__Requirements *requirements_of(struct tern_op *op, const struct tern_job *job)
{
    Tern__Requirements *r = new_message(op, &tern__requirements__descriptor);

    if (!r)
        return NULL;
    r->machine = texts(op, job->machines, job->machine_count);
    r->n_machine = job->machine_count;
    r->labels = texts(op, job->labels, job->label_count);
    r->n_labels = job->label_count;
    r->memory_bytes = job->needs_memory_bytes;
    r->node = (char *)(job->node ? job->node : "");
    return r->machine && r->labels ? r : NULL;
}

static Tern__Policy *policy_of(struct tern_op *op, const struct tern_job *job)
{
    Tern__Policy *p = new_message(op, &tern__policy__descriptor);

    if (!p)
        return NULL;
    p->copies = job->copies;
    p->checkpoint_every_ns = job->checkpoint_every_ns;
    p->speculative = job->speculative;
    p->keep_ns = job->keep_ns;
    return p;
}

static int64_t wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static Tern__Job *job_of(struct tern_op *op, const struct order *o)
{
    const struct tern_job *from = o->job;
    Tern__Job *job = new_message(op, &tern__job__descriptor);
    Tern__Budget *budget = new_message(op, &tern__budget__descriptor);

    if (!job || !budget)
        return NULL;
    job->n = o->more;
    if (o->more)
        return job;
    job->work = new_message(op, &tern__work__descriptor);
    if (!job->work)
        return NULL;
    job->label = (char *)(from->label ? from->label : name_of(from));
    job->priority = from->priority;
    job->deadline_ns = from->deadline_ns;
    job->submitted_ns = wall_ns();
    budget->attempts = from->attempts;
    job->budget = budget;
    job->work->quality = 1;
    job->work->program = program_of(op, o);
    job->requirements = requirements_of(op, from);
    job->policy = policy_of(op, from);
    return job->work->program && job->requirements && job->policy ? job : NULL;
}

static void take_submitted(struct tern_op *op, const Tern__Envelope *answer)
{
    struct tern_submitted *out = op->out;

    if (answer->body_case != TERN__ENVELOPE__BODY_SUBMITTED) {
        op_confused(op, answer);
        return;
    }
    *out = (struct tern_submitted){.job = {answer->submitted->job},
                                   .first = {answer->submitted->first},
                                   .count = answer->submitted->count};
    op_well(op);
}

static void send_job(struct tern_op *op)
{
    const struct order *o = op->in;
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Submit submit = TERN__SUBMIT__INIT;

    submit.more = o->more != 0;
    submit.job = job_of(op, o);
    submit.tasks = op_memory(op, o->task_count, sizeof *submit.tasks);
    if (!submit.job || !submit.tasks)
        return;
    for (; submit.n_tasks < o->task_count; submit.n_tasks++) {
        submit.tasks[submit.n_tasks] = task_of(op, o, submit.n_tasks);
        if (!submit.tasks[submit.n_tasks])
            return;
    }
    e.body_case = TERN__ENVELOPE__BODY_SUBMIT;
    e.submit = &submit;
    op_ask(op, &e, take_submitted);
}

static struct tern_op *begin(struct tern *t, uint64_t more, const struct tern_job *job,
                             struct tern_submitted *out)
{
    struct tern_op *op = op_new(t);
    struct order *o = op && !op->over ? op_memory(op, 1, sizeof *o) : NULL;

    if (!o)
        return op;
    *o = (struct order){
        .job = job, .more = more, .tasks = job->tasks, .task_count = job->task_count};
    if (!o->task_count) {
        o->tasks = &nothing;
        o->task_count = 1;
    }
    op->in = o;
    op->out = out;
    op->supplied = send_job;
    if ((more || check_job(op, job)) && check_tasks(op, o) && supply_all(op, o))
        supplies_begin(op);
    return op;
}

struct tern_op *tern_submit_begin(struct tern *t, const struct tern_job *job,
                                  struct tern_submitted *out)
{
    return begin(t, 0, job, out);
}

enum tern_err tern_submit(struct tern *t, const struct tern_job *job, struct tern_submitted *out)
{
    return op_finish(t, begin(t, 0, job, out));
}

struct tern_op *tern_submit_more_begin(struct tern *t, struct tern_job_id id,
                                       const struct tern_job *job, struct tern_submitted *out)
{
    return begin(t, id.n, job, out);
}

enum tern_err tern_submit_more(struct tern *t, struct tern_job_id id, const struct tern_job *job,
                               struct tern_submitted *out)
{
    return op_finish(t, begin(t, id.n, job, out));
}
