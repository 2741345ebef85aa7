#define XXH_INLINE_ALL /* nothing to link, and no call for a page */
#include "store/digest.h"

#include "base/check.h"
#include "base/little.h"

#include <string.h>
#include <xxhash.h>

enum { BOTH_MAX = 256 };

void digest_sum(struct view key, struct view value, uint8_t out[DIGEST_SUM_BYTES])
{
    uint8_t both[BOTH_MAX];

    check(key.size + value.size <= sizeof both);
    memcpy(both, key.data, key.size);
    if (value.size)
        memcpy(both + key.size, value.data, value.size);
    little_put(out, XXH3_64bits(both, key.size + value.size), 8);
}

void digest_stored(struct view bytes, uint8_t out[DIGEST_STORED_BYTES])
{
    const XXH128_hash_t h = XXH3_128bits(bytes.size ? bytes.data : out, bytes.size);

    little_put(out, h.low64, 8);
    little_put(out + 8, h.high64, 8);
}
