/*
 * message - frames and envelopes: what travels on a connection of a pool, as bytes.
 *
 * Format   A frame is 12 bytes: u32 size of all that follows, u32 size of the envelope, u32 number,
 *          little-endian; then the Envelope of proto/tern.proto; then its attachment. Numbers count
 *          from 1 on each connection, each way, and wrap round: a gap means that something was
 *          lost, and ends the connection.
 * Limits   limits.h. A frame, list or text that passes one is TERN_ETOOBIG, anything else that is
 *          wrong TERN_EPROTO; nothing of it is used then. Limits are looked at before memory is had
 *          for what they bound.
 * Memory   What is decoded lies in the caller's arena, but for attachments, which are borrowed.
 */
#ifndef TERN_MESSAGE_MESSAGE_H
#define TERN_MESSAGE_MESSAGE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "message/limits.h"

#include "message/tern.pb-c.h"

enum { FRAME_HEAD_BYTES = 12 };

struct frame {
    uint32_t size;     /* of envelope and attachment */
    uint32_t envelope; /* of these */
    uint32_t number;
};

void frame_put(const struct frame *f, uint8_t head[FRAME_HEAD_BYTES]);
/* TERN_ETOOBIG, TERN_EPROTO. */
enum tern_err frame_get(struct frame *f, const uint8_t head[FRAME_HEAD_BYTES]);

/* Appends head, envelope and attachment; TERN_ETOOBIG if they pass a limit, with *out as it was. */
enum tern_err message_encode(const Tern__Envelope *e, struct view attachment, uint32_t number,
                             struct bytes *out);
enum tern_err message_decode(struct view envelope, struct arena *arena, Tern__Envelope **out);

/* The same for what the journal keeps; no frame, no attachment. */
enum tern_err fact_encode(const Tern__Fact *fact, struct bytes *out);
enum tern_err fact_decode(struct view bytes, struct arena *arena, Tern__Fact **out);

/* A copy in the arena; NULL: no memory. Of any message of the schema. */
void *message_copy(const ProtobufCMessage *m, struct arena *arena);

/* "Submit", "NodeAd": for notes and errors. */
const char *message_name(const Tern__Envelope *e);

#endif
