/*
 * How WebAssembly's types, values and names are spelled in C.
 */
#include "translate/emit.h"

#include "base/check.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *c_type(char letter)
{
    switch (letter) {
    case 'i': return "uint32_t";
    case 'I': return "uint64_t";
    case 'f': return "float";
    case 'd': return "double";
    case 'v': return "tern_v128";
    default: return "uint64_t"; /* references */
    }
}

void append_result_type(struct bytes *out, const struct wasm_type *t)
{
    if (t->result_count == 0)
        bytes_append_text(out, "void");
    else if (t->result_count == 1)
        bytes_append_text(out, c_type(wasm_valtype_letter(t->results[0])));
    else
        bytes_appendf(out, "struct r%" PRIu32, t->canonical);
}

const char *cell_member(char letter)
{
    switch (letter) {
    case 'i': return "i32";
    case 'I': return "i64";
    case 'f': return "f32";
    case 'd': return "f64";
    case 'v': return "v128";
    default: return "ref";
    }
}

void append_cell_read(struct bytes *out, const char *array, uint32_t cell, char letter)
{
    bytes_appendf(out, letter == 'v' ? "v128_from_bytes(%s[%" PRIu32 "].%s)" : "%s[%" PRIu32 "].%s",
                  array, cell, cell_member(letter));
}

void append_cell_write(struct bytes *out, const char *array, uint32_t cell, char letter,
                       const char *value)
{
    bytes_appendf(out,
                  letter == 'v' ? "v128_to_bytes(%s[%" PRIu32 "].%s, %s);\n"
                                : "%s[%" PRIu32 "].%s = %s;\n",
                  array, cell, cell_member(letter), value);
}

static void float_text(double value, bool single, char out[EMIT_TEXT_MAX])
{
    char digits[48];

    snprintf(digits, sizeof digits, single ? "%.9g" : "%.17g", value);
    if (!strpbrk(digits, ".e"))
        strcat(digits, ".0");
    snprintf(out, EMIT_TEXT_MAX, "%s%s", digits, single ? "f" : "");
    /* These four let a compiler drop the operation and with it the quieting of a NaN. */
    if (fabs(value) == 1 || value == 0)
        snprintf(out, EMIT_TEXT_MAX, "%s(%s%s)", single ? "F32_OPAQUE" : "F64_OPAQUE", digits,
                 single ? "f" : "");
}

void bits_text(char letter, const uint64_t bits[2], char out[EMIT_TEXT_MAX])
{
    double d;
    float f;
    uint32_t low = (uint32_t)bits[0];

    memcpy(&f, &low, sizeof f);
    memcpy(&d, &bits[0], sizeof d);
    switch (letter) {
    case 'i':
        snprintf(out, EMIT_TEXT_MAX, low < 100000 ? "%" PRIu32 "u" : "0x%" PRIx32 "u", low);
        break;
    case 'I':
        snprintf(out, EMIT_TEXT_MAX, bits[0] < 100000 ? "%" PRIu64 "ull" : "0x%" PRIx64 "ull",
                 bits[0]);
        break;
    case 'f':
        if (isfinite(f))
            float_text((double)f, true, out);
        else
            snprintf(out, EMIT_TEXT_MAX, "f32_reinterpret_i32(0x%08" PRIx32 "u)", low);
        break;
    case 'd':
        if (isfinite(d))
            float_text(d, false, out);
        else
            snprintf(out, EMIT_TEXT_MAX, "f64_reinterpret_i64(0x%016" PRIx64 "ull)", bits[0]);
        break;
    default:
        check(letter == 'v');
        snprintf(out, EMIT_TEXT_MAX, "v128_const(0x%016" PRIx64 "ull, 0x%016" PRIx64 "ull)",
                 bits[0], bits[1]);
    }
}

void op_identifier(enum wasm_op op, char out[64])
{
    const char *text = wasm_op_info(op)->text;
    size_t i = 0;

    for (; text[i] && i < 63; i++)
        out[i] = text[i] == '.' ? '_' : text[i];
    out[i] = 0;
}
