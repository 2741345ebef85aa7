#include "core/policy_interval.h"

#include "base/expo.h"

#include <math.h>

#define LEAST_NS   INT64_C(1000000)
#define FAILURE_NS (INT64_C(24) * 3600 * 1000000000)

/* -log(1 - u) - u, for 0 <= u < 1: by its series where the difference would lose all digits. */
static double excess(double u)
{
    double sum = 0;

    if (u > 0.1)
        return -expo_log(1 - u) - u;
    for (int k = 20; k >= 2; k--)
        sum = sum * u + 1.0 / k;
    return sum * u * u;
}

/*
 * With u = tau/M and W = u - 1: W exp(W) = -exp(-1 - d/M) becomes excess(u) = d/M. excess rises and
 * is convex: Newton from a start above the root comes down to it and never leaves (0, 1).
 */
static double share_of_failure_time(double ratio)
{
    double u = sqrt(2 * ratio); /* excess(u) >= u*u/2, so the root is below */

    if (u >= 1)
        u = 1 - expo_exp(-1 - ratio); /* -log(1 - u) = ratio + u, which is at most ratio + 1 */
    for (int i = 0; i < 60; i++) {
        const double next = u - (excess(u) - ratio) * (1 - u) / u;

        if (!(next < u) || next <= 0)
            break;
        u = next;
    }
    return u;
}

int64_t policy_interval(int64_t cost_ns, int64_t failure_ns, int64_t most_ns)
{
    const double failure = (double)(failure_ns > 0 ? failure_ns : FAILURE_NS);
    const double cost = (double)(cost_ns > 1 ? cost_ns : 1);
    const double best = failure * (cost < 30 * failure ? share_of_failure_time(cost / failure) : 1);
    int64_t interval = best < 9e18 ? (int64_t)best : INT64_MAX;

    if (most_ns > 0 && interval > most_ns)
        interval = most_ns;
    return interval > LEAST_NS ? interval : LEAST_NS;
}
