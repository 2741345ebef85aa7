#include "core/agent_inner.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

enum { SEEN_BYTES = 1 << 20, SEEN_TASKS = 512 }; /* of one message, about */

static struct watch *watch_of(const struct tree_link *link)
{
    return tree_of(link, struct watch, link);
}

static int compare_watches(const struct tree_link *a, const struct tree_link *b)
{
    const struct watch *x = watch_of(a), *y = watch_of(b);

    if (x->task != y->task)
        return order_u64(x->task, y->task);
    return x->job != y->job ? order_u64(x->job, y->job) : order_u64(x->n, y->n);
}

static int compare_catching(const struct tree_link *a, const struct tree_link *b)
{
    return order_u64(tree_of(a, struct watch, catch_up)->n, tree_of(b, struct watch, catch_up)->n);
}

void watches_init(struct agent *a)
{
    a->watches.compare = compare_watches;
    a->catching.compare = compare_catching;
}

static void watch_free(struct agent *a, struct watch *w)
{
    if (tree_in(&w->catch_up))
        tree_remove(&a->catching, &w->catch_up);
    tree_remove(&a->watches, &w->link);
    a->watch_count--;
    free(w);
}

bool watch_awaits(const struct agent *a, const struct task *t)
{
    const struct watch like = {.task = t->n};

    for (struct tree_link *l = tree_from(&a->watches, &like.link); l;
         l = tree_behind(&a->watches, l)) {
        if (watch_of(l)->task != t->n)
            return false;
        if (watch_of(l)->awaits)
            return true;
    }
    return false;
}

void watch_tell_awaited(struct agent *a, const struct task *t, struct core_out *out)
{
    Tern__Order *o =
        t->node ? node_order(a, t->node, TERN__ORDER_KIND__ORDER_AWAITED, t, out) : NULL;

    if (o)
        o->awaited = watch_awaits(a, t);
}

void watches_down(struct agent *a, struct peer *p, struct core_out *out)
{
    while (p->watches) {
        struct watch *next = p->watches->next;
        const struct task *t = p->watches->awaits ? task_get(a, p->watches->task) : NULL;

        watch_free(a, p->watches);
        p->watches = next;
        if (t && !watch_awaits(a, t))
            watch_tell_awaited(a, t, out);
    }
}

void watches_drop(struct agent *a, struct peer *p)
{
    while (p->watches) {
        struct watch *next = p->watches->next;

        watch_free(a, p->watches);
        p->watches = next;
    }
}

static void unwatch(struct agent *a, struct peer *p, uint64_t task, uint64_t job)
{
    for (struct watch **at = &p->watches; *at;) {
        struct watch *w = *at;

        if (w->task == task && w->job == job) {
            *at = w->next;
            watch_free(a, w);
        } else {
            at = &w->next;
        }
    }
}

static void watch_add(struct agent *a, struct peer *p, const Tern__Watch *asked,
                      const struct task *t, const struct job *j)
{
    struct watch *w = agent_alloc(1, sizeof *w);

    w->n = ++a->watch_next;
    w->task = t ? t->n : 0;
    w->job = t ? 0 : j->n;
    w->peer = p;
    w->ends_only = asked->ends_only;
    w->awaits = t && asked->awaits;
    w->from_index = asked->from_index;
    w->told = t ? t->n : 0;
    w->next = p->watches;
    p->watches = w;
    a->watch_count++;
    tree_add(&a->watches, &w->link);
    tree_add(&a->catching, &w->catch_up);
}

void watch_take(struct agent *a, struct peer *p, const Tern__Envelope *e, struct core_out *out)
{
    const Tern__Watch *asked = e->watch;
    bool awaited;
    struct task *t;
    struct job *j;

    if (!clients_which(a, p, e->number, asked->which, &t, &j, out))
        return;
    awaited = t && watch_awaits(a, t);
    unwatch(a, p, t ? t->n : 0, t ? 0 : j->n); /* the newest one counts */
    clients_done(out, p, e->number, t ? 1 : j->tasks);
    if (asked->stop) {
        /* it is over */
    } else if (a->watch_count >= a->config.watches_max) {
        core_refuse(out, p->n, e->number, TERN_EBUSY, "the agent has as many watches as it takes");
    } else {
        watch_add(a, p, asked, t, j);
    }
    if (t && awaited != watch_awaits(a, t))
        watch_tell_awaited(a, t, out);
}

/* ---------------------------------------------------------------- telling */

static void send_seen(struct peer *p, struct core_out *out)
{
    Tern__Envelope *e = core_send(out, p->n);

    e->body_case = TERN__ENVELOPE__BODY_SEEN;
    e->seen = p->seen;
}

static void begin_seen(struct peer *p, struct core_out *out)
{
    p->seen = core_new(out, 1, sizeof *p->seen);
    tern__seen__init(p->seen);
    p->seen->tasks = core_new(out, SEEN_TASKS, sizeof *p->seen->tasks);
    p->seen_bytes = 0;
}

static void tell(struct agent *a, const struct watch *w, const struct task *t, struct core_out *out)
{
    struct peer *p = w->peer;
    const bool results = t->index >= w->from_index;
    Tern__TaskSeen *seen;

    if (w->ends_only && !task_ended(t))
        return;
    if (!p->seen) {
        begin_seen(p, out);
        p->seen_next = a->seeing;
        a->seeing = p;
    } else if (p->seen->n_tasks == SEEN_TASKS || p->seen_bytes > SEEN_BYTES) {
        send_seen(p, out);
        begin_seen(p, out);
    }
    seen = seen_of(a, t, results, out);
    p->seen->tasks[p->seen->n_tasks++] = seen;
    p->seen_bytes += tern__task_seen__get_packed_size(seen) + 8;
}

static void tell_watchers(struct agent *a, uint64_t task, uint64_t job, const struct task *t,
                          struct core_out *out)
{
    const struct watch like = {.task = task, .job = job};

    for (struct tree_link *l = tree_from(&a->watches, &like.link); l;
         l = tree_behind(&a->watches, l)) {
        const struct watch *w = watch_of(l);

        if (w->task != task || w->job != job)
            break;
        if (!tree_in(&w->catch_up) || t->n < w->told) /* else it comes to it anyway */
            tell(a, w, t, out);
    }
}

static void catch_up(struct agent *a, struct watch *w, size_t *left, struct core_out *out)
{
    const struct job *j = w->job ? job_get(a, w->job) : NULL;
    uint64_t n = w->told;

    while (*left && (n = j ? job_next_task(a, j, n) : w->told ? w->task : 0)) {
        const struct task *t = task_get(a, n);

        if (t)
            tell(a, w, t, out);
        w->told = j ? ++n : 0;
        --*left;
    }
    if (!n || (!j && !w->told))
        tree_remove(&a->catching, &w->catch_up);
}

static int order_numbers(const void *a, const void *b)
{
    return order_u64(*(const uint64_t *)a, *(const uint64_t *)b);
}

void watches_tell(struct agent *a, struct core_out *out)
{
    size_t left = AGENT_PORTION;
    uint64_t before = 0;
    struct watch *w;

    if (a->watch_count)
        qsort(a->changed, a->changed_count, sizeof *a->changed, order_numbers);
    for (size_t i = 0; i < a->changed_count && a->watch_count; i++) {
        const struct task *t = task_get(a, a->changed[i]);

        if (!t || t->n == before)
            continue;
        before = t->n;
        tell_watchers(a, t->n, 0, t, out);
        tell_watchers(a, 0, t->job->n, t, out);
    }
    a->changed_count = 0;
    while (left && (w = tree_of(tree_first(&a->catching), struct watch, catch_up)))
        catch_up(a, w, &left, out);
    if (a->catching.count)
        a->again = true;
}

void watches_flush(struct agent *a, struct core_out *out)
{
    while (a->seeing) {
        struct peer *p = a->seeing;

        a->seeing = p->seen_next;
        if (p->seen->n_tasks)
            send_seen(p, out);
        p->seen = NULL;
    }
}
