/*
 * tern_simd_round.h - rounding of vectors without instructions for it, in GNU C.
 *
 * Adding and subtracting 2^23 (2^52) with the number's sign rounds to the nearest even integer;
 * the other directions step by one from there where that went the wrong way. Larger numbers are
 * integers already. The sign is put back for -0; NaNs come out of the addition quieted.
 * Not to be included by itself.
 */
#ifndef TERN_SIMD_ROUND_H
#define TERN_SIMD_ROUND_H

#define TERN_ROUND_GENERIC(shape, type, bits, one, sign_bit, limit)                                \
    TERN_SIMD tern_v128 tern_finish_##shape(tern_v128 a, type rounded)                             \
    {                                                                                              \
        const type magnitude = (type)((bits)a & ~(sign_bit));                                      \
        const tern_v128 integer = (tern_v128)(magnitude >= (limit));                               \
        const tern_v128 sign = (tern_v128)((bits)a & (sign_bit));                                  \
        return TERN_SELECT(integer, a, (tern_v128)rounded | sign);                                 \
    }                                                                                              \
    TERN_SIMD type tern_near_##shape(tern_v128 a)                                                  \
    {                                                                                              \
        const type large = (type)(((bits)a & (sign_bit)) | (bits)((type){0} + (limit)));           \
        return ((type)a + large) - large;                                                          \
    }                                                                                              \
    TERN_SIMD tern_v128 shape##_nearest(tern_v128 a)                                               \
    {                                                                                              \
        return tern_finish_##shape(a, tern_near_##shape(a));                                       \
    }                                                                                              \
    TERN_SIMD tern_v128 shape##_floor(tern_v128 a)                                                 \
    {                                                                                              \
        const type near = tern_near_##shape(a);                                                    \
        const type step = (type)((bits)(near > (type)a) & (bits)((type){0} + (one)));              \
        return tern_finish_##shape(a, near - step);                                                \
    }                                                                                              \
    TERN_SIMD tern_v128 shape##_ceil(tern_v128 a)                                                  \
    {                                                                                              \
        const type near = tern_near_##shape(a);                                                    \
        const type step = (type)((bits)(near < (type)a) & (bits)((type){0} + (one)));              \
        return tern_finish_##shape(a, near + step);                                                \
    }                                                                                              \
    TERN_SIMD tern_v128 shape##_trunc(tern_v128 a)                                                 \
    {                                                                                              \
        const type size = (type)((bits)a & ~(sign_bit));                                           \
        const type near = tern_near_##shape((tern_v128)size);                                      \
        const type step = (type)((bits)(near > size) & (bits)((type){0} + (one)));                 \
        return tern_finish_##shape(a, near - step);                                                \
    }

TERN_ROUND_GENERIC(f32x4, tern_f32x4, tern_u32x4, 1.0F, TERN_SIGN32, 0x1p23F)
TERN_ROUND_GENERIC(f64x2, tern_f64x2, tern_u64x2, 1.0, TERN_SIGN64, 0x1p52)

#endif
