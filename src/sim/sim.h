/*
 * sim - virtual time: what is to happen, in an order that hangs on the seed alone.
 *
 * Does     Keeps what is to happen ordered by time, then by when it was said; lets the next thing
 *          happen. Nothing happens between two of them, however long the time.
 * Not here Anything that happens: the worlds of parts (world_sim.h), disks, programs.
 * Memory   A check ends the program when there is none: a simulation has no use for less.
 */
#ifndef TERN_SIM_SIM_H
#define TERN_SIM_SIM_H

#include "base/prng.h"
#include "sim/trace.h"

struct sim_event;

struct sim {
    uint64_t seed;
    int64_t now_ns;
    uint64_t happened;
    struct trace trace;
    struct sim_event *heap;
    size_t count, capacity;
    uint64_t said;
};

void sim_init(struct sim *s, uint64_t seed);
void sim_release(struct sim *s);
/* All that was still to happen happens, at its time: of what is dead only memory is given back. */
void sim_drain(struct sim *s);

/* run(context, arg) at that time, or now if it has passed. There is no taking back: who may have
 * changed his mind by then looks at arg. */
void sim_at(struct sim *s, int64_t at_ns, void (*run)(void *context, uint64_t arg), void *context,
            uint64_t arg);
void sim_in(struct sim *s, int64_t delay_ns, void (*run)(void *context, uint64_t arg),
            void *context, uint64_t arg);
/* The next thing, if it is due by then; else time is `until` and false. */
bool sim_step(struct sim *s, int64_t until_ns);

void *sim_new(size_t count, size_t size); /* zeroed; free() it */
void *sim_more(void *old, size_t *capacity, size_t size); /* twice as many, at least 16 */

/* A row of the trace: text may be NULL. */
void sim_tell(struct sim *s, enum trace_kind kind, const char *who, uint64_t a, uint64_t b,
              const char *text);

#endif
