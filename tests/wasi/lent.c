/* LENT may be read and not written: it holds file ("lent"), dir, link -> file. */
#include "check.h"

#define FOLLOW __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW

static void test_reading(void)
{
    __wasi_fd_t fd, dir;
    __wasi_fdstat_t st;
    char text[8] = "";
    __wasi_size_t n;

    IS(SUCCESS, open_with(LENT, "file", 0, READING, &fd));
    IS(SUCCESS, read_some(fd, text, sizeof text, &n));
    CHECK(n == 4 && memcmp(text, "lent", 4) == 0);
    IS(ROFS, __wasi_fd_filestat_set_times(fd, 0, 0, __WASI_FSTFLAGS_MTIM_NOW));
    IS(SUCCESS, __wasi_fd_close(fd));
    /* Creating what is there already changes nothing. */
    IS(SUCCESS, open_with(LENT, "file", __WASI_OFLAGS_CREAT, READING, &fd));
    IS(SUCCESS, __wasi_fd_close(fd));
    IS(EXIST, open_with(LENT, "file", __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, READING, &fd));
    dir = open_dir(LENT, "dir");
    IS(SUCCESS, __wasi_fd_fdstat_get(dir, &st));
    IS(ROFS, __wasi_path_create_directory(dir, "new"));
    IS(ROFS, __wasi_fd_filestat_set_times(dir, 0, 0, __WASI_FSTFLAGS_MTIM_NOW));
    IS(SUCCESS, __wasi_fd_close(dir));
}

static void test_writing(void)
{
    __wasi_fd_t fd;

    IS(ROFS, open_with(LENT, "file", 0, WRITING, &fd));
    IS(ROFS, open_with(LENT, "file", 0, READING | WRITING, &fd));
    IS(ROFS, open_with(LENT, "file", __WASI_OFLAGS_TRUNC, READING, &fd));
    IS(ROFS, open_with(LENT, "new", __WASI_OFLAGS_CREAT, READING, &fd));
    IS(ROFS, __wasi_path_create_directory(LENT, "new"));
    IS(ROFS, __wasi_path_symlink("file", LENT, "new"));
    IS(ROFS, __wasi_path_unlink_file(LENT, "file"));
    IS(ROFS, __wasi_path_remove_directory(LENT, "dir"));
    IS(ROFS, __wasi_path_rename(LENT, "file", LENT, "new"));
    IS(ROFS, __wasi_path_rename(LENT, "file", DATA, "new"));
    create(DATA, "mine");
    IS(ROFS, __wasi_path_rename(DATA, "mine", LENT, "new"));
    IS(ROFS, __wasi_path_link(DATA, 0, "mine", LENT, "new"));
    IS(ROFS, __wasi_path_link(LENT, 0, "file", DATA, "new"));
    IS(ROFS, __wasi_path_filestat_set_times(LENT, 0, "file", 0, 0, __WASI_FSTFLAGS_MTIM_NOW));
    IS(ROFS, __wasi_path_filestat_set_times(LENT, FOLLOW, "link", 0, 0, __WASI_FSTFLAGS_MTIM_NOW));
}

/* libc opens with what the directory passes on: it must learn that writing is not allowed. */
static void test_libc(void)
{
    FILE *f = fopen("/lent/file", "r");

    CHECK(f);
    fclose(f);
    CHECK(!fopen("/lent/file", "r+"));
    CHECK(!fopen("/lent/new", "w"));
}

int main(void)
{
    test_reading();
    test_writing();
    test_libc();
    return done();
}
