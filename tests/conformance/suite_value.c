#include "suite_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t f32_quiet = 0x7fc00000, f64_quiet = 0x7ff8000000000000;

static void decode_vector(const char *digits, uint8_t out[16])
{
    for (int i = 0; i < 16; i++) {
        char byte[3] = {digits[2 * i], digits[2 * i + 1], 0};

        out[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
}

void value_decode(const char *word, union tern_cell *out)
{
    const char letter = word[0], *bits = word + 2;

    memset(out, 0, sizeof *out);
    if (letter == 'v')
        decode_vector(bits, out->v128);
    else if (letter == 'i' || letter == 'f')
        out->i32 = (uint32_t)strtoul(bits, NULL, 16);
    else if (letter == 'e')
        out->ref = strcmp(bits, "null") == 0 ? 0 : strtoull(bits, NULL, 16) + 1;
    else if (letter == 'I' || letter == 'd')
        out->i64 = strtoull(bits, NULL, 16);
}

/* Canonical: no payload but the quiet bit. Arithmetic: any with the quiet bit. */
static bool is_nan(uint64_t bits, uint64_t quiet, uint64_t sign, char class)
{
    if (class == 'c')
        return (bits & ~sign) == quiet;
    return (bits & quiet) == quiet;
}

static uint64_t lane_bits(const uint8_t *bytes, size_t width)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < width; i++)
        bits |= (uint64_t)bytes[i] << (8 * i);
    return bits;
}

static bool vector_matches(const char *expected, const uint8_t got[16])
{
    const char *classes = expected + 33; /* behind 32 digits and a colon */
    const size_t count = strlen(classes);
    uint8_t bytes[16];

    decode_vector(expected, bytes);
    if (count == 0)
        return memcmp(bytes, got, 16) == 0;
    for (size_t i = 0; i < count; i++) {
        const size_t width = 16 / count;
        const uint64_t bits = lane_bits(got + i * width, width);

        if (classes[i] == '=' ? bits != lane_bits(bytes + i * width, width)
                              : !is_nan(bits, width == 4 ? f32_quiet : f64_quiet,
                                        (uint64_t)1 << (8 * width - 1), classes[i]))
            return false;
    }
    return true;
}

bool value_matches(const char *word, char letter, const union tern_cell *got)
{
    const char *bits = word + 2;
    const bool nan = strcmp(bits, "canonical") == 0 || strcmp(bits, "arithmetic") == 0;
    union tern_cell expected;

    if (word[0] != letter)
        return false;
    value_decode(word, &expected);
    switch (letter) {
    case 'v': return vector_matches(bits, got->v128);
    case 'i': return got->i32 == expected.i32;
    case 'I': return got->i64 == expected.i64;
    case 'f': return nan ? is_nan(got->i32, f32_quiet, 1U << 31, *bits) : got->i32 == expected.i32;
    case 'd':
        return nan ? is_nan(got->i64, f64_quiet, (uint64_t)1 << 63, *bits)
                   : got->i64 == expected.i64;
    default:
        if (strcmp(bits, "any") == 0)
            return got->ref != 0;
        return letter == 'r' ? got->ref == 0 : got->ref == expected.ref; /* funcref: null */
    }
}

void value_describe(char letter, const union tern_cell *value, char out[VALUE_TEXT_BYTES])
{
    int at = snprintf(out, VALUE_TEXT_BYTES, "%c:", letter);

    if (letter == 'v') {
        for (int i = 0; i < 16; i++)
            at += snprintf(out + at, (size_t)(VALUE_TEXT_BYTES - at), "%02x", value->v128[i]);
    } else if (letter == 'i' || letter == 'f') {
        snprintf(out + at, (size_t)(VALUE_TEXT_BYTES - at), "%" PRIx32, value->i32);
    } else {
        snprintf(out + at, (size_t)(VALUE_TEXT_BYTES - at), "%" PRIx64, value->i64);
    }
}
