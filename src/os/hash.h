/*
 * hash - SHA-256, the name of everything that is named by its content.
 */
#ifndef TERN_OS_HASH_H
#define TERN_OS_HASH_H

#include "base/bytes.h"

#include <openssl/sha.h>

enum { DIGEST_BYTES = 32, DIGEST_HEX_BYTES = 65 };

struct digest {
    uint8_t byte[DIGEST_BYTES];
};

struct hash { /* several fields, each with its length: ("ab", "c") is not ("a", "bc") */
    SHA256_CTX state;
};

void hash_begin(struct hash *h);
void hash_add(struct hash *h, struct view field);
void hash_add_text(struct hash *h, const char *text); /* NULL counts as "" */
struct digest hash_end(struct hash *h);

/* Of the plain bytes: what sha256sum prints. */
struct digest hash_of(struct view bytes);

bool digest_equal(const struct digest *a, const struct digest *b);
/* Small hexadecimal digits and a terminating zero. */
void digest_hex(const struct digest *d, char out[DIGEST_HEX_BYTES]);

#endif
