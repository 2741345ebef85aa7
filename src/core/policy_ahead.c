#include "core/policy_ahead.h"

#define AHEAD_NS INT64_C(100000000) /* work that waits in front of each slot */
#define LEAST_NS INT64_C(100000)    /* nothing is quicker: a process, a few messages */

void policy_duration_add(struct duration *d, int64_t took_ns)
{
    if (took_ns < 0)
        took_ns = 0;
    d->count++;
    if (d->count <= 8) /* a plain mean first, so that a slow first one does not stay */
        d->mean_ns += (took_ns - d->mean_ns) / (int64_t)d->count;
    else
        d->mean_ns += (took_ns - d->mean_ns) / 8;
}

uint32_t policy_ahead(const struct duration *d, uint32_t speed)
{
    int64_t mean_ns = d->mean_ns, ahead;

    if (d->count == 0)
        return 0;
    if (mean_ns < LEAST_NS)
        mean_ns = LEAST_NS;
    ahead = AHEAD_NS / mean_ns * (speed ? speed : 1000) / 1000;
    return ahead < POLICY_AHEAD_MAX ? (uint32_t)ahead : POLICY_AHEAD_MAX;
}
