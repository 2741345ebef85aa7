#include "lib/lib.h"

#include <string.h>

void blob_from_wire(struct tern_blob *out, const Tern__Blob *blob)
{
    *out = (struct tern_blob){.size = blob->size, .kind = blob->kind};
    if (blob->sha256.len == TERN_NAME_BYTES)
        memcpy(out->sha256, blob->sha256.data, TERN_NAME_BYTES);
}

Tern__Blob blob_to_wire(const struct tern_blob *blob)
{
    Tern__Blob out = TERN__BLOB__INIT;

    out.sha256 = (ProtobufCBinaryData){.len = TERN_NAME_BYTES, .data = (uint8_t *)blob->sha256};
    out.size = blob->size;
    out.kind = blob->kind;
    return out;
}

static bool good_name(struct tern_op *op, const char *name)
{
    if (*name && strlen(name) <= LIMIT_BLOB_NAME)
        return true;
    op_end(op, TERN_EUSAGE, "a name has 1 to %d bytes", LIMIT_BLOB_NAME);
    return false;
}

static void set_name(struct tern_op *op, Tern__SetName *set,
                     void (*answered)(struct tern_op *op, const Tern__Envelope *answer))
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;

    e.body_case = TERN__ENVELOPE__BODY_SET_NAME;
    e.set_name = set;
    op_ask(op, &e, answered);
}

/* ---- put ---- */

static void put_over(struct tern_op *op)
{
    if (op->out)
        blob_from_wire(op->out, op->supplies->content->blob);
    op_well(op);
}

static void take_named(struct tern_op *op, const Tern__Envelope *answer)
{
    if (answer->body_case == TERN__ENVELOPE__BODY_DONE)
        put_over(op);
    else
        op_confused(op, answer);
}

static void name_it(struct tern_op *op)
{
    const struct supply *s = op->supplies;
    Tern__SetName set = TERN__SET_NAME__INIT;

    if (!op->in) {
        put_over(op);
        return;
    }
    set.name = (char *)op->in; /* is copied */
    set.blob = s->content->blob;
    set.depots = s->depots;
    set.n_depots = s->depot_count;
    set_name(op, &set, take_named);
}

struct tern_op *tern_put_begin(struct tern *t, const char *name, const struct tern_source *source,
                               struct tern_blob *out)
{
    struct tern_op *op = op_new(t);

    if (!op || op->over)
        return op;
    if (source->kind != TERN_BYTES && source->kind != TERN_FILE && source->kind != TERN_FD) {
        op_end(op, TERN_EUSAGE, "only bytes and files can be put");
        return op;
    }
    if (name && !good_name(op, name))
        return op;
    op->in = name;
    op->out = out;
    op->supplied = name_it;
    if (supply_add(op, source, false, true))
        supplies_begin(op);
    return op;
}

enum tern_err tern_put(struct tern *t, const char *name, const struct tern_source *source,
                       struct tern_blob *out)
{
    return op_finish(t, tern_put_begin(t, name, source, out));
}

/* ---- get ---- */

static void take_depots(struct tern_op *op, const Tern__Envelope *answer)
{
    const Tern__Depots *d = answer->depots;

    if (answer->body_case != TERN__ENVELOPE__BODY_DEPOTS)
        op_confused(op, answer);
    else if (!d->blob)
        op_end(op, TERN_ENOENT, "%s: there is no such name in the pool; tern ls lists them",
               op->in ? (const char *)op->in : "data");
    else
        op_fetch(op, d->blob, d->depots, d->n_depots);
}

struct tern_op *tern_get_begin(struct tern *t, const struct tern_source *source,
                               const struct tern_sink *sink)
{
    struct tern_op *op = op_new(t);
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__AskDepots ask = TERN__ASK_DEPOTS__INIT;
    Tern__Blob blob = blob_to_wire(&source->blob);

    if (!op || op->over)
        return op;
    op->sink = *sink;
    if (source->kind == TERN_NAMED) {
        if (!good_name(op, source->text))
            return op;
        ask.name = (char *)source->text; /* is copied */
        op->in = source->text;
    } else if (source->kind == TERN_BLOB) {
        ask.blob = &blob;
    } else {
        op_end(op, TERN_EUSAGE, "only names and blobs can be fetched");
        return op;
    }
    e.body_case = TERN__ENVELOPE__BODY_ASK_DEPOTS;
    e.ask_depots = &ask;
    op_ask(op, &e, take_depots);
    return op;
}

enum tern_err tern_get(struct tern *t, const struct tern_source *source,
                       const struct tern_sink *sink)
{
    return op_finish(t, tern_get_begin(t, source, sink));
}

/* ---- remove ---- */

static void take_removed(struct tern_op *op, const Tern__Envelope *answer)
{
    if (answer->body_case != TERN__ENVELOPE__BODY_DONE)
        op_confused(op, answer);
    else
        op_well(op);
}

struct tern_op *tern_remove_begin(struct tern *t, const char *name)
{
    struct tern_op *op = op_new(t);
    Tern__SetName set = TERN__SET_NAME__INIT;

    if (!op || op->over || !good_name(op, name))
        return op;
    set.name = (char *)name; /* is copied */
    set_name(op, &set, take_removed);
    return op;
}

enum tern_err tern_remove(struct tern *t, const char *name)
{
    return op_finish(t, tern_remove_begin(t, name));
}
