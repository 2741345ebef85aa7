/* wasi_dir - preopened directories and reading directories. */
#include "runner/host.h"
#include "runner/listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

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

/*
 * Of the directory that was read last: so a program that goes on where it stopped reads each entry
 * once, at little cost, as with libc's own buffer.
 */
static struct {
    uint64_t serial; /* of the descriptor; 0: nothing is kept */
    uint64_t cookie; /* of the last entry that the program got */
    uint32_t at;     /* the next one */
    bool complete;
} kept;

struct filling {
    int fd;
    uint64_t self; /* the directory's own inode */
    uint8_t *to;   /* what is left of the program's buffer */
    uint32_t left;
};

static uint8_t type_of(int dir, const struct listing_entry *e)
{
    struct stat st;

    if (e->d_type != DT_UNKNOWN)
        return (uint8_t)fds_filetype(DTTOIF((mode_t)e->d_type));
    if (fstatat(dir, listing_name(e), &st, AT_SYMLINK_NOFOLLOW) < 0)
        return FILETYPE_UNKNOWN; /* some file systems do not say, and it has gone */
    return (uint8_t)fds_filetype(st.st_mode);
}

static bool put(struct filling *f, const void *from, size_t size)
{
    bool fits = size <= f->left;

    if (!fits)
        size = f->left;
    memcpy(f->to, from, size);
    f->to += size;
    f->left -= (uint32_t)size;
    return fits;
}

/*
 * False: it was cut off. A full buffer is how the program learns of more. Every directory is a
 * root of its own, so its '..' is itself; what lies above is none of the program's business.
 */
static bool put_entry(struct filling *f, const struct listing_entry *e)
{
    const char *name = listing_name(e);
    bool dots = strcmp(name, "..") == 0;
    uint8_t head[DIRENT_BYTES] = {0};

    guest_store64(head, e->cookie);
    guest_store64(head + 8, dots ? f->self : e->inode);
    guest_store32(head + 16, e->size);
    head[20] = dots ? (uint8_t)FILETYPE_DIRECTORY : type_of(f->fd, e);
    return put(f, head, sizeof head) && put(f, name, e->size);
}

static void put_kept(struct filling *f)
{
    while (kept.at < listing_count() && f->left > 0) {
        const struct listing_entry *e = listing_entry(kept.at);

        if (!put_entry(f, e))
            return;
        kept.cookie = e->cookie;
        kept.at++;
    }
}

static enum wasi_errno read_behind(int fd, uint64_t cookie)
{
    int result = listing_read(fd, cookie, &kept.complete);

    kept.cookie = cookie;
    kept.at = 0;
    return host_error(-result);
}

static enum wasi_errno fill(struct filling *f)
{
    enum wasi_errno error = WASI_E_SUCCESS;

    put_kept(f);
    while (f->left > 0 && !kept.complete && !error) {
        error = read_behind(f->fd, kept.cookie);
        if (!error)
            put_kept(f);
    }
    return error;
}

/* Goes to where the cookie says, by what is kept if that is it; from the beginning always anew. */
static enum wasi_errno go_to(const struct fd_entry *e, uint64_t cookie)
{
    if (cookie != 0 && cookie == kept.cookie && e->serial == kept.serial)
        return WASI_E_SUCCESS;
    kept.serial = e->serial;
    return read_behind(e->host, cookie);
}

enum wasi_errno wasi_fd_readdir(struct host *h, const union tern_cell *a)
{
    struct filling f = {.to = guest_at(h->memory, a[1].i32, a[2].i32), .left = a[2].i32};
    uint8_t *used = guest_at(h->memory, a[4].i32, 4);
    struct fd_entry *e;
    enum wasi_errno error = fds_get_dir(&h->fds, a[0].i32, RIGHT_FD_READDIR, &e);
    struct stat st;

    if (error)
        return error;
    if (!f.to || !used)
        return WASI_E_FAULT;
    if (a[3].i64 > INT64_MAX)
        return WASI_E_INVAL;
    if (fstat(e->host, &st) < 0)
        return host_answer(-1);
    f.fd = e->host;
    f.self = st.st_ino;
    error = go_to(e, a[3].i64);
    if (!error)
        error = fill(&f);
    if (error)
        kept.serial = 0;
    else
        guest_store32(used, a[2].i32 - f.left);
    return error;
}
