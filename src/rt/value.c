#include "rt/value.h"

#include <string.h>

static void put(uint8_t *to, uint64_t bits, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (uint8_t)(bits >> (8 * i));
}

static uint64_t get(const uint8_t *from, int bytes)
{
    uint64_t bits = 0;

    for (int i = 0; i < bytes; i++)
        bits |= (uint64_t)from[i] << (8 * i);
    return bits;
}

void value_save(char letter, const union tern_cell *from, uint8_t *out)
{
    memset(out, 0, TERN_VALUE_BYTES);
    switch (letter) {
    case 'i':
    case 'f': put(out, from->i32, 4); break;
    case 'v': memcpy(out, from->v128, sizeof from->v128); break;
    case 'r': put(out, tern_ref_number(from->ref), 8); break;
    default: put(out, from->i64, 8);
    }
}

void value_restore(char letter, const uint8_t *from, union tern_cell *out)
{
    switch (letter) {
    case 'i':
    case 'f': out->i32 = (uint32_t)get(from, 4); break;
    case 'v': memcpy(out->v128, from, sizeof out->v128); break;
    case 'r': out->ref = tern_ref_numbered(get(from, 8)); break;
    default: out->i64 = get(from, 8);
    }
}
