/*
 * stream - one program's standard output or error, from its own beginning, as chunks.
 *
 * Does     Full MiB become chunks at once; the rest is in memory. Of any length up to now it makes
 *          a blob.
 * Held     By nobody but the roots that the caller commits: whoever keeps a stream that long
 *          commits its blob now and then.
 * Errors   Those of the chunks. After one the stream is not to be added to.
 */
#ifndef TERN_DRIVE_STREAM_H
#define TERN_DRIVE_STREAM_H

#include "drive/chunks.h"
#include "message/message.h"

enum { STREAM_LEAF = 1 << 20 };

struct stream {
    struct chunks *chunks;
    const char *domain; /* borrowed */
    uint64_t bytes;     /* in all */
    struct bytes leaves; /* a struct store_name for each full MiB */
    struct bytes rest;   /* behind them */
};

struct stream_blob {
    struct chunks_root root; /* expires_ns 0 */
    uint64_t size;
};

void stream_begin(struct stream *s, struct chunks *chunks, const char *domain);
void stream_release(struct stream *s);
/* As it was at a checkpoint; its chunks are there. content may be NULL: nothing. */
enum tern_err stream_load(struct stream *s, const Tern__Content *content, uint64_t bytes);
enum tern_err stream_add(struct stream *s, struct view bytes);
/* Its first `size` bytes. */
enum tern_err stream_blob(struct stream *s, uint64_t size, struct stream_blob *out);
/* Appends the bytes from there on: at least one, at most up to the end of a MiB. */
enum tern_err stream_read(struct stream *s, uint64_t from, struct bytes *out);

/* A chunk, under its own name. */
enum tern_err stream_put(struct chunks *chunks, const char *domain, struct view plain,
                         struct store_name *name);

#endif
