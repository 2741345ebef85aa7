#include "store/checkpoint_root.h"

#include "base/little.h"

#include <string.h>

enum { MAGIC_BYTES = 8 };

static const char *const magics[] = {"TERNCHK1", "TERNCHK2"}; /* without files, with files */

static int parts_of(const struct root *r)
{
    return r->has_files ? ROOT_PARTS : ROOT_FILES;
}

enum tern_err root_encode(const struct root *r, struct bytes *out)
{
    uint8_t count[4];

    out->limit = ROOT_BYTES_MAX;
    bytes_append(out, magics[r->has_files], MAGIC_BYTES);
    for (int i = 0; i < parts_of(r); i++) {
        little_put(count, r->count[i], sizeof count);
        bytes_append(out, count, sizeof count);
    }
    for (int i = 0; i < parts_of(r); i++)
        bytes_append(out, r->names[i], (size_t)r->count[i] * STORE_NAME_BYTES);
    return bytes_ok(out) ? TERN_OK : TERN_ETOOBIG;
}

bool root_decode(struct root *r, struct view plain)
{
    uint64_t names = 0;
    size_t head;

    *r = (struct root){.has_files = false};
    if (plain.size < MAGIC_BYTES)
        return false;
    r->has_files = memcmp(plain.data, magics[1], MAGIC_BYTES) == 0;
    head = MAGIC_BYTES + 4 * (size_t)parts_of(r);
    if (plain.size < head || memcmp(plain.data, magics[r->has_files], MAGIC_BYTES) != 0)
        return false;
    for (int i = 0; i < parts_of(r); i++) {
        r->count[i] = (uint32_t)little_get(plain.data + MAGIC_BYTES + 4 * i, 4);
        r->names[i] = plain.data + head + names * STORE_NAME_BYTES;
        names += r->count[i];
    }
    return plain.size - head == names * STORE_NAME_BYTES;
}
