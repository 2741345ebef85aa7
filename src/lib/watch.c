#include "lib/lib.h"

#include <stdlib.h>
#include <string.h>

struct item { /* something to be told */
    struct item *next;
    struct tern_result *result; /* NULL: what follows */
    struct problem problem;
};

struct part { /* a task or job that was added */
    struct part *next;
    struct tern_watch *watch;
    struct tern_which which;
    struct client_watch *client; /* NULL: over */
    struct bytes ended;          /* a bit for each index of a job */
    uint64_t all_before;         /* indices below have ended */
};

struct tern_watch {
    struct tern_watch *next;
    struct tern *pool;
    bool changes;
    struct part *parts;
    struct item *first, **last;
};

/* ---- what has been told already ---- */

static bool bit(const struct bytes *b, uint64_t i)
{
    return i / 8 < b->size && b->data[i / 8] >> (i % 8) & 1;
}

/* False: no memory, or an index that cannot be. */
static bool set_bit(struct bytes *b, uint64_t i)
{
    const size_t least = (size_t)(i / 8) + 1;

    if (i >> 32)
        return false;
    if (least > b->size) {
        const size_t more = least - b->size;

        if (!bytes_reserve(b, more + b->size))
            return false;
        memset(b->data + b->size, 0, more);
        b->size = least;
    }
    b->data[i / 8] |= (uint8_t)(1u << (i % 8));
    return true;
}

/* True the first time. */
static bool note_end(struct part *p, const Tern__TaskSeen *seen)
{
    if (bit(&p->ended, seen->index))
        return false;
    if (!set_bit(&p->ended, seen->index))
        return true; /* rather twice than never */
    while (bit(&p->ended, p->all_before))
        p->all_before++;
    client_watch_from(p->client, p->all_before);
    return true;
}

/* ---- what is told ---- */

static struct item *add_item(struct tern_watch *w)
{
    struct item *i = calloc(1, sizeof *i);

    if (i) {
        *w->last = i;
        w->last = &i->next;
    }
    return i;
}

/* Of changes before the end only the newest counts. */
static struct item *item_of(struct tern_watch *w, uint64_t task)
{
    for (struct item *i = w->changes ? w->first : NULL; i; i = i->next)
        if (i->result && i->result->task.n == task && i->result->state < TERN_DONE)
            return i;
    return add_item(w);
}

static void tell(struct part *p, const Tern__TaskSeen *seen)
{
    struct tern_result *r = result_new(seen);
    struct item *i = r ? item_of(p->watch, seen->task) : NULL;

    if (!i) {
        tern_result_free(r);
        return;
    }
    tern_result_free(i->result);
    i->result = r;
}

static void on_seen(void *context, const Tern__TaskSeen *seen)
{
    struct part *p = context;
    const bool over = seen->state >= TERN__TASK_STATE__TASK_DONE;

    if (!p->client || (over && !note_end(p, seen)))
        return;
    if (over || p->watch->changes)
        tell(p, seen);
    if (over && p->which.task.n) {
        client_unwatch(p->client);
        p->client = NULL;
    }
}

static void on_refused(void *context, enum tern_err err, const char *why)
{
    struct part *p = context;
    struct item *i = add_item(p->watch);

    if (i)
        problem_set(&i->problem, err, "%s", why);
    client_unwatch(p->client);
    p->client = NULL;
}

/* ---- */

static struct tern_watch *watch_new(struct tern *t, bool changes, struct tern_watch **list)
{
    struct tern_watch *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    w->pool = t;
    w->changes = changes;
    w->last = &w->first;
    w->next = *list;
    *list = w;
    return w;
}

struct tern_watch *tern_watch_new(struct tern *t, bool changes)
{
    return watch_new(t, changes, &t->watches);
}

enum tern_err tern_watch_add(struct tern_watch *w, struct tern_which which)
{
    struct part *p = calloc(1, sizeof *p);
    struct client_watch_order order = {.which = lib_which(which),
                                       .ends_only = !w->changes,
                                       .context = p,
                                       .seen = on_seen,
                                       .refused = on_refused};

    if (p && w->pool->client)
        p->client = client_watch(w->pool->client, &order);
    if (!p || !p->client) {
        free(p);
        return w->pool->client ? lib_fail(w->pool, TERN_ENOMEM, "out of memory") : w->pool->why.err;
    }
    p->watch = w;
    p->which = which;
    p->next = w->parts;
    w->parts = p;
    w->pool->unpolled = true;
    return TERN_OK;
}

static bool has_item(void *context)
{
    return ((const struct tern_watch *)context)->first;
}

enum tern_err tern_watch_next(struct tern_watch *w, int timeout_ms, struct tern_result **out)
{
    enum tern_err err = lib_wait(w->pool, has_item, w, timeout_ms);
    struct item *i = w->first;

    if (err)
        return err;
    w->first = i->next;
    if (!w->first)
        w->last = &w->first;
    if (i->result)
        *out = i->result;
    else
        err = lib_fail(w->pool, i->problem.err, "%s", i->problem.text);
    free(i);
    return err;
}

static void release(struct tern_watch *w)
{
    while (w->parts) {
        struct part *p = w->parts;

        w->parts = p->next;
        client_unwatch(p->client);
        bytes_release(&p->ended);
        free(p);
    }
    while (w->first) {
        struct item *i = w->first;

        w->first = i->next;
        tern_result_free(i->result);
        free(i);
    }
    free(w);
}

static void remove_from(struct tern_watch **list, struct tern_watch *w)
{
    while (*list && *list != w)
        list = &(*list)->next;
    if (*list)
        *list = w->next;
}

void tern_watch_free(struct tern_watch *w)
{
    if (!w)
        return;
    w->pool->unpolled = true;
    remove_from(&w->pool->watches, w);
    remove_from(&w->pool->waits, w);
    release(w);
}

void watches_free(struct tern *t)
{
    while (t->watches)
        tern_watch_free(t->watches);
    while (t->waits)
        tern_watch_free(t->waits);
}

/* ---- one task ---- */

static struct tern_watch *wait_of(struct tern *t, struct tern_task task)
{
    struct tern_watch *w = t->waits;

    while (w && (!w->parts || w->parts->which.task.n != task.n))
        w = w->next;
    if (w)
        return w;
    w = watch_new(t, false, &t->waits);
    if (w && tern_watch_add(w, (struct tern_which){.task = task})) {
        tern_watch_free(w);
        w = NULL;
    }
    return w;
}

enum tern_err tern_wait(struct tern *t, struct tern_task task, int timeout_ms,
                        struct tern_result **out)
{
    struct tern_watch *w;
    enum tern_err err;

    if (!t->client)
        return t->why.err;
    w = wait_of(t, task);
    if (!w)
        return lib_fail(t, TERN_ENOMEM, "out of memory");
    err = tern_watch_next(w, timeout_ms, out);
    if (err != TERN_EAGAIN) /* one that is asked for again goes on */
        tern_watch_free(w);
    return err;
}
