#include "drive/reader.h"

#include "drive/output.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_AGAIN_NS INT64_C(1000000000)

struct reader {
    struct client *client;
    struct reader_order order;
    struct client_watch *watch;
    struct arena arena;   /* of */
    Tern__TaskSeen *seen; /* the newest word */
    struct output output[2];
    bool gap[2]; /* the depot does not have what comes next any more */
    struct tail *tail;
    uint64_t tail_attempt;
    bool tail_over;  /* of this attempt: the depot has no more */
    bool relay_away; /* since then nothing came from any depot */
    struct errand *carry;
    int carried; /* stream of that */
    uint64_t errand_at;
    bool held, over, stepping, again;
    bool looking; /* at who relays it, again, soon */
};

static void step(struct reader *r);

/* ---- pieces ---- */

static void show(struct reader *r, int stream, struct output_piece piece)
{
    if (piece.differs && r->order.differs)
        r->order.differs(r->order.context, stream, piece.at);
    if (piece.bytes.size)
        r->order.bytes(r->order.context, stream, piece.at, piece.bytes);
}

static void on_tail(void *context, int stream, uint64_t offset, uint64_t attempt, struct view bytes)
{
    struct reader *r = context;
    struct output_piece piece;

    if (attempt && attempt < r->tail_attempt)
        return;
    r->relay_away = false;
    piece = output_take(&r->output[stream], offset, bytes);
    r->gap[stream] |= piece.gap;
    show(r, stream, piece);
    step(r);
}

static void on_tail_lost(void *context, const char *why)
{
    struct reader *r = context;

    (void)why; /* what is committed still comes */
    r->tail_over = r->relay_away = true;
    step(r);
}

/* ---- what is committed ---- */

static const Tern__Results *committed(const struct reader *r)
{
    if (r->seen->end)
        return r->seen->end->results;
    return r->seen->checkpoint ? r->seen->checkpoint->results : NULL;
}

static uint64_t committed_bytes(const struct reader *r, int stream)
{
    const Tern__Results *results = committed(r);

    if (!results)
        return 0;
    return stream ? results->error_bytes : results->output_bytes;
}

static const Tern__Content *content(const struct reader *r, int stream)
{
    const Tern__Results *results = committed(r);

    return stream ? results->error : results->output;
}

static void take_committed(struct reader *r, int stream, uint64_t offset, struct view bytes)
{
    show(r, stream, output_take(&r->output[stream], offset, bytes));
}

static enum tern_err on_bytes(void *context, struct view bytes, const char **why)
{
    struct reader *r = context;

    (void)why;
    take_committed(r, r->carried, r->errand_at, bytes);
    r->errand_at += bytes.size;
    return TERN_OK;
}

static void fail(struct reader *r, enum tern_err err, const char *why)
{
    r->over = true;
    r->order.failed(r->order.context, err, why);
}

static void on_carried(void *context, enum tern_err err, const char *why)
{
    struct reader *r = context;
    struct errand *carry = r->carry;

    r->carry = NULL;
    r->gap[r->carried] = false;
    if (carry)
        errand_free(carry);
    if (err)
        fail(r, err, why);
    else
        step(r);
}

/* It is followed anew from where the committed bytes end. */
static void drop_tail(struct reader *r)
{
    tail_free(r->tail);
    r->tail = NULL;
}

static void fetch(struct reader *r, int stream, const Tern__Blob *blob)
{
    struct errand_order order = {.depots = r->seen->depots,
                                 .depot_count = r->seen->n_depots,
                                 .size = blob->size,
                                 .bytes = on_bytes,
                                 .offset = r->output[stream].shown,
                                 .context = r,
                                 .done = on_carried};

    if (blob->sha256.len != STORE_NAME_BYTES) {
        fail(r, TERN_EPROTO, "the pool named output that has no name");
        return;
    }
    memcpy(order.root.name.bytes, blob->sha256.data, STORE_NAME_BYTES);
    order.root.kind = blob->kind;
    r->carried = stream;
    r->errand_at = order.offset;
    drop_tail(r);
    r->carry = courier_get(client_courier(r->client), &order);
}

/* Is it needed from there, or will the depot that relays it tell? */
static bool wanted(const struct reader *r, int stream)
{
    if (committed_bytes(r, stream) <= r->output[stream].shown)
        return false;
    return !r->order.provisional || r->seen->end || r->gap[stream] || r->tail_over ||
           r->order.stop_at_now || !r->seen->tail;
}

/* False: nothing to do now. */
static bool get_committed(struct reader *r)
{
    for (int stream = 0; stream < 2; stream++) {
        const Tern__Content *c;

        if (!wanted(r, stream))
            continue;
        c = content(r, stream);
        if (c && c->blob) {
            fetch(r, stream, c->blob);
        } else if (c && c->here.len >= committed_bytes(r, stream)) {
            drop_tail(r);
            r->gap[stream] = false;
            take_committed(r, stream, 0, view_of(c->here.data, c->here.len));
        } else {
            fail(r, TERN_EPROTO, "the pool does not say where the output is");
        }
        return true;
    }
    return false;
}

/* ---- what is not ---- */

static void keep_tail(struct reader *r)
{
    const struct tail_order order = {.depot = r->seen->tail,
                                     .task = r->order.task,
                                     .from = {r->output[0].shown, r->output[1].shown},
                                     .context = r,
                                     .bytes = on_tail,
                                     .lost = on_tail_lost};

    if (r->seen->attempt != r->tail_attempt) {
        tail_free(r->tail);
        r->tail = NULL;
        r->tail_over = false;
        r->tail_attempt = r->seen->attempt;
    }
    if (r->tail_over) {
        tail_free(r->tail);
        r->tail = NULL;
    } else if (!r->tail && r->seen->tail && !r->held) {
        r->tail = courier_follow(client_courier(r->client), &order);
        r->tail_over = r->relay_away = !r->tail;
    }
}

/* Are there bytes that only a checkpoint can bring, or will be? */
static bool awaits(const struct reader *r)
{
    return !r->order.stop_at_now &&
           (!r->order.provisional || r->gap[0] || r->gap[1] || r->relay_away);
}

/* ---- who relays it is away: perhaps another one does by now ---- */

static bool watch_task(struct reader *r);

static void on_look_again(void *context)
{
    struct reader *r = context;

    client_unwatch(r->watch);
    if (!watch_task(r))
        fail(r, TERN_ENOMEM, "out of memory");
}

static void look_again_later(struct reader *r)
{
    const bool lost =
        r->order.provisional && !r->tail && r->seen->state == TERN__TASK_STATE__TASK_RUNNING;
    const int64_t now_ns = links_now(client_links(r->client));

    if (lost && !r->looking)
        client_alarm(r->client, now_ns + LOOK_AGAIN_NS, on_look_again, r);
    else if (!lost)
        client_alarm(r->client, INT64_MAX, on_look_again, r);
    r->looking = lost;
}

/* ---- */

static void end(struct reader *r)
{
    if (r->seen->end && r->seen->end->results) /* else what was shown is all that there will be */
        for (int stream = 0; stream < 2; stream++)
            show(r, stream, output_end(&r->output[stream], committed_bytes(r, stream)));
    r->over = true;
    r->order.ended(r->order.context, r->seen);
}

static void step_once(struct reader *r)
{
    if (!r->seen || r->over || r->carry || r->held)
        return;
    if (get_committed(r))
        r->again = !r->carry;
    else if (r->seen->end || r->order.stop_at_now)
        end(r);
    else if (r->order.provisional)
        keep_tail(r);
    if (!r->over && !r->carry)
        look_again_later(r);
    if (!r->over)
        client_watch_awaits(r->watch, awaits(r));
}

/* What is done here may call back at once. */
static void step(struct reader *r)
{
    r->again = true;
    if (r->stepping)
        return;
    r->stepping = true;
    while (r->again && !r->over) {
        r->again = false;
        step_once(r);
    }
    r->stepping = false;
}

static void on_seen(void *context, const Tern__TaskSeen *task)
{
    struct reader *r = context;
    struct arena arena = {0};
    Tern__TaskSeen *copy;

    if (r->over)
        return;
    copy = message_copy(&task->base, &arena);
    if (!copy) {
        arena_release(&arena);
        fail(r, TERN_ENOMEM, "out of memory");
        return;
    }
    arena_release(&r->arena);
    r->arena = arena;
    r->seen = copy;
    r->tail_over = r->looking = false; /* it may be back */
    if (r->order.seen)
        r->order.seen(r->order.context, copy);
    step(r);
}

static void on_refused(void *context, enum tern_err err, const char *why)
{
    fail(context, err, why);
}

static bool watch_task(struct reader *r)
{
    const struct client_watch_order watch = {
        .which = {.base = PROTOBUF_C_MESSAGE_INIT(&tern__which__descriptor), .task = r->order.task},
        .awaits = awaits(r),
        .context = r,
        .seen = on_seen,
        .refused = on_refused};

    r->watch = client_watch(r->client, &watch);
    return r->watch;
}

struct reader *reader_new(struct client *client, const struct reader_order *order)
{
    struct reader *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->client = client;
    r->order = *order;
    output_init(&r->output[0], order->from[0]);
    output_init(&r->output[1], order->from[1]);
    if (watch_task(r))
        return r;
    free(r);
    return NULL;
}

void reader_hold(struct reader *r, bool held)
{
    r->held = held;
    if (held) {
        tail_free(r->tail);
        r->tail = NULL;
    }
    step(r);
}

void reader_free(struct reader *r)
{
    if (!r)
        return;
    client_alarm(r->client, INT64_MAX, on_look_again, r);
    client_unwatch(r->watch);
    tail_free(r->tail);
    errand_free(r->carry);
    output_release(&r->output[0]);
    output_release(&r->output[1]);
    arena_release(&r->arena);
    free(r);
}
