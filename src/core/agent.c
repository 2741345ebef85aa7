#include "core/agent_inner.h"

#include "base/check.h"
#include "base/little.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)

enum { FORGOTTEN_MOST = 16384 }; /* of one fact */

const struct agent_config agent_default = {
    .beat_ns = 500000000,
    .lease_ns = 2 * SECOND_NS,
    .drift_ns = 200000000,
    .grace_ns = 20000000,
    .session_ns = 3600 * SECOND_NS,
    .keep_ns = 24 * 3600 * SECOND_NS,
    .hold_ns = 3600 * SECOND_NS,
    .depot_lost_ns = 60 * SECOND_NS,
    .copies = 2,
    .broken_max = 3,
    .tasks_max = 4000000,
    .ended_max = 1000000,
    .nodes_max = 20000,
    .depots_max = 1000,
    .sessions_max = 100000,
    .watches_max = 1000000,
};

static struct peer *peer_of(const struct tree_link *link)
{
    return tree_of(link, struct peer, link);
}

static int compare_peers(const struct tree_link *a, const struct tree_link *b)
{
    return order_u64(peer_of(a)->n, peer_of(b)->n);
}

struct agent *agent_new(const struct agent_config *config)
{
    struct agent *a = calloc(1, sizeof *a);

    if (!a)
        return NULL;
    a->config = *config;
    a->task_next = a->job_next = a->session_next = 1;
    a->stalled_due_ns = INT64_MAX;
    a->peers.compare = compare_peers;
    tasks_init(a);
    classes_init(a);
    roots_init(a);
    depots_init(a);
    nodes_init(a);
    refusals_init(a);
    clients_init(a);
    watches_init(a);
    return a;
}

static void peer_free(struct agent *a, struct peer *p)
{
    watches_drop(a, p);
    tree_remove(&a->peers, &p->link);
    free(p->name);
    free(p);
}

void agent_free(struct agent *a)
{
    struct tree_link *l;

    if (!a)
        return;
    while ((l = tree_first(&a->peers)))
        peer_free(a, peer_of(l));
    tasks_release(a);
    clients_release(a); /* names, too */
    roots_release(a);
    nodes_release(a);
    depots_release(a);
    classes_release(a);
    owners_release(a);
    free(a);
}

struct peer *agent_peer(const struct agent *a, uint32_t n)
{
    const struct peer like = {.n = n};

    return peer_of(tree_find(&a->peers, &like.link));
}

/* ---------------------------------------------------------------- a new term */

void agent_start(struct agent *a, int64_t now_ns, const uint8_t pool[16], struct core_out *out)
{
    Tern__Fact *f;

    check(!a->started);
    if (now_ns > a->now_ns)
        a->now_ns = now_ns;
    f = core_store(out, a->now_ns);
    f->what_case = TERN__FACT__WHAT_STARTED;
    f->started = core_new(out, 1, sizeof *f->started);
    tern__started__init(f->started);
    f->started->term = a->term + 1;
    f->started->pool.len = 16;
    f->started->pool.data = core_new(out, 16, 1);
    memcpy(f->started->pool.data, a->term ? a->pool : pool, 16);
    f->started->sessions_from = a->session_next; /* each session is a fact */
    f->started->attempts_from = 1;               /* each task counts its own */
    agent_fact(a, f);
    a->started = true;
    nodes_started(a);
    depots_started(a);
    clients_started(a);
    core_wake(out, a->now_ns);
}

/* ---------------------------------------------------------------- peers */

static void say_hello(struct agent *a, const struct peer *p, struct core_out *out)
{
    Tern__Envelope *e = core_send(out, p->n);
    Tern__Hello *hello = core_new(out, 1, sizeof *hello);

    tern__hello__init(hello);
    hello->version_least = hello->version_most = 1;
    hello->part = TERN__PART__PART_AGENT;
    hello->pool.len = 16;
    hello->pool.data = core_new(out, 16, 1);
    memcpy(hello->pool.data, a->pool, 16);
    hello->session = p->session ? p->session->n : 0;
    hello->session_ns = a->config.session_ns;
    hello->term = a->term;
    hello->owner = p->owner->name;
    hello->now_ns = a->now_ns;
    e->body_case = TERN__ENVELOPE__BODY_HELLO;
    e->hello = hello;
}

static uint64_t instance_of(const Tern__Hello *hello)
{
    return hello->instance.len == 8 ? little_get(hello->instance.data, 8) : 0;
}

/* False: it was refused. */
static bool part_up(struct agent *a, struct peer *p, const Tern__Hello *hello, struct core_out *out)
{
    switch ((int)p->part) {
    case TERN__PART__PART_CLIENT: return clients_up(a, p, hello, out);
    case TERN__PART__PART_NODE: return nodes_up(a, p, out);
    case TERN__PART__PART_DEPOT: return depots_up(a, p, out);
    default: core_close(out, p->n); return false;
    }
}

static void on_up(struct agent *a, const struct core_event *ev, struct core_out *out)
{
    const Tern__Hello *hello = ev->message->hello;
    struct peer *p = agent_alloc(1, sizeof *p);

    check(!agent_peer(a, ev->peer));
    p->n = ev->peer;
    p->part = hello->part;
    p->name = agent_text(hello->name);
    p->instance = instance_of(hello);
    p->owner = agent_owner(a, ev->owner && *ev->owner ? ev->owner : "nobody");
    tree_add(&a->peers, &p->link);
    if (part_up(a, p, hello, out))
        say_hello(a, p, out);
}

static void on_message(struct agent *a, const struct core_event *ev, struct core_out *out)
{
    struct peer *p = agent_peer(a, ev->peer);

    if (!p)
        return;
    switch ((int)p->part) {
    case TERN__PART__PART_CLIENT: clients_message(a, p, ev->message, out); break;
    case TERN__PART__PART_NODE: nodes_message(a, p, ev->message, out); break;
    case TERN__PART__PART_DEPOT: depots_message(a, p, ev->message, out); break;
    default: break;
    }
}

static void on_down(struct agent *a, const struct core_event *ev, struct core_out *out)
{
    struct peer *p = agent_peer(a, ev->peer);

    if (!p)
        return;
    nodes_down(a, p, out);
    depots_down(a, p, out);
    clients_down(a, p, out);
    watches_down(a, p, out);
    peer_free(a, p);
}

/* ---------------------------------------------------------------- what goes on by itself */

/* Tasks whose inputs will never be there. */
static void end_doomed(struct agent *a, struct core_out *out)
{
    struct task *t;

    for (size_t i = 0; i < AGENT_PORTION; i++) {
        t = tree_of(tree_first(&a->doomed), struct task, link);
        if (!t)
            return;
        task_end_text(a, out, t, TERN__TASK_STATE__TASK_FAILED, TERN__END_KIND__END_REFUSED,
                      promises_doom_text(a, t, out));
    }
    a->again = true;
}

/* Ended tasks are known for a while, and not more than so many. */
static void forget_ended(struct agent *a, struct core_out *out)
{
    const uint64_t limit = a->config.ended_max;
    struct tree_link *l = tree_first(&a->ended);
    size_t count = 0;
    uint64_t *gone;

    if (!l)
        return;
    if (a->ended.count <= limit && tree_of(l, struct task, link)->run->forget_ns > a->now_ns) {
        core_wake(out, tree_of(l, struct task, link)->run->forget_ns);
        return;
    }
    gone = core_new(out, AGENT_PORTION, sizeof *gone);
    for (; l && count < AGENT_PORTION; l = tree_behind(&a->ended, l)) {
        const struct task *t = tree_of(l, struct task, link);

        if (a->ended.count <= limit + count && t->run->forget_ns > a->now_ns)
            break;
        gone[count++] = t->n;
    }
    tasks_forgotten(a, out, gone, count);
    a->again |= count == AGENT_PORTION;
}

static int order_numbers(const void *a, const void *b)
{
    return order_u64(*(const uint64_t *)a, *(const uint64_t *)b);
}

void tasks_forgotten(struct agent *a, struct core_out *out, uint64_t *tasks, size_t count)
{
    qsort(tasks, count, sizeof *tasks, order_numbers);
    for (size_t i = 0; i < count; i += FORGOTTEN_MOST) {
        Tern__Fact *f = core_store(out, a->now_ns);

        f->what_case = TERN__FACT__WHAT_FORGOTTEN;
        f->forgotten = core_new(out, 1, sizeof *f->forgotten);
        tern__forgotten__init(f->forgotten);
        f->forgotten->task = tasks + i;
        f->forgotten->n_task = count - i < FORGOTTEN_MOST ? count - i : FORGOTTEN_MOST;
        agent_fact(a, f);
    }
}

static void go_on(struct agent *a, struct core_out *out)
{
    nodes_due(a, out);
    refusals_due(a, out);
    depots_due(a, out);
    clients_due(a, out);
    if (promises_portion(a, AGENT_PORTION))
        a->again = true;
    end_doomed(a, out);
    jobs_cancel_portion(a, out);
    jobs_expire_portion(a, out);
    place_all(a, out);
    forget_ended(a, out);
    roots_sweep(a, out);
    roots_hold(a, out);
}

void agent_step(struct agent *a, const struct core_event *ev, struct core_out *out)
{
    check(a->started);
    if (ev->now_ns > a->now_ns) /* a snapshot may hold times a little ahead of it */
        a->now_ns = ev->now_ns;
    a->again = false;
    jobs_bury(a);
    switch (ev->kind) {
    case CORE_TICK: break;
    case CORE_UP: on_up(a, ev, out); break;
    case CORE_MESSAGE: on_message(a, ev, out); break;
    case CORE_DOWN: on_down(a, ev, out); break;
    case CORE_ABSENT: break;               /* of others */
    case CORE_LEAVE: core_end(out); break; /* what matters is on the journal as ever */
    }
    go_on(a, out);
    orders_flush(a, out);
    watches_tell(a, out);
    watches_flush(a, out);
    if (a->again)
        core_wake(out, a->now_ns);
}

struct agent_count agent_count(const struct agent *a)
{
    struct agent_count count = a->count;

    count.task_bytes += a->tasks.bytes;
    return count;
}
