/*
 * xxh64 - a fast hash of 64 bits, for telling equal from different and damaged from whole.
 *
 * xxHash 64 by Yann Collet, as its specification has it:
 * https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md. The same on every processor.
 *
 * Not here  Protection from somebody who makes two inputs with one hash (os/hash.h).
 * Pieces    Adding in pieces gives what adding at once gives.
 */
#ifndef TERN_BASE_XXH64_H
#define TERN_BASE_XXH64_H

#include <stddef.h>
#include <stdint.h>

enum { XXH64_STRIPE_BYTES = 32 };

struct xxh64 {
    uint64_t lane[4];
    uint64_t seed;
    uint64_t size;                    /* of all that was added */
    uint8_t rest[XXH64_STRIPE_BYTES]; /* size % XXH64_STRIPE_BYTES of them */
};

void xxh64_begin(struct xxh64 *h, uint64_t seed);
void xxh64_add(struct xxh64 *h, const void *data, size_t size);
/* May be asked more than once. */
uint64_t xxh64_end(const struct xxh64 *h);

uint64_t xxh64_of(const void *data, size_t size, uint64_t seed);

#endif
