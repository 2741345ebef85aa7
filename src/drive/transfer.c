#include "drive/transfer_inner.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

/* ---- A domain as a source ---- */

static enum tern_err domain_plain(void *context, const struct store_name *name, struct bytes *out)
{
    const struct transfer_domain *d = context;

    return d->chunks->calls->plain(d->chunks->self, d->domain, name, out);
}

static enum tern_err domain_stored(void *context, const struct store_name *name,
                                   const struct store_name *has, struct store_stored *out,
                                   struct bytes *room)
{
    const struct transfer_domain *d = context;

    return d->chunks->calls->get(d->chunks->self, d->domain, name, has, out, room);
}

static bool domain_like(void *context, const struct store_name *name, struct store_name *base)
{
    const struct transfer_domain *d = context;

    return d->chunks->calls->like && d->chunks->calls->like(d->chunks->self, d->domain, name, base);
}

struct transfer_source transfer_from_domain(struct transfer_domain *d)
{
    return (struct transfer_source){
        .context = d, .plain = domain_plain, .stored = domain_stored, .like = domain_like};
}

/* ---- Requests ---- */

enum tern_err request_send(struct requests *r, struct transfer_peer *peer, Tern__Envelope *e,
                           struct view attachment, const struct request *what)
{
    enum tern_err err;

    check(r->count < TRANSFER_WINDOW);
    e->number = ++peer->number;
    err = links_send(peer->links, peer->link, e, attachment);
    if (err)
        return err;
    r->at[r->count] = *what;
    r->at[r->count++].number = e->number;
    return TERN_OK;
}

bool request_answered(struct requests *r, const Tern__Envelope *e, struct request *out)
{
    for (size_t i = 0; e->answers && i < r->count; i++) {
        if (r->at[i].number != e->answers)
            continue;
        *out = r->at[i];
        r->count--;
        memmove(r->at + i, r->at + i + 1, (r->count - i) * sizeof *r->at);
        return true;
    }
    return false;
}

void requests_release(struct requests *r)
{
    for (size_t i = 0; i < r->count; i++)
        bytes_release(&r->at[i].asked);
    r->count = 0;
}

ProtobufCBinaryData transfer_binary(const void *data, size_t size)
{
    return (ProtobufCBinaryData){.len = size, .data = (uint8_t *)(uintptr_t)data};
}

enum tern_err transfer_refused(const struct transfer_peer *peer, const Tern__Envelope *e,
                               const char *doing, char why[TRANSFER_WHY_BYTES])
{
    if (e->body_case != TERN__ENVELOPE__BODY_REFUSED) {
        snprintf(why, TRANSFER_WHY_BYTES, "depot %s gave an answer to something else", peer->name);
        return TERN_EPROTO;
    }
    snprintf(why, TRANSFER_WHY_BYTES, "depot %s refused to %s: %s", peer->name, doing,
             e->refused->text && *e->refused->text ? e->refused->text
                                                   : tern_err_text(e->refused->error));
    return e->refused->error ? (enum tern_err)e->refused->error : TERN_EPROTO;
}
