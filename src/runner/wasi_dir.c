/* wasi_dir - preopened directories and reading directories. */
#include "runner/descriptor.h"
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

struct reading {
    int fd;
    uint64_t self; /* the directory's own inode */
    struct filling *f;
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

bool filling_put(struct filling *f, const struct filling_entry *e)
{
    uint8_t head[DIRENT_BYTES] = {0};

    guest_store64(head, e->cookie);
    guest_store64(head + 8, e->inode);
    guest_store32(head + 16, e->size);
    head[20] = e->filetype;
    return put(f, head, sizeof head) && put(f, e->name, e->size);
}

/*
 * Every directory is a root of its own, so its '..' is itself; what lies above is none of the
 * program's business.
 */
static bool put_entry(const struct reading *r, const struct listing_entry *e)
{
    const char *name = listing_name(e);
    const bool dots = strcmp(name, "..") == 0;
    const struct filling_entry entry = {
        .cookie = e->cookie,
        .inode = dots ? r->self : e->inode,
        .filetype = dots ? (uint8_t)FILETYPE_DIRECTORY : type_of(r->fd, e),
        .name = name,
        .size = e->size,
    };

    return filling_put(r->f, &entry);
}

static void put_kept(const struct reading *r)
{
    while (kept.at < listing_count() && r->f->left > 0) {
        const struct listing_entry *e = listing_entry(kept.at);

        if (!put_entry(r, e))
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

static enum wasi_errno fill(const struct reading *r)
{
    enum wasi_errno error = WASI_E_SUCCESS;

    put_kept(r);
    while (r->f->left > 0 && !kept.complete && !error) {
        error = read_behind(r->fd, kept.cookie);
        if (!error)
            put_kept(r);
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

enum wasi_errno kernel_read_directory(const struct fd_entry *e, uint64_t cookie, struct filling *f)
{
    struct reading r = {.fd = e->host, .f = f};
    struct stat st;
    enum wasi_errno error;

    if (fstat(e->host, &st) < 0)
        return host_answer(-1);
    r.self = st.st_ino;
    error = go_to(e, cookie);
    if (!error)
        error = fill(&r);
    if (error)
        kept.serial = 0;
    return error;
}

enum wasi_errno wasi_fd_readdir(struct host *h, const union tern_cell *a)
{
    struct filling f = {.to = guest_at(h->memory, a[1].i32, a[2].i32), .left = a[2].i32};
    uint8_t *used = guest_at(h->memory, a[4].i32, 4);
    struct fd_entry *e;
    enum wasi_errno error = fds_get_dir(&h->fds, a[0].i32, RIGHT_FD_READDIR, &e);

    if (error)
        return error;
    if (!f.to || !used)
        return WASI_E_FAULT;
    if (a[3].i64 > INT64_MAX)
        return WASI_E_INVAL;
    error = descriptor_ops(e)->read_directory(e, a[3].i64, &f);
    if (!error)
        guest_store32(used, a[2].i32 - f.left);
    return error;
}
