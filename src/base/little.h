/*
 * little - numbers as all formats here have them: little-endian, of 1 to 8 bytes, at any address.
 */
#ifndef TERN_BASE_LITTLE_H
#define TERN_BASE_LITTLE_H

#include <stddef.h>
#include <stdint.h>

static inline void little_put(uint8_t *to, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t little_get(const uint8_t *from, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)from[i] << (8 * i);
    return value;
}

#endif
