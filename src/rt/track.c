#include "rt/track.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the headers of the systems that this is built on: include/uapi/linux/userfaultfd.h. */
#define FEATURE_WP_HUGETLBFS_SHMEM (1u << 12)
#define FEATURE_WP_UNPOPULATED     (1u << 13)
#define FEATURE_WP_ASYNC           (1u << 15)
#define USER_MODE_ONLY             1

static int ask(int tracker, unsigned long what, void *how)
{
    return ioctl(tracker, what, how) == 0 ? 0 : -errno;
}

int track_writes(void *at, size_t bytes)
{
    struct uffdio_api api = {.api = UFFD_API,
                             .features = UFFD_FEATURE_MISSING_SHMEM | FEATURE_WP_HUGETLBFS_SHMEM |
                                         FEATURE_WP_UNPOPULATED | FEATURE_WP_ASYNC};
    struct uffdio_register range = {.range = {(uintptr_t)at, bytes},
                                    .mode = UFFDIO_REGISTER_MODE_WP};
    int tracker = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | USER_MODE_ONLY);
    int error;

    if (tracker < 0)
        return -errno;
    error = ask(tracker, UFFDIO_API, &api);
    if (!error)
        error = ask(tracker, UFFDIO_REGISTER, &range);
    if (!error)
        return tracker;
    close(tracker);
    return error;
}

int track_arm(int tracker, void *at, size_t bytes)
{
    struct uffdio_writeprotect range = {.range = {(uintptr_t)at, bytes},
                                        .mode = UFFDIO_WRITEPROTECT_MODE_WP};

    return bytes == 0 ? 0 : ask(tracker, UFFDIO_WRITEPROTECT, &range);
}

int track_missing(int tracker, uint64_t at, size_t bytes)
{
    struct uffdio_register range = {.range = {at, bytes},
                                    .mode = UFFDIO_REGISTER_MODE_WP | UFFDIO_REGISTER_MODE_MISSING};

    return ask(tracker, UFFDIO_REGISTER, &range);
}

bool track_asked(int tracker, uint64_t *address)
{
    struct uffd_msg what;

    while (read(tracker, &what, sizeof what) == sizeof what) {
        if (what.event != UFFD_EVENT_PAGEFAULT)
            continue;
        *address = what.arg.pagefault.address;
        return true;
    }
    return false;
}

void track_wake(int tracker, uint64_t at, size_t bytes)
{
    struct uffdio_range range = {at, bytes};

    (void)ask(tracker, UFFDIO_WAKE, &range);
}

int track_fill(int tracker, uint64_t at, const void *from, size_t bytes)
{
    int error = 0;

    while (bytes > 0 && !error) {
        struct uffdio_copy copy = {
            .dst = at, .src = (uintptr_t)from, .len = bytes, .mode = UFFDIO_COPY_MODE_WP};

        error = ask(tracker, UFFDIO_COPY, &copy);
        if (error == -EAGAIN && copy.copy >= 0) /* the mapping is being changed: once more */
            error = 0;
        if (copy.copy > 0) {
            at += (uint64_t)copy.copy;
            from = (const uint8_t *)from + copy.copy;
            bytes -= (size_t)copy.copy;
        }
    }
    return error;
}
