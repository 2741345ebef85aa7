#include "drive/slot_inner.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool blob_name(const Tern__Blob *blob, struct store_name *name)
{
    if (!blob || blob->sha256.len != sizeof name->bytes || !chunk_kind_is_known(blob->kind))
        return false;
    memcpy(name->bytes, blob->sha256.data, sizeof name->bytes);
    return true;
}

/* ---------------------------------------------------------------- roots that are kept */

static void drop(struct slot *s, size_t i)
{
    struct chunks *c = s->config.chunks;

    c->calls->drop(c->self, s->held[i].domain, &s->held[i].root.name);
    free(s->held[i].domain);
    s->held[i] = s->held[--s->held_count];
}

static struct held_root *find_held(struct slot *s, const struct store_name *name)
{
    for (size_t i = 0; i < s->held_count; i++)
        if (memcmp(&s->held[i].root.name, name, sizeof *name) == 0 &&
            strcmp(s->held[i].domain, s->domain) == 0)
            return &s->held[i];
    return NULL;
}

/* Of those that this attempt does not use, the one that was not used for longest. */
static bool make_room(struct slot *s)
{
    size_t oldest = s->held_count;

    for (size_t i = 0; i < s->held_count; i++)
        if (s->held[i].used != s->lives &&
            (oldest == s->held_count || s->held[i].used < s->held[oldest].used))
            oldest = i;
    if (oldest == s->held_count)
        return false;
    drop(s, oldest);
    return true;
}

/* What this attempt uses. What is not there yet is fetched; if that fails it is let go of. */
static bool hold(struct slot *s, const struct chunks_root *root, bool there, bool once)
{
    struct held_root *held = find_held(s, &root->name);

    if (!held) {
        if (s->held_count == SLOT_ROOTS_MAX && !make_room(s))
            return false;
        held = &s->held[s->held_count];
        *held = (struct held_root){.domain = strdup(s->domain), .root = *root};
        if (!held->domain)
            return false;
        s->held_count++;
    }
    held->used = s->lives;
    held->fetched |= there;
    held->once = once;
    return true;
}

struct collected {
    struct held_root *root;
    size_t count;
};

static void collect(void *context, const char *domain, const struct chunks_root *root)
{
    struct collected *all = context;
    struct held_root *more = realloc(all->root, (all->count + 1) * sizeof *more);

    check(more);
    all->root = more;
    all->root[all->count] = (struct held_root){.domain = strdup(domain), .root = *root};
    check(all->root[all->count].domain);
    all->count++;
}

/* What an earlier life left. */
void fetch_forget_all(struct slot *s)
{
    struct chunks *c = s->config.chunks;
    struct collected all = {0};

    c->calls->roots(c->self, &all, collect);
    for (size_t i = 0; i < all.count; i++) {
        c->calls->drop(c->self, all.root[i].domain, &all.root[i].root.name);
        free(all.root[i].domain);
    }
    free(all.root);
}

void fetch_release(struct slot *s)
{
    s->fetching = 0;
    carry_free_all(s->depots);
    for (size_t i = s->held_count; i-- > 0;)
        if (s->held[i].once || !s->held[i].fetched)
            drop(s, i);
}

/* ---------------------------------------------------------------- fetching */

static void prepare(struct slot *s);

static void all_fetched(struct slot *s)
{
    for (size_t i = 0; i < s->held_count; i++)
        s->held[i].fetched |= s->held[i].used == s->lives;
}

static void fetched(void *context, struct carry *c, enum tern_err err, const char *why)
{
    struct slot *s = context;
    char text[CARRY_WHY_BYTES];

    snprintf(text, sizeof text, "%s", why ? why : ""); /* goes with the carry */
    carry_free(s->depots, c);
    if (s->step != JOB_FETCHING)
        return;
    if (err) {
        slot_broken(s, "what it needs cannot be fetched from any depot: %s", text);
        return;
    }
    if (--s->fetching == 0) {
        all_fetched(s);
        prepare(s);
    }
    s->again = true;
}

/* False: the attempt is over. */
static bool want(struct slot *s, const Tern__Blob *blob, bool once)
{
    struct chunks *c = s->config.chunks;
    struct carry_order order = slot_carry_order(s);
    uint64_t new_bytes;
    bool there;

    if (!blob_name(blob, &order.root.name)) {
        slot_end_with(s, TERN__END_KIND__END_REFUSED, "it names data in a way that cannot be");
        return false;
    }
    order.root.kind = blob->kind;
    order.size = blob->size;
    there = find_held(s, &order.root.name) ||
            (c->calls->has(c->self, s->domain, &order.root.name, blob->kind) &&
             c->calls->commit(c->self, s->domain, &order.root, &new_bytes, NULL) == TERN_OK);
    if (!hold(s, &order.root, there, once)) {
        slot_end_with(s, TERN__END_KIND__END_REFUSED, "it has too many inputs for one slot");
        return false;
    }
    if (there)
        return true;
    order.done = fetched;
    check(carry_fetch(s->depots, &order));
    s->fetching++;
    return true;
}

static const Tern__Program *program_of(const struct job *job)
{
    const Tern__Work *work = job->placing->job->work;

    return work ? work->program : NULL;
}

static bool want_all(struct slot *s, const struct job *job)
{
    const Tern__Placing *placing = job->placing;

    if (!want(s, program_of(job)->module, false))
        return false;
    for (size_t i = 0; i < placing->task->n_inputs; i++) {
        const Tern__Input *in = placing->task->inputs[i];

        if (*in->path && in->content && in->content->blob && !want(s, in->content->blob, false))
            return false;
    }
    return !placing->from || want(s, placing->from->root, true);
}

static void know_depots(struct slot *s, const Tern__Placing *placing)
{
    s->depot_count = 0;
    for (size_t i = 0; i < placing->n_depots && s->depot_count < CARRY_LEGS; i++) {
        s->depot[s->depot_count] = carry_depot(s->depots, placing->depots[i]);
        check(s->depot[s->depot_count]);
        s->depot_count++;
    }
}

void fetch_begin(struct slot *s)
{
    struct job *job = s->jobs;
    const Tern__Job *whole = job->placing->job;

    s->lives++;
    s->begun_told = false;
    s->began_ns = 0;
    s->given_ns = slot_now(s);
    free(s->domain);
    s->domain = strdup(*whole->domain ? whole->domain : whole->owner);
    check(s->domain);
    know_depots(s, job->placing);
    s->step = JOB_FETCHING;
    s->again = true;
    if (!program_of(job)) {
        slot_end_with(s, TERN__END_KIND__END_REFUSED,
                      "this node runs programs only, and the task is none");
        return;
    }
    s->fetching = 1; /* so that nothing is over before all has begun */
    if (want_all(s, job) && --s->fetching == 0)
        prepare(s);
}

/* ---------------------------------------------------------------- for the engine */

static char *with_item(struct arena *arena, const char *text, const char *item)
{
    struct bytes out = {0};
    char *copy;

    for (; *text; text++) {
        if (text[0] == '{' && text[1] == '}') {
            bytes_append_text(&out, item);
            text++;
        } else {
            bytes_append_byte(&out, (uint8_t)*text);
        }
    }
    copy = arena_new(arena, out.size + 1, 1);
    check(copy && bytes_ok(&out));
    if (out.size)
        memcpy(copy, out.data, out.size);
    bytes_release(&out);
    return copy;
}

/* The program as this task has it: "{}" in its arguments is the task's item. */
static const Tern__Program *own_program(struct job *job)
{
    const Tern__Program *given = program_of(job);
    const char *item = job->placing->task->item;
    Tern__Program *own;

    if (!*item)
        return given;
    own = arena_new(&job->arena, 1, sizeof *own);
    check(own);
    *own = *given;
    own->args = arena_new(&job->arena, given->n_args ? given->n_args : 1, sizeof(char *));
    check(own->args);
    for (size_t i = 0; i < given->n_args; i++)
        own->args[i] = with_item(&job->arena, given->args[i], item);
    return own;
}

/* What it had written when that checkpoint was taken. */
static enum tern_err load_streams(struct slot *s, const Tern__Checkpoint *from)
{
    const Tern__Results *results = from ? from->results : NULL;
    enum tern_err err = TERN_OK;

    for (int i = 0; i < 2; i++) {
        stream_release(&s->stream[i]);
        stream_begin(&s->stream[i], s->config.chunks, s->domain);
        s->tail[i] = 0;
    }
    if (results)
        err = stream_load(&s->stream[0], results->output, results->output_bytes);
    if (results && !err)
        err = stream_load(&s->stream[1], results->error, results->error_bytes);
    for (int i = 0; i < 2; i++)
        s->tail[i] = s->stream[i].bytes;
    return err;
}

static void prepare(struct slot *s)
{
    struct job *job = s->jobs;
    const struct engine_order order = {.domain = s->domain,
                                       .program = own_program(job),
                                       .task = job->placing->task,
                                       .from = job->placing->from};
    const enum tern_err err = load_streams(s, order.from);

    if (err) {
        slot_broken(s, "what it had written before cannot be read: %s", tern_err_text(err));
        return;
    }
    s->step = JOB_PREPARING;
    s->engine_busy = true;
    s->config.engine->calls->prepare(s->config.engine->self, &order);
}
