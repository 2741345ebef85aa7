/*
 * sys - the system calls that os/ makes, one thin function each.
 *
 * Errors   A negative errno where libc says -1: nothing looks at errno behind these. Interrupted
 *          calls are repeated here.
 * Tests    The linker can --wrap every one of them, so that the n-th call fails.
 */
#ifndef TERN_OS_SYS_H
#define TERN_OS_SYS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

int sys_open(const char *path, int flags, mode_t mode);
int sys_openat(int dir, const char *path, int flags, mode_t mode);
int sys_close(int fd); /* accepts -1 */
ssize_t sys_read(int fd, void *to, size_t size);
ssize_t sys_write(int fd, const void *from, size_t size);
/* To a socket; the other end being gone is -EPIPE, and no signal. */
ssize_t sys_send(int socket, const void *from, size_t size);
/* As sys_send; fd goes with it. */
ssize_t sys_send_fd(int socket, const void *from, size_t size, int fd);
ssize_t sys_pread(int fd, void *to, size_t size, off_t at);
/* As sys_read; *fd: the descriptor that came with it, close on exec, or -1. */
ssize_t sys_read_fd(int socket, void *to, size_t size, int *fd);
ssize_t sys_pwrite(int fd, const void *from, size_t size, off_t at);
/* In the kernel, sharing blocks where the file system can. */
ssize_t sys_copy_range(int from, off_t from_at, int to, off_t to_at, size_t size);
off_t sys_lseek(int fd, off_t at, int whence);
int sys_fstat(int fd, struct stat *out);
int sys_stat(const char *path, struct stat *out);
int sys_lstat(const char *path, struct stat *out);
int sys_ftruncate(int fd, off_t size);
int sys_punch(int fd, off_t at, off_t size); /* a hole: the room is given back */
int sys_fsync(int fd);
int sys_syncfs(int fd); /* all of its file system; of one that cannot be synced by it, everything */
int sys_touch(int fd);  /* both times: now */
int sys_renameat(int dir, const char *from, const char *to);
int sys_unlinkat(int dir, const char *path, int flags);
int sys_mkdir(const char *path, mode_t mode);
int sys_mkdirat(int dir, const char *path, mode_t mode);
int sys_symlinkat(const char *target, int dir, const char *path);
int sys_flock(int fd, int operation);
int sys_memfd(const char *name);
int sys_seal(int fd, int seals);
int sys_pipe(int fds[2]);                           /* close on exec */
int sys_socketpair(int fds[2]);                     /* stream; close on exec */
int sys_dup_above(int fd, int least);               /* close on exec */
void *sys_map(int fd, size_t size, int protection); /* shared, from 0; NULL if refused */
void sys_unmap(void *at, size_t size);

#endif
