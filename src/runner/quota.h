/*
 * quota - what a program may use up: processor time, open files, core dumps.
 *
 * Not here  Memory and tables (the instance's makers), output (host_may_write), processes (the
 *           system call filter).
 */
#ifndef TERN_RUNNER_QUOTA_H
#define TERN_RUNNER_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

/* Files, core dumps, blocked signals; before anything is loaded. */
void quota_apply(void);

/*
 * From now on the process may use cpu_ns_max of processor time (0: any) before end_limit, even
 * in a loop that calls nothing. Where the system lacks timers for it, the kernel's limit in
 * whole seconds is what remains. A run that is replayed ends by it only behind the last call in the
 * record: so it is counted anew until then.
 */
void quota_start_clock(uint64_t cpu_ns_max, bool replays);

#endif
