/* Names that come and go: directories, renaming, links, attributes by path. */
#include "check.h"

#define FOLLOW __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW

static bool exists(const char *path)
{
    __wasi_filestat_t st;
    __wasi_errno_t e = __wasi_path_filestat_get(DATA, 0, path, &st);

    CHECK(e == __WASI_ERRNO_SUCCESS || e == __WASI_ERRNO_NOENT);
    return e == __WASI_ERRNO_SUCCESS;
}

static void test_directories(void)
{
    IS(SUCCESS, __wasi_path_create_directory(DATA, "dir"));
    IS(EXIST, __wasi_path_create_directory(DATA, "dir"));
    IS(EXIST, __wasi_path_create_directory(DATA, "."));
    IS(EXIST, __wasi_path_create_directory(DATA, "dir/.."));
    IS(SUCCESS, __wasi_path_create_directory(DATA, "dir/sub/"));
    IS(NOENT, __wasi_path_create_directory(DATA, "no/sub"));
    IS(NOENT, __wasi_path_create_directory(DATA, ""));
    IS(NOTEMPTY, __wasi_path_remove_directory(DATA, "dir"));
    IS(ISDIR, __wasi_path_unlink_file(DATA, "dir"));
    IS(ISDIR, __wasi_path_unlink_file(DATA, "dir/"));
    IS(SUCCESS, __wasi_path_remove_directory(DATA, "dir/sub/"));
    IS(SUCCESS, __wasi_path_remove_directory(DATA, "dir"));
    IS(NOENT, __wasi_path_remove_directory(DATA, "dir"));
    create(DATA, "file");
    IS(NOTDIR, __wasi_path_remove_directory(DATA, "file"));
    IS(NOTDIR, __wasi_path_remove_directory(DATA, "file/"));
    IS(NOTDIR, __wasi_path_unlink_file(DATA, "file/"));
    IS(SUCCESS, __wasi_path_unlink_file(DATA, "file"));
    IS(NOENT, __wasi_path_unlink_file(DATA, "file"));
    IS(INVAL, __wasi_path_remove_directory(DATA, "."));
}

static void test_renaming(void)
{
    __wasi_fd_t dir;

    create(DATA, "from");
    IS(SUCCESS, __wasi_path_rename(DATA, "from", DATA, "to"));
    CHECK(!exists("from") && exists("to"));
    IS(NOENT, __wasi_path_rename(DATA, "from", DATA, "to"));
    create(DATA, "from");
    IS(SUCCESS, __wasi_path_rename(DATA, "from", DATA, "to")); /* replaces */
    IS(SUCCESS, __wasi_path_create_directory(DATA, "dir"));
    IS(SUCCESS, __wasi_path_create_directory(DATA, "other"));
    IS(ISDIR, __wasi_path_rename(DATA, "to", DATA, "dir"));
    IS(NOTDIR, __wasi_path_rename(DATA, "dir", DATA, "to"));
    IS(NOTDIR, __wasi_path_rename(DATA, "to/", DATA, "new"));
    IS(SUCCESS, __wasi_path_rename(DATA, "dir", DATA, "other")); /* an empty one */
    dir = open_dir(DATA, "other");
    IS(SUCCESS, __wasi_path_rename(DATA, "to", dir, "moved"));
    CHECK(exists("other/moved") && !exists("to"));
    IS(SUCCESS, __wasi_path_create_directory(DATA, "dir"));
    IS(NOTEMPTY, __wasi_path_rename(DATA, "dir", DATA, "other"));
    IS(INVAL, __wasi_path_rename(DATA, "other", DATA, "other/sub"));
    IS(SUCCESS, __wasi_path_rename(dir, "moved", DATA, "back"));
    IS(SUCCESS, __wasi_path_rename(DATA, "other/", DATA, "third/"));
    IS(SUCCESS, __wasi_fd_close(dir));
    IS(SUCCESS, __wasi_path_remove_directory(DATA, "third"));
    IS(SUCCESS, __wasi_path_remove_directory(DATA, "dir"));
    IS(SUCCESS, __wasi_path_unlink_file(DATA, "back"));
}

static void test_hard_links(void)
{
    __wasi_filestat_t a, b;

    create(DATA, "file");
    IS(SUCCESS, __wasi_path_link(DATA, 0, "file", DATA, "hard"));
    IS(SUCCESS, __wasi_path_filestat_get(DATA, 0, "file", &a));
    IS(SUCCESS, __wasi_path_filestat_get(DATA, 0, "hard", &b));
    CHECK(a.ino == b.ino && a.dev == b.dev && a.nlink == 2);
    IS(EXIST, __wasi_path_link(DATA, 0, "file", DATA, "hard"));
    IS(EXIST, __wasi_path_link(DATA, 0, "file", DATA, "file"));
    IS(NOENT, __wasi_path_link(DATA, 0, "file", DATA, "new/"));
    IS(NOENT, __wasi_path_link(DATA, 0, "none", DATA, "new"));
    IS(NOTDIR, __wasi_path_link(DATA, 0, "file/", DATA, "new"));
    IS(SUCCESS, __wasi_path_create_directory(DATA, "dir"));
    IS(PERM, __wasi_path_link(DATA, 0, "dir", DATA, "new"));
    IS(PERM, __wasi_path_link(DATA, 0, "dir/", DATA, "new"));
    IS(PERM, __wasi_path_link(DATA, 0, "dir/..", DATA, "new"));

    IS(SUCCESS, __wasi_path_symlink("file", DATA, "soft"));
    IS(SUCCESS, __wasi_path_link(DATA, 0, "soft", DATA, "link_to_soft"));
    IS(SUCCESS, __wasi_path_filestat_get(DATA, 0, "link_to_soft", &b));
    CHECK(b.filetype == __WASI_FILETYPE_SYMBOLIC_LINK);
    IS(SUCCESS, __wasi_path_link(DATA, FOLLOW, "soft", DATA, "link_to_file"));
    IS(SUCCESS, __wasi_path_filestat_get(DATA, 0, "link_to_file", &b));
    CHECK(a.ino == b.ino);
    IS(SUCCESS, __wasi_path_symlink("loop", DATA, "loop"));
    IS(LOOP, __wasi_path_link(DATA, FOLLOW, "loop", DATA, "new"));
    IS(SUCCESS, __wasi_path_link(DATA, 0, "loop", DATA, "loop2"));
    IS(SUCCESS, __wasi_path_symlink("none", DATA, "dangling"));
    IS(NOENT, __wasi_path_link(DATA, FOLLOW, "dangling", DATA, "new"));
}

static void test_symbolic_links(void)
{
    char text[16];
    __wasi_size_t n;

    memset(text, '#', sizeof text);
    IS(SUCCESS, __wasi_path_symlink("some/where", DATA, "symbolic"));
    IS(SUCCESS, __wasi_path_readlink(DATA, "symbolic", (uint8_t *)text, sizeof text, &n));
    CHECK(n == 10 && memcmp(text, "some/where######", 16) == 0);
    IS(RANGE, __wasi_path_readlink(DATA, "symbolic", (uint8_t *)text, 9, &n));
    IS(INVAL, __wasi_path_readlink(DATA, "file", (uint8_t *)text, sizeof text, &n));
    IS(INVAL, __wasi_path_readlink(DATA, "dir", (uint8_t *)text, sizeof text, &n));
    IS(INVAL, __wasi_path_readlink(DATA, "dir/..", (uint8_t *)text, sizeof text, &n));
    IS(NOENT, __wasi_path_readlink(DATA, "none", (uint8_t *)text, sizeof text, &n));
    IS(EXIST, __wasi_path_symlink("x", DATA, "symbolic"));
    IS(EXIST, __wasi_path_symlink("x", DATA, "dir/"));
    IS(NOENT, __wasi_path_symlink("x", DATA, "new/"));
    IS(EXIST, __wasi_path_symlink("x", DATA, "file/"));
    IS(NOENT, __wasi_path_symlink("", DATA, "new"));
    IS(PERM, __wasi_path_symlink("/etc", DATA, "new"));
    CHECK(!exists("new"));
}

static void test_attributes(void)
{
    const uint64_t second = 1000000000;
    __wasi_filestat_t st, other;

    IS(SUCCESS, __wasi_path_filestat_get(DATA, 0, "soft", &st));
    CHECK(st.filetype == __WASI_FILETYPE_SYMBOLIC_LINK);
    IS(SUCCESS, __wasi_path_filestat_get(DATA, FOLLOW, "soft", &st));
    CHECK(st.filetype == __WASI_FILETYPE_REGULAR_FILE);
    IS(SUCCESS, __wasi_path_filestat_get(DATA, 0, "dir/../dir/", &st));
    CHECK(st.filetype == __WASI_FILETYPE_DIRECTORY);
    IS(NOENT, __wasi_path_filestat_get(DATA, FOLLOW, "dangling", &st));
    IS(SUCCESS, __wasi_path_filestat_get(DATA, 0, "dangling", &st));
    IS(LOOP, __wasi_path_filestat_get(DATA, FOLLOW, "loop", &st));
    IS(NOTDIR, __wasi_path_filestat_get(DATA, 0, "file/", &st));
    IS(NOENT, __wasi_path_filestat_get(DATA, 0, "", &st));

    IS(SUCCESS, __wasi_path_filestat_set_times(DATA, FOLLOW, "soft", 3 * second, 4 * second,
                                               __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM));
    IS(SUCCESS, __wasi_path_filestat_get(DATA, 0, "file", &st));
    CHECK(st.atim == 3 * second && st.mtim == 4 * second);
    IS(SUCCESS,
       __wasi_path_filestat_set_times(DATA, 0, "soft", 0, 5 * second, __WASI_FSTFLAGS_MTIM));
    IS(SUCCESS, __wasi_path_filestat_get(DATA, 0, "file", &st));
    IS(SUCCESS, __wasi_path_filestat_get(DATA, 0, "soft", &other));
    CHECK(st.mtim == 4 * second && other.mtim == 5 * second);
    IS(SUCCESS,
       __wasi_path_filestat_set_times(DATA, 0, "dir/.", 0, 6 * second, __WASI_FSTFLAGS_MTIM));
    IS(SUCCESS, __wasi_path_filestat_get(DATA, 0, "dir", &st));
    CHECK(st.mtim == 6 * second);
    IS(SUCCESS, __wasi_path_filestat_set_times(DATA, 0, "dir", 0, 0, __WASI_FSTFLAGS_MTIM_NOW));
    IS(SUCCESS, __wasi_path_filestat_get(DATA, 0, "dir", &st));
    CHECK(st.mtim > 1000000 * second);
    IS(INVAL, __wasi_path_filestat_set_times(DATA, 0, "file", 1, 1,
                                             __WASI_FSTFLAGS_MTIM | __WASI_FSTFLAGS_MTIM_NOW));
    IS(NOENT, __wasi_path_filestat_set_times(DATA, 0, "none", 1, 1, __WASI_FSTFLAGS_MTIM));
    IS(NOENT, __wasi_path_filestat_set_times(DATA, FOLLOW, "dangling", 1, 1, __WASI_FSTFLAGS_MTIM));
    IS(NOTDIR, __wasi_path_filestat_set_times(DATA, 0, "file/", 1, 1, __WASI_FSTFLAGS_MTIM));
}

int main(void)
{
    test_directories();
    test_renaming();
    test_hard_links();
    test_symbolic_links();
    test_attributes();
    return done();
}
