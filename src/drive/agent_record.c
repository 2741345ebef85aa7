#include "drive/agent_record.h"

#include "base/check.h"
#include "base/little.h"

#include <string.h>

enum { HEAD_BYTES = 29 };

void agent_record_put(struct bytes *out, const struct core_event *ev)
{
    const size_t owner = ev->owner ? strlen(ev->owner) : 0;
    const size_t envelope = ev->message ? tern__envelope__get_packed_size(ev->message) : 0;
    uint8_t head[HEAD_BYTES];
    uint8_t *room;

    little_put(head, HEAD_BYTES - 4 + owner + envelope + ev->attachment.size, 4);
    little_put(head + 4, ev->kind, 1);
    little_put(head + 5, (uint64_t)ev->now_ns, 8);
    little_put(head + 13, ev->peer, 4);
    little_put(head + 17, owner, 4);
    little_put(head + 21, envelope, 4);
    little_put(head + 25, ev->attachment.size, 4);
    bytes_append(out, head, sizeof head);
    bytes_append(out, ev->owner, owner);
    room = bytes_reserve(out, envelope);
    if (room && envelope) {
        check(tern__envelope__pack(ev->message, room) == envelope);
        out->size += envelope;
    }
    bytes_append(out, ev->attachment.data, ev->attachment.size);
}

static enum tern_err take(const uint8_t *head, struct view owner, struct view envelope,
                          struct arena *arena, struct core_event *out)
{
    Tern__Envelope *e = NULL;
    char *name = arena_new(arena, owner.size + 1, 1);

    if (!name)
        return TERN_ENOMEM;
    memcpy(name, owner.data, owner.size);
    if (envelope.size && message_decode(envelope, arena, &e))
        return TERN_ECORRUPT;
    *out = (struct core_event){.kind = (enum core_event_kind)head[4],
                               .now_ns = (int64_t)little_get(head + 5, 8),
                               .peer = (uint32_t)little_get(head + 13, 4),
                               .message = e,
                               .owner = owner.size ? name : NULL};
    return out->kind <= CORE_LEAVE ? TERN_OK : TERN_ECORRUPT;
}

enum tern_err agent_record_get(struct view *from, struct arena *arena, struct core_event *out)
{
    const uint8_t *at = from->data;
    size_t size, owner, envelope, attachment;
    enum tern_err err;

    if (from->size < HEAD_BYTES)
        return TERN_ECORRUPT;
    size = (size_t)little_get(at, 4);
    owner = (size_t)little_get(at + 17, 4);
    envelope = (size_t)little_get(at + 21, 4);
    attachment = (size_t)little_get(at + 25, 4);
    if (size > from->size - 4 || size != HEAD_BYTES - 4 + owner + envelope + attachment)
        return TERN_ECORRUPT;
    err = take(at, view_of(at + HEAD_BYTES, owner), view_of(at + HEAD_BYTES + owner, envelope),
               arena, out);
    if (err)
        return err;
    out->attachment = view_of(at + HEAD_BYTES + owner + envelope, attachment);
    *from = view_of(at + 4 + size, from->size - 4 - size);
    return TERN_OK;
}
