#include "wire/input_head.h"

#include <string.h>

enum { MAGIC_BYTES = 8 };

static const uint8_t magic[MAGIC_BYTES] = {'T', 'E', 'R', 'N', 'I', 'N', 'P', '1'};

void input_head_encode(bool ended, uint64_t length, uint8_t out[INPUT_MARK_BYTES])
{
    const uint64_t number = ended ? length + 1 : 0;

    memcpy(out, magic, MAGIC_BYTES);
    for (int i = 0; i < 8; i++)
        out[MAGIC_BYTES + i] = (uint8_t)(number >> (8 * i));
}

bool input_head_decode(const uint8_t from[INPUT_MARK_BYTES], bool *ended, uint64_t *length)
{
    uint64_t number = 0;

    if (memcmp(from, magic, MAGIC_BYTES) != 0)
        return false;
    for (int i = 0; i < 8; i++)
        number |= (uint64_t)from[MAGIC_BYTES + i] << (8 * i);
    if (number > INPUT_BYTES_MAX)
        return false;
    *ended = number > 0;
    *length = number > 0 ? number - 1 : 0;
    return true;
}
