/*
 * dice LINES - what differs from run to run and from machine to machine, unless it is asked not to:
 * random numbers, and the bits of NaNs that arithmetic gave, in memory and in variables that live
 * from line to line.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wasm_simd128.h>

static uint64_t bits_of(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float narrow(double x)
{
    return (float)x * 3.0f;
}

int main(int argc, char **argv)
{
    volatile double zero = 0, payload = __builtin_nan("0x5eed"); /* not known to any compiler */
    double sum = zero / zero, other = -payload;
    v128_t lanes = wasm_f64x2_div(wasm_f64x2_splat(zero), wasm_f64x2_splat(zero));
    float single = narrow(sum);
    int count = argc > 1 ? atoi(argv[1]) : 10;

    for (int i = 0; i < count; i++) {
        unsigned char dice[7];
        uint32_t single_bits;

        if (getentropy(dice, sizeof dice) != 0)
            return 9;
        memcpy(&single_bits, &single, sizeof single_bits);
        printf("%d", i);
        for (unsigned k = 0; k < sizeof dice; k++)
            printf(" %02x", dice[k]);
        printf(" %016llx %016llx %016llx %08x %016llx\n", (unsigned long long)bits_of(sum),
               (unsigned long long)bits_of(-sum * other), (unsigned long long)bits_of(payload),
               (unsigned)single_bits, (unsigned long long)wasm_i64x2_extract_lane(lanes, 1));
        fflush(stdout);
        sum = sum * 1.5 + other;
        other = -other;
        single = single - (float)i;
        lanes = wasm_f64x2_add(lanes, wasm_f64x2_splat((double)i));
    }
    return 0;
}
