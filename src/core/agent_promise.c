#include "core/agent_inner.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

/*
 * A promised input is replaced by what it turned out to be as soon as all of a task's promises are
 * kept: from then on the tasks that made them may be forgotten. A task with a promise that will
 * never be kept is doomed: it stays WAITING until the agent has ended it.
 */

static void add_waiter(struct agent *a, struct task *maker, struct task *t)
{
    struct run *r = task_run(a, maker);

    if (r->waiter_count && r->waiters[r->waiter_count - 1] == t->n)
        return; /* for another of its inputs */
    r->waiters = agent_grow(r->waiters, &r->waiter_room, r->waiter_count, sizeof *r->waiters);
    r->waiters[r->waiter_count++] = t->n;
    t->waits++;
}

static const Tern__Content *made(const Tern__Results *r, const char *output)
{
    if (!r)
        return NULL;
    if (!*output)
        return r->output;
    for (size_t i = 0; i < r->n_files; i++)
        if (strcmp(r->files[i]->name, output) == 0)
            return r->files[i]->content;
    return NULL;
}

static const Tern__End *end_of(const struct task *t, struct core_out *room)
{
    return packed_open(&t->run->end, &tern__end__descriptor, room);
}

/* False: it will never be there. */
static bool keep_promise(struct agent *a, struct task *t, Tern__Input *in, struct core_out *room)
{
    static Tern__Content nothing = TERN__CONTENT__INIT;
    struct task *maker = task_get(a, in->promise->task);
    const Tern__End *end;

    if (!maker || maker->state != TERN__TASK_STATE__TASK_DONE) {
        t->doomed = in->promise->task;
        return false;
    }
    end = end_of(maker, room);
    in->content = (Tern__Content *)made(end->results, in->promise->output);
    if (!in->content && !*in->promise->output)
        in->content = &nothing; /* it wrote nothing */
    if (!in->content) {
        t->doomed = maker->n;
        return false;
    }
    in->promise = NULL;
    return true;
}

/* All that it waited for has ended. */
static void all_kept(struct agent *a, struct task *t)
{
    struct core_out room = {0};
    Tern__Task *spec = task_spec(t, &room);
    bool good = true;

    for (size_t i = 0; i < spec->n_inputs && good; i++)
        if (spec->inputs[i]->promise)
            good = keep_promise(a, t, spec->inputs[i], &room);
    if (good)
        task_respec(a, t, spec);
    core_out_release(&room);
}

void promises_begin(struct agent *a, struct task *t)
{
    struct core_out room = {0};
    const Tern__Task *spec;

    if (!t->promises)
        return;
    spec = task_spec(t, &room);
    for (size_t i = 0; i < spec->n_inputs; i++) {
        const Tern__Promise *p = spec->inputs[i]->promise;
        struct task *maker = p ? task_get(a, p->task) : NULL;

        if (maker && maker != t && !task_ended(maker))
            add_waiter(a, maker, t);
    }
    core_out_release(&room);
    if (!t->waits)
        all_kept(a, t);
}

void promises_end(struct agent *a, struct task *t)
{
    if (t->run->waiter_count)
        tree_add(&a->keeping, &t->run->keep);
}

static void tell_one(struct agent *a, struct task *t)
{
    if (!t || t->state != TERN__TASK_STATE__TASK_WAITING || !t->waits)
        return; /* cancelled meanwhile */
    if (--t->waits)
        return;
    all_kept(a, t);
    task_state(a, t, t->doomed ? TERN__TASK_STATE__TASK_WAITING : TERN__TASK_STATE__TASK_READY);
}

static size_t tell_waiters(struct agent *a, struct task *t, size_t most)
{
    struct run *r = t->run;
    size_t told = 0;

    for (; r->waiters_done < r->waiter_count && told < most; told++)
        tell_one(a, task_get(a, r->waiters[r->waiters_done++]));
    if (r->waiters_done == r->waiter_count) {
        tree_remove(&a->keeping, &r->keep);
        free(r->waiters);
        r->waiters = NULL;
        r->waiter_count = r->waiter_room = r->waiters_done = 0;
    }
    return told;
}

bool promises_portion(struct agent *a, size_t most)
{
    struct run *r;

    while (most && (r = tree_of(tree_first(&a->keeping), struct run, keep)))
        most -= tell_waiters(a, task_get(a, r->task), most);
    return a->keeping.count > 0;
}

void promises_drop(struct agent *a, struct task *t)
{
    if (t->run && tree_in(&t->run->keep))
        tell_waiters(a, t, SIZE_MAX);
}

static const char no_input[] = "an input was to come from task";

/* Of a long chain the first link is what a person has to look at: the others are not told. */
char *promises_doom_text(const struct agent *a, const struct task *t, struct core_out *out)
{
    const struct task *maker = task_get(a, t->doomed);
    const Tern__End *end;

    if (!maker || !task_ended(maker))
        return core_text(out, "%s %llu, which is not known any more", no_input,
                         (unsigned long long)t->doomed);
    end = end_of(maker, out);
    if (maker->state == TERN__TASK_STATE__TASK_CANCELLED)
        return core_text(out, "%s %llu, which was cancelled", no_input,
                         (unsigned long long)t->doomed);
    if (maker->state == TERN__TASK_STATE__TASK_FAILED &&
        strncmp(end->text, no_input, sizeof no_input - 1) == 0)
        return core_text(out, "%s", end->text);
    if (maker->state == TERN__TASK_STATE__TASK_FAILED)
        return core_text(out, "%s %llu, which failed: %s", no_input, (unsigned long long)t->doomed,
                         end->text);
    return core_text(out, "%s %llu, which ended without making it", no_input,
                     (unsigned long long)t->doomed);
}
