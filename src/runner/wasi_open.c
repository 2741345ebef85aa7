/* wasi_open - path_open: from rights and flags to an open file and what may be done with it. */
#include "runner/descriptor.h"
#include "runner/origin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Rights that the directory cannot pass on are left out, except for those that decide how the
 * file is opened: a program that gets no reading or writing should learn it here.
 */
static enum wasi_errno get_wish(const struct fd_entry *dir, const union tern_cell *a,
                                struct open_wish *out)
{
    *out = (struct open_wish){
        .oflags = a[4].i32,
        .fdflags = a[7].i32,
        .follow = a[1].i32 & LOOKUP_SYMLINK_FOLLOW,
        .rights = a[5].i64 & dir->inheriting,
        .inheriting = a[6].i64 & dir->inheriting,
    };
    if (out->oflags & ~(uint32_t)OFLAGS_ALL || out->fdflags & ~(uint32_t)FDFLAGS_ALL)
        return WASI_E_INVAL;
    if (out->oflags & OFLAG_DIRECTORY && out->oflags & (OFLAG_CREAT | OFLAG_EXCL | OFLAG_TRUNC))
        return WASI_E_INVAL;
    if (a[5].i64 & ~dir->inheriting & (RIGHT_FD_READ | RIGHT_FD_WRITE))
        return WASI_E_NOTCAPABLE;
    if (out->oflags & OFLAG_CREAT && !(dir->rights & RIGHT_PATH_CREATE_FILE))
        return WASI_E_NOTCAPABLE;
    if (out->oflags & OFLAG_TRUNC && !(out->rights & RIGHT_FD_WRITE) &&
        !(dir->rights & RIGHT_PATH_FILESTAT_SET_SIZE))
        return WASI_E_NOTCAPABLE;
    return WASI_E_SUCCESS;
}

bool open_wants_write(const struct open_wish *w)
{
    if (w->oflags & OFLAG_DIRECTORY)
        return false;
    return w->oflags & OFLAG_TRUNC ||
           w->rights & (RIGHT_FD_WRITE | RIGHT_FD_ALLOCATE | RIGHT_FD_FILESTAT_SET_SIZE);
}

static int access_mode(const struct open_wish *w)
{
    if (!open_wants_write(w))
        return O_RDONLY;
    return w->rights & (RIGHT_FD_READ | RIGHT_FD_READDIR) ? O_RDWR : O_WRONLY;
}

static int host_flags(const struct open_wish *w)
{
    int flags = O_NOCTTY | access_mode(w);

    if (!w->follow)
        flags |= O_NOFOLLOW;
    if (w->oflags & OFLAG_CREAT)
        flags |= O_CREAT;
    if (w->oflags & OFLAG_DIRECTORY)
        flags |= O_DIRECTORY;
    if (w->oflags & OFLAG_EXCL)
        flags |= O_EXCL;
    if (w->oflags & OFLAG_TRUNC)
        flags |= O_TRUNC;
    return flags | fds_open_flags(w->fdflags);
}

/* As in a file system mounted read-only: creating what is there already is no change. */
static int open_read_only(const struct target *t, const struct open_wish *w)
{
    int flags = host_flags(w) & ~(O_CREAT | O_EXCL);
    bool creates = w->oflags & OFLAG_CREAT;
    int fd;

    if (open_wants_write(w))
        return -EROFS;
    fd = path_open(&t->root, t->path, flags, 0);
    if (fd == -ENOENT && creates)
        return -EROFS;
    if (fd >= 0 && creates && w->oflags & OFLAG_EXCL) {
        close(fd);
        return -EEXIST;
    }
    return fd;
}

static enum wasi_errno describe(const struct target *t, const struct open_wish *w, int host,
                                struct fd_entry *out)
{
    struct stat st;
    enum wasi_filetype type;

    if (fstat(host, &st) < 0)
        return host_answer(-1);
    type = fds_filetype(st.st_mode);
    *out = (struct fd_entry){
        .host = host,
        .filetype = (uint8_t)type,
        .seekable = type != FILETYPE_DIRECTORY && lseek(host, 0, SEEK_CUR) >= 0,
        .read_only = t->dir->read_only,
        .sync_flags = w->fdflags & (FDFLAG_DSYNC | FDFLAG_RSYNC | FDFLAG_SYNC),
        .kind = type == FILETYPE_DIRECTORY ? STATE_FD_DIRECTORY : STATE_FD_FILE,
        .source = t->dir->source,
    };
    out->rights = w->rights & fds_rights_of(type, out->seekable);
    out->inheriting = type == FILETYPE_DIRECTORY ? w->inheriting : 0;
    return WASI_E_SUCCESS;
}

enum wasi_errno kernel_open(struct host *h, const struct target *t, const struct open_wish *w,
                            struct fd_entry *out)
{
    char *origin;
    enum wasi_errno error;
    int host;

    (void)h;
    if (!origin_of(t->dir, t->path, &origin))
        return WASI_E_NOMEM;
    host = t->dir->read_only ? open_read_only(t, w)
                             : path_open(&t->root, t->path, host_flags(w), 0666);
    error = host < 0 ? host_error(-host) : describe(t, w, host, out);
    if (error && host >= 0)
        close(host);
    if (error)
        free(origin);
    else
        out->path = origin;
    return error;
}

/* What can be lacking here is asked for before a file is created or cut. */
static enum wasi_errno open_wish(struct host *h, const struct target *t, const struct open_wish *w,
                                 uint32_t *fd)
{
    struct fd_entry e;
    enum wasi_errno error = fds_has_room(&h->fds) ? WASI_E_SUCCESS : WASI_E_MFILE;

    if (!error)
        error = descriptor_ops(t->dir)->open(h, t, w, &e);
    return error ? error : fds_add_take(&h->fds, &e, fd);
}

enum wasi_errno wasi_path_open(struct host *h, const union tern_cell *a)
{
    uint8_t *result = guest_at(h->memory, a[8].i32, 4);
    struct target t;
    struct open_wish w;
    uint32_t fd = 0;
    enum wasi_errno error = target_get(h, a[0].i32, RIGHT_PATH_OPEN, a + 2, 0, &t);

    if (!error)
        error = get_wish(t.dir, a, &w);
    if (error)
        return error;
    if (!result)
        return WASI_E_FAULT;
    error = open_wish(h, &t, &w, &fd);
    if (!error)
        guest_store32(result, fd);
    return error;
}
