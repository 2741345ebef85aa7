#include "core/owed.h"

#include "base/check.h"
#include "core/packed.h"

#include <stdlib.h>

enum { BATCH_REPORTS = 1024, BATCH_BYTES = 1 << 20 };

struct owed_report {
    struct owed_report *before, *behind;
    uint64_t n;
    struct packed report; /* without its number */
};

static void let_go(struct owed *o, struct owed_report *r)
{
    *(r->before ? &r->before->behind : &o->first) = r->behind;
    *(r->behind ? &r->behind->before : &o->last) = r->before;
    if (o->unsent == r)
        o->unsent = r->behind;
    o->count--;
    packed_release(&r->report);
    free(r);
}

void owed_release(struct owed *o)
{
    while (o->first)
        let_go(o, o->first);
    *o = (struct owed){0};
}

uint64_t owed_add(struct owed *o, const Tern__Report *report)
{
    struct owed_report *r = calloc(1, sizeof *r);

    check(r);
    packed_set(&r->report, &report->base);
    r->n = ++o->last_n;
    r->before = o->last;
    *(o->last ? &o->last->behind : &o->first) = r;
    o->last = r;
    if (!o->unsent)
        o->unsent = r;
    o->count++;
    return o->last_n;
}

void owed_drop(struct owed *o, uint64_t n)
{
    /* From the end: what is dropped is seldom old. */
    for (struct owed_report *r = o->last; r && r->n >= n; r = r->before) {
        if (r->n == n) {
            let_go(o, r);
            return;
        }
    }
}

void owed_stored(struct owed *o, uint64_t n)
{
    while (o->first && o->first->n <= n)
        let_go(o, o->first);
}

void owed_again(struct owed *o)
{
    o->unsent = o->first;
}

/* How many from `from` on go into one message. */
static size_t batch_count(const struct owed_report *from)
{
    size_t count = 0, bytes = 0;

    for (; from && count < BATCH_REPORTS && (!count || bytes + from->report.size <= BATCH_BYTES);
         from = from->behind) {
        bytes += from->report.size + 16;
        count++;
    }
    return count;
}

void owed_send(struct owed *o, struct core_out *out, uint32_t peer)
{
    while (o->unsent) {
        Tern__Envelope *e = core_send(out, peer);
        Tern__Reports *reports = core_new(out, 1, sizeof *reports);

        tern__reports__init(reports);
        e->body_case = TERN__ENVELOPE__BODY_REPORTS;
        e->reports = reports;
        reports->n_reports = batch_count(o->unsent);
        reports->reports = core_new(out, reports->n_reports, sizeof(Tern__Report *));
        for (size_t i = 0; i < reports->n_reports; i++) {
            reports->reports[i] = packed_open(&o->unsent->report, &tern__report__descriptor, out);
            reports->reports[i]->n = o->unsent->n;
            o->unsent = o->unsent->behind;
        }
    }
}
