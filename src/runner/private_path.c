/* private_path - what is done by paths in the private file tree (descriptor.h). */
#include "runner/private.h"
#include "runner/tree_io.h"

#include <string.h>

static enum wasi_errno locate(const struct host *h, const struct target *t, enum tree_end end,
                              struct tree_place *out)
{
    return tree_locate(h->fds.tree, t->dir->node, t->path, end, out);
}

/* ---- Names that come and go ---- */

enum wasi_errno private_make_directory(struct host *h, const struct target *t)
{
    struct tree_place place;
    enum wasi_errno error = locate(h, t, TREE_AS_NAME, &place);

    return error ? error : tree_make_directory(h->fds.tree, &place, host_real_ns(h));
}

enum wasi_errno private_remove(struct host *h, const struct target *t, bool directory)
{
    struct tree_place place;
    enum wasi_errno error = locate(h, t, TREE_AS_NAME, &place);

    if (error)
        return error;
    return directory ? tree_remove_directory(h->fds.tree, &place, host_real_ns(h))
                     : tree_unlink(h->fds.tree, &place, host_real_ns(h));
}

enum wasi_errno private_rename(struct host *h, const struct target *from, const struct target *to)
{
    struct tree_place a, b;
    enum wasi_errno error = locate(h, from, TREE_AS_NAME, &a);

    if (!error)
        error = locate(h, to, TREE_AS_NAME, &b);
    return error ? error : tree_rename(h->fds.tree, &a, &b, host_real_ns(h));
}

/* ---- Links ---- */

enum wasi_errno private_symlink(struct host *h, const char *text, const struct target *t)
{
    struct tree_place place;
    enum wasi_errno error = locate(h, t, TREE_AS_NAME, &place);

    return error ? error : tree_make_link(h->fds.tree, text, &place, host_real_ns(h));
}

enum wasi_errno private_link(struct host *h, const struct target *from, bool follow,
                             const struct target *to)
{
    struct tree_node *node;
    struct tree_place place;
    enum wasi_errno error = locate(h, to, TREE_AS_NAME, &place);

    if (!error)
        error = tree_find(h->fds.tree, from->dir->node, from->path, follow, &node);
    return error ? error : tree_link(h->fds.tree, node, &place, host_real_ns(h));
}

enum wasi_errno private_readlink(struct host *h, const struct target *t, char text[PATH_MAX],
                                 size_t *size)
{
    struct tree_node *node;
    enum wasi_errno error = tree_find(h->fds.tree, t->dir->node, t->path, false, &node);

    if (error)
        return error;
    if (node->kind != STATE_NODE_LINK)
        return WASI_E_INVAL;
    memcpy(text, node->target, node->target_size);
    *size = node->target_size;
    return WASI_E_SUCCESS;
}

/* ---- Attributes ---- */

enum wasi_errno private_path_stat(struct host *h, const struct target *t, bool follow,
                                  uint8_t to[FILESTAT_BYTES])
{
    struct tree_node *node;
    enum wasi_errno error = tree_find(h->fds.tree, t->dir->node, t->path, follow, &node);

    if (!error)
        private_stat_node(node, to);
    return error;
}

enum wasi_errno private_path_set_times(struct host *h, const struct target *t, bool follow,
                                       const struct timespec times[2])
{
    struct tree_node *node;
    enum wasi_errno error = tree_find(h->fds.tree, t->dir->node, t->path, follow, &node);

    if (!error)
        private_set_node_times(h, node, times);
    return error;
}

/* ---- Opening ---- */

/* A name that leads to nothing, or had better. */
static enum wasi_errno create(struct host *h, const struct open_wish *w,
                              const struct tree_place *place, struct tree_node **out)
{
    if (place->dots == TREE_NAME && place->slash)
        return WASI_E_ISDIR;
    if (place->node)
        return w->oflags & OFLAG_EXCL ? WASI_E_EXIST : WASI_E_SUCCESS;
    return tree_make_file(h->fds.tree, place, host_real_ns(h), out);
}

/* In the order in which the kernel finds fault (fs/namei.c, do_open and may_open). */
static enum wasi_errno may_open(const struct open_wish *w, const struct tree_place *place,
                                const struct tree_node *n)
{
    const bool directory = n->kind == STATE_NODE_DIRECTORY;

    if (w->oflags & OFLAG_CREAT && directory)
        return WASI_E_ISDIR;
    if ((w->oflags & OFLAG_DIRECTORY || place->slash) && !directory)
        return WASI_E_NOTDIR;
    if (n->kind == STATE_NODE_LINK)
        return WASI_E_LOOP;
    return directory && open_wants_write(w) ? WASI_E_ISDIR : WASI_E_SUCCESS;
}

static enum tree_end end_of(const struct open_wish *w, const char *path)
{
    const size_t size = strlen(path);

    if (w->oflags & OFLAG_CREAT)
        return w->follow && !(w->oflags & OFLAG_EXCL) ? TREE_CREATE : TREE_AS_IS;
    return w->follow || (size > 0 && path[size - 1] == '/') ? TREE_FOLLOW : TREE_AS_IS;
}

static enum wasi_errno find(struct host *h, const struct target *t, const struct open_wish *w,
                            struct tree_node **out)
{
    struct tree_place place;
    enum wasi_errno error = locate(h, t, end_of(w, t->path), &place);

    if (error)
        return error;
    *out = place.node;
    if (w->oflags & OFLAG_CREAT)
        error = create(h, w, &place, out);
    else if (!*out)
        error = WASI_E_NOENT;
    return error ? error : may_open(w, &place, *out);
}

enum wasi_errno private_open(struct host *h, const struct target *t, const struct open_wish *w,
                             struct fd_entry *out)
{
    struct tree_node *n;
    enum wasi_errno error = find(h, t, w, &n);
    bool directory;

    if (!error && w->oflags & OFLAG_TRUNC)
        error = tree_resize(h->fds.tree, n, 0, host_real_ns(h));
    if (error)
        return error;
    directory = n->kind == STATE_NODE_DIRECTORY;
    *out = (struct fd_entry){
        .host = h->fds.tree->arena,
        .filetype = private_filetype(n),
        .seekable = !directory,
        .sync_flags = w->fdflags & (FDFLAG_DSYNC | FDFLAG_RSYNC | FDFLAG_SYNC),
        .rights = w->rights & fds_rights_of(private_filetype(n), !directory),
        .inheriting = directory ? w->inheriting : 0,
        .kind = directory ? STATE_FD_TREE_DIRECTORY : STATE_FD_TREE_FILE,
        .node = n,
        .fdflags = (uint16_t)w->fdflags,
    };
    tree_open(n);
    return WASI_E_SUCCESS;
}
