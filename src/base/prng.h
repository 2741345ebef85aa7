/*
 * prng - numbers that look random and are the same for the same seed, everywhere.
 *
 * xoshiro256** 1.0 by David Blackman and Sebastiano Vigna (https://prng.di.unimi.it/), its state
 * filled by their splitmix64. For simulations and tests: who sees some numbers knows the next.
 *
 * Streams  One seed gives any number of streams, by name. They have nothing to do with one another,
 *          so that drawing more from one shifts no other: one concern, one stream.
 */
#ifndef TERN_BASE_PRNG_H
#define TERN_BASE_PRNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prng {
    uint64_t state[4];
};

void prng_seed(struct prng *p, uint64_t seed, const char *stream);

uint64_t prng_next(struct prng *p);
/* 0 to below - 1, each as likely; below is at least 1. */
uint64_t prng_below(struct prng *p, uint64_t below);
/* Both inclusive. */
int64_t prng_between(struct prng *p, int64_t least, int64_t most);
/* True so many times in a million. */
bool prng_chance(struct prng *p, uint32_t per_million);
/* Exponentially distributed, by comparing only: all machines agree. At most 40 times the mean. */
int64_t prng_waiting(struct prng *p, int64_t mean);
void prng_fill(struct prng *p, void *to, size_t size);

#endif
