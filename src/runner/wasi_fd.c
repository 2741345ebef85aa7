/* wasi_fd - what a descriptor is, and changes to it and to the file behind it. */
#include "runner/descriptor.h"
#include "runner/host.h"
#include "runner/stat.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum wasi_errno wasi_fd_close(struct host *h, const union tern_cell *a)
{
    return fds_close(&h->fds, a[0].i32);
}

enum wasi_errno wasi_fd_renumber(struct host *h, const union tern_cell *a)
{
    return fds_renumber(&h->fds, a[0].i32, a[1].i32);
}

/* ---- What the descriptor is ---- */

enum wasi_errno kernel_get_flags(const struct fd_entry *e, uint16_t *fdflags)
{
    const int host_flags = fcntl(e->host, F_GETFL);

    if (host_flags >= 0)
        *fdflags = fds_flags(e, host_flags);
    return host_answer(host_flags);
}

enum wasi_errno wasi_fd_fdstat_get(struct host *h, const union tern_cell *a)
{
    uint8_t *to = guest_at(h->memory, a[1].i32, FDSTAT_BYTES);
    struct fd_entry *e;
    enum wasi_errno error = fds_get(&h->fds, a[0].i32, 0, &e);
    uint16_t fdflags;

    if (error)
        return error;
    if (!to)
        return WASI_E_FAULT;
    error = descriptor_ops(e)->get_flags(e, &fdflags);
    if (error)
        return error;
    memset(to, 0, FDSTAT_BYTES);
    to[0] = e->filetype;
    guest_store16(to + 2, fdflags);
    guest_store64(to + 8, e->rights);
    guest_store64(to + 16, e->inheriting);
    return WASI_E_SUCCESS;
}

enum wasi_errno kernel_set_flags(struct fd_entry *e, uint32_t fdflags)
{
    int host_flags = fcntl(e->host, F_GETFL);

    if (host_flags < 0)
        return host_answer(host_flags);
    host_flags &= ~(O_APPEND | O_NONBLOCK);
    host_flags |= fds_open_flags(fdflags & (FDFLAG_APPEND | FDFLAG_NONBLOCK));
    return host_answer(fcntl(e->host, F_SETFL, host_flags));
}

/* The kernel can change O_APPEND and O_NONBLOCK only; what was opened synchronous stays so. */
enum wasi_errno wasi_fd_fdstat_set_flags(struct host *h, const union tern_cell *a)
{
    const uint32_t fixed = FDFLAG_DSYNC | FDFLAG_RSYNC | FDFLAG_SYNC;
    uint32_t flags = a[1].i32;
    struct fd_entry *e;
    enum wasi_errno error = fds_get_file(&h->fds, a[0].i32, RIGHT_FD_FDSTAT_SET_FLAGS, &e);

    if (error)
        return error;
    if (flags & ~(uint32_t)FDFLAGS_ALL || (flags & fixed) != e->sync_flags)
        return WASI_E_INVAL;
    return descriptor_ops(e)->set_flags(e, flags);
}

enum wasi_errno wasi_fd_fdstat_set_rights(struct host *h, const union tern_cell *a)
{
    struct fd_entry *e;
    enum wasi_errno error = fds_get(&h->fds, a[0].i32, 0, &e);

    if (error)
        return error;
    if (a[1].i64 & ~e->rights || a[2].i64 & ~e->inheriting)
        return WASI_E_NOTCAPABLE;
    e->rights = a[1].i64;
    e->inheriting = a[2].i64;
    return WASI_E_SUCCESS;
}

/* ---- The file behind it ---- */

enum wasi_errno kernel_stat(const struct fd_entry *e, uint8_t to[FILESTAT_BYTES])
{
    struct stat st;

    if (fstat(e->host, &st) < 0)
        return host_answer(-1);
    stat_store(to, &st);
    to[16] = e->filetype; /* fstat does not tell a datagram socket from a stream */
    return WASI_E_SUCCESS;
}

enum wasi_errno wasi_fd_filestat_get(struct host *h, const union tern_cell *a)
{
    uint8_t *to = guest_at(h->memory, a[1].i32, FILESTAT_BYTES);
    struct fd_entry *e;
    enum wasi_errno error = fds_get(&h->fds, a[0].i32, RIGHT_FD_FILESTAT_GET, &e);

    if (error)
        return error;
    return to ? descriptor_ops(e)->stat(e, to) : WASI_E_FAULT;
}

enum wasi_errno kernel_set_times(struct host *h, struct fd_entry *e, const struct timespec times[2])
{
    (void)h;
    return host_answer(futimens(e->host, times));
}

enum wasi_errno wasi_fd_filestat_set_times(struct host *h, const union tern_cell *a)
{
    struct timespec times[2];
    struct fd_entry *e;
    enum wasi_errno error = fds_get(&h->fds, a[0].i32, RIGHT_FD_FILESTAT_SET_TIMES, &e);

    if (!error)
        error = stat_times(a[3].i32, a[1].i64, a[2].i64, times);
    if (error)
        return error;
    if (e->read_only)
        return WASI_E_ROFS;
    return descriptor_ops(e)->set_times(h, e, times);
}

enum wasi_errno kernel_set_size(struct host *h, struct fd_entry *e, uint64_t size)
{
    (void)h;
    return host_answer(ftruncate(e->host, (off_t)size));
}

enum wasi_errno wasi_fd_filestat_set_size(struct host *h, const union tern_cell *a)
{
    struct fd_entry *e;
    enum wasi_errno error = fds_get_file(&h->fds, a[0].i32, RIGHT_FD_FILESTAT_SET_SIZE, &e);

    if (error)
        return error;
    if (a[1].i64 > INT64_MAX)
        return WASI_E_INVAL;
    return descriptor_ops(e)->set_size(h, e, a[1].i64);
}

enum wasi_errno kernel_allocate(struct host *h, struct fd_entry *e, uint64_t offset, uint64_t size)
{
    (void)h;
    return host_answer(fallocate(e->host, 0, (off_t)offset, (off_t)size));
}

/* Takes space on the disk without a write: so it counts as output. */
enum wasi_errno wasi_fd_allocate(struct host *h, const union tern_cell *a)
{
    uint64_t offset = a[1].i64, size = a[2].i64;
    struct fd_entry *e;
    enum wasi_errno error = fds_get_file(&h->fds, a[0].i32, RIGHT_FD_ALLOCATE, &e);

    if (error)
        return error;
    if (offset > INT64_MAX || size > INT64_MAX || size == 0)
        return WASI_E_INVAL;
    if (host_may_write(h, size) < size)
        return WASI_E_NOSPC;
    error = descriptor_ops(e)->allocate(h, e, offset, size);
    if (!error)
        host_written(h, size);
    return error;
}

enum wasi_errno kernel_advise(const struct fd_entry *e, off_t offset, off_t size, int advice)
{
    return wasi_errno_from(posix_fadvise(e->host, offset, size, advice));
}

enum wasi_errno wasi_fd_advise(struct host *h, const union tern_cell *a)
{
    static const int advices[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                                  POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
    uint64_t offset = a[1].i64, size = a[2].i64;
    struct fd_entry *e;
    enum wasi_errno error = fds_get_file(&h->fds, a[0].i32, 0, &e);

    if (error)
        return error;
    if (!e->seekable)
        return WASI_E_SPIPE;
    if (!(e->rights & RIGHT_FD_ADVISE))
        return WASI_E_NOTCAPABLE;
    if (a[3].i32 >= sizeof advices / sizeof *advices || offset > INT64_MAX || size > INT64_MAX)
        return WASI_E_INVAL;
    return descriptor_ops(e)->advise(e, (off_t)offset, (off_t)size, advices[a[3].i32]);
}

enum wasi_errno kernel_sync(const struct fd_entry *e, bool data_only)
{
    return host_answer(data_only ? fdatasync(e->host) : fsync(e->host));
}

enum wasi_errno wasi_fd_sync(struct host *h, const union tern_cell *a)
{
    struct fd_entry *e;
    enum wasi_errno error = fds_get_file(&h->fds, a[0].i32, RIGHT_FD_SYNC, &e);

    return error ? error : descriptor_ops(e)->sync(e, false);
}

enum wasi_errno wasi_fd_datasync(struct host *h, const union tern_cell *a)
{
    struct fd_entry *e;
    enum wasi_errno error = fds_get_file(&h->fds, a[0].i32, RIGHT_FD_DATASYNC, &e);

    return error ? error : descriptor_ops(e)->sync(e, true);
}
