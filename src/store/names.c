#include "store/names.h"

#include <stdlib.h>
#include <string.h>

static size_t entry_bytes(const struct names *n)
{
    return sizeof(struct store_name) + n->value_bytes;
}

const struct store_name *names_at(const struct names *n, size_t index)
{
    return (const void *)(n->entries + index * entry_bytes(n));
}

void *names_value(const struct names *n, size_t index)
{
    return n->entries + index * entry_bytes(n) + sizeof(struct store_name);
}

/* The slot in which it is or would be: names are hashes already. */
static size_t slot_of(const struct names *n, const struct store_name *name)
{
    size_t mask = 2 * n->capacity - 1;
    uint64_t at;

    memcpy(&at, name->bytes, sizeof at);
    for (size_t slot = at & mask;; slot = (slot + 1) & mask) {
        uint32_t taken = n->slots[slot];

        if (!taken || memcmp(names_at(n, taken - 1), name, sizeof *name) == 0)
            return slot;
    }
}

static bool grow(struct names *n)
{
    size_t wanted = n->capacity ? 2 * n->capacity : 64;
    uint8_t *entries;
    uint32_t *slots;

    if (wanted > NAMES_MAX)
        return false;
    slots = calloc(2 * wanted, sizeof *slots);
    entries = slots ? realloc(n->entries, wanted * entry_bytes(n)) : NULL;
    if (!entries) {
        free(slots);
        return false;
    }
    free(n->slots);
    n->slots = slots;
    n->entries = entries;
    n->capacity = wanted;
    for (size_t i = 0; i < n->count; i++)
        n->slots[slot_of(n, names_at(n, i))] = (uint32_t)i + 1;
    return true;
}

void *names_add(struct names *n, const struct store_name *name, bool *fresh)
{
    size_t slot;
    uint8_t *entry;

    if (n->count == n->capacity && !grow(n))
        return NULL;
    slot = slot_of(n, name);
    *fresh = n->slots[slot] == 0;
    if (!*fresh)
        return names_value(n, n->slots[slot] - 1);
    entry = n->entries + n->count * entry_bytes(n);
    memcpy(entry, name, sizeof *name);
    memset(entry + sizeof *name, 0, n->value_bytes);
    n->slots[slot] = (uint32_t)++n->count;
    return entry + sizeof *name;
}

void *names_find(const struct names *n, const struct store_name *name)
{
    size_t slot;

    if (n->count == 0)
        return NULL;
    slot = slot_of(n, name);
    return n->slots[slot] ? names_value(n, n->slots[slot] - 1) : NULL;
}

void names_clear(struct names *n)
{
    if (n->slots)
        memset(n->slots, 0, 2 * n->capacity * sizeof *n->slots);
    n->count = 0;
}

void names_release(struct names *n)
{
    free(n->entries);
    free(n->slots);
    *n = (struct names){.value_bytes = n->value_bytes};
}
