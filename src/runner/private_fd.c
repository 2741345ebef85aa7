/* private_fd - what is done with a descriptor of the private file tree (descriptor.h). */
#include "runner/private.h"
#include "runner/tree_io.h"

#include <stdio.h>
#include <string.h>

enum { DIRECTORY_BYTES = 4096, COOKIE_DOT = 1, COOKIE_DOTS = 2 };

/* Of the tree, for the program to tell it from the directories that are lent. */
#define DEVICE UINT64_C(0x7465726e)

uint8_t private_filetype(const struct tree_node *n)
{
    switch (n->kind) {
    case STATE_NODE_DIRECTORY: return FILETYPE_DIRECTORY;
    case STATE_NODE_LINK: return FILETYPE_SYMBOLIC_LINK;
    default: return FILETYPE_REGULAR_FILE;
    }
}

enum wasi_errno private_close(struct fds *fds, struct fd_entry *e)
{
    tree_close(fds->tree, e->node);
    return WASI_E_SUCCESS;
}

enum wasi_errno private_get_flags(const struct fd_entry *e, uint16_t *fdflags)
{
    *fdflags = e->fdflags;
    return WASI_E_SUCCESS;
}

enum wasi_errno private_set_flags(struct fd_entry *e, uint32_t fdflags)
{
    e->fdflags = (uint16_t)fdflags;
    return WASI_E_SUCCESS;
}

/* ---- Attributes ---- */

static uint64_t size_of(const struct tree_node *n)
{
    switch (n->kind) {
    case STATE_NODE_DIRECTORY: return DIRECTORY_BYTES;
    case STATE_NODE_LINK: return n->target_size;
    default: return n->size;
    }
}

void private_stat_node(const struct tree_node *n, uint8_t to[FILESTAT_BYTES])
{
    memset(to, 0, FILESTAT_BYTES);
    guest_store64(to, DEVICE);
    guest_store64(to + 8, n->number);
    to[16] = private_filetype(n);
    guest_store64(to + 24, n->links);
    guest_store64(to + 32, size_of(n));
    guest_store64(to + 40, n->atime_ns);
    guest_store64(to + 48, n->mtime_ns);
    guest_store64(to + 56, n->ctime_ns);
}

enum wasi_errno private_stat(const struct fd_entry *e, uint8_t to[FILESTAT_BYTES])
{
    private_stat_node(e->node, to);
    return WASI_E_SUCCESS;
}

static void set_time(uint64_t *to, const struct timespec *t, uint64_t now_ns)
{
    if (t->tv_nsec == UTIME_NOW)
        *to = now_ns;
    else if (t->tv_nsec != UTIME_OMIT)
        *to = (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

void private_set_node_times(const struct host *h, struct tree_node *n,
                            const struct timespec times[2])
{
    const uint64_t now_ns = host_real_ns(h);

    set_time(&n->atime_ns, &times[0], now_ns);
    set_time(&n->mtime_ns, &times[1], now_ns);
    n->ctime_ns = now_ns;
}

enum wasi_errno private_set_times(struct host *h, struct fd_entry *e,
                                  const struct timespec times[2])
{
    private_set_node_times(h, e->node, times);
    return WASI_E_SUCCESS;
}

enum wasi_errno private_set_size(struct host *h, struct fd_entry *e, uint64_t size)
{
    return tree_resize(h->fds.tree, e->node, size, host_real_ns(h));
}

enum wasi_errno private_allocate(struct host *h, struct fd_entry *e, uint64_t offset, uint64_t size)
{
    return tree_allocate(h->fds.tree, e->node, offset, size, host_real_ns(h));
}

enum wasi_errno private_advise(const struct fd_entry *e, off_t offset, off_t size, int advice)
{
    (void)e;
    (void)offset;
    (void)size;
    (void)advice;
    return WASI_E_SUCCESS;
}

/* Becomes durable with the next checkpoint, like all that the program has. */
enum wasi_errno private_sync(const struct fd_entry *e, bool data_only)
{
    (void)e;
    (void)data_only;
    return WASI_E_SUCCESS;
}

/* ---- Contents ---- */

enum wasi_errno private_read(struct host *h, struct fd_entry *e, const struct vectors *v,
                             off_t offset, uint64_t *done)
{
    const bool here = offset == DESCRIPTOR_PLACE;
    enum wasi_errno error =
        tree_read(h->fds.tree, e->node, v, here ? e->offset : (uint64_t)offset, done);

    if (!error && here)
        e->offset += *done;
    return error;
}

/* As Linux has it: what is opened for appending appends, whatever offset is given. */
enum wasi_errno private_write(struct host *h, struct fd_entry *e, const struct vectors *v,
                              off_t offset, uint64_t *done)
{
    const bool here = offset == DESCRIPTOR_PLACE;
    uint64_t at = here ? e->offset : (uint64_t)offset;
    enum wasi_errno error;

    if (e->fdflags & FDFLAG_APPEND)
        at = e->node->size;
    error = tree_write(h->fds.tree, e->node, v, at, host_real_ns(h), done);
    if (!error && here && v->bytes)
        e->offset = at + *done;
    return error;
}

enum wasi_errno private_seek(struct fd_entry *e, int64_t by, int whence, uint64_t *at)
{
    const uint64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? e->offset : e->node->size;
    int64_t sum;

    if (__builtin_add_overflow((int64_t)from, by, &sum) || sum < 0 ||
        (uint64_t)sum > TREE_FILE_BYTES_MAX)
        return WASI_E_INVAL;
    e->offset = *at = (uint64_t)sum;
    return WASI_E_SUCCESS;
}

uint64_t private_readable_bytes(const struct fd_entry *e)
{
    return e->node->size > e->offset ? e->node->size - e->offset : 0;
}

/* ---- Directories ---- */

/* Every directory is a root of its own, as with those of the kernel: its '..' is itself. */
static bool put_dots(const struct tree_node *n, uint64_t behind, struct filling *f)
{
    static const char *const names[] = {[COOKIE_DOT] = ".", [COOKIE_DOTS] = ".."};

    for (uint64_t cookie = behind + 1; cookie <= COOKIE_DOTS; cookie++) {
        const struct filling_entry entry = {
            .cookie = cookie,
            .inode = n->number,
            .filetype = FILETYPE_DIRECTORY,
            .name = names[cookie],
            .size = (uint32_t)strlen(names[cookie]),
        };

        if (!filling_put(f, &entry))
            return false;
    }
    return true;
}

enum wasi_errno private_read_directory(const struct fd_entry *e, uint64_t cookie, struct filling *f)
{
    const struct tree_node *n = e->node;

    if (tree_is_removed(n))
        return WASI_E_NOENT;
    if (!put_dots(n, cookie, f))
        return WASI_E_SUCCESS;
    for (uint32_t i = tree_entry_behind(n, cookie); i < n->entry_count && f->left > 0; i++) {
        const struct tree_entry *from = n->by_cookie[i];
        const struct filling_entry entry = {
            .cookie = from->cookie,
            .inode = from->node->number,
            .filetype = private_filetype(from->node),
            .name = from->name,
            .size = from->size,
        };

        if (!filling_put(f, &entry))
            break;
    }
    return WASI_E_SUCCESS;
}
