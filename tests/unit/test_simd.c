/*
 * tern_simd.h beyond what the official suite asks: this processor's form of each instruction
 * against the portable one over many operands; shuffles of every grouping; constants that
 * compilers like to fold. (The suite runs both forms against the specification.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "simd_ops.h"

enum { ROUNDS = 20000 };

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Limits of integers, and floats at the edges of every conversion; NaNs of both kinds. */
static const uint64_t edges64[] = {0,
                                   1,
                                   UINT64_MAX,
                                   0x8000000000000000,
                                   0x7fffffffffffffff,
                                   0x8000000080000000,
                                   0x7fffffff7fffffff,
                                   0x8000800080008000,
                                   0x7fff7fff7fff7fff,
                                   0x8080808080808080,
                                   0x7f7f7f7f7f7f7f7f,
                                   0x00000000ffffffff,
                                   0xffffffff00000000,
                                   0x7ff8000000000000,
                                   0x7ff4000000000001,
                                   0xfff4000000000001,
                                   0x7ff0000000000000,
                                   0xfff0000000000000,
                                   0x41dfffffffc00000,
                                   0x41e0000000000000,
                                   0xc1e0000000200000,
                                   0x41efffffffe00000,
                                   0x41effffffff00000,
                                   0x41f0000000000000,
                                   0x3fe0000000000000,
                                   0xbfe0000000000000,
                                   0x4330000000000000,
                                   0x432fffffffffffff,
                                   0xbfefffffffffffff};
static const uint32_t edges32[] = {
    0,          1,          UINT32_MAX, 0x80000000, 0x7fffffff, 0x7fc00000, 0x7fa00001, 0xffa00001,
    0x7f800000, 0xff800000, 0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001, 0x4f7fffff, 0x4f800000,
    0x3f000000, 0xbf000000, 0x3fc00000, 0x4b000000, 0x4affffff, 0x4b7fffff, 0xbf7fffff};

static uint64_t random_half(void)
{
    const uint64_t kind = next_random() % 4, a = next_random(), b = next_random();

    if (kind == 0)
        return edges64[a % (sizeof edges64 / sizeof *edges64)];
    if (kind == 1)
        return edges32[a % (sizeof edges32 / sizeof *edges32)] |
               (uint64_t)edges32[b % (sizeof edges32 / sizeof *edges32)] << 32;
    return kind == 2 ? a : a & b & 0x0303030303030303;
}

static tern_v128 random_vector(void)
{
    const uint64_t low = random_half(), high = random_half();

    return v128_const(low, high);
}

static bool quiet32(uint32_t bits)
{
    return (bits & 0x7fc00000) == 0x7fc00000;
}

static bool quiet64(uint64_t bits)
{
    return (bits & 0x7ff8000000000000) == 0x7ff8000000000000;
}

static bool same(char compare, tern_v128 x, tern_v128 y)
{
    bool equal = true;

    for (int i = 0; i < 2 && compare == 'd'; i++)
        equal &= x[i] == y[i] || (quiet64(x[i]) && quiet64(y[i]));
    for (int i = 0; i < 4 && compare == 'f'; i++) {
        const uint32_t a = ((tern_u32x4)x)[i], b = ((tern_u32x4)y)[i];

        equal &= a == b || (quiet32(a) && quiet32(b));
    }
    return compare == 'b' ? x[0] == y[0] && x[1] == y[1] : equal;
}

static tern_v128 apply(const struct simd_op *op, tern_v128 a, tern_v128 b)
{
    if (op->unary)
        return op->unary(a);
    if (op->binary)
        return op->binary(a, b);
    if (op->shift)
        return op->shift(a, i32x4_extract_lane(b, 0));
    return v128_const(op->reduction(a), 0);
}

static void native_and_portable_forms_agree(void **state)
{
    (void)state;
    for (size_t i = 0; simd_ops_any[i].name; i++) {
        random_state = 88172645463325252 + i;
        for (int round = 0; round < ROUNDS; round++) {
            const tern_v128 a = random_vector();
            const tern_v128 b = next_random() % 8 ? random_vector() : a;
            const tern_v128 x = apply(&simd_ops_native[i], a, b);
            const tern_v128 y = apply(&simd_ops_any[i], a, b);

            if (!same(simd_ops_any[i].compare, x, y))
                fail_msg("%s of %016llx%016llx and %016llx%016llx", simd_ops_any[i].name,
                         (unsigned long long)a[1], (unsigned long long)a[0],
                         (unsigned long long)b[1], (unsigned long long)b[0]);
        }
    }
}

/* ---- Lanes ---- */

static void expect_bytes(tern_v128 v, const uint8_t expected[16])
{
    uint8_t bytes[16];

    v128_to_bytes(bytes, v);
    assert_memory_equal(bytes, expected, 16);
}

static tern_v128 counted(uint8_t from)
{
    uint8_t bytes[16];

    for (uint8_t i = 0; i < 16; i++)
        bytes[i] = (uint8_t)(from + i);
    return v128_from_bytes(bytes);
}

/* The result of a shuffle of bytes that are their own numbers is the list of lanes. */
#define SHUFFLE(...)                                                                               \
    do {                                                                                           \
        const uint8_t lanes[16] = {__VA_ARGS__};                                                   \
        expect_bytes(i8x16_shuffle(counted(0), counted(16), __VA_ARGS__), lanes);                  \
    } while (0)

static void shuffles_lanes_of_every_width(void **state)
{
    (void)state;
    SHUFFLE(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    SHUFFLE(16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
    SHUFFLE(8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23);
    SHUFFLE(12, 13, 14, 15, 0, 1, 2, 3, 28, 29, 30, 31, 16, 17, 18, 19);
    SHUFFLE(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    SHUFFLE(14, 15, 0, 1, 16, 17, 30, 31, 2, 3, 4, 5, 18, 19, 20, 21);
    SHUFFLE(2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3);
    SHUFFLE(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    SHUFFLE(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16); /* runs, out of step */
    SHUFFLE(2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17);
    SHUFFLE(31, 30, 29, 28, 27, 26, 25, 24, 7, 6, 5, 4, 3, 2, 1, 0);
    SHUFFLE(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 14);
}

static void replaces_single_lanes(void **state)
{
    const uint8_t bytes[16] = {0, 1, 2, 0xaa, 0xbb, 5, 0x34, 0x12, 8, 9, 10, 11, 12, 13, 14, 0xcc};
    tern_v128 v = counted(0);

    (void)state;
    v = i8x16_replace_lane(v, 0x1aa, 3);
    v = i8x16_replace_lane(v, 0xbb, 4);
    v = i8x16_replace_lane(v, i8x16_extract_lane_u(v, 15) + 0xbd, 15);
    v = i16x8_replace_lane(v, 0xff1234, 3);
    expect_bytes(v, bytes);
    assert_int_equal(i8x16_extract_lane_s(v, 3), 0xffffffaa);
    assert_int_equal(i8x16_extract_lane_u(v, 4), 0xbb);
}

static void loads_and_stores_single_lanes(void **state)
{
    uint8_t memory[17] = {0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
    tern_v128 v = v128_load8_lane(memory + 1, counted(0), 15);

    (void)state;
    v = v128_load64_lane(memory + 1, v, 0);
    v = v128_load32_lane(memory + 1, v, 2);
    v = v128_load16_lane(memory + 3, v, 6);
    memset(memory, 0, sizeof memory);
    v128_store(memory + 1, v);
    expect_bytes(v, memory + 1);
    v128_store8_lane(memory + 1, v, 15);
    v128_store16_lane(memory + 3, v, 6);
    v128_store32_lane(memory + 5, v, 2);
    v128_store64_lane(memory + 9, v, 0);
    expect_bytes(v128_load(memory + 1),
                 (const uint8_t[]){0x11, 0x22, 0x33, 0x44, 0x11, 0x22, 0x33, 0x44, 0x11, 0x22, 0x33,
                                   0x44, 0x55, 0x66, 0x77, 0x88});
}

/* ---- Operations that must not be folded away ---- */

#define BOTH(bits)  v128_const(bits, bits)
#define ONES32      BOTH(0x3f8000003f800000)
#define MINUS32     BOTH(0xbf800000bf800000)
#define MINUS_ZEROS BOTH(0x8000000080000000)
#define ONES64      BOTH(0x3ff0000000000000)
#define MINUS64     BOTH(0xbff0000000000000)
#define MINUS_ZERO  BOTH(0x8000000000000000)

static void expect_quiet(tern_v128 v, bool wide)
{
    assert_true(wide ? quiet64(v[0]) && quiet64(v[1])
                     : quiet32(i32x4_extract_lane(v, 0)) && quiet32(i32x4_extract_lane(v, 1)));
}

static void constants_do_not_keep_nans_signalling(void **state)
{
    volatile tern_v128 nan32 = BOTH(0x7fa00001ffa00001), nan64 = BOTH(0x7ff4000000000001);
    const tern_v128 x = nan32, y = nan64;

    (void)state;
    expect_quiet(f32x4_mul(x, ONES32), false);
    expect_quiet(f32x4_mul(MINUS32, x), false);
    expect_quiet(f32x4_div(x, ONES32), false);
    expect_quiet(f32x4_div(x, MINUS32), false);
    expect_quiet(f32x4_add(x, MINUS_ZEROS), false);
    expect_quiet(f32x4_sub(x, BOTH(0)), false);
    expect_quiet(f32x4_sub(MINUS_ZEROS, x), false);
    expect_quiet(f32x4_demote_f64x2_zero(f64x2_promote_low_f32x4(x)), false);
    expect_quiet(f64x2_mul(y, ONES64), true);
    expect_quiet(f64x2_mul(MINUS64, y), true);
    expect_quiet(f64x2_div(y, ONES64), true);
    expect_quiet(f64x2_div(y, MINUS64), true);
    expect_quiet(f64x2_add(MINUS_ZERO, y), true);
    expect_quiet(f64x2_sub(y, BOTH(0)), true);
    expect_quiet(f64x2_sub(MINUS_ZERO, y), true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(native_and_portable_forms_agree),
        cmocka_unit_test(shuffles_lanes_of_every_width),
        cmocka_unit_test(replaces_single_lanes),
        cmocka_unit_test(loads_and_stores_single_lanes),
        cmocka_unit_test(constants_do_not_keep_nans_signalling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
