/*
 * random - numbers that follow from a seed, for a program that is to run the same way again.
 *
 * Does     Gives the bytes of a stream, from its position on: ChaCha20 (D. J. Bernstein, 2008) in
 *          its first form, with a 64-bit block counter from 0 and a nonce of 0. The key is the
 *          seed, little-endian, and zeros behind it.
 * Not here Secrets: whoever knows the seed knows the numbers.
 * Replay   Equal seed and position, equal bytes, on every processor, however they are cut.
 */
#ifndef TERN_RUNNER_RANDOM_H
#define TERN_RUNNER_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    bool seeded; /* else the system's own randomness is used */
    uint64_t seed;
    uint64_t position; /* bytes given so far */
};

void random_fill(struct random *r, uint8_t *to, uint64_t size);

#endif
