/*
 * chunks_mem - a store of chunks in memory: drive/chunks.h.
 *
 * Does     Keeps plain bytes, for each domain apart. Counts how many roots hold each chunk. Looks
 *          whether all is there that hangs beneath a root before it believes in it.
 * Faults   Power loss: what no root holds is gone, and times of expiry are as they were at the last
 *          commit. Rot: a chunk is found damaged when it is read, and is missing from then on,
 *          until it is put again.
 * Space    A limit on plain bytes; what no root holds is dropped when there is no room.
 * Order    Everything in the order in which it came: nothing hangs on addresses.
 */
#ifndef TERN_SIM_CHUNKS_MEM_H
#define TERN_SIM_CHUNKS_MEM_H

#include "base/prng.h"
#include "drive/chunks.h"

struct chunks_mem;

struct chunks_mem *chunks_mem_new(uint64_t space_bytes); /* 0: no limit */
void chunks_mem_free(struct chunks_mem *m);
struct chunks *chunks_mem_chunks(struct chunks_mem *m);

void chunks_mem_limit(struct chunks_mem *m, uint64_t space_bytes);
void chunks_mem_power_loss(struct chunks_mem *m);
/* Damages a chunk that a root holds, by the dice; false: there is none. */
bool chunks_mem_rot(struct chunks_mem *m, struct prng *dice);
void chunks_mem_empty(struct chunks_mem *m);

/* Is that a root, with all that is beneath it, undamaged? For the simulator's checks. */
bool chunks_mem_sound(struct chunks_mem *m, const char *domain, const struct store_name *root);
/* The sums are right; everything that a root holds is there. */
void chunks_mem_check(struct chunks_mem *m);

#endif
