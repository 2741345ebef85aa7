#include "core/agent_inner.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

static struct task *task_of(const struct tree_link *link)
{
    return tree_of(link, struct task, link);
}

static int compare_numbers(const struct tree_link *a, const struct tree_link *b)
{
    return order_u64(task_of(a)->n, task_of(b)->n);
}

static int compare_ends(const struct tree_link *a, const struct tree_link *b)
{
    const struct task *x = task_of(a), *y = task_of(b);

    if (x->run->forget_ns != y->run->forget_ns)
        return x->run->forget_ns < y->run->forget_ns ? -1 : 1;
    return order_u64(x->n, y->n);
}

static int compare_jobs(const struct tree_link *a, const struct tree_link *b)
{
    return order_u64(tree_of(a, struct job, walk)->n, tree_of(b, struct job, walk)->n);
}

static int compare_keeping(const struct tree_link *a, const struct tree_link *b)
{
    return order_u64(tree_of(a, struct run, keep)->task, tree_of(b, struct run, keep)->task);
}

static int compare_movers(const struct tree_link *a, const struct tree_link *b)
{
    return order_u64(tree_of(a, struct run, mover)->task, tree_of(b, struct run, mover)->task);
}

static int compare_due(const struct tree_link *a, const struct tree_link *b)
{
    const struct job *x = tree_of(a, struct job, due), *y = tree_of(b, struct job, due);

    if (x->due_ns != y->due_ns)
        return x->due_ns < y->due_ns ? -1 : 1;
    return order_u64(x->n, y->n);
}

void tasks_init(struct agent *a)
{
    a->movers.compare = compare_movers;
    a->keeping.compare = compare_keeping;
    a->ended.compare = compare_ends;
    a->doomed.compare = a->stalled.compare = compare_numbers;
    a->cancelling.compare = compare_jobs;
    a->deadlines.compare = compare_due;
}

struct task *task_get(const struct agent *a, uint64_t n)
{
    return directory_get(&a->tasks, n);
}

struct job *job_get(const struct agent *a, uint64_t n)
{
    return directory_get(&a->jobs, n);
}

bool task_ended(const struct task *t)
{
    return t->state >= TERN__TASK_STATE__TASK_DONE;
}

struct run *task_run(struct agent *a, struct task *t)
{
    if (!t->run) {
        t->run = agent_alloc(1, sizeof *t->run);
        t->run->checkpoint_next = 1;
        t->run->task = t->n;
        a->count.task_bytes += sizeof *t->run;
    }
    return t->run;
}

struct attempt *task_attempt(const struct task *t)
{
    return t->run && t->run->attempt_count ? &t->run->attempts[t->run->attempt_count - 1] : NULL;
}

bool task_is_at(const struct task *t, const Tern__Fence *fence)
{
    const struct attempt *at = t ? task_attempt(t) : NULL;

    return at && t->node && fence && at->n == fence->attempt && at->term == fence->term;
}

struct checkpoint *task_checkpoint(const struct task *t)
{
    struct checkpoint *c;

    if (!t->run || !t->run->checkpoint_count)
        return NULL;
    c = &t->run->checkpoints[t->run->checkpoint_count - 1];
    return c->root ? c : NULL;
}

Tern__Checkpoint *checkpoint_message(const struct checkpoint *c, struct core_out *out)
{
    Tern__Checkpoint *body = packed_open(&c->packed, &tern__checkpoint__descriptor, out);

    if (!c->root)
        return body;
    body->depots = core_new(out, c->root->copy_count, sizeof(char *));
    for (const struct copy *copy = c->root->copies; copy; copy = copy->next)
        body->depots[body->n_depots++] = copy->depot->name;
    return body;
}

uint64_t task_content_size(const Tern__Content *c)
{
    return !c ? 0 : c->blob ? c->blob->size : c->here.len;
}

uint64_t task_input_at(const struct task *t)
{
    struct core_out room = {0};
    uint64_t at = t->run ? t->run->input_at : 0;

    if (at == 0 && t->spec.size) { /* none has come behind what it was submitted with */
        at = task_content_size(task_spec(t, &room)->input);
        core_out_release(&room);
    }
    return at;
}

/* ---------------------------------------------------------------- states */

static uint64_t *state_count(struct agent *a, unsigned state)
{
    switch ((Tern__TaskState)state) {
    case TERN__TASK_STATE__TASK_WAITING: return &a->count.waiting;
    case TERN__TASK_STATE__TASK_READY: return &a->count.ready;
    case TERN__TASK_STATE__TASK_PLACED: return &a->count.placed;
    case TERN__TASK_STATE__TASK_RUNNING: return &a->count.running;
    case TERN__TASK_STATE__TASK_DONE: return &a->count.done;
    case TERN__TASK_STATE__TASK_FAILED: return &a->count.failed;
    case TERN__TASK_STATE__TASK_CANCELLED: return &a->count.cancelled;
    case TERN__TASK_STATE__TASK_NONE:
    case _TERN__TASK_STATE_IS_INT_SIZE: break;
    }
    return NULL;
}

static struct tree *home_of(struct agent *a, struct task *t)
{
    switch ((Tern__TaskState)t->state) {
    case TERN__TASK_STATE__TASK_WAITING: return t->doomed ? &a->doomed : NULL;
    case TERN__TASK_STATE__TASK_READY: return &t->job->class->ready;
    case TERN__TASK_STATE__TASK_PLACED:
    case TERN__TASK_STATE__TASK_RUNNING: return &t->node->tasks;
    case TERN__TASK_STATE__TASK_DONE:
    case TERN__TASK_STATE__TASK_FAILED:
    case TERN__TASK_STATE__TASK_CANCELLED: return &a->ended;
    case TERN__TASK_STATE__TASK_NONE:
    case _TERN__TASK_STATE_IS_INT_SIZE: break;
    }
    return NULL;
}

void task_leave_home(struct agent *a, struct task *t)
{
    (void)a;
    if (t->in)
        tree_remove(t->in, &t->link);
    t->in = NULL;
}

void task_home(struct agent *a, struct task *t)
{
    task_leave_home(a, t);
    t->in = home_of(a, t);
    if (!t->in)
        return;
    if (!t->in->compare)
        t->in->compare = compare_numbers; /* of a node */
    tree_add(t->in, &t->link);
    if (t->state == TERN__TASK_STATE__TASK_READY)
        class_ready(a, t->job->class);
}

void task_changed(struct agent *a, const struct task *t)
{
    a->changed = agent_grow(a->changed, &a->changed_room, a->changed_count, sizeof *a->changed);
    a->changed[a->changed_count++] = t->n;
}

void task_state(struct agent *a, struct task *t, Tern__TaskState state)
{
    uint64_t *before = state_count(a, t->state), *after = state_count(a, state);

    task_leave_home(a, t);
    if (before)
        --*before;
    t->state = (uint8_t)state;
    if (after)
        ++*after;
    task_home(a, t);
    task_changed(a, t);
}

/* ---------------------------------------------------------------- what a task is */

Tern__Task *task_spec(const struct task *t, struct core_out *out)
{
    Tern__Task *spec = packed_open(&t->spec, &tern__task__descriptor, out);

    spec->n = t->n;
    spec->job = t->job->n;
    spec->index = t->index;
    return spec;
}

static void want_content(struct agent *a, struct owner *domain, const Tern__Content *c, bool want)
{
    struct root *r;

    if (!c || !c->blob || c->blob->sha256.len != 32)
        return;
    r = want ? root_make(a, domain, c->blob) : root_find(a, domain, c->blob->sha256.data);
    check(r);
    if (want)
        root_want(a, r);
    else
        root_unwant(a, r);
}

static void want_spec(struct agent *a, struct task *t, const Tern__Task *spec, bool want)
{
    struct owner *domain = t->job->owner;

    want_content(a, domain, spec->input, want);
    for (size_t i = 0; i < spec->n_inputs; i++)
        want_content(a, domain, spec->inputs[i]->content, want);
}

static bool is_blob(const Tern__Content *c)
{
    return c && c->blob;
}

static void set_spec(struct agent *a, struct task *t, const Tern__Task *spec)
{
    Tern__Task plain = *spec;

    plain.n = plain.job = plain.index = 0;
    a->count.task_bytes -= t->spec.size;
    packed_set(&t->spec, &plain.base);
    a->count.task_bytes += t->spec.size;
    t->open_input = spec->open_input;
    t->promises = false;
    t->blobs = is_blob(spec->input);
    for (size_t i = 0; i < spec->n_inputs; i++) {
        t->promises |= spec->inputs[i]->promise != NULL;
        t->blobs |= is_blob(spec->inputs[i]->content);
    }
}

void task_respec(struct agent *a, struct task *t, const Tern__Task *spec)
{
    struct core_out room = {0};

    want_spec(a, t, spec, true);
    if (t->blobs)
        want_spec(a, t, task_spec(t, &room), false);
    core_out_release(&room);
    set_spec(a, t, spec);
}

void task_unwant(struct agent *a, struct task *t)
{
    struct core_out room = {0};

    if (t->blobs)
        want_spec(a, t, task_spec(t, &room), false);
    for (size_t i = 0; t->run && i < t->run->input_count; i++) {
        const Tern__MoreInput *more =
            packed_open(&t->run->inputs[i], &tern__more_input__descriptor, &room);

        want_content(a, t->job->owner, more->content, false);
    }
    for (size_t i = 0; t->run && i < t->run->checkpoint_count; i++)
        if (t->run->checkpoints[i].root) {
            root_unwant(a, t->run->checkpoints[i].root);
            t->run->checkpoints[i].root = NULL;
        }
    core_out_release(&room);
    t->blobs = false;
    if (t->run) {
        for (size_t i = 0; i < t->run->input_count; i++)
            packed_release(&t->run->inputs[i]);
        t->run->input_count = 0;
    }
}

/* ---------------------------------------------------------------- jobs */

static void *part_of(struct job *j, const ProtobufCMessageDescriptor *type, const void *like)
{
    void *part = arena_new(&j->arena, 1, type->sizeof_message);

    check(part);
    if (like)
        memcpy(part, like, type->sizeof_message);
    else
        protobuf_c_message_init(type, part);
    return part;
}

/*
 * A budget of processor time is a limit of the program's: what its checkpoints carry on from one
 * attempt to the next is what counts, not what was lost with a machine.
 */
static Tern__Work *work_in_budget(struct job *j)
{
    const Tern__Budget *budget = j->known->budget;
    Tern__Work *work = j->known->work;
    Tern__Program *program;
    Tern__ProgramLimits *limits;

    if (!budget || !budget->cpu_ns || !work || !work->program)
        return work;
    work = part_of(j, &tern__work__descriptor, work);
    work->program = program = part_of(j, &tern__program__descriptor, work->program);
    program->limits = limits = part_of(j, &tern__program_limits__descriptor, program->limits);
    if (!limits->cpu_ns || limits->cpu_ns > budget->cpu_ns)
        limits->cpu_ns = budget->cpu_ns;
    return work;
}

static void lean_job(struct job *j)
{
    const Tern__Job *known = j->known;

    tern__job__init(&j->lean);
    j->lean.n = j->n;
    j->lean.owner = known->owner;
    j->lean.domain = known->domain;
    j->lean.work = work_in_budget(j);
    j->lean.requirements = known->requirements;
    j->lean.policy = known->policy;
    j->lean_bytes = tern__job__get_packed_size(&j->lean);
}

struct job *job_new(struct agent *a, const Tern__Job *spec, struct owner *owner)
{
    struct job *j = agent_alloc(1, sizeof *j);
    const Tern__Blob *module =
        spec->work && spec->work->program ? spec->work->program->module : NULL;

    j->n = spec->n;
    j->due_ns = INT64_MAX;
    j->owner = owner;
    j->known = message_copy(&spec->base, &j->arena);
    check(j->known);
    lean_job(j);
    j->class = class_take(a, j->known->requirements);
    if (module && module->sha256.len == 32) {
        j->module = root_make(a, owner, module);
        root_want(a, j->module);
        j->program = program_take(a, module->sha256.data);
    }
    check(directory_put(&a->jobs, j->n, j));
    return j;
}

void job_begin(struct agent *a, struct job *j, int64_t accepted_ns)
{
    const Tern__Job *known = j->known;

    j->accepted_ns = accepted_ns;
    if (known->deadline_ns <= 0 || known->submitted_ns <= 0)
        return;
    j->due_ns = accepted_ns;
    if (known->deadline_ns > known->submitted_ns &&
        __builtin_add_overflow(accepted_ns, known->deadline_ns - known->submitted_ns, &j->due_ns))
        j->due_ns = INT64_MAX;
    tree_add(&a->deadlines, &j->due);
}

static void bury(struct agent *a, struct job *j)
{
    j->buried = a->graves; /* messages of this step may point into it */
    a->graves = j;
}

void jobs_bury(struct agent *a)
{
    while (a->graves) {
        struct job *next = a->graves->buried;

        arena_release(&a->graves->arena);
        free(a->graves->ranges);
        free(a->graves);
        a->graves = next;
    }
}

static void job_free(struct agent *a, struct job *j)
{
    directory_remove(&a->jobs, j->n);
    if (tree_in(&j->walk))
        tree_remove(&a->cancelling, &j->walk);
    if (tree_in(&j->due))
        tree_remove(&a->deadlines, &j->due);
    class_give_back(a, j->class);
    if (j->module)
        root_unwant(a, j->module);
    if (j->program)
        program_give_back(a, j->program);
    bury(a, j);
}

void job_free_if_empty(struct agent *a, struct job *j)
{
    if (j->tasks == 0)
        job_free(a, j);
}

static void add_range(struct job *j, uint64_t n, uint64_t index)
{
    struct range *last = j->range_count ? &j->ranges[j->range_count - 1] : NULL;

    if (last && last->first + last->count == n && last->index + last->count == index) {
        last->count++;
        return;
    }
    j->ranges = agent_grow(j->ranges, &j->range_room, j->range_count, sizeof *j->ranges);
    j->ranges[j->range_count++] = (struct range){.first = n, .count = 1, .index = index};
}

/* The first range that reaches beyond n. */
static size_t range_from(const struct job *j, uint64_t n)
{
    size_t low = 0, high = j->range_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (j->ranges[middle].first + j->ranges[middle].count > n)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

uint64_t job_next_task(const struct agent *a, const struct job *j, uint64_t n)
{
    for (size_t i = range_from(j, n); i < j->range_count; i++) {
        const struct range *r = &j->ranges[i];
        uint64_t at;
        const struct task *t = directory_from(&a->tasks, n > r->first ? n : r->first, &at);

        if (t && at < r->first + r->count)
            return at;
    }
    return 0;
}

/* ---------------------------------------------------------------- tasks */

struct task *task_new(struct agent *a, struct job *j, const Tern__Task *spec, uint64_t n)
{
    struct task *t = agent_alloc(1, sizeof *t);

    t->n = n;
    t->index = spec->index;
    t->job = j;
    a->count.task_bytes += sizeof *t;
    set_spec(a, t, spec);
    if (t->blobs)
        want_spec(a, t, spec, true);
    if (spec->index >= j->next_index)
        j->next_index = spec->index + 1;
    j->tasks++;
    j->owner->tasks++;
    add_range(j, n, spec->index);
    check(directory_put(&a->tasks, n, t));
    return t;
}

static void run_free(struct agent *a, struct task *t)
{
    struct run *r = t->run;

    if (!r)
        return;
    for (size_t i = 0; i < r->attempt_count; i++) {
        free(r->attempts[i].node);
        free(r->attempts[i].why);
    }
    for (size_t i = 0; i < r->checkpoint_count; i++)
        packed_release(&r->checkpoints[i].packed);
    for (size_t i = 0; i < r->input_count; i++)
        packed_release(&r->inputs[i]);
    a->count.task_bytes -= sizeof *r + r->attempt_room * sizeof *r->attempts + r->end.size +
                           r->checkpoint_room * sizeof *r->checkpoints;
    if (tree_in(&r->mover))
        tree_remove(&a->movers, &r->mover);
    if (tree_in(&r->keep))
        tree_remove(&a->keeping, &r->keep);
    free(r->attempts);
    free(r->checkpoints);
    free(r->inputs);
    free(r->waiters);
    packed_release(&r->end);
    packed_release(&r->pending);
    free(r);
    t->run = NULL;
}

void task_free(struct agent *a, struct task *t)
{
    uint64_t *count = state_count(a, t->state);

    task_leave_home(a, t);
    if (count)
        --*count;
    directory_remove(&a->tasks, t->n);
    run_free(a, t);
    a->count.task_bytes -= sizeof *t + t->spec.size;
    packed_release(&t->spec);
    free(t);
}

void tasks_release(struct agent *a)
{
    uint64_t at = 0;
    struct task *t;
    struct job *j;

    while ((t = directory_from(&a->tasks, at, &at)))
        task_free(a, t);
    at = 0;
    while ((j = directory_from(&a->jobs, at, &at)))
        job_free(a, j);
    jobs_bury(a);
    directory_release(&a->tasks);
    directory_release(&a->jobs);
    free(a->changed);
}
