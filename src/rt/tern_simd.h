/*
 * tern_simd.h - the 128-bit vector instructions of WebAssembly 2.0, for generated C.
 *
 * Names     The instruction's text with '_' for '.': i32x4_add(a, b). Lane numbers come last and
 *           must be constants; memory instructions take the address of the first byte.
 * Here      Types, loads and stores, lanes, and everything that plain vector arithmetic of GNU C
 *           compiles well on every processor. The rest, where instructions of the processor or
 *           more thought are needed, is in tern_simd_sse.h, tern_simd_neon.h and, for all others,
 *           tern_simd_any.h; define TERN_SIMD_ANY to get that one anywhere.
 * Layout    A tern_v128 holds the sixteen bytes in memory order on little-endian machines and
 *           turned around as a whole on big-endian ones: so each lane has its right value under
 *           every shape, and only lane *numbers* have to be mirrored (TERN_LANE).
 * Exact     No C undefined behaviour; NaNs are quieted where WebAssembly asks for it.
 */
#ifndef TERN_SIMD_H
#define TERN_SIMD_H

#include <stdint.h>

typedef uint64_t tern_v128 __attribute__((vector_size(16)));

typedef int8_t tern_i8x16 __attribute__((vector_size(16)));
typedef uint8_t tern_u8x16 __attribute__((vector_size(16)));
typedef int16_t tern_i16x8 __attribute__((vector_size(16)));
typedef uint16_t tern_u16x8 __attribute__((vector_size(16)));
typedef int32_t tern_i32x4 __attribute__((vector_size(16)));
typedef uint32_t tern_u32x4 __attribute__((vector_size(16)));
typedef int64_t tern_i64x2 __attribute__((vector_size(16)));
typedef uint64_t tern_u64x2 __attribute__((vector_size(16)));
typedef float tern_f32x4 __attribute__((vector_size(16)));
typedef double tern_f64x2 __attribute__((vector_size(16)));

/* Always inline: an access must belong to the line of the instruction that makes it. */
#define TERN_SIMD_ACCESS static inline __attribute__((always_inline))
#ifdef __OPTIMIZE__
#define TERN_SIMD TERN_SIMD_ACCESS
#else
#define TERN_SIMD static inline
#endif

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define TERN_LANE(count, lane) ((count)-1 - (lane))
#define TERN_LITTLE16(x)       __builtin_bswap16(x)
#define TERN_LITTLE32(x)       __builtin_bswap32(x)
#define TERN_LITTLE64(x)       __builtin_bswap64(x)
#define v128_const(lo, hi)     ((tern_v128){(hi), (lo)})
#else
#define TERN_LANE(count, lane) (lane)
#define TERN_LITTLE16(x)       (x)
#define TERN_LITTLE32(x)       (x)
#define TERN_LITTLE64(x)       (x)
#define v128_const(lo, hi)     ((tern_v128){(lo), (hi)})
#endif

#if defined(__x86_64__)
#define TERN_VECTOR_REGISTER "x"
#elif defined(__aarch64__)
#define TERN_VECTOR_REGISTER "w"
#elif defined(__s390x__) && defined(__VX__)
#define TERN_VECTOR_REGISTER "v"
#else
#define TERN_VECTOR_REGISTER "m"
#endif

/* Makes the compiler believe that v could be anything now. */
#define TERN_OPAQUE_V(v) __asm__("" : "+" TERN_VECTOR_REGISTER(v))

/*
 * Makes it believe that all of v is used, so that the load behind it stays, is not narrowed to the
 * lanes that are needed, and can trap.
 */
TERN_SIMD tern_v128 tern_keep_v(tern_v128 v)
{
    __asm__ volatile("" : : TERN_VECTOR_REGISTER(v));
    return v;
}

/*
 * x * 1 and the like are not x when x is a signalling NaN, but compilers drop them: so constants
 * that could be such an operand are hidden where they meet floats; from clang all constants, since
 * it also gives a signalling NaN that it knows back as it is. What is no constant costs nothing.
 */
#ifdef __clang__
#define TERN_IS_UNIT(bits) 1
#else
#define TERN_IS_UNIT(bits)                                                                         \
    ((bits) << 1 == 0 || (bits) << 1 == 0x7fe0000000000000 || ((bits)&0x7fffffff7fffffff) == 0 ||  \
     ((bits)&0x7fffffff7fffffff) == 0x3f8000003f800000)
#endif
TERN_SIMD tern_v128 tern_hide(tern_v128 v)
{
    if (__builtin_constant_p(v[0]) && TERN_IS_UNIT(v[0]))
        TERN_OPAQUE_V(v);
    return v;
}
#define TERN_HIDE(v) tern_hide(v)
#define TERN_HIDE_FLOAT(x)                                                                         \
    (__extension__({                                                                               \
        __typeof__(x) tern_float = (x);                                                            \
        if (__builtin_constant_p(tern_float))                                                      \
            TERN_OPAQUE_V(tern_float);                                                             \
        tern_float;                                                                                \
    }))

/* ---- Bytes ---- */

TERN_SIMD_ACCESS uint16_t tern_get16(const void *p)
{
    uint16_t x;
    __builtin_memcpy(&x, p, sizeof x);
    return TERN_LITTLE16(x);
}

TERN_SIMD_ACCESS uint32_t tern_get32(const void *p)
{
    uint32_t x;
    __builtin_memcpy(&x, p, sizeof x);
    return TERN_LITTLE32(x);
}

TERN_SIMD_ACCESS uint64_t tern_get64(const void *p)
{
    uint64_t x;
    __builtin_memcpy(&x, p, sizeof x);
    return TERN_LITTLE64(x);
}

TERN_SIMD_ACCESS void tern_put16(void *p, uint16_t x)
{
    x = TERN_LITTLE16(x);
    __builtin_memcpy(p, &x, sizeof x);
}

TERN_SIMD_ACCESS void tern_put32(void *p, uint32_t x)
{
    x = TERN_LITTLE32(x);
    __builtin_memcpy(p, &x, sizeof x);
}

TERN_SIMD_ACCESS void tern_put64(void *p, uint64_t x)
{
    x = TERN_LITTLE64(x);
    __builtin_memcpy(p, &x, sizeof x);
}

TERN_SIMD_ACCESS tern_v128 v128_from_bytes(const uint8_t *p)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return v128_const(tern_get64(p), tern_get64(p + 8));
#else
    tern_v128 v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
#endif
}

TERN_SIMD_ACCESS void v128_to_bytes(uint8_t *p, tern_v128 v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    tern_put64(p, v[1]);
    tern_put64(p + 8, v[0]);
#else
    __builtin_memcpy(p, &v, sizeof v);
#endif
}

/* ---- Splat ---- */

TERN_SIMD tern_v128 i8x16_splat(uint32_t x)
{
    return (tern_v128)((tern_u8x16){0} + (uint8_t)x);
}

TERN_SIMD tern_v128 i16x8_splat(uint32_t x)
{
    return (tern_v128)((tern_u16x8){0} + (uint16_t)x);
}

TERN_SIMD tern_v128 i32x4_splat(uint32_t x)
{
    return (tern_v128)(tern_u32x4){x, x, x, x};
}

TERN_SIMD tern_v128 i64x2_splat(uint64_t x)
{
    return (tern_v128){x, x};
}

TERN_SIMD tern_v128 f32x4_splat(float x)
{
    return (tern_v128)(tern_f32x4){x, x, x, x};
}

TERN_SIMD tern_v128 f64x2_splat(double x)
{
    return (tern_v128)(tern_f64x2){x, x};
}

/* ---- Lanes ---- */

#define TERN_EXTRACT(type, count, v, lane) (((type)(v))[TERN_LANE(count, lane)])

#define TERN_REPLACE(type, count, v, x, lane)                                                      \
    (__extension__({                                                                               \
        type tern_lanes = (type)(v);                                                               \
        tern_lanes[TERN_LANE(count, lane)] = (x);                                                  \
        (tern_v128) tern_lanes;                                                                    \
    }))

/* Bare SSE2 moves 16-bit lanes, but bytes only by way of memory. */
#if defined(__SSE2__) && !defined(__SSE4_1__)
#define TERN_BYTE(v, lane) ((uint8_t)(TERN_EXTRACT(tern_u16x8, 8, v, (lane) / 2) >> (lane) % 2 * 8))
#define i8x16_replace_lane(v, x, lane)                                                             \
    (__extension__({                                                                               \
        tern_u16x8 tern_lanes = (tern_u16x8)(v);                                                   \
        tern_lanes[(lane) / 2] =                                                                   \
            (uint16_t)((tern_lanes[(lane) / 2] & (0xff00 >> (lane) % 2 * 8)) |                     \
                       (uint32_t)(uint8_t)(x) << (lane) % 2 * 8);                                  \
        (tern_v128) tern_lanes;                                                                    \
    }))
#else
#define TERN_BYTE(v, lane)             TERN_EXTRACT(tern_u8x16, 16, v, lane)
#define i8x16_replace_lane(v, x, lane) TERN_REPLACE(tern_u8x16, 16, v, (uint8_t)(x), lane)
#endif

#define i8x16_extract_lane_s(v, lane)  ((uint32_t)(int8_t)TERN_BYTE(v, lane))
#define i8x16_extract_lane_u(v, lane)  ((uint32_t)TERN_BYTE(v, lane))
#define i16x8_extract_lane_s(v, lane)  ((uint32_t)TERN_EXTRACT(tern_i16x8, 8, v, lane))
#define i16x8_extract_lane_u(v, lane)  ((uint32_t)TERN_EXTRACT(tern_u16x8, 8, v, lane))
#define i16x8_replace_lane(v, x, lane) TERN_REPLACE(tern_u16x8, 8, v, (uint16_t)(x), lane)
#define i32x4_extract_lane(v, lane)    TERN_EXTRACT(tern_u32x4, 4, v, lane)
#define i32x4_replace_lane(v, x, lane) TERN_REPLACE(tern_u32x4, 4, v, (uint32_t)(x), lane)
#define i64x2_extract_lane(v, lane)    TERN_EXTRACT(tern_u64x2, 2, v, lane)
#define i64x2_replace_lane(v, x, lane) TERN_REPLACE(tern_u64x2, 2, v, (uint64_t)(x), lane)
#define f32x4_extract_lane(v, lane)    TERN_HIDE_FLOAT(TERN_EXTRACT(tern_f32x4, 4, v, lane))
#define f32x4_replace_lane(v, x, lane) TERN_REPLACE(tern_f32x4, 4, v, x, lane)
#define f64x2_extract_lane(v, lane)    TERN_HIDE_FLOAT(TERN_EXTRACT(tern_f64x2, 2, v, lane))
#define f64x2_replace_lane(v, x, lane) TERN_REPLACE(tern_f64x2, 2, v, x, lane)

/* A lane of two vectors of 16 bytes, numbered 0 to 31 by WebAssembly, as GNU C numbers it. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define TERN_LANE2(count, lane) ((lane) < (count) ? (count)-1 - (lane) : 3 * (count)-1 - (lane))
#define TERN_SHUFFLE8(a, b, l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, la, lb, lc, ld, le, lf)        \
    (tern_v128) __builtin_shufflevector(                                                           \
        (tern_u8x16)(a), (tern_u8x16)(b), TERN_LANE2(16, lf), TERN_LANE2(16, le),                  \
        TERN_LANE2(16, ld), TERN_LANE2(16, lc), TERN_LANE2(16, lb), TERN_LANE2(16, la),            \
        TERN_LANE2(16, l9), TERN_LANE2(16, l8), TERN_LANE2(16, l7), TERN_LANE2(16, l6),            \
        TERN_LANE2(16, l5), TERN_LANE2(16, l4), TERN_LANE2(16, l3), TERN_LANE2(16, l2),            \
        TERN_LANE2(16, l1), TERN_LANE2(16, l0))
#else
#define TERN_SHUFFLE8(a, b, l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, la, lb, lc, ld, le, lf)        \
    (tern_v128) __builtin_shufflevector((tern_u8x16)(a), (tern_u8x16)(b), l0, l1, l2, l3, l4, l5,  \
                                        l6, l7, l8, l9, la, lb, lc, ld, le, lf)
#endif

#if defined(__SSE2__) && !defined(__clang__)
/*
 * gcc makes a byte shuffle of everything, which bare SSE2 does not even have; most shuffles move
 * whole lanes of 32 or 16 bits.
 */
#define TERN_RUN2(x, y)       ((x) % 2 == 0 && (y) == (x) + 1)
#define TERN_RUN4(w, x, y, z) ((w) % 4 == 0 && (x) == (w) + 1 && (y) == (w) + 2 && (z) == (w) + 3)
#define i8x16_shuffle(a, b, l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, la, lb, lc, ld, le, lf)        \
    (__extension__({                                                                               \
        const tern_v128 tern_x = (a), tern_y = (b);                                                \
        TERN_RUN4(l0, l1, l2, l3) && TERN_RUN4(l4, l5, l6, l7) && TERN_RUN4(l8, l9, la, lb) &&     \
                TERN_RUN4(lc, ld, le, lf)                                                          \
            ? (tern_v128)__builtin_shufflevector((tern_u32x4)tern_x, (tern_u32x4)tern_y, (l0) / 4, \
                                                 (l4) / 4, (l8) / 4, (lc) / 4)                     \
        : TERN_RUN2(l0, l1) && TERN_RUN2(l2, l3) && TERN_RUN2(l4, l5) && TERN_RUN2(l6, l7) &&      \
                TERN_RUN2(l8, l9) && TERN_RUN2(la, lb) && TERN_RUN2(lc, ld) && TERN_RUN2(le, lf)   \
            ? (tern_v128)__builtin_shufflevector((tern_u16x8)tern_x, (tern_u16x8)tern_y, (l0) / 2, \
                                                 (l2) / 2, (l4) / 2, (l6) / 2, (l8) / 2, (la) / 2, \
                                                 (lc) / 2, (le) / 2)                               \
            : TERN_SHUFFLE8(tern_x, tern_y, l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, la, lb, lc,    \
                            ld, le, lf);                                                           \
    }))
#else
#define i8x16_shuffle TERN_SHUFFLE8
#endif

/* ---- Bits ---- */

#define TERN_OP1(name, expression)                                                                 \
    TERN_SIMD tern_v128 name(tern_v128 a)                                                          \
    {                                                                                              \
        return (tern_v128)(expression);                                                            \
    }

#define TERN_OP2(name, expression)                                                                 \
    TERN_SIMD tern_v128 name(tern_v128 a, tern_v128 b)                                             \
    {                                                                                              \
        return (tern_v128)(expression);                                                            \
    }

/* Where mask has ones, a, else b. */
#define TERN_SELECT(mask, a, b) (((a) & (mask)) | ((b) & ~(mask)))

TERN_OP1(v128_not, ~a)
TERN_OP2(v128_and, a &b)
TERN_OP2(v128_andnot, a & ~b)
TERN_OP2(v128_or, a | b)
TERN_OP2(v128_xor, a ^ b)

TERN_SIMD tern_v128 v128_bitselect(tern_v128 a, tern_v128 b, tern_v128 mask)
{
    return TERN_SELECT(mask, a, b);
}

/* ---- Integers ---- */

#define TERN_INTEGERS(shape, type)                                                                 \
    TERN_OP1(shape##_neg, -(type)a)                                                                \
    TERN_OP2(shape##_add, (type)a + (type)b)                                                       \
    TERN_OP2(shape##_sub, (type)a - (type)b)

#define TERN_EQUAL(shape, type)                                                                    \
    TERN_OP2(shape##_eq, (type)a == (type)b)                                                       \
    TERN_OP2(shape##_ne, (type)a != (type)b)

#define TERN_ORDERED(shape, s, type)                                                               \
    TERN_OP2(shape##_lt_##s, (type)a < (type)b)                                                    \
    TERN_OP2(shape##_gt_##s, (type)a > (type)b)                                                    \
    TERN_OP2(shape##_le_##s, (type)a <= (type)b)                                                   \
    TERN_OP2(shape##_ge_##s, (type)a >= (type)b)

#define TERN_SHIFTS(shape, signed_type, unsigned_type, lane_type, bits)                            \
    TERN_SIMD tern_v128 shape##_shl(tern_v128 v, uint32_t n)                                       \
    {                                                                                              \
        return (tern_v128)((unsigned_type)v << (lane_type)(n & (bits - 1)));                       \
    }                                                                                              \
    TERN_SIMD tern_v128 shape##_shr_s(tern_v128 v, uint32_t n)                                     \
    {                                                                                              \
        return (tern_v128)((signed_type)v >> (lane_type)(n & (bits - 1)));                         \
    }                                                                                              \
    TERN_SIMD tern_v128 shape##_shr_u(tern_v128 v, uint32_t n)                                     \
    {                                                                                              \
        return (tern_v128)((unsigned_type)v >> (lane_type)(n & (bits - 1)));                       \
    }

TERN_INTEGERS(i8x16, tern_u8x16)
TERN_INTEGERS(i16x8, tern_u16x8)
TERN_INTEGERS(i32x4, tern_u32x4)
TERN_INTEGERS(i64x2, tern_u64x2)

TERN_EQUAL(i8x16, tern_i8x16)
TERN_EQUAL(i16x8, tern_i16x8)
TERN_EQUAL(i32x4, tern_i32x4)

TERN_ORDERED(i8x16, s, tern_i8x16)
TERN_ORDERED(i8x16, u, tern_u8x16)
TERN_ORDERED(i16x8, s, tern_i16x8)
TERN_ORDERED(i16x8, u, tern_u16x8)
TERN_ORDERED(i32x4, s, tern_i32x4)
TERN_ORDERED(i32x4, u, tern_u32x4)

TERN_SHIFTS(i16x8, tern_i16x8, tern_u16x8, int16_t, 16)
TERN_SHIFTS(i32x4, tern_i32x4, tern_u32x4, int32_t, 32)
TERN_SHIFTS(i64x2, tern_i64x2, tern_u64x2, int64_t, 64)

TERN_OP2(i16x8_mul, (tern_u16x8)a *(tern_u16x8)b)
TERN_OP2(i32x4_mul, (tern_u32x4)a *(tern_u32x4)b)
TERN_OP2(i64x2_mul, (tern_u64x2)a *(tern_u64x2)b)

/* ---- Floats ---- */

#define TERN_ARITHMETIC(name, type, operator)                                                      \
    TERN_OP2(name, (type)TERN_HIDE(a) operator(type) TERN_HIDE(b))

#define TERN_FLOATS(shape, type)                                                                   \
    TERN_OP2(shape##_eq, (type)a == (type)b)                                                       \
    TERN_OP2(shape##_ne, (type)a != (type)b)                                                       \
    TERN_OP2(shape##_lt, (type)a < (type)b)                                                        \
    TERN_OP2(shape##_gt, (type)a > (type)b)                                                        \
    TERN_OP2(shape##_le, (type)a <= (type)b)                                                       \
    TERN_OP2(shape##_ge, (type)a >= (type)b)                                                       \
    TERN_ARITHMETIC(shape##_add, type, +)                                                          \
    TERN_ARITHMETIC(shape##_sub, type, -)                                                          \
    TERN_ARITHMETIC(shape##_mul, type, *)                                                          \
    TERN_ARITHMETIC(shape##_div, type, /)

#define TERN_SIGN32 ((uint32_t)1 << 31)
#define TERN_SIGN64 ((uint64_t)1 << 63)

TERN_FLOATS(f32x4, tern_f32x4)
TERN_FLOATS(f64x2, tern_f64x2)

TERN_OP1(f32x4_abs, (tern_u32x4)a & ~TERN_SIGN32)
TERN_OP1(f32x4_neg, (tern_u32x4)a ^ TERN_SIGN32)
TERN_OP1(f64x2_abs, a & ~TERN_SIGN64)
TERN_OP1(f64x2_neg, a ^ TERN_SIGN64)

/* ---- What depends on the processor ---- */

#if defined(TERN_SIMD_ANY) || __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#include "tern_simd_any.h"
#elif defined(__SSE2__)
#include "tern_simd_sse.h"
#elif defined(__aarch64__)
#include "tern_simd_neon.h"
#else
#include "tern_simd_any.h"
#endif

/* ---- Canonical NaNs: see f64_canonical ---- */

#define TERN_NANS32 v128_const(0x7fc000007fc00000, 0x7fc000007fc00000)
#define TERN_NANS64 v128_const(0x7ff8000000000000, 0x7ff8000000000000)
#ifdef TERN_BLEND_PS
TERN_OP1(f32x4_canonical, TERN_BLEND_PS(f32x4_ne(a, a), TERN_NANS32, a))
TERN_OP1(f64x2_canonical, TERN_BLEND_PD(f64x2_ne(a, a), TERN_NANS64, a))
#else
TERN_OP1(f32x4_canonical, TERN_SELECT(f32x4_eq(a, a), a, TERN_NANS32))
TERN_OP1(f64x2_canonical, TERN_SELECT(f64x2_eq(a, a), a, TERN_NANS64))
#endif

/* ---- Memory ---- */

#define TERN_LOAD(name, expression)                                                                \
    TERN_SIMD_ACCESS tern_v128 name(const void *p)                                                 \
    {                                                                                              \
        return tern_keep_v(expression);                                                            \
    }

TERN_LOAD(v128_load, v128_from_bytes(p))
TERN_LOAD(v128_load32_zero, v128_const(tern_get32(p), 0))
TERN_LOAD(v128_load64_zero, v128_const(tern_get64(p), 0))
TERN_LOAD(v128_load8x8_s, i16x8_extend_low_i8x16_s(v128_const(tern_get64(p), 0)))
TERN_LOAD(v128_load8x8_u, i16x8_extend_low_i8x16_u(v128_const(tern_get64(p), 0)))
TERN_LOAD(v128_load16x4_s, i32x4_extend_low_i16x8_s(v128_const(tern_get64(p), 0)))
TERN_LOAD(v128_load16x4_u, i32x4_extend_low_i16x8_u(v128_const(tern_get64(p), 0)))
TERN_LOAD(v128_load32x2_s, i64x2_extend_low_i32x4_s(v128_const(tern_get64(p), 0)))
TERN_LOAD(v128_load32x2_u, i64x2_extend_low_i32x4_u(v128_const(tern_get64(p), 0)))
TERN_LOAD(v128_load8_splat, i8x16_splat(*(const uint8_t *)p))
TERN_LOAD(v128_load16_splat, i16x8_splat(tern_get16(p)))
TERN_LOAD(v128_load32_splat, i32x4_splat(tern_get32(p)))
TERN_LOAD(v128_load64_splat, i64x2_splat(tern_get64(p)))

#define v128_load8_lane(p, v, lane)  tern_keep_v(i8x16_replace_lane(v, *(const uint8_t *)(p), lane))
#define v128_load16_lane(p, v, lane) tern_keep_v(i16x8_replace_lane(v, tern_get16(p), lane))
#define v128_load32_lane(p, v, lane) tern_keep_v(i32x4_replace_lane(v, tern_get32(p), lane))
#define v128_load64_lane(p, v, lane) tern_keep_v(i64x2_replace_lane(v, tern_get64(p), lane))

TERN_SIMD_ACCESS void v128_store(void *p, tern_v128 v)
{
    v128_to_bytes(p, v);
}

#define v128_store8_lane(p, v, lane)  ((void)(*(uint8_t *)(p) = TERN_BYTE(v, lane)))
#define v128_store16_lane(p, v, lane) tern_put16(p, (uint16_t)TERN_EXTRACT(tern_u16x8, 8, v, lane))
#define v128_store32_lane(p, v, lane) tern_put32(p, i32x4_extract_lane(v, lane))
#define v128_store64_lane(p, v, lane) tern_put64(p, i64x2_extract_lane(v, lane))

#endif
