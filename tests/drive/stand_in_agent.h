/*
 * stand_in_agent - a core with agent.h's face that does little and shows what its drive does: each
 *                  Submit is a fact and an answer, each Query an answer, each AskDepots a right.
 */
#ifndef TERN_TESTS_DRIVE_STAND_IN_AGENT_H
#define TERN_TESTS_DRIVE_STAND_IN_AGENT_H

#include "core/agent.h"

struct agent {
    struct agent_config config;
    uint64_t applied, started, ticks, downs;
    int64_t now_ns, wake_ns;
    uint32_t last_peer;
};

#endif
