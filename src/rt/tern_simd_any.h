/*
 * tern_simd_any.h - the part of tern_simd.h for all other processors, lane by lane in GNU C.
 *
 * Not to be included by itself.
 */
#ifndef TERN_SIMD_ANY_H
#define TERN_SIMD_ANY_H

/* A vector of `count` lanes of `type`, lane i being `lane`; i numbers as GNU C does. */
#define TERN_EACH(type, count, lane)                                                               \
    (__extension__({                                                                               \
        type tern_lanes = {0};                                                                     \
        for (int i = 0; i < (count); i++)                                                          \
            tern_lanes[i] = (lane);                                                                \
        tern_lanes;                                                                                \
    }))

/* Lane `lane` of v, as WebAssembly numbers. */
#define TERN_GET(type, count, v, lane) (((type)(v))[TERN_LANE(count, lane)])

/* ---- Integers ---- */

TERN_SHIFTS(i8x16, tern_i8x16, tern_u8x16, int8_t, 8)
TERN_EQUAL(i64x2, tern_i64x2)
TERN_ORDERED(i64x2, s, tern_i64x2)

TERN_SIMD int32_t tern_clamp(int32_t x, int32_t least, int32_t most)
{
    return x < least ? least : x > most ? most : x;
}

#define TERN_SATURATED(name, type, lane_type, count, operator, least, most)                        \
    TERN_OP2(name,                                                                                 \
             TERN_EACH(type, count,                                                                \
                       (lane_type)tern_clamp(((type)a)[i] operator((type)b)[i], least, most)))
TERN_SATURATED(i8x16_add_sat_s, tern_i8x16, int8_t, 16, +, -128, 127)
TERN_SATURATED(i8x16_add_sat_u, tern_u8x16, uint8_t, 16, +, 0, 255)
TERN_SATURATED(i8x16_sub_sat_s, tern_i8x16, int8_t, 16, -, -128, 127)
TERN_SATURATED(i8x16_sub_sat_u, tern_u8x16, uint8_t, 16, -, 0, 255)
TERN_SATURATED(i16x8_add_sat_s, tern_i16x8, int16_t, 8, +, -32768, 32767)
TERN_SATURATED(i16x8_add_sat_u, tern_u16x8, uint16_t, 8, +, 0, 65535)
TERN_SATURATED(i16x8_sub_sat_s, tern_i16x8, int16_t, 8, -, -32768, 32767)
TERN_SATURATED(i16x8_sub_sat_u, tern_u16x8, uint16_t, 8, -, 0, 65535)

/* (a + b + 1) / 2 without a wider type. */
TERN_OP2(i8x16_avgr_u, (tern_u8x16)(a | b) - ((tern_u8x16)(a ^ b) >> 1))
TERN_OP2(i16x8_avgr_u, (tern_u16x8)(a | b) - ((tern_u16x8)(a ^ b) >> 1))

#define TERN_INT_MIN_MAX(shape, s)                                                                 \
    TERN_OP2(shape##_min_##s, TERN_SELECT(shape##_lt_##s(a, b), a, b))                             \
    TERN_OP2(shape##_max_##s, TERN_SELECT(shape##_gt_##s(a, b), a, b))
TERN_INT_MIN_MAX(i8x16, s)
TERN_INT_MIN_MAX(i8x16, u)
TERN_INT_MIN_MAX(i16x8, s)
TERN_INT_MIN_MAX(i16x8, u)
TERN_INT_MIN_MAX(i32x4, s)
TERN_INT_MIN_MAX(i32x4, u)

#define TERN_ABS(shape)                                                                            \
    TERN_OP1(shape##_abs, TERN_SELECT(shape##_lt_s(a, (tern_v128){0, 0}), shape##_neg(a), a))
TERN_ABS(i8x16)
TERN_ABS(i16x8)
TERN_ABS(i32x4)
TERN_ABS(i64x2)

TERN_SIMD tern_v128 i8x16_popcnt(tern_v128 a)
{
    a -= (a >> 1) & i8x16_splat(0x55);
    a = (a & i8x16_splat(0x33)) + ((a >> 2) & i8x16_splat(0x33));
    return (a + (a >> 4)) & i8x16_splat(15);
}

#define TERN_Q15(a, b) ((((a) * (b)) + 0x4000) >> 15)
TERN_OP2(i16x8_q15mulr_sat_s,
         TERN_EACH(tern_i16x8, 8,
                   (int16_t)tern_clamp(TERN_Q15(((tern_i16x8)a)[i], ((tern_i16x8)b)[i]), -32768,
                                       32767)))

/* ---- All lanes to one number ---- */

TERN_SIMD uint32_t v128_any_true(tern_v128 v)
{
    return (v[0] | v[1]) != 0;
}

#define TERN_ALL_TRUE(shape)                                                                       \
    TERN_SIMD uint32_t shape##_all_true(tern_v128 v)                                               \
    {                                                                                              \
        return !v128_any_true(shape##_eq(v, (tern_v128){0, 0}));                                   \
    }
TERN_ALL_TRUE(i8x16)
TERN_ALL_TRUE(i16x8)
TERN_ALL_TRUE(i32x4)
TERN_ALL_TRUE(i64x2)

#define TERN_BITMASK(shape, type, count)                                                           \
    TERN_SIMD uint32_t shape##_bitmask(tern_v128 v)                                                \
    {                                                                                              \
        uint32_t mask = 0;                                                                         \
        for (int i = 0; i < (count); i++)                                                          \
            mask |= (uint32_t)(TERN_GET(type, count, v, i) < 0) << i;                              \
        return mask;                                                                               \
    }
TERN_BITMASK(i8x16, tern_i8x16, 16)
TERN_BITMASK(i16x8, tern_i16x8, 8)
TERN_BITMASK(i32x4, tern_i32x4, 4)
TERN_BITMASK(i64x2, tern_i64x2, 2)

/* ---- Lanes to other places and widths ---- */

TERN_SIMD tern_v128 i8x16_swizzle(tern_v128 a, tern_v128 b)
{
    const tern_u8x16 from = (tern_u8x16)a, lanes = (tern_u8x16)b;
    return (tern_v128)TERN_EACH(tern_u8x16, 16,
                                lanes[i] < 16 ? from[TERN_LANE(16, lanes[i])] : (uint8_t)0);
}

/* Lanes of a, then of b: on big-endian machines the other way round. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define TERN_JOINED(type, count) (i < (count) ? ((type)b)[i] : ((type)a)[i - (count)])
#else
#define TERN_JOINED(type, count) (i < (count) ? ((type)a)[i] : ((type)b)[i - (count)])
#endif
#define TERN_NARROW(name, type, lane_type, wide, count, least, most)                               \
    TERN_OP2(name, TERN_EACH(type, 2 * (count),                                                    \
                             (lane_type)tern_clamp(TERN_JOINED(wide, count), least, most)))
TERN_NARROW(i8x16_narrow_i16x8_s, tern_i8x16, int8_t, tern_i16x8, 8, -128, 127)
TERN_NARROW(i8x16_narrow_i16x8_u, tern_u8x16, uint8_t, tern_i16x8, 8, 0, 255)
TERN_NARROW(i16x8_narrow_i32x4_s, tern_i16x8, int16_t, tern_i32x4, 4, -32768, 32767)
TERN_NARROW(i16x8_narrow_i32x4_u, tern_u16x8, uint16_t, tern_i32x4, 4, 0, 65535)

/* The first lane, as GNU C numbers, of the low and the high half. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define TERN_LOW(count)  ((count) / 2)
#define TERN_HIGH(count) 0
#else
#define TERN_LOW(count)  0
#define TERN_HIGH(count) ((count) / 2)
#endif

/* wide and narrow shape, s or u, their vector types, the wide lane's type, count of narrow lanes */
#define TERN_WIDEN(wide, narrow, s, to, from, lane_type, count)                                    \
    TERN_OP1(wide##_extend_low_##narrow##_##s,                                                     \
             TERN_EACH(to, (count) / 2, ((from)a)[i + TERN_LOW(count)]))                           \
    TERN_OP1(wide##_extend_high_##narrow##_##s,                                                    \
             TERN_EACH(to, (count) / 2, ((from)a)[i + TERN_HIGH(count)]))                          \
    TERN_OP2(wide##_extmul_low_##narrow##_##s,                                                     \
             (to)wide##_extend_low_##narrow##_##s(a) * (to)wide##_extend_low_##narrow##_##s(b))    \
    TERN_OP2(wide##_extmul_high_##narrow##_##s,                                                    \
             (to)wide##_extend_high_##narrow##_##s(a) * (to)wide##_extend_high_##narrow##_##s(b))
TERN_WIDEN(i16x8, i8x16, s, tern_i16x8, tern_i8x16, int16_t, 16)
TERN_WIDEN(i16x8, i8x16, u, tern_u16x8, tern_u8x16, uint16_t, 16)
TERN_WIDEN(i32x4, i16x8, s, tern_i32x4, tern_i16x8, int32_t, 8)
TERN_WIDEN(i32x4, i16x8, u, tern_u32x4, tern_u16x8, uint32_t, 8)
TERN_WIDEN(i64x2, i32x4, s, tern_i64x2, tern_i32x4, int64_t, 4)
TERN_WIDEN(i64x2, i32x4, u, tern_u64x2, tern_u32x4, uint64_t, 4)

TERN_OP1(i16x8_extadd_pairwise_i8x16_s,
         ((tern_i16x8)((tern_u16x8)a << 8) >> 8) + ((tern_i16x8)a >> 8))
TERN_OP1(i16x8_extadd_pairwise_i8x16_u, ((tern_u16x8)a & 0xff) + ((tern_u16x8)a >> 8))
TERN_OP1(i32x4_extadd_pairwise_i16x8_s,
         ((tern_i32x4)((tern_u32x4)a << 16) >> 16) + ((tern_i32x4)a >> 16))
TERN_OP1(i32x4_extadd_pairwise_i16x8_u, ((tern_u32x4)a & 0xffff) + ((tern_u32x4)a >> 16))

/* Only -32768 four times passes 32 bits, and wraps. */
#define TERN_PRODUCT(lane) ((uint32_t)(((tern_i16x8)a)[lane] * ((tern_i16x8)b)[lane]))
TERN_OP2(i32x4_dot_i16x8_s, TERN_EACH(tern_u32x4, 4, TERN_PRODUCT(2 * i) + TERN_PRODUCT(2 * i + 1)))

/* ---- Floats ---- */

/* NaN from a or b: the addition quiets it. Equal operands: their signs decide between zeros. */
#define TERN_FLOAT_MIN_MAX(shape, type)                                                            \
    TERN_SIMD tern_v128 tern_nan_##shape(tern_v128 a, tern_v128 b, tern_v128 otherwise)            \
    {                                                                                              \
        const tern_v128 number = shape##_eq(a, a) & shape##_eq(b, b);                              \
        return TERN_SELECT(number, otherwise, shape##_add(a, b));                                  \
    }                                                                                              \
    TERN_OP2(shape##_pmin, TERN_SELECT(shape##_lt(b, a), b, a))                                    \
    TERN_OP2(shape##_pmax, TERN_SELECT(shape##_lt(a, b), b, a))                                    \
    TERN_OP2(shape##_min, tern_nan_##shape(a, b, shape##_pmin(a, b) | shape##_pmin(b, a)))         \
    TERN_OP2(shape##_max, tern_nan_##shape(a, b, shape##_pmax(a, b) & shape##_pmax(b, a)))
TERN_FLOAT_MIN_MAX(f32x4, tern_f32x4)
TERN_FLOAT_MIN_MAX(f64x2, tern_f64x2)

#include "tern_simd_round.h"

TERN_OP1(f32x4_sqrt, TERN_EACH(tern_f32x4, 4, __builtin_sqrtf(((tern_f32x4)a)[i])))
TERN_OP1(f64x2_sqrt, TERN_EACH(tern_f64x2, 2, __builtin_sqrt(((tern_f64x2)a)[i])))

/* ---- Conversions ---- */

/* x as a whole number within a range of 32 bits; NaN is 0. */
TERN_SIMD int64_t tern_saturate(double x, double least, double most)
{
    return x != x ? 0 : (int64_t)(x < least ? least : x > most ? most : x);
}

/* A promotion that is demoted again would be dropped, and with it the quieting of NaNs. */
TERN_SIMD double tern_promote(float x)
{
    volatile double y = (double)x;
    return y;
}

#define TERN_INT32(x)  tern_saturate(x, -2147483648.0, 2147483647.0)
#define TERN_UINT32(x) tern_saturate(x, 0.0, 4294967295.0)

/* Lane `lane` of a vector whose upper half is zero. */
#define TERN_HALF(type, zero, lane) (i >= TERN_LOW(4) && i < TERN_LOW(4) + 2 ? (lane) : (zero))
#define TERN_LOW_LANE(type, v)      (((type)(v))[i + TERN_LOW(4)])
#define TERN_WIDE_LANE              (((tern_f64x2)a)[i - TERN_LOW(4)])

TERN_OP1(f32x4_convert_i32x4_s, TERN_EACH(tern_f32x4, 4, (float)((tern_i32x4)a)[i]))
TERN_OP1(f32x4_convert_i32x4_u, TERN_EACH(tern_f32x4, 4, (float)((tern_u32x4)a)[i]))
TERN_OP1(f64x2_convert_low_i32x4_s, TERN_EACH(tern_f64x2, 2, TERN_LOW_LANE(tern_i32x4, a)))
TERN_OP1(f64x2_convert_low_i32x4_u, TERN_EACH(tern_f64x2, 2, TERN_LOW_LANE(tern_u32x4, a)))
TERN_OP1(f64x2_promote_low_f32x4,
         TERN_EACH(tern_f64x2, 2, tern_promote(TERN_LOW_LANE(tern_f32x4, a))))
TERN_OP1(f32x4_demote_f64x2_zero,
         TERN_EACH(tern_f32x4, 4, TERN_HALF(float, 0.0F, (float)TERN_WIDE_LANE)))
TERN_OP1(i32x4_trunc_sat_f32x4_s,
         TERN_EACH(tern_i32x4, 4, (int32_t)TERN_INT32((double)((tern_f32x4)a)[i])))
TERN_OP1(i32x4_trunc_sat_f32x4_u,
         TERN_EACH(tern_u32x4, 4, (uint32_t)TERN_UINT32((double)((tern_f32x4)a)[i])))
TERN_OP1(i32x4_trunc_sat_f64x2_s_zero,
         TERN_EACH(tern_i32x4, 4, TERN_HALF(int32_t, 0, (int32_t)TERN_INT32(TERN_WIDE_LANE))))
TERN_OP1(i32x4_trunc_sat_f64x2_u_zero,
         TERN_EACH(tern_u32x4, 4, TERN_HALF(uint32_t, 0, (uint32_t)TERN_UINT32(TERN_WIDE_LANE))))

#endif
