/*
 * end - the report to the parent and the end of the process, which go together.
 *
 * Does     Exactly one report, whatever ends the program first; none of these returns.
 * Life     end_init before anything else; until end_watch the report's counters are 0.
 * Safe     end_begun and end_limit may be called from a signal handler.
 */
#ifndef TERN_RUNNER_END_H
#define TERN_RUNNER_END_H

#include "rt/trap.h"
#include "runner/host.h"

void end_init(int report_fd);
/*
 * From now on reports carry h's counters, and the pc of a fault is given relative to the object it
 * lies in: each is told by an address inside, that of the continuations may be 0.
 */
void end_watch(const struct host *h, uintptr_t object, uintptr_t continuations);

_Noreturn void end_exit(uint32_t code);
_Noreturn void end_trap(const struct trap_info *info);
_Noreturn void end_limit(enum report_limit limit);
_Noreturn void end_signal(int signal);
_Noreturn void end_stopped(void);
/* One sentence, without a final newline; cut if too long. */
_Noreturn void end_refused(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Of a run that is replayed: it does something else than it did; a sentence, as above. */
_Noreturn void end_diverged(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The record has no more calls, and the program makes this one. */
_Noreturn void end_replayed(uint32_t number);
/* With REPORT_EXIT the process does not end, but `leave` is called, which does not return. NULL: it
 * ends. */
void end_stay(void (*leave)(void));
/* Another program has begun. */
void end_again(void);
/* There are calls left in the record. */
bool end_is_replaying(void);

/* A report is on its way: a signal handler that finds this returns. */
bool end_begun(void);

/* Processor time of this process so far. */
uint64_t end_cpu_ns(void);

#endif
