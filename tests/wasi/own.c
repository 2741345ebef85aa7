/* own - what a file tree of the program's own has that a directory of the kernel's has not. */
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* An absolute link, and one with '..', lead to what is in the tree; above its root is its root. */
static void links(void)
{
    __wasi_fd_t dir = open_dir(DATA, ".");
    __wasi_filestat_t st, same;
    char text[64];

    IS(SUCCESS, __wasi_path_create_directory(DATA, "in"));
    IS(SUCCESS, __wasi_path_create_directory(DATA, "in/side"));
    IS(SUCCESS, __wasi_fd_close(open_file(DATA, "in/file", __WASI_OFLAGS_CREAT)));
    IS(SUCCESS, __wasi_path_filestat_get(DATA, 0, "in/file", &same));
    IS(SUCCESS, __wasi_path_symlink("/in/file", DATA, "in/absolute"));
    IS(SUCCESS, __wasi_path_symlink("../../../../in/./file", DATA, "in/side/above"));
    IS(SUCCESS, __wasi_path_symlink("/", DATA, "in/root"));
    IS(SUCCESS, __wasi_path_filestat_get(DATA, 1, "in/absolute", &st));
    CHECK(st.ino == same.ino && st.dev == same.dev && st.filetype == __WASI_FILETYPE_REGULAR_FILE);
    IS(SUCCESS, __wasi_path_filestat_get(DATA, 1, "in/root/in/root/in/side/above", &st));
    CHECK(st.ino == same.ino);
    CHECK(readlink("in/absolute", text, sizeof text) == 8 && memcmp(text, "/in/file", 8) == 0);
    IS(PERM, __wasi_path_filestat_get(DATA, 1, "../in", &st));
    IS(PERM, __wasi_path_filestat_get(DATA, 1, "/in", &st));
    IS(SUCCESS, __wasi_path_symlink("loop", DATA, "loop"));
    IS(LOOP, __wasi_path_filestat_get(DATA, 1, "loop", &st));
    IS(SUCCESS, __wasi_fd_close(dir));
}

/* Paths stay beneath the directory they begin in; links lead on within the tree. */
static void beneath(void)
{
    __wasi_fd_t side = open_dir(DATA, "in/side");
    __wasi_filestat_t st;

    IS(PERM, __wasi_path_filestat_get(side, 1, "../file", &st));
    IS(SUCCESS, __wasi_path_filestat_get(side, 1, "above", &st));
    IS(SUCCESS, __wasi_fd_close(side));
}

/* Names that come and go while a directory is read: what stays is told once. */
static void changing(void)
{
    char name[16];
    int seen[40] = {0}, count = 0;
    struct dirent *e;
    DIR *d;

    CHECK(mkdir("many", 0777) == 0);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "many/%d", i);
        CHECK(close(open(name, O_CREAT | O_WRONLY, 0666)) == 0);
    }
    d = opendir("many");
    CHECK(d);
    while ((e = readdir(d))) {
        const int number = atoi(e->d_name);

        if (e->d_name[0] == '.')
            continue;
        seen[number]++;
        snprintf(name, sizeof name, "many/%d", number);
        (void)unlink(name); /* the one just told */
        snprintf(name, sizeof name, "many/%d", 39 - count++);
        (void)unlink(name); /* one that may be still to come */
    }
    CHECK(closedir(d) == 0);
    for (int i = 0; i < 40; i++)
        CHECK(i < 19 ? seen[i] == 1 : seen[i] <= 1);
}

/* What was removed is there as long as it is open. */
static void removed(void)
{
    __wasi_fd_t file = open_file(DATA, "gone", __WASI_OFLAGS_CREAT), dir;
    __wasi_ciovec_t text = {(const uint8_t *)"text", 4};
    uint8_t buffer[64];
    __wasi_iovec_t part = {buffer, sizeof buffer};
    __wasi_filestat_t st;
    __wasi_size_t used;

    IS(SUCCESS, __wasi_fd_write(file, &text, 1, &used));
    IS(SUCCESS, __wasi_path_unlink_file(DATA, "gone"));
    IS(SUCCESS, __wasi_fd_pread(file, &part, 1, 0, &used));
    CHECK(used == 4 && memcmp(buffer, "text", 4) == 0);
    IS(SUCCESS, __wasi_fd_filestat_get(file, &st));
    CHECK(st.nlink == 0 && st.size == 4);
    IS(SUCCESS, __wasi_fd_close(file));
    IS(SUCCESS, __wasi_path_create_directory(DATA, "empty"));
    dir = open_dir(DATA, "empty");
    IS(SUCCESS, __wasi_path_remove_directory(DATA, "empty"));
    IS(NOENT, __wasi_path_create_directory(dir, "below"));
    IS(NOENT, __wasi_fd_readdir(dir, buffer, sizeof buffer, 0, &used));
    IS(SUCCESS, __wasi_fd_filestat_get(dir, &st));
    CHECK(st.nlink == 0);
    IS(SUCCESS, __wasi_fd_close(dir));
}

/* The tree and a directory that is lent are two file systems. */
static void apart(void)
{
    IS(ROFS, __wasi_path_rename(DATA, "in/file", LENT, "file2"));
    IS(ROFS, __wasi_path_link(LENT, 0, "file", DATA, "linked"));
}

/* As libc finds it: "/", whatever the current directory. */
static void by_libc(void)
{
    struct stat a, b;

    CHECK(stat("in/file", &a) == 0 && stat("/in/file", &b) == 0 && a.st_ino == b.st_ino);
    CHECK(stat("./in/../in/file", &b) == 0 && a.st_ino == b.st_ino);
    CHECK(stat("/lent/file", &b) == 0 && a.st_dev != b.st_dev);
}

static void times(void)
{
    __wasi_filestat_t st;
    __wasi_timestamp_t now;

    IS(SUCCESS, __wasi_clock_time_get(__WASI_CLOCKID_REALTIME, 1, &now));
    IS(SUCCESS, __wasi_path_filestat_set_times(DATA, 0, "in/file", UINT64_MAX, 5,
                                               __WASI_FSTFLAGS_ATIM | __WASI_FSTFLAGS_MTIM));
    IS(SUCCESS, __wasi_path_filestat_get(DATA, 0, "in/file", &st));
    CHECK(st.atim == UINT64_MAX && st.mtim == 5 && st.ctim >= now);
}

int main(void)
{
    links();
    beneath();
    changing();
    removed();
    apart();
    by_libc();
    times();
    return done();
}
