/* wasi_dir - preopened directories and reading directories. */
#include "runner/host.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdalign.h>
#include <string.h>
#include <unistd.h>

/* ---- Preopened directories ---- */

static enum wasi_errno get_preopened(struct host *h, uint32_t fd, struct fd_entry **e)
{
    enum wasi_errno error = fds_get(&h->fds, fd, 0, e);

    return error || (*e)->guest_path.size == 0 ? WASI_E_BADF : WASI_E_SUCCESS;
}

enum wasi_errno wasi_fd_prestat_get(struct host *h, const union tern_cell *a)
{
    uint8_t *to = guest_at(h->memory, a[1].i32, PRESTAT_BYTES);
    struct fd_entry *e;
    enum wasi_errno error = get_preopened(h, a[0].i32, &e);

    if (error)
        return error;
    if (!to)
        return WASI_E_FAULT;
    memset(to, 0, PRESTAT_BYTES); /* tag 0: a directory */
    guest_store32(to + 4, (uint32_t)e->guest_path.size);
    return WASI_E_SUCCESS;
}

enum wasi_errno wasi_fd_prestat_dir_name(struct host *h, const union tern_cell *a)
{
    struct fd_entry *e;
    enum wasi_errno error = get_preopened(h, a[0].i32, &e);
    uint8_t *to;

    if (error)
        return error;
    if (a[2].i32 < e->guest_path.size)
        return WASI_E_NAMETOOLONG;
    to = guest_at(h->memory, a[1].i32, e->guest_path.size);
    if (!to)
        return WASI_E_FAULT;
    memcpy(to, e->guest_path.data, e->guest_path.size);
    return WASI_E_SUCCESS;
}

/* ---- Reading a directory ---- */

enum { LISTING_BYTES_MIN = 1024, LISTING_BYTES_MAX = 32768 };

struct listing {
    int fd;
    uint64_t self; /* the directory's own inode */
    uint8_t *to;   /* what is left of the program's buffer */
    uint32_t left;
};

static uint8_t type_of(int dir, const struct dirent64 *d)
{
    struct stat st;

    switch (d->d_type) {
    case DT_UNKNOWN: /* some file systems do not say */
        if (fstatat(dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return FILETYPE_UNKNOWN;
        return (uint8_t)fds_filetype(st.st_mode);
    default: return (uint8_t)fds_filetype(DTTOIF((mode_t)d->d_type));
    }
}

static void put(struct listing *l, const void *from, size_t size)
{
    if (size > l->left)
        size = l->left;
    memcpy(l->to, from, size);
    l->to += size;
    l->left -= (uint32_t)size;
}

/*
 * The entry that does not fit is cut off: a full buffer is how the program learns of more. Every
 * directory is a root of its own, so its '..' is itself; what lies above is none of the
 * program's business.
 */
static void put_entry(struct listing *l, const struct dirent64 *d)
{
    bool dots = strcmp(d->d_name, "..") == 0;
    uint8_t head[DIRENT_BYTES] = {0};
    size_t size = strlen(d->d_name);

    guest_store64(head, (uint64_t)d->d_off);
    guest_store64(head + 8, dots ? l->self : (uint64_t)d->d_ino);
    guest_store32(head + 16, (uint32_t)size);
    head[20] = dots ? FILETYPE_DIRECTORY : type_of(l->fd, d);
    put(l, head, sizeof head);
    put(l, d->d_name, size);
}

static enum wasi_errno list(struct listing *l)
{
    static alignas(struct dirent64) char buffer[LISTING_BYTES_MAX];
    size_t size = l->left < LISTING_BYTES_MIN ? LISTING_BYTES_MIN : l->left;
    ssize_t got = 1;

    if (size > sizeof buffer)
        size = sizeof buffer;
    while (l->left > 0 && got > 0) {
        got = getdents64(l->fd, buffer, size);
        if (got < 0)
            return host_answer(got);
        for (ssize_t at = 0; at < got && l->left > 0;) {
            const struct dirent64 *d = (const void *)(buffer + at);

            put_entry(l, d);
            at += d->d_reclen;
        }
    }
    return WASI_E_SUCCESS;
}

/* Cookies are the file system's own: they stay good when entries are removed meanwhile. */
enum wasi_errno wasi_fd_readdir(struct host *h, const union tern_cell *a)
{
    struct listing l = {.to = guest_at(h->memory, a[1].i32, a[2].i32), .left = a[2].i32};
    uint8_t *used = guest_at(h->memory, a[4].i32, 4);
    struct fd_entry *e;
    enum wasi_errno error = fds_get_dir(&h->fds, a[0].i32, RIGHT_FD_READDIR, &e);
    struct stat st;

    if (error)
        return error;
    if (!l.to || !used)
        return WASI_E_FAULT;
    if (a[3].i64 > INT64_MAX)
        return WASI_E_INVAL;
    if (fstat(e->host, &st) < 0 || lseek(e->host, (off_t)a[3].i64, SEEK_SET) < 0)
        return host_answer(-1);
    l.fd = e->host;
    l.self = st.st_ino;
    error = list(&l);
    if (!error)
        guest_store32(used, a[2].i32 - l.left);
    return error;
}
