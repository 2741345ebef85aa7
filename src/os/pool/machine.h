/*
 * machine - what this computer is and does, as a node tells it.
 *
 * Speed    Of one processor, by a kernel of shifts, multiplications and floating point of some ten
 *          milliseconds; 1000 is a good machine of 2020. Measured once, and kept in the state
 *          directory ("speed"): what is busy at the time of a restart does not make it slow.
 * Foreign  The share of all processors that others than our own slots, and what they run, have had
 *          since it was last asked.
 */
#ifndef TERN_OS_POOL_MACHINE_H
#define TERN_OS_POOL_MACHINE_H

#include "message/message.h"

#include <sys/types.h>

struct machine {
    char architecture[LIMIT_NAME + 1], system[LIMIT_NAME + 1];
    uint64_t memory_bytes;
    uint32_t processors;
};

void machine_look(struct machine *out);
/* NULL: not kept. */
uint32_t machine_speed(const char *state_dir);
uint64_t machine_memory_free(void);

struct machine_load { /* as of the last time; zeroed first */
    uint64_t all, busy, own; /* clock ticks, of all processors together */
};

/* In thousandths; own: processes whose work, and that of what they started, is not foreign. */
uint32_t machine_foreign(struct machine_load *before, const pid_t *own, size_t count);

#endif
