/*
 * blob - a run of bytes that can be read by offset (a file), named as a blob and uploaded, without
 *        being held in memory.
 *
 * Format   Up to 1 MiB: one CHUNK_LEAF. Else a CHUNK_LIST of leaves of 1 MiB each, the last one
 *          shorter; of more than CHUNK_LIST_MAX leaves: a CHUNK_LIST of such lists, each full but
 *          for the last.
 * Life     blob_new; blob_step until *over; then its root is known, and blob_source can be given to
 *          uploads, of which several may go on at a time, until blob_free.
 * Memory   The names of its chunks, 40 bytes for each MiB, and the lists.
 * Errors   Those of `read`. A file that changes between being named and being sent is found out:
 *          TERN_EBUSY, "it changed while it was being read".
 */
#ifndef TERN_DRIVE_BLOB_H
#define TERN_DRIVE_BLOB_H

#include "drive/transfer.h"

struct blob_input {
    void *context;
    /* Exactly these bytes. Also between blob_step and the end of the last upload. */
    enum tern_err (*read)(void *context, uint64_t offset, void *to, size_t size);
    uint64_t size;
    bool compress; /* what travels, where that makes it shorter: not worth it on one machine */
};

struct blob;

struct blob *blob_new(const struct blob_input *input); /* NULL: no memory */
void blob_free(struct blob *b);                        /* NULL is fine */
/* Names the next MiB. */
enum tern_err blob_step(struct blob *b, bool *over, struct problem *p);
struct chunks_root blob_root(const struct blob *b); /* expires_ns 0 */
struct transfer_source blob_source(struct blob *b);

#endif
