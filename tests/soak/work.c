/*
 * work - computes for as long as it is told, in memory that keeps changing, and says one number at
 * the end. Loops, calls and allocations, so that it is stopped in many different places.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 512, BLOCK = 4096 };

static uint64_t dice = 88172645463325252u;
static uint8_t *slot[SLOTS];

static uint64_t roll(void)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice;
}

static uint64_t sum_of(const uint8_t *block)
{
    uint64_t sum = 0;

    for (int i = 0; i < BLOCK; i++)
        sum = sum * 31 + block[i];
    return sum;
}

/* Half of it does not compress. */
static void fill(uint8_t *block)
{
    memset(block, (int)(roll() & 255), BLOCK);
    for (int i = 0; i < BLOCK / 2; i += 8) {
        uint64_t noise = roll();

        memcpy(block + i, &noise, sizeof noise);
    }
}

static uint64_t deep(int depth, uint64_t x)
{
    if (depth == 0)
        return x;
    return deep(depth - 1, x * 6364136223846793005u + (uint64_t)depth) ^ x;
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? atol(argv[1]) : 1000;
    uint64_t total = 0;

    for (long round = 0; round < rounds; round++) {
        int at = (int)(roll() % SLOTS);

        if (slot[at]) {
            total += sum_of(slot[at]);
            free(slot[at]);
            slot[at] = NULL;
        } else {
            slot[at] = malloc(BLOCK);
            if (!slot[at])
                return 2;
            fill(slot[at]);
        }
        total ^= deep((int)(roll() % 200), total);
    }
    printf("%016llx\n", (unsigned long long)total);
    return 0;
}
