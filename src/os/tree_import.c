#include "os/tree_import.h"

#include "os/file.h"
#include "os/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file with several names: by device and inode, what became of it. */
struct seen {
    dev_t dev;
    ino_t ino;
    uint32_t node; /* index */
};

struct importing {
    const struct tree_import *order;
    struct arena memory;
    struct bytes nodes; /* struct state_node each */
    uint32_t node_count;
    uint64_t entries, text_bytes;
    uint32_t next_page; /* of the arena */
    void *seen;         /* of tsearch */
    struct bytes path;  /* for messages: of what is being looked at */
    struct problem *p;
};

static enum tern_err refuse(struct importing *im, enum tern_err err, const char *what)
{
    struct bytes shown = {0};

    bytes_append_shown(&shown, bytes_view(&im->path));
    problem_set(im->p, err, "cannot give %s to the program: %s",
                bytes_text(&shown) ? bytes_text(&shown) : "?", what);
    bytes_release(&shown);
    return err;
}

static enum tern_err refuse_errno(struct importing *im, ssize_t result)
{
    return refuse(im, file_error(result), strerror((int)-result));
}

static enum tern_err no_memory(struct importing *im)
{
    return refuse(im, TERN_ENOMEM, "out of memory");
}

static void go_into(struct importing *im, const char *name)
{
    bytes_append_byte(&im->path, '/');
    bytes_append_text(&im->path, name);
}

static struct state_node *node_at(struct importing *im, uint32_t index)
{
    return (struct state_node *)(void *)(im->nodes.data + index * sizeof(struct state_node));
}

/* ---- Inodes ---- */

static uint64_t nanoseconds(const struct timespec *t)
{
    return t->tv_sec < 0 ? 0 : (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

static enum tern_err add_node(struct importing *im, uint8_t kind, const struct stat *st,
                              uint32_t *index)
{
    const uint64_t time_ns = nanoseconds(&st->st_mtim);
    const struct state_node n = {
        .number = TREE_ROOT + im->node_count,
        .kind = kind,
        .links = kind == STATE_NODE_DIRECTORY ? 2 : 1,
        .atime_ns = time_ns,
        .mtime_ns = time_ns,
        .ctime_ns = time_ns,
        .next_cookie = kind == STATE_NODE_DIRECTORY ? TREE_COOKIE_FIRST : 0,
    };

    if (im->node_count == TREE_NODES_MAX)
        return refuse(im, TERN_ETOOBIG, "the folder has more than a million files");
    bytes_append(&im->nodes, &n, sizeof n);
    *index = im->node_count++;
    return bytes_ok(&im->nodes) ? TERN_OK : no_memory(im);
}

static int compare_seen(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;

    if (x->dev != y->dev)
        return x->dev < y->dev ? -1 : 1;
    return (x->ino > y->ino) - (x->ino < y->ino);
}

/* Where it is, if it was met before by another name; else *fresh, to be filled in. */
static struct seen *seen_before(struct importing *im, const struct stat *st, bool *fresh)
{
    struct seen *s = arena_new(&im->memory, 1, sizeof *s);
    struct seen **at;

    if (!s)
        return NULL;
    *s = (struct seen){st->st_dev, st->st_ino, 0};
    at = tsearch(s, &im->seen, compare_seen);
    if (!at)
        return NULL;
    *fresh = *at == s;
    return *at;
}

static void keep(void *seen)
{
    (void)seen; /* in the arena */
}

/* ---- Contents ---- */

struct contents {
    int fd;
    uint64_t size;
    struct bytes runs; /* struct state_run each */
};

/* So many pages, of which the last may be the end of the file. */
static enum tern_err add_run(struct importing *im, struct contents *c, uint64_t page,
                             uint64_t count)
{
    const uint64_t from = page * TREE_PAGE_BYTES;
    const uint64_t rest = c->size - from, all = count * TREE_PAGE_BYTES;
    const struct state_run run = {(uint32_t)page, (uint32_t)count, im->next_page};
    enum tern_err err;

    if (count > im->order->pages_max - (im->next_page - 1))
        return refuse(im, TERN_ETOOBIG,
                      "the folder takes more than the program's files may; raise --files-size");
    err = file_copy(c->fd, from, im->order->arena, (uint64_t)run.arena * TREE_PAGE_BYTES,
                    rest < all ? rest : all);
    if (err)
        return refuse(im, err,
                      err == TERN_EIO ? "it cannot be read, or has become shorter, or the "
                                        "disk for temporary files is full (TMPDIR)"
                                      : tern_err_text(err));
    bytes_append(&c->runs, &run, sizeof run);
    im->next_page += (uint32_t)count;
    return bytes_ok(&c->runs) ? TERN_OK : no_memory(im);
}

/* Where the next bytes that are no hole begin and end; false: there are none. */
static bool next_data(const struct contents *c, uint64_t *from, uint64_t *to)
{
    const off_t data = sys_lseek(c->fd, (off_t)*from, SEEK_DATA);
    off_t hole;

    *to = c->size;
    if (data == -ENXIO)
        return false;
    if (data < 0)
        return true; /* a file system that knows nothing of holes */
    hole = sys_lseek(c->fd, data, SEEK_HOLE);
    *from = (uint64_t)data;
    if (hole > data && (uint64_t)hole < c->size)
        *to = (uint64_t)hole;
    return *from < c->size;
}

static enum tern_err copy_contents(struct importing *im, struct contents *c)
{
    enum tern_err err = TERN_OK;
    uint64_t at = 0, end;

    while (!err && at < c->size && next_data(c, &at, &end)) {
        const uint64_t page = at / TREE_PAGE_BYTES;
        const uint64_t behind = state_tree_pages(end);

        err = add_run(im, c, page, behind - page);
        at = behind * TREE_PAGE_BYTES;
    }
    return err;
}

static enum tern_err take_contents(struct importing *im, uint32_t index, struct contents *c)
{
    struct state_node *n = node_at(im, index);
    enum tern_err err = copy_contents(im, c);

    if (err)
        return err;
    n->size = c->size;
    n->run_count = (uint32_t)(c->runs.size / sizeof(struct state_run));
    n->runs = arena_new(&im->memory, n->run_count, sizeof *n->runs);
    if (!n->runs)
        return no_memory(im);
    if (c->runs.size)
        memcpy(n->runs, c->runs.data, c->runs.size);
    return TERN_OK;
}

static enum tern_err take_file(struct importing *im, int dir, const char *name, uint32_t index)
{
    struct contents c = {.fd = sys_openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0)};
    struct stat st;
    enum tern_err err;
    int result;

    if (c.fd < 0)
        return refuse_errno(im, c.fd);
    result = sys_fstat(c.fd, &st);
    if (result < 0)
        err = refuse_errno(im, result);
    else if (!S_ISREG(st.st_mode))
        err = refuse(im, TERN_EIO, "it was replaced while it was being read");
    else if ((uint64_t)st.st_size > TREE_FILE_BYTES_MAX)
        err = refuse(im, TERN_ETOOBIG, "it is larger than a file may be");
    else {
        c.size = (uint64_t)st.st_size;
        err = take_contents(im, index, &c);
    }
    bytes_release(&c.runs);
    sys_close(c.fd);
    return err;
}

static enum tern_err take_link(struct importing *im, int dir, const char *name, uint32_t index)
{
    char *target = arena_new(&im->memory, TREE_TARGET_BYTES_MAX + 1, 1);
    ssize_t size;

    if (!target)
        return no_memory(im);
    size = readlinkat(dir, name, target, TREE_TARGET_BYTES_MAX + 1);
    if (size < 0)
        return refuse_errno(im, -errno);
    if (size == 0 || size > TREE_TARGET_BYTES_MAX)
        return refuse(im, TERN_ETOOBIG, "it leads nowhere that can be told");
    node_at(im, index)->target = view_of(target, (size_t)size);
    im->text_bytes += (size_t)size;
    return TERN_OK;
}

/* ---- Folders ---- */

static enum tern_err take_folder(struct importing *im, int fd, uint32_t index, int depth);

static enum tern_err descend(struct importing *im, int dir, const char *name, uint32_t index,
                             int depth)
{
    const int fd = sys_openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    if (fd < 0)
        return refuse_errno(im, fd);
    return take_folder(im, fd, index, depth + 1);
}

static enum tern_err take_new(struct importing *im, int dir, const char *name,
                              const struct stat *st, uint32_t *index, int depth)
{
    const uint8_t kind = S_ISDIR(st->st_mode)   ? STATE_NODE_DIRECTORY
                         : S_ISLNK(st->st_mode) ? STATE_NODE_LINK
                                                : STATE_NODE_FILE;
    enum tern_err err = add_node(im, kind, st, index);

    if (err)
        return err;
    switch (kind) {
    case STATE_NODE_DIRECTORY: return descend(im, dir, name, *index, depth);
    case STATE_NODE_LINK: return take_link(im, dir, name, *index);
    default: return take_file(im, dir, name, *index);
    }
}

static enum tern_err take_known(struct importing *im, int dir, const char *name,
                                const struct stat *st, uint32_t *index, int depth)
{
    bool fresh = false;
    struct seen *s = seen_before(im, st, &fresh);
    enum tern_err err = TERN_OK;

    if (!s)
        return no_memory(im);
    if (fresh) {
        err = take_new(im, dir, name, st, index, depth);
        s->node = *index;
    } else {
        *index = s->node;
        node_at(im, *index)->links++;
    }
    return err;
}

static void leave_out(struct importing *im)
{
    struct bytes text = {0};

    bytes_append_shown(&text, bytes_view(&im->path));
    bytes_append_text(&text, " is neither file nor folder nor link: the program does not get it");
    if (im->order->warn && bytes_text(&text))
        im->order->warn(bytes_text(&text));
    bytes_release(&text);
}

/* *index: UINT32_MAX if it is left out. */
static enum tern_err take_name(struct importing *im, int dir, const char *name, uint32_t *index,
                               int depth)
{
    struct stat st;

    *index = UINT32_MAX;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return refuse_errno(im, -errno);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode)) {
        leave_out(im);
        return TERN_OK;
    }
    if (st.st_nlink > 1 && !S_ISDIR(st.st_mode))
        return take_known(im, dir, name, &st, index, depth);
    return take_new(im, dir, name, &st, index, depth);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All names, in order; in the arena. */
static enum tern_err list_names(struct importing *im, DIR *d, char ***out, uint32_t *count)
{
    struct bytes list = {0};
    struct dirent *e;
    enum tern_err err = TERN_OK;

    while (!err && (errno = 0, e = readdir(d))) {
        const size_t size = strlen(e->d_name) + 1;
        char *name;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        name = arena_new(&im->memory, size, 1);
        if (!name) {
            err = no_memory(im);
            break;
        }
        memcpy(name, e->d_name, size);
        bytes_append(&list, &name, sizeof name);
    }
    if (!err && errno)
        err = refuse_errno(im, -errno);
    *count = (uint32_t)(list.size / sizeof(char *));
    *out = arena_new(&im->memory, *count, sizeof(char *));
    if (!err && (!bytes_ok(&list) || !*out))
        err = no_memory(im);
    if (!err && list.size) {
        memcpy(*out, list.data, list.size);
        qsort(*out, *count, sizeof(char *), compare_names);
    }
    bytes_release(&list);
    return err;
}

static enum tern_err add_entry(struct importing *im, uint32_t folder, uint32_t index,
                               const char *name)
{
    struct state_node *n = node_at(im, folder);

    n->entries[n->entry_count++] = (struct state_entry){
        .cookie = n->next_cookie++,
        .inode = node_at(im, index)->number,
        .name = view_of_string(name),
    };
    n->links += node_at(im, index)->kind == STATE_NODE_DIRECTORY;
    im->text_bytes += strlen(name);
    im->entries++;
    if (im->entries > TREE_ENTRIES_MAX || im->text_bytes > TREE_TEXT_BYTES_MAX)
        return refuse(im, TERN_ETOOBIG, "the folder has more names than the program's files may");
    return TERN_OK;
}

static enum tern_err take_names(struct importing *im, DIR *d, uint32_t index, int depth)
{
    const size_t before = im->path.size;
    char **names;
    uint32_t count;
    enum tern_err err = list_names(im, d, &names, &count);

    if (err)
        return err;
    node_at(im, index)->entries = arena_new(&im->memory, count, sizeof(struct state_entry));
    if (!node_at(im, index)->entries)
        return no_memory(im);
    for (uint32_t i = 0; i < count && !err; i++) {
        uint32_t child;

        go_into(im, names[i]);
        err = take_name(im, dirfd(d), names[i], &child, depth);
        if (!err && child != UINT32_MAX)
            err = add_entry(im, index, child, names[i]);
        im->path.size = before;
    }
    return err;
}

/* Takes fd. */
static enum tern_err take_folder(struct importing *im, int fd, uint32_t index, int depth)
{
    DIR *d = fdopendir(fd);
    enum tern_err err;

    if (!d) {
        sys_close(fd);
        return no_memory(im);
    }
    if (depth > TREE_IMPORT_DEPTH_MAX)
        err = refuse(im, TERN_ETOOBIG, "it lies too deep");
    else
        err = take_names(im, d, index, depth);
    closedir(d);
    return err;
}

/* ---- All together ---- */

static enum tern_err take_root(struct importing *im)
{
    const int fd = sys_open(im->order->folder, O_RDONLY | O_DIRECTORY, 0);
    struct stat st;
    uint32_t root;
    enum tern_err err;

    if (fd < 0)
        return refuse_errno(im, fd);
    if (sys_fstat(fd, &st) < 0 || add_node(im, STATE_NODE_DIRECTORY, &st, &root)) {
        sys_close(fd);
        return no_memory(im);
    }
    err = take_folder(im, fd, root, 0);
    /* The last page is a whole one, too. */
    if (!err && sys_ftruncate(im->order->arena, (off_t)im->next_page * TREE_PAGE_BYTES) < 0)
        err = refuse(im, TERN_EIO, "the disk for temporary files is full (TMPDIR)");
    return err;
}

enum tern_err tree_import(const struct tree_import *order, struct bytes *out, struct problem *p)
{
    struct importing im = {.order = order, .next_page = 1, .p = p};
    enum tern_err err;

    bytes_append_text(&im.path, order->folder);
    err = take_root(&im);
    if (!err) {
        const struct state_tree tree = {.next_number = TREE_ROOT + (uint64_t)im.node_count,
                                        .nodes = node_at(&im, 0),
                                        .node_count = im.node_count};

        err = state_tree_encode(&tree, out);
        if (err)
            no_memory(&im);
    }
    tdestroy(im.seen, keep);
    bytes_release(&im.nodes);
    bytes_release(&im.path);
    arena_release(&im.memory);
    return err;
}
