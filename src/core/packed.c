#include "core/packed.h"

#include "base/check.h"

#include <stdlib.h>

void packed_set(struct packed *p, const ProtobufCMessage *m)
{
    struct packed set = {.size = protobuf_c_message_get_packed_size(m)};

    set.data = malloc(set.size ? set.size : 1);
    check(set.data);
    check(protobuf_c_message_pack(m, set.data) == set.size);
    packed_release(p);
    *p = set;
}

void packed_release(struct packed *p)
{
    free(p->data);
    *p = (struct packed){0};
}

static void *take(void *context, size_t size)
{
    return core_new(context, size, 1);
}

static void give_back(void *context, void *pointer)
{
    (void)context;
    (void)pointer; /* with the arena */
}

void *packed_open(const struct packed *p, const ProtobufCMessageDescriptor *type,
                  struct core_out *out)
{
    ProtobufCAllocator allocator = {take, give_back, out};
    ProtobufCMessage *m = protobuf_c_message_unpack(type, &allocator, p->size, p->data);

    check(m); /* we packed it */
    return m;
}
