#include "lib/lib.h"

#include <stdlib.h>
#include <string.h>

struct held_result {
    struct tern_result result; /* first: it is what the caller sees */
    struct arena arena;
    Tern__TaskSeen *seen;
};

const char *tern_state_text(enum tern_state state)
{
    static const char *const texts[] = {"unknown", "waiting", "ready",  "placed",
                                        "running", "done",    "failed", "cancelled"};

    return (unsigned)state < sizeof texts / sizeof *texts ? texts[state] : texts[0];
}

static bool fill_files(struct tern_result *out, const Tern__Results *r, struct arena *arena)
{
    struct tern_file *files = arena_new(arena, r->n_files + 1, sizeof *files);

    if (!files)
        return false;
    for (size_t i = 0; i < r->n_files; i++) {
        const Tern__Content *c = r->files[i]->content;

        files[i].path = r->files[i]->name;
        files[i].size = c && c->blob ? c->blob->size : c ? c->here.len : 0;
    }
    out->files = files;
    out->file_count = r->n_files;
    return true;
}

static void fill_end(struct tern_result *out, const Tern__End *end)
{
    out->kind = (enum tern_end_kind)end->kind;
    out->code = end->code;
    out->text = end->text;
    out->cpu_ns = end->cpu_ns;
    out->wall_ns = end->wall_ns;
}

bool result_fill(struct tern_result *out, const Tern__TaskSeen *seen, struct arena *arena)
{
    const Tern__Checkpoint *c = seen->checkpoint;
    const Tern__Results *results = seen->end ? seen->end->results : c ? c->results : NULL;

    *out = (struct tern_result){.task = {seen->task},
                                .job = {seen->job},
                                .index = seen->index,
                                .state = (enum tern_state)seen->state,
                                .text = "",
                                .why = seen->why,
                                .node = seen->node,
                                .attempt = seen->attempt,
                                .moves = seen->moves,
                                .losses = seen->losses};
    if (c) {
        out->checkpoint = c->n;
        out->checkpoint_ns = c->time_ns;
        out->cpu_ns = c->cpu_ns;
    }
    if (seen->end)
        fill_end(out, seen->end);
    if (results) {
        out->output_bytes = results->output_bytes;
        out->error_bytes = results->error_bytes;
        return fill_files(out, results, arena);
    }
    return true;
}

struct tern_result *result_new(const Tern__TaskSeen *seen)
{
    struct held_result *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->seen = message_copy(&seen->base, &r->arena);
    if (r->seen && result_fill(&r->result, r->seen, &r->arena))
        return &r->result;
    tern_result_free(&r->result);
    return NULL;
}

const Tern__TaskSeen *result_seen(const struct tern_result *r)
{
    return ((const struct held_result *)(const void *)r)->seen;
}

void tern_result_free(struct tern_result *r)
{
    struct held_result *held = (struct held_result *)(void *)r;

    if (!r)
        return;
    arena_release(&held->arena);
    free(held);
}

/* ---- what it has left ---- */

static const Tern__Content *content_of(const Tern__Results *results, const char *path)
{
    if (!path)
        return results->output;
    if (strcmp(path, TERN_STDERR) == 0)
        return results->error;
    for (size_t i = 0; i < results->n_files; i++)
        if (strcmp(results->files[i]->name, path) == 0)
            return results->files[i]->content;
    return NULL;
}

static const char *shown(const char *path)
{
    if (!path)
        return "standard output";
    return strcmp(path, TERN_STDERR) == 0 ? "standard error" : path;
}

static void give_here(struct tern_op *op, const Tern__Content *content)
{
    enum tern_err err = TERN_OK;

    if (content && content->here.len)
        err = sink_put(&op->sink, view_of(content->here.data, content->here.len));
    op_end(op, err, "%s", err ? "cannot write what was fetched" : "");
}

struct tern_op *tern_result_get_begin(struct tern *t, const struct tern_result *r, const char *path,
                                      const struct tern_sink *sink)
{
    const Tern__TaskSeen *seen = result_seen(r);
    const Tern__Results *results = seen->end ? seen->end->results : NULL;
    const Tern__Content *content = results ? content_of(results, path) : NULL;
    struct tern_op *op = op_new(t);

    if (!op || op->over)
        return op;
    op->sink = *sink;
    if (content && content->blob)
        op_fetch(op, content->blob, seen->depots, seen->n_depots);
    else if (content || (results && (!path || strcmp(path, TERN_STDERR) == 0)))
        give_here(op, content);
    else
        op_end(op, TERN_ENOENT, "task t%llu has left nothing named %s", (unsigned long long)r->task.n,
               shown(path));
    return op;
}

enum tern_err tern_result_get(struct tern *t, const struct tern_result *r, const char *path,
                              const struct tern_sink *sink)
{
    return op_finish(t, tern_result_get_begin(t, r, path, sink));
}
