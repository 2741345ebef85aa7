#include "drive/output.h"

#include <string.h>

void output_init(struct output *o, uint64_t from)
{
    *o = (struct output){.shown = from};
}

void output_release(struct output *o)
{
    bytes_release(&o->recent);
}

/* Keeps the last OUTPUT_RECENT_MAX; without memory for them, none. */
static void remember(struct output *o, struct view bytes)
{
    const size_t most = OUTPUT_RECENT_MAX;

    o->shown += bytes.size;
    if (bytes.size > most)
        bytes = view_of(bytes.data + bytes.size - most, most);
    if (o->recent.size + bytes.size > 2 * most) {
        memmove(o->recent.data, o->recent.data + o->recent.size - most, most);
        o->recent.size = most;
    }
    bytes_append(&o->recent, bytes.data, bytes.size);
    if (!bytes_ok(&o->recent))
        bytes_clear(&o->recent);
}

/* The first offset at which this is not what was shown; `end` if there is none. */
static uint64_t first_other(const struct output *o, uint64_t offset, struct view bytes,
                            uint64_t end)
{
    const uint64_t known = o->shown - o->recent.size;
    uint64_t at = offset > known ? offset : known;

    while (at < end && o->recent.data[at - known] == bytes.data[at - offset])
        at++;
    return at < end ? at : end;
}

static void forget_from(struct output *o, uint64_t at)
{
    const uint64_t lost = o->shown - at;

    o->recent.size -= lost < o->recent.size ? (size_t)lost : o->recent.size;
    o->shown = at;
}

struct output_piece output_take(struct output *o, uint64_t offset, struct view bytes)
{
    const uint64_t behind = offset + bytes.size;
    const uint64_t end = behind < o->shown ? behind : o->shown; /* of what was shown already */
    struct output_piece piece = {.at = o->shown};
    uint64_t other;

    if (offset > o->shown) {
        piece.gap = true;
        return piece;
    }
    other = first_other(o, offset, bytes, end);
    if (other < end) {
        piece.differs = true;
        piece.at = other;
        forget_from(o, other);
    }
    if (behind > o->shown) {
        piece.bytes = view_of(bytes.data + (o->shown - offset), (size_t)(behind - o->shown));
        remember(o, piece.bytes);
    }
    return piece;
}

struct output_piece output_end(struct output *o, uint64_t size)
{
    struct output_piece piece = {.at = size, .gap = size > o->shown};

    if (size < o->shown) {
        piece.differs = true;
        forget_from(o, size);
    }
    return piece;
}
