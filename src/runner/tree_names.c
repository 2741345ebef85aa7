/*
 * What changes names, with the answers of Linux (fs/namei.c), in its order where several apply. A
 * place has been located just before, and nothing has changed since.
 */
#include "base/check.h"
#include "runner/tree.h"

#include <stdlib.h>
#include <string.h>

enum { LINKS_MAX = 65000 };

static void touch(struct tree_node *dir, uint64_t now_ns)
{
    dir->mtime_ns = dir->ctime_ns = now_ns;
}

static struct view name_of(const struct tree_place *at)
{
    return view_of(at->name, at->size);
}

static struct tree_entry *entry_of(const struct tree_place *at)
{
    struct tree_entry *e = tree_entry_find(at->dir, at->name, at->size);

    check(e && e->node == at->node);
    return e;
}

/* ---- Making ---- */

/* That the name is free; slash: it may end in '/'. */
static enum wasi_errno may_make(const struct tree_place *at, bool slash)
{
    if (at->dots != TREE_NAME || at->node)
        return WASI_E_EXIST;
    if ((at->slash && !slash) || tree_is_removed(at->dir))
        return WASI_E_NOENT;
    return WASI_E_SUCCESS;
}

static enum wasi_errno name_it(struct tree *t, const struct tree_place *at, struct tree_node *n,
                               uint64_t now_ns)
{
    if (at->dir->next_cookie >= TREE_NUMBER_MAX ||
        !tree_entry_add(t, at->dir, name_of(at), at->dir->next_cookie, n))
        return WASI_E_NOSPC;
    at->dir->next_cookie++;
    touch(at->dir, now_ns);
    return WASI_E_SUCCESS;
}

static enum wasi_errno make(struct tree *t, const struct tree_place *at, uint8_t kind,
                            uint64_t now_ns, struct tree_node **out)
{
    struct tree_node *n = NULL;
    enum wasi_errno error;

    if (t->next_number < TREE_NUMBER_MAX)
        n = tree_new_node(t, kind, t->next_number);
    if (!n)
        return WASI_E_NOSPC;
    error = name_it(t, at, n, now_ns);
    if (error) {
        tree_drop_node(t, n);
        return error;
    }
    t->next_number++;
    n->links = 1;
    n->atime_ns = n->mtime_ns = n->ctime_ns = now_ns;
    *out = n;
    return WASI_E_SUCCESS;
}

enum wasi_errno tree_make_file(struct tree *t, const struct tree_place *at, uint64_t now_ns,
                               struct tree_node **out)
{
    enum wasi_errno error = may_make(at, false);

    return error ? error : make(t, at, STATE_NODE_FILE, now_ns, out);
}

enum wasi_errno tree_make_directory(struct tree *t, const struct tree_place *at, uint64_t now_ns)
{
    struct tree_node *n;
    enum wasi_errno error = may_make(at, true);

    if (!error)
        error = make(t, at, STATE_NODE_DIRECTORY, now_ns, &n);
    if (error)
        return error;
    n->links = 2;
    n->parent = at->dir;
    at->dir->links++;
    return WASI_E_SUCCESS;
}

enum wasi_errno tree_make_link(struct tree *t, const char *target, const struct tree_place *at,
                               uint64_t now_ns)
{
    const size_t size = strlen(target);
    struct tree_node *n;
    enum wasi_errno error = size ? may_make(at, false) : WASI_E_NOENT;
    char *copy;

    if (error)
        return error;
    if (size > TREE_TARGET_BYTES_MAX)
        return WASI_E_NAMETOOLONG;
    if (t->text_bytes + size > TREE_TEXT_BYTES_MAX)
        return WASI_E_NOSPC;
    copy = strdup(target);
    error = copy ? make(t, at, STATE_NODE_LINK, now_ns, &n) : WASI_E_NOMEM;
    if (error) {
        free(copy);
        return error;
    }
    n->target = copy;
    n->target_size = (uint32_t)size;
    t->text_bytes += size;
    return WASI_E_SUCCESS;
}

enum wasi_errno tree_link(struct tree *t, struct tree_node *node, const struct tree_place *at,
                          uint64_t now_ns)
{
    enum wasi_errno error = may_make(at, false);

    if (error)
        return error;
    if (node->kind == STATE_NODE_DIRECTORY)
        return WASI_E_PERM;
    if (node->links >= LINKS_MAX)
        return WASI_E_MLINK;
    error = name_it(t, at, node, now_ns);
    if (error)
        return error;
    node->links++;
    node->ctime_ns = now_ns;
    return WASI_E_SUCCESS;
}

/* ---- Removing ---- */

/* The name has gone, or leads elsewhere: what it led to has one less. */
static void unname(struct tree *t, struct tree_node *dir, struct tree_node *n, uint64_t now_ns)
{
    n->ctime_ns = now_ns;
    if (n->kind == STATE_NODE_DIRECTORY) {
        n->links = 0;
        n->parent = NULL;
        dir->links--;
    } else {
        n->links--;
    }
    tree_drop_node(t, n);
}

static void remove_entry(struct tree *t, const struct tree_place *at, uint64_t now_ns)
{
    tree_entry_remove(t, at->dir, entry_of(at));
    touch(at->dir, now_ns);
    unname(t, at->dir, at->node, now_ns);
}

enum wasi_errno tree_remove_directory(struct tree *t, const struct tree_place *at, uint64_t now_ns)
{
    if (at->dots != TREE_NAME)
        return at->dots == TREE_DOT ? WASI_E_INVAL : WASI_E_NOTEMPTY;
    if (!at->node)
        return WASI_E_NOENT;
    if (at->node->kind != STATE_NODE_DIRECTORY)
        return WASI_E_NOTDIR;
    if (at->node->entry_count)
        return WASI_E_NOTEMPTY;
    remove_entry(t, at, now_ns);
    return WASI_E_SUCCESS;
}

enum wasi_errno tree_unlink(struct tree *t, const struct tree_place *at, uint64_t now_ns)
{
    if (at->dots != TREE_NAME)
        return WASI_E_ISDIR;
    if (!at->node)
        return WASI_E_NOENT;
    if (at->node->kind == STATE_NODE_DIRECTORY)
        return WASI_E_ISDIR;
    if (at->slash)
        return WASI_E_NOTDIR;
    remove_entry(t, at, now_ns);
    return WASI_E_SUCCESS;
}

/* ---- Renaming ---- */

static bool is_beneath(const struct tree_node *dir, const struct tree_node *above)
{
    while (dir && dir != above)
        dir = dir->parent;
    return dir;
}

static enum wasi_errno may_replace(const struct tree_node *from, const struct tree_node *to)
{
    if (from->kind == STATE_NODE_DIRECTORY && to->kind != STATE_NODE_DIRECTORY)
        return WASI_E_NOTDIR;
    if (from->kind != STATE_NODE_DIRECTORY && to->kind == STATE_NODE_DIRECTORY)
        return WASI_E_ISDIR;
    return to->entry_count ? WASI_E_NOTEMPTY : WASI_E_SUCCESS;
}

static enum wasi_errno may_rename(const struct tree_place *from, const struct tree_place *to)
{
    if (from->dots != TREE_NAME || to->dots != TREE_NAME)
        return WASI_E_BUSY;
    if (!from->node)
        return WASI_E_NOENT;
    if (from->node->kind != STATE_NODE_DIRECTORY && (from->slash || to->slash))
        return WASI_E_NOTDIR;
    if (is_beneath(to->dir, from->node))
        return WASI_E_INVAL;
    if (to->node && is_beneath(from->dir, to->node))
        return WASI_E_NOTEMPTY;
    if (tree_is_removed(to->dir))
        return WASI_E_NOENT;
    return to->node && to->node != from->node ? may_replace(from->node, to->node) : WASI_E_SUCCESS;
}

/* A directory knows where it is, and counts in where it is. */
static void move_directory(struct tree_node *n, struct tree_node *from, struct tree_node *to)
{
    n->parent = to;
    from->links--;
    to->links++;
}

enum wasi_errno tree_rename(struct tree *t, const struct tree_place *from,
                            const struct tree_place *to, uint64_t now_ns)
{
    struct tree_node *n = from->node;
    enum wasi_errno error = may_rename(from, to);

    if (error || to->node == n)
        return error; /* two names of one file: nothing happens */
    if (to->node) {
        entry_of(to)->node = n;
        touch(to->dir, now_ns);
    } else {
        error = name_it(t, to, n, now_ns);
        if (error)
            return error;
    }
    tree_entry_remove(t, from->dir, entry_of(from));
    touch(from->dir, now_ns);
    n->ctime_ns = now_ns;
    if (n->kind == STATE_NODE_DIRECTORY)
        move_directory(n, from->dir, to->dir);
    if (to->node)
        unname(t, to->dir, to->node, now_ns);
    return WASI_E_SUCCESS;
}
