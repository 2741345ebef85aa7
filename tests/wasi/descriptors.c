/* Descriptors: numbers, closing, renumbering, flags, rights, running out. */
#include "check.h"

static void test_numbers(void)
{
    __wasi_fd_t a = open_file(DATA, "a", __WASI_OFLAGS_CREAT);
    __wasi_fd_t b = open_file(DATA, "b", __WASI_OFLAGS_CREAT), c;
    __wasi_filestat_t before, after;

    CHECK(a > LENT && b == a + 1);
    IS(SUCCESS, __wasi_fd_close(a));
    IS(BADF, __wasi_fd_close(a));
    c = open_file(DATA, "c", __WASI_OFLAGS_CREAT);
    CHECK(c == a); /* the lowest that is free */
    IS(SUCCESS, __wasi_fd_filestat_get(b, &before));
    IS(SUCCESS, __wasi_fd_renumber(b, c));
    IS(BADF, __wasi_fd_close(b));
    IS(SUCCESS, __wasi_fd_filestat_get(c, &after));
    CHECK(before.ino == after.ino);
    IS(SUCCESS, __wasi_fd_renumber(c, c));
    IS(SUCCESS, __wasi_fd_close(c));
}

static void test_flags(void)
{
    const __wasi_fdflags_t asked = __WASI_FDFLAGS_APPEND | __WASI_FDFLAGS_SYNC;
    __wasi_fdstat_t st;
    __wasi_filesize_t at;
    __wasi_size_t n;
    __wasi_fd_t fd;

    IS(SUCCESS,
       __wasi_path_open(DATA, 0, "flags", __WASI_OFLAGS_CREAT, READING | WRITING, 0, asked, &fd));
    IS(SUCCESS, __wasi_fd_fdstat_get(fd, &st));
    CHECK(st.fs_flags == asked && st.fs_filetype == __WASI_FILETYPE_REGULAR_FILE);
    IS(SUCCESS, write_text(fd, "one", &n));
    IS(SUCCESS, __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at));
    IS(SUCCESS, write_text(fd, "two", &n));
    IS(SUCCESS, __wasi_fd_tell(fd, &at));
    CHECK(at == 6); /* appended */
    IS(SUCCESS, __wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_SYNC | __WASI_FDFLAGS_NONBLOCK));
    IS(SUCCESS, __wasi_fd_fdstat_get(fd, &st));
    CHECK(st.fs_flags == (__WASI_FDFLAGS_SYNC | __WASI_FDFLAGS_NONBLOCK));
    IS(SUCCESS, __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at));
    IS(SUCCESS, write_text(fd, "xxx", &n));
    IS(SUCCESS, __wasi_fd_tell(fd, &at));
    CHECK(at == 3);                               /* no longer */
    IS(INVAL, __wasi_fd_fdstat_set_flags(fd, 0)); /* synchronous stays synchronous */
    IS(INVAL, __wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_SYNC | __WASI_FDFLAGS_DSYNC));
    IS(INVAL, __wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_SYNC | 1 << 5));
    IS(SUCCESS, __wasi_fd_close(fd));
    IS(INVAL, __wasi_path_open(DATA, 0, "flags", 0, READING, 0, 1 << 5, &fd));
    IS(SUCCESS, __wasi_path_open(DATA, 0, "flags", 0, READING, 0,
                                 __WASI_FDFLAGS_DSYNC | __WASI_FDFLAGS_RSYNC, &fd));
    IS(SUCCESS, __wasi_fd_fdstat_get(fd, &st));
    CHECK(st.fs_flags == (__WASI_FDFLAGS_DSYNC | __WASI_FDFLAGS_RSYNC));
    IS(SUCCESS, __wasi_fd_close(fd));
}

static __wasi_fd_t open_rights(const char *path, __wasi_oflags_t oflags, __wasi_rights_t rights)
{
    __wasi_fd_t fd;

    IS(SUCCESS, open_with(DATA, path, oflags, rights, &fd));
    return fd;
}

static void test_reading_and_writing(void)
{
    __wasi_fd_t fd = open_rights("rights", __WASI_OFLAGS_CREAT, __WASI_RIGHTS_FD_READ);
    __wasi_fdstat_t st;
    __wasi_size_t n;
    char byte;

    IS(SUCCESS, __wasi_fd_fdstat_get(fd, &st));
    CHECK(st.fs_rights_base == __WASI_RIGHTS_FD_READ && st.fs_rights_inheriting == 0);
    IS(SUCCESS, read_some(fd, &byte, 1, &n));
    IS(NOTCAPABLE, write_text(fd, "x", &n));
    IS(NOTCAPABLE, __wasi_fd_filestat_set_size(fd, 0));
    IS(NOTCAPABLE, __wasi_fd_sync(fd));
    IS(SUCCESS, __wasi_fd_close(fd));

    fd = open_rights("rights", 0, __WASI_RIGHTS_FD_WRITE);
    IS(SUCCESS, write_text(fd, "x", &n));
    IS(NOTCAPABLE, read_some(fd, &byte, 1, &n));
    IS(SUCCESS, __wasi_fd_close(fd));

    /* What makes no sense for a file is not granted, and no error. */
    fd = open_rights("rights", 0, ALL_RIGHTS);
    IS(SUCCESS, __wasi_fd_fdstat_get(fd, &st));
    CHECK(!(st.fs_rights_base & (__WASI_RIGHTS_PATH_OPEN | __WASI_RIGHTS_FD_READDIR)));
    CHECK(st.fs_rights_base & __WASI_RIGHTS_FD_SEEK);
    IS(SUCCESS, __wasi_fd_close(fd));
}

static void test_rights_shrink(void)
{
    __wasi_fd_t fd = open_rights("rights", 0, READING | WRITING);
    const __wasi_rights_t less = __WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_TELL;
    __wasi_filesize_t at;
    __wasi_fdstat_t st;
    __wasi_size_t n;
    char byte;

    IS(SUCCESS, __wasi_fd_fdstat_set_rights(fd, less, 0));
    IS(NOTCAPABLE, __wasi_fd_fdstat_set_rights(fd, less | __WASI_RIGHTS_FD_READ, 0));
    IS(NOTCAPABLE, __wasi_fd_fdstat_set_rights(fd, less, 1));
    IS(SUCCESS, __wasi_fd_fdstat_get(fd, &st));
    CHECK(st.fs_rights_base == less && st.fs_rights_inheriting == 0);
    IS(NOTCAPABLE, read_some(fd, &byte, 1, &n));
    IS(NOTCAPABLE, __wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &at));
    IS(SUCCESS, __wasi_fd_seek(fd, 0, __WASI_WHENCE_CUR, &at)); /* asks only: telling is enough */
    IS(SUCCESS, write_text(fd, "x", &n));
    IS(SUCCESS, __wasi_fd_close(fd));
}

/* A directory whose rights shrank passes on no more than it has. */
static void test_rights_of_directories(void)
{
    __wasi_fd_t dir, fd;
    __wasi_fdstat_t st;

    IS(SUCCESS, __wasi_path_create_directory(DATA, "dir"));
    dir = open_dir(DATA, "dir");
    IS(SUCCESS, __wasi_fd_fdstat_get(dir, &st));
    CHECK(!(st.fs_rights_base & (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_SEEK)));
    CHECK(st.fs_rights_base & __WASI_RIGHTS_PATH_OPEN);
    CHECK(st.fs_rights_inheriting & __WASI_RIGHTS_FD_WRITE);
    create(dir, "file");
    IS(SUCCESS, __wasi_fd_fdstat_set_rights(dir, __WASI_RIGHTS_PATH_OPEN, __WASI_RIGHTS_FD_READ));
    IS(SUCCESS, open_with(dir, "file", 0, __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_SEEK, &fd));
    IS(SUCCESS, __wasi_fd_fdstat_get(fd, &st));
    CHECK(st.fs_rights_base == __WASI_RIGHTS_FD_READ);
    IS(SUCCESS, __wasi_fd_close(fd));
    IS(NOTCAPABLE, open_with(dir, "file", 0, __WASI_RIGHTS_FD_WRITE, &fd));
    IS(NOTCAPABLE, open_with(dir, "new", __WASI_OFLAGS_CREAT, 0, &fd));
    IS(NOTCAPABLE, open_with(dir, "file", __WASI_OFLAGS_TRUNC, 0, &fd));
    IS(NOTCAPABLE, __wasi_path_unlink_file(dir, "file"));
    IS(NOTCAPABLE, __wasi_path_create_directory(dir, "sub"));
    IS(NOTCAPABLE, __wasi_path_rename(dir, "file", DATA, "file"));
    IS(NOTCAPABLE, __wasi_path_link(DATA, 0, "rights", dir, "linked"));
    IS(SUCCESS, __wasi_fd_fdstat_set_rights(dir, 0, 0));
    IS(NOTCAPABLE, open_with(dir, "file", 0, 0, &fd));
    IS(SUCCESS, __wasi_fd_close(dir));
}

static void test_running_out(void)
{
    static __wasi_fd_t open[2000];
    size_t count = 0;
    __wasi_errno_t e;

    while ((e = open_with(DATA, "rights", 0, __WASI_RIGHTS_FD_READ, &open[count])) == 0)
        CHECK(++count < 2000);
    IS(MFILE, e);
    CHECK(count > 500);
    IS(MFILE, open_with(DATA, "never", __WASI_OFLAGS_CREAT, __WASI_RIGHTS_FD_READ, &open[count]));
    while (count > 0)
        IS(SUCCESS, __wasi_fd_close(open[--count]));
    IS(NOENT, __wasi_path_unlink_file(DATA, "never"));
}

static void test_closing_a_directory(void)
{
    __wasi_prestat_t pre;
    __wasi_fd_t fd;

    IS(SUCCESS, __wasi_fd_prestat_get(LENT, &pre));
    CHECK(pre.tag == __WASI_PREOPENTYPE_DIR && pre.u.dir.pr_name_len == strlen("/lent"));
    IS(SUCCESS, __wasi_fd_close(LENT));
    IS(BADF, __wasi_fd_prestat_get(LENT, &pre));
    IS(BADF, open_with(LENT, "file", 0, 0, &fd));
}

int main(void)
{
    test_numbers();
    test_flags();
    test_reading_and_writing();
    test_rights_shrink();
    test_rights_of_directories();
    test_running_out();
    test_closing_a_directory();
    return done();
}
