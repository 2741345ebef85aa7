#include "drive/transfer_inner.h"

#include "base/check.h"
#include "store/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IN_ORDER_WINDOW = TRANSFER_WINDOW_BYTES / STORE_CHUNK_MAX };

struct fetch {
    struct fetch_order order;
    struct transfer_count count;
    struct bytes stack; /* struct wanted each: what comes next is at its end */
    struct names seen;  /* into chunks; uint32_t, bit k: as kind k */
    struct requests requests;
    uint64_t skip; /* leaves of a blob */
    bool list_out; /* of a blob: what follows it is not known yet */
    bool held, over;
    unsigned tries;
    struct bytes room;
    struct bytes children; /* of one list, in order */
};

struct fetch *fetch_new(const struct fetch_order *order)
{
    struct fetch *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->order = *order;
    f->seen.value_bytes = sizeof(uint32_t);
    f->skip = order->offset / STORE_CHUNK_MAX;
    return f;
}

void fetch_free(struct fetch *f)
{
    if (!f)
        return;
    names_release(&f->seen);
    bytes_release(&f->stack);
    bytes_release(&f->room);
    bytes_release(&f->children);
    requests_release(&f->requests);
    free(f);
}

struct transfer_count fetch_count(const struct fetch *f)
{
    return f->count;
}

/* The last thing: the owner may free it. */
static void end(struct fetch *f, enum tern_err err, const char *why)
{
    if (f->over)
        return;
    f->over = true;
    f->order.done(f->order.context, err, why);
}

static void fail(struct fetch *f, enum tern_err err, const char *what)
{
    char why[TRANSFER_WHY_BYTES];

    snprintf(why, sizeof why, "%s depot %s: %s", what, f->order.peer->name, tern_err_text(err));
    end(f, err, why);
}

static enum tern_err push(struct bytes *list, unsigned kind, const struct store_name *name)
{
    const struct wanted w = {*name, kind};

    bytes_append(list, &w, sizeof w);
    return bytes_ok(list) ? TERN_OK : TERN_ENOMEM;
}

static bool pop(struct fetch *f, struct wanted *out)
{
    if (f->stack.size == 0)
        return false;
    f->stack.size -= sizeof *out;
    memcpy(out, f->stack.data + f->stack.size, sizeof *out);
    return true;
}

static enum tern_err add_child(void *to, unsigned kind, const struct store_name *name)
{
    struct fetch *f = to;

    return push(&f->children, kind, name);
}

/* What hangs beneath it comes next, in its order. */
static enum tern_err expand(struct fetch *f, unsigned kind, struct view plain)
{
    enum tern_err err;

    bytes_clear(&f->children);
    err = chunk_children(NULL, kind, plain, add_child, f);
    for (size_t at = f->children.size; at > 0 && !err; at -= sizeof(struct wanted)) {
        bytes_append(&f->stack, f->children.data + at - sizeof(struct wanted),
                     sizeof(struct wanted));
        err = bytes_ok(&f->stack) ? TERN_OK : TERN_ENOMEM;
    }
    return err;
}

static enum tern_err get(struct fetch *f, const struct wanted *w)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__GetChunk g = TERN__GET_CHUNK__INIT;
    const struct request r = {.kind = REQUEST_GET, .chunk = *w};

    g.capability = (Tern__Capability *)(uintptr_t)f->order.peer->capability;
    g.name = transfer_binary(w->name.bytes, sizeof w->name.bytes);
    e.body_case = TERN__ENVELOPE__BODY_GET_CHUNK;
    e.get_chunk = &g;
    return request_send(&f->requests, f->order.peer, &e, (struct view){0}, &r);
}

/* ---- Into chunks ---- */

/* Asked for, or, where only something beneath it is missing, looked into. */
static enum tern_err seek(struct fetch *f, const struct wanted *w)
{
    const struct chunks *to = f->order.chunks;
    enum tern_err err;
    bool fresh;
    uint32_t *kinds = names_add(&f->seen, &w->name, &fresh);

    if (!kinds)
        return TERN_ENOMEM;
    if (*kinds >> w->kind & 1)
        return TERN_OK;
    *kinds |= 1U << w->kind;
    if (to->calls->has(to->self, f->order.domain, &w->name, w->kind))
        return TERN_OK;
    if (w->kind == STORE_LEAF)
        return get(f, w);
    bytes_clear(&f->room);
    err = to->calls->plain(to->self, f->order.domain, &w->name, &f->room);
    if (!err)
        err = expand(f, w->kind, bytes_view(&f->room));
    return err ? get(f, w) : TERN_OK;
}

static enum tern_err take_in(struct fetch *f, const struct wanted *w,
                             const struct store_stored *stored)
{
    const struct chunks *to = f->order.chunks;
    enum tern_err err = to->calls->put(to->self, f->order.domain, &w->name, stored);

    if (err || w->kind == STORE_LEAF)
        return err;
    bytes_clear(&f->room);
    err = to->calls->plain(to->self, f->order.domain, &w->name, &f->room);
    return err ? err : expand(f, w->kind, bytes_view(&f->room));
}

/* All is there. False: begun again, since something was let go of meanwhile. */
static bool commit(struct fetch *f)
{
    const struct chunks *to = f->order.chunks;
    struct problem p = {0};
    enum tern_err err =
        to->calls->commit(to->self, f->order.domain, &f->order.root, &f->count.new_bytes, &p);

    if (err == TERN_ENOENT && ++f->tries < TRANSFER_TRIES) {
        names_clear(&f->seen);
        err = push(&f->stack, f->order.root.kind, &f->order.root.name);
        if (!err)
            return false;
    }
    end(f, err, p.text);
    return true;
}

/* ---- A blob, in order ---- */

/* Whether it lies before the offset. */
static bool is_skipped(struct fetch *f, const struct wanted *w, bool is_root)
{
    const uint64_t leaves = w->kind == CHUNK_LEAF ? 1 : is_root ? UINT64_MAX : CHUNK_LIST_MAX;

    if (leaves > f->skip)
        return false;
    f->skip -= leaves;
    return true;
}

static enum tern_err seek_in_order(struct fetch *f, const struct wanted *w)
{
    const bool is_root = memcmp(&w->name, &f->order.root.name, sizeof w->name) == 0;

    if (w->kind != CHUNK_LEAF && w->kind != CHUNK_LIST)
        return TERN_EPROTO;
    if (is_skipped(f, w, is_root))
        return TERN_OK;
    f->list_out = w->kind == CHUNK_LIST;
    return get(f, w);
}

static enum tern_err give_in_order(struct fetch *f, const struct wanted *w,
                                   const struct store_stored *stored, const char **why)
{
    enum tern_err err;

    bytes_clear(&f->room);
    err = chunk_unpack(stored, &w->name, &f->room);
    if (err)
        return err;
    if (w->kind == CHUNK_LIST) {
        f->list_out = false;
        return expand(f, w->kind, bytes_view(&f->room));
    }
    f->count.got_bytes += f->room.size;
    return f->order.bytes(f->order.context, bytes_view(&f->room), why);
}

/* ---- Both ---- */

static bool may_ask(const struct fetch *f)
{
    const size_t most = f->order.chunks ? TRANSFER_WINDOW : IN_ORDER_WINDOW;

    return !f->held && !f->list_out && f->requests.count < most &&
           !links_full(f->order.peer->links, f->order.peer->link);
}

static void pump(struct fetch *f)
{
    enum tern_err err = TERN_OK;

    do {
        struct wanted w;

        while (!err && may_ask(f) && pop(f, &w))
            err = f->order.chunks ? seek(f, &w) : seek_in_order(f, &w);
        if (err) {
            fail(f, err, "cannot ask for what is wanted from");
            return;
        }
        if (f->requests.count || f->stack.size)
            return;
        if (!f->order.chunks) {
            end(f, TERN_OK, "");
            return;
        }
    } while (!commit(f));
}

void fetch_go(struct fetch *f)
{
    enum tern_err err = push(&f->stack, f->order.root.kind, &f->order.root.name);

    if (err)
        fail(f, err, "cannot ask");
    else
        pump(f);
}

void fetch_drained(struct fetch *f)
{
    if (!f->over)
        pump(f);
}

void fetch_hold(struct fetch *f, bool held)
{
    const bool go_on = f->held && !held && !f->over;

    f->held = held;
    if (go_on)
        pump(f);
}

/* What came; *why is "" or says more about an error. */
static enum tern_err arrived(struct fetch *f, const struct wanted *w, const Tern__Chunk *c,
                             struct view attachment, const char **why)
{
    struct store_stored stored = {
        .codec = c->codec, .plain_size = c->plain_size, .bytes = attachment};

    if (c->like.len == STORE_NAME_BYTES)
        memcpy(stored.like.bytes, c->like.data, STORE_NAME_BYTES);
    f->count.got_chunks++;
    if (!f->order.chunks)
        return give_in_order(f, w, &stored, why);
    f->count.got_bytes += attachment.size;
    return take_in(f, w, &stored);
}

bool fetch_message(struct fetch *f, const Tern__Envelope *e, struct view attachment)
{
    char refused[TRANSFER_WHY_BYTES];
    const char *why = NULL;
    struct request r;
    enum tern_err err;
    bool oldest;

    if (f->over || !f->requests.count)
        return false;
    oldest = f->requests.at[0].number == e->answers;
    if (!request_answered(&f->requests, e, &r))
        return false;
    if (e->body_case != TERN__ENVELOPE__BODY_CHUNK) {
        err = transfer_refused(f->order.peer, e, "give a chunk", refused);
        end(f, err, refused);
    } else if (!f->order.chunks && !oldest) {
        fail(f, TERN_EPROTO, "answers came out of order from");
    } else if ((err = arrived(f, &r.chunk, e->chunk, attachment, &why)) != TERN_OK) {
        if (why)
            end(f, err, why);
        else
            fail(f, err,
                 err == TERN_ECORRUPT || err == TERN_EPROTO ? "a chunk is damaged that came from"
                                                            : "cannot keep what came from");
    } else {
        pump(f);
    }
    return true;
}
