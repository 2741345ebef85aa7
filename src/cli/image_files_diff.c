#include "cli/image_files.h"

#include "base/check.h"
#include "cli/image_json.h"
#include "cli/image_shown.h"
#include "cli/json_text.h"

#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 100 };

/* ---- Comparing ---- */

static int compare_paths(const struct view *x, const struct view *y)
{
    const int order = memcmp(x->data, y->data, x->size < y->size ? x->size : y->size);

    return order ? order : (x->size > y->size) - (x->size < y->size);
}

static int compare_listed(const void *a, const void *b)
{
    return compare_paths(&((const struct image_path *)a)->path,
                         &((const struct image_path *)b)->path);
}

struct side {
    const struct image_look *look;
    struct image_path *paths;
    size_t count, at;
};

/* What was removed and is open has no path: it is told with the descriptors. */
static bool list_side(struct side *s, struct arena *arena)
{
    if (!image_files_list(&s->look->c.image, arena, &s->paths, &s->count))
        return false;
    while (s->count && s->paths[s->count - 1].path.size == 0)
        s->count--;
    qsort(s->paths, s->count, sizeof *s->paths, compare_listed);
    return true;
}

static bool is_file(const struct image_path *path)
{
    return path && path->node->kind == STATE_NODE_FILE;
}

static enum tern_err count_pages(const struct side *from, const struct side *to,
                                 struct image_files_change *c)
{
    if (!is_file(c->to))
        return TERN_OK;
    return image_files_count(to->look, c->to->index, is_file(c->from) ? from->look : NULL,
                             is_file(c->from) ? c->from->index : 0, &c->counted);
}

static bool differs(const struct image_files_change *c)
{
    const struct state_node *a, *b;

    if (!c->from || !c->to)
        return true;
    a = c->from->node;
    b = c->to->node;
    return a->kind != b->kind || a->number != b->number || a->links != b->links ||
           a->size != b->size || a->mtime_ns != b->mtime_ns || !view_equal(a->target, b->target) ||
           c->counted.changed;
}

/* The next path of the two; NULL, NULL: there are no more. */
static struct image_files_change next_change(struct side *from, struct side *to)
{
    struct image_files_change c = {
        .from = from->at < from->count ? &from->paths[from->at] : NULL,
        .to = to->at < to->count ? &to->paths[to->at] : NULL,
    };
    const int order = c.from && c.to ? compare_paths(&c.from->path, &c.to->path) : 0;

    if (order < 0)
        c.to = NULL;
    if (order > 0)
        c.from = NULL;
    from->at += c.from != NULL;
    to->at += c.to != NULL;
    return c;
}

enum tern_err image_files_compare(const struct image_look *from, const struct image_look *to,
                                  struct image_files_diff *out, struct problem *p)
{
    struct side a = {.look = from}, b = {.look = to};
    enum tern_err err = TERN_ENOMEM;

    if (list_side(&a, &out->arena) && list_side(&b, &out->arena))
        err = TERN_OK;
    while (!err) {
        struct image_files_change c = next_change(&a, &b);

        if (!c.from && !c.to)
            break;
        err = count_pages(&a, &b, &c);
        if (!err && differs(&c))
            bytes_append(&out->changes, &c, sizeof c);
    }
    if (!err && !bytes_ok(&out->changes))
        err = TERN_ENOMEM;
    return err ? problem_set(p, err, "their files cannot be compared: %s", tern_err_text(err))
               : TERN_OK;
}

void image_files_diff_release(struct image_files_diff *d)
{
    arena_release(&d->arena);
    bytes_release(&d->changes);
}

static size_t change_count(const struct image_files_diff *d)
{
    return d->changes.size / sizeof(struct image_files_change);
}

static struct image_files_change change_at(const struct image_files_diff *d, size_t i)
{
    struct image_files_change c;

    memcpy(&c, d->changes.data + i * sizeof c, sizeof c);
    return c;
}

/* ---- As text ---- */

static void show_what(struct bytes *out, const struct state_node *n)
{
    bytes_append_text(out, image_files_kind(n->kind));
    if (n->kind == STATE_NODE_FILE) {
        bytes_append_text(out, " of ");
        shown_count_of(out, n->size, "byte");
    }
    if (n->kind == STATE_NODE_LINK) {
        bytes_append_text(out, " to ");
        bytes_append_shown(out, n->target);
    }
}

static bool shown_alike(const struct state_node *a, const struct state_node *b)
{
    return a->kind == b->kind && a->size == b->size && view_equal(a->target, b->target);
}

static void show_change(struct bytes *out, const struct image_files_change *c)
{
    const struct image_path *path = c->to ? c->to : c->from;
    const bool both = c->from && c->to && !shown_alike(c->from->node, c->to->node);

    check(path);
    bytes_appendf(out, "  %c ", !c->from ? '+' : !c->to ? '-' : '~');
    bytes_append_shown(out, path->path);
    bytes_append_text(out, ", ");
    if (both) {
        show_what(out, c->from->node);
        bytes_append_text(out, ", then ");
    }
    show_what(out, path->node);
    if (c->counted.changed) {
        bytes_append_text(out, "; ");
        shown_count_of(out, c->counted.changed, "page");
        bytes_append_text(out, c->from ? " changed" : " new");
    }
    bytes_append_text(out, "\n");
}

void image_files_diff_text(struct bytes *out, const struct image_files_diff *d, bool any)
{
    const size_t count = change_count(d);

    if (!any)
        return;
    bytes_appendf(out, "\nfiles that differ: %zu\n", count);
    for (size_t i = 0; i < count && i < LINES_MAX; i++) {
        const struct image_files_change c = change_at(d, i);

        show_change(out, &c);
    }
    if (count > LINES_MAX)
        bytes_appendf(out, "  and %zu more; --json lists all\n", count - LINES_MAX);
}

/* ---- As JSON ---- */

static json_t *what_json(const struct image_path *path)
{
    json_t *out;

    if (!path)
        return json_null();
    out = json_pack("{s:s, s:I, s:I, s:I, s:I}", "kind", image_files_kind(path->node->kind),
                    "inode", (json_int_t)path->node->number, "links", (json_int_t)path->node->links,
                    "size_bytes", (json_int_t)path->node->size, "mtime_ns",
                    (json_int_t)path->node->mtime_ns);
    if (out && path->node->kind == STATE_NODE_LINK)
        json_object_set_new(out, "target", json_text_escaped(path->node->target));
    return out;
}

json_t *image_files_diff_json(const struct image_files_diff *d)
{
    json_t *list = json_array();

    for (size_t i = 0; i < change_count(d); i++) {
        const struct image_files_change c = change_at(d, i);

        json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:I}", "path",
                                              json_text_escaped((c.to ? c.to : c.from)->path),
                                              "from", what_json(c.from), "to", what_json(c.to),
                                              "pages_changed", (json_int_t)c.counted.changed));
    }
    return list;
}
