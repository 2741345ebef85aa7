/*
 * tern_scalar.h - WebAssembly's instructions on numbers, memory and tables, for generated code.
 *
 * Names are those of the instructions with '.' as '_'. Only what C has no operator for is here.
 * Source of every rule: WebAssembly Core Specification 2.0, section 4.3 (Numerics).
 *
 * Loads     A load traps even if nothing uses its result. TERN_LOADS_TRAP says that the compiler
 *           was told so (gcc: -fnon-call-exceptions -fno-delete-dead-exceptions -fno-tree-sink).
 *           It may still narrow a load to the bits that are used: TERN_WHOLE stands before
 *           instructions that use some only. Without TERN_LOADS_TRAP, TERN_KEEP makes each
 *           value observable, which costs registers and reordering.
 * NaN       An operation on a signalling NaN gives a quiet one. A compiler that drops an operation
 *           such as x * 1.0 loses that: F32_OPAQUE and F64_OPAQUE hide the few constants for which
 *           they do. (gcc's -fsignaling-nans would do, too, but costs far more speed.)
 */
#ifndef TERN_SCALAR_H
#define TERN_SCALAR_H

#include "tern_rt.h"

#define TERN_LIKELY(c)   __builtin_expect(!!(c), 1)
#define TERN_UNLIKELY(c) __builtin_expect(!!(c), 0)
#define TERN_INLINE      static inline __attribute__((always_inline))

#if defined(__x86_64__)
#define TERN_FLOAT_REGISTER "x"
#elif defined(__aarch64__)
#define TERN_FLOAT_REGISTER "w"
#elif defined(__s390x__)
#define TERN_FLOAT_REGISTER "f"
#else
#define TERN_FLOAT_REGISTER "m"
#endif

#ifdef TERN_LOADS_TRAP
#define TERN_KEEP(x)       (void)0
#define TERN_KEEP_FLOAT(x) (void)0
#define TERN_WHOLE(x)      __asm__("" : "+r"(x))
#else
#define TERN_KEEP(x)       __asm__ volatile("" : : "r"(x))
#define TERN_KEEP_FLOAT(x) __asm__ volatile("" : "+" TERN_FLOAT_REGISTER(x))
#define TERN_WHOLE(x)      (void)0
#endif

/* What follows needs only some bits of x: all the same, x is loaded as a whole, and so can trap. */
TERN_INLINE uint32_t i32_whole(uint32_t x)
{
    TERN_WHOLE(x);
    return x;
}

TERN_INLINE uint64_t i64_whole(uint64_t x)
{
    TERN_WHOLE(x);
    return x;
}

#define TERN_OPAQUE(x) __asm__("" : "+" TERN_FLOAT_REGISTER(x))
/* A float that the compiler knows takes part in foldings that lose a NaN's quieting: hide it. */
#ifdef __clang__
#define TERN_HIDE_KNOWN(x) TERN_OPAQUE(x)
#else
#define TERN_HIDE_KNOWN(x)                                                                         \
    do {                                                                                           \
        if (__builtin_constant_p(x))                                                               \
            TERN_OPAQUE(x);                                                                        \
    } while (0)
#endif

/* At a function's start: takes its frame from what is left of the stack. */
#define ENTER(cells, func, offset)                                                                 \
    do {                                                                                           \
        if (TERN_UNLIKELY(room < (cells)))                                                         \
            tern_trap(in, TERN_TRAP_STACK, func, offset);                                          \
        room -= (cells);                                                                           \
    } while (0)

/*
 * Safepoints: TERN_POLL at a loop's header, TERN_TEST behind a call. Each goes to `save` if the
 * program is to be stopped here. Whoever asks is not to cost the code around it any register, nor
 * is the test, nor is the way back after a stop that was none: see rt/safepoint.c.
 *
 * For benchmarks only, TERN_NO_POLLS and TERN_NO_TESTS leave out the one or the other, and
 * TERN_NOT_STOPPABLE both. Such a program must not be asked to stop: without tests its callers
 * would go on with what a stopped callee returned.
 */
#if defined(__x86_64__)
#define TERN_STOP(in)                                                                              \
    (__extension__({                                                                               \
        int stop_;                                                                                 \
        __asm__ volatile("cmpl $0, %1" : "=@ccne"(stop_) : "m"((in)->stop));                       \
        stop_;                                                                                     \
    }))
/* Below the stack pointer there may be something. */
#define TERN_ASK(in, save)                                                                         \
    __asm__ inline goto("leaq -128(%%rsp), %%rsp\n\t"                                              \
                        "call *tern_safepoint_keeping@GOTPCREL(%%rip)\n\t"                         \
                        "leaq 128(%%rsp), %%rsp\n\t"                                               \
                        "jne %l[" #save "]"                                                        \
                        :                                                                          \
                        :                                                                          \
                        : "cc", "memory"                                                           \
                        : save)
#elif defined(__aarch64__) && !defined(__ARM_FEATURE_SVE)
#define TERN_ASK(in, save)                                                                         \
    __asm__ inline goto("adrp x16, :got:tern_safepoint_keeping\n\t"                                \
                        "ldr x16, [x16, :got_lo12:tern_safepoint_keeping]\n\t"                     \
                        "blr x16\n\t"                                                              \
                        "b.eq 1f\n\t"                                                              \
                        "b %l[" #save "]\n"                                                        \
                        "1:"                                                                       \
                        :                                                                          \
                        :                                                                          \
                        : "x16", "x30", "cc", "memory"                                             \
                        : save)
#else
#define TERN_ASK(in, save)                                                                         \
    do {                                                                                           \
        if (tern_safepoint(in))                                                                    \
            goto save;                                                                             \
    } while (0)
#endif
#ifndef TERN_STOP
#define TERN_STOP(in) (__atomic_load_n(&(in)->stop, __ATOMIC_RELAXED) != TERN_STOP_NO)
#endif

#define TERN_SAFEPOINT(in, save)                                                                   \
    do {                                                                                           \
        if (TERN_UNLIKELY(TERN_STOP(in)))                                                          \
            TERN_ASK(in, save);                                                                    \
    } while (0)
#define TERN_NO_SAFEPOINT(in, save)                                                                \
    do {                                                                                           \
        if (0)                                                                                     \
            goto save;                                                                             \
    } while (0)

#if defined(TERN_NOT_STOPPABLE) || defined(TERN_NO_POLLS)
#define TERN_POLL(in, save) TERN_NO_SAFEPOINT(in, save)
#else
#define TERN_POLL(in, save) TERN_SAFEPOINT(in, save)
#endif
#if defined(TERN_NOT_STOPPABLE) || defined(TERN_NO_TESTS)
#define TERN_TEST(in, save) TERN_NO_SAFEPOINT(in, save)
#else
#define TERN_TEST(in, save) TERN_SAFEPOINT(in, save)
#endif

/* The n-th value of a frame that is saved or rebuilt. */
#define VALUE(n) (value + (size_t)(n)*TERN_VALUE_BYTES)

/* ---- memory: little-endian, any alignment ---- */

#define AT(address, offset) (m + (uint64_t)(uint32_t)(address) + (uint64_t)(offset))

typedef uint16_t tern_u16 __attribute__((aligned(1), may_alias));
typedef uint32_t tern_u32 __attribute__((aligned(1), may_alias));
typedef uint64_t tern_u64 __attribute__((aligned(1), may_alias));
typedef float tern_f32 __attribute__((aligned(1), may_alias));
typedef double tern_f64 __attribute__((aligned(1), may_alias));

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define TERN_LE16(x) __builtin_bswap16(x)
#define TERN_LE32(x) __builtin_bswap32(x)
#define TERN_LE64(x) __builtin_bswap64(x)
#else
#define TERN_LE16(x) (x)
#define TERN_LE32(x) (x)
#define TERN_LE64(x) (x)
#endif

#define TERN_LOAD_OP(name, type, stored, order, through)                                           \
    TERN_INLINE type name(const uint8_t *p)                                                        \
    {                                                                                              \
        type v = (type)(through)order(*(const stored *)p);                                         \
        TERN_KEEP(v);                                                                              \
        return v;                                                                                  \
    }
#define TERN_STORE_OP(name, type, stored, narrow, order)                                           \
    TERN_INLINE void name(uint8_t *p, type v)                                                      \
    {                                                                                              \
        if (sizeof(type) > sizeof(narrow))                                                         \
            TERN_WHOLE(v);                                                                         \
        *(stored *)p = (narrow)order((narrow)v);                                                   \
    }

TERN_LOAD_OP(i32_load, uint32_t, tern_u32, TERN_LE32, uint32_t)
TERN_LOAD_OP(i64_load, uint64_t, tern_u64, TERN_LE64, uint64_t)
TERN_LOAD_OP(i32_load8_s, uint32_t, uint8_t, , int8_t)
TERN_LOAD_OP(i32_load8_u, uint32_t, uint8_t, , uint8_t)
TERN_LOAD_OP(i32_load16_s, uint32_t, tern_u16, TERN_LE16, int16_t)
TERN_LOAD_OP(i32_load16_u, uint32_t, tern_u16, TERN_LE16, uint16_t)
TERN_LOAD_OP(i64_load8_s, uint64_t, uint8_t, , int8_t)
TERN_LOAD_OP(i64_load8_u, uint64_t, uint8_t, , uint8_t)
TERN_LOAD_OP(i64_load16_s, uint64_t, tern_u16, TERN_LE16, int16_t)
TERN_LOAD_OP(i64_load16_u, uint64_t, tern_u16, TERN_LE16, uint16_t)
TERN_LOAD_OP(i64_load32_s, uint64_t, tern_u32, TERN_LE32, int32_t)
TERN_LOAD_OP(i64_load32_u, uint64_t, tern_u32, TERN_LE32, uint32_t)
TERN_STORE_OP(i32_store, uint32_t, tern_u32, uint32_t, TERN_LE32)
TERN_STORE_OP(i64_store, uint64_t, tern_u64, uint64_t, TERN_LE64)
TERN_STORE_OP(i32_store8, uint32_t, uint8_t, uint8_t, )
TERN_STORE_OP(i32_store16, uint32_t, tern_u16, uint16_t, TERN_LE16)
TERN_STORE_OP(i64_store8, uint64_t, uint8_t, uint8_t, )
TERN_STORE_OP(i64_store16, uint64_t, tern_u16, uint16_t, TERN_LE16)
TERN_STORE_OP(i64_store32, uint64_t, tern_u32, uint32_t, TERN_LE32)

/* ---- bits of floats ---- */

TERN_INLINE uint32_t i32_reinterpret_f32(float x)
{
    uint32_t bits;

    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits;
}

TERN_INLINE uint64_t i64_reinterpret_f64(double x)
{
    uint64_t bits;

    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits;
}

TERN_INLINE float f32_reinterpret_i32(uint32_t bits)
{
    float x;

    __builtin_memcpy(&x, &bits, sizeof x);
    TERN_HIDE_KNOWN(x);
    return x;
}

TERN_INLINE double f64_reinterpret_i64(uint64_t bits)
{
    double x;

    __builtin_memcpy(&x, &bits, sizeof x);
    TERN_HIDE_KNOWN(x);
    return x;
}

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
TERN_INLINE float f32_load(const uint8_t *p)
{
    return f32_reinterpret_i32(i32_load(p));
}

TERN_INLINE double f64_load(const uint8_t *p)
{
    return f64_reinterpret_i64(i64_load(p));
}

TERN_INLINE void f32_store(uint8_t *p, float x)
{
    i32_store(p, i32_reinterpret_f32(x));
}

TERN_INLINE void f64_store(uint8_t *p, double x)
{
    i64_store(p, i64_reinterpret_f64(x));
}
#else
TERN_INLINE float f32_load(const uint8_t *p)
{
    float v = *(const tern_f32 *)p;

    TERN_KEEP_FLOAT(v);
    return v;
}

TERN_INLINE double f64_load(const uint8_t *p)
{
    double v = *(const tern_f64 *)p;

    TERN_KEEP_FLOAT(v);
    return v;
}

TERN_INLINE void f32_store(uint8_t *p, float x)
{
    *(tern_f32 *)p = x;
}

TERN_INLINE void f64_store(uint8_t *p, double x)
{
    *(tern_f64 *)p = x;
}
#endif

/* ---- integers ---- */

#define TERN_INTEGER(T, U, S, BITS, SUFFIX, MIN)                                                   \
    TERN_INLINE U T##_clz(U a)                                                                     \
    {                                                                                              \
        return a ? (U)__builtin_clz##SUFFIX(a) : BITS;                                             \
    }                                                                                              \
    TERN_INLINE U T##_ctz(U a)                                                                     \
    {                                                                                              \
        return a ? (U)__builtin_ctz##SUFFIX(a) : BITS;                                             \
    }                                                                                              \
    TERN_INLINE U T##_popcnt(U a)                                                                  \
    {                                                                                              \
        return (U)__builtin_popcount##SUFFIX(a);                                                   \
    }                                                                                              \
    TERN_INLINE U T##_rotl(U a, U n)                                                               \
    {                                                                                              \
        return a << (n & (BITS - 1)) | a >> (-n & (BITS - 1));                                     \
    }                                                                                              \
    TERN_INLINE U T##_rotr(U a, U n)                                                               \
    {                                                                                              \
        return a >> (n & (BITS - 1)) | a << (-n & (BITS - 1));                                     \
    }                                                                                              \
    TERN_INLINE U T##_div_u(struct tern_instance *in, U a, U b, uint32_t func, uint32_t offset)    \
    {                                                                                              \
        if (TERN_UNLIKELY(b == 0))                                                                 \
            tern_trap(in, TERN_TRAP_DIVIDE, func, offset);                                         \
        return a / b;                                                                              \
    }                                                                                              \
    TERN_INLINE U T##_rem_u(struct tern_instance *in, U a, U b, uint32_t func, uint32_t offset)    \
    {                                                                                              \
        if (TERN_UNLIKELY(b == 0))                                                                 \
            tern_trap(in, TERN_TRAP_DIVIDE, func, offset);                                         \
        return a % b;                                                                              \
    }                                                                                              \
    TERN_INLINE U T##_div_s(struct tern_instance *in, U a, U b, uint32_t func, uint32_t offset)    \
    {                                                                                              \
        if (TERN_UNLIKELY(b == 0))                                                                 \
            tern_trap(in, TERN_TRAP_DIVIDE, func, offset);                                         \
        if (TERN_UNLIKELY(a == MIN && b == (U)-1))                                                 \
            tern_trap(in, TERN_TRAP_OVERFLOW, func, offset);                                       \
        return (U)((S)a / (S)b);                                                                   \
    }                                                                                              \
    TERN_INLINE U T##_rem_s(struct tern_instance *in, U a, U b, uint32_t func, uint32_t offset)    \
    {                                                                                              \
        if (TERN_UNLIKELY(b == 0))                                                                 \
            tern_trap(in, TERN_TRAP_DIVIDE, func, offset);                                         \
        return TERN_UNLIKELY(b == (U)-1) ? 0 : (U)((S)a % (S)b);                                   \
    }

TERN_INTEGER(i32, uint32_t, int32_t, 32, , 0x80000000u)
TERN_INTEGER(i64, uint64_t, int64_t, 64, ll, 0x8000000000000000ull)

/* ---- floats ---- */

#define F32_OPAQUE(x)                                                                              \
    ({                                                                                             \
        float opaque_ = (x);                                                                       \
        TERN_OPAQUE(opaque_);                                                                      \
        opaque_;                                                                                   \
    })
#define F64_OPAQUE(x)                                                                              \
    ({                                                                                             \
        double opaque_ = (x);                                                                      \
        TERN_OPAQUE(opaque_);                                                                      \
        opaque_;                                                                                   \
    })

TERN_INLINE float f32_demote_f64(double x)
{
    return (float)x;
}

/* Every compiler takes (float)(double)x for x, also where x is a signalling NaN. */
TERN_INLINE double f64_promote_f32(float x)
{
    double y = (double)x;

    TERN_OPAQUE(y);
    return y;
}

/*
 * The NaN of arithmetic as the program sees it in a deterministic run: positive (or with the sign
 * that neg has given it), of its payload only the highest bit. A branch costs less than choosing:
 * it is hardly ever taken, and nothing waits for it.
 */
#define TERN_CANONICAL(name, F, nan)                                                               \
    TERN_INLINE F name(F x)                                                                        \
    {                                                                                              \
        if (TERN_UNLIKELY(x != x)) {                                                               \
            x = (nan);                                                                             \
            TERN_OPAQUE(x);                                                                        \
        }                                                                                          \
        return x;                                                                                  \
    }

TERN_CANONICAL(f32_canonical, float, __builtin_nanf(""))
TERN_CANONICAL(f32_canonical_neg, float, -__builtin_nanf(""))
TERN_CANONICAL(f64_canonical, double, __builtin_nan(""))
TERN_CANONICAL(f64_canonical_neg, double, -__builtin_nan(""))

/* The rounding instructions of processors quiet a NaN; the code that gcc has instead does not. */
#if defined(__SSE2__) && !defined(__SSE4_1__)
#define TERN_ROUNDED(x, rounded) ((x) != (x) ? (x) + (x) : (rounded))
#else
#define TERN_ROUNDED(x, rounded) (rounded)
#endif

/*
 * min and max: ordered and different, the comparison decides; equal, only the sign of zero can
 * differ, and or (and) of the bits gives the smaller (larger); else one is a NaN, and the sum is
 * a quiet one.
 */
#define TERN_FLOAT(T, F, SUFFIX, BITS_OF, OF_BITS)                                                 \
    TERN_INLINE F T##_abs(F x)                                                                     \
    {                                                                                              \
        return __builtin_fabs##SUFFIX(x);                                                          \
    }                                                                                              \
    TERN_INLINE F T##_neg(F x)                                                                     \
    {                                                                                              \
        return -x;                                                                                 \
    }                                                                                              \
    TERN_INLINE F T##_copysign(F x, F y)                                                           \
    {                                                                                              \
        return __builtin_copysign##SUFFIX(x, y);                                                   \
    }                                                                                              \
    TERN_INLINE F T##_min(F a, F b)                                                                \
    {                                                                                              \
        if (a < b)                                                                                 \
            return a;                                                                              \
        if (b < a)                                                                                 \
            return b;                                                                              \
        return a == b ? OF_BITS(BITS_OF(a) | BITS_OF(b)) : a + b;                                  \
    }                                                                                              \
    TERN_INLINE F T##_max(F a, F b)                                                                \
    {                                                                                              \
        if (a > b)                                                                                 \
            return a;                                                                              \
        if (b > a)                                                                                 \
            return b;                                                                              \
        return a == b ? OF_BITS(BITS_OF(a) & BITS_OF(b)) : a + b;                                  \
    }                                                                                              \
    TERN_INLINE F T##_sqrt(F x)                                                                    \
    {                                                                                              \
        return __builtin_sqrt##SUFFIX(x);                                                          \
    }                                                                                              \
    TERN_INLINE F T##_ceil(F x)                                                                    \
    {                                                                                              \
        return TERN_ROUNDED(x, __builtin_ceil##SUFFIX(x));                                         \
    }                                                                                              \
    TERN_INLINE F T##_floor(F x)                                                                   \
    {                                                                                              \
        return TERN_ROUNDED(x, __builtin_floor##SUFFIX(x));                                        \
    }                                                                                              \
    TERN_INLINE F T##_trunc(F x)                                                                   \
    {                                                                                              \
        return TERN_ROUNDED(x, __builtin_trunc##SUFFIX(x));                                        \
    }                                                                                              \
    TERN_INLINE F T##_nearest(F x)                                                                 \
    {                                                                                              \
        return TERN_ROUNDED(x, __builtin_rint##SUFFIX(x));                                         \
    }

TERN_FLOAT(f32, float, f, i32_reinterpret_f32, f32_reinterpret_i32)
TERN_FLOAT(f64, double, , i64_reinterpret_f64, f64_reinterpret_i64)

#define TERN_CONVERT(name, to, from, through)                                                      \
    TERN_INLINE to name(from a)                                                                    \
    {                                                                                              \
        to x = (to)(through)a;                                                                     \
        if (__builtin_constant_p(x))                                                               \
            TERN_OPAQUE(x);                                                                        \
        return x;                                                                                  \
    }

TERN_CONVERT(f32_convert_i32_s, float, uint32_t, int32_t)
TERN_CONVERT(f32_convert_i32_u, float, uint32_t, uint32_t)
TERN_CONVERT(f32_convert_i64_s, float, uint64_t, int64_t)
TERN_CONVERT(f32_convert_i64_u, float, uint64_t, uint64_t)
TERN_CONVERT(f64_convert_i32_s, double, uint32_t, int32_t)
TERN_CONVERT(f64_convert_i32_u, double, uint32_t, uint32_t)
TERN_CONVERT(f64_convert_i64_s, double, uint64_t, int64_t)
TERN_CONVERT(f64_convert_i64_u, double, uint64_t, uint64_t)

/*
 * Float to integer. ABOVE and BELOW are the comparisons that x must pass; they are exact in the
 * type of x, and false for NaN.
 */
#define TERN_TRUNC(TO, FROM, SIGN, U, I, F, ABOVE, BELOW, LEAST, MOST)                             \
    TERN_INLINE U TO##_trunc_##FROM##_##SIGN(struct tern_instance *in, F x, uint32_t func,         \
                                             uint32_t offset)                                      \
    {                                                                                              \
        if (TERN_UNLIKELY(!(x ABOVE && x BELOW)))                                                  \
            tern_trap(in, x != x ? TERN_TRAP_CONVERSION : TERN_TRAP_OVERFLOW, func, offset);       \
        return (U)(I)x;                                                                            \
    }                                                                                              \
    TERN_INLINE U TO##_trunc_sat_##FROM##_##SIGN(F x)                                              \
    {                                                                                              \
        if (TERN_LIKELY(x ABOVE && x BELOW))                                                       \
            return (U)(I)x;                                                                        \
        return x != x ? 0 : x < 0 ? (U)(LEAST) : (U)(MOST);                                        \
    }

TERN_TRUNC(i32, f32, s, uint32_t, int32_t, float, >= -2147483648.0f, < 2147483648.0f, 0x80000000u,
           0x7fffffffu)
TERN_TRUNC(i32, f32, u, uint32_t, uint32_t, float, > -1.0f, < 4294967296.0f, 0, 0xffffffffu)
TERN_TRUNC(i32, f64, s, uint32_t, int32_t, double, > -2147483649.0, < 2147483648.0, 0x80000000u,
           0x7fffffffu)
TERN_TRUNC(i32, f64, u, uint32_t, uint32_t, double, > -1.0, < 4294967296.0, 0, 0xffffffffu)
TERN_TRUNC(i64, f32, s, uint64_t, int64_t, float, >= -9223372036854775808.0f,
           < 9223372036854775808.0f, 0x8000000000000000ull, 0x7fffffffffffffffull)
TERN_TRUNC(i64, f32, u, uint64_t, uint64_t, float, > -1.0f, < 18446744073709551616.0f, 0,
           0xffffffffffffffffull)
TERN_TRUNC(i64, f64, s, uint64_t, int64_t, double, >= -9223372036854775808.0,
           < 9223372036854775808.0, 0x8000000000000000ull, 0x7fffffffffffffffull)
TERN_TRUNC(i64, f64, u, uint64_t, uint64_t, double, > -1.0, < 18446744073709551616.0, 0,
           0xffffffffffffffffull)

/* ---- tables ---- */

/* The element to call: in bounds, not null, of the type with this key; else a trap. */
TERN_INLINE const struct tern_slot *tern_callee(struct tern_instance *in, uint32_t table,
                                                uint32_t index, uint64_t key, uint32_t func,
                                                uint32_t offset)
{
    const struct tern_table *t = in->table[table];
    const struct tern_slot *slot;

    if (TERN_UNLIKELY(index >= t->size))
        tern_trap(in, TERN_TRAP_UNDEFINED, func, offset);
    slot = &t->slot[index];
    if (TERN_UNLIKELY(slot->key != key))
        tern_trap(in, slot->ref ? TERN_TRAP_SIGNATURE : TERN_TRAP_UNINITIALIZED, func, offset);
    return slot;
}

TERN_INLINE uint64_t tern_table_get(struct tern_instance *in, uint32_t table, uint32_t at,
                                    uint32_t func, uint32_t offset)
{
    const struct tern_table *t = in->table[table];

    if (TERN_UNLIKELY(at >= t->size))
        tern_trap(in, TERN_TRAP_TABLE, func, offset);
    return t->slot[at].ref;
}

#endif
