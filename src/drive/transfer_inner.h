/*
 * transfer_inner - what uploads and fetches share: requests that are not answered yet. For them only.
 */
#ifndef TERN_DRIVE_TRANSFER_INNER_H
#define TERN_DRIVE_TRANSFER_INNER_H

#include "drive/transfer.h"

enum { TRANSFER_TRIES = 3, TRANSFER_WHY_BYTES = 512 };

struct wanted { /* a chunk */
    struct store_name name;
    uint32_t kind;
};

enum request_kind { REQUEST_PROBE, REQUEST_PUT, REQUEST_COMMIT, REQUEST_GET };

struct request {
    uint64_t number;
    enum request_kind kind;
    uint32_t bytes;     /* PUT: that were sent */
    bool as_difference; /* PUT */
    struct wanted chunk;
    struct bytes asked; /* PROBE: struct wanted each */
};

struct requests { /* oldest first */
    struct request at[TRANSFER_WINDOW];
    size_t count;
};

/* Sends it under the next number of the link. The slot is there: count < TRANSFER_WINDOW. */
enum tern_err request_send(struct requests *r, struct transfer_peer *peer, Tern__Envelope *e,
                           struct view attachment, const struct request *what);
/* The one that it answers, taken out; false: none of these. */
bool request_answered(struct requests *r, const Tern__Envelope *e, struct request *out);
void requests_release(struct requests *r);

ProtobufCBinaryData transfer_binary(const void *data, size_t size);
/* "depot NAME" into a sentence about what it refused. */
enum tern_err transfer_refused(const struct transfer_peer *peer, const Tern__Envelope *e,
                               const char *doing, char why[TRANSFER_WHY_BYTES]);

#endif
