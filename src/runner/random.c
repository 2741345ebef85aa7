#include "runner/random.h"

#include <string.h>

enum { WORDS = 16, BLOCK_BYTES = 64, DOUBLE_ROUNDS = 10 };

static uint32_t rotated(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static void quarter(uint32_t *x, unsigned a, unsigned b, unsigned c, unsigned d)
{
    x[a] += x[b];
    x[d] = rotated(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = rotated(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = rotated(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = rotated(x[b] ^ x[c], 7);
}

static void mix(uint32_t x[WORDS])
{
    for (int i = 0; i < DOUBLE_ROUNDS; i++) {
        for (unsigned k = 0; k < 4; k++)
            quarter(x, k, k + 4, k + 8, k + 12);
        for (unsigned k = 0; k < 4; k++)
            quarter(x, k, (k + 1) % 4 + 4, (k + 2) % 4 + 8, (k + 3) % 4 + 12);
    }
}

static void make_block(uint64_t seed, uint64_t number, uint8_t out[BLOCK_BYTES])
{
    /* "expand 32-byte k", the key, the counter, the nonce */
    const uint32_t start[WORDS] = {0x61707865,
                                   0x3320646e,
                                   0x79622d32,
                                   0x6b206574,
                                   (uint32_t)seed,
                                   (uint32_t)(seed >> 32),
                                   [12] = (uint32_t)number,
                                   (uint32_t)(number >> 32)};
    uint32_t x[WORDS];

    memcpy(x, start, sizeof x);
    mix(x);
    for (unsigned i = 0; i < WORDS; i++) {
        const uint32_t word = x[i] + start[i];

        for (unsigned k = 0; k < 4; k++)
            out[4 * i + k] = (uint8_t)(word >> (8 * k));
    }
}

void random_fill(struct random *r, uint8_t *to, uint64_t size)
{
    while (size > 0) {
        const uint64_t within = r->position % BLOCK_BYTES;
        const uint64_t n = size < BLOCK_BYTES - within ? size : BLOCK_BYTES - within;
        uint8_t block[BLOCK_BYTES];

        make_block(r->seed, r->position / BLOCK_BYTES, block);
        memcpy(to, block + within, n);
        to += n;
        size -= n;
        r->position += n;
    }
}
