#include "os/tree_out.h"

#include "os/file.h"
#include "os/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINKS_MAX = 40, FILE_MODE = 0666, FOLDER_MODE = 0777 };

/* ---- Finding ---- */

struct finding {
    const struct state_tree *t;
    const struct state_node *way[PATH_MAX]; /* from the root down */
    size_t depth;                           /* way[depth] is where it is */
    int links;
    struct bytes rest; /* still to go */
};

static const struct state_node *child_of(const struct finding *f, struct view name)
{
    const struct state_node *dir = f->way[f->depth];

    for (uint32_t i = 0; i < dir->entry_count; i++) {
        if (view_equal(dir->entries[i].name, name))
            return state_tree_find(f->t, dir->entries[i].inode);
    }
    return NULL;
}

static bool follow(struct finding *f, const struct state_node *link)
{
    struct bytes rest = {.limit = 2 * PATH_MAX};

    if (++f->links > LINKS_MAX)
        return false;
    if (link->target.data[0] == '/')
        f->depth = 0;
    bytes_append(&rest, link->target.data, link->target.size);
    bytes_append_byte(&rest, '/');
    bytes_append(&rest, f->rest.data, f->rest.size);
    bytes_release(&f->rest);
    f->rest = rest;
    return bytes_ok(&rest);
}

static bool step(struct finding *f, struct view name)
{
    const struct state_node *n;

    if (name.size == 0 || view_equal(name, view_of_string(".")))
        return true;
    if (view_equal(name, view_of_string(".."))) {
        f->depth -= f->depth > 0;
        return true;
    }
    n = child_of(f, name);
    if (!n)
        return false;
    if (n->kind == STATE_NODE_LINK)
        return follow(f, n);
    if (f->depth + 1 == PATH_MAX)
        return false;
    f->way[++f->depth] = n;
    return true;
}

/* Takes the next component off the rest. */
static struct view take_component(struct finding *f, char name[NAME_MAX + 1])
{
    const uint8_t *slash = memchr(f->rest.data, '/', f->rest.size);
    const size_t size = slash ? (size_t)(slash - f->rest.data) : f->rest.size;
    const size_t taken = size + (slash != NULL);

    memcpy(name, f->rest.data, size <= NAME_MAX ? size : 0);
    memmove(f->rest.data, f->rest.data + taken, f->rest.size - taken);
    f->rest.size -= taken;
    return view_of(name, size <= NAME_MAX ? size : NAME_MAX + 1);
}

const struct state_node *tree_out_find(const struct state_tree *t, const char *path)
{
    struct finding *f = calloc(1, sizeof *f);
    const struct state_node *found = NULL;
    char name[NAME_MAX + 1];
    bool fine = f;

    if (!f)
        return NULL;
    f->t = t;
    f->way[0] = &t->nodes[0];
    bytes_append_text(&f->rest, path);
    fine = bytes_ok(&f->rest);
    while (fine && f->rest.size > 0) {
        const struct view part = take_component(f, name);

        fine = part.size <= NAME_MAX && step(f, part);
    }
    if (fine)
        found = f->way[f->depth];
    bytes_release(&f->rest);
    free(f);
    return found;
}

/* ---- Writing ---- */

struct writing {
    const struct state_tree *t;
    int arena;
    char temporary[PATH_MAX];
    mode_t mask;
};

static enum tern_err write_contents(const struct writing *w, const struct state_node *n, int fd)
{
    enum tern_err err = file_error(sys_ftruncate(fd, (off_t)n->size));

    for (uint32_t i = 0; i < n->run_count && !err; i++) {
        const struct state_run *r = &n->runs[i];
        const uint64_t at = (uint64_t)r->page * TREE_PAGE_BYTES;
        const uint64_t all = (uint64_t)r->count * TREE_PAGE_BYTES, rest = n->size - at;

        err = file_copy(w->arena, (uint64_t)r->arena * TREE_PAGE_BYTES, fd, at,
                        rest < all ? rest : all);
    }
    return err ? err : file_error(sys_fsync(fd));
}

static enum tern_err write_folder(const struct writing *w, const struct state_node *n, int dir,
                                  int depth);

static enum tern_err write_file_in(const struct writing *w, const struct state_node *n, int dir,
                                   const char *name)
{
    const int fd = sys_openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, FILE_MODE);
    enum tern_err err = fd < 0 ? file_error(fd) : write_contents(w, n, fd);

    sys_close(fd);
    return err;
}

static enum tern_err write_folder_in(const struct writing *w, const struct state_node *n, int dir,
                                     const char *name, int depth)
{
    const int made = sys_mkdirat(dir, name, FOLDER_MODE);
    const int fd = made < 0 ? made : sys_openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    enum tern_err err = fd < 0 ? file_error(fd) : write_folder(w, n, fd, depth + 1);

    sys_close(fd);
    return err;
}

static enum tern_err write_entry(const struct writing *w, const struct state_entry *e, int dir,
                                 int depth)
{
    const struct state_node *n = state_tree_find(w->t, e->inode);
    char name[TREE_NAME_BYTES_MAX + 1] = "", target[TREE_TARGET_BYTES_MAX + 1] = "";

    memcpy(name, e->name.data, e->name.size);
    if (n->kind == STATE_NODE_FILE)
        return write_file_in(w, n, dir, name);
    if (n->kind == STATE_NODE_DIRECTORY)
        return write_folder_in(w, n, dir, name, depth);
    memcpy(target, n->target.data, n->target.size);
    return file_error(sys_symlinkat(target, dir, name));
}

static enum tern_err write_folder(const struct writing *w, const struct state_node *n, int dir,
                                  int depth)
{
    enum tern_err err = depth > TREE_OUT_DEPTH_MAX ? TERN_ETOOBIG : TERN_OK;

    for (uint32_t i = 0; i < n->entry_count && !err; i++)
        err = write_entry(w, &n->entries[i], dir, depth);
    return err ? err : file_error(sys_fsync(dir));
}

/* ---- The place ---- */

/* Of `path`, without what is behind its last '/'. */
static void parent_of(const char *path, char out[PATH_MAX])
{
    char copy[PATH_MAX];

    snprintf(copy, sizeof copy, "%s", path);
    snprintf(out, PATH_MAX, "%s", dirname(copy));
}

static bool is_empty_folder(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    bool empty = true;

    if (!d)
        return true; /* renaming says what it is */
    while ((e = readdir(d)))
        empty &= strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    closedir(d);
    return empty;
}

enum tern_err tree_out_check(const struct tree_out *o, struct problem *p)
{
    char parent[PATH_MAX];
    struct stat st;

    if (strlen(o->host) + sizeof ".tern-XXXXXX" >= PATH_MAX)
        return problem_set(p, TERN_ETOOBIG, "the path for the output %s is too long", o->path);
    parent_of(o->host, parent);
    if (sys_stat(parent, &st) < 0 || !S_ISDIR(st.st_mode) || access(parent, W_OK | X_OK) != 0)
        return problem_set(p, TERN_EACCES,
                           "the output %s cannot be put at %s: %s is no folder that can be written",
                           o->path, o->host, parent);
    if (sys_stat(o->host, &st) == 0 && S_ISDIR(st.st_mode) && !is_empty_folder(o->host))
        return problem_set(
            p, TERN_EEXIST,
            "the output %s cannot be put at %s: a folder is there that is not empty; "
            "name another place, or remove it",
            o->path, o->host);
    return TERN_OK;
}

static int make_file(struct writing *w, const struct state_node *n, enum tern_err *err)
{
    const int fd = mkostemp(w->temporary, O_CLOEXEC);

    if (fd < 0)
        return -errno;
    *err = write_contents(w, n, fd);
    (void)fchmod(fd, FILE_MODE & ~w->mask);
    sys_close(fd);
    return 0;
}

static int make_folder(struct writing *w, const struct state_node *n, enum tern_err *err)
{
    int fd;

    if (!mkdtemp(w->temporary))
        return -errno;
    fd = sys_open(w->temporary, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0)
        return fd;
    *err = write_folder(w, n, fd, 0);
    (void)fchmod(fd, FOLDER_MODE & ~w->mask);
    sys_close(fd);
    return 0;
}

static void remove_temporary(const struct writing *w)
{
    if (sys_unlinkat(AT_FDCWD, w->temporary, 0) < 0)
        file_remove_tree(w->temporary);
}

static enum tern_err move_into_place(const struct writing *w, const struct tree_out *o,
                                     struct problem *p)
{
    const int result = sys_renameat(AT_FDCWD, w->temporary, o->host);
    char parent[PATH_MAX];
    int dir;

    if (result < 0)
        return problem_set(p, file_error(result),
                           "the output %s cannot be put at %s: %s; it is kept as %s", o->path,
                           o->host, strerror(-result), w->temporary);
    parent_of(o->host, parent);
    dir = sys_open(parent, O_RDONLY | O_DIRECTORY, 0);
    if (dir >= 0)
        sys_fsync(dir);
    sys_close(dir);
    return TERN_OK;
}

enum tern_err tree_out_write(const struct state_tree *t, int arena, const struct tree_out *o,
                             struct problem *p)
{
    const struct state_node *n = tree_out_find(t, o->path);
    struct writing w = {.t = t, .arena = arena, .mask = umask(0)};
    enum tern_err err = TERN_OK;
    int result;

    umask(w.mask);
    if (!n)
        return problem_set(p, TERN_ENOENT, "the program left no %s, which --out names", o->path);
    snprintf(w.temporary, sizeof w.temporary, "%s.tern-XXXXXX", o->host);
    if (n->kind == STATE_NODE_FILE)
        result = make_file(&w, n, &err);
    else
        result = make_folder(&w, n, &err);
    if (result < 0)
        return problem_set(p, file_error(result), "the output %s cannot be put at %s: %s", o->path,
                           o->host, strerror(-result));
    if (err) {
        remove_temporary(&w);
        return problem_set(p, err, "the output %s cannot be written to %s: %s", o->path, o->host,
                           err == TERN_EIO ? "the disk is full, or fails" : tern_err_text(err));
    }
    return move_into_place(&w, o, p);
}
