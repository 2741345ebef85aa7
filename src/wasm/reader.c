#include "wasm/reader.h"

#include "base/check.h"
#include "wasm/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool fault_set(struct wasm_fault *fault, uint32_t offset, const char *format, ...)
{
    va_list args;

    fault->offset = offset;
    va_start(args, format);
    vsnprintf(fault->reason, sizeof fault->reason, format, args);
    va_end(args);
    return false;
}

bool reader_refuse(struct wasm_fault *fault, uint32_t offset, const char *reason)
{
    return fault_set(fault, offset, "%s", reason);
}

static bool cut_short(struct wasm_fault *fault, uint32_t offset)
{
    return reader_refuse(fault, offset, "unexpected end of section or function");
}

struct wasm_reader reader_of(struct view module, uint32_t at, uint32_t end)
{
    check(at <= end && end <= module.size);
    return (struct wasm_reader){.base = module.data, .at = at, .end = end};
}

bool reader_done(const struct wasm_reader *r)
{
    return r->at == r->end;
}

bool reader_u8(struct wasm_reader *r, uint8_t *out, struct wasm_fault *fault)
{
    if (r->at == r->end)
        return cut_short(fault, r->at);
    *out = r->base[r->at++];
    return true;
}

/* Whether the last byte of an integer holds nothing beyond its `left` (1 to 6) remaining bits. */
static bool last_byte_fits(uint8_t byte, uint32_t left, bool is_signed)
{
    uint32_t beyond;

    if (!is_signed)
        return (byte & 0x7fU) >> left == 0;
    beyond = 0x7fU & (0x7fU << (left - 1)); /* with the sign bit: all must equal it */
    return (byte & beyond) == 0 || (byte & beyond) == beyond;
}

static bool leb128(struct wasm_reader *r, uint32_t bits, bool is_signed, uint64_t *out,
                   struct wasm_fault *fault)
{
    uint64_t value = 0;
    uint32_t shift = 0, at = r->at;
    uint8_t byte;

    do {
        if (shift >= bits)
            return reader_refuse(fault, r->at, "integer representation too long");
        if (at == r->end)
            return cut_short(fault, at);
        byte = r->base[at++];
        if (bits - shift < 7 && !last_byte_fits(byte, bits - shift, is_signed))
            return reader_refuse(fault, r->at, "integer too large");
        value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (is_signed && shift < 64 && (byte & 0x40))
        value |= UINT64_MAX << shift;
    r->at = at;
    *out = value;
    return true;
}

bool reader_u32(struct wasm_reader *r, uint32_t *out, struct wasm_fault *fault)
{
    uint64_t value;

    if (r->at < r->end && r->base[r->at] < 0x80) { /* nearly all of them */
        *out = r->base[r->at++];
        return true;
    }
    if (!leb128(r, 32, false, &value, fault))
        return false;
    *out = (uint32_t)value;
    return true;
}

bool reader_s32(struct wasm_reader *r, int32_t *out, struct wasm_fault *fault)
{
    uint64_t value;

    if (!leb128(r, 32, true, &value, fault))
        return false;
    *out = (int32_t)(int64_t)value;
    return true;
}

bool reader_s33(struct wasm_reader *r, int64_t *out, struct wasm_fault *fault)
{
    uint64_t value;

    if (!leb128(r, 33, true, &value, fault))
        return false;
    *out = (int64_t)value;
    return true;
}

bool reader_s64(struct wasm_reader *r, int64_t *out, struct wasm_fault *fault)
{
    uint64_t value;

    if (!leb128(r, 64, true, &value, fault))
        return false;
    *out = (int64_t)value;
    return true;
}

bool reader_fixed(struct wasm_reader *r, uint32_t size, uint64_t *out, struct wasm_fault *fault)
{
    uint64_t value = 0;

    check(size >= 1 && size <= 8);
    if (size > r->end - r->at)
        return cut_short(fault, r->end);
    for (uint32_t i = 0; i < size; i++)
        value |= (uint64_t)r->base[r->at + i] << (8 * i);
    r->at += size;
    *out = value;
    return true;
}

bool reader_skip(struct wasm_reader *r, uint32_t size, struct view *out, struct wasm_fault *fault)
{
    if (size > r->end - r->at)
        return reader_refuse(fault, r->at, "length out of bounds");
    *out = view_of(r->base + r->at, size);
    r->at += size;
    return true;
}

/* Bytes that follow the first byte of a character, or -1 if none may start with it. */
static int utf8_tail(uint8_t first)
{
    if (first < 0x80)
        return 0;
    if (first < 0xc2)
        return -1;
    if (first < 0xe0)
        return 1;
    if (first < 0xf0)
        return 2;
    return first < 0xf5 ? 3 : -1;
}

/* No overlong forms, no surrogates, nothing beyond U+10FFFF: all told by the second byte. */
static bool utf8_second_fits(uint8_t first, uint8_t second)
{
    switch (first) {
    case 0xe0: return second >= 0xa0;
    case 0xed: return second < 0xa0;
    case 0xf0: return second >= 0x90;
    case 0xf4: return second < 0x90;
    default: return true;
    }
}

static bool utf8_valid(struct view text)
{
    size_t at = 0;

    while (at < text.size) {
        uint8_t first = text.data[at++];
        int tail = utf8_tail(first);

        if (tail < 0 || (size_t)tail > text.size - at)
            return false;
        if (tail > 0 && !utf8_second_fits(first, text.data[at]))
            return false;
        for (; tail > 0; tail--)
            if ((text.data[at++] & 0xc0) != 0x80)
                return false;
    }
    return true;
}

bool reader_name(struct wasm_reader *r, struct view *out, struct wasm_fault *fault)
{
    struct wasm_reader ahead = *r;
    struct view name;
    uint32_t size;

    if (!reader_u32(&ahead, &size, fault) || !reader_skip(&ahead, size, &name, fault))
        return false;
    if (size > WASM_NAME_BYTES_MAX)
        return fault_set(fault, r->at, "name too long (%u bytes, limit %d)", size,
                         WASM_NAME_BYTES_MAX);
    if (!utf8_valid(name))
        return reader_refuse(fault, ahead.at - size, "malformed UTF-8 encoding");
    *r = ahead;
    *out = name;
    return true;
}
