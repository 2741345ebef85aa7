#include "runner/write.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

enum { HERE = -1 };

static ssize_t write_some(int fd, struct view bytes, off_t at)
{
    const struct iovec part = {.iov_base = (void *)(uintptr_t)bytes.data, .iov_len = bytes.size};

    return at == HERE ? write(fd, bytes.data, bytes.size) : pwritev(fd, &part, 1, at);
}

static bool write_all(int fd, struct view bytes, off_t at)
{
    while (bytes.size > 0) {
        const ssize_t written = write_some(fd, bytes, at);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes = view_of(bytes.data + written, bytes.size - (size_t)written);
        if (at != HERE)
            at += written;
    }
    return true;
}

bool write_whole(int fd, struct view bytes)
{
    return write_all(fd, bytes, HERE);
}

bool write_whole_at(int fd, struct view bytes, off_t at)
{
    return write_all(fd, bytes, at);
}

bool write_file(int fd, struct view bytes)
{
    return ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0 && write_whole(fd, bytes);
}
