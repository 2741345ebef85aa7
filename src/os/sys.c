#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
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

int sys_open(const char *path, int flags, mode_t mode)
{
    return RETRY(open(path, flags | O_CLOEXEC, mode));
}

int sys_openat(int dir, const char *path, int flags, mode_t mode)
{
    return RETRY(openat(dir, path, flags | O_CLOEXEC, mode));
}

int sys_close(int fd)
{
    if (fd < 0)
        return 0;
    return close(fd) < 0 ? -errno : 0; /* never again: the descriptor is gone in any case */
}

ssize_t sys_read(int fd, void *to, size_t size)
{
    return RETRY(read(fd, to, size));
}

ssize_t sys_write(int fd, const void *from, size_t size)
{
    return RETRY(write(fd, from, size));
}

ssize_t sys_send(int socket, const void *from, size_t size)
{
    return RETRY(send(socket, from, size, MSG_NOSIGNAL));
}

ssize_t sys_send_fd(int socket, const void *from, size_t size, int fd)
{
    char room[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec all = {(void *)(uintptr_t)from, size};
    struct msghdr message = {
        .msg_iov = &all, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    *head = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    return RETRY(sendmsg(socket, &message, MSG_NOSIGNAL));
}

ssize_t sys_pread(int fd, void *to, size_t size, off_t at)
{
    return RETRY(pread(fd, to, size, at));
}

ssize_t sys_read_fd(int socket, void *to, size_t size, int *fd)
{
    char room[CMSG_SPACE(sizeof *fd)];
    struct iovec where = {to, size};
    struct msghdr message = {
        .msg_iov = &where, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    const ssize_t got = RETRY(recvmsg(socket, &message, MSG_CMSG_CLOEXEC));
    const struct cmsghdr *head = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;

    *fd = -1;
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
        head->cmsg_len == CMSG_LEN(sizeof *fd))
        memcpy(fd, CMSG_DATA(head), sizeof *fd);
    return got;
}

ssize_t sys_pwrite(int fd, const void *from, size_t size, off_t at)
{
    return RETRY(pwrite(fd, from, size, at));
}

ssize_t sys_copy_range(int from, off_t from_at, int to, off_t to_at, size_t size)
{
    return RETRY(copy_file_range(from, &from_at, to, &to_at, size, 0));
}

off_t sys_lseek(int fd, off_t at, int whence)
{
    return RETRY(lseek(fd, at, whence));
}

int sys_fstat(int fd, struct stat *out)
{
    return RETRY(fstat(fd, out));
}

int sys_stat(const char *path, struct stat *out)
{
    return RETRY(stat(path, out));
}

int sys_lstat(const char *path, struct stat *out)
{
    return RETRY(lstat(path, out));
}

int sys_ftruncate(int fd, off_t size)
{
    return RETRY(ftruncate(fd, size));
}

int sys_punch(int fd, off_t at, off_t size)
{
    return RETRY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, size));
}

int sys_fsync(int fd)
{
    return RETRY(fsync(fd));
}

int sys_syncfs(int fd)
{
    const int result = RETRY(syncfs(fd));

    if (result != -EBADF)
        return result;
    sync(); /* a directory that could be opened by O_PATH only */
    return 0;
}

int sys_touch(int fd)
{
    return RETRY(futimens(fd, NULL));
}

int sys_renameat(int dir, const char *from, const char *to)
{
    return RETRY(renameat(dir, from, dir, to));
}

int sys_unlinkat(int dir, const char *path, int flags)
{
    return RETRY(unlinkat(dir, path, flags));
}

int sys_mkdir(const char *path, mode_t mode)
{
    return RETRY(mkdir(path, mode));
}

int sys_mkdirat(int dir, const char *path, mode_t mode)
{
    return RETRY(mkdirat(dir, path, mode));
}

int sys_symlinkat(const char *target, int dir, const char *path)
{
    return RETRY(symlinkat(target, dir, path));
}

int sys_flock(int fd, int operation)
{
    return RETRY(flock(fd, operation));
}

/* Of Linux 6.3: no memfd can be executed as a program; mapping its code is another matter. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

int sys_memfd(const char *name)
{
    int fd = RETRY(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL));

    return fd == -EINVAL ? RETRY(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)) : fd;
}

int sys_seal(int fd, int seals)
{
    return RETRY(fcntl(fd, F_ADD_SEALS, seals));
}

int sys_pipe(int fds[2])
{
    return RETRY(pipe2(fds, O_CLOEXEC));
}

int sys_socketpair(int fds[2])
{
    return RETRY(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
}

int sys_dup_above(int fd, int least)
{
    return RETRY(fcntl(fd, F_DUPFD_CLOEXEC, least));
}

void *sys_map(int fd, size_t size, int protection)
{
    void *at = mmap(NULL, size, protection, MAP_SHARED, fd, 0);

    return at == MAP_FAILED ? NULL : at;
}

void sys_unmap(void *at, size_t size)
{
    if (at)
        munmap(at, size);
}
