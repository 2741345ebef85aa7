#include "store/record.h"

#include "base/check.h"
#include "base/little.h"
#include "store/digest.h"

#include <string.h>

enum {
    CHUNK_BYTES = 8 + 8 + 4 + 4 + 4 + RECORD_DIGEST_BYTES,
    ROOT_BYTES = STORE_NAME_BYTES + 8 + 8 + 8,
    HELD_BYTES = 4 + 8,
    STATE_BYTES = 4 + 8 + 8 + 4,
    CHECK_BYTES = DIGEST_SUM_BYTES,
};
_Static_assert((int)ROOT_BYTES + CHECK_BYTES <= (int)RECORD_VALUE_MAX, "room");
_Static_assert((int)CHUNK_BYTES + CHECK_BYTES <= (int)RECORD_VALUE_MAX, "room");

static void put(struct record *r, uint64_t value, size_t bytes)
{
    little_put(r->value + r->value_bytes, value, bytes);
    r->value_bytes += bytes;
}

static void put_bytes(struct record *r, const uint8_t *bytes, size_t size)
{
    memcpy(r->value + r->value_bytes, bytes, size);
    r->value_bytes += size;
}

static uint64_t get(const uint8_t **at, size_t bytes)
{
    const uint64_t value = little_get(*at, bytes);

    *at += bytes;
    return value;
}

static void seal(struct record *r)
{
    uint8_t sum[CHECK_BYTES];

    digest_sum(view_of(r->key, r->key_bytes), view_of(r->value, r->value_bytes), sum);
    put_bytes(r, sum, sizeof sum);
    check(r->value_bytes <= sizeof r->value);
}

/* Whether key and value are of these sizes and sort, and check. */
static bool is_sealed(struct view key, struct view value, char sort, size_t key_bytes, size_t bytes)
{
    uint8_t sum[CHECK_BYTES];

    if (key.size != key_bytes || key.data[0] != (uint8_t)sort || value.size != bytes + CHECK_BYTES)
        return false;
    digest_sum(key, view_of(value.data, bytes), sum);
    return memcmp(sum, value.data + bytes, sizeof sum) == 0;
}

void record_chunk_key(struct record *r, const struct store_name *name)
{
    *r = (struct record){.key_bytes = 1 + STORE_NAME_BYTES, .key = {'c'}};
    memcpy(r->key + 1, name->bytes, STORE_NAME_BYTES);
}

void record_root_key(struct record *r, uint64_t number)
{
    *r = (struct record){.key_bytes = 1 + 8, .key = {'r'}};
    for (size_t i = 0; i < 8; i++)
        r->key[1 + i] = (uint8_t)(number >> (8 * (7 - i)));
}

void record_held_key(struct record *r, const struct store_name *name)
{
    *r = (struct record){.key_bytes = 1 + STORE_NAME_BYTES, .key = {'h'}};
    memcpy(r->key + 1, name->bytes, STORE_NAME_BYTES);
}

void record_state_key(struct record *r)
{
    *r = (struct record){.key_bytes = 1, .key = {'s'}};
}

void record_of_chunk(struct record *r, const struct store_name *name, const struct record_chunk *c)
{
    record_chunk_key(r, name);
    put(r, c->pack, 8);
    put(r, c->offset, 8);
    put(r, c->stored_bytes, 4);
    put(r, c->plain_bytes, 4);
    put(r, c->codec, 4);
    put_bytes(r, c->digest, sizeof c->digest);
    seal(r);
}

void record_of_root(struct record *r, const struct store_root *root)
{
    record_root_key(r, root->number);
    put_bytes(r, root->list.bytes, sizeof root->list.bytes);
    put(r, (uint64_t)root->time_ns, 8);
    put(r, root->new_chunks, 8);
    put(r, root->new_bytes, 8);
    seal(r);
}

void record_of_held(struct record *r, const struct store_name *name, const struct record_held *h)
{
    record_held_key(r, name);
    put(r, h->kinds, 4);
    put(r, (uint64_t)h->expires_ns, 8);
    seal(r);
}

void record_of_state(struct record *r, const struct record_state *s)
{
    record_state_key(r);
    put(r, s->version, 4);
    put(r, s->next_pack, 8);
    put(r, s->fresh_bytes, 8);
    put(r, s->fresh_commits, 4);
    seal(r);
}

static bool is_possible(const struct record_chunk *c)
{
    if (c->plain_bytes > STORE_CHUNK_MAX || c->offset > INT64_MAX - STORE_CHUNK_MAX)
        return false;
    switch (c->codec) {
    case RECORD_PLAIN: return c->stored_bytes == c->plain_bytes;
    case RECORD_ZSTD: return c->stored_bytes > 0 && c->stored_bytes < c->plain_bytes;
    case RECORD_LIKE: return c->stored_bytes > STORE_NAME_BYTES && c->stored_bytes < c->plain_bytes;
    default: return false;
    }
}

bool record_get_chunk(struct view key, struct view value, struct store_name *name,
                      struct record_chunk *out)
{
    const uint8_t *at = value.data;
    struct record_chunk c;

    if (!is_sealed(key, value, 'c', 1 + STORE_NAME_BYTES, CHUNK_BYTES))
        return false;
    c.pack = get(&at, 8);
    c.offset = get(&at, 8);
    c.stored_bytes = (uint32_t)get(&at, 4);
    c.plain_bytes = (uint32_t)get(&at, 4);
    c.codec = (uint32_t)get(&at, 4);
    memcpy(c.digest, at, sizeof c.digest);
    if (!is_possible(&c))
        return false;
    memcpy(name->bytes, key.data + 1, sizeof name->bytes);
    *out = c;
    return true;
}

bool record_get_root(struct view key, struct view value, struct store_root *out)
{
    const uint8_t *at = value.data;

    if (!is_sealed(key, value, 'r', 1 + 8, ROOT_BYTES))
        return false;
    *out = (struct store_root){0};
    for (size_t i = 1; i < key.size; i++)
        out->number = out->number << 8 | key.data[i];
    memcpy(out->list.bytes, at, sizeof out->list.bytes);
    at += sizeof out->list.bytes;
    out->time_ns = (int64_t)get(&at, 8);
    out->new_chunks = get(&at, 8);
    out->new_bytes = get(&at, 8);
    return true;
}

bool record_get_held(struct view key, struct view value, struct store_name *name,
                     struct record_held *out)
{
    const uint8_t *at = value.data;

    if (!is_sealed(key, value, 'h', 1 + STORE_NAME_BYTES, HELD_BYTES))
        return false;
    *out = (struct record_held){.kinds = (uint32_t)get(&at, 4)};
    out->expires_ns = (int64_t)get(&at, 8);
    memcpy(name->bytes, key.data + 1, sizeof name->bytes);
    return true;
}

bool record_get_state(struct view key, struct view value, struct record_state *out)
{
    const uint8_t *at = value.data;

    if (!is_sealed(key, value, 's', 1, STATE_BYTES))
        return false;
    out->version = (uint32_t)get(&at, 4);
    out->next_pack = get(&at, 8);
    out->fresh_bytes = get(&at, 8);
    out->fresh_commits = (uint32_t)get(&at, 4);
    return true;
}

bool record_is_whole(struct view key, struct view value)
{
    struct store_name name;
    struct record_chunk c;
    struct record_held h;
    struct record_state s;
    struct store_root r;

    return record_get_chunk(key, value, &name, &c) || record_get_held(key, value, &name, &h) ||
           record_get_root(key, value, &r) || record_get_state(key, value, &s);
}
