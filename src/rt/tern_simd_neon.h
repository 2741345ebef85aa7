/*
 * tern_simd_neon.h - the part of tern_simd.h for little-endian aarch64.
 *
 * Not to be included by itself.
 */
#ifndef TERN_SIMD_NEON_H
#define TERN_SIMD_NEON_H

#include <arm_neon.h>

#define TERN_S8(v)  ((int8x16_t)(v))
#define TERN_U8(v)  ((uint8x16_t)(v))
#define TERN_S16(v) ((int16x8_t)(v))
#define TERN_U16(v) ((uint16x8_t)(v))
#define TERN_S32(v) ((int32x4_t)(v))
#define TERN_U32(v) ((uint32x4_t)(v))
#define TERN_S64(v) ((int64x2_t)(v))
#define TERN_U64(v) ((uint64x2_t)(v))
#define TERN_F32(v) ((float32x4_t)(v))
#define TERN_F64(v) ((float64x2_t)(v))

/* ---- Integers ---- */

TERN_SHIFTS(i8x16, tern_i8x16, tern_u8x16, int8_t, 8)
TERN_EQUAL(i64x2, tern_i64x2)
TERN_ORDERED(i64x2, s, tern_i64x2)

TERN_OP2(i8x16_add_sat_s, vqaddq_s8(TERN_S8(a), TERN_S8(b)))
TERN_OP2(i8x16_add_sat_u, vqaddq_u8(TERN_U8(a), TERN_U8(b)))
TERN_OP2(i8x16_sub_sat_s, vqsubq_s8(TERN_S8(a), TERN_S8(b)))
TERN_OP2(i8x16_sub_sat_u, vqsubq_u8(TERN_U8(a), TERN_U8(b)))
TERN_OP2(i16x8_add_sat_s, vqaddq_s16(TERN_S16(a), TERN_S16(b)))
TERN_OP2(i16x8_add_sat_u, vqaddq_u16(TERN_U16(a), TERN_U16(b)))
TERN_OP2(i16x8_sub_sat_s, vqsubq_s16(TERN_S16(a), TERN_S16(b)))
TERN_OP2(i16x8_sub_sat_u, vqsubq_u16(TERN_U16(a), TERN_U16(b)))
TERN_OP2(i8x16_avgr_u, vrhaddq_u8(TERN_U8(a), TERN_U8(b)))
TERN_OP2(i16x8_avgr_u, vrhaddq_u16(TERN_U16(a), TERN_U16(b)))

#define TERN_INT_MIN_MAX(shape, s, suffix, cast)                                                   \
    TERN_OP2(shape##_min_##s, vminq_##suffix(cast(a), cast(b)))                                    \
    TERN_OP2(shape##_max_##s, vmaxq_##suffix(cast(a), cast(b)))
TERN_INT_MIN_MAX(i8x16, s, s8, TERN_S8)
TERN_INT_MIN_MAX(i8x16, u, u8, TERN_U8)
TERN_INT_MIN_MAX(i16x8, s, s16, TERN_S16)
TERN_INT_MIN_MAX(i16x8, u, u16, TERN_U16)
TERN_INT_MIN_MAX(i32x4, s, s32, TERN_S32)
TERN_INT_MIN_MAX(i32x4, u, u32, TERN_U32)

TERN_OP1(i8x16_abs, vabsq_s8(TERN_S8(a)))
TERN_OP1(i16x8_abs, vabsq_s16(TERN_S16(a)))
TERN_OP1(i32x4_abs, vabsq_s32(TERN_S32(a)))
TERN_OP1(i64x2_abs, vabsq_s64(TERN_S64(a)))
TERN_OP1(i8x16_popcnt, vcntq_u8(TERN_U8(a)))
TERN_OP2(i16x8_q15mulr_sat_s, vqrdmulhq_s16(TERN_S16(a), TERN_S16(b)))

/* ---- All lanes to one number ---- */

TERN_SIMD uint32_t v128_any_true(tern_v128 v)
{
    return vmaxvq_u32(TERN_U32(v)) != 0;
}

TERN_SIMD uint32_t i8x16_all_true(tern_v128 v)
{
    return vminvq_u8(TERN_U8(v)) != 0;
}

TERN_SIMD uint32_t i16x8_all_true(tern_v128 v)
{
    return vminvq_u16(TERN_U16(v)) != 0;
}

TERN_SIMD uint32_t i32x4_all_true(tern_v128 v)
{
    return vminvq_u32(TERN_U32(v)) != 0;
}

TERN_SIMD uint32_t i64x2_all_true(tern_v128 v)
{
    return v[0] != 0 && v[1] != 0;
}

/* Each lane keeps one bit of its sign, at the lane's own place; the sum brings them together. */
TERN_SIMD uint32_t i8x16_bitmask(tern_v128 v)
{
    const tern_v128 place = v128_const(0x8040201008040201, 0x8040201008040201);
    const uint8x16_t bits = TERN_U8((tern_v128)((tern_i8x16)v >> 7) & place);
    const uint8x16_t pairs = vzip1q_u8(bits, vextq_u8(bits, bits, 8));
    return vaddvq_u16((uint16x8_t)pairs);
}

TERN_SIMD uint32_t i16x8_bitmask(tern_v128 v)
{
    const tern_v128 place = v128_const(0x0008000400020001, 0x0080004000200010);
    return vaddvq_u16(TERN_U16((tern_v128)((tern_i16x8)v >> 15) & place));
}

TERN_SIMD uint32_t i32x4_bitmask(tern_v128 v)
{
    const tern_v128 place = v128_const(0x0000000200000001, 0x0000000800000004);
    return vaddvq_u32(TERN_U32((tern_v128)((tern_i32x4)v >> 31) & place));
}

TERN_SIMD uint32_t i64x2_bitmask(tern_v128 v)
{
    return (uint32_t)(v[0] >> 63 | v[1] >> 63 << 1);
}

/* ---- Lanes to other places and widths ---- */

TERN_OP2(i8x16_swizzle, vqtbl1q_u8(TERN_U8(a), TERN_U8(b)))

TERN_OP2(i8x16_narrow_i16x8_s, vqmovn_high_s16(vqmovn_s16(TERN_S16(a)), TERN_S16(b)))
TERN_OP2(i8x16_narrow_i16x8_u, vqmovun_high_s16(vqmovun_s16(TERN_S16(a)), TERN_S16(b)))
TERN_OP2(i16x8_narrow_i32x4_s, vqmovn_high_s32(vqmovn_s32(TERN_S32(a)), TERN_S32(b)))
TERN_OP2(i16x8_narrow_i32x4_u, vqmovun_high_s32(vqmovun_s32(TERN_S32(a)), TERN_S32(b)))

/* wide and narrow shape, s or u, suffix of the narrow type, its cast */
#define TERN_WIDEN(wide, narrow, s, suffix, cast)                                                  \
    TERN_OP1(wide##_extend_low_##narrow##_##s, vmovl_##suffix(vget_low_##suffix(cast(a))))         \
    TERN_OP1(wide##_extend_high_##narrow##_##s, vmovl_high_##suffix(cast(a)))                      \
    TERN_OP2(wide##_extmul_low_##narrow##_##s,                                                     \
             vmull_##suffix(vget_low_##suffix(cast(a)), vget_low_##suffix(cast(b))))               \
    TERN_OP2(wide##_extmul_high_##narrow##_##s, vmull_high_##suffix(cast(a), cast(b)))
TERN_WIDEN(i16x8, i8x16, s, s8, TERN_S8)
TERN_WIDEN(i16x8, i8x16, u, u8, TERN_U8)
TERN_WIDEN(i32x4, i16x8, s, s16, TERN_S16)
TERN_WIDEN(i32x4, i16x8, u, u16, TERN_U16)
TERN_WIDEN(i64x2, i32x4, s, s32, TERN_S32)
TERN_WIDEN(i64x2, i32x4, u, u32, TERN_U32)

TERN_OP1(i16x8_extadd_pairwise_i8x16_s, vpaddlq_s8(TERN_S8(a)))
TERN_OP1(i16x8_extadd_pairwise_i8x16_u, vpaddlq_u8(TERN_U8(a)))
TERN_OP1(i32x4_extadd_pairwise_i16x8_s, vpaddlq_s16(TERN_S16(a)))
TERN_OP1(i32x4_extadd_pairwise_i16x8_u, vpaddlq_u16(TERN_U16(a)))

TERN_OP2(i32x4_dot_i16x8_s, vpaddq_s32(TERN_S32(i32x4_extmul_low_i16x8_s(a, b)),
                                       TERN_S32(i32x4_extmul_high_i16x8_s(a, b))))

/* ---- Floats: FMIN, FMAX, FRINT* and FCVTZ* are as WebAssembly wants them ---- */

TERN_OP2(f32x4_min, vminq_f32(TERN_F32(a), TERN_F32(b)))
TERN_OP2(f32x4_max, vmaxq_f32(TERN_F32(a), TERN_F32(b)))
TERN_OP2(f64x2_min, vminq_f64(TERN_F64(a), TERN_F64(b)))
TERN_OP2(f64x2_max, vmaxq_f64(TERN_F64(a), TERN_F64(b)))
TERN_OP2(f32x4_pmin, TERN_SELECT(f32x4_lt(b, a), b, a))
TERN_OP2(f32x4_pmax, TERN_SELECT(f32x4_lt(a, b), b, a))
TERN_OP2(f64x2_pmin, TERN_SELECT(f64x2_lt(b, a), b, a))
TERN_OP2(f64x2_pmax, TERN_SELECT(f64x2_lt(a, b), b, a))

#define TERN_FLOAT_UNARY(name, function)                                                           \
    TERN_OP1(f32x4_##name, function##_f32(TERN_F32(a)))                                            \
    TERN_OP1(f64x2_##name, function##_f64(TERN_F64(a)))
TERN_FLOAT_UNARY(ceil, vrndpq)
TERN_FLOAT_UNARY(floor, vrndmq)
TERN_FLOAT_UNARY(trunc, vrndq)
TERN_FLOAT_UNARY(nearest, vrndnq)
TERN_FLOAT_UNARY(sqrt, vsqrtq)

/* ---- Conversions ---- */

/* A promotion that is demoted again would be dropped, and with it the quieting of NaNs. */
TERN_SIMD float64x2_t tern_promoted(float64x2_t v)
{
    TERN_OPAQUE_V(v);
    return v;
}

TERN_OP1(f32x4_convert_i32x4_s, vcvtq_f32_s32(TERN_S32(a)))
TERN_OP1(f32x4_convert_i32x4_u, vcvtq_f32_u32(TERN_U32(a)))
TERN_OP1(f64x2_convert_low_i32x4_s, vcvtq_f64_s64((int64x2_t)i64x2_extend_low_i32x4_s(a)))
TERN_OP1(f64x2_convert_low_i32x4_u, vcvtq_f64_u64((uint64x2_t)i64x2_extend_low_i32x4_u(a)))
TERN_OP1(f64x2_promote_low_f32x4, tern_promoted(vcvt_f64_f32(vget_low_f32(TERN_F32(a)))))
TERN_OP1(f32x4_demote_f64x2_zero, vcombine_f32(vcvt_f32_f64(TERN_F64(a)), vdup_n_f32(0)))
TERN_OP1(i32x4_trunc_sat_f32x4_s, vcvtq_s32_f32(TERN_F32(a)))
TERN_OP1(i32x4_trunc_sat_f32x4_u, vcvtq_u32_f32(TERN_F32(a)))
TERN_OP1(i32x4_trunc_sat_f64x2_s_zero,
         vcombine_s32(vqmovn_s64(vcvtq_s64_f64(TERN_F64(a))), vdup_n_s32(0)))
TERN_OP1(i32x4_trunc_sat_f64x2_u_zero,
         vcombine_u32(vqmovn_u64(vcvtq_u64_f64(TERN_F64(a))), vdup_n_u32(0)))

#endif
