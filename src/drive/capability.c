#include "drive/capability.h"

#include "base/little.h"
#include "store/store.h"

#include <string.h>

enum { BLOCK_BYTES = 64, MESSAGE_MAX = 8 + 4 + LIMIT_TEXT + 4 + 8 + 3 * 8 };
static const char magic[] = "TERNCAP1";

static void append(uint8_t *to, size_t *at, const void *data, size_t size)
{
    if (size)
        memcpy(to + *at, data, size);
    *at += size;
}

static void append_number(uint8_t *to, size_t *at, uint64_t n, size_t size)
{
    little_put(to + *at, n, size);
    *at += size;
}

static size_t message_of(const Tern__Capability *c, uint8_t to[MESSAGE_MAX])
{
    static const Tern__Fence none = TERN__FENCE__INIT;
    const Tern__Fence *fence = c->fence ? c->fence : &none;
    const size_t domain = strnlen(c->domain ? c->domain : "", LIMIT_TEXT);
    size_t at = 0;

    append(to, &at, magic, 8);
    append_number(to, &at, domain, 4);
    append(to, &at, c->domain, domain);
    append_number(to, &at, c->rights, 4);
    append_number(to, &at, (uint64_t)c->expires_ns, 8);
    append_number(to, &at, fence->task, 8);
    append_number(to, &at, fence->attempt, 8);
    append_number(to, &at, fence->term, 8);
    return at;
}

/* RFC 2104: H((key ^ outer) H((key ^ inner) message)). */
void capability_seal(const Tern__Capability *c, const uint8_t key[CAPABILITY_KEY_BYTES],
                     uint8_t mac[CAPABILITY_MAC_BYTES])
{
    uint8_t inner[BLOCK_BYTES + MESSAGE_MAX], outer[BLOCK_BYTES + CAPABILITY_MAC_BYTES];
    struct store_name hash;
    size_t size;

    memset(inner, 0x36, BLOCK_BYTES);
    memset(outer, 0x5c, BLOCK_BYTES);
    for (size_t i = 0; i < CAPABILITY_KEY_BYTES; i++) {
        inner[i] ^= key[i];
        outer[i] ^= key[i];
    }
    size = message_of(c, inner + BLOCK_BYTES);
    hash = store_name_of(view_of(inner, BLOCK_BYTES + size));
    memcpy(outer + BLOCK_BYTES, hash.bytes, sizeof hash.bytes);
    hash = store_name_of(view_of(outer, sizeof outer));
    memcpy(mac, hash.bytes, sizeof hash.bytes);
}

/* In a time that does not hang on where they differ. */
static bool equal(const uint8_t *a, const uint8_t *b, size_t size)
{
    unsigned difference = 0;

    for (size_t i = 0; i < size; i++)
        difference |= (unsigned)(a[i] ^ b[i]);
    return difference == 0;
}

enum tern_err capability_check(const Tern__Capability *c, const uint8_t key[CAPABILITY_KEY_BYTES],
                               uint32_t rights, int64_t now_ns)
{
    uint8_t mac[CAPABILITY_MAC_BYTES];

    if (!c || c->mac.len != sizeof mac)
        return TERN_EACCES;
    capability_seal(c, key, mac);
    if (!equal(mac, c->mac.data, sizeof mac) || (c->rights & rights) != rights)
        return TERN_EACCES;
    return c->expires_ns > now_ns ? TERN_OK : TERN_ETIME;
}
