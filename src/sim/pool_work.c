/* What users ask for: drawn from the seed, together with what an undisturbed run gives. */
#include "sim/pool_inner.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARG_BYTES = 48, ARGS = 8, STEPS_LONG = 20000, INPUT_BYTES = 6000, MAP_MAX = 40 };

static struct work_task *add_task(struct pool *p)
{
    struct work *w = &p->work;

    if (w->task_count == w->task_capacity)
        w->tasks = sim_more(w->tasks, &w->task_capacity, sizeof *w->tasks);
    return &w->tasks[w->task_count++];
}

static struct work_job *add_job(struct pool *p)
{
    struct work *w = &p->work;
    struct work_job *j;

    if (w->job_count == w->job_capacity)
        w->jobs = sim_more(w->jobs, &w->job_capacity, sizeof *w->jobs);
    j = &w->jobs[w->job_count++];
    j->client = (size_t)prng_below(&p->work_dice, p->client_count);
    j->due_ns = prng_between(&p->work_dice, 0, p->for_ns);
    j->first = w->task_count;
    j->cancel_ns = prng_chance(&p->work_dice, 50000)
                       ? j->due_ns + prng_between(&p->work_dice, 0, 10 * SECOND)
                       : INT64_MAX;
    bytes_appendf(&j->module, "module %llu",
                  (unsigned long long)prng_below(&p->work_dice, 8)); /* some are shared */
    return j;
}

/* ---- Tasks ---- */

static void draw_length(struct pool *p, struct program_args *a)
{
    struct prng *d = &p->work_dice;

    a->steps = (uint64_t)prng_between(d, 0, 50);
    a->each_ns = prng_between(d, 100000, 20 * MS);
    if (prng_chance(d, 250000)) { /* long: minutes, so that machines die beneath it */
        a->steps = (uint64_t)prng_between(d, 500, STEPS_LONG);
        a->each_ns = prng_between(d, MS, 20 * MS);
    }
    a->line = (uint64_t)prng_between(d, 1, 1 + (int64_t)a->steps / 8);
    a->pages = (uint64_t)prng_between(d, 1, 12);
}

static void draw_input(struct pool *p, struct work_task *t)
{
    struct prng *d = &p->work_dice;
    const size_t size = (size_t)prng_between(d, 0, INPUT_BYTES);

    if (!prng_chance(d, 300000))
        return;
    t->args.input = (uint64_t)prng_between(d, 1, 100);
    check(bytes_reserve(&t->input, size) || !size);
    prng_fill(d, t->input.data, size);
    t->input.size = size;
    t->input_now = size;
    if (prng_chance(d, 300000))
        t->input_now = prng_below(d, size + 1);
}

static struct work_task *draw_task(struct pool *p)
{
    struct prng *d = &p->work_dice;
    struct work_task *t = add_task(p);

    t->args.seed = prng_next(d) >> 16;
    t->args.code = prng_chance(d, 100000) ? (int32_t)prng_between(d, 1, 100) : 0;
    draw_length(p, &t->args);
    if (prng_chance(d, 30000) && t->args.steps)
        t->args.trap = 1 + prng_below(d, t->args.steps);
    t->makes_file = prng_chance(d, 200000);
    return t;
}

/* ---- Jobs ---- */

static void draw_single(struct pool *p)
{
    struct work_job *j = add_job(p);

    draw_input(p, draw_task(p));
    j->count = 1;
}

/* All alike, but for what stands for "{}": the seed. */
static void draw_map(struct pool *p, size_t most)
{
    const size_t count = 2 + (size_t)prng_below(&p->work_dice, most < MAP_MAX ? most : MAP_MAX);
    struct work_job *j = add_job(p);
    struct program_args args;

    args = draw_task(p)->args;
    for (size_t i = 1; i < count; i++)
        add_task(p)->args = args;
    for (size_t i = 0; i < count; i++) {
        struct work_task *t = &p->work.tasks[j->first + i];
        char item[ARG_BYTES];

        t->makes_file = false;
        t->args.seed = prng_next(&p->work_dice) >> 16;
        snprintf(item, sizeof item, "%llu", (unsigned long long)t->args.seed);
        t->item = strdup(item);
        check(t->item);
    }
    j->count = count;
}

/* Given outputs of one before it, which does not fail and is not cancelled. */
static void depend(struct pool *p, struct work_task *t, size_t upstream)
{
    t->from_file[t->from_count] =
        p->work.tasks[upstream].makes_file && prng_chance(&p->work_dice, 500000);
    t->from[t->from_count++] = upstream;
}

/* A job of one task each: later ones want what earlier ones make. */
static void draw_graph(struct pool *p, size_t most)
{
    const size_t count = 2 + (size_t)prng_below(&p->work_dice, most < 6 ? most : 6);
    size_t before[8];
    size_t client = 0;
    int64_t due = 0;

    for (size_t i = 0; i < count; i++) {
        struct work_job *j = add_job(p);
        struct work_task *t = draw_task(p);

        client = i ? client : j->client;
        due = i ? due : j->due_ns;
        j->client = client;
        j->due_ns = due;
        j->count = 1;
        j->cancel_ns = INT64_MAX;
        t->args.trap = 0;
        for (size_t k = 0; i && k < WORK_INPUTS_MAX && prng_chance(&p->work_dice, 600000); k++)
            depend(p, t, before[prng_below(&p->work_dice, i)]);
        before[i] = j->first;
    }
}

/* ---- What comes of it ---- */

static void run_whole(struct work *w, struct work_task *t)
{
    struct bytes error = {0};
    uint64_t sum = 0;

    for (size_t i = 0; i < t->from_count; i++) {
        const struct work_task *from = &w->tasks[t->from[i]];
        struct bytes file = {0};
        char path[ARG_BYTES];

        snprintf(path, sizeof path, "in%zu", i);
        if (t->from_file[i])
            program_file(&from->whole, "result", &file);
        sum = program_files(sum, path,
                            t->from_file[i] ? bytes_view(&file) : bytes_view(&from->output));
        bytes_release(&file);
    }
    program_begin(&t->whole, &t->args, sum);
    program_run(&t->whole, bytes_view(&t->input), &t->output, &error);
    bytes_release(&error);
}

void pool_work_draw(struct pool *p)
{
    const size_t wanted =
        p->config.tasks ? p->config.tasks : 10 + (size_t)prng_below(&p->work_dice, 70);

    while (p->work.task_count < wanted) {
        const size_t left = wanted - p->work.task_count;

        switch (prng_below(&p->work_dice, left > 2 ? 4 : 1)) {
        case 1: draw_map(p, left - 2); break;
        case 2: draw_graph(p, left - 2); break;
        default: draw_single(p); break;
        }
    }
    for (size_t i = 0; i < p->work.task_count; i++)
        run_whole(&p->work, &p->work.tasks[i]);
}

void pool_work_release(struct work *w)
{
    for (size_t i = 0; i < w->task_count; i++) {
        bytes_release(&w->tasks[i].input);
        bytes_release(&w->tasks[i].output);
        free(w->tasks[i].item);
    }
    for (size_t i = 0; i < w->job_count; i++)
        bytes_release(&w->jobs[i].module);
    free(w->tasks);
    free(w->jobs);
    *w = (struct work){0};
}

/* ---- As arguments, and as ends ---- */

char **pool_work_args(const struct work_task *t, size_t *count)
{
    const struct program_args *a = &t->args;
    const struct {
        const char *name;
        uint64_t value;
    } all[ARGS] = {{"steps", a->steps},         {"line", a->line},   {"each", (uint64_t)a->each_ns},
                   {"pages", a->pages},         {"input", a->input}, {"trap", a->trap},
                   {"code", (uint64_t)a->code}, {"seed", a->seed}};
    char **args = sim_new(ARGS, sizeof(char *));

    for (size_t i = 0; i < ARGS; i++) {
        args[i] = sim_new(ARG_BYTES, 1);
        if (i == ARGS - 1 && t->item)
            snprintf(args[i], ARG_BYTES, "seed={}");
        else
            snprintf(args[i], ARG_BYTES, "%s=%llu", all[i].name, (unsigned long long)all[i].value);
    }
    *count = ARGS;
    return args;
}

void pool_work_args_free(char **args, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(args[i]);
    free(args);
}

static const char *wrong_end(const struct work_task *t, const Tern__TaskSeen *seen)
{
    const Tern__End *end = seen->end;

    if (!end)
        return "it ended without an End";
    if (program_traps(&t->whole))
        return end->kind == TERN__END_KIND__END_TRAP ? NULL : "it should have trapped";
    if (seen->state != TERN__TASK_STATE__TASK_DONE || end->kind != TERN__END_KIND__END_EXIT)
        return end->text && *end->text ? end->text : "it did not exit, as it should have";
    return end->code == t->args.code ? NULL : "it exited with the wrong code";
}

const char *pool_work_wrong(const struct work_job *j, const struct work_task *t,
                            const Tern__TaskSeen *seen, const struct view *output)
{
    const char *why;

    if (seen->state == TERN__TASK_STATE__TASK_CANCELLED)
        return j->cancel_sent ? NULL : "it was cancelled, and nobody asked for that";
    why = wrong_end(t, seen);
    if (why || !output || program_traps(&t->whole))
        return why;
    return view_equal(*output, bytes_view(&t->output)) ? NULL
                                                       : "its output is not that of a quiet run";
}
