#include "drive/transfer_inner.h"

#include "base/check.h"
#include "store/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PROBES_MOST = 2,           /* of the requests that are not answered */
    SEEN_HAS = 1U << 8,        /* the depot has this chunk, if not all beneath it */
    SEEN_SENT = 1U << 9,       /* or will be */
    SEEN_AS_BASE = 1U << 10,   /* asked about only for what is stored against it */
    SEEN_WHOLE = 1U << 11,     /* to be sent whole: a difference was refused */
    KIND_BASE = STORE_LEAF + 1 /* in a list of what was asked */
};

struct upload {
    struct upload_order order;
    struct transfer_count count;
    struct names seen;            /* uint32_t: SEEN_..., and bit k: asked about as kind k */
    struct bytes to_ask, to_send; /* struct wanted each */
    size_t asked, sent;           /* bytes of these that are done with */
    struct requests requests;
    unsigned probes;
    uint64_t unanswered_bytes;
    unsigned tries;
    bool committing, over;
    struct bytes room;
};

struct upload *upload_new(const struct upload_order *order)
{
    struct upload *u = calloc(1, sizeof *u);

    if (!u)
        return NULL;
    u->order = *order;
    u->seen.value_bytes = sizeof(uint32_t);
    return u;
}

void upload_free(struct upload *u)
{
    if (!u)
        return;
    names_release(&u->seen);
    bytes_release(&u->to_ask);
    bytes_release(&u->to_send);
    bytes_release(&u->room);
    requests_release(&u->requests);
    free(u);
}

struct transfer_count upload_count(const struct upload *u)
{
    return u->count;
}

/* The last thing: the owner may free it. */
static void end(struct upload *u, enum tern_err err, const char *why)
{
    if (u->over)
        return;
    u->over = true;
    u->order.done(u->order.context, err, why);
}

static void fail(struct upload *u, enum tern_err err, const char *doing)
{
    char why[TRANSFER_WHY_BYTES];

    snprintf(why, sizeof why, "cannot %s: %s", doing, tern_err_text(err));
    end(u, err, why);
}

/* ---- What is to be asked, and sent ---- */

static bool add(struct bytes *list, const struct store_name *name, uint32_t kind)
{
    const struct wanted w = {*name, kind};

    bytes_append(list, &w, sizeof w);
    return bytes_ok(list);
}

/* False: there are no more. Lists are emptied when all is taken. */
static bool take(struct bytes *list, size_t *at, struct wanted *out)
{
    if (*at == list->size) {
        bytes_clear(list);
        *at = 0;
        return false;
    }
    memcpy(out, list->data + *at, sizeof *out);
    *at += sizeof *out;
    return true;
}

static bool is_left(const struct bytes *list, size_t at)
{
    return at < list->size;
}

static uint32_t *seen(struct upload *u, const struct store_name *name)
{
    bool fresh;

    return names_add(&u->seen, name, &fresh);
}

static enum tern_err ask_base(struct upload *u, const struct store_name *name)
{
    const uint32_t known = SEEN_HAS | SEEN_AS_BASE | SEEN_SENT | 1U << STORE_LEAF;
    uint32_t *flags = seen(u, name);

    if (!flags)
        return TERN_ENOMEM;
    if (*flags & known)
        return TERN_OK;
    *flags |= SEEN_AS_BASE;
    return add(&u->to_ask, name, KIND_BASE) ? TERN_OK : TERN_ENOMEM;
}

static enum tern_err ask(void *to, unsigned kind, const struct store_name *name)
{
    struct upload *u = to;
    const struct transfer_source *from = &u->order.source;
    uint32_t *flags = seen(u, name);
    struct store_name base;

    if (!flags)
        return TERN_ENOMEM;
    if (*flags >> kind & 1)
        return TERN_OK;
    *flags |= 1U << kind;
    if (kind != STORE_LEAF && from->like && from->like(from->context, name, &base) &&
        ask_base(u, &base))
        return TERN_ENOMEM;
    return add(&u->to_ask, name, kind) ? TERN_OK : TERN_ENOMEM;
}

/* It is missing: to be sent, and what hangs beneath it to be asked about. */
static enum tern_err want(struct upload *u, const struct wanted *w)
{
    struct bytes plain = {.limit = STORE_CHUNK_MAX};
    uint32_t *flags = seen(u, &w->name);
    enum tern_err err = TERN_OK;

    check(flags);
    if (!(*flags & SEEN_SENT) && !add(&u->to_send, &w->name, w->kind))
        return TERN_ENOMEM;
    *flags |= SEEN_SENT;
    if (w->kind == STORE_LEAF)
        return TERN_OK;
    err = u->order.source.plain(u->order.source.context, &w->name, &plain);
    if (!err)
        err = chunk_children(NULL, w->kind, bytes_view(&plain), ask, u);
    bytes_release(&plain);
    return err;
}

/* ---- Requests ---- */

static enum tern_err probe(struct upload *u)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Probe p = TERN__PROBE__INIT;
    struct request r = {.kind = REQUEST_PROBE};
    struct bytes names = {0}, kinds = {0};
    struct wanted w;
    enum tern_err err = TERN_ENOMEM;

    for (unsigned i = 0; i < LIMIT_PROBED && take(&u->to_ask, &u->asked, &w); i++) {
        bytes_append(&r.asked, &w, sizeof w);
        bytes_append(&names, w.name.bytes, sizeof w.name.bytes);
        bytes_append_byte(&kinds, w.kind == KIND_BASE ? STORE_LEAF : (uint8_t)w.kind);
    }
    p.capability = (Tern__Capability *)(uintptr_t)u->order.peer->capability;
    p.names = transfer_binary(names.data, names.size);
    p.kinds = transfer_binary(kinds.data, kinds.size);
    e.body_case = TERN__ENVELOPE__BODY_PROBE;
    e.probe = &p;
    if (bytes_ok(&r.asked) && bytes_ok(&names) && bytes_ok(&kinds))
        err = request_send(&u->requests, u->order.peer, &e, (struct view){0}, &r);
    if (err)
        bytes_release(&r.asked);
    else
        u->probes++;
    bytes_release(&names);
    bytes_release(&kinds);
    return err;
}

/* What the depot has that it could be stored against. */
static const struct store_name *base_of(struct upload *u, const struct wanted *w,
                                        struct store_name *room)
{
    const struct transfer_source *from = &u->order.source;
    const uint32_t *flags = names_find(&u->seen, &w->name);

    if (w->kind == STORE_LEAF || !from->like || *flags & SEEN_WHOLE ||
        !from->like(from->context, &w->name, room))
        return NULL;
    flags = names_find(&u->seen, room);
    return flags && *flags & SEEN_HAS ? room : NULL;
}

static enum tern_err send_chunk(struct upload *u, const struct wanted *w)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__PutChunk p = TERN__PUT_CHUNK__INIT;
    struct request r = {.kind = REQUEST_PUT, .chunk = *w};
    struct store_stored stored;
    struct store_name base;
    enum tern_err err;

    bytes_clear(&u->room);
    err = u->order.source.stored(u->order.source.context, &w->name, base_of(u, w, &base), &stored,
                                 &u->room);
    if (err)
        return err;
    p.capability = (Tern__Capability *)(uintptr_t)u->order.peer->capability;
    p.name = transfer_binary(w->name.bytes, sizeof w->name.bytes);
    p.kind = w->kind;
    p.codec = stored.codec;
    p.plain_size = stored.plain_size;
    if (stored.codec == CODEC_LIKE)
        p.like = transfer_binary(stored.like.bytes, sizeof stored.like.bytes);
    e.body_case = TERN__ENVELOPE__BODY_PUT_CHUNK;
    e.put_chunk = &p;
    r.bytes = (uint32_t)stored.bytes.size;
    r.as_difference = stored.codec == CODEC_LIKE;
    err = request_send(&u->requests, u->order.peer, &e, stored.bytes, &r);
    if (err)
        return err;
    u->unanswered_bytes += r.bytes;
    u->count.sent_bytes += r.bytes;
    u->count.sent_chunks++;
    return TERN_OK;
}

static enum tern_err commit(struct upload *u)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Commit c = TERN__COMMIT__INIT;
    Tern__Blob root = TERN__BLOB__INIT;
    const struct request r = {.kind = REQUEST_COMMIT};

    root.sha256 = transfer_binary(u->order.root.name.bytes, sizeof u->order.root.name.bytes);
    root.kind = u->order.root.kind;
    root.size = u->order.size;
    c.capability = (Tern__Capability *)(uintptr_t)u->order.peer->capability;
    c.root = &root;
    c.expires_ns = u->order.root.expires_ns;
    e.body_case = TERN__ENVELOPE__BODY_COMMIT;
    e.commit = &c;
    u->committing = true;
    return request_send(&u->requests, u->order.peer, &e, (struct view){0}, &r);
}

static bool may_send(const struct upload *u)
{
    return u->requests.count < TRANSFER_WINDOW &&
           !links_full(u->order.peer->links, u->order.peer->link);
}

/* Whatever can be sent now. False: it is over. */
static bool pump(struct upload *u)
{
    enum tern_err err = TERN_OK;

    while (!err && may_send(u)) {
        struct wanted w;

        if (u->probes < PROBES_MOST && is_left(&u->to_ask, u->asked))
            err = probe(u);
        else if (u->unanswered_bytes < TRANSFER_WINDOW_BYTES && take(&u->to_send, &u->sent, &w))
            err = send_chunk(u, &w);
        else
            break;
    }
    if (!err && !u->committing && u->requests.count == 0 && !is_left(&u->to_ask, u->asked) &&
        !is_left(&u->to_send, u->sent))
        err = commit(u);
    if (err)
        fail(u, err, "read what is to be sent to a depot");
    return !err;
}

void upload_go(struct upload *u)
{
    enum tern_err err = ask(u, u->order.root.kind, &u->order.root.name);

    if (err)
        fail(u, err, "send to a depot");
    else
        pump(u);
}

void upload_drained(struct upload *u)
{
    if (!u->over)
        pump(u);
}

/* ---- Answers ---- */

static enum tern_err on_missing(struct upload *u, const struct request *r,
                                const Tern__Missing *missing)
{
    enum tern_err err = TERN_OK;

    u->probes--;
    if (missing->missing.len != r->asked.size / sizeof(struct wanted))
        return TERN_EPROTO;
    for (size_t i = 0; i < missing->missing.len && !err; i++) {
        struct wanted w;
        uint32_t *flags;

        memcpy(&w, r->asked.data + i * sizeof w, sizeof w);
        flags = seen(u, &w.name);
        if (!missing->missing.data[i])
            *flags |= SEEN_HAS;
        else if (w.kind != KIND_BASE)
            err = want(u, &w);
    }
    return err;
}

static enum tern_err begin_again(struct upload *u)
{
    names_clear(&u->seen);
    u->committing = false;
    return ask(u, u->order.root.kind, &u->order.root.name);
}

/* What it can be done about: TERN_OK. */
static enum tern_err on_refused(struct upload *u, const struct request *r, const Tern__Envelope *e,
                                char why[TRANSFER_WHY_BYTES])
{
    static const char *const doing[] = {"be asked what it has", "take a chunk",
                                        "keep what was sent", ""};
    const enum tern_err err = transfer_refused(u->order.peer, e, doing[r->kind], why);
    uint32_t *flags = r->kind == REQUEST_PUT ? seen(u, &r->chunk.name) : NULL;

    if (r->kind == REQUEST_COMMIT && err == TERN_ENOENT && ++u->tries < TRANSFER_TRIES)
        return begin_again(u);
    if (flags && err == TERN_ECORRUPT && r->as_difference) {
        *flags |= SEEN_WHOLE;
        return add(&u->to_send, &r->chunk.name, r->chunk.kind) ? TERN_OK : TERN_ENOMEM;
    }
    if (flags && err == TERN_ECORRUPT) {
        snprintf(why, TRANSFER_WHY_BYTES,
                 "what is being sent to depot %s changed while it was being read: do it again",
                 u->order.peer->name);
        return TERN_EBUSY;
    }
    return err;
}

static enum tern_err answer(struct upload *u, struct request *r, const Tern__Envelope *e,
                            char why[TRANSFER_WHY_BYTES])
{
    enum tern_err err = TERN_OK;

    u->unanswered_bytes -= r->bytes;
    if (r->kind == REQUEST_PROBE && e->body_case == TERN__ENVELOPE__BODY_MISSING)
        err = on_missing(u, r, e->missing);
    else if (r->kind == REQUEST_COMMIT && e->body_case == TERN__ENVELOPE__BODY_COMMITTED)
        u->count.new_bytes = e->committed->new_bytes;
    else if (r->kind != REQUEST_PUT || e->body_case != TERN__ENVELOPE__BODY_PUT_DONE)
        return on_refused(u, r, e, why);
    if (err)
        snprintf(why, TRANSFER_WHY_BYTES, "cannot read what is to be sent to depot %s: %s",
                 u->order.peer->name, tern_err_text(err));
    return err;
}

bool upload_message(struct upload *u, const Tern__Envelope *e, struct view attachment)
{
    char why[TRANSFER_WHY_BYTES] = "";
    struct request r;
    enum tern_err err;

    (void)attachment;
    if (u->over || !request_answered(&u->requests, e, &r))
        return false;
    err = answer(u, &r, e, why);
    bytes_release(&r.asked);
    if (err)
        end(u, err, *why ? why : tern_err_text(err));
    else if (r.kind == REQUEST_COMMIT && u->committing)
        end(u, TERN_OK, "");
    else
        pump(u);
    return true;
}
