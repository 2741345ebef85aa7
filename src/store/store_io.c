#include "store/store_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The value of a call, made again while a signal interrupts it, or -errno. */
#define RETRY(call)                                                                                \
    __extension__({                                                                                \
        __typeof__(call) result_;                                                                  \
        do                                                                                         \
            result_ = (call);                                                                      \
        while (result_ < 0 && errno == EINTR);                                                     \
        result_ < 0 ? -errno : result_;                                                            \
    })

static int io_open(void *context, int dir, const char *name, int flags)
{
    (void)context;
    return RETRY(openat(dir, name, flags | O_CLOEXEC | O_NONBLOCK, 0600)); /* not for a FIFO */
}

static int io_close(void *context, int fd)
{
    (void)context;
    return fd < 0 || close(fd) == 0 ? 0 : -errno; /* never again: the descriptor is gone */
}

static ssize_t io_read(void *context, int fd, void *to, size_t size, uint64_t at)
{
    (void)context;
    return RETRY(pread(fd, to, size, (off_t)at));
}

static ssize_t io_write(void *context, int fd, struct view bytes, uint64_t at)
{
    (void)context;
    return RETRY(pwrite(fd, bytes.data, bytes.size, (off_t)at));
}

static int io_resize(void *context, int fd, uint64_t size)
{
    (void)context;
    return RETRY(ftruncate(fd, (off_t)size));
}

static int64_t io_size(void *context, int fd)
{
    struct stat st;

    (void)context;
    return fstat(fd, &st) < 0 ? -errno : st.st_size;
}

static int io_sync(void *context, int fd)
{
    (void)context;
    return RETRY(fdatasync(fd));
}

static int io_sync_dir(void *context, int fd)
{
    (void)context;
    return RETRY(fsync(fd));
}

static int io_remove(void *context, int dir, const char *name)
{
    (void)context;
    return RETRY(unlinkat(dir, name, 0));
}

static int io_make(void *context, const char *path)
{
    (void)context;
    return RETRY(mkdir(path, 0700));
}

static int io_lock(void *context, int fd)
{
    (void)context;
    return RETRY(flock(fd, LOCK_EX | LOCK_NB));
}

static int io_list(void *context, int dir, store_io_name *each, void *to)
{
    int again = RETRY(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR *d = again < 0 ? NULL : fdopendir(again);
    struct dirent *e;

    (void)context;
    if (!d) {
        io_close(NULL, again);
        return again < 0 ? again : -ENOMEM;
    }
    for (errno = 0; (e = readdir(d)); errno = 0)
        each(to, e->d_name);
    again = -errno;
    closedir(d);
    return again;
}

static int io_commit(void *context, struct MDB_txn *txn)
{
    (void)context;
    return mdb_txn_commit(txn);
}

const struct store_io *store_io_system(void)
{
    static const struct store_io io = {
        .open = io_open,
        .close = io_close,
        .read = io_read,
        .write = io_write,
        .resize = io_resize,
        .size = io_size,
        .sync = io_sync,
        .sync_dir = io_sync_dir,
        .remove = io_remove,
        .make = io_make,
        .lock = io_lock,
        .list = io_list,
        .commit = io_commit,
    };

    return &io;
}

int store_io_read_all(const struct store_io *io, int fd, void *to, size_t size, uint64_t at)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = io->read(io->context, fd, (uint8_t *)to + done, size - done, at + done);

        if (got <= 0)
            return got < 0 ? (int)got : -ENODATA;
        done += (size_t)got;
    }
    return 0;
}

int store_io_write_all(const struct store_io *io, int fd, struct view bytes, uint64_t at)
{
    for (size_t done = 0; done < bytes.size;) {
        struct view rest = view_of(bytes.data + done, bytes.size - done);
        ssize_t put = io->write(io->context, fd, rest, at + done);

        if (put <= 0)
            return put < 0 ? (int)put : -EIO;
        done += (size_t)put;
    }
    return 0;
}
