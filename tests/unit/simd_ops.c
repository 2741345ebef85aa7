/* Compiled twice: as it is, and with TERN_SIMD_ANY. */
#include "simd_ops.h"

#ifdef TERN_SIMD_ANY
#define SIMD_OPS simd_ops_any
#else
#define SIMD_OPS simd_ops_native
#endif

#define UNARY(op, compare)     {#op, compare, op, 0, 0, 0},
#define BINARY(op, compare)    {#op, compare, 0, op, 0, 0},
#define SHIFT(op, compare)     {#op, compare, 0, 0, op, 0},
#define REDUCTION(op, compare) {#op, compare, 0, 0, 0, op},

const struct simd_op SIMD_OPS[] = {
    SIMD_UNARY(UNARY) SIMD_BINARY(BINARY) SIMD_SHIFTS(SHIFT)
        SIMD_REDUCTIONS(REDUCTION){0, 0, 0, 0, 0, 0},
};
