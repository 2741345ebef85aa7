#include "core/agent_inner.h"

#include "base/check.h"

#include <string.h>

enum { CPU_LIMIT = 1 }; /* End.code, as tern.proto has it */

static Tern__Fence *fence_of(const struct task *t, struct core_out *out)
{
    const struct attempt *at = task_attempt(t);
    Tern__Fence *fence = core_new(out, 1, sizeof *fence);

    tern__fence__init(fence);
    fence->task = t->n;
    fence->attempt = at->n;
    fence->term = at->term;
    return fence;
}

static void settle(struct agent *a, struct task *t, struct core_out *out);

/* ---------------------------------------------------------------- ends */

void task_gone(struct agent *a, struct core_out *out, struct task *t, Tern__AttemptState how,
               const char *why)
{
    Tern__Gone *gone = core_new(out, 1, sizeof *gone);
    const struct checkpoint *c;
    Tern__Fact *f;

    move_forget(a, out, t);
    if (how == TERN__ATTEMPT_STATE__ATTEMPT_LOST)
        settle(a, t, out);
    tern__gone__init(gone);
    gone->fence = fence_of(t, out);
    gone->state = how;
    gone->why = core_text(out, "%s", why);
    f = core_store(out, a->now_ns);
    f->what_case = TERN__FACT__WHAT_GONE;
    f->gone = gone;
    agent_fact(a, f);
    c = task_checkpoint(t);
    if (how == TERN__ATTEMPT_STATE__ATTEMPT_LOST)
        core_note(out, NOTE_TASK_BACK, t->n, c ? c->n : 0, 0);
}

static void name_depots(const struct task *t, Tern__End *end, struct core_out *out)
{
    if (end->n_depots || !end->results || !t->run || !t->node)
        return;
    end->depots = core_new(out, t->run->depot_count, sizeof(char *));
    for (size_t i = 0; i < t->run->depot_count; i++)
        end->depots[end->n_depots++] = t->run->depots[i]->name;
}

void task_end(struct agent *a, struct core_out *out, struct task *t, Tern__TaskState state,
              const Tern__End *end)
{
    Tern__Fact *f = core_store(out, a->now_ns);
    Tern__Ended *ended = core_new(out, 1, sizeof *ended);
    Tern__End *copy = core_new(out, 1, sizeof *copy);

    move_forget(a, out, t);
    *copy = *end;
    name_depots(t, copy, out);
    tern__ended__init(ended);
    ended->task = t->n;
    ended->fence = t->node ? fence_of(t, out) : NULL;
    ended->state = state;
    ended->end = copy;
    f->what_case = TERN__FACT__WHAT_ENDED;
    f->ended = ended;
    core_note(out, NOTE_TASK_ENDED, t->n, ended->fence ? ended->fence->attempt : 0, state);
    agent_fact(a, f);
}

void task_end_text(struct agent *a, struct core_out *out, struct task *t, Tern__TaskState state,
                   Tern__EndKind kind, const char *text)
{
    const struct checkpoint *c = task_checkpoint(t);
    Tern__End end = TERN__END__INIT;

    end.kind = kind;
    end.cpu_ns = c ? checkpoint_message(c, out)->cpu_ns : 0; /* what is known of it */
    end.text = core_text(out, "%s", text);
    task_end(a, out, t, state, &end);
}

/* ---------------------------------------------------------------- what attempts report */

static void on_begun(struct agent *a, struct task *t, struct core_out *out)
{
    Tern__Fact *f;

    if (t->state != TERN__TASK_STATE__TASK_PLACED)
        return; /* said twice */
    f = core_store(out, a->now_ns);
    f->what_case = TERN__FACT__WHAT_BEGUN;
    f->begun = core_new(out, 1, sizeof *f->begun);
    tern__begun_fact__init(f->begun);
    f->begun->fence = fence_of(t, out);
    core_note(out, NOTE_TASK_BEGUN, t->n, f->begun->fence->attempt, 0);
    agent_fact(a, f);
}

static bool end_good(const Tern__End *end)
{
    return end->kind > TERN__END_KIND__END_NONE && end->kind <= TERN__END_KIND__END_CANCELLED;
}

/* By a fault of ours, or of its machine: another attempt, but not for ever. */
static void on_broken(struct agent *a, struct task *t, const Tern__End *end, struct core_out *out)
{
    const Tern__Budget *budget = t->job->known->budget;
    const uint64_t attempts = t->run->dropped + t->run->attempt_count;
    char *text = core_text(out, "%.3000s", *end->text ? end->text : "it did not say why");
    char *node = core_text(out, "%s", t->node->name);
    const uint32_t broken = t->run->broken + 1;

    task_gone(a, out, t, TERN__ATTEMPT_STATE__ATTEMPT_BROKEN, text);
    if (broken >= a->config.broken_max)
        task_end_text(a, out, t, TERN__TASK_STATE__TASK_FAILED, TERN__END_KIND__END_BROKEN,
                      core_text(out,
                                "not the program's fault: %u attempts in a row were broken off by "
                                "Tern or by their machines, the last one on node %s: %s",
                                (unsigned)broken, node, text));
    else if (budget && budget->attempts && attempts >= budget->attempts)
        task_end_text(a, out, t, TERN__TASK_STATE__TASK_FAILED, TERN__END_KIND__END_BROKEN,
                      core_text(out,
                                "not the program's fault: its budget of %u attempts is used up, "
                                "the last one on node %s: %s",
                                (unsigned)budget->attempts, node, text));
}

/* What its node took for a limit of the program's may have been the budget (agent_tasks.c). */
static void name_budget(const struct task *t, Tern__End *end, struct core_out *out)
{
    const Tern__Job *job = t->job->known;
    const Tern__Program *program = job->work ? job->work->program : NULL;
    const uint64_t own = program && program->limits ? program->limits->cpu_ns : 0;

    if (end->code == CPU_LIMIT && job->budget && job->budget->cpu_ns &&
        (!own || own > job->budget->cpu_ns))
        end->text = core_text(out, "its budget of %llu ms of processor time is used up",
                              (unsigned long long)job->budget->cpu_ns / 1000000);
}

static void on_end(struct agent *a, struct task *t, const Tern__End *end, struct core_out *out)
{
    Tern__End copy = *end;

    if (!end_good(end)) {
        Tern__End unknown = TERN__END__INIT;

        unknown.text = "its node reported an end that this version does not know";
        on_broken(a, t, &unknown, out);
        return;
    }
    switch ((int)end->kind) {
    case TERN__END_KIND__END_EXIT: task_end(a, out, t, TERN__TASK_STATE__TASK_DONE, &copy); break;
    case TERN__END_KIND__END_LIMIT:
        name_budget(t, &copy, out);
        task_end(a, out, t, TERN__TASK_STATE__TASK_FAILED, &copy);
        break;
    case TERN__END_KIND__END_TRAP:
    case TERN__END_KIND__END_REFUSED:
        task_end(a, out, t, TERN__TASK_STATE__TASK_FAILED, &copy);
        break;
    default: on_broken(a, t, end, out); break;
    }
}

/* ---------------------------------------------------------------- checkpoints */

static bool checkpoint_good(const struct task *t, const Tern__Checkpoint *c)
{
    return c->root && c->root->sha256.len == 32 && c->n >= t->run->checkpoint_next;
}

static void commit(struct agent *a, struct task *t, Tern__Checkpoint *c, struct core_out *out)
{
    Tern__Fact *f = core_store(out, a->now_ns);
    Tern__Order *o;

    f->what_case = TERN__FACT__WHAT_CHECKPOINTED;
    f->checkpointed = core_new(out, 1, sizeof *f->checkpointed);
    tern__checkpointed__init(f->checkpointed);
    f->checkpointed->fence = fence_of(t, out);
    f->checkpointed->checkpoint = c;
    c->attempt = f->checkpointed->fence->attempt;
    c->time_ns = a->now_ns;
    packed_release(&t->run->pending);
    agent_fact(a, f);
    core_note(out, NOTE_TASK_CHECKPOINT, t->n, c->n, 0);
    o = node_order(a, t->node, TERN__ORDER_KIND__ORDER_COMMITTED, t, out);
    if (o)
        o->checkpoint = c->n;
}

/* It counts when as many depots hold it as are wanted and are there; till then they copy it. */
static void on_checkpoint(struct agent *a, struct task *t, const Tern__Checkpoint *reported,
                          struct core_out *out)
{
    const uint32_t wanted = copies_wanted(a, t->job);
    Tern__Checkpoint *c = message_copy(&reported->base, &out->arena);
    struct root *r;

    check(c);
    if (!checkpoint_good(t, c))
        return; /* said twice */
    if (c->n_depots >= wanted || !c->n_depots) {
        commit(a, t, c, out);
        return;
    }
    r = root_make(a, t->job->owner, c->root);
    for (size_t i = 0; i < c->n_depots; i++) {
        struct depot *d = depot_find(a, c->depots[i]);

        if (d && !root_at(r, d))
            root_found_at(a, out, r, d);
    }
    if (root_copy_for(a, out, r, t))
        packed_set(&t->run->pending, &c->base);
    else
        commit(a, t, c, out);
}

/* Whatever holds it now: better than going back further. */
static void settle(struct agent *a, struct task *t, struct core_out *out)
{
    if (t->run->pending.size)
        commit(a, t, packed_open(&t->run->pending, &tern__checkpoint__descriptor, out), out);
}

void checkpoint_copied(struct agent *a, struct core_out *out, struct root *r, bool failed)
{
    struct task *t = task_get(a, r->for_task);
    Tern__Checkpoint *c;

    if (!t || !t->run || !t->run->pending.size || !t->node)
        return;
    c = packed_open(&t->run->pending, &tern__checkpoint__descriptor, out);
    if (memcmp(c->root->sha256.data, r->sha256, sizeof r->sha256) != 0)
        return;
    c->depots = core_new(out, r->copy_count, sizeof(char *));
    c->n_depots = 0;
    for (const struct copy *copy = r->copies; copy; copy = copy->next)
        c->depots[c->n_depots++] = copy->depot->name;
    if (failed || c->n_depots >= copies_wanted(a, t->job) || !root_copy_for(a, out, r, t))
        commit(a, t, c, out);
}

/* ---------------------------------------------------------------- all reports */

static void on_moved(struct agent *a, struct task *t, struct core_out *out)
{
    settle(a, t, out);
    if (!move_arrive(a, out, t))
        task_gone(a, out, t, TERN__ATTEMPT_STATE__ATTEMPT_MOVED, "to go on elsewhere");
}

static void on_returned(struct agent *a, struct task *t, const Tern__Returned *returned,
                        struct core_out *out)
{
    if (!t->run->recalled)
        node_refuses(a, t->node, t, out);
    task_gone(a, out, t, TERN__ATTEMPT_STATE__ATTEMPT_RETURNED, returned->why);
}

static void take_current(struct agent *a, struct task *t, const Tern__Report *r,
                         struct core_out *out)
{
    switch ((int)r->what_case) {
    case TERN__REPORT__WHAT_BEGUN: on_begun(a, t, out); break;
    case TERN__REPORT__WHAT_CHECKPOINT: on_checkpoint(a, t, r->checkpoint, out); break;
    case TERN__REPORT__WHAT_END: on_end(a, t, r->end, out); break;
    case TERN__REPORT__WHAT_RETURNED: on_returned(a, t, r->returned, out); break;
    case TERN__REPORT__WHAT_MOVED: on_moved(a, t, out); break;
    default: break;
    }
}

static void take_one(struct agent *a, struct node_at *n, const Tern__Report *r,
                     struct core_out *out)
{
    struct task *t = r->fence ? task_get(a, r->fence->task) : NULL;

    if (!r->fence)
        return;
    if (t && r->what_case == TERN__REPORT__WHAT_PREPARED) {
        move_prepared(a, out, t, n, r->fence);
        return;
    }
    if (t && move_refused(a, out, t, n, r))
        return;
    if (task_is_at(t, r->fence) && t->node == n) {
        take_current(a, t, r, out);
        return;
    }
    core_note(out, NOTE_FENCED, r->fence->task, r->fence->attempt, 0);
    if (r->what_case == TERN__REPORT__WHAT_BEGUN || r->what_case == TERN__REPORT__WHAT_CHECKPOINT)
        node_order_fence(a, n, TERN__ORDER_KIND__ORDER_STOP, r->fence, out);
}

/* Begun, and its end right behind it: one fact is enough for what was that short. */
static bool ends_at_once(Tern__Report *const *r)
{
    const Tern__Fence *x = r[0]->fence, *y = r[1]->fence;

    return r[0]->what_case == TERN__REPORT__WHAT_BEGUN &&
           r[1]->what_case == TERN__REPORT__WHAT_END && x && y && x->task == y->task &&
           x->attempt == y->attempt && x->term == y->term;
}

void reports_take(struct agent *a, struct node_at *n, const Tern__Reports *reports,
                  struct core_out *out)
{
    Tern__Envelope *e;
    uint64_t highest = 0;

    for (size_t i = 0; i < reports->n_reports; i++) {
        if (i + 1 == reports->n_reports || !ends_at_once(reports->reports + i))
            take_one(a, n, reports->reports[i], out);
        if (reports->reports[i]->n > highest)
            highest = reports->reports[i]->n;
    }
    if (!highest)
        return;
    e = core_send(out, n->peer);
    e->body_case = TERN__ENVELOPE__BODY_STORED;
    e->stored = core_new(out, 1, sizeof *e->stored);
    tern__stored__init(e->stored);
    e->stored->n = highest;
}
