#include "drive/slot_inner.h"

#include "base/check.h"
#include "core/policy_interval.h"

#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------- when */

static void plan_next(struct slot *s)
{
    const Tern__Placing *placing = s->jobs->placing;
    const Tern__Policy *policy = placing->job->policy;
    const int64_t most = policy && policy->checkpoint_every_ns > 0 ? policy->checkpoint_every_ns
                                                                   : s->config.every_ns;
    const int64_t cost = s->take.cost_ns ? s->take.cost_ns : ONLY_GUESS_NS;

    s->take.due_ns = slot_now(s) + policy_interval(cost, placing->failure_ns, most);
}

/* Seldom enough that the program gets on, and that the one before can get to count. */
static int64_t next_awaited(const struct slot *s)
{
    const struct checkpoints *t = &s->take;
    const unsigned doubled = t->unconfirmed < AWAITED_DOUBLED ? t->unconfirmed : AWAITED_DOUBLED;
    const int64_t share_ns = (int64_t)t->now.total_ns * AWAITED_SHARE;
    const int64_t each_ns = (share_ns > AWAITED_NS ? share_ns : AWAITED_NS) << doubled;
    const int64_t soon_ns = slot_now(s) + AWAITED_DELAY_NS;

    return t->taken_ns && t->taken_ns + each_ns > soon_ns ? t->taken_ns + each_ns : soon_ns;
}

void take_awaited(struct slot *s)
{
    struct checkpoints *t = &s->take;
    int64_t at;

    if (s->step != JOB_RUNNING)
        return;
    at = next_awaited(s);
    if (!s->jobs->awaited ||
        (t->committed[0] >= s->stream[0].bytes && t->committed[1] >= s->stream[1].bytes))
        t->awaited_ns = INT64_MAX;
    else if (at < t->awaited_ns)
        t->awaited_ns = at;
}

void take_begin(struct slot *s)
{
    const Tern__Checkpoint *from = s->jobs->placing->from;

    s->take.n = from ? from->n : 0;
    s->take.wished |= s->jobs->wished;
    if (from && from->results) {
        s->take.committed[0] = from->results->output_bytes;
        s->take.committed[1] = from->results->error_bytes;
    }
    plan_next(s);
    s->take.awaited_ns = INT64_MAX;
    take_awaited(s);
}

int64_t take_wake(const struct slot *s)
{
    const struct checkpoints *t = &s->take;

    if ((s->step != JOB_RUNNING && s->step != JOB_LEAVING) || t->taking != TAKE_IDLE)
        return INT64_MAX;
    return s->step == JOB_RUNNING && t->awaited_ns < t->due_ns ? t->awaited_ns : t->due_ns;
}

void take_release(struct slot *s)
{
    struct chunks *c = s->config.chunks;

    carry_free(s->depots, s->take.carry);
    if (s->take.has_before)
        c->calls->drop(c->self, s->domain, &s->take.before.name);
    if (s->take.taking == TAKE_SENDING || s->step == JOB_LEAVING)
        c->calls->drop(c->self, s->domain, &s->take.root.name);
    s->take = (struct checkpoints){0};
}

static void send_root(struct slot *s);

void take_due(struct slot *s)
{
    struct checkpoints *t = &s->take;

    if (t->taking != TAKE_IDLE)
        return;
    if (s->step == JOB_LEAVING && t->due_ns <= slot_now(s))
        send_root(s); /* again */
    if (s->step != JOB_RUNNING || (!t->wished && take_wake(s) > slot_now(s)))
        return;
    t->wished = false;
    t->taken_ns = slot_now(s);
    t->awaited_ns = INT64_MAX;
    t->taking = TAKE_ENGINE;
    s->config.engine->calls->checkpoint(s->config.engine->self, t->last);
}

/* ---------------------------------------------------------------- what is taken */

void take_not_made(struct slot *s, bool last, const char *why)
{
    struct checkpoints *t = &s->take;

    (void)last;
    (void)why;
    t->taking = TAKE_IDLE;
    plan_next(s);
    if (t->move && t->due_ns > slot_now(s) + RETRY_NS) /* it is waited for: soon again */
        t->due_ns = slot_now(s) + RETRY_NS;
    take_awaited(s);
}

static enum tern_err put_list(struct slot *s)
{
    struct checkpoints *t = &s->take;
    struct bytes list = {0};
    enum tern_err err = TERN_OK;

    chunk_list_begin(&list);
    chunk_list_add(&list, t->now.root.kind, &t->now.root.name);
    for (int i = 0; i < 2 && !err; i++) {
        if (!t->now.output_bytes[i])
            continue;
        err = t->now.output_bytes[i] <= s->stream[i].bytes
                  ? stream_blob(&s->stream[i], t->now.output_bytes[i], &t->output[i])
                  : TERN_ECORRUPT;
        chunk_list_add(&list, t->output[i].root.kind, &t->output[i].root.name);
    }
    t->root = (struct chunks_root){.kind = CHUNK_LIST};
    if (!err)
        err = bytes_ok(&list)
                  ? stream_put(s->config.chunks, s->domain, bytes_view(&list), &t->root.name)
                  : TERN_ENOMEM;
    bytes_release(&list);
    return err;
}

static void drop_before(struct slot *s)
{
    struct chunks *c = s->config.chunks;

    if (s->take.has_before &&
        memcmp(&s->take.before.name, &s->take.root.name, sizeof s->take.root.name) != 0)
        c->calls->drop(c->self, s->domain, &s->take.before.name);
    s->take.has_before = false;
}

void take_made(struct slot *s, const struct engine_checkpoint *made)
{
    struct chunks *c = s->config.chunks;
    struct checkpoints *t = &s->take;
    struct problem p = {0};
    uint64_t new_bytes;
    enum tern_err err;

    t->now = *made;
    err = put_list(s);
    if (!err)
        err = c->calls->commit(c->self, s->domain, &t->root, &new_bytes, &p);
    if (err && made->last) {
        slot_broken(s, "its last checkpoint cannot be kept: %s",
                    *p.text ? p.text : tern_err_text(err));
        return;
    }
    if (err) {
        take_not_made(s, false, tern_err_text(err));
        return;
    }
    if (made->last)
        s->step = JOB_LEAVING;
    /* It stands still for the pause; and what goes on beside it takes some of its machine. */
    t->cost_ns = (int64_t)(made->pause_ns + made->total_ns / 4);
    t->tries = 0;
    send_root(s);
}

/* ---------------------------------------------------------------- to depots */

static void sent(void *context, struct carry *c, enum tern_err err, const char *why);

static size_t copies(const struct slot *s)
{
    const Tern__Policy *policy = s->jobs->placing->job->policy;

    return policy && policy->copies ? policy->copies : 2;
}

static void send_root(struct slot *s)
{
    struct carry_order order = slot_carry_order(s);

    order.root = s->take.root;
    order.wanted = copies(s);
    order.done = sent;
    s->take.taking = TAKE_SENDING;
    s->take.carry = carry_upload(s->depots, &order);
    check(s->take.carry);
    s->again = true;
}

static void fill_content(struct slot *s, int i, Tern__Content *content, Tern__Blob *blob,
                         struct bytes *here)
{
    struct checkpoints *t = &s->take;
    const uint64_t size = t->now.output_bytes[i];

    tern__content__init(content);
    if (!size)
        return;
    if (size <= LIMIT_HERE && stream_read(&s->stream[i], 0, here) == TERN_OK) {
        content->here = (ProtobufCBinaryData){.len = (size_t)size, .data = here->data};
        return;
    }
    tern__blob__init(blob);
    blob->sha256 = (ProtobufCBinaryData){.len = sizeof t->output[i].root.name.bytes,
                                         .data = t->output[i].root.name.bytes};
    blob->size = size;
    blob->kind = t->output[i].root.kind;
    content->blob = blob;
}

/* With what the engine said, the blobs of the output, and who has it. */
static void report_checkpoint(struct slot *s, struct depot *const *at, size_t count, uint64_t bytes)
{
    struct checkpoints *t = &s->take;
    Tern__Report report = TERN__REPORT__INIT;
    Tern__Checkpoint c = TERN__CHECKPOINT__INIT;
    Tern__Results results = TERN__RESULTS__INIT;
    Tern__Content content[2];
    Tern__Blob root = TERN__BLOB__INIT, blob[2];
    struct bytes here[2] = {{0}};
    char *names[CARRY_LEGS];

    for (size_t i = 0; i < count; i++)
        names[i] = (char *)carry_depot_name(at[i]);
    root.sha256 =
        (ProtobufCBinaryData){.len = sizeof t->root.name.bytes, .data = t->root.name.bytes};
    root.kind = t->root.kind;
    for (int i = 0; i < 2; i++)
        fill_content(s, i, &content[i], &blob[i], &here[i]);
    results.output = &content[0];
    results.error = &content[1];
    results.output_bytes = t->now.output_bytes[0];
    results.error_bytes = t->now.output_bytes[1];
    c.n = t->n;
    c.attempt = s->jobs->fence.attempt;
    c.root = &root;
    c.depots = names;
    c.n_depots = count;
    c.pause_ns = t->now.pause_ns;
    c.total_ns = t->now.total_ns;
    c.image_bytes = t->now.image_bytes;
    c.sent_bytes = bytes / count;
    c.input_bytes = t->now.input_bytes;
    c.cpu_ns = t->now.cpu_ns;
    c.results = &results;
    report.what_case = TERN__REPORT__WHAT_CHECKPOINT;
    report.checkpoint = &c;
    slot_report(s, s->jobs, &report);
    bytes_release(&here[0]);
    bytes_release(&here[1]);
}

static void report_moved(struct slot *s)
{
    Tern__Report report = TERN__REPORT__INIT;
    Tern__Moved moved = TERN__MOVED__INIT;

    moved.checkpoint = s->take.n;
    moved.cpu_ns = s->take.now.cpu_ns;
    report.what_case = TERN__REPORT__WHAT_MOVED;
    report.moved = &moved;
    slot_report(s, s->jobs, &report);
}

/* Copied ahead: again, as long as each time there is much less to copy. */
static void plan_move(struct slot *s, uint64_t bytes)
{
    struct checkpoints *t = &s->take;

    t->rounds++;
    t->last = bytes < STREAM_LEAF || t->rounds >= SLOT_AHEAD_ROUNDS ||
              (t->rounds > 1 && bytes > t->round_bytes / 2);
    t->round_bytes = bytes;
    t->wished = true;
}

/* No depot has it. A program that goes on will try again; what was its last one has to get there.
 */
static void not_sent(struct slot *s, const char *why)
{
    struct checkpoints *t = &s->take;
    struct chunks *c = s->config.chunks;

    if (s->step != JOB_LEAVING) {
        c->calls->drop(c->self, s->domain, &t->root.name);
        take_not_made(s, false, why);
    } else if (++t->tries < SLOT_RETRIES) {
        t->due_ns = slot_now(s) + RETRY_NS;
    } else {
        slot_broken(s, "no depot takes its last checkpoint: %s", why);
    }
}

static void sent(void *context, struct carry *c, enum tern_err err, const char *why)
{
    struct slot *s = context;
    struct checkpoints *t = &s->take;
    struct depot *at[CARRY_LEGS];
    const size_t count = carry_done_at(c, at);
    const uint64_t bytes = carry_bytes(c);
    char text[CARRY_WHY_BYTES];

    (void)err; /* with fewer copies than wanted it counts, too */
    t->carry = NULL;
    t->taking = TAKE_IDLE;
    s->again = true;
    snprintf(text, sizeof text, "%s", why ? why : ""); /* goes with the carry */
    carry_free(s->depots, c);
    if (!count) {
        not_sent(s, text);
        return;
    }
    slot_tell_begun(s);
    t->n++;
    report_checkpoint(s, at, count, bytes);
    if (s->step == JOB_LEAVING) {
        report_moved(s);
        slot_over(s);
        return;
    }
    drop_before(s);
    t->before = t->root;
    t->has_before = true;
    t->reported[0] = t->now.output_bytes[0];
    t->reported[1] = t->now.output_bytes[1];
    t->unconfirmed++;
    plan_next(s);
    take_awaited(s);
    if (t->move)
        plan_move(s, bytes / count);
}

void take_committed(struct slot *s, uint64_t checkpoint)
{
    struct checkpoints *t = &s->take;

    if (s->step != JOB_RUNNING || checkpoint != t->n)
        return; /* the newest one is still to come, or to be taken again */
    t->committed[0] = t->reported[0];
    t->committed[1] = t->reported[1];
    t->unconfirmed = 0;
    t->awaited_ns = INT64_MAX;
    take_awaited(s);
}
