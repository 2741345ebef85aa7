#include "base/xxh64.h"

#include <string.h>

static const uint64_t prime1 = 0x9E3779B185EBCA87u, prime2 = 0xC2B2AE3D27D4EB4Fu,
                      prime3 = 0x165667B19E3779F9u, prime4 = 0x85EBCA77C2B2AE63u,
                      prime5 = 0x27D4EB2F165667C5u;

static uint64_t rotate(uint64_t value, int by)
{
    return value << by | value >> (64 - by);
}

/* Little-endian; compilers make one load of it. */
static uint64_t load64(const uint8_t *from)
{
    uint64_t value;

    memcpy(&value, from, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    return value;
}

static uint32_t load32(const uint8_t *from)
{
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static uint64_t turn(uint64_t lane, uint64_t input)
{
    return rotate(lane + input * prime2, 31) * prime1;
}

static uint64_t merge(uint64_t hash, uint64_t lane)
{
    return (hash ^ turn(0, lane)) * prime1 + prime4;
}

static void add_stripe(uint64_t lane[4], const uint8_t *from)
{
    for (int i = 0; i < 4; i++)
        lane[i] = turn(lane[i], load64(from + 8 * (size_t)i));
}

void xxh64_begin(struct xxh64 *h, uint64_t seed)
{
    *h = (struct xxh64){
        .lane = {seed + prime1 + prime2, seed + prime2, seed, seed - prime1},
        .seed = seed,
    };
}

void xxh64_add(struct xxh64 *h, const void *data, size_t size)
{
    const uint8_t *from = data;
    const size_t kept = h->size % XXH64_STRIPE_BYTES, missing = XXH64_STRIPE_BYTES - kept;

    if (size == 0)
        return;
    h->size += size;
    if (kept > 0 && size >= missing) {
        memcpy(h->rest + kept, from, missing);
        add_stripe(h->lane, h->rest);
        from += missing;
        size -= missing;
    } else if (kept > 0) {
        memcpy(h->rest + kept, from, size);
        return;
    }
    for (; size >= XXH64_STRIPE_BYTES; from += XXH64_STRIPE_BYTES, size -= XXH64_STRIPE_BYTES)
        add_stripe(h->lane, from);
    memcpy(h->rest, from, size);
}

static uint64_t add_rest(uint64_t hash, const uint8_t *from, size_t size)
{
    for (; size >= 8; from += 8, size -= 8)
        hash = rotate(hash ^ turn(0, load64(from)), 27) * prime1 + prime4;
    for (; size >= 4; from += 4, size -= 4)
        hash = rotate(hash ^ load32(from) * prime1, 23) * prime2 + prime3;
    for (; size > 0; from++, size--)
        hash = rotate(hash ^ *from * prime5, 11) * prime1;
    return hash;
}

uint64_t xxh64_end(const struct xxh64 *h)
{
    const uint64_t *lane = h->lane;
    uint64_t hash = h->seed + prime5;

    if (h->size >= XXH64_STRIPE_BYTES) {
        hash = rotate(lane[0], 1) + rotate(lane[1], 7) + rotate(lane[2], 12) + rotate(lane[3], 18);
        for (int i = 0; i < 4; i++)
            hash = merge(hash, lane[i]);
    }
    hash = add_rest(hash + h->size, h->rest, h->size % XXH64_STRIPE_BYTES);
    hash = (hash ^ hash >> 33) * prime2;
    hash = (hash ^ hash >> 29) * prime3;
    return hash ^ hash >> 32;
}

uint64_t xxh64_of(const void *data, size_t size, uint64_t seed)
{
    struct xxh64 h;

    xxh64_begin(&h, seed);
    xxh64_add(&h, data, size);
    return xxh64_end(&h);
}
