/* Dialling: from an endpoint's text to two ends, or to a reason why not. */
#include "sim/net_inner.h"

#include <stdio.h>
#include <string.h>

static bool is_local(const char *endpoint)
{
    return strncmp(endpoint, "unix:", 5) == 0;
}

static void fail(struct end *e, int64_t delay_ns, enum tern_err err, const char *what)
{
    char why[NET_WHY_BYTES];

    snprintf(why, sizeof why, "cannot connect to %s: %s", e->wire->endpoint, what);
    wire_break(e, delay_ns, err, why);
}

/* Whoever listens there now, and can be reached both ways. */
static void knock(void *end, uint64_t unused)
{
    struct end *e = end;
    struct wire *w = e->wire;
    struct sim_net *n = w->net;
    const struct listener *l = net_listener(n, e->host, w->endpoint);

    (void)unused;
    if (!e->part) {
        /* it has thought better of it */
    } else if (!l || (l->part && l->part->dead && !l->part->host->failed)) {
        fail(e, w->delay_ns, TERN_EUNREACHABLE, "connection refused");
    } else if (l->part->host->failed || !net_reaches(n, e->host, l->part->host) ||
               !net_reaches(n, l->part->host, e->host)) {
        fail(e, NET_DIAL_NS, TERN_ETIME, "no answer");
    } else if (!w->local && prng_chance(&n->delays, n->config.refused_dials)) {
        fail(e, prng_between(&n->delays, w->delay_ns, NET_DIAL_NS), TERN_EIO, "no route");
    } else {
        wire_attach(&w->end[1], l->part, e->part);
        wire_service(&w->end[1]);
        e->open_due = true;
        wire_open_in(e, w->delay_ns);
    }
    wire_release(w);
}

void dial_begin(struct end *e)
{
    struct wire *w = e->wire;

    w->local = is_local(w->endpoint);
    if (w->local)
        w->delay_ns = NET_LOCAL_NS;
    wire_event(e, w->net->sim->now_ns + w->delay_ns, knock);
}
