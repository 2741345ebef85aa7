#include "drive/slot_inner.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

enum { INPUT_AHEAD_BYTES = 4 << 20 }; /* that are here, before no more is asked for */

/* ---------------------------------------------------------------- what there is */

static void add_piece(struct job *job, const struct piece *is)
{
    struct piece *piece = arena_new(&job->arena, 1, sizeof *piece);

    check(piece);
    *piece = *is;
    *job->input_end = piece;
    job->input_end = &piece->next;
}

static uint64_t size_of(const Tern__Content *content)
{
    if (!content)
        return 0;
    return content->blob ? content->blob->size : content->here.len;
}

bool job_has_input(const struct job *job, const Tern__MoreInput *more)
{
    const uint64_t size = size_of(more->content);

    for (const struct piece *p = job->input; p; p = p->next)
        if (p->offset == more->offset && p->size == size && (p->end || !more->end))
            return true;
    return false;
}

void job_add_input(struct job *job, const Tern__MoreInput *more)
{
    add_piece(job, &(struct piece){.offset = more->offset,
                                   .size = size_of(more->content),
                                   .content = more->content,
                                   .end = more->end});
}

/* What came with the task: at its beginning, or an input without a path. */
static void add_first(struct job *job)
{
    const Tern__Task *task = job->placing->task;
    const Tern__Content *first = task->input;

    for (size_t i = 0; i < task->n_inputs && !first; i++)
        if (!*task->inputs[i]->path)
            first = task->inputs[i]->content;
    if (first)
        add_piece(job, &(struct piece){.size = size_of(first), .content = first});
}

static const struct piece *piece_at(const struct job *job, uint64_t offset)
{
    for (const struct piece *p = job->input; p; p = p->next)
        if (p->offset <= offset && offset - p->offset < p->size)
            return p;
    return NULL;
}

static bool is_end(const struct job *job, uint64_t offset)
{
    if (!job->placing->task->open_input)
        return true; /* there is nothing at it, and nothing will come */
    for (const struct piece *p = job->input; p; p = p->next)
        if (p->end && p->offset + p->size <= offset)
            return true;
    return false;
}

/* ---------------------------------------------------------------- feeding */

void input_begin(struct slot *s)
{
    struct job *job = s->jobs;

    input_release(s);
    add_first(job);
    s->input.wanted = true;
    s->input.fed = job->placing->from ? job->placing->from->input_bytes : 0;
    input_feed(s);
}

void input_release(struct slot *s)
{
    carry_free(s->depots, s->input.carry);
    bytes_release(&s->input.bytes);
    s->input = (struct input){0};
}

static void give(struct slot *s, struct view bytes, bool end)
{
    s->input.fed += bytes.size;
    s->input.ended = end;
    s->config.engine->calls->input(s->config.engine->self, bytes, end);
}

static enum tern_err on_bytes(void *context, struct view bytes, const char **why)
{
    struct slot *s = context;
    struct input *in = &s->input;
    const size_t skip = in->skip < bytes.size ? in->skip : bytes.size;

    in->skip -= skip;
    bytes_append(&in->bytes, bytes.data + skip, bytes.size - skip);
    s->again = true;
    if (bytes_ok(&in->bytes))
        return TERN_OK;
    *why = "there is no memory for its standard input";
    return TERN_ENOMEM;
}

static void on_done(void *context, struct carry *c, enum tern_err err, const char *why)
{
    struct slot *s = context;
    char text[CARRY_WHY_BYTES];

    snprintf(text, sizeof text, "%s", why ? why : ""); /* goes with the carry */
    s->input.carry = NULL;
    carry_free(s->depots, c);
    if (err)
        slot_broken(s, "its standard input cannot be fetched from any depot: %s", text);
    s->again = true;
}

static void fetch_piece(struct slot *s, const struct piece *piece)
{
    struct carry_order order = slot_carry_order(s);
    const uint64_t within = s->input.fed - piece->offset;

    if (!blob_name(piece->content->blob, &order.root.name)) {
        slot_broken(s, "its standard input is named in a way that cannot be");
        return;
    }
    order.root.kind = piece->content->blob->kind;
    order.size = piece->size;
    order.chunks = NULL;
    order.bytes = on_bytes;
    order.done = on_done;
    s->input.skip = (size_t)(within % STREAM_LEAF);
    order.offset = within - s->input.skip;
    s->input.carry = carry_fetch(s->depots, &order);
    check(s->input.carry);
    s->again = true;
}

static void feed_here(struct slot *s, const struct piece *piece)
{
    const size_t within = (size_t)(s->input.fed - piece->offset);

    give(s, view_of(piece->content->here.data + within, piece->content->here.len - within), false);
}

static void feed_fetched(struct slot *s)
{
    struct bytes bytes = s->input.bytes;

    s->input.bytes = (struct bytes){0};
    s->input.wanted = false;
    give(s, bytes_view(&bytes), false);
    bytes_release(&bytes);
}

void input_feed(struct slot *s)
{
    struct input *in = &s->input;

    while ((s->step == JOB_STARTING || s->step == JOB_RUNNING) && in->wanted && !in->ended) {
        const struct piece *piece = piece_at(s->jobs, in->fed);

        if (in->bytes.size)
            feed_fetched(s);
        else if (in->carry || (!piece && !is_end(s->jobs, in->fed)))
            break;
        else if (!piece)
            give(s, (struct view){0}, true);
        else if (piece->content->blob)
            fetch_piece(s, piece);
        else
            feed_here(s, piece);
    }
    if (in->carry)
        carry_hold(in->carry, in->bytes.size > INPUT_AHEAD_BYTES);
}
