#include "wire/input_head.h"

#include "base/little.h"

#include <string.h>

enum { MAGIC_BYTES = 8 };

static const uint8_t magic[MAGIC_BYTES] = {'T', 'E', 'R', 'N', 'I', 'N', 'P', '1'};

void input_head_encode(bool ended, uint64_t length, uint8_t out[INPUT_MARK_BYTES])
{
    const uint64_t number = ended ? length + 1 : 0;

    memcpy(out, magic, MAGIC_BYTES);
    little_put(out + MAGIC_BYTES, number, 8);
}

bool input_head_decode(const uint8_t from[INPUT_MARK_BYTES], bool *ended, uint64_t *length)
{
    uint64_t number;

    if (memcmp(from, magic, MAGIC_BYTES) != 0)
        return false;
    number = little_get(from + MAGIC_BYTES, 8);
    if (number > INPUT_BYTES_MAX)
        return false;
    *ended = number > 0;
    *length = number > 0 ? number - 1 : 0;
    return true;
}
