#include "message/message.h"

#include "base/check.h"
#include "base/little.h"
#include "message/measure.h"

#include <string.h>

void frame_put(const struct frame *f, uint8_t head[FRAME_HEAD_BYTES])
{
    little_put(head, f->size, 4);
    little_put(head + 4, f->envelope, 4);
    little_put(head + 8, f->number, 4);
}

enum tern_err frame_get(struct frame *f, const uint8_t head[FRAME_HEAD_BYTES])
{
    struct frame got = {.size = (uint32_t)little_get(head, 4),
                        .envelope = (uint32_t)little_get(head + 4, 4),
                        .number = (uint32_t)little_get(head + 8, 4)};

    if (got.envelope > LIMIT_ENVELOPE || got.size > LIMIT_ENVELOPE + LIMIT_ATTACHMENT)
        return TERN_ETOOBIG;
    if (got.size < got.envelope)
        return TERN_EPROTO;
    if (got.size - got.envelope > LIMIT_ATTACHMENT)
        return TERN_ETOOBIG;
    *f = got;
    return TERN_OK;
}

/* Appends what protobuf-c packs to; false: no memory. */
static bool append_packed(const ProtobufCMessage *m, size_t size, struct bytes *out)
{
    uint8_t *to = bytes_reserve(out, size);

    if (!to)
        return false;
    check(protobuf_c_message_pack(m, to) == size);
    out->size += size;
    return true;
}

enum tern_err message_encode(const Tern__Envelope *e, struct view attachment, uint32_t number,
                             struct bytes *out)
{
    const size_t before = out->size;
    const size_t size = tern__envelope__get_packed_size(e);
    uint8_t head[FRAME_HEAD_BYTES];
    struct frame f = {.envelope = (uint32_t)size, .number = number};

    if (size > LIMIT_ENVELOPE || attachment.size > LIMIT_ATTACHMENT)
        return TERN_ETOOBIG;
    f.size = (uint32_t)(size + attachment.size);
    frame_put(&f, head);
    bytes_append(out, head, sizeof head);
    if (append_packed(&e->base, size, out))
        bytes_append(out, attachment.data, attachment.size);
    if (bytes_ok(out))
        return TERN_OK;
    out->size = before;
    return TERN_ENOMEM;
}

/* Memory for one message, out of an arena that may hold others. */
struct room {
    struct arena *arena;
    size_t left;
    bool full;
};

static void *take(void *context, size_t size)
{
    struct room *room = context;
    void *p = NULL;

    if (size <= room->left) {
        room->left -= size;
        p = arena_new(room->arena, size, 1);
    }
    room->full |= !p;
    return p;
}

static void give_back(void *context, void *pointer)
{
    (void)context;
    (void)pointer; /* with the arena */
}

static enum tern_err decode(const ProtobufCMessageDescriptor *type, struct view bytes,
                            struct arena *arena, void **out)
{
    struct room room = {.arena = arena, .left = LIMIT_DECODED};
    ProtobufCAllocator allocator = {take, give_back, &room};
    ProtobufCMessage *m = protobuf_c_message_unpack(type, &allocator, bytes.size, bytes.data);
    enum tern_err err;

    if (!m)
        return room.full ? TERN_ETOOBIG : TERN_EPROTO;
    err = measure(m);
    if (!err)
        *out = m;
    return err;
}

enum tern_err message_decode(struct view envelope, struct arena *arena, Tern__Envelope **out)
{
    void *m = NULL;
    enum tern_err err = envelope.size > LIMIT_ENVELOPE
                            ? TERN_ETOOBIG
                            : decode(&tern__envelope__descriptor, envelope, arena, &m);

    if (!err)
        *out = m;
    return err;
}

enum tern_err fact_encode(const Tern__Fact *fact, struct bytes *out)
{
    return append_packed(&fact->base, tern__fact__get_packed_size(fact), out) ? TERN_OK
                                                                              : TERN_ENOMEM;
}

enum tern_err fact_decode(struct view bytes, struct arena *arena, Tern__Fact **out)
{
    void *m = NULL;
    enum tern_err err = decode(&tern__fact__descriptor, bytes, arena, &m);

    if (!err)
        *out = m;
    return err;
}

void *message_copy(const ProtobufCMessage *m, struct arena *arena)
{
    struct bytes packed = {0};
    void *copy = NULL;

    if (append_packed(m, protobuf_c_message_get_packed_size(m), &packed) &&
        decode(m->descriptor, bytes_view(&packed), arena, &copy))
        copy = NULL;
    bytes_release(&packed);
    return copy;
}

const char *message_name(const Tern__Envelope *e)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(&tern__envelope__descriptor, e->body_case);

    return field ? field->name : "nothing";
}
