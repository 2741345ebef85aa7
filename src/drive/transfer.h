/*
 * transfer - everything beneath a root to a depot, or from one: an upload or a fetch, each a small
 *            state machine on one link.
 *
 * Upload   From the top down: Probe; what is missing is sent as it is stored (PutChunk), and what
 *          hangs beneath it asked about; what is there is not looked beneath. Then Commit. If the
 *          depot has let go of something meanwhile, it begins again, up to three times.
 * Fetch    Into a struct chunks (then committed there, as a root of that expiry), or, of a blob, in
 *          order to a function.
 * Link     Requests take their numbers from transfer_peer.number, as all others on that link do:
 *          several transfers may go on at a time. At most TRANSFER_WINDOW of each are not answered.
 * Life     _new, _go; then _message for each message that came on the link (true: it was for this
 *          one), _drained, until `done` is told, once, or _free. A link that went down: _free, and
 *          begin anew on another one: what came through counts.
 * Calls    `done` is told from within _go, _message or _drained, as the last thing these do: the
 *          owner may free it there.
 * Memory   Names of what is still to do; one chunk at a time.
 * Errors   By done: the error, and a sentence that says what of, why, and what to do.
 */
#ifndef TERN_DRIVE_TRANSFER_H
#define TERN_DRIVE_TRANSFER_H

#include "drive/chunks.h"
#include "drive/links.h"

enum { TRANSFER_WINDOW = 256, TRANSFER_WINDOW_BYTES = 16 << 20 };

struct transfer_peer { /* a depot, on a link that is up; the owner's, and outlives transfers on it */
    struct links *links;
    link_id link;
    uint64_t number;                    /* of the last request that was sent on this link */
    const Tern__Capability *capability; /* borrowed; may change between transfers */
    const char *name;                   /* for sentences: "depot NAME" */
};

struct transfer_count {
    uint64_t sent_bytes, sent_chunks; /* as stored, without envelopes */
    uint64_t got_bytes, got_chunks;   /* likewise; of a blob to a function: plain */
    uint64_t new_bytes;               /* upload: of Committed */
};

/* ---- What is uploaded ---- */

struct transfer_source {
    void *context;
    enum tern_err (*plain)(void *context, const struct store_name *name, struct bytes *out);
    /* As chunks.h has it: against `has` (NULL: none) if it is stored against that. */
    enum tern_err (*stored)(void *context, const struct store_name *name,
                            const struct store_name *has, struct store_stored *out,
                            struct bytes *room);
    /* What it is stored against; false: nothing. May be NULL. */
    bool (*like)(void *context, const struct store_name *name, struct store_name *base);
};

struct transfer_domain { /* of a struct chunks, as a source: outlives it */
    struct chunks *chunks;
    const char *domain;
};
struct transfer_source transfer_from_domain(struct transfer_domain *d);
/* A file as a source: drive/blob.h. */

struct upload_order {
    struct transfer_peer *peer;
    struct transfer_source source;
    struct chunks_root root; /* expires_ns: of the root at the depot */
    uint64_t size;           /* of a blob; 0 for other things */
    void *context;
    void (*done)(void *context, enum tern_err err, const char *why);
};

struct upload;

struct upload *upload_new(const struct upload_order *order); /* NULL: no memory */
void upload_free(struct upload *u);                          /* NULL is fine */
void upload_go(struct upload *u);
bool upload_message(struct upload *u, const Tern__Envelope *e, struct view attachment);
void upload_drained(struct upload *u);
struct transfer_count upload_count(const struct upload *u);

/* ---- What is fetched ---- */

struct fetch_order {
    struct transfer_peer *peer;
    struct chunks_root root; /* expires_ns: of the root in `chunks` */
    /* Either into these ... */
    struct chunks *chunks;
    const char *domain;
    /* ... or (chunks NULL) the blob's bytes, in order, from `offset` on, a multiple of 1 MiB. An
     * error ends the fetch with it; *why may be set, to a text that stays. */
    enum tern_err (*bytes)(void *context, struct view bytes, const char **why);
    uint64_t offset;
    void *context;
    void (*done)(void *context, enum tern_err err, const char *why);
};

struct fetch;

struct fetch *fetch_new(const struct fetch_order *order); /* NULL: no memory */
void fetch_free(struct fetch *f);                         /* NULL is fine */
void fetch_go(struct fetch *f);
bool fetch_message(struct fetch *f, const Tern__Envelope *e, struct view attachment);
void fetch_drained(struct fetch *f);
/* No more is asked for while it is held; what was asked for (the window) still comes. */
void fetch_hold(struct fetch *f, bool held);
struct transfer_count fetch_count(const struct fetch *f);

#endif
