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
                             .features = FEATURE_WP_HUGETLBFS_SHMEM | FEATURE_WP_UNPOPULATED |
                                         FEATURE_WP_ASYNC};
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
