/*
 * packed - a message that a core keeps for later, in the fewest bytes.
 *
 * Memory   packed_set: there is memory, or the program ends (check). packed_release accepts an
 *          empty one.
 */
#ifndef TERN_CORE_PACKED_H
#define TERN_CORE_PACKED_H

#include "core/core.h"

struct packed {
    uint8_t *data;
    size_t size;
};

void packed_set(struct packed *p, const ProtobufCMessage *m);
void packed_release(struct packed *p);
/* In the out's arena; of the type that it was. */
void *packed_open(const struct packed *p, const ProtobufCMessageDescriptor *type,
                  struct core_out *out);

#endif
