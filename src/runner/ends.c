#include "runner/ends.h"

#include "base/xxh64.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

enum { END_BYTES = 4096 };

static int add(struct xxh64 *h, int fd, uint64_t from, uint64_t to)
{
    uint8_t block[END_BYTES];

    while (from < to) {
        const struct iovec part = {block, to - from < sizeof block ? to - from : sizeof block};
        const ssize_t got = preadv(fd, &part, 1, (off_t)from);

        if (got < 0 && errno != EINTR)
            return -errno;
        if (got == 0)
            return -ENODATA;
        if (got > 0) {
            xxh64_add(h, block, (size_t)got);
            from += (uint64_t)got;
        }
    }
    return 0;
}

/* A pipe that is there instead by now is not waited for, and cannot be read at a place. */
int ends_of(const struct path_root *root, const char *path, uint64_t size, uint64_t *out)
{
    const int fd = path_open(root, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
    const uint64_t first = size < END_BYTES ? size : END_BYTES;
    const uint64_t last = size > 2 * END_BYTES ? size - END_BYTES : first;
    struct xxh64 h;
    uint64_t sum;
    int error;

    if (fd < 0)
        return fd;
    xxh64_begin(&h, 0);
    error = add(&h, fd, 0, first);
    if (!error)
        error = add(&h, fd, last, size);
    close(fd);
    sum = xxh64_end(&h);
    if (!error)
        *out = sum ? sum : 1;
    return error;
}
