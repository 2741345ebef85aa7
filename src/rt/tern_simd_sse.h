/*
 * tern_simd_sse.h - the part of tern_simd.h for x86-64: bare SSE2, and better from SSSE3, SSE4.1
 *                   and SSE4.2 on where the compiler may use them.
 *
 * Not to be included by itself.
 */
#ifndef TERN_SIMD_SSE_H
#define TERN_SIMD_SSE_H

#if defined(__SSE4_1__)
#include <smmintrin.h>
#elif defined(__SSSE3__)
#include <tmmintrin.h>
#else
#include <emmintrin.h>
#endif

#define TERN_M(v)  ((__m128i)(v))
#define TERN_PS(v) ((__m128)(v))
#define TERN_PD(v) ((__m128d)(v))
#define TERN_ZERO  ((tern_v128){0, 0})

/* ---- Shifts of bytes, which SSE does not have: as 16-bit lanes, without what crosses over ---- */

TERN_SIMD tern_v128 i8x16_shl(tern_v128 v, uint32_t n)
{
    n &= 7;
    return (tern_v128)((tern_u16x8)v << (int16_t)n) & i8x16_splat(0xffU << n);
}

TERN_SIMD tern_v128 i8x16_shr_u(tern_v128 v, uint32_t n)
{
    n &= 7;
    return (tern_v128)((tern_u16x8)v >> (int16_t)n) & i8x16_splat(0xffU >> n);
}

TERN_SIMD tern_v128 i8x16_shr_s(tern_v128 v, uint32_t n)
{
    const tern_v128 sign = i8x16_splat(0x80U >> (n & 7));
    return (tern_v128)((tern_u8x16)(i8x16_shr_u(v, n) ^ sign) - (tern_u8x16)sign);
}

/* ---- Integers ---- */

#if defined(__SSE4_2__) || defined(__clang__)
TERN_EQUAL(i64x2, tern_i64x2)
TERN_OP2(i64x2_gt_s, (tern_i64x2)a > (tern_i64x2)b)
#else
TERN_SIMD tern_v128 i64x2_eq(tern_v128 a, tern_v128 b)
{
    const tern_v128 halves = i32x4_eq(a, b);
    return halves & (tern_v128)_mm_shuffle_epi32(TERN_M(halves), 0xb1);
}
TERN_OP2(i64x2_ne, ~i64x2_eq(a, b))

/* High halves decide; where they are equal, the borrow of b - a fills the high half. */
TERN_SIMD tern_v128 i64x2_gt_s(tern_v128 a, tern_v128 b)
{
    const tern_v128 equal = (tern_v128)((tern_i32x4)a == (tern_i32x4)b);
    const tern_v128 above = (tern_v128)((tern_i32x4)a > (tern_i32x4)b);
    const tern_v128 high = (equal & (b - a)) | above;
    return (tern_v128)_mm_shuffle_epi32(TERN_M(high), 0xf5);
}
#endif
TERN_OP2(i64x2_lt_s, i64x2_gt_s(b, a))
TERN_OP2(i64x2_le_s, ~i64x2_gt_s(a, b))
TERN_OP2(i64x2_ge_s, ~i64x2_gt_s(b, a))

TERN_OP2(i8x16_add_sat_s, _mm_adds_epi8(TERN_M(a), TERN_M(b)))
TERN_OP2(i8x16_add_sat_u, _mm_adds_epu8(TERN_M(a), TERN_M(b)))
TERN_OP2(i8x16_sub_sat_s, _mm_subs_epi8(TERN_M(a), TERN_M(b)))
TERN_OP2(i8x16_sub_sat_u, _mm_subs_epu8(TERN_M(a), TERN_M(b)))
TERN_OP2(i16x8_add_sat_s, _mm_adds_epi16(TERN_M(a), TERN_M(b)))
TERN_OP2(i16x8_add_sat_u, _mm_adds_epu16(TERN_M(a), TERN_M(b)))
TERN_OP2(i16x8_sub_sat_s, _mm_subs_epi16(TERN_M(a), TERN_M(b)))
TERN_OP2(i16x8_sub_sat_u, _mm_subs_epu16(TERN_M(a), TERN_M(b)))
TERN_OP2(i8x16_avgr_u, _mm_avg_epu8(TERN_M(a), TERN_M(b)))
TERN_OP2(i16x8_avgr_u, _mm_avg_epu16(TERN_M(a), TERN_M(b)))

TERN_OP2(i8x16_min_u, _mm_min_epu8(TERN_M(a), TERN_M(b)))
TERN_OP2(i8x16_max_u, _mm_max_epu8(TERN_M(a), TERN_M(b)))
TERN_OP2(i16x8_min_s, _mm_min_epi16(TERN_M(a), TERN_M(b)))
TERN_OP2(i16x8_max_s, _mm_max_epi16(TERN_M(a), TERN_M(b)))
#if defined(__SSE4_1__)
TERN_OP2(i8x16_min_s, _mm_min_epi8(TERN_M(a), TERN_M(b)))
TERN_OP2(i8x16_max_s, _mm_max_epi8(TERN_M(a), TERN_M(b)))
TERN_OP2(i16x8_min_u, _mm_min_epu16(TERN_M(a), TERN_M(b)))
TERN_OP2(i16x8_max_u, _mm_max_epu16(TERN_M(a), TERN_M(b)))
TERN_OP2(i32x4_min_s, _mm_min_epi32(TERN_M(a), TERN_M(b)))
TERN_OP2(i32x4_min_u, _mm_min_epu32(TERN_M(a), TERN_M(b)))
TERN_OP2(i32x4_max_s, _mm_max_epi32(TERN_M(a), TERN_M(b)))
TERN_OP2(i32x4_max_u, _mm_max_epu32(TERN_M(a), TERN_M(b)))
#else
TERN_OP2(i8x16_min_s, TERN_SELECT(i8x16_lt_s(a, b), a, b))
TERN_OP2(i8x16_max_s, TERN_SELECT(i8x16_gt_s(a, b), a, b))
TERN_OP2(i16x8_min_u, i16x8_sub(a, i16x8_sub_sat_u(a, b)))
TERN_OP2(i16x8_max_u, i16x8_add(b, i16x8_sub_sat_u(a, b)))
TERN_OP2(i32x4_min_s, TERN_SELECT(i32x4_lt_s(a, b), a, b))
TERN_OP2(i32x4_min_u, TERN_SELECT(i32x4_lt_u(a, b), a, b))
TERN_OP2(i32x4_max_s, TERN_SELECT(i32x4_gt_s(a, b), a, b))
TERN_OP2(i32x4_max_u, TERN_SELECT(i32x4_gt_u(a, b), a, b))
#endif

#if defined(__SSSE3__)
TERN_OP1(i8x16_abs, _mm_abs_epi8(TERN_M(a)))
TERN_OP1(i16x8_abs, _mm_abs_epi16(TERN_M(a)))
TERN_OP1(i32x4_abs, _mm_abs_epi32(TERN_M(a)))
#else
TERN_OP1(i8x16_abs, i8x16_min_u(a, i8x16_neg(a)))
TERN_OP1(i16x8_abs, i16x8_max_s(a, i16x8_neg(a)))
TERN_SIMD tern_v128 i32x4_abs(tern_v128 a)
{
    const tern_v128 sign = (tern_v128)((tern_i32x4)a >> 31);
    return i32x4_sub(a ^ sign, sign);
}
#endif

TERN_SIMD tern_v128 i64x2_abs(tern_v128 a)
{
    const tern_v128 sign = (tern_v128)((tern_i64x2)a >> 63);
    return i64x2_sub(a ^ sign, sign);
}

TERN_SIMD tern_v128 i8x16_popcnt(tern_v128 a)
{
#if defined(__SSSE3__)
    const __m128i table = _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const tern_v128 low = a & i8x16_splat(15);
    const tern_v128 high = (a >> 4) & i8x16_splat(15);
    return (tern_v128)_mm_add_epi8(_mm_shuffle_epi8(table, TERN_M(low)),
                                   _mm_shuffle_epi8(table, TERN_M(high)));
#else
    a -= (a >> 1) & i8x16_splat(0x55);
    a = (a & i8x16_splat(0x33)) + ((a >> 2) & i8x16_splat(0x33));
    return (a + (a >> 4)) & i8x16_splat(15);
#endif
}

TERN_SIMD tern_v128 i16x8_q15mulr_sat_s(tern_v128 a, tern_v128 b)
{
#if defined(__SSSE3__)
    const tern_v128 product = (tern_v128)_mm_mulhrs_epi16(TERN_M(a), TERN_M(b));
#else
    const tern_u16x8 high = (tern_u16x8)_mm_mulhi_epi16(TERN_M(a), TERN_M(b));
    const tern_u16x8 low = (tern_u16x8)_mm_mullo_epi16(TERN_M(a), TERN_M(b));
    const tern_v128 product = (tern_v128)(high + high + (low >> 15) + ((low >> 14) & 1));
#endif
    return product ^ i16x8_eq(product, i16x8_splat(0x8000)); /* only -1 * -1 gets there */
}

TERN_OP2(i32x4_dot_i16x8_s, _mm_madd_epi16(TERN_M(a), TERN_M(b)))

/* ---- All lanes to one number ---- */

TERN_SIMD uint32_t tern_byte_mask(tern_v128 v)
{
    return (uint32_t)_mm_movemask_epi8(TERN_M(v));
}

TERN_SIMD uint32_t v128_any_true(tern_v128 v)
{
#if defined(__SSE4_1__)
    return !_mm_testz_si128(TERN_M(v), TERN_M(v));
#else
    return tern_byte_mask(i8x16_eq(v, TERN_ZERO)) != 0xffff;
#endif
}

TERN_SIMD uint32_t i8x16_all_true(tern_v128 v)
{
    return tern_byte_mask(i8x16_eq(v, TERN_ZERO)) == 0;
}

TERN_SIMD uint32_t i16x8_all_true(tern_v128 v)
{
    return tern_byte_mask(i16x8_eq(v, TERN_ZERO)) == 0;
}

TERN_SIMD uint32_t i32x4_all_true(tern_v128 v)
{
    return tern_byte_mask(i32x4_eq(v, TERN_ZERO)) == 0;
}

TERN_SIMD uint32_t i64x2_all_true(tern_v128 v)
{
    return tern_byte_mask(i64x2_eq(v, TERN_ZERO)) == 0;
}

TERN_SIMD uint32_t i8x16_bitmask(tern_v128 v)
{
    return tern_byte_mask(v);
}

TERN_SIMD uint32_t i16x8_bitmask(tern_v128 v)
{
    return tern_byte_mask((tern_v128)_mm_packs_epi16(TERN_M(v), TERN_M(TERN_ZERO)));
}

TERN_SIMD uint32_t i32x4_bitmask(tern_v128 v)
{
    return (uint32_t)_mm_movemask_ps(TERN_PS(v));
}

TERN_SIMD uint32_t i64x2_bitmask(tern_v128 v)
{
    return (uint32_t)_mm_movemask_pd(TERN_PD(v));
}

/* ---- Lanes to other places and widths ---- */

TERN_SIMD tern_v128 i8x16_swizzle(tern_v128 a, tern_v128 b)
{
#if defined(__SSSE3__)
    const __m128i lanes = _mm_adds_epu8(TERN_M(b), TERN_M(i8x16_splat(0x70))); /* 16: bit 7 */
    return (tern_v128)_mm_shuffle_epi8(TERN_M(a), lanes);
#else
    uint8_t from[16], lanes[16];
    v128_to_bytes(from, a);
    v128_to_bytes(lanes, b);
    for (int i = 0; i < 16; i++)
        lanes[i] = lanes[i] < 16 ? from[lanes[i]] : 0;
    return v128_from_bytes(lanes);
#endif
}

TERN_OP2(i8x16_narrow_i16x8_s, _mm_packs_epi16(TERN_M(a), TERN_M(b)))
TERN_OP2(i8x16_narrow_i16x8_u, _mm_packus_epi16(TERN_M(a), TERN_M(b)))
TERN_OP2(i16x8_narrow_i32x4_s, _mm_packs_epi32(TERN_M(a), TERN_M(b)))
#if defined(__SSE4_1__)
TERN_OP2(i16x8_narrow_i32x4_u, _mm_packus_epi32(TERN_M(a), TERN_M(b)))
#else
/* Not below 0, then down by 0x8000 into the range of a signed pack, and up again. */
TERN_SIMD tern_v128 tern_pack_bias(tern_v128 v)
{
    return i32x4_sub(v & ~(tern_v128)((tern_i32x4)v >> 31), i32x4_splat(0x8000));
}
TERN_OP2(i16x8_narrow_i32x4_u,
         i16x8_narrow_i32x4_s(tern_pack_bias(a), tern_pack_bias(b)) ^ i16x8_splat(0x8000))
#endif

/* What stands above each lane of v when it is widened with its sign. */
#define TERN_SIGNS(bits, v) _mm_cmpgt_epi##bits(TERN_M(TERN_ZERO), TERN_M(v))

#if defined(__SSE4_1__)
TERN_OP1(i16x8_extend_low_i8x16_s, _mm_cvtepi8_epi16(TERN_M(a)))
TERN_OP1(i16x8_extend_low_i8x16_u, _mm_cvtepu8_epi16(TERN_M(a)))
TERN_OP1(i32x4_extend_low_i16x8_s, _mm_cvtepi16_epi32(TERN_M(a)))
TERN_OP1(i32x4_extend_low_i16x8_u, _mm_cvtepu16_epi32(TERN_M(a)))
TERN_OP1(i64x2_extend_low_i32x4_s, _mm_cvtepi32_epi64(TERN_M(a)))
TERN_OP1(i64x2_extend_low_i32x4_u, _mm_cvtepu32_epi64(TERN_M(a)))
#else
TERN_OP1(i16x8_extend_low_i8x16_s, _mm_srai_epi16(_mm_unpacklo_epi8(TERN_M(a), TERN_M(a)), 8))
TERN_OP1(i16x8_extend_low_i8x16_u, _mm_unpacklo_epi8(TERN_M(a), TERN_M(TERN_ZERO)))
TERN_OP1(i32x4_extend_low_i16x8_s, _mm_srai_epi32(_mm_unpacklo_epi16(TERN_M(a), TERN_M(a)), 16))
TERN_OP1(i32x4_extend_low_i16x8_u, _mm_unpacklo_epi16(TERN_M(a), TERN_M(TERN_ZERO)))
TERN_OP1(i64x2_extend_low_i32x4_s, _mm_unpacklo_epi32(TERN_M(a), TERN_SIGNS(32, a)))
TERN_OP1(i64x2_extend_low_i32x4_u, _mm_unpacklo_epi32(TERN_M(a), TERN_M(TERN_ZERO)))
#endif
TERN_OP1(i16x8_extend_high_i8x16_s, _mm_srai_epi16(_mm_unpackhi_epi8(TERN_M(a), TERN_M(a)), 8))
TERN_OP1(i16x8_extend_high_i8x16_u, _mm_unpackhi_epi8(TERN_M(a), TERN_M(TERN_ZERO)))
TERN_OP1(i32x4_extend_high_i16x8_s, _mm_srai_epi32(_mm_unpackhi_epi16(TERN_M(a), TERN_M(a)), 16))
TERN_OP1(i32x4_extend_high_i16x8_u, _mm_unpackhi_epi16(TERN_M(a), TERN_M(TERN_ZERO)))
TERN_OP1(i64x2_extend_high_i32x4_s, _mm_unpackhi_epi32(TERN_M(a), TERN_SIGNS(32, a)))
TERN_OP1(i64x2_extend_high_i32x4_u, _mm_unpackhi_epi32(TERN_M(a), TERN_M(TERN_ZERO)))

#define TERN_EXTMUL16(part, s)                                                                     \
    TERN_OP2(i16x8_extmul_##part##_i8x16_##s,                                                      \
             i16x8_mul(i16x8_extend_##part##_i8x16_##s(a), i16x8_extend_##part##_i8x16_##s(b)))
TERN_EXTMUL16(low, s)
TERN_EXTMUL16(low, u)
TERN_EXTMUL16(high, s)
TERN_EXTMUL16(high, u)

#define TERN_EXTMUL32(part, unpack, s, multiply)                                                   \
    TERN_OP2(i32x4_extmul_##part##_i16x8_##s,                                                      \
             unpack(_mm_mullo_epi16(TERN_M(a), TERN_M(b)), multiply(TERN_M(a), TERN_M(b))))
TERN_EXTMUL32(low, _mm_unpacklo_epi16, s, _mm_mulhi_epi16)
TERN_EXTMUL32(low, _mm_unpacklo_epi16, u, _mm_mulhi_epu16)
TERN_EXTMUL32(high, _mm_unpackhi_epi16, s, _mm_mulhi_epi16)
TERN_EXTMUL32(high, _mm_unpackhi_epi16, u, _mm_mulhi_epu16)

/* Products of the even 32-bit lanes. */
TERN_SIMD tern_v128 tern_mul_even_s(__m128i a, __m128i b)
{
#if defined(__SSE4_1__)
    return (tern_v128)_mm_mul_epi32(a, b);
#else
    const tern_v128 minus = ((tern_v128)TERN_SIGNS(32, a) & (tern_v128)b);
    const tern_v128 more = ((tern_v128)TERN_SIGNS(32, b) & (tern_v128)a);
    return (tern_v128)_mm_mul_epu32(a, b) - (minus << 32) - (more << 32);
#endif
}
#define TERN_EXTMUL64(part, unpack, s, multiply)                                                   \
    TERN_OP2(i64x2_extmul_##part##_i32x4_##s,                                                      \
             multiply(unpack(TERN_M(a), TERN_M(a)), unpack(TERN_M(b), TERN_M(b))))
TERN_EXTMUL64(low, _mm_unpacklo_epi32, s, tern_mul_even_s)
TERN_EXTMUL64(low, _mm_unpacklo_epi32, u, _mm_mul_epu32)
TERN_EXTMUL64(high, _mm_unpackhi_epi32, s, tern_mul_even_s)
TERN_EXTMUL64(high, _mm_unpackhi_epi32, u, _mm_mul_epu32)

#if defined(__SSSE3__)
TERN_OP1(i16x8_extadd_pairwise_i8x16_s, _mm_maddubs_epi16(_mm_set1_epi8(1), TERN_M(a)))
TERN_OP1(i16x8_extadd_pairwise_i8x16_u, _mm_maddubs_epi16(TERN_M(a), _mm_set1_epi8(1)))
#else
TERN_OP1(i16x8_extadd_pairwise_i8x16_s,
         ((tern_i16x8)((tern_u16x8)a << 8) >> 8) + ((tern_i16x8)a >> 8))
TERN_OP1(i16x8_extadd_pairwise_i8x16_u, ((tern_u16x8)a & 0xff) + ((tern_u16x8)a >> 8))
#endif
TERN_OP1(i32x4_extadd_pairwise_i16x8_s, _mm_madd_epi16(TERN_M(a), _mm_set1_epi16(1)))
TERN_OP1(i32x4_extadd_pairwise_i16x8_u, ((tern_u32x4)a & 0xffff) + ((tern_u32x4)a >> 16))

/* ---- Floats ---- */

/*
 * minps gives its second operand for NaN and for zeros of both signs: do it both ways, and the
 * union (for max of zeros the intersection) is right but for NaNs. Those become the canonical
 * NaN with a sign: ones, less the payload.
 */
#define TERN_FLOAT_MIN_MAX(shape, cast, pack, suffix, payload)                                     \
    TERN_SIMD tern_v128 tern_nan_##shape(tern_v128 a, tern_v128 b, tern_v128 otherwise)            \
    {                                                                                              \
        const tern_v128 nan = (tern_v128)_mm_cmpunord_##suffix(cast(a), cast(b));                  \
        return (otherwise | nan) & ~(tern_v128)((pack)nan >> payload);                             \
    }                                                                                              \
    TERN_OP2(shape##_pmin, _mm_min_##suffix(cast(b), cast(a)))                                     \
    TERN_OP2(shape##_pmax, _mm_max_##suffix(cast(b), cast(a)))                                     \
    TERN_OP2(shape##_min, tern_nan_##shape(a, b, shape##_pmin(a, b) | shape##_pmin(b, a)))         \
    TERN_OP2(shape##_max, tern_nan_##shape(a, b, shape##_pmax(a, b) & shape##_pmax(b, a)))

TERN_FLOAT_MIN_MAX(f32x4, TERN_PS, tern_u32x4, ps, 10)
TERN_FLOAT_MIN_MAX(f64x2, TERN_PD, tern_u64x2, pd, 13)

#if defined(__SSE4_1__) /* TERN_SELECT by the signs of a mask's lanes, in one instruction */
#define TERN_BLEND_PS(mask, a, b) _mm_blendv_ps(TERN_PS(b), TERN_PS(a), TERN_PS(mask))
#define TERN_BLEND_PD(mask, a, b) _mm_blendv_pd(TERN_PD(b), TERN_PD(a), TERN_PD(mask))
#endif

#if defined(__SSE4_1__)
#define TERN_ROUND(name, mode)                                                                     \
    TERN_OP1(f32x4_##name, _mm_round_ps(TERN_PS(a), (mode) | _MM_FROUND_NO_EXC))                   \
    TERN_OP1(f64x2_##name, _mm_round_pd(TERN_PD(a), (mode) | _MM_FROUND_NO_EXC))
TERN_ROUND(ceil, _MM_FROUND_TO_POS_INF)
TERN_ROUND(floor, _MM_FROUND_TO_NEG_INF)
TERN_ROUND(trunc, _MM_FROUND_TO_ZERO)
TERN_ROUND(nearest, _MM_FROUND_TO_NEAREST_INT)
#else
#include "tern_simd_round.h"
#endif

TERN_OP1(f32x4_sqrt, _mm_sqrt_ps(TERN_PS(a)))
TERN_OP1(f64x2_sqrt, _mm_sqrt_pd(TERN_PD(a)))

/* ---- Conversions ---- */

TERN_OP1(f32x4_convert_i32x4_s, _mm_cvtepi32_ps(TERN_M(a)))
TERN_OP1(f32x4_convert_i32x4_u, __builtin_convertvector((tern_u32x4)a, tern_f32x4))
TERN_OP1(f64x2_convert_low_i32x4_s, _mm_cvtepi32_pd(TERN_M(a)))
TERN_OP1(f64x2_promote_low_f32x4, _mm_cvtps_pd(TERN_PS(a)))
TERN_OP1(f32x4_demote_f64x2_zero, _mm_cvtpd_ps(TERN_PD(a)))

/* The number as the low bits of 2^52 + number. */
TERN_SIMD tern_v128 f64x2_convert_low_i32x4_u(tern_v128 a)
{
    const __m128i bits = _mm_unpacklo_epi32(TERN_M(a), _mm_set1_epi32(0x43300000));
    return (tern_v128)_mm_sub_pd((__m128d)bits, _mm_set1_pd(0x1p52));
}

/*
 * The instructions give 0x80000000 for what does not fit: right for too small, inverted for too
 * large. gcc saturates when it converts a constant by itself, so the operand is hidden from it.
 */
TERN_SIMD __m128i tern_cvttps(__m128 a)
{
    TERN_OPAQUE_V(a);
    return _mm_cvttps_epi32(a);
}

TERN_SIMD tern_v128 i32x4_trunc_sat_f32x4_s(tern_v128 a)
{
    const tern_v128 number = a & f32x4_eq(a, a);
    const tern_v128 large = f32x4_ge(a, f32x4_splat(0x1p31F));
    return (tern_v128)tern_cvttps(TERN_PS(number)) ^ large;
}

/* What lies above 2^31 is converted by itself and added. */
TERN_SIMD tern_v128 i32x4_trunc_sat_f32x4_u(tern_v128 a)
{
    const __m128 number = _mm_max_ps(TERN_PS(a), _mm_setzero_ps()); /* NaN: 0 */
    const __m128 above = _mm_sub_ps(number, _mm_set1_ps(0x1p31F));
    const tern_v128 large = (tern_v128)_mm_cmpge_ps(above, _mm_set1_ps(0x1p31F));
    const tern_i32x4 high = (tern_i32x4)((tern_v128)tern_cvttps(above) ^ large);
    const tern_i32x4 positive = high & ~(high >> 31);
    return (tern_v128)((tern_u32x4)tern_cvttps(number) + (tern_u32x4)positive);
}

TERN_SIMD tern_v128 i32x4_trunc_sat_f64x2_s_zero(tern_v128 a)
{
    const tern_v128 most = f64x2_eq(a, a) & f64x2_splat(2147483647.0); /* NaN: 0 */
    return (tern_v128)_mm_cvttpd_epi32(_mm_min_pd(TERN_PD(a), TERN_PD(most)));
}

/* Adding 2^52 leaves the rounded number in the low bits: one less where that was up. */
TERN_SIMD tern_v128 i32x4_trunc_sat_f64x2_u_zero(tern_v128 a)
{
    const __m128d number = _mm_max_pd(TERN_PD(a), _mm_setzero_pd()); /* NaN: 0 */
    const __m128d most = _mm_min_pd(number, _mm_set1_pd(4294967295.0));
    const __m128d sum = _mm_add_pd(most, _mm_set1_pd(0x1p52));
    const __m128d rounded = _mm_sub_pd(sum, _mm_set1_pd(0x1p52));
    const tern_v128 up = (tern_v128)_mm_cmpgt_pd(rounded, most);
    const tern_v128 low = (tern_v128)sum + up;
    return (tern_v128)_mm_shuffle_ps(TERN_PS(low), TERN_PS(TERN_ZERO), 0x88);
}

#endif
