/*
 * stored_blob - blobs in a store on this machine: read in order, and made.
 *
 * Format   As drive/blob.h: up to 1 MiB one leaf, else lists.
 * Errors   Reading: TERN_ENOENT, TERN_ECORRUPT (also: it is not of the size that its name says),
 *          TERN_EIO, and those of `take`. Making: as store_put.
 */
#ifndef TERN_OS_POOL_STORED_BLOB_H
#define TERN_OS_POOL_STORED_BLOB_H

#include "message/message.h"
#include "store/chunk.h"

typedef enum tern_err stored_blob_take(void *context, struct view bytes);

/* Piece by piece, each of at most 1 MiB. */
enum tern_err stored_blob_read(struct store *s, const Tern__Blob *blob, stored_blob_take *take,
                               void *context);
/* Into *out, which is appended to. TERN_ETOOBIG: larger than its limit. */
enum tern_err stored_blob_get(struct store *s, const Tern__Blob *blob, struct bytes *out);

/* A blob that comes in pieces. Zeroed is empty; each piece but the last has 1 MiB. */
struct stored_blob {
    struct bytes names; /* of its leaves */
};

enum tern_err stored_blob_add(struct stored_blob *b, struct store *s, struct view piece,
                              struct problem *p);
/* All of it is put; *kind says what `name` is. */
enum tern_err stored_blob_end(struct stored_blob *b, struct store *s, struct store_name *name,
                              unsigned *kind, struct problem *p);
void stored_blob_release(struct stored_blob *b);

#endif
