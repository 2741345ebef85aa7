/*
 * path: both ways of finding a path give the same answer, and neither ever leaves the root, also
 * while somebody exchanges directories and links under it.
 */
#include "runner/path.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { RACES = 2000, LONG_RACES = 50, RANDOM_PATHS = 20000 };

static char base[32];

static void in_base(void)
{
    assert_int_equal(chdir(base), 0);
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void make_link(const char *target, const char *path)
{
    assert_int_equal(symlink(target, path), 0);
}

/* base/root is what may be seen; base/outside, and base itself, are not. */
static int set_up(void **state)
{
    char absolute[256];

    (void)state;
    strcpy(base, "/tmp/tern-path-XXXXXX");
    assert_non_null(mkdtemp(base));
    in_base();
    assert_int_equal(mkdir("outside", 0755) | mkdir("outside/b", 0755) | mkdir("root", 0755) |
                         mkdir("root/a", 0755) | mkdir("root/a/b", 0755) | mkdir("root/c", 0755),
                     0);
    write_file("outside/text", "outside");
    write_file("text", "outside");
    write_file("root/text", "inside");
    write_file("root/a/text", "inside");
    write_file("root/a/b/text", "inside");
    make_link("a", "root/to_a");
    make_link("a/b/text", "root/to_text");
    make_link("..", "root/a/up");
    make_link("../..", "root/a/b/up2");
    make_link("../../..", "root/a/b/up3");
    make_link("../outside", "root/rel");
    make_link("../outside/text", "root/rel_text");
    snprintf(absolute, sizeof absolute, "%s/outside", base);
    make_link(absolute, "root/abs");
    make_link("/proc/self/root", "root/abs2");
    make_link("loop", "root/loop");
    make_link("nothing", "root/dangling");
    make_link("to_a/up/c/", "root/to_c");
    return 0;
}

static int tear_down(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof command, "rm -r %s", base);
    return system(command);
}

/* ---- What each path gives ---- */

static const struct {
    const char *path;
    int flags;
    int result; /* -errno, or 0: opened */
} cases[] = {
    {"text", O_RDONLY, 0},
    {"a/b/../text", O_RDONLY, 0},
    {"a/./b//../../c/.", O_RDONLY, 0},
    {"a/", O_RDONLY, 0},
    {".", O_RDONLY, 0},
    {"to_a/text", O_RDONLY, 0},
    {"to_text", O_RDONLY, 0},
    {"to_text", O_RDONLY | O_NOFOLLOW, -ELOOP},
    {"to_text", O_PATH | O_NOFOLLOW, 0},
    {"to_text", O_PATH, 0},
    {"to_c", O_RDONLY | O_DIRECTORY, 0},
    {"to_a", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, -ENOTDIR},
    {"to_a/", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0},
    {"a/up/text", O_RDONLY, 0},
    {"a/b/up2/text", O_RDONLY, 0},
    {"text/", O_RDONLY, -ENOTDIR},
    {"text/x", O_RDONLY, -ENOTDIR},
    {"text/..", O_RDONLY, -ENOTDIR},
    {"nothing", O_RDONLY, -ENOENT},
    {"nothing/../text", O_RDONLY, -ENOENT},
    {"dangling", O_RDONLY, -ENOENT},
    {"dangling", O_PATH | O_NOFOLLOW, 0},
    {"loop", O_RDONLY, -ELOOP},
    {"loop/x", O_RDONLY, -ELOOP},
    {"", O_RDONLY, -ENOENT},
    {"..", O_RDONLY, -EPERM},
    {"../text", O_RDONLY, -EPERM},
    {"a/../../text", O_RDONLY, -EPERM},
    {"a/up/../text", O_RDONLY, -EPERM},
    {"a/b/up3/text", O_RDONLY, -EPERM},
    {"rel", O_RDONLY, -EPERM},
    {"rel", O_PATH | O_NOFOLLOW, 0},
    {"rel/text", O_RDONLY, -EPERM},
    {"rel_text", O_RDONLY, -EPERM},
    {"abs", O_RDONLY, -EPERM},
    {"abs/text", O_PATH, -EPERM},
    {"abs2/etc/passwd", O_RDONLY, -EPERM},
    {"/", O_PATH, -EPERM},
    {"/etc/passwd", O_RDONLY, -EPERM},
};

static int root_dir(void)
{
    int fd;

    in_base();
    fd = open("root", O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    return fd;
}

static void check_cases(bool walk)
{
    struct path_root root = {.dir = root_dir(), .walk = walk};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = path_open(&root, cases[i].path, cases[i].flags, 0);

        if ((fd < 0 ? fd : 0) != cases[i].result)
            fail_msg("'%s' with %o gives %d, not %d", cases[i].path, (unsigned)cases[i].flags, fd,
                     cases[i].result);
        if (fd >= 0)
            close(fd);
    }
    close(root.dir);
}

static void test_cases_walking(void **unused)
{
    (void)unused;
    check_cases(true);
}

static void test_cases_by_the_kernel(void **unused)
{
    (void)unused;
    if (path_kernel_resolves())
        check_cases(false);
    else
        skip();
}

static void test_creating(void **unused)
{
    (void)unused;
    for (int walk = 0; walk <= 1; walk++) {
        struct path_root root = {.dir = root_dir(), .walk = walk || !path_kernel_resolves()};
        int fd = path_open(&root, "to_a/new", O_WRONLY | O_CREAT | O_EXCL, 0600);

        assert_true(fd >= 0);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        close(fd);
        assert_int_equal(unlinkat(root.dir, "a/new", 0), 0);
        fd = path_open(&root, "dangling", O_WRONLY | O_CREAT, 0600);
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(unlinkat(root.dir, "nothing", 0), 0);
        assert_int_equal(path_open(&root, "new/", O_WRONLY | O_CREAT, 0600), -EISDIR);
        assert_int_equal(path_open(&root, "rel/new", O_WRONLY | O_CREAT, 0600), -EPERM);
        assert_int_equal(path_open(&root, "dangling", O_WRONLY | O_CREAT | O_EXCL, 0600), -EEXIST);
        close(root.dir);
    }
}

static void test_places(void **unused)
{
    static const struct {
        const char *path;
        bool follow;
        int result;
        const char *name;
        bool slash;
    } places[] = {
        {"new", false, 0, "new", false},
        {"a/new/", false, 0, "new", true},
        {"a/..", false, 0, "..", false},
        {"to_text", false, 0, "to_text", false},
        {"to_text", true, 0, "text", false},
        {"to_c", true, 0, "c", true},
        {"dangling", true, 0, "nothing", false},
        {"loop", true, -ELOOP, NULL, false},
        {"nothing/new", false, -ENOENT, NULL, false},
        {"text/new", false, -ENOTDIR, NULL, false},
        {"rel/new", false, -EPERM, NULL, false},
        {"rel", false, 0, "rel", false},
        {"rel", true, -EPERM, NULL, false},
        {"abs", true, -EPERM, NULL, false},
        {"/", false, -EPERM, NULL, false},
        {"", false, -ENOENT, NULL, false},
        {"..", false, 0, "..", false}, /* with dots: for the caller to treat as such */
    };

    (void)unused;
    for (size_t i = 0; i < 2 * sizeof places / sizeof *places; i++) {
        struct path_root root = {.dir = root_dir(), .walk = i % 2 || !path_kernel_resolves()};
        struct path_place place;
        int result = path_locate(&root, places[i / 2].path, places[i / 2].follow, &place);

        assert_int_equal(result, places[i / 2].result);
        if (result == 0) {
            assert_string_equal(place.name, places[i / 2].name);
            assert_int_equal(place.slash, places[i / 2].slash);
            path_place_release(&place);
        }
        close(root.dir);
    }
}

static void test_long_and_deep(void **unused)
{
    struct path_root root = {.dir = root_dir(), .walk = true};
    char path[PATH_MAX + 100];
    int fd;

    (void)unused;
    memset(path, 'n', sizeof path);
    path[NAME_MAX + 1] = 0;
    assert_int_equal(path_open(&root, path, O_RDONLY, 0), -ENAMETOOLONG);
    path[NAME_MAX + 1] = 'n';
    path[sizeof path - 1] = 0;
    assert_int_equal(path_open(&root, path, O_RDONLY, 0), -ENAMETOOLONG);
    /* Up and down as long as a path can be: depth is what counts. */
    for (size_t i = 0; i + 5 < PATH_MAX; i += 5)
        memcpy(path + i, "a/../", 6);
    fd = path_open(&root, path, O_RDONLY, 0);
    assert_true(fd >= 0);
    close(fd);
    close(root.dir);
}

/* ---- Both ways agree ---- */

static uint64_t state = 4711;

static uint64_t draw(uint64_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 20) % below;
}

static void draw_path(char *to)
{
    static const char *const parts[] = {"a",   "b",   "c",    "text",    "to_a", "to_text", "up",
                                        "up2", "up3", "rel",  "abs",     "loop", "..",      "..",
                                        ".",   "",    "to_c", "nothing", "a",    "rel_text"};
    uint64_t count = 1 + draw(6);

    *to = 0;
    for (uint64_t i = 0; i < count; i++) {
        strcat(to, i ? "/" : "");
        strcat(to, parts[draw(sizeof parts / sizeof *parts)]);
    }
    if (draw(5) == 0)
        strcat(to, "/");
}

static void identity(int fd, char *to, size_t size)
{
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        snprintf(to, size, "%s", strerror(-fd));
        return;
    }
    snprintf(to, size, "inode %ju", (uintmax_t)st.st_ino);
    close(fd);
}

static void test_both_ways_agree(void **unused)
{
    static const int flags[] = {O_RDONLY,
                                O_RDONLY | O_DIRECTORY,
                                O_RDONLY | O_NOFOLLOW,
                                O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                                O_PATH,
                                O_PATH | O_NOFOLLOW,
                                O_PATH | O_DIRECTORY};
    struct path_root kernel = {.dir = root_dir()}, walk = {.dir = kernel.dir, .walk = true};
    int opened = 0;

    (void)unused;
    if (!path_kernel_resolves())
        skip();
    for (int i = 0; i < RANDOM_PATHS; i++) {
        int how = flags[draw(sizeof flags / sizeof *flags)];
        char path[256], a[64], b[64];
        int fd;

        draw_path(path);
        fd = path_open(&kernel, path, how, 0);
        opened += fd >= 0;
        identity(fd, a, sizeof a);
        identity(path_open(&walk, path, how, 0), b, sizeof b);
        if (strcmp(a, b) != 0)
            fail_msg("'%s' with %o: the kernel finds %s, the walk %s", path, (unsigned)how, a, b);
    }
    assert_true(opened > RANDOM_PATHS / 100);
    close(kernel.dir);
}

/* ---- Races ---- */

/* Exchanges two names under base until it is killed. */
static pid_t start_exchanging(const char *one, const char *other)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (volatile int rest = 0;; rest = 0) {
        renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
        while (rest < 5000) /* else the kernel's locks are held all the time */
            rest++;
    }
}

static void stop(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static bool reads_outside(int fd)
{
    char text[16] = "";

    assert_true(read(fd, text, sizeof text - 1) >= 0);
    close(fd);
    return strcmp(text, "inside") != 0;
}

/* To know that the race is one: without us it is lost sooner or later. */
static void lose_the_race(int dir, const char *path)
{
    for (;;) {
        int fd = openat(dir, path, O_RDONLY);

        if (fd >= 0 && reads_outside(fd))
            return;
    }
}

static void race_opening(const struct path_root *root, const char *path, int rounds)
{
    int opened = 0;

    for (int i = 0; i < rounds || !opened; i++) {
        int fd = path_open(root, path, O_RDONLY, 0);

        opened += fd >= 0;
        if (fd >= 0)
            assert_false(reads_outside(fd));
    }
}

static void race_creating(const struct path_root *root, const char *path, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        struct path_place place;

        if (path_locate(root, path, i % 2, &place) < 0)
            continue;
        if (mkdirat(place.parent, place.name, 0755) == 0)
            assert_int_equal(unlinkat(place.parent, place.name, AT_REMOVEDIR), 0);
        path_place_release(&place);
        assert_int_equal(access("outside/new", F_OK), -1);
    }
}

/* Who exchanges is killed at any moment: what it leaves behind is of no use to the next race. */
static void start_afresh(void)
{
    assert_int_equal(tear_down(NULL), 0);
    set_up(NULL);
}

static void race(bool walk, const char *one, const char *other, const char *path, int rounds)
{
    struct path_root root = {.walk = walk};
    pid_t child;

    start_afresh();
    root.dir = root_dir();
    child = start_exchanging(one, other);
    lose_the_race(root.dir, path);
    race_opening(&root, path, rounds);
    race_creating(&root, "a/new", rounds);
    stop(child);
    close(root.dir);
}

static void in_both_ways(const char *one, const char *other, const char *path, int rounds)
{
    race(true, one, other, path, rounds);
    if (path_kernel_resolves())
        race(false, one, other, path, rounds);
}

/* A directory becomes a link to outside, and back. */
static void test_race_with_a_link(void **unused)
{
    (void)unused;
    in_both_ways("root/a", "root/rel", "a/text", RACES);
}

/* A file becomes a link to one outside, and back. */
static void test_race_with_a_link_to_a_file(void **unused)
{
    (void)unused;
    in_both_ways("root/text", "root/rel_text", "text", RACES);
}

/*
 * The directory that '..' goes up from is moved out of the root, and back. Once is a narrow race:
 * hence up and down many times.
 */
static void test_race_with_the_way_up(void **unused)
{
    char path[PATH_MAX] = "a/";

    (void)unused;
    for (int i = 0; i < 100; i++)
        strcat(path, "b/../");
    strcat(path, "text");
    in_both_ways("root/a/b", "outside/b", path, LONG_RACES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases_walking),
        cmocka_unit_test(test_cases_by_the_kernel),
        cmocka_unit_test(test_creating),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_long_and_deep),
        cmocka_unit_test(test_both_ways_agree),
        cmocka_unit_test(test_race_with_a_link),
        cmocka_unit_test(test_race_with_a_link_to_a_file),
        cmocka_unit_test(test_race_with_the_way_up),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
