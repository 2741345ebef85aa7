/* path_open: the flags and what they refuse. */
#include "check.h"

#define CREAT     __WASI_OFLAGS_CREAT
#define EXCL      __WASI_OFLAGS_EXCL
#define TRUNC     __WASI_OFLAGS_TRUNC
#define DIRECTORY __WASI_OFLAGS_DIRECTORY

static __wasi_filesize_t size_of(const char *path)
{
    __wasi_filestat_t st;

    IS(SUCCESS, __wasi_path_filestat_get(DATA, 0, path, &st));
    return st.size;
}

static void fill(const char *path)
{
    __wasi_fd_t fd = open_file(DATA, path, CREAT);
    __wasi_size_t n;

    IS(SUCCESS, write_text(fd, "text", &n));
    IS(SUCCESS, __wasi_fd_close(fd));
}

static void test_creating(void)
{
    __wasi_fd_t fd;

    IS(NOENT, open_with(DATA, "file", 0, READING, &fd));
    IS(NOENT, open_with(DATA, "file", EXCL, READING, &fd));
    create(DATA, "file");
    IS(EXIST, open_with(DATA, "file", CREAT | EXCL, READING, &fd));
    IS(SUCCESS, open_with(DATA, "file", CREAT, READING, &fd));
    IS(SUCCESS, __wasi_fd_close(fd));
    IS(NOENT, open_with(DATA, "no/file", CREAT, READING, &fd));
    IS(NOTDIR, open_with(DATA, "file/file", CREAT, READING, &fd));
    IS(NOENT, open_with(DATA, "", CREAT, READING, &fd));
    IS(INVAL, open_with(DATA, "file", 1 << 4, READING, &fd));
}

static void test_truncating(void)
{
    __wasi_fd_t fd;

    fill("cut");
    IS(SUCCESS, open_with(DATA, "cut", TRUNC, WRITING, &fd));
    IS(SUCCESS, __wasi_fd_close(fd));
    CHECK(size_of("cut") == 0);
    fill("cut");
    IS(SUCCESS, open_with(DATA, "cut", TRUNC, READING, &fd)); /* path_filestat_set_size suffices */
    IS(SUCCESS, __wasi_fd_close(fd));
    CHECK(size_of("cut") == 0);
}

static void test_directories(void)
{
    __wasi_fdstat_t st;
    __wasi_fd_t fd;

    IS(SUCCESS, __wasi_path_create_directory(DATA, "dir"));
    IS(SUCCESS, open_with(DATA, "dir", 0, READING, &fd));
    IS(SUCCESS, __wasi_fd_fdstat_get(fd, &st));
    CHECK(st.fs_filetype == __WASI_FILETYPE_DIRECTORY);
    IS(SUCCESS, __wasi_fd_close(fd));
    IS(ISDIR, open_with(DATA, "dir", 0, WRITING, &fd));
    IS(SUCCESS, open_with(DATA, "dir", DIRECTORY, READING | WRITING, &fd));
    IS(SUCCESS, __wasi_fd_close(fd));
    IS(NOTDIR, open_with(DATA, "file", DIRECTORY, READING, &fd));
    IS(INVAL, open_with(DATA, "dir", DIRECTORY | CREAT, READING, &fd));
    IS(INVAL, open_with(DATA, "dir", DIRECTORY | EXCL, READING, &fd));
    IS(INVAL, open_with(DATA, "dir", DIRECTORY | TRUNC, READING, &fd));
    IS(SUCCESS, open_with(DATA, ".", DIRECTORY, READING, &fd));
    IS(SUCCESS, __wasi_fd_close(fd));
}

static void test_trailing_slashes(void)
{
    __wasi_fd_t fd;

    IS(NOTDIR, open_with(DATA, "file/", 0, READING, &fd));
    IS(NOTDIR, open_with(DATA, "file///", 0, READING, &fd));
    IS(ISDIR, open_with(DATA, "new/", CREAT, READING, &fd));
    IS(SUCCESS, open_with(DATA, "dir/", 0, READING, &fd));
    IS(SUCCESS, __wasi_fd_close(fd));
    IS(SUCCESS, open_with(DATA, "dir//.//../dir///", DIRECTORY, READING, &fd));
    IS(SUCCESS, __wasi_fd_close(fd));
}

static void test_links(void)
{
    const __wasi_lookupflags_t follow = __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW;
    __wasi_errno_t e;
    __wasi_fd_t fd;

    IS(SUCCESS, __wasi_path_symlink("file", DATA, "link"));
    IS(SUCCESS, __wasi_path_symlink("dir", DATA, "dirlink"));
    IS(SUCCESS, __wasi_path_symlink("nowhere", DATA, "dangling"));
    IS(SUCCESS, __wasi_path_symlink("loop", DATA, "loop"));
    IS(LOOP, open_with(DATA, "link", 0, READING, &fd));
    IS(LOOP, open_with(DATA, "dangling", 0, READING, &fd));
    IS(LOOP, open_with(DATA, "loop", 0, READING, &fd));
    e = open_with(DATA, "dirlink", DIRECTORY, READING, &fd);
    CHECK(e == __WASI_ERRNO_LOOP || e == __WASI_ERRNO_NOTDIR);
    IS(SUCCESS, __wasi_path_open(DATA, follow, "link", 0, READING, 0, 0, &fd));
    IS(SUCCESS, __wasi_fd_close(fd));
    IS(SUCCESS, __wasi_path_open(DATA, follow, "dirlink", DIRECTORY, READING, 0, 0, &fd));
    IS(SUCCESS, __wasi_fd_close(fd));
    IS(NOTDIR, __wasi_path_open(DATA, follow, "link", DIRECTORY, READING, 0, 0, &fd));
    IS(NOENT, __wasi_path_open(DATA, follow, "dangling", 0, READING, 0, 0, &fd));
    IS(LOOP, __wasi_path_open(DATA, follow, "loop", 0, READING, 0, 0, &fd));
    IS(EXIST, __wasi_path_open(DATA, follow, "dangling", CREAT | EXCL, READING, 0, 0, &fd));
    IS(SUCCESS, __wasi_path_open(DATA, follow, "dangling", CREAT, READING, 0, 0, &fd));
    IS(SUCCESS, __wasi_fd_close(fd));
    CHECK(size_of("nowhere") == 0);
    /* In the middle of a path links are always followed. */
    IS(SUCCESS, open_with(DATA, "dirlink/file", CREAT, READING, &fd));
    IS(SUCCESS, __wasi_fd_close(fd));
    IS(SUCCESS, open_with(DATA, "dirlink/", 0, READING, &fd));
    IS(SUCCESS, __wasi_fd_close(fd));
    CHECK(size_of("dir/file") == 0);
}

static void test_starting_points(void)
{
    __wasi_fd_t file = open_file(DATA, "file", 0), dir = open_dir(DATA, "dir"), fd;

    IS(NOTDIR, open_with(file, "file", 0, READING, &fd));
    IS(NOTDIR, __wasi_path_create_directory(file, "new"));
    IS(SUCCESS, open_with(dir, "file", 0, READING, &fd));
    IS(SUCCESS, __wasi_fd_close(fd));
    IS(PERM, open_with(dir, "../file", 0, READING, &fd)); /* each directory is a root */
    IS(SUCCESS, __wasi_fd_close(dir));
    IS(SUCCESS, __wasi_fd_close(file));
}

static void test_names(void)
{
    char name[300], path[5000];
    __wasi_fd_t fd;

    memset(name, 'n', sizeof name);
    name[255] = 0;
    IS(SUCCESS, open_with(DATA, name, CREAT, READING, &fd));
    IS(SUCCESS, __wasi_fd_close(fd));
    name[255] = 'n';
    name[256] = 0;
    IS(NAMETOOLONG, open_with(DATA, name, CREAT, READING, &fd));
    for (size_t i = 0; i < sizeof path - 1; i += 2)
        memcpy(path + i, "./", 2);
    path[4998] = 0;
    IS(NAMETOOLONG, open_with(DATA, path, 0, READING, &fd));
    IS(SUCCESS, open_with(DATA, "\xc3\xa4 \xff\n", CREAT, READING, &fd)); /* any bytes */
    IS(SUCCESS, __wasi_fd_close(fd));
}

int main(void)
{
    test_creating();
    test_truncating();
    test_directories();
    test_trailing_slashes();
    test_links();
    test_starting_points();
    test_names();
    return done();
}
