/*
 * guest - the one way to the program's memory: every access is checked against its size now.
 *
 * Does     Offsets and lengths are 64-bit sums here, so nothing wraps. Multi-byte fields are
 *          little-endian and need no alignment.
 * Memory   A pointer holds until the memory could change its size: for one host call.
 * Errors   NULL: out of bounds (the call's answer is FAULT). A length of 0 is always fine.
 */
#ifndef TERN_RUNNER_GUEST_H
#define TERN_RUNNER_GUEST_H

#include "rt/tern_rt.h"

#include <stdbool.h>

enum { GUEST_PAGE_BYTES = 4096 }; /* the smallest that a host has */

/* Has pages that are still to come be there: the kernel would not wait for them. */
static inline void guest_touch(const uint8_t *at, uint64_t size)
{
    const uint8_t *end = at + size;

    for (const volatile uint8_t *p = at; p < end;
         p = (const uint8_t *)(((uintptr_t)p & ~(uintptr_t)(GUEST_PAGE_BYTES - 1)) +
                               GUEST_PAGE_BYTES))
        (void)*p;
}

static inline uint8_t *guest_at(const struct tern_memory *m, uint32_t offset, uint64_t size)
{
    static uint8_t nothing[1];
    uint64_t bytes = m ? (uint64_t)m->pages << 16 : 0;

    if (size == 0)
        return nothing;
    if (offset > bytes || size > bytes - offset)
        return NULL;
    if (m->late)
        guest_touch(m->base + offset, size);
    return m->base + offset;
}

static inline uint16_t guest_load16(const uint8_t *from)
{
    return (uint16_t)(from[0] | from[1] << 8);
}

static inline uint32_t guest_load32(const uint8_t *from)
{
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static inline uint64_t guest_load64(const uint8_t *from)
{
    return guest_load32(from) | (uint64_t)guest_load32(from + 4) << 32;
}

static inline void guest_store16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static inline void guest_store32(uint8_t *to, uint32_t value)
{
    guest_store16(to, (uint16_t)value);
    guest_store16(to + 2, (uint16_t)(value >> 16));
}

static inline void guest_store64(uint8_t *to, uint64_t value)
{
    guest_store32(to, (uint32_t)value);
    guest_store32(to + 4, (uint32_t)(value >> 32));
}

/* False: out of bounds, nothing stored. */
static inline bool guest_put32(const struct tern_memory *m, uint32_t offset, uint32_t value)
{
    uint8_t *to = guest_at(m, offset, sizeof value);

    if (to)
        guest_store32(to, value);
    return to;
}

static inline bool guest_put64(const struct tern_memory *m, uint32_t offset, uint64_t value)
{
    uint8_t *to = guest_at(m, offset, sizeof value);

    if (to)
        guest_store64(to, value);
    return to;
}

#endif
