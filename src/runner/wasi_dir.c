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

/*
 * What the kernel gave and the program has not had yet, of the directory that was read last. So a
 * program that goes on where it stopped reads each entry once, as with libc's own buffer; not
 * every file system finds its way back to a cookie when entries are removed meanwhile.
 */
static struct {
    uint64_t serial; /* of the descriptor */
    uint64_t cookie; /* of the last entry that the program got; 0: nothing is kept */
    ssize_t at, size;
    alignas(struct dirent64) char entries[LISTING_BYTES_MAX];
} kept;

struct listing {
    int fd;
    uint64_t self; /* the directory's own inode */
    uint8_t *to;   /* what is left of the program's buffer */
    uint32_t left;
};

static uint8_t type_of(int dir, const struct dirent64 *d)
{
    struct stat st;

    if (d->d_type != DT_UNKNOWN)
        return (uint8_t)fds_filetype(DTTOIF((mode_t)d->d_type));
    if (fstatat(dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) /* some file systems do not say */
        return FILETYPE_UNKNOWN;
    return (uint8_t)fds_filetype(st.st_mode);
}

static bool put(struct listing *l, const void *from, size_t size)
{
    bool fits = size <= l->left;

    if (!fits)
        size = l->left;
    memcpy(l->to, from, size);
    l->to += size;
    l->left -= (uint32_t)size;
    return fits;
}

/*
 * False: it was cut off. A full buffer is how the program learns of more. Every directory is a
 * root of its own, so its '..' is itself; what lies above is none of the program's business.
 */
static bool put_entry(struct listing *l, const struct dirent64 *d)
{
    bool dots = strcmp(d->d_name, "..") == 0;
    uint8_t head[DIRENT_BYTES] = {0};
    size_t size = strlen(d->d_name);

    guest_store64(head, (uint64_t)d->d_off);
    guest_store64(head + 8, dots ? l->self : (uint64_t)d->d_ino);
    guest_store32(head + 16, (uint32_t)size);
    head[20] = dots ? (uint8_t)FILETYPE_DIRECTORY : type_of(l->fd, d);
    return put(l, head, sizeof head) && put(l, d->d_name, size);
}

static void put_kept(struct listing *l)
{
    while (kept.at < kept.size && l->left > 0) {
        const struct dirent64 *d = (const void *)(kept.entries + kept.at);

        if (!put_entry(l, d))
            return;
        kept.cookie = (uint64_t)d->d_off;
        kept.at += d->d_reclen;
    }
}

static enum wasi_errno list(struct listing *l)
{
    size_t size = l->left < LISTING_BYTES_MIN ? LISTING_BYTES_MIN : l->left;

    if (size > sizeof kept.entries)
        size = sizeof kept.entries;
    put_kept(l);
    while (l->left > 0) {
        kept.at = 0;
        kept.size = getdents64(l->fd, kept.entries, size);
        if (kept.size < 0)
            return host_answer(-1);
        if (kept.size == 0)
            break;
        put_kept(l);
    }
    return WASI_E_SUCCESS;
}

/* Goes to where the cookie says, by what is kept if that is it. */
static enum wasi_errno go_to(const struct fd_entry *e, uint64_t cookie)
{
    if (cookie != 0 && cookie == kept.cookie && e->serial == kept.serial)
        return WASI_E_SUCCESS;
    kept.serial = e->serial;
    kept.cookie = cookie;
    kept.at = kept.size = 0;
    return host_answer(lseek(e->host, (off_t)cookie, SEEK_SET));
}

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
    if (fstat(e->host, &st) < 0)
        return host_answer(-1);
    l.fd = e->host;
    l.self = st.st_ino;
    error = go_to(e, a[3].i64);
    if (!error)
        error = list(&l);
    if (error)
        kept.serial = 0;
    else
        guest_store32(used, a[2].i32 - l.left);
    return error;
}
