/*
 * check - for the test programs: what they find open, and how they say that something is wrong.
 *
 * DATA is an empty directory but for what run.py puts there; LENT may only be read.
 */
#ifndef TESTS_WASI_CHECK_H
#define TESTS_WASI_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasi/api.h>

enum { DATA = 3, LENT = 4 };

#define CHECK(cond) ((cond) ? (void)0 : check_failed(__FILE__, __LINE__, #cond))

static inline void check_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
    exit(1);
}

/* IS(NOENT, __wasi_...): the call's answer. */
#define IS(name, call)                                                                             \
    check_answer(__FILE__, __LINE__, #call, #name, __WASI_ERRNO_##name, (int)(call))

static inline void check_answer(const char *file, int line, const char *call, const char *name,
                                int expected, int got)
{
    if (expected == got)
        return;
    fprintf(stderr, "%s:%d: %s gives %d, not %s (%d)\n", file, line, call, got, name, expected);
    exit(1);
}

/* All rights that open() in libc asks for. */
#define READING (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_READDIR | OTHER_RIGHTS)
#define WRITING                                                                                    \
    (__WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_ALLOCATE | __WASI_RIGHTS_FD_FILESTAT_SET_SIZE |     \
     __WASI_RIGHTS_FD_DATASYNC | OTHER_RIGHTS)
#define OTHER_RIGHTS                                                                               \
    (__WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_TELL | __WASI_RIGHTS_FD_SYNC |                       \
     __WASI_RIGHTS_FD_FDSTAT_SET_FLAGS | __WASI_RIGHTS_FD_ADVISE | __WASI_RIGHTS_FD_FILESTAT_GET | \
     __WASI_RIGHTS_FD_FILESTAT_SET_TIMES | __WASI_RIGHTS_POLL_FD_READWRITE)
#define ALL_RIGHTS ((__wasi_rights_t)0x3fffffff)

static inline __wasi_errno_t open_with(__wasi_fd_t dir, const char *path, __wasi_oflags_t oflags,
                                       __wasi_rights_t rights, __wasi_fd_t *fd)
{
    return __wasi_path_open(dir, 0, path, oflags, rights, ALL_RIGHTS, 0, fd);
}

static inline __wasi_fd_t open_file(__wasi_fd_t dir, const char *path, __wasi_oflags_t oflags)
{
    __wasi_fd_t fd;

    IS(SUCCESS, open_with(dir, path, oflags, READING | WRITING, &fd));
    return fd;
}

static inline __wasi_fd_t open_dir(__wasi_fd_t dir, const char *path)
{
    __wasi_fd_t fd;

    IS(SUCCESS, open_with(dir, path, __WASI_OFLAGS_DIRECTORY, ALL_RIGHTS, &fd));
    return fd;
}

static inline void create(__wasi_fd_t dir, const char *path)
{
    IS(SUCCESS, __wasi_fd_close(open_file(dir, path, __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL)));
}

static inline __wasi_errno_t write_text(__wasi_fd_t fd, const char *text, __wasi_size_t *done)
{
    __wasi_ciovec_t v = {(const uint8_t *)text, strlen(text)};

    return __wasi_fd_write(fd, &v, 1, done);
}

static inline __wasi_errno_t read_some(__wasi_fd_t fd, void *to, size_t size, __wasi_size_t *done)
{
    __wasi_iovec_t v = {to, size};

    return __wasi_fd_read(fd, &v, 1, done);
}

static inline int done(void)
{
    puts("ok");
    return 0;
}

#endif
