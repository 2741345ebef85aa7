/*
 * Paths, component by component. What a symbolic link says is put in front of what is still to go;
 * how much of that came from links is kept, since '..' means another thing there.
 */
#include "runner/tree.h"

#include <string.h>

enum { LINKS_MAX = 40 }; /* as the kernel's own limit */

struct walk {
    const struct tree *t;
    struct tree_node *start, *at;
    int links;
    size_t rest_size;
    size_t from_link;    /* bytes of rest, from its beginning, that links said */
    char rest[PATH_MAX]; /* still to go */
};

struct component {
    size_t size;
    bool last;
    bool slash;       /* last, and '/' followed */
    bool linked;      /* a link said it */
    const char *name; /* in rest, which it is still a part of */
    size_t taken;     /* of rest, with '/' behind it */
};

static enum wasi_errno look_at(const struct walk *w, struct component *c)
{
    const size_t size = strcspn(w->rest, "/");
    const size_t slashes = strspn(w->rest + size, "/");

    *c = (struct component){
        .size = size,
        .last = size + slashes == w->rest_size,
        .slash = size + slashes == w->rest_size && slashes > 0,
        .linked = w->from_link > 0,
        .name = w->rest,
        .taken = size + slashes,
    };
    return size > TREE_NAME_BYTES_MAX ? WASI_E_NAMETOOLONG : WASI_E_SUCCESS;
}

static void advance(struct walk *w, size_t taken)
{
    memmove(w->rest, w->rest + taken, w->rest_size - taken + 1);
    w->rest_size -= taken;
    w->from_link -= taken < w->from_link ? taken : w->from_link;
}

static bool is_text(const struct component *c, const char *text)
{
    return c->size == strlen(text) && memcmp(c->name, text, c->size) == 0;
}

/* The program may not leave the directory it begins in; what leads out of the tree is its root. */
static enum wasi_errno go_up(struct walk *w, bool linked)
{
    if (!linked && w->at == w->start)
        return WASI_E_PERM;
    if (w->at->parent)
        w->at = w->at->parent;
    return WASI_E_SUCCESS;
}

/* c, which is the link's name, has not been taken yet. */
static enum wasi_errno expand(struct walk *w, const struct component *c,
                              const struct tree_node *link)
{
    const size_t target = link->target_size;
    const bool slash = c->taken > c->size;

    if (++w->links > LINKS_MAX)
        return WASI_E_LOOP;
    advance(w, c->taken);
    if (target + slash + w->rest_size >= sizeof w->rest)
        return WASI_E_NAMETOOLONG;
    memmove(w->rest + target + slash, w->rest, w->rest_size + 1);
    memcpy(w->rest, link->target, target);
    if (slash)
        w->rest[target] = '/';
    w->rest_size += target + slash;
    w->from_link += target + slash;
    if (link->target[0] == '/')
        w->at = w->t->first;
    advance(w, strspn(w->rest, "/"));
    return WASI_E_SUCCESS;
}

static struct tree_node *child(const struct walk *w, const struct component *c)
{
    const struct tree_entry *e = tree_entry_find(w->at, c->name, c->size);

    return e ? e->node : NULL;
}

/* The last component: what `out` is to say of it. */
static void arrive(const struct walk *w, const struct component *c, struct tree_node *node,
                   struct tree_place *out)
{
    out->dir = w->at;
    out->node = node;
    out->slash = c->slash;
    out->size = (uint8_t)c->size;
    memcpy(out->name, c->name, c->size);
    out->name[c->size] = 0;
}

/* Nothing is left: the directory that was reached, as if "." had been. */
static void arrive_here(const struct walk *w, struct tree_place *out)
{
    *out =
        (struct tree_place){.dir = w->at, .node = w->at, .dots = TREE_DOT, .size = 1, .name = "."};
}

static enum wasi_errno step_dots(struct walk *w, const struct component *c, bool up,
                                 enum tree_end end, struct tree_place *out, bool *arrived)
{
    enum wasi_errno error = WASI_E_SUCCESS;

    if (up && !(c->last && end == TREE_AS_NAME))
        error = go_up(w, c->linked);
    if (c->last) {
        arrive(w, c, w->at, out);
        out->dots = up ? TREE_DOTS : TREE_DOT;
        *arrived = true;
    }
    advance(w, c->taken);
    return error;
}

static enum wasi_errno step_name(struct walk *w, const struct component *c, enum tree_end end,
                                 struct tree_place *out, bool *arrived)
{
    struct tree_node *node = child(w, c);

    if (c->slash && end == TREE_CREATE)
        return WASI_E_ISDIR; /* before it is looked at what is there, link or not */
    if (node && node->kind == STATE_NODE_LINK && (!c->last || end >= TREE_FOLLOW))
        return expand(w, c, node);
    if (c->last) {
        arrive(w, c, node, out);
        *arrived = true;
        return WASI_E_SUCCESS;
    }
    if (!node)
        return WASI_E_NOENT;
    if (node->kind != STATE_NODE_DIRECTORY)
        return WASI_E_NOTDIR;
    w->at = node;
    advance(w, c->taken);
    return WASI_E_SUCCESS;
}

static enum wasi_errno step(struct walk *w, enum tree_end end, struct tree_place *out,
                            bool *arrived)
{
    struct component c;
    enum wasi_errno error = look_at(w, &c);

    if (error)
        return error;
    if (is_text(&c, "."))
        return step_dots(w, &c, false, end, out, arrived);
    if (is_text(&c, ".."))
        return step_dots(w, &c, true, end, out, arrived);
    return step_name(w, &c, end, out, arrived);
}

enum wasi_errno tree_locate(const struct tree *t, struct tree_node *start, const char *path,
                            enum tree_end end, struct tree_place *out)
{
    struct walk w = {.t = t, .start = start, .at = start, .rest_size = strlen(path)};
    enum wasi_errno error = WASI_E_SUCCESS;
    bool arrived = false;

    if (w.rest_size == 0)
        return WASI_E_NOENT;
    if (w.rest_size >= sizeof w.rest)
        return WASI_E_NAMETOOLONG;
    if (path[0] == '/')
        return WASI_E_PERM;
    memcpy(w.rest, path, w.rest_size + 1);
    *out = (struct tree_place){0};
    while (!error && !arrived && w.rest_size > 0)
        error = step(&w, end, out, &arrived);
    if (!error && !arrived)
        arrive_here(&w, out); /* a link to "/" */
    return error;
}

enum wasi_errno tree_find(const struct tree *t, struct tree_node *start, const char *path,
                          bool follow, struct tree_node **out)
{
    const size_t size = strlen(path);
    const bool slash = size > 0 && path[size - 1] == '/';
    struct tree_place place;
    enum wasi_errno error =
        tree_locate(t, start, path, follow || slash ? TREE_FOLLOW : TREE_AS_IS, &place);

    if (error)
        return error;
    if (!place.node)
        return WASI_E_NOENT;
    if (place.slash && place.node->kind != STATE_NODE_DIRECTORY)
        return WASI_E_NOTDIR;
    *out = place.node;
    return WASI_E_SUCCESS;
}
