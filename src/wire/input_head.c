#include "wire/input_head.h"

#include "base/little.h"

#include <string.h>

enum { MAGIC_BYTES = 8, NUMBER_BYTES = 8, AT_ONCE = 8 };
enum { ENDED_AT = 8, SUMMED_AT = 16, SUM_AT = 24, CHECK_AT = 32 };

static const uint8_t magic[MAGIC_BYTES] = {'T', 'E', 'R', 'N', 'I', 'N', 'P', '1'};

void input_head_encode(const struct input_head *h, uint8_t out[INPUT_MARK_BYTES])
{
    memcpy(out, magic, MAGIC_BYTES);
    little_put(out + ENDED_AT, h->ended ? h->length + 1 : 0, NUMBER_BYTES);
    little_put(out + SUMMED_AT, h->summed, NUMBER_BYTES);
    little_put(out + SUM_AT, h->summed ? h->sum : 0, NUMBER_BYTES);
    little_put(out + CHECK_AT, input_sum(INPUT_SUM_NONE, view_of(out, CHECK_AT)), NUMBER_BYTES);
}

static bool is_whole(const uint8_t from[INPUT_MARK_BYTES])
{
    static const uint8_t older[INPUT_MARK_BYTES - SUMMED_AT];
    const uint64_t sum = input_sum(INPUT_SUM_NONE, view_of(from, CHECK_AT));

    return memcmp(from, magic, MAGIC_BYTES) == 0 &&
           (little_get(from + CHECK_AT, NUMBER_BYTES) == sum ||
            memcmp(from + SUMMED_AT, older, sizeof older) == 0);
}

bool input_head_decode(const uint8_t from[INPUT_MARK_BYTES], struct input_head *out)
{
    const uint64_t number = little_get(from + ENDED_AT, NUMBER_BYTES);
    const uint64_t summed = little_get(from + SUMMED_AT, NUMBER_BYTES);

    if (!is_whole(from) || number > INPUT_BYTES_MAX || summed > INPUT_BYTES_MAX)
        return false;
    *out = (struct input_head){
        .ended = number > 0,
        .length = number > 0 ? number - 1 : 0,
        .summed = summed,
        .sum = little_get(from + SUM_AT, NUMBER_BYTES),
    };
    return true;
}

/* The factor to the power of `n`. */
static uint64_t power(unsigned n)
{
    uint64_t result = 1;

    for (unsigned i = 0; i < n; i++)
        result *= INPUT_SUM_FACTOR;
    return result;
}

/* Eight bytes at once, which need not wait for each other. */
uint64_t input_sum(uint64_t sum, struct view more)
{
    uint64_t factor[AT_ONCE];
    size_t i = 0;

    for (unsigned k = 0; k < AT_ONCE; k++)
        factor[k] = power(AT_ONCE - 1 - k);
    for (; more.size - i >= AT_ONCE; i += AT_ONCE) {
        uint64_t part = 0;

        for (size_t k = 0; k < AT_ONCE; k++)
            part += more.data[i + k] * factor[k];
        sum = sum * factor[0] * INPUT_SUM_FACTOR + part;
    }
    for (; i < more.size; i++)
        sum = sum * INPUT_SUM_FACTOR + more.data[i];
    return sum;
}
