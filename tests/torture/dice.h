/*
 * dice - the same numbers for the same seed. Marsaglia, Xorshift RNGs, J. Stat. Softw. 8 (2003).
 */
#ifndef TERN_TORTURE_DICE_H
#define TERN_TORTURE_DICE_H

#include <stdint.h>

#define DICE_START 88172645463325252u

static inline uint64_t dice_roll(uint64_t *dice)
{
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    return *dice;
}

#endif
