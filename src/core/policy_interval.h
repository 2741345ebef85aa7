/*
 * policy_interval - how often to take checkpoints, so that least time is lost.
 *
 * Young (1974), Daly (2006), in the exact form: with cost d of a checkpoint and mean time M between
 * failures the best time between two is M (1 + W0(-exp(-1 - d/M))).
 */
#ifndef TERN_CORE_POLICY_INTERVAL_H
#define TERN_CORE_POLICY_INTERVAL_H

#include <stdint.h>

/*
 * cost_ns: of one checkpoint, as the program feels it. failure_ns: mean time between failures; 0:
 * not known, a day. most_ns: the user's bound on lost work; 0: none. At least 1 ms.
 */
int64_t policy_interval(int64_t cost_ns, int64_t failure_ns, int64_t most_ns);

#endif
