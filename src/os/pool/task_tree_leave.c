#include "os/pool/task_tree.h"

#include "base/check.h"
#include "os/file.h"
#include "os/pool/stored_blob.h"
#include "os/sys.h"
#include "os/tree_out.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = STORE_CHUNK_MAX };

struct leaving {
    struct store *store;
    int arena;
    uint8_t *piece;
    struct problem *p;
};

static enum tern_err refuse(const struct leaving *l, enum tern_err err, const char *path,
                            const char *why)
{
    struct bytes shown = {0};

    bytes_append_shown(&shown, view_of_string(path));
    problem_set(l->p, err, "the output %s: %s", bytes_text(&shown) ? bytes_text(&shown) : "?", why);
    bytes_release(&shown);
    return err;
}

/* ---- Contents ---- */

static enum tern_err read_whole(int fd, uint8_t *to, size_t size, uint64_t at)
{
    while (size > 0) {
        const ssize_t got = sys_pread(fd, to, size, (off_t)at);

        if (got <= 0)
            return TERN_EIO;
        to += got;
        at += (uint64_t)got;
        size -= (size_t)got;
    }
    return TERN_OK;
}

/* What of the run lies within the piece [from, from + size). */
static enum tern_err read_run(const struct leaving *l, const struct state_run *r, uint64_t from,
                              size_t size)
{
    const uint64_t begins = (uint64_t)r->page * TREE_PAGE_BYTES;
    const uint64_t ends = begins + (uint64_t)r->count * TREE_PAGE_BYTES;
    const uint64_t first = begins > from ? begins : from;
    const uint64_t last = ends < from + size ? ends : from + size;

    if (first >= last)
        return TERN_OK;
    return read_whole(l->arena, l->piece + (first - from), (size_t)(last - first),
                      (uint64_t)r->arena * TREE_PAGE_BYTES + (first - begins));
}

/* *run: the first that does not end before the piece; runs ascend. */
static enum tern_err fill_piece(const struct leaving *l, const struct state_node *n, uint64_t from,
                                size_t size, uint32_t *run)
{
    enum tern_err err = TERN_OK;

    memset(l->piece, 0, size); /* holes */
    while (*run < n->run_count &&
           ((uint64_t)n->runs[*run].page + n->runs[*run].count) * TREE_PAGE_BYTES <= from)
        ++*run;
    for (uint32_t i = *run; i < n->run_count && !err; i++) {
        if ((uint64_t)n->runs[i].page * TREE_PAGE_BYTES >= from + size)
            break;
        err = read_run(l, &n->runs[i], from, size);
    }
    return err ? problem_set(l->p, err, "a temporary file cannot be read") : TERN_OK;
}

static enum tern_err put_file(const struct leaving *l, const struct state_node *n,
                              struct engine_file *out)
{
    struct stored_blob blob = {.names = {0}};
    enum tern_err err = TERN_OK;
    uint32_t run = 0;

    for (uint64_t at = 0; at < n->size && !err; at += PIECE_BYTES) {
        const uint64_t rest = n->size - at;
        const size_t size = rest < PIECE_BYTES ? (size_t)rest : PIECE_BYTES;

        err = fill_piece(l, n, at, size, &run);
        if (!err)
            err = stored_blob_add(&blob, l->store, view_of(l->piece, size), l->p);
    }
    if (!err)
        err = stored_blob_end(&blob, l->store, &out->root.name, &out->root.kind, l->p);
    stored_blob_release(&blob);
    out->size = n->size;
    return err;
}

/* ---- All together ---- */

static enum tern_err leave_one(const struct leaving *l, const struct state_tree *tree,
                               const Tern__Output *o, struct task_files *out)
{
    const struct state_node *n = tree_out_find(tree, o->path);
    struct engine_file file = {.path = o->path};
    struct problem why = {.text = ""};
    struct leaving inner = *l;
    enum tern_err err;

    if (!n && o->optional)
        return TERN_OK;
    if (!n)
        return refuse(l, TERN_ENOENT, o->path, "the program left no such file");
    if (n->kind != STATE_NODE_FILE)
        return refuse(l, TERN_EINVALID, o->path, "it is a folder; name the files in it");
    inner.p = &why;
    err = put_file(&inner, n, &file);
    if (err)
        return refuse(l, err, o->path, why.text);
    store_pin(l->store, &file.root.name, file.root.kind);
    out->list[out->count++] = file;
    return TERN_OK;
}

enum tern_err task_tree_leave(const Tern__Task *task, struct store *s,
                              const struct state_tree *tree, int arena, struct task_files *out,
                              struct problem *p)
{
    struct leaving l = {.store = s, .arena = arena, .piece = malloc(PIECE_BYTES), .p = p};
    enum tern_err err = TERN_OK;

    check(!out->list);
    out->list = calloc(task->n_outputs + 1, sizeof *out->list);
    if (!out->list || !l.piece)
        err = problem_set(p, TERN_ENOMEM, "out of memory");
    for (size_t i = 0; i < task->n_outputs && !err; i++)
        err = leave_one(&l, tree, task->outputs[i], out);
    free(l.piece);
    return err;
}

void task_files_release(struct task_files *f)
{
    free(f->list);
    *f = (struct task_files){.count = 0};
}
