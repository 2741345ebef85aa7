#include "lib/lib.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <errno.h>

struct tern_op *op_new(struct tern *t)
{
    struct tern_op *op = calloc(1, sizeof *op);

    if (!op)
        return NULL;
    op->pool = t;
    op->next = t->ops;
    t->ops = op;
    if (!t->client)
        op_end(op, t->why.err, "%s", t->why.text);
    return op;
}

void tern_op_free(struct tern_op *op)
{
    struct tern_op **at;

    if (!op)
        return;
    at = &op->pool->ops;
    while (*at != op)
        at = &(*at)->next;
    *at = op->next;
    if (op->ask)
        client_unask(op->pool->client, op->ask);
    errand_free(op->carry);
    supplies_release(op);
    arena_release(&op->arena);
    free(op);
}

void op_end(struct tern_op *op, enum tern_err err, const char *format, ...)
{
    va_list args;

    if (op->over)
        return;
    op->over = true;
    op->problem.err = err;
    va_start(args, format);
    vsnprintf(op->problem.text, sizeof op->problem.text, format, args);
    va_end(args);
}

void op_well(struct tern_op *op)
{
    op->over = true;
}

void *op_memory(struct tern_op *op, size_t count, size_t size)
{
    void *p = arena_new(&op->arena, count ? count : 1, size ? size : 1);

    if (!p)
        op_end(op, TERN_ENOMEM, "out of memory");
    return p;
}

char *op_text(struct tern_op *op, const char *text)
{
    const size_t size = strlen(text ? text : "") + 1;
    char *copy = op_memory(op, size, 1);

    if (copy)
        memcpy(copy, text ? text : "", size);
    return copy;
}

static void take_answer(void *context, const Tern__Envelope *answer, enum tern_err err,
                        const char *why)
{
    struct tern_op *op = context;

    op->ask = 0;
    if (answer)
        op->answered(op, answer);
    else
        op_end(op, err, "%s", why && *why ? why : tern_err_text(err));
}

void op_ask(struct tern_op *op, const Tern__Envelope *e,
            void (*answered)(struct tern_op *op, const Tern__Envelope *answer))
{
    op->answered = answered;
    op->ask = client_ask(op->pool->client, e, take_answer, op);
    op->pool->unpolled = true;
    if (!op->ask)
        op_end(op, TERN_ETOOBIG,
               "that is too much for one request (%d MiB); submit fewer tasks at a time",
               LIMIT_ENVELOPE >> 20);
}

void op_confused(struct tern_op *op, const Tern__Envelope *answer)
{
    op_end(op, TERN_EPROTO, "the agent answered with %s, which fits nothing that was asked",
           message_name(answer));
}

static bool is_over(void *context)
{
    return ((const struct tern_op *)context)->over;
}

enum tern_err tern_op_wait(struct tern_op *op, int timeout_ms)
{
    enum tern_err err;

    if (!op)
        return TERN_ENOMEM;
    err = lib_wait(op->pool, is_over, op, timeout_ms);
    if (err || !op->problem.err)
        return err;
    return lib_fail(op->pool, op->problem.err, "%s", op->problem.text);
}

enum tern_err op_finish(struct tern *t, struct tern_op *op)
{
    enum tern_err err = op ? tern_op_wait(op, -1) : lib_fail(t, TERN_ENOMEM, "out of memory");

    tern_op_free(op);
    return err;
}

void tern_op_progress(const struct tern_op *op, uint64_t *done, uint64_t *all)
{
    *done = op->done_bytes + supplies_done_bytes(op) + (op->carry ? errand_bytes(op->carry) : 0);
    *all = op->all_bytes;
}

bool op_work(struct tern_op *op)
{
    return !op->over && supplies_work(op);
}

/* ---- bytes to a sink ---- */

static enum tern_err write_all(int fd, struct view bytes)
{
    while (bytes.size) {
        ssize_t n = write(fd, bytes.data, bytes.size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == ENOSPC ? TERN_ENOSPACE : TERN_EIO;
        bytes = view_of(bytes.data + n, bytes.size - (size_t)n);
    }
    return TERN_OK;
}

enum tern_err sink_put(const struct tern_sink *sink, struct view bytes)
{
    if (sink->take)
        return sink->take(sink->context, bytes.data, bytes.size);
    return write_all(sink->fd, bytes);
}

static enum tern_err on_bytes(void *context, struct view bytes, const char **why)
{
    struct tern_op *op = context;
    enum tern_err err = sink_put(&op->sink, bytes);

    if (err)
        *why = op->sink.take ? "the receiver refused it" : "cannot write what was fetched";
    return err;
}

static void on_fetched(void *context, enum tern_err err, const char *why)
{
    op_end(context, err, "%s", why ? why : "");
}

void op_fetch(struct tern_op *op, const Tern__Blob *blob, Tern__DepotAt *const *depots,
              size_t depot_count)
{
    struct errand_order order = {.depots = depots,
                                 .depot_count = depot_count,
                                 .size = blob->size,
                                 .bytes = on_bytes,
                                 .context = op,
                                 .done = on_fetched};

    if (blob->sha256.len != STORE_NAME_BYTES) {
        op_end(op, TERN_EPROTO, "the pool named data that has no name");
        return;
    }
    memcpy(order.root.name.bytes, blob->sha256.data, STORE_NAME_BYTES);
    order.root.kind = blob->kind;
    op->all_bytes = blob->size;
    op->carry = courier_get(client_courier(op->pool->client), &order);
    op->pool->unpolled = true;
    if (!op->carry)
        op_end(op, TERN_ENOMEM, "out of memory");
}
