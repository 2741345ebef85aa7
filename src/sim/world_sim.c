#include "sim/net_inner.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct sim_net_config sim_net_default = {
    .delay_least_ns = 50000,
    .delay_most_ns = 2000000,
    .jitter_ns = 200000,
    .bytes_per_s = 125000000,
    .split_reads = 50000,
};

enum { HOST_NAME_BYTES = 64 };

/* ---- The net ---- */

struct sim_net *sim_net_new(struct sim *sim, const struct sim_net_config *config)
{
    struct sim_net *n = sim_new(1, sizeof *n);

    n->sim = sim;
    n->config = *config;
    prng_seed(&n->delays, sim->seed, "net delays");
    prng_seed(&n->frames, sim->seed, "net frames");
    prng_seed(&n->reads, sim->seed, "net reads");
    return n;
}

static void part_free(struct sim_part *p)
{
    free(p->by_id);
    free(p->name);
    free(p->owner);
    free(p);
}

static void host_free(struct sim_host *h)
{
    for (struct sim_part *p = h->parts, *older; p; p = older) {
        older = p->older;
        part_free(p);
    }
    free(h->name);
    free(h);
}

void sim_net_free(struct sim_net *n)
{
    if (!n)
        return;
    while (n->wire_count)
        wire_free(n->wires[n->wire_count - 1]);
    for (size_t i = 0; i < n->host_count; i++)
        host_free(n->hosts[i]);
    for (size_t i = 0; i < n->listener_count; i++)
        free(n->listeners[i].endpoint);
    free(n->hosts);
    free(n->wires);
    free(n->listeners);
    free(n->cuts);
    free(n);
}

void sim_net_set(struct sim_net *n, const struct sim_net_config *config)
{
    n->config = *config;
}

struct sim_net_count sim_net_count(const struct sim_net *n)
{
    struct sim_net_count count = n->count;

    count.open = n->wire_count;
    return count;
}

/* ---- Machines and processes ---- */

static char *copy_text(const char *text)
{
    const size_t size = strlen(text) + 1;

    return memcpy(sim_new(size, 1), text, size);
}

struct sim_host *sim_host_new(struct sim_net *n, const char *name, int32_t drift)
{
    struct sim_host *h = sim_new(1, sizeof *h);

    if (n->host_count == n->host_capacity)
        n->hosts = sim_more(n->hosts, &n->host_capacity, sizeof(struct sim_host *));
    n->hosts[n->host_count++] = h;
    h->net = n;
    h->name = copy_text(name);
    h->drift = drift;
    h->since_ns = n->sim->now_ns;
    h->clock_ns = prng_between(&n->delays, 1000000000, INT64_C(1000000000000));
    h->wall_ns = INT64_C(1760000000000000000) - h->clock_ns;
    return h;
}

const char *sim_host_name(const struct sim_host *h)
{
    return h->name;
}

struct sim_part *sim_part_new(struct sim_host *h, const char *name, const char *owner)
{
    struct sim_part *p = sim_new(1, sizeof *p);
    char both[2 * HOST_NAME_BYTES];
    char stream[2 * HOST_NAME_BYTES + 32];

    snprintf(both, sizeof both, "%s/%s", h->name, name);
    snprintf(stream, sizeof stream, "%s %lld", both, (long long)h->net->sim->now_ns);
    *p = (struct sim_part){.host = h,
                           .older = h->parts,
                           .name = copy_text(both),
                           .owner = copy_text(owner),
                           .wake_ns = INT64_MAX,
                           .alarm_ns = INT64_MAX};
    prng_seed(&p->dice, h->net->sim->seed, stream);
    h->parts = p;
    sim_tell(h->net->sim, TRACE_STARTED, p->name, 0, 0, NULL);
    return p;
}

void sim_part_handle(struct sim_part *p, const struct handlers *handlers)
{
    p->handlers = *handlers;
}

const char *sim_part_name(const struct sim_part *p)
{
    return p->name;
}

bool sim_part_dead(const struct sim_part *p)
{
    return p->dead;
}

void sim_part_listen(struct sim_part *p, const char *endpoint)
{
    struct sim_net *n = p->host->net;

    if (n->listener_count == n->listener_capacity)
        n->listeners = sim_more(n->listeners, &n->listener_capacity, sizeof *n->listeners);
    n->listeners[n->listener_count++] =
        (struct listener){.endpoint = copy_text(endpoint), .part = p};
}

/* The newest one there: the ones before it are dead. */
const struct listener *net_listener(const struct sim_net *n, const struct sim_host *from,
                                    const char *endpoint)
{
    for (size_t i = n->listener_count; i > 0; i--) {
        const struct listener *l = &n->listeners[i - 1];

        if (strcmp(l->endpoint, endpoint) == 0 &&
            (strncmp(endpoint, "unix:", 5) != 0 || l->part->host == from))
            return l;
    }
    return NULL;
}

void part_add_end(struct sim_part *p, struct end *e)
{
    if (p->id_count == p->id_capacity)
        p->by_id = sim_more(p->by_id, &p->id_capacity, sizeof(struct end *));
    p->by_id[p->id_count++] = e;
    e->id = (link_id)p->id_count;
    e->before = NULL;
    e->behind = p->ends;
    if (p->ends)
        p->ends->before = e;
    p->ends = e;
}

void part_remove_end(struct end *e)
{
    struct sim_part *p = e->part;

    p->by_id[e->id - 1] = NULL;
    if (e->before)
        e->before->behind = e->behind;
    else
        p->ends = e->behind;
    if (e->behind)
        e->behind->before = e->before;
    e->before = e->behind = NULL;
}

/* ---- Clocks ---- */

static int64_t clock_at(const struct sim_host *h, int64_t true_ns)
{
    const int64_t passed = true_ns - h->since_ns;

    return h->clock_ns + passed + passed / 1000000 * h->drift +
           passed % 1000000 * h->drift / 1000000;
}

/* The first instant at which the clock shows at least that. */
static int64_t true_at(const struct sim_host *h, int64_t clock_ns)
{
    const int64_t ahead = clock_ns - h->clock_ns;
    int64_t at = h->since_ns + ahead - ahead / (1000000 + h->drift) * h->drift;

    for (int64_t step = INT64_C(1) << 20; step > 0; step >>= 1) {
        while (clock_at(h, at) < clock_ns)
            at += step;
        while (clock_at(h, at - step) >= clock_ns)
            at -= step;
    }
    return at;
}

/* ---- What a part calls ---- */

static int64_t call_now(void *self)
{
    const struct sim_part *p = self;

    return clock_at(p->host, p->host->net->sim->now_ns);
}

static int64_t call_wall(void *self)
{
    const struct sim_part *p = self;

    return p->host->wall_ns + call_now(self);
}

static void call_random(void *self, void *to, size_t size)
{
    struct sim_part *p = self;

    prng_fill(&p->dice, to, size);
}

static void alarm_rings(void *part, uint64_t at_ns);

static void set_alarm(struct sim_part *p)
{
    if (p->wake_ns >= p->alarm_ns)
        return; /* one is on its way, and looks again */
    p->alarm_ns = p->wake_ns;
    sim_at(p->host->net->sim, p->alarm_ns, alarm_rings, p, (uint64_t)p->alarm_ns);
}

static void alarm_rings(void *part, uint64_t at_ns)
{
    struct sim_part *p = part;

    if (p->dead || (int64_t)at_ns != p->alarm_ns)
        return; /* an earlier one was asked for since */
    p->alarm_ns = INT64_MAX;
    if (p->wake_ns > (int64_t)at_ns) {
        set_alarm(p);
        return;
    }
    p->woke_due = p->paused;
    if (p->paused)
        return;
    p->wake_ns = INT64_MAX;
    sim_tell(p->host->net->sim, TRACE_WOKE, p->name, 0, 0, NULL);
    p->handlers.woke(p->handlers.context);
}

void part_wake_now(struct sim_part *p)
{
    p->woke_due = false;
    p->wake_ns = p->host->net->sim->now_ns;
    set_alarm(p);
}

static void call_wake(void *self, int64_t at_ns)
{
    struct sim_part *p = self;
    int64_t at;

    if (p->dead)
        return;
    at = at_ns == INT64_MAX ? INT64_MAX : true_at(p->host, at_ns);
    if (at < p->host->net->sim->now_ns)
        at = p->host->net->sim->now_ns;
    p->wake_ns = at;
    p->woke_due = false;
    if (at < INT64_MAX)
        set_alarm(p);
}

static link_id call_dial(void *self, const char *endpoint)
{
    struct sim_part *p = self;
    struct wire *w;

    if (p->dead)
        return 0;
    w = wire_new(p->host->net, false);
    w->endpoint = copy_text(endpoint);
    wire_attach(&w->end[0], p, NULL);
    sim_tell(p->host->net->sim, TRACE_DIAL, p->name, w->end[0].id, 0, endpoint);
    dial_begin(&w->end[0]);
    return w->end[0].id;
}

static struct end *find(struct sim_part *p, link_id link)
{
    return link > 0 && link <= p->id_count ? p->by_id[link - 1] : NULL;
}

static void call_send(void *self, link_id link, const struct view *parts, size_t count)
{
    struct sim_part *p = self;
    struct end *e = find(p, link);
    size_t size = 0;

    if (!e)
        return;
    for (size_t i = 0; i < count; i++)
        size += parts[i].size;
    sim_tell(p->host->net->sim, TRACE_SENT, p->name, link, size,
             frames_name(count ? parts[0] : (struct view){0}));
    wire_send(e, parts, count);
}

static size_t call_unsent(void *self, link_id link)
{
    const struct end *e = find(self, link);

    return e ? e->out.unsent_bytes : 0;
}

static void call_hold(void *self, link_id link, bool held)
{
    struct end *e = find(self, link);

    if (!e || e->held == held)
        return;
    e->held = held;
    if (!held)
        wire_open_in(e, 0);
}

static void call_close(void *self, link_id link)
{
    struct sim_part *p = self;
    struct end *e = find(p, link);

    if (!e)
        return;
    sim_tell(p->host->net->sim, TRACE_CLOSES, p->name, link, 0, NULL);
    wire_close(e, true);
}

static const struct world_calls calls = {
    .now = call_now,
    .wall = call_wall,
    .random = call_random,
    .wake = call_wake,
    .dial = call_dial,
    .send = call_send,
    .unsent = call_unsent,
    .hold = call_hold,
    .close = call_close,
};

struct world sim_part_world(struct sim_part *p)
{
    return (struct world){.calls = &calls, .self = p};
}
