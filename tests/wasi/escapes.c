/*
 * Attempts to get out of DATA. run.py puts into it links that lead to a directory beside it, by an
 * absolute path (abs_dir, abs_file) and by a relative one (rel_dir, rel_file).
 */
#include "check.h"

#define FOLLOW __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW

static const char *const outside_dirs[] = {
    "..",
    "../",
    "../outside",
    "./../outside",
    "in/../..",
    "in/../../outside",
    "in/deeper/../../../outside",
    "abs_dir",
    "abs_dir/",
    "rel_dir",
    "rel_dir/",
    "abs_dir/.",
    "rel_dir/../outside",
    "in/up/../../outside",
    "in/up/up_again",
    "/",
    "/etc",
    "//etc",
};

static const char *const outside_files[] = {
    "../outside/secret", "abs_file",
    "rel_file",          "abs_dir/secret",
    "rel_dir/secret",    "in/to_rel_file",
    "in/up/rel_file",    "in/up/../../outside/secret",
    "/etc/passwd",       "in/../rel_dir/secret",
};

enum {
    DIRS = sizeof outside_dirs / sizeof *outside_dirs,
    FILES = sizeof outside_files / sizeof *outside_files,
};

static void set_up(void)
{
    IS(SUCCESS, __wasi_path_create_directory(DATA, "in"));
    IS(SUCCESS, __wasi_path_create_directory(DATA, "in/deeper"));
    IS(SUCCESS, __wasi_path_symlink("..", DATA, "in/up"));
    IS(SUCCESS, __wasi_path_symlink("../..", DATA, "in/up_again"));
    IS(SUCCESS, __wasi_path_symlink("../..", DATA, "up_again"));
    IS(SUCCESS, __wasi_path_symlink("../rel_file", DATA, "in/to_rel_file"));
    create(DATA, "mine");
}

static void test_opening(void)
{
    __wasi_fd_t fd;

    for (size_t i = 0; i < DIRS; i++) {
        IS(PERM, __wasi_path_open(DATA, FOLLOW, outside_dirs[i], 0, READING, 0, 0, &fd));
        IS(PERM, __wasi_path_open(DATA, FOLLOW, outside_dirs[i], __WASI_OFLAGS_DIRECTORY, READING,
                                  ALL_RIGHTS, 0, &fd));
    }
    for (size_t i = 0; i < FILES; i++) {
        IS(PERM, __wasi_path_open(DATA, FOLLOW, outside_files[i], 0, READING, 0, 0, &fd));
        IS(PERM, __wasi_path_open(DATA, FOLLOW, outside_files[i], __WASI_OFLAGS_TRUNC, WRITING, 0,
                                  0, &fd));
    }
    IS(PERM,
       __wasi_path_open(DATA, FOLLOW, "rel_dir/new", __WASI_OFLAGS_CREAT, WRITING, 0, 0, &fd));
    IS(PERM, __wasi_path_open(DATA, FOLLOW, "../new", __WASI_OFLAGS_CREAT, WRITING, 0, 0, &fd));
    /* The link itself is inside, and no file. */
    IS(LOOP, __wasi_path_open(DATA, 0, "abs_file", 0, READING, 0, 0, &fd));
}

static void test_looking(void)
{
    __wasi_filestat_t st;
    char text[256];
    __wasi_size_t n;

    for (size_t i = 0; i < DIRS; i++)
        IS(PERM, __wasi_path_filestat_get(DATA, FOLLOW, outside_dirs[i], &st));
    for (size_t i = 0; i < FILES; i++)
        IS(PERM, __wasi_path_filestat_get(DATA, FOLLOW, outside_files[i], &st));
    IS(PERM, __wasi_path_filestat_get(DATA, 0, "rel_dir/secret", &st));
    IS(PERM, __wasi_path_filestat_get(DATA, 0, "rel_dir/", &st));
    IS(SUCCESS, __wasi_path_filestat_get(DATA, 0, "rel_dir", &st));
    CHECK(st.filetype == __WASI_FILETYPE_SYMBOLIC_LINK);
    IS(PERM, __wasi_path_readlink(DATA, "..", (uint8_t *)text, sizeof text, &n));
    IS(PERM, __wasi_path_readlink(DATA, "rel_dir/secret", (uint8_t *)text, sizeof text, &n));
    IS(PERM, __wasi_path_readlink(DATA, "rel_dir/", (uint8_t *)text, sizeof text, &n));
    IS(SUCCESS, __wasi_path_readlink(DATA, "rel_dir", (uint8_t *)text, sizeof text, &n));
}

static void test_changing(void)
{
    static const char *const names[] = {"../new", "rel_dir/new", "abs_dir/new", "in/up/../new",
                                        "/tmp/new"};
    const __wasi_fstflags_t now = __WASI_FSTFLAGS_MTIM_NOW;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        IS(PERM, __wasi_path_create_directory(DATA, names[i]));
        IS(PERM, __wasi_path_symlink("x", DATA, names[i]));
        IS(PERM, __wasi_path_link(DATA, 0, "mine", DATA, names[i]));
        IS(PERM, __wasi_path_rename(DATA, "mine", DATA, names[i]));
    }
    for (size_t i = 0; i < FILES; i++) {
        IS(PERM, __wasi_path_filestat_set_times(DATA, FOLLOW, outside_files[i], 0, 0, now));
        IS(PERM, __wasi_path_link(DATA, FOLLOW, outside_files[i], DATA, "stolen"));
    }
    for (size_t i = 0; i < DIRS; i++)
        IS(PERM, __wasi_path_filestat_set_times(DATA, FOLLOW, outside_dirs[i], 0, 0, now));
    IS(PERM, __wasi_path_unlink_file(DATA, "rel_dir/secret"));
    IS(PERM, __wasi_path_unlink_file(DATA, "../outside/secret"));
    IS(PERM, __wasi_path_remove_directory(DATA, "../outside"));
    IS(PERM, __wasi_path_rename(DATA, "../outside/secret", DATA, "stolen"));
    IS(PERM, __wasi_path_rename(DATA, "rel_dir/secret", DATA, "stolen"));
    IS(PERM, __wasi_path_link(DATA, 0, "rel_dir/secret", DATA, "stolen"));
    IS(PERM, __wasi_path_link(DATA, 0, "rel_dir/", DATA, "stolen"));
    IS(PERM, __wasi_path_filestat_set_times(DATA, 0, "rel_dir/", 0, 0, now));
    /* ".." as the last component resolves nowhere. */
    CHECK(__wasi_path_unlink_file(DATA, "..") != 0);
    CHECK(__wasi_path_remove_directory(DATA, "..") != 0);
    CHECK(__wasi_path_rename(DATA, "..", DATA, "stolen") != 0);
    CHECK(__wasi_path_rename(DATA, "mine", DATA, "..") != 0);
    CHECK(__wasi_path_create_directory(DATA, "..") != 0);
}

/* Links that stay inside are as good as ever, on the way out and back too. */
static void test_inside(void)
{
    __wasi_fd_t fd;

    IS(SUCCESS, __wasi_path_open(DATA, FOLLOW, "in/up/mine", 0, READING, 0, 0, &fd));
    IS(SUCCESS, __wasi_fd_close(fd));
    IS(SUCCESS,
       __wasi_path_open(DATA, FOLLOW, "in/up/in/up/in/deeper/../../mine", 0, READING, 0, 0, &fd));
    IS(SUCCESS, __wasi_fd_close(fd));
    IS(SUCCESS,
       __wasi_path_open(DATA, FOLLOW, "in/up", __WASI_OFLAGS_DIRECTORY, READING, 0, 0, &fd));
    IS(SUCCESS, __wasi_fd_close(fd));
    IS(PERM, __wasi_path_open(DATA, FOLLOW, "up_again", 0, READING, 0, 0, &fd));
}

int main(void)
{
    set_up();
    test_opening();
    test_looking();
    test_changing();
    test_inside();
    return done();
}
