#include "base/prng.h"

#include "base/check.h"
#include "base/little.h"
#include "base/xxh64.h"

#include <string.h>

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

void prng_seed(struct prng *p, uint64_t seed, const char *stream)
{
    uint64_t state = *stream ? xxh64_of(stream, strlen(stream), seed) : seed;

    for (size_t i = 0; i < 4; i++)
        p->state[i] = splitmix64(&state);
}

static uint64_t turn(uint64_t x, unsigned by)
{
    return (x << by) | (x >> (64 - by));
}

uint64_t prng_next(struct prng *p)
{
    uint64_t *s = p->state;
    const uint64_t result = turn(s[1] * 5, 7) * 9;
    const uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = turn(s[3], 45);
    return result;
}

uint64_t prng_below(struct prng *p, uint64_t below)
{
    const uint64_t uneven = -below % below; /* 2^64 mod below: so many numbers are too many */
    uint64_t x;

    check(below > 0);
    do
        x = prng_next(p);
    while (x < uneven);
    return x % below;
}

int64_t prng_between(struct prng *p, int64_t least, int64_t most)
{
    const uint64_t width = (uint64_t)most - (uint64_t)least + 1;

    check(least <= most);
    return (int64_t)((uint64_t)least + (width ? prng_below(p, width) : prng_next(p)));
}

bool prng_chance(struct prng *p, uint32_t per_million)
{
    return prng_below(p, 1000000) < per_million;
}

/*
 * John von Neumann, 'Various techniques used in connection with random digits' (1951): a run of
 * falling numbers of odd length makes its first one a sample; each run of even length adds a mean.
 */
int64_t prng_waiting(struct prng *p, int64_t mean)
{
    enum { WHOLE_MAX = 39 };
    const int64_t unit = mean > 0 ? mean : 1;
    int64_t whole = 0;

    for (;;) {
        const uint64_t first = prng_next(p) >> 32;
        uint64_t last = first, next = prng_next(p) >> 32;
        bool odd = true;

        for (; next < last; odd = !odd) {
            last = next;
            next = prng_next(p) >> 32;
        }
        if (odd || whole == WHOLE_MAX) /* unit * first / 2^32, without passing 64 bits */
            return whole * unit + (unit >> 32) * (int64_t)first +
                   (int64_t)((((uint64_t)unit & UINT32_MAX) * first) >> 32);
        whole++;
    }
}

void prng_fill(struct prng *p, void *to, size_t size)
{
    uint8_t *at = to;

    for (size_t done = 0; done < size;) {
        const size_t piece = size - done < 8 ? size - done : 8;

        little_put(at + done, prng_next(p), piece);
        done += piece;
    }
}
