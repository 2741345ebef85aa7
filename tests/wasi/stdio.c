/*
 * Standard streams. The first argument says what they are: "pipe", "file" (read from the file,
 * appended to standard error), "terminal", "closed" (only standard output is open), "broken"
 * (nobody reads standard output, and SIGPIPE is ignored: as natively, that is an error number).
 */
#include "check.h"

#include <unistd.h>

static __wasi_fdstat_t stat_of(__wasi_fd_t fd)
{
    __wasi_fdstat_t st;

    IS(SUCCESS, __wasi_fd_fdstat_get(fd, &st));
    return st;
}

static void test_pipe(void)
{
    __wasi_filesize_t at;
    __wasi_iovec_t into = {(uint8_t *)&at, 1};
    __wasi_ciovec_t from = {(const uint8_t *)"x", 1};
    char text[64];
    __wasi_size_t n;

    for (__wasi_fd_t fd = 0; fd <= 2; fd++) {
        CHECK(stat_of(fd).fs_filetype == __WASI_FILETYPE_UNKNOWN && !isatty(fd));
        IS(SPIPE, __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at));
        IS(SPIPE, __wasi_fd_tell(fd, &at));
        IS(SPIPE, __wasi_fd_pread(fd, &into, 1, 0, &n));
        IS(SPIPE, __wasi_fd_pwrite(fd, &from, 1, 0, &n));
        IS(SPIPE, __wasi_fd_advise(fd, 0, 0, 0));
    }
    IS(SUCCESS, read_some(0, text, sizeof text, &n));
    CHECK(n == 11 && memcmp(text, "some input\n", 11) == 0);
    IS(SUCCESS, read_some(0, text, sizeof text, &n));
    CHECK(n == 0);
    IS(NOTCAPABLE, write_text(0, "x", &n));
    IS(NOTCAPABLE, read_some(1, text, 1, &n));
}

static void test_file(void)
{
    char text[64];
    __wasi_filesize_t at;
    __wasi_size_t n;

    CHECK(stat_of(0).fs_filetype == __WASI_FILETYPE_REGULAR_FILE && !isatty(0));
    CHECK(stat_of(2).fs_flags == __WASI_FDFLAGS_APPEND);
    IS(SUCCESS, __wasi_fd_seek(0, 5, __WASI_WHENCE_SET, &at));
    IS(SUCCESS, read_some(0, text, sizeof text, &n));
    CHECK(n == 6 && memcmp(text, "input\n", 6) == 0);
    IS(NOTCAPABLE, __wasi_fd_filestat_set_size(0, 0));
    IS(SUCCESS, write_text(2, "appended\n", &n));
}

static void test_terminal(void)
{
    __wasi_filesize_t at;

    for (__wasi_fd_t fd = 0; fd <= 2; fd++) {
        CHECK(stat_of(fd).fs_filetype == __WASI_FILETYPE_CHARACTER_DEVICE && isatty(fd));
        IS(SPIPE, __wasi_fd_tell(fd, &at));
    }
}

/* tern puts /dev/null where it found nothing open: a character device, yet no terminal. */
static void test_closed(void)
{
    __wasi_size_t n;
    char byte;

    CHECK(stat_of(0).fs_filetype == __WASI_FILETYPE_CHARACTER_DEVICE && !isatty(0));
    CHECK(stat_of(2).fs_filetype == __WASI_FILETYPE_CHARACTER_DEVICE && !isatty(2));
    IS(SUCCESS, read_some(0, &byte, 1, &n));
    CHECK(n == 0);
    IS(SUCCESS, write_text(2, "x", &n));
}

/* Closing a standard stream frees its number, for the program's own files only. */
static void test_closing(void)
{
    __wasi_fd_t fd;
    __wasi_size_t n;

    fd = open_file(DATA, "replaces", __WASI_OFLAGS_CREAT);
    IS(SUCCESS, __wasi_fd_renumber(fd, 0));
    IS(SUCCESS, write_text(0, "x", &n));
    CHECK(n == 1);
    IS(SUCCESS, __wasi_fd_close(0));
    CHECK(open_file(DATA, "again", __WASI_OFLAGS_CREAT) == 0);
}

int main(int argc, char **argv)
{
    __wasi_size_t n;

    CHECK(argc > 1);
    if (strcmp(argv[1], "broken") == 0) {
        IS(PIPE, write_text(1, "x", &n));
        return 0;
    }
    if (strcmp(argv[1], "pipe") == 0)
        test_pipe();
    else if (strcmp(argv[1], "file") == 0)
        test_file();
    else if (strcmp(argv[1], "terminal") == 0)
        test_terminal();
    else if (strcmp(argv[1], "closed") == 0)
        test_closed();
    else
        return 2;
    test_closing();
    return done();
}
