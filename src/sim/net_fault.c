/* What is done to parts, machines and connections from outside. */
#include "sim/net_inner.h"

#include "base/check.h"

#include <string.h>

void sim_part_join(struct sim_part *a, struct sim_part *b, link_id *at_a, link_id *at_b)
{
    struct wire *w;

    check(a->host == b->host);
    w = wire_new(a->host->net, true);
    wire_attach(&w->end[0], a, b);
    wire_attach(&w->end[1], b, a);
    wire_open_in(&w->end[0], 0);
    wire_open_in(&w->end[1], 0);
    *at_a = w->end[0].id;
    *at_b = w->end[1].id;
}

static void end_part(struct sim_part *p, enum trace_kind how, bool rest_is_sent)
{
    if (p->dead)
        return;
    sim_tell(p->host->net->sim, how, p->name, 0, 0, NULL);
    while (p->ends)
        wire_close(p->ends, rest_is_sent);
    p->dead = true;
}

void sim_part_kill(struct sim_part *p)
{
    end_part(p, TRACE_KILLED, false);
}

void sim_part_exit(struct sim_part *p)
{
    end_part(p, TRACE_ENDED, true);
}

void sim_part_pause(struct sim_part *p, bool paused)
{
    if (p->dead || p->paused == paused)
        return;
    p->paused = paused;
    sim_tell(p->host->net->sim, paused ? TRACE_PAUSED : TRACE_RESUMED, p->name, 0, 0, NULL);
    if (paused)
        return;
    for (struct end *e = p->ends; e; e = e->behind)
        wire_open_in(e, 0);
    if (p->woke_due)
        part_wake_now(p);
}

void sim_host_fail(struct sim_host *h)
{
    h->failed = true;
    sim_tell(h->net->sim, TRACE_FAULT, h->name, 0, 0, "the power goes");
    for (struct sim_part *p = h->parts; p; p = p->older) {
        if (p->dead)
            continue;
        sim_tell(h->net->sim, TRACE_KILLED, p->name, 0, 0, NULL);
        while (p->ends)
            wire_vanish(p->ends);
        p->dead = true;
    }
}

void sim_host_back(struct sim_host *h)
{
    h->failed = false;
    sim_tell(h->net->sim, TRACE_FAULT, h->name, 0, 0, "the power is back");
}

/* ---- Cuts ---- */

bool net_reaches(const struct sim_net *n, const struct sim_host *from, const struct sim_host *to)
{
    if (from == to)
        return true;
    for (size_t i = 0; i < n->cut_count; i++)
        if ((!n->cuts[i].from || n->cuts[i].from == from) &&
            (!n->cuts[i].to || n->cuts[i].to == to))
            return false;
    return true;
}

void sim_net_cut(struct sim_net *n, struct sim_host *from, struct sim_host *to)
{
    if (n->cut_count == n->cut_capacity)
        n->cuts = sim_more(n->cuts, &n->cut_capacity, sizeof *n->cuts);
    n->cuts[n->cut_count++] = (struct cut){.from = from, .to = to};
    sim_tell(n->sim, TRACE_FAULT, to ? to->name : "all", 0, 0, "hears nothing from");
    sim_tell(n->sim, TRACE_FAULT, from ? from->name : "all", 0, 0, "is not heard");
}

static void unstall_all(struct sim_net *n)
{
    for (size_t i = 0; i < n->wire_count; i++)
        if (!n->wires[i]->local)
            wire_unstall(n->wires[i]);
}

void sim_net_mend(struct sim_net *n, struct sim_host *from, struct sim_host *to)
{
    size_t kept = 0;

    for (size_t i = 0; i < n->cut_count; i++)
        if (n->cuts[i].from != from || n->cuts[i].to != to)
            n->cuts[kept++] = n->cuts[i];
    if (kept < n->cut_count)
        sim_tell(n->sim, TRACE_FAULT, to ? to->name : "all", 0, 0, "hears again");
    n->cut_count = kept;
    unstall_all(n);
}

void sim_net_mend_all(struct sim_net *n)
{
    n->cut_count = 0;
    unstall_all(n);
}

/* ---- Broken connections ---- */

static struct wire *draw_open(struct sim_net *n, struct prng *dice)
{
    const size_t from = n->wire_count ? (size_t)prng_below(dice, n->wire_count) : 0;

    for (size_t i = 0; i < n->wire_count; i++) {
        struct wire *w = n->wires[(from + i) % n->wire_count];

        if (!w->local && w->end[0].part && w->end[1].part && w->end[0].open && w->end[1].open &&
            !w->end[0].out.lost)
            return w;
    }
    return NULL;
}

bool sim_net_break(struct sim_net *n, struct prng *dice, enum sim_break how)
{
    static const char why[] = "the connection broke";
    struct wire *w = draw_open(n, dice);
    const size_t first = (size_t)prng_below(dice, 2);

    if (!w)
        return false;
    sim_tell(n->sim, TRACE_FAULT, w->end[0].part->name, w->end[0].id, how, "a connection breaks");
    wire_lose(w);
    if (how != SIM_BREAK_SILENT)
        wire_break(&w->end[first], prng_between(dice, 0, 5000000), TERN_EIO, why);
    if (how == SIM_BREAK_TOLD)
        wire_break(&w->end[!first], prng_between(dice, 0, INT64_C(2000000000)), TERN_EIO, why);
    return true;
}
