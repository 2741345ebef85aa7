/*
 * record - what the index keeps of chunks, of roots and of the store itself, as bytes.
 *
 * Keys      'c' and a name; 'h' and the name of a root that is held by its name; 'r' and a root's
 *           number, big-endian, so that roots stand in order; 's'.
 * Values    Fixed fields, little-endian, and behind them 8 bytes that check key and value: they
 * find damage, not malice. Decoding refuses what does not check or cannot be.
 */
#ifndef TERN_STORE_RECORD_H
#define TERN_STORE_RECORD_H

#include "store/store.h"

enum {
    RECORD_VERSION = 2,
    RECORD_DIGEST_BYTES = 16, /* XXH3, 128 bits */
    RECORD_KEY_MAX = 1 + STORE_NAME_BYTES,
    RECORD_VALUE_MAX = 72,
};

enum record_codec {
    RECORD_PLAIN = 0,
    RECORD_ZSTD = 1,
    RECORD_LIKE = 2, /* name of another, which is not of this codec; zstd with that as prefix */
};

struct record_chunk { /* where a chunk lies; one of no bytes lies nowhere: pack 0 */
    uint64_t pack;
    uint64_t offset;
    uint32_t stored_bytes;
    uint32_t plain_bytes;
    uint32_t codec;
    uint8_t digest[RECORD_DIGEST_BYTES]; /* of the stored bytes */
};

struct record_held { /* a root by its name */
    int64_t expires_ns;
    uint32_t kinds; /* bit k: as kind k */
    uint32_t dirty; /* in memory: not as in the index; of no kind: to be removed from there */
};

struct record_state { /* of the store */
    uint32_t version;
    uint64_t next_pack;     /* numbers of packs are never used twice */
    uint64_t fresh_bytes;   /* put since the store last looked what is held */
    uint32_t fresh_commits; /* and commits since then */
};

struct record { /* an encoded one */
    size_t key_bytes, value_bytes;
    uint8_t key[RECORD_KEY_MAX];
    uint8_t value[RECORD_VALUE_MAX];
};

/* Keys alone. */
void record_chunk_key(struct record *r, const struct store_name *name);
void record_root_key(struct record *r, uint64_t number);
void record_held_key(struct record *r, const struct store_name *name);
void record_state_key(struct record *r);

void record_of_chunk(struct record *r, const struct store_name *name, const struct record_chunk *c);
void record_of_root(struct record *r, const struct store_root *root);
void record_of_held(struct record *r, const struct store_name *name, const struct record_held *h);
void record_of_state(struct record *r, const struct record_state *s);

/* Whether the bytes are such a record; *out is as it was if not. */
bool record_get_chunk(struct view key, struct view value, struct store_name *name,
                      struct record_chunk *out);
bool record_get_root(struct view key, struct view value, struct store_root *out);
bool record_get_held(struct view key, struct view value, struct store_name *name,
                     struct record_held *out);
bool record_get_state(struct view key, struct view value, struct record_state *out);
/* Whether it is a record of any kind. */
bool record_is_whole(struct view key, struct view value);

#endif
