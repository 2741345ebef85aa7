#include "runner/fds.h"

#include "runner/descriptor.h"
#include "runner/tree.h"
#include "runner/wasi_errno.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

void fds_init(struct fds *fds)
{
    for (uint32_t i = 0; i < FDS_MAX; i++)
        fds->entry[i].host = -1;
    fds->plug = -1;
}

enum wasi_filetype fds_filetype(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG: return FILETYPE_REGULAR_FILE;
    case S_IFDIR: return FILETYPE_DIRECTORY;
    case S_IFCHR: return FILETYPE_CHARACTER_DEVICE;
    case S_IFBLK: return FILETYPE_BLOCK_DEVICE;
    case S_IFLNK: return FILETYPE_SYMBOLIC_LINK;
    case S_IFSOCK: return FILETYPE_SOCKET_STREAM;
    default: return FILETYPE_UNKNOWN; /* pipes: WASI has no word for them */
    }
}

uint64_t fds_rights_of(enum wasi_filetype type, bool seekable)
{
    const uint64_t seek = seekable ? RIGHT_FD_SEEK | RIGHT_FD_TELL : 0;

    switch (type) {
    case FILETYPE_REGULAR_FILE:
    case FILETYPE_BLOCK_DEVICE: return RIGHTS_FILE;
    case FILETYPE_DIRECTORY: return RIGHTS_DIR;
    case FILETYPE_SOCKET_DGRAM:
    case FILETYPE_SOCKET_STREAM: return RIGHTS_SOCKET;
    case FILETYPE_UNKNOWN:
    case FILETYPE_CHARACTER_DEVICE:
    case FILETYPE_SYMBOLIC_LINK: break;
    }
    /* A program takes what is a character device and cannot be sought for a terminal. */
    return RIGHTS_STREAM | seek;
}

static enum wasi_filetype socket_type(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM)
        return FILETYPE_SOCKET_DGRAM;
    return FILETYPE_SOCKET_STREAM;
}

uint64_t fds_standard_rights(enum wasi_filetype type, bool seekable, int flags)
{
    uint64_t rights = fds_rights_of(type, seekable);

    if (type == FILETYPE_DIRECTORY)
        return RIGHT_FD_FILESTAT_GET; /* `< DIR` is no way to lend a directory */
    if ((flags & O_ACCMODE) == O_RDONLY)
        rights &= ~(RIGHT_FD_WRITE | RIGHT_FD_ALLOCATE | RIGHT_FD_FILESTAT_SET_SIZE);
    if ((flags & O_ACCMODE) == O_WRONLY)
        rights &= ~RIGHT_FD_READ;
    return rights;
}

void fds_add_standard(struct fds *fds, int fd, bool ends_by_pipe)
{
    struct fd_entry *e = &fds->entry[fd];
    int flags = fcntl(fd, F_GETFL);
    struct stat st;

    if (flags < 0 || fstat(fd, &st) < 0)
        return;
    e->host = fd;
    e->serial = ++fds->opened;
    e->filetype = (uint8_t)fds_filetype(st.st_mode);
    if (S_ISSOCK(st.st_mode))
        e->filetype = (uint8_t)socket_type(fd);
    e->seekable = lseek(fd, 0, SEEK_CUR) >= 0;
    e->standard_output = fd != STDIN_FILENO && ends_by_pipe;
    e->rights = fds_standard_rights(e->filetype, e->seekable, flags);
    e->kind = STATE_FD_STANDARD;
    e->source = (uint32_t)fd;
}

struct fd_entry fds_preopened(const struct fds *fds, uint32_t i, struct view guest_path,
                              bool read_only)
{
    return (struct fd_entry){
        .host = fds->root[i],
        .filetype = FILETYPE_DIRECTORY,
        .read_only = read_only,
        .rights = RIGHTS_DIR,
        .inheriting = RIGHTS_DIR | RIGHTS_FILE,
        .guest_path = guest_path,
        .kind = STATE_FD_PREOPENED,
        .source = i,
    };
}

/* From 3 on, where a program looks for them, whichever of 0, 1, 2 are open. */
static void add_lent(struct fds *fds, const struct fd_entry *e)
{
    uint32_t fd = 3;

    while (fds->entry[fd].host >= 0)
        fd++;
    fds->entry[fd] = *e;
    fds->entry[fd].serial = ++fds->opened;
}

void fds_add_preopened(struct fds *fds, int host, struct view guest_path, bool read_only)
{
    const uint32_t i = fds->root_count++;
    struct fd_entry e;

    fds->root[i] = host;
    e = fds_preopened(fds, i, guest_path, read_only);
    add_lent(fds, &e);
}

struct fd_entry fds_tree_root(const struct fds *fds)
{
    return (struct fd_entry){
        .host = fds->tree->arena,
        .filetype = FILETYPE_DIRECTORY,
        .rights = RIGHTS_DIR,
        .inheriting = RIGHTS_DIR | RIGHTS_FILE,
        .guest_path = view_of_string("/"),
        .kind = STATE_FD_TREE,
        .node = fds->tree->first,
    };
}

void fds_add_tree(struct fds *fds, struct tree *tree)
{
    struct fd_entry e;

    fds->tree = tree;
    e = fds_tree_root(fds);
    tree_open(e.node);
    add_lent(fds, &e);
}

enum wasi_errno fds_get(struct fds *fds, uint32_t fd, uint64_t rights, struct fd_entry **out)
{
    if (fd >= FDS_MAX || fds->entry[fd].host < 0)
        return WASI_E_BADF;
    *out = &fds->entry[fd];
    return ((*out)->rights & rights) == rights ? WASI_E_SUCCESS : WASI_E_NOTCAPABLE;
}

enum wasi_errno fds_get_file(struct fds *fds, uint32_t fd, uint64_t rights, struct fd_entry **out)
{
    enum wasi_errno e = fds_get(fds, fd, rights, out);

    if (e != WASI_E_BADF && (*out)->filetype == FILETYPE_DIRECTORY)
        return WASI_E_BADF;
    return e;
}

enum wasi_errno fds_get_dir(struct fds *fds, uint32_t fd, uint64_t rights, struct fd_entry **out)
{
    enum wasi_errno e = fds_get(fds, fd, rights, out);

    if (e != WASI_E_BADF && (*out)->filetype != FILETYPE_DIRECTORY)
        return WASI_E_NOTDIR;
    return e;
}

static uint32_t first_free(const struct fds *fds)
{
    uint32_t i = 0;

    while (i < FDS_MAX && fds->entry[i].host >= 0)
        i++;
    return i;
}

bool fds_has_room(const struct fds *fds)
{
    return first_free(fds) < FDS_MAX;
}

enum wasi_errno fds_add_take(struct fds *fds, const struct fd_entry *e, uint32_t *fd)
{
    uint32_t i = first_free(fds);

    if (i == FDS_MAX)
        return WASI_E_MFILE;
    fds->entry[i] = *e;
    fds->entry[i].serial = ++fds->opened;
    *fd = i;
    return WASI_E_SUCCESS;
}

void fds_plug(const struct fds *fds, int fd)
{
    if (fds->plug >= 0)
        dup3(fds->plug, fd, O_CLOEXEC);
}

enum wasi_errno kernel_close(struct fds *fds, struct fd_entry *e)
{
    int result = 0;

    if (e->host <= STDERR_FILENO)
        fds_plug(fds, e->host);
    else if (e->kind != STATE_FD_PREOPENED)
        result = close(e->host);
    return result < 0 && errno != EINTR ? wasi_errno_from(errno) : WASI_E_SUCCESS;
}

static enum wasi_errno release(struct fds *fds, struct fd_entry *e)
{
    enum wasi_errno error = descriptor_ops(e)->close(fds, e);

    free(e->path);
    *e = (struct fd_entry){.host = -1};
    return error;
}

enum wasi_errno fds_close(struct fds *fds, uint32_t fd)
{
    struct fd_entry *e;
    enum wasi_errno error = fds_get(fds, fd, 0, &e);

    return error ? error : release(fds, e);
}

enum wasi_errno fds_renumber(struct fds *fds, uint32_t from, uint32_t to)
{
    struct fd_entry *f, *t;

    if (fds_get(fds, from, 0, &f) || fds_get(fds, to, 0, &t))
        return WASI_E_BADF;
    if (f == t)
        return WASI_E_SUCCESS;
    release(fds, t);
    *t = *f;
    *f = (struct fd_entry){.host = -1};
    return WASI_E_SUCCESS;
}

int fds_open_flags(uint32_t fdflags)
{
    int flags = 0;

    if (fdflags & FDFLAG_APPEND)
        flags |= O_APPEND;
    if (fdflags & FDFLAG_NONBLOCK)
        flags |= O_NONBLOCK;
    if (fdflags & FDFLAG_DSYNC)
        flags |= O_DSYNC;
    if (fdflags & (FDFLAG_SYNC | FDFLAG_RSYNC))
        flags |= O_SYNC;
    return flags;
}

uint16_t fds_flags(const struct fd_entry *e, int host_flags)
{
    unsigned flags = e->sync_flags;

    if (host_flags & O_APPEND)
        flags |= FDFLAG_APPEND;
    if (host_flags & O_NONBLOCK)
        flags |= FDFLAG_NONBLOCK;
    return (uint16_t)flags;
}
