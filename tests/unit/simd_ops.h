/*
 * simd_ops - the vector instructions without immediates, by their operands, for tests.
 *
 * The second argument says how results are to be compared: b all bits, f and d as lanes of f32 or
 * f64 of which NaNs need only be quiet.
 */
#ifndef TERN_TEST_SIMD_OPS_H
#define TERN_TEST_SIMD_OPS_H

#include "rt/tern_simd.h"

/* clang-format off */
#define SIMD_UNARY(X) \
    X(v128_not, 'b') X(f32x4_demote_f64x2_zero, 'f') X(f64x2_promote_low_f32x4, 'd') \
    X(i8x16_abs, 'b') X(i8x16_neg, 'b') X(i8x16_popcnt, 'b') X(f32x4_ceil, 'f') \
    X(f32x4_floor, 'f') X(f32x4_trunc, 'f') X(f32x4_nearest, 'f') X(f64x2_ceil, 'd') \
    X(f64x2_floor, 'd') X(f64x2_trunc, 'd') X(i16x8_extadd_pairwise_i8x16_s, 'b') \
    X(i16x8_extadd_pairwise_i8x16_u, 'b') X(i32x4_extadd_pairwise_i16x8_s, 'b') \
    X(i32x4_extadd_pairwise_i16x8_u, 'b') X(i16x8_abs, 'b') X(i16x8_neg, 'b') \
    X(i16x8_extend_low_i8x16_s, 'b') X(i16x8_extend_high_i8x16_s, 'b') \
    X(i16x8_extend_low_i8x16_u, 'b') X(i16x8_extend_high_i8x16_u, 'b') X(f64x2_nearest, 'd') \
    X(i32x4_abs, 'b') X(i32x4_neg, 'b') X(i32x4_extend_low_i16x8_s, 'b') \
    X(i32x4_extend_high_i16x8_s, 'b') X(i32x4_extend_low_i16x8_u, 'b') \
    X(i32x4_extend_high_i16x8_u, 'b') X(i64x2_abs, 'b') X(i64x2_neg, 'b') \
    X(i64x2_extend_low_i32x4_s, 'b') X(i64x2_extend_high_i32x4_s, 'b') \
    X(i64x2_extend_low_i32x4_u, 'b') X(i64x2_extend_high_i32x4_u, 'b') X(f32x4_abs, 'b') \
    X(f32x4_neg, 'b') X(f32x4_sqrt, 'f') X(f64x2_abs, 'b') X(f64x2_neg, 'b') X(f64x2_sqrt, 'd') \
    X(i32x4_trunc_sat_f32x4_s, 'b') X(i32x4_trunc_sat_f32x4_u, 'b') \
    X(f32x4_convert_i32x4_s, 'f') X(f32x4_convert_i32x4_u, 'f') \
    X(i32x4_trunc_sat_f64x2_s_zero, 'b') X(i32x4_trunc_sat_f64x2_u_zero, 'b') \
    X(f64x2_convert_low_i32x4_s, 'd') X(f64x2_convert_low_i32x4_u, 'd')

#define SIMD_BINARY(X) \
    X(i8x16_swizzle, 'b') X(i8x16_eq, 'b') X(i8x16_ne, 'b') X(i8x16_lt_s, 'b') \
    X(i8x16_lt_u, 'b') X(i8x16_gt_s, 'b') X(i8x16_gt_u, 'b') X(i8x16_le_s, 'b') \
    X(i8x16_le_u, 'b') X(i8x16_ge_s, 'b') X(i8x16_ge_u, 'b') X(i16x8_eq, 'b') X(i16x8_ne, 'b') \
    X(i16x8_lt_s, 'b') X(i16x8_lt_u, 'b') X(i16x8_gt_s, 'b') X(i16x8_gt_u, 'b') \
    X(i16x8_le_s, 'b') X(i16x8_le_u, 'b') X(i16x8_ge_s, 'b') X(i16x8_ge_u, 'b') X(i32x4_eq, 'b') \
    X(i32x4_ne, 'b') X(i32x4_lt_s, 'b') X(i32x4_lt_u, 'b') X(i32x4_gt_s, 'b') X(i32x4_gt_u, 'b') \
    X(i32x4_le_s, 'b') X(i32x4_le_u, 'b') X(i32x4_ge_s, 'b') X(i32x4_ge_u, 'b') X(f32x4_eq, 'b') \
    X(f32x4_ne, 'b') X(f32x4_lt, 'b') X(f32x4_gt, 'b') X(f32x4_le, 'b') X(f32x4_ge, 'b') \
    X(f64x2_eq, 'b') X(f64x2_ne, 'b') X(f64x2_lt, 'b') X(f64x2_gt, 'b') X(f64x2_le, 'b') \
    X(f64x2_ge, 'b') X(v128_and, 'b') X(v128_andnot, 'b') X(v128_or, 'b') X(v128_xor, 'b') \
    X(i8x16_narrow_i16x8_s, 'b') X(i8x16_narrow_i16x8_u, 'b') X(i8x16_add, 'b') \
    X(i8x16_add_sat_s, 'b') X(i8x16_add_sat_u, 'b') X(i8x16_sub, 'b') X(i8x16_sub_sat_s, 'b') \
    X(i8x16_sub_sat_u, 'b') X(i8x16_min_s, 'b') X(i8x16_min_u, 'b') X(i8x16_max_s, 'b') \
    X(i8x16_max_u, 'b') X(i8x16_avgr_u, 'b') X(i16x8_q15mulr_sat_s, 'b') \
    X(i16x8_narrow_i32x4_s, 'b') X(i16x8_narrow_i32x4_u, 'b') X(i16x8_add, 'b') \
    X(i16x8_add_sat_s, 'b') X(i16x8_add_sat_u, 'b') X(i16x8_sub, 'b') X(i16x8_sub_sat_s, 'b') \
    X(i16x8_sub_sat_u, 'b') X(i16x8_mul, 'b') X(i16x8_min_s, 'b') X(i16x8_min_u, 'b') \
    X(i16x8_max_s, 'b') X(i16x8_max_u, 'b') X(i16x8_avgr_u, 'b') \
    X(i16x8_extmul_low_i8x16_s, 'b') X(i16x8_extmul_high_i8x16_s, 'b') \
    X(i16x8_extmul_low_i8x16_u, 'b') X(i16x8_extmul_high_i8x16_u, 'b') X(i32x4_add, 'b') \
    X(i32x4_sub, 'b') X(i32x4_mul, 'b') X(i32x4_min_s, 'b') X(i32x4_min_u, 'b') \
    X(i32x4_max_s, 'b') X(i32x4_max_u, 'b') X(i32x4_dot_i16x8_s, 'b') \
    X(i32x4_extmul_low_i16x8_s, 'b') X(i32x4_extmul_high_i16x8_s, 'b') \
    X(i32x4_extmul_low_i16x8_u, 'b') X(i32x4_extmul_high_i16x8_u, 'b') X(i64x2_add, 'b') \
    X(i64x2_sub, 'b') X(i64x2_mul, 'b') X(i64x2_eq, 'b') X(i64x2_ne, 'b') X(i64x2_lt_s, 'b') \
    X(i64x2_gt_s, 'b') X(i64x2_le_s, 'b') X(i64x2_ge_s, 'b') X(i64x2_extmul_low_i32x4_s, 'b') \
    X(i64x2_extmul_high_i32x4_s, 'b') X(i64x2_extmul_low_i32x4_u, 'b') \
    X(i64x2_extmul_high_i32x4_u, 'b') X(f32x4_add, 'f') X(f32x4_sub, 'f') X(f32x4_mul, 'f') \
    X(f32x4_div, 'f') X(f32x4_min, 'f') X(f32x4_max, 'f') X(f32x4_pmin, 'b') X(f32x4_pmax, 'b') \
    X(f64x2_add, 'd') X(f64x2_sub, 'd') X(f64x2_mul, 'd') X(f64x2_div, 'd') X(f64x2_min, 'd') \
    X(f64x2_max, 'd') X(f64x2_pmin, 'b') X(f64x2_pmax, 'b')

#define SIMD_SHIFTS(X) \
    X(i8x16_shl, 'b') X(i8x16_shr_s, 'b') X(i8x16_shr_u, 'b') X(i16x8_shl, 'b') \
    X(i16x8_shr_s, 'b') X(i16x8_shr_u, 'b') X(i32x4_shl, 'b') X(i32x4_shr_s, 'b') \
    X(i32x4_shr_u, 'b') X(i64x2_shl, 'b') X(i64x2_shr_s, 'b') X(i64x2_shr_u, 'b')

#define SIMD_REDUCTIONS(X) \
    X(v128_any_true, 'b') X(i8x16_all_true, 'b') X(i8x16_bitmask, 'b') X(i16x8_all_true, 'b') \
    X(i16x8_bitmask, 'b') X(i32x4_all_true, 'b') X(i32x4_bitmask, 'b') X(i64x2_all_true, 'b') \
    X(i64x2_bitmask, 'b')

/* clang-format on */

struct simd_op {
    const char *name;
    char compare;
    tern_v128 (*unary)(tern_v128);
    tern_v128 (*binary)(tern_v128, tern_v128);
    tern_v128 (*shift)(tern_v128, uint32_t);
    uint32_t (*reduction)(tern_v128);
};

/* Both end with an entry without a name, and have the same order. */
extern const struct simd_op simd_ops_native[]; /* as this processor does them */
extern const struct simd_op simd_ops_any[];    /* tern_simd_any.h */

#endif
