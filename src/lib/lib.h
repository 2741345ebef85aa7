/*
 * lib - what the sources of libtern share. For them only; the manual is tern/tern.h.
 */
#ifndef TERN_LIB_LIB_H
#define TERN_LIB_LIB_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "drive/reader.h"
#include "os/pool/world_uv.h"

#include <tern/tern.h>
#include <uv.h>

struct address; /* address.h */

struct tern {
    uv_loop_t loop;
    uv_timer_t timer; /* of a blocking call */
    uv_idle_t idle;   /* runs while there is work that needs no event */
    struct tls *tls;
    struct world_uv *world;
    struct client *client;
    struct address *address;
    struct problem why;

    bool begun, was_up, refused; /* was_up: a connection was made at least once */
    struct problem down;         /* why there is none now */
    int64_t down_ns;             /* since when; loop time */
    unsigned failures;           /* since it was last up */
    int patience_ms;
    char owner[LIMIT_NAME + 1];
    bool unpolled; /* something was sent since the loop last ran */
    bool late;     /* the timer of a blocking call has run out */

    struct tern_op *ops;
    struct tern_watch *watches, *waits; /* waits: of tern_wait, one task each */
    struct tern_stream *streams;
};

/* ---- connect.c ---- */

/* For public functions: the error of the call, kept for tern_why. */
enum tern_err lib_fail(struct tern *t, enum tern_err err, const char *format, ...)
    __attribute__((format(__printf__, 3, 4)));

/*
 * Turns the loop until `over` says so, or time or patience is out: TERN_OK, TERN_EAGAIN,
 * TERN_EUNREACHABLE (kept for tern_why).
 */
enum tern_err lib_wait(struct tern *t, bool (*over)(void *context), void *context, int timeout_ms);
/* There is work for lib_work, in pieces, until it returns false. */
void lib_idle(struct tern *t);

/* ---- op.c ---- */

struct supply;

struct tern_op {
    struct tern_op *next;
    struct tern *pool;
    bool over;
    struct problem problem; /* err TERN_OK: it went well */
    uint64_t ask;           /* of the request under way; 0: none */
    struct arena arena;
    struct errand *carry;
    struct supply *supplies; /* what has to be in the pool first */
    uint64_t done_bytes, all_bytes;
    /* Takes the answer to op_ask. */
    void (*answered)(struct tern_op *op, const Tern__Envelope *answer);
    /* All supplies are there. */
    void (*supplied)(struct tern_op *op);
    void *out; /* the caller's */
    const void *in;
    struct tern_sink sink;
    uint64_t number; /* of whatever the op is about */
};

/* NULL: no memory. */
struct tern_op *op_new(struct tern *t);
void op_end(struct tern_op *op, enum tern_err err, const char *format, ...)
    __attribute__((format(__printf__, 3, 4)));
void op_well(struct tern_op *op); /* it went well */
void op_ask(struct tern_op *op, const Tern__Envelope *e,
            void (*answered)(struct tern_op *op, const Tern__Envelope *answer));
/* Memory of the op; NULL ends it. */
void *op_memory(struct tern_op *op, size_t count, size_t size);
char *op_text(struct tern_op *op, const char *text);
/* Waits for it, frees it. */
enum tern_err op_finish(struct tern *t, struct tern_op *op);
/* The answer is something else than was asked for. */
void op_confused(struct tern_op *op, const Tern__Envelope *answer);
/* A piece of hashing or the like; true: there is more. */
bool op_work(struct tern_op *op);

/* Fetches a blob into op->sink, and ends the op. */
void op_fetch(struct tern_op *op, const Tern__Blob *blob, Tern__DepotAt *const *depots,
              size_t depot_count);
enum tern_err sink_put(const struct tern_sink *sink, struct view bytes);

/* ---- supply.c: makes of a struct tern_source something that tasks can name ---- */

struct supply {
    struct supply *next; /* of its op */
    struct tern_op *op;
    const struct tern_source *source;
    bool here; /* up to LIMIT_HERE bytes may travel in the message */
    bool keep; /* depots are wanted, to give it a name */

    bool over;
    /* What came of it, in the op's memory. */
    Tern__Content *content; /* NULL: a promise, or empty */
    Tern__Promise *promise;
    char **depots;
    size_t depot_count;

    int fd; /* ours, or -1 */
    struct blob *blob;
    uint64_t size;
    struct errand *carry;
    uint64_t ask;
};

/* One that is there already for an equal source is used again. NULL: no memory; the op has ended. */
struct supply *supply_add(struct tern_op *op, const struct tern_source *source, bool here,
                          bool keep);
/* Begins all, and calls op->supplied when they are done. */
void supplies_begin(struct tern_op *op);
void supplies_release(struct tern_op *op);
bool supplies_work(struct tern_op *op); /* as op_work */
uint64_t supplies_done_bytes(const struct tern_op *op);

/* ---- result.c ---- */

struct tern_result *result_new(const Tern__TaskSeen *seen); /* NULL: no memory */
/* What it was made of. */
const Tern__TaskSeen *result_seen(const struct tern_result *r);
/* Into *out, pointing into `seen`; files in the arena; false: no memory. */
bool result_fill(struct tern_result *out, const Tern__TaskSeen *seen, struct arena *arena);

/* ---- watch.c, stream.c ---- */

void watches_free(struct tern *t);
void streams_free(struct tern *t);

Tern__Which lib_which(struct tern_which which);
void blob_from_wire(struct tern_blob *out, const Tern__Blob *blob);
/* Points into *blob. */
Tern__Blob blob_to_wire(const struct tern_blob *blob);

#endif
