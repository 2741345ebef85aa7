/*
 * clock - what the system's clocks show, in nanoseconds.
 */
#ifndef TERN_RUNNER_CLOCK_H
#define TERN_RUNNER_CLOCK_H

#include <stdint.h>
#include <time.h>

/* One of those that every system has. */
uint64_t clock_ns(clockid_t id);

#endif
