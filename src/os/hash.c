/*
 * The plain functions of libcrypto, not EVP: that fetches providers and reads a configuration
 * first, which costs more than all else that a cached start does.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "os/hash.h"

#include "base/little.h"

#include <openssl/sha.h>
#include <string.h>

_Static_assert((int)DIGEST_BYTES == (int)SHA256_DIGEST_LENGTH, "SHA-256");

void hash_begin(struct hash *h)
{
    SHA256_Init(&h->state);
}

void hash_add(struct hash *h, struct view field)
{
    uint8_t length[8];

    little_put(length, field.size, sizeof length);
    SHA256_Update(&h->state, length, sizeof length);
    SHA256_Update(&h->state, field.data, field.size);
}

void hash_add_text(struct hash *h, const char *text)
{
    hash_add(h, view_of_string(text ? text : ""));
}

struct digest hash_end(struct hash *h)
{
    struct digest d;

    SHA256_Final(d.byte, &h->state);
    return d;
}

struct digest hash_of(struct view bytes)
{
    struct hash h;

    hash_begin(&h);
    SHA256_Update(&h.state, bytes.data, bytes.size);
    return hash_end(&h);
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return memcmp(a->byte, b->byte, sizeof a->byte) == 0;
}

void digest_hex(const struct digest *d, char out[DIGEST_HEX_BYTES])
{
    static const char digit[] = "0123456789abcdef";

    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        out[2 * i] = digit[d->byte[i] >> 4];
        out[2 * i + 1] = digit[d->byte[i] & 15];
    }
    out[DIGEST_HEX_BYTES - 1] = 0;
}
