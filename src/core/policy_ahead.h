/*
 * policy_ahead - how many attempts a slot is given behind the one that it runs.
 *
 * So many that it does not run dry while an answer is on its way, and not more: what waits with a
 * node cannot run on another one until it has been recalled.
 */
#ifndef TERN_CORE_POLICY_AHEAD_H
#define TERN_CORE_POLICY_AHEAD_H

#include <stdint.h>

enum { POLICY_AHEAD_MAX = 256 };

/* What tasks of one program took so far, as a mean in which the newer ones weigh more. */
struct duration {
    int64_t mean_ns;
    uint64_t count;
};

void policy_duration_add(struct duration *d, int64_t took_ns);
/* speed as in NodeAd. 0: only one that can begin at once. */
uint32_t policy_ahead(const struct duration *d, uint32_t speed);

#endif
