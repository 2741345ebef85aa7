#include "drive/agent_drive_inner.h"

int64_t drive_time(struct agent_drive *d)
{
    int64_t now_ns = links_now(d->links) + d->offset_ns;

    if (now_ns > d->bound_ns)
        now_ns = d->bound_ns; /* the disk is slow: time waits for it */
    if (now_ns > d->now_ns)
        d->now_ns = now_ns;
    return d->now_ns;
}

int64_t agent_drive_now(const struct agent_drive *d)
{
    return d->now_ns;
}

/* The last bound is above all times before it, or is the end of a life that ended well. */
void time_read(struct agent_drive *d, int64_t fact_ns)
{
    d->bound_ns = fact_ns;
}

uint64_t time_fact(struct agent_drive *d, int64_t at_ns)
{
    Tern__Fact fact = TERN__FACT__INIT;

    fact.time_ns = at_ns;
    fact_store(d, &fact);
    return d->appended;
}

static void ask(struct agent_drive *d)
{
    d->bound_asked_ns = d->bound_ns + AGENT_TIME_AHEAD_NS;
    d->bound_fact = time_fact(d, d->bound_asked_ns);
}

/* Time goes on from the bound, and stands there until the new one is stored. */
void time_begin(struct agent_drive *d)
{
    if (d->now_ns < d->bound_ns)
        d->now_ns = d->bound_ns;
    d->offset_ns = d->now_ns - links_now(d->links);
    d->bound_ns = d->now_ns;
    ask(d);
}

bool time_stored(struct agent_drive *d, uint64_t up_to)
{
    if (!d->bound_fact || up_to < d->bound_fact)
        return false;
    d->bound_ns = d->bound_asked_ns;
    d->bound_fact = 0;
    return true;
}

void time_renew(struct agent_drive *d)
{
    if (!d->bound_fact && !d->ending && d->bound_ns - d->now_ns <= AGENT_TIME_AHEAD_NS / 2)
        ask(d);
}

void time_end(struct agent_drive *d)
{
    time_fact(d, d->now_ns);
}

int64_t time_wake(const struct agent_drive *d, int64_t at_ns)
{
    const int64_t renew_ns = d->bound_ns - AGENT_TIME_AHEAD_NS / 2;

    if (d->bound_fact && at_ns > d->bound_ns)
        return INT64_MAX; /* not before the bound is stored: that wakes */
    if (!d->bound_fact && renew_ns < at_ns)
        at_ns = renew_ns;
    return at_ns == INT64_MAX ? at_ns : at_ns - d->offset_ns;
}
