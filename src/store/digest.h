/*
 * digest - XXH3 of bytes, little-endian: finds damage, not malice.
 */
#ifndef TERN_STORE_DIGEST_H
#define TERN_STORE_DIGEST_H

#include "base/bytes.h"

enum { DIGEST_SUM_BYTES = 8, DIGEST_STORED_BYTES = 16 };

/* 64 bits of both, one behind the other, which have at most 256 bytes together. */
void digest_sum(struct view key, struct view value, uint8_t out[DIGEST_SUM_BYTES]);
/* 128 bits. */
void digest_stored(struct view bytes, uint8_t out[DIGEST_STORED_BYTES]);

#endif
