#include "os/file.h"

#include "os/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { READ_STEP_BYTES = 64 << 10, TREE_DEPTH_MAX = 16 };

enum tern_err file_error(ssize_t result)
{
    if (result >= 0)
        return TERN_OK;
    switch (-result) {
    case ENOENT:
    case ENOTDIR: return TERN_ENOENT;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP: return TERN_EACCES;
    case ENOMEM: return TERN_ENOMEM;
    case EFBIG: return TERN_ETOOBIG;
    case EEXIST: return TERN_EEXIST;
    default: return TERN_EIO;
    }
}

/* Room for the next piece: the whole rest of a regular file at once, and a byte to see its end. */
static size_t first_step(int fd, size_t limit)
{
    struct stat st;

    if (sys_fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0)
        return READ_STEP_BYTES;
    return (size_t)st.st_size < limit ? (size_t)st.st_size + 1 : limit + 1;
}

enum tern_err file_read_fd(int fd, size_t limit, struct bytes *out)
{
    struct bytes b = {.limit = limit + 1};
    size_t step = first_step(fd, limit);
    enum tern_err err = TERN_OK;

    for (;;) {
        size_t room = step < b.limit - b.size ? step : b.limit - b.size;
        uint8_t *to = bytes_reserve(&b, room);
        ssize_t got = to ? sys_read(fd, to, room) : -ENOMEM;

        if (got <= 0) {
            err = file_error(got);
            break;
        }
        b.size += (size_t)got;
        if (b.size > limit) {
            err = TERN_ETOOBIG;
            break;
        }
        step = READ_STEP_BYTES;
    }
    if (!err) {
        *out = b;
        b = (struct bytes){0}; /* handed over */
    }
    bytes_release(&b);
    return err;
}

enum tern_err file_read(const char *path, size_t limit, struct bytes *out)
{
    int fd = sys_open(path, O_RDONLY, 0);
    enum tern_err err = file_error(fd);

    if (err)
        return err;
    err = file_read_fd(fd, limit, out);
    sys_close(fd);
    return err;
}

enum tern_err file_read_exact(int fd, void *to, size_t size)
{
    uint8_t *at = to;

    while (size) {
        ssize_t got = sys_read(fd, at, size);

        if (got <= 0)
            return got ? file_error(got) : TERN_EIO;
        at += got;
        size -= (size_t)got;
    }
    return TERN_OK;
}

enum tern_err file_write_fd(int fd, struct view bytes)
{
    while (bytes.size) {
        ssize_t put = sys_write(fd, bytes.data, bytes.size);

        if (put < 0)
            return file_error(put);
        bytes.data += put;
        bytes.size -= (size_t)put;
    }
    return TERN_OK;
}

enum tern_err file_write(const char *path, struct view bytes)
{
    int fd = sys_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    enum tern_err err = file_error(fd);

    if (err)
        return err;
    err = file_write_fd(fd, bytes);
    if (sys_close(fd) < 0 && !err)
        err = TERN_EIO;
    return err;
}

static enum tern_err write_parts(int fd, const struct view *parts, size_t count)
{
    enum tern_err err = TERN_OK;

    for (size_t i = 0; i < count && !err; i++)
        err = file_write_fd(fd, parts[i]);
    return err ? err : file_error(sys_fsync(fd));
}

enum tern_err file_replace(int dir, const char *name, const struct view *parts, size_t count)
{
    static unsigned number;
    char temporary[NAME_MAX + 1];
    enum tern_err err;
    int fd;

    snprintf(temporary, sizeof temporary, "%s.tmp-%ld-%u", name, (long)getpid(), number++);
    fd = sys_openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (fd < 0)
        return file_error(fd);
    err = write_parts(fd, parts, count);
    if (sys_close(fd) < 0 && !err)
        err = TERN_EIO;
    if (!err)
        err = file_error(sys_renameat(dir, temporary, name));
    if (err) {
        sys_unlinkat(dir, temporary, 0);
        return err;
    }
    return file_error(sys_fsync(dir));
}

enum tern_err file_sealed_begin(const char *name, size_t size, int *out_fd, void **out_map)
{
    int fd = sys_memfd(name);
    enum tern_err err = file_error(fd);
    void *map = NULL;

    if (err)
        return err;
    err = file_error(sys_ftruncate(fd, (off_t)size));
    if (!err && size) {
        map = sys_map(fd, size, PROT_READ | PROT_WRITE);
        err = map ? TERN_OK : TERN_ENOMEM;
    }
    if (err) {
        sys_close(fd);
        return err;
    }
    *out_fd = fd;
    *out_map = map;
    return TERN_OK;
}

enum tern_err file_sealed_end(int fd, void *map, size_t size)
{
    sys_unmap(map, size);
    return file_error(sys_seal(fd, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
}

enum tern_err file_sealed(const char *name, struct view bytes, int *out_fd)
{
    void *map = NULL;
    int fd = -1;
    enum tern_err err = file_sealed_begin(name, bytes.size, &fd, &map);

    if (err)
        return err;
    if (bytes.size)
        memcpy(map, bytes.data, bytes.size);
    err = file_sealed_end(fd, map, bytes.size);
    if (err) {
        sys_close(fd);
        return err;
    }
    *out_fd = fd;
    return TERN_OK;
}

enum tern_err file_unnamed(const char *dir, int *out_fd)
{
    char path[4096];
    int fd = sys_open(dir, O_TMPFILE | O_RDWR | O_EXCL, 0600);

    if (fd < 0) { /* some file systems do not have it */
        const int length = snprintf(path, sizeof path, "%s/tern-XXXXXX", dir);

        if (length < 0 || (size_t)length >= sizeof path)
            return TERN_ETOOBIG;
        fd = mkostemp(path, O_CLOEXEC);
        fd = fd < 0 ? -errno : fd;
        if (fd >= 0)
            sys_unlinkat(AT_FDCWD, path, 0);
    }
    if (fd < 0)
        return file_error(fd);
    *out_fd = fd;
    return TERN_OK;
}

static enum tern_err copy_by_hand(int from, off_t from_at, int to, off_t to_at, uint64_t size)
{
    static uint8_t buffer[256 << 10];

    while (size > 0) {
        const size_t wanted = size < sizeof buffer ? (size_t)size : sizeof buffer;
        const ssize_t got = sys_pread(from, buffer, wanted, from_at);
        ssize_t done = got > 0 ? sys_pwrite(to, buffer, (size_t)got, to_at) : got;

        if (done < 0)
            return file_error(done);
        if (done == 0)
            return TERN_EIO;
        from_at += done;
        to_at += done;
        size -= (uint64_t)done;
    }
    return TERN_OK;
}

enum tern_err file_copy(int from, uint64_t from_at, int to, uint64_t to_at, uint64_t size)
{
    ssize_t done = 1;

    while (size > 0 && done > 0) {
        done = sys_copy_range(from, (off_t)from_at, to, (off_t)to_at, size);
        if (done > 0) {
            from_at += (uint64_t)done;
            to_at += (uint64_t)done;
            size -= (uint64_t)done;
        }
    }
    if (size > 0 && done == -ENOSPC)
        return file_error(done);
    /* Between some file systems the kernel does not, and of some files it makes nothing. */
    return copy_by_hand(from, (off_t)from_at, to, (off_t)to_at, size);
}

static void remove_entries(int dir, int depth)
{
    DIR *d = depth ? fdopendir(dir) : NULL;
    struct dirent *e;

    if (!d) {
        sys_close(dir);
        return;
    }
    while ((e = readdir(d))) {
        int below;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (sys_unlinkat(dirfd(d), e->d_name, 0) == 0)
            continue;
        below = sys_openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
        if (below >= 0)
            remove_entries(below, depth - 1);
        sys_unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
    }
    closedir(d);
}

void file_remove_tree(const char *path)
{
    int dir = sys_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

    if (dir >= 0)
        remove_entries(dir, TREE_DEPTH_MAX);
    sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}
