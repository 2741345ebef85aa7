#include "lib/lib.h"

#include <string.h>

Tern__Which lib_which(struct tern_which which)
{
    Tern__Which out = TERN__WHICH__INIT;

    out.task = which.task.n;
    out.job = which.job.n;
    return out;
}

/* ---- orders that are answered by Done ---- */

static void take_done(struct tern_op *op, const Tern__Envelope *answer)
{
    uint64_t *count = op->out;

    if (answer->body_case != TERN__ENVELOPE__BODY_DONE) {
        op_confused(op, answer);
        return;
    }
    if (count)
        *count = answer->done->count;
    op_well(op);
}

static struct tern_op *order(struct tern *t, const Tern__Envelope *e, uint64_t *count)
{
    struct tern_op *op = op_new(t);

    if (!op || op->over)
        return op;
    op->out = count;
    op_ask(op, e, take_done);
    return op;
}

enum tern_err tern_cancel(struct tern *t, struct tern_which which, uint64_t *count)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Cancel cancel = TERN__CANCEL__INIT;
    Tern__Which w = lib_which(which);

    cancel.which = &w;
    e.body_case = TERN__ENVELOPE__BODY_CANCEL;
    e.cancel = &cancel;
    return op_finish(t, order(t, &e, count));
}

enum tern_err tern_checkpoint(struct tern *t, struct tern_which which, uint64_t *count)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__TakeCheckpoint take = TERN__TAKE_CHECKPOINT__INIT;
    Tern__Which w = lib_which(which);

    take.which = &w;
    e.body_case = TERN__ENVELOPE__BODY_TAKE_CHECKPOINT;
    e.take_checkpoint = &take;
    return op_finish(t, order(t, &e, count));
}

enum tern_err tern_migrate(struct tern *t, struct tern_task task, const char *node)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Move move = TERN__MOVE__INIT;

    move.task = task.n;
    move.node = (char *)(node ? node : ""); /* is copied */
    e.body_case = TERN__ENVELOPE__BODY_MOVE;
    e.move = &move;
    return op_finish(t, order(t, &e, NULL));
}

enum tern_err tern_drain(struct tern *t, const char *node, bool back, uint64_t *count)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Drain drain = TERN__DRAIN__INIT;

    drain.node = (char *)node; /* is copied */
    drain.back = back;
    e.body_case = TERN__ENVELOPE__BODY_DRAIN;
    e.drain = &drain;
    return op_finish(t, order(t, &e, count));
}

enum tern_err tern_forget(struct tern *t, struct tern_which which, uint64_t *count)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Forget forget = TERN__FORGET__INIT;
    Tern__Which w = lib_which(which);

    forget.which = &w;
    e.body_case = TERN__ENVELOPE__BODY_FORGET;
    e.forget = &forget;
    return op_finish(t, order(t, &e, count));
}

/* ---- input ---- */

struct piece {
    struct tern_source source;
    uint64_t task, offset;
    bool end;
};

static void send_input(struct tern_op *op)
{
    const struct piece *p = op->in;
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__MoreInput input = TERN__MORE_INPUT__INIT;

    input.task = p->task;
    input.offset = p->offset;
    input.content = op->supplies->content;
    input.end = p->end;
    e.body_case = TERN__ENVELOPE__BODY_MORE_INPUT;
    e.more_input = &input;
    op_ask(op, &e, take_done);
}

/* A copy of the bytes: the caller's buffer is soon used again. */
static struct piece *new_piece(struct tern_op *op, const void *bytes, size_t size)
{
    struct piece *p = op_memory(op, 1, sizeof *p);
    uint8_t *copy = op_memory(op, size, 1);

    if (!p || !copy)
        return NULL;
    if (size)
        memcpy(copy, bytes, size);
    p->source = (struct tern_source){.kind = TERN_BYTES, .bytes = copy, .size = size};
    return p;
}

struct tern_op *tern_input_begin(struct tern *t, struct tern_task task, uint64_t offset,
                                 const void *bytes, size_t size, bool end)
{
    struct tern_op *op = op_new(t);
    struct piece *p;

    if (!op || op->over)
        return op;
    if (size > TERN_INPUT_MAX) {
        op_end(op, TERN_ETOOBIG, "at most %d bytes of input at a time", TERN_INPUT_MAX);
        return op;
    }
    p = new_piece(op, bytes, size);
    if (!p)
        return op;
    p->task = task.n;
    p->offset = offset;
    p->end = end;
    op->in = p;
    op->supplied = send_input;
    if (supply_add(op, &p->source, true, false))
        supplies_begin(op);
    return op;
}

enum tern_err tern_input(struct tern *t, struct tern_task task, uint64_t offset, const void *bytes,
                         size_t size, bool end)
{
    return op_finish(t, tern_input_begin(t, task, offset, bytes, size, end));
}
