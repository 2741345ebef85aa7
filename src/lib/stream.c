#include "lib/lib.h"

#include <stdlib.h>
#include <string.h>

enum { QUEUED_MAX = 4 << 20, JOINED_MAX = 1 << 20 };

struct queued {
    struct queued *next;
    struct tern_piece piece;
    struct bytes bytes;
    struct tern_result *result;
};

struct tern_stream {
    struct tern_stream *next;
    struct tern *pool;
    struct tern_stream_of of;
    struct reader *reader;
    struct queued *first, *last, *given; /* given: what the caller looks at */
    size_t queued_bytes;
    bool held, lost; /* lost: a piece, for want of memory */
    struct problem problem;
};

/* ---- what the reader tells ---- */

static struct queued *add(struct tern_stream *s, enum tern_piece_kind kind)
{
    struct queued *q = calloc(1, sizeof *q);

    if (!q) {
        s->lost = true;
        return NULL;
    }
    q->piece.kind = kind;
    if (s->last)
        s->last->next = q;
    else
        s->first = q;
    s->last = q;
    return q;
}

static struct queued *to_join(struct tern_stream *s, int stream, uint64_t offset, size_t size)
{
    struct queued *q = s->last;

    if (q && q->piece.kind == TERN_PIECE_BYTES && q->piece.stream == stream + 1 &&
        q->piece.offset + q->bytes.size == offset && q->bytes.size + size <= JOINED_MAX)
        return q;
    q = add(s, TERN_PIECE_BYTES);
    if (q) {
        q->piece.stream = stream + 1;
        q->piece.offset = offset;
    }
    return q;
}

static void on_bytes(void *context, int stream, uint64_t offset, struct view bytes)
{
    struct tern_stream *s = context;
    struct queued *q = to_join(s, stream, offset, bytes.size);

    if (!q)
        return;
    bytes_append(&q->bytes, bytes.data, bytes.size);
    s->lost |= !bytes_ok(&q->bytes);
    s->queued_bytes += bytes.size;
}

static void on_differs(void *context, int stream, uint64_t offset)
{
    struct queued *q = add(context, TERN_PIECE_DIFFERS);

    if (q) {
        q->piece.stream = stream + 1;
        q->piece.offset = offset;
    }
}

static void add_result(struct tern_stream *s, enum tern_piece_kind kind, const Tern__TaskSeen *seen)
{
    struct queued *q = add(s, kind);

    if (!q)
        return;
    q->result = result_new(seen);
    s->lost |= !q->result;
    q->piece.result = q->result;
}

static void on_seen(void *context, const Tern__TaskSeen *seen)
{
    struct tern_stream *s = context;

    if (s->of.changes && !seen->end)
        add_result(s, TERN_PIECE_CHANGED, seen);
}

static void on_ended(void *context, const Tern__TaskSeen *seen)
{
    add_result(context, TERN_PIECE_ENDED, seen);
}

static void on_failed(void *context, enum tern_err err, const char *why)
{
    struct tern_stream *s = context;

    problem_set(&s->problem, err, "%s", why && *why ? why : tern_err_text(err));
}

/* ---- */

struct tern_stream *tern_stream_new(struct tern *t, const struct tern_stream_of *of)
{
    struct tern_stream *s = calloc(1, sizeof *s);
    const struct reader_order order = {.task = of->task.n,
                                       .provisional = of->provisional,
                                       .stop_at_now = of->stop_at_now,
                                       .from = {of->from[0], of->from[1]},
                                       .context = s,
                                       .bytes = on_bytes,
                                       .differs = on_differs,
                                       .seen = on_seen,
                                       .ended = on_ended,
                                       .failed = on_failed};

    if (!s)
        return NULL;
    s->pool = t;
    s->of = *of;
    if (t->client)
        s->reader = reader_new(t->client, &order);
    else
        s->problem = t->why;
    if (t->client && !s->reader) {
        free(s);
        return NULL;
    }
    s->next = t->streams;
    t->streams = s;
    t->unpolled = true;
    return s;
}

static void free_queued(struct queued *q)
{
    if (!q)
        return;
    bytes_release(&q->bytes);
    tern_result_free(q->result);
    free(q);
}

static void let_go(struct tern_stream *s)
{
    free_queued(s->given);
    s->given = NULL;
}

/* Reads no more while the caller has much to look at. */
static void balance(struct tern_stream *s)
{
    const bool held = s->held ? s->queued_bytes > QUEUED_MAX / 2 : s->queued_bytes > QUEUED_MAX;

    if (held == s->held || !s->reader)
        return;
    s->held = held;
    reader_hold(s->reader, held);
    s->pool->unpolled = true;
}

static bool has_piece(void *context)
{
    struct tern_stream *s = context;

    balance(s);
    return s->first || s->lost || s->problem.err;
}

enum tern_err tern_stream_next(struct tern_stream *s, int timeout_ms, struct tern_piece *out)
{
    enum tern_err err = s->pool->client ? lib_wait(s->pool, has_piece, s, timeout_ms) : TERN_OK;
    struct queued *q = s->first;

    if (err)
        return err;
    let_go(s);
    if (s->lost)
        return lib_fail(s->pool, TERN_ENOMEM, "out of memory");
    if (!q)
        return lib_fail(s->pool, s->problem.err, "%s", s->problem.text);
    s->first = q->next;
    if (!s->first)
        s->last = NULL;
    s->given = q;
    s->queued_bytes -= q->bytes.size;
    q->piece.bytes = q->bytes.data;
    q->piece.size = q->bytes.size;
    *out = q->piece;
    return TERN_OK;
}

void tern_stream_free(struct tern_stream *s)
{
    struct tern_stream **at;

    if (!s)
        return;
    at = &s->pool->streams;
    while (*at && *at != s)
        at = &(*at)->next;
    if (*at)
        *at = s->next;
    s->pool->unpolled = true;
    reader_free(s->reader);
    let_go(s);
    while (s->first) {
        struct queued *q = s->first;

        s->first = q->next;
        free_queued(q);
    }
    free(s);
}

void streams_free(struct tern *t)
{
    while (t->streams)
        tern_stream_free(t->streams);
}
