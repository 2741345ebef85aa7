/* compress - LZ77 with hash chains, and back: byte loops, table look-ups, copies. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HASH_BITS = 15, WINDOW = 1 << 16, CHAIN_MAX = 24, MATCH_MIN = 4, MATCH_MAX = 255 };

struct finder {
    int32_t head[1 << HASH_BITS];
    int32_t previous[WINDOW];
};

static uint32_t hash_at(const uint8_t *p)
{
    uint32_t x;

    memcpy(&x, p, sizeof x);
    return x * 2654435761u >> (32 - HASH_BITS);
}

static int match_length(const uint8_t *a, const uint8_t *b, int most)
{
    int n = 0;

    while (n < most && a[n] == b[n])
        n++;
    return n;
}

static int longest(const struct finder *f, const uint8_t *data, int at, int size, int *where)
{
    int best = MATCH_MIN - 1, most = size - at < MATCH_MAX ? size - at : MATCH_MAX;
    int32_t candidate = f->head[hash_at(data + at)];

    for (int tries = 0; tries < CHAIN_MAX && candidate >= 0 && at - candidate < WINDOW; tries++) {
        int n = match_length(data + candidate, data + at, most);

        if (n > best) {
            best = n;
            *where = candidate;
        }
        candidate = f->previous[candidate % WINDOW];
    }
    return best;
}

static void insert(struct finder *f, const uint8_t *data, int at)
{
    uint32_t h = hash_at(data + at);

    f->previous[at % WINDOW] = f->head[h];
    f->head[h] = at;
}

/* A token: 0, literal; or length, distance in two bytes. */
static int compress(struct finder *f, const uint8_t *data, int size, uint8_t *out)
{
    int at = 0, used = 0;

    memset(f->head, 0xff, sizeof f->head);
    while (at < size) {
        int where = 0;
        int n = at + MATCH_MIN <= size ? longest(f, data, at, size, &where) : 0;

        if (n >= MATCH_MIN) {
            out[used++] = (uint8_t)n;
            out[used++] = (uint8_t)(at - where);
            out[used++] = (uint8_t)((at - where) >> 8);
        } else {
            n = 1;
            out[used++] = 0;
            out[used++] = data[at];
        }
        for (; n > 0; n--, at++)
            if (at + MATCH_MIN <= size)
                insert(f, data, at);
    }
    return used;
}

static int decompress(const uint8_t *in, int size, uint8_t *out)
{
    int used = 0;

    for (int at = 0; at < size;) {
        int n = in[at++];

        if (n == 0) {
            out[used++] = in[at++];
        } else {
            int distance = in[at] | in[at + 1] << 8;

            at += 2;
            for (; n > 0; n--, used++)
                out[used] = out[used - distance];
        }
    }
    return used;
}

static void write_prose(uint8_t *data, int size)
{
    static const char *const word[] = {"the ",   "tern ", "flies ", "over ",  "grey ", "water, ",
                                       "north ", "and ",  "south ", "again ", "to ",   "ice.\n",
                                       "far ",   "from ", "any ",   "shore "};
    uint32_t dice = 7;
    int at = 0;

    while (at < size) {
        const char *w;

        dice = dice * 1664525 + 1013904223;
        w = word[dice >> 28];
        while (*w && at < size)
            data[at++] = (uint8_t)*w++;
    }
}

int main(int argc, char **argv)
{
    enum { SIZE = 4 << 20 };
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    struct finder *f = malloc(sizeof *f);
    uint8_t *data = malloc(SIZE), *packed = malloc(2 * SIZE), *back = malloc(SIZE);
    int packed_size = 0;
    uint32_t sum = 0;

    if (!f || !data || !packed || !back)
        return 1;
    write_prose(data, SIZE);
    for (int i = 0; i < rounds; i++) {
        packed_size = compress(f, data, SIZE, packed);
        if (decompress(packed, packed_size, back) != SIZE || memcmp(data, back, SIZE) != 0)
            return 1;
        data[i * 997 % SIZE] ^= 1;
    }
    for (int i = 0; i < packed_size; i++)
        sum = sum * 31 + packed[i];
    printf("compress %d: %d of %d bytes, sum %08x\n", rounds, packed_size, (int)SIZE, sum);
    free(f);
    free(data);
    free(packed);
    free(back);
    return 0;
}
