#include "cli/image_files.h"
#include "cli/image_json.h"
#include "cli/image_shown.h"
#include "cli/json_text.h"

#include <inttypes.h>

enum { LINES_MAX = 100 };

/* ---- Counting ---- */

/* The same inode in the other image, if it is a file there; UINT32_MAX: it is not. */
static uint32_t file_before(const struct image_look *before, uint64_t number)
{
    const struct state_tree *t = before ? before->c.image.state.tree : NULL;
    const struct state_node *n = t ? state_tree_find(t, number) : NULL;

    return n && n->kind == STATE_NODE_FILE ? (uint32_t)(n - t->nodes) : UINT32_MAX;
}

static enum tern_err count_all(const struct image_look *l, const struct image_look *before,
                               struct image_files *out)
{
    enum tern_err err = TERN_OK;

    for (size_t i = 0; i < out->path_count && !err; i++) {
        const struct image_path *path = &out->paths[i];
        const uint32_t index = file_before(before, path->node->number);

        err = image_files_count(l, path->index, index == UINT32_MAX ? NULL : before, index,
                                &out->counted[i]);
    }
    return err;
}

/* A file with several paths counts once. */
static void add_up(struct image_files *f, uint32_t node_count)
{
    bool *seen = arena_new(&f->arena, node_count, sizeof *seen);

    for (size_t i = 0; seen && i < f->path_count; i++) {
        if (seen[f->paths[i].index])
            continue;
        seen[f->paths[i].index] = true;
        f->pages += f->counted[i].pages;
        f->same += f->counted[i].same;
    }
}

enum tern_err image_files_load(const struct image_look *l, const struct image_look *before,
                               struct image_files *out, struct problem *p)
{
    const struct state_tree *t = l->c.image.state.tree;
    enum tern_err err = TERN_ENOMEM;

    *out = (struct image_files){.paths = NULL};
    if (!t)
        return TERN_OK;
    if (image_files_list(&l->c.image, &out->arena, &out->paths, &out->path_count))
        out->counted = arena_new(&out->arena, out->path_count, sizeof *out->counted);
    if (out->counted)
        err = count_all(l, before, out);
    if (err)
        return problem_set(p, err, "its files cannot be listed: %s", tern_err_text(err));
    add_up(out, t->node_count);
    return TERN_OK;
}

void image_files_release(struct image_files *f)
{
    arena_release(&f->arena);
}

/* ---- As text ---- */

static void show_path(struct bytes *out, const struct image_path *path,
                      const struct image_pages_counted *counted, bool compared)
{
    const struct state_node *n = path->node;

    bytes_appendf(out, "  %5" PRIu64 "  %-9s  ", n->number, image_files_kind(n->kind));
    if (path->path.size)
        bytes_append_shown(out, path->path);
    else
        bytes_append_text(out, "(removed, and open)");
    if (n->kind == STATE_NODE_LINK) {
        bytes_append_text(out, " -> ");
        bytes_append_shown(out, n->target);
    }
    if (n->kind == STATE_NODE_FILE) {
        bytes_append_text(out, ", ");
        shown_count_of(out, n->size, "byte");
        bytes_append_text(out, ", ");
        shown_count_of(out, counted->pages, "page");
    }
    if (n->kind == STATE_NODE_FILE && compared && counted->pages)
        bytes_appendf(out, ", %" PRIu64 " shared", counted->same);
    if (n->kind == STATE_NODE_FILE && n->links > 1)
        bytes_appendf(out, ", %" PRIu32 " links", n->links);
    bytes_append_text(out, "\n");
}

void image_files_text(struct bytes *out, const struct image_look *l, const struct image_files *f,
                      uint64_t before)
{
    if (!l->c.image.state.tree)
        return;
    bytes_append_text(out, "\nfiles of its own: ");
    shown_count_of(out, l->c.image.state.tree->node_count, "inode");
    bytes_append_text(out, ", ");
    shown_count_of(out, f->pages, "page");
    bytes_append_text(out, " of 4 KiB; at most ");
    shown_size(out, l->c.image.limits_files_bytes);
    bytes_append_text(out, "\n");
    if (before) {
        bytes_appendf(out, "  shared with checkpoint %" PRIu64 ": ", before);
        shown_count_of(out, f->same, "page");
        bytes_append_text(out, "\n");
    }
    for (size_t i = 0; i < f->path_count && i < LINES_MAX; i++)
        show_path(out, &f->paths[i], &f->counted[i], before);
    if (f->path_count > LINES_MAX)
        bytes_appendf(out, "  and %zu more; --json lists all\n", f->path_count - LINES_MAX);
}

/* ---- As JSON ---- */

static json_t *path_json(const struct image_path *path, const struct image_pages_counted *counted)
{
    const struct state_node *n = path->node;
    json_t *out = json_pack("{s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "path",
                            path->path.size ? json_text_escaped(path->path) : json_null(), "kind",
                            image_files_kind(n->kind), "inode", (json_int_t)n->number, "links",
                            (json_int_t)n->links, "size_bytes", (json_int_t)n->size, "mtime_ns",
                            (json_int_t)n->mtime_ns, "pages", (json_int_t)counted->pages,
                            "pages_shared", (json_int_t)counted->same);

    if (out && n->kind == STATE_NODE_LINK)
        json_object_set_new(out, "target", json_text_escaped(n->target));
    return out;
}

json_t *image_files_json(const struct image_look *l, const struct image_files *f)
{
    const struct image *image = &l->c.image;
    json_t *list;

    if (!image->state.tree)
        return json_null();
    list = json_array();
    for (size_t i = 0; i < f->path_count; i++)
        json_array_append_new(list, path_json(&f->paths[i], &f->counted[i]));
    return json_pack("{s:I, s:I, s:I, s:I, s:o}", "inodes",
                     (json_int_t)image->state.tree->node_count, "bytes_max",
                     (json_int_t)image->limits_files_bytes, "pages", (json_int_t)f->pages,
                     "pages_shared", (json_int_t)f->same, "tree", list);
}
