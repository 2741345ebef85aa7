/* wasi_io - reading and writing: fd_read, fd_pread, fd_write, fd_pwrite, fd_seek, fd_tell. */
#include "runner/descriptor.h"
#include "runner/end.h"
#include "runner/host.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

static enum wasi_errno finish(ssize_t result, uint64_t *done)
{
    *done = result > 0 ? (uint64_t)result : 0;
    return host_answer(result);
}

enum wasi_errno kernel_read(struct host *h, struct fd_entry *e, const struct vectors *v,
                            off_t offset, uint64_t *done)
{
    (void)h;
    return finish(offset == DESCRIPTOR_PLACE ? readv(e->host, v->iov, v->count)
                                             : preadv(e->host, v->iov, v->count, offset),
                  done);
}

enum wasi_errno kernel_write(struct host *h, struct fd_entry *e, const struct vectors *v,
                             off_t offset, uint64_t *done)
{
    const ssize_t result = offset == DESCRIPTOR_PLACE ? writev(e->host, v->iov, v->count)
                                                      : pwritev(e->host, v->iov, v->count, offset);

    (void)h;
    if (result < 0 && errno == EPIPE && e->standard_output)
        end_signal(SIGPIPE); /* as a native program ends whose reader has gone */
    return finish(result, done);
}

/* Vectors stand at a[1], a[2]; where the count of bytes goes, in `result`. */
static enum wasi_errno read_into(struct host *h, struct fd_entry *e, const union tern_cell *a,
                                 off_t offset, uint32_t result)
{
    struct vectors v;
    enum wasi_errno error = vectors_get(h->memory, a[1].i32, a[2].i32, &v);
    uint64_t done;

    if (error)
        return error;
    if (!guest_at(h->memory, result, 4))
        return WASI_E_FAULT; /* before anything is taken out of a pipe */
    if (input_keeps(h, e))
        error = input_read(h, e, &v, INPUT_READ, &done);
    else
        error = descriptor_ops(e)->read(h, e, &v, offset, &done);
    if (error)
        return error;
    input_count(h, e, done);
    return guest_put32(h->memory, result, (uint32_t)done) ? WASI_E_SUCCESS : WASI_E_FAULT;
}

static enum wasi_errno write_from(struct host *h, struct fd_entry *e, const union tern_cell *a,
                                  off_t offset, uint32_t result)
{
    struct vectors v;
    enum wasi_errno error = vectors_get(h->memory, a[1].i32, a[2].i32, &v);
    uint64_t done;

    if (error)
        return error;
    if (!guest_at(h->memory, result, 4))
        return WASI_E_FAULT;
    vectors_cut(&v, host_may_write(h, v.bytes));
    error = descriptor_ops(e)->write(h, e, &v, offset, &done);
    if (error)
        return error;
    host_written(h, done);
    return guest_put32(h->memory, result, (uint32_t)done) ? WASI_E_SUCCESS : WASI_E_FAULT;
}

enum wasi_errno wasi_fd_read(struct host *h, const union tern_cell *a)
{
    struct fd_entry *e;
    enum wasi_errno error = fds_get_file(&h->fds, a[0].i32, RIGHT_FD_READ, &e);

    return error ? error : read_into(h, e, a, DESCRIPTOR_PLACE, a[3].i32);
}

enum wasi_errno wasi_fd_write(struct host *h, const union tern_cell *a)
{
    struct fd_entry *e;
    enum wasi_errno error = fds_get_file(&h->fds, a[0].i32, RIGHT_FD_WRITE, &e);

    return error ? error : write_from(h, e, a, DESCRIPTOR_PLACE, a[3].i32);
}

/* What cannot be sought says so, whatever its rights: they lack seeking for that reason. */
static enum wasi_errno get_seekable(struct host *h, uint32_t fd, uint64_t rights,
                                    struct fd_entry **e)
{
    enum wasi_errno error = fds_get_file(&h->fds, fd, rights, e);

    return error == WASI_E_BADF || (*e)->seekable ? error : WASI_E_SPIPE;
}

enum wasi_errno wasi_fd_pread(struct host *h, const union tern_cell *a)
{
    struct fd_entry *e;
    enum wasi_errno error = get_seekable(h, a[0].i32, RIGHT_FD_READ | RIGHT_FD_SEEK, &e);

    if (error)
        return error;
    if (a[3].i64 > INT64_MAX)
        return WASI_E_INVAL;
    return read_into(h, e, a, (off_t)a[3].i64, a[4].i32);
}

enum wasi_errno wasi_fd_pwrite(struct host *h, const union tern_cell *a)
{
    struct fd_entry *e;
    enum wasi_errno error = get_seekable(h, a[0].i32, RIGHT_FD_WRITE | RIGHT_FD_SEEK, &e);

    if (error)
        return error;
    if (a[3].i64 > INT64_MAX)
        return WASI_E_INVAL;
    return write_from(h, e, a, (off_t)a[3].i64, a[4].i32);
}

enum wasi_errno kernel_seek(struct fd_entry *e, int64_t by, int whence, uint64_t *at)
{
    return finish(lseek(e->host, by, whence), at);
}

static enum wasi_errno seek(struct host *h, struct fd_entry *e, int64_t by, int whence,
                            uint32_t result)
{
    uint8_t *to = guest_at(h->memory, result, 8);
    enum wasi_errno error;
    uint64_t at;

    if (!to)
        return WASI_E_FAULT;
    error = descriptor_ops(e)->seek(e, by, whence, &at);
    if (!error)
        guest_store64(to, at);
    return error;
}

enum wasi_errno wasi_fd_seek(struct host *h, const union tern_cell *a)
{
    static const int whences[] = {
        [WHENCE_SET] = SEEK_SET, [WHENCE_CUR] = SEEK_CUR, [WHENCE_END] = SEEK_END};
    int64_t by = (int64_t)a[1].i64;
    bool asks_only = by == 0 && a[2].i32 == WHENCE_CUR;
    struct fd_entry *e;
    enum wasi_errno error =
        get_seekable(h, a[0].i32, asks_only ? RIGHT_FD_TELL : RIGHT_FD_SEEK, &e);

    if (error)
        return error;
    if (a[2].i32 > WHENCE_END)
        return WASI_E_INVAL;
    return seek(h, e, by, whences[a[2].i32], a[3].i32);
}

enum wasi_errno wasi_fd_tell(struct host *h, const union tern_cell *a)
{
    struct fd_entry *e;
    enum wasi_errno error = get_seekable(h, a[0].i32, RIGHT_FD_TELL, &e);

    return error ? error : seek(h, e, 0, SEEK_CUR, a[1].i32);
}
