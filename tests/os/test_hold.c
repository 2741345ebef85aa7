/* hold: a program's descriptors, saved and had again by another process. */
#include "world.h"

#include "runner/changes.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { READING = RIGHT_FD_READ | RIGHT_FD_SEEK | RIGHT_FD_TELL, WRITING = RIGHT_FD_WRITE };

static bool no_proc; /* as where /proc is not mounted */

ssize_t __real_readlinkat(int dir, const char *path, char *to, size_t size);
ssize_t __wrap_readlinkat(int dir, const char *path, char *to, size_t size);
ssize_t __wrap_readlinkat(int dir, const char *path, char *to, size_t size)
{
    return no_proc ? -1 : __real_readlinkat(dir, path, to, size);
}

static int set_up(void **state)
{
    no_proc = world_walks = false;
    return world_set_up(state);
}

static int set_up_walking(void **state)
{
    no_proc = false;
    world_walks = true;
    return world_set_up(state);
}

static void assert_saved_as(uint32_t fd, const char *path)
{
    const struct state_fd *f = saved(fd);

    assert_non_null(f);
    assert_true(view_equal(f->path, view_of_string(path)));
}

static void assert_none_open(struct host *h, uint32_t fd)
{
    struct fd_entry *e;

    assert_int_equal(fds_get(&h->fds, fd, 0, &e), WASI_E_BADF);
}

/* ---- Files and directories ---- */

enum { READER = 5, WRITER, APPENDER, FOLDER, INNER };

static void look_at_files(struct host *h)
{
    struct stat st;

    assert_string_equal(read_from(h, READER), "456789");
    assert_int_equal(place_of(h, WRITER), 5);
    write_to(h, WRITER, " and more");
    write_to(h, APPENDER, "!");
    assert_true(fcntl(h->fds.entry[APPENDER].host, F_GETFL) & O_APPEND);
    assert_int_equal(h->fds.entry[FOLDER].filetype, FILETYPE_DIRECTORY);
    assert_string_equal(read_from(h, INNER), "inner");
    open_in(h, FOLDER, "deeper/text", 0, READING, 0);
    assert_int_equal(h->fds.entry[FOLDER + 3].host, -1);
    assert_int_equal(fstat(h->fds.entry[LENT].host, &st), 0);
    assert_true(h->fds.entry[LENT].read_only && !h->fds.entry[DATA].read_only);
}

static void test_files(void **state)
{
    (void)state;
    put_file("data/digits", "0123456789");
    assert_int_equal(mkdir("data/sub", 0755) | mkdir("data/sub/deeper", 0755), 0);
    put_file("data/sub/deeper/text", "inner");
    put_file("data/log", "log");
    assert_int_equal(open_in(&world, DATA, "digits", 0, READING, 0), READER);
    seek_to(&world, READER, 4);
    assert_int_equal(open_in(&world, DATA, "new", OFLAG_CREAT | OFLAG_EXCL, READING | WRITING, 0),
                     WRITER);
    write_to(&world, WRITER, "begun");
    assert_int_equal(open_in(&world, DATA, "log", 0, WRITING, FDFLAG_APPEND), APPENDER);
    assert_int_equal(open_in(&world, DATA, "./sub/", OFLAG_DIRECTORY, WORLD_RIGHTS, 0), FOLDER);
    assert_int_equal(open_in(&world, FOLDER, "deeper//./text", 0, READING, 0), INNER);

    assert_null(world_save());
    assert_int_equal(world_state.fd_count, 10);
    assert_saved_as(FOLDER, "sub");
    assert_saved_as(INNER, "sub/deeper/text");
    assert_true(saved(WRITER)->written && !saved(READER)->written);
    assert_int_equal(saved(READER)->offset, 4);
    assert_null(world_again(look_at_files));
    assert_string_equal(text_of("data/new"), "begun and more");
    assert_string_equal(text_of("data/log"), "log!");
}

static void look_at_numbers(struct host *h)
{
    assert_none_open(h, DATA);
    assert_none_open(h, 6);
    assert_string_equal(read_from(h, 5), "second");
    assert_int_equal(open_in(h, LENT, ".", OFLAG_DIRECTORY, WORLD_RIGHTS, 0), DATA);
}

/* Numbers are as they were, also if the directory that a file came from is closed. */
static void test_numbers(void **state)
{
    uint32_t first, second;

    (void)state;
    put_file("data/first", "first");
    put_file("data/second", "second");
    first = open_in(&world, DATA, "first", 0, READING, 0);
    second = open_in(&world, DATA, "second", 0, READING, 0);
    assert_true(first == 5 && second == 6);
    assert_int_equal(fds_renumber(&world.fds, second, first), WASI_E_SUCCESS);
    close_of(&world, DATA);

    assert_null(world_save());
    assert_null(saved(DATA));
    assert_int_equal(world_state.fd_count, 5);
    assert_saved_as(5, "second");
    assert_null(world_again(look_at_numbers));
}

/* ---- Paths ---- */

static void read_five(struct host *h)
{
    assert_string_equal(read_from(h, 5), "text");
}

/* Where a file is now counts, not what it was called when it was opened. */
static void test_renamed(void **state)
{
    (void)state;
    assert_int_equal(mkdir("data/a", 0755), 0);
    put_file("data/a/file", "text");
    open_in(&world, DATA, "a/file", 0, READING, 0);
    assert_int_equal(rename("data/a", "data/b") | rename("data/b/file", "data/b/moved"), 0);
    assert_int_equal(mkdir("data/a", 0755), 0);
    put_file("data/a/file", "other");
    assert_null(world_save());
    assert_saved_as(5, "b/moved");
    assert_null(world_again(read_five));

    no_proc = true;
    assert_string_equal(world_save(), "it has /data/a/file open, which has been removed, or moved "
                                      "out of reach, or replaced by another file");
}

/* The kernel says where a file is also to who cannot open what it says it by. */
static void test_inside_the_walls(void **state)
{
    pid_t child;
    int status;

    (void)state;
    put_file("data/file", "text");
    open_in(&world, DATA, "file", 0, READING, 0);
    assert_int_equal(rename("data/file", "data/moved"), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        world_wall_in(&world);
        _exit(!world_save() && view_equal(saved(5)->path, view_of_string("moved")) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_links_on_the_way(void **state)
{
    (void)state;
    assert_int_equal(mkdir("data/v1", 0755) | mkdir("data/v2", 0755), 0);
    put_file("data/v1/file", "text");
    put_file("data/v2/file", "other");
    assert_int_equal(symlink("v1", "data/current"), 0);
    open_in(&world, DATA, "current/file", 0, READING, 0);
    no_proc = true;
    assert_null(world_save());
    assert_saved_as(5, "current/file");
    assert_null(world_again(read_five));

    no_proc = false;
    assert_int_equal(unlink("data/current") | symlink("v2", "data/current"), 0);
    assert_null(world_save());
    assert_saved_as(5, "v1/file");
    assert_null(world_again(read_five));
}

/* ".." behind a link is not what it seems: the guess is found to be wrong, or there is none. */
static void test_dots(void **state)
{
    static const struct {
        const char *path, *kept; /* NULL: cannot be saved */
    } cases[] = {
        {"a/../file", "file"},     {"a/b/../../a/./file", "a/file"}, {"to_b/../file", NULL},
        {"to_b/../../file", NULL}, {"a/b/../file", "a/file"},
    };

    (void)state;
    assert_int_equal(mkdir("data/a", 0755) | mkdir("data/a/b", 0755), 0);
    put_file("data/file", "text");
    put_file("data/a/file", "text");
    assert_int_equal(symlink("a/b", "data/to_b"), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(open_in(&world, DATA, cases[i].path, 0, READING, 0), 5);
        no_proc = true;
        assert_int_equal(world_save() == NULL, cases[i].kept != NULL);
        if (cases[i].kept)
            assert_saved_as(5, cases[i].kept);
        no_proc = false;
        assert_null(world_save());
        assert_null(world_again(read_five));
        close_of(&world, 5);
    }
}

/* A path too long to be kept is found by the kernel, or says that it is not. */
static void test_long_paths(void **state)
{
    char name[256];
    uint32_t dir = DATA;

    (void)state;
    memset(name, 'n', 250);
    name[250] = 0;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(mkdirat(world.fds.entry[dir].host, name, 0755), 0);
        dir = open_in(&world, dir, name, OFLAG_DIRECTORY, WORLD_RIGHTS, 0);
    }
    assert_null(world.fds.entry[dir].path);
    assert_non_null(strstr(world_save(), "it has /data/... open, which "));
}

/* ---- What cannot be stopped ---- */

static void test_removed(void **state)
{
    (void)state;
    put_file("data/file", "text");
    open_in(&world, DATA, "file", 0, READING, 0);
    assert_null(world_save());
    assert_int_equal(unlink("data/file"), 0);
    assert_string_equal(world_save(), "it has /data/file open, which has been removed, or moved "
                                      "out of reach, or replaced by another file");
    put_file("data/file", "other");
    put_file("data/file (deleted)", "not this either");
    assert_non_null(world_save());
    close_of(&world, 5);
    assert_null(world_save());
}

static void test_moved_out(void **state)
{
    (void)state;
    assert_int_equal(mkdir("data2", 0755), 0);
    put_file("data/file", "text");
    open_in(&world, DATA, "file", 0, READING, 0);
    assert_int_equal(rename("data/file", "data2/file"), 0);
    assert_non_null(world_save());
}

static void test_pipes_and_connections(void **state)
{
    struct fd_entry connection = {.host = open("/dev/null", O_RDWR)};
    uint32_t fd;

    (void)state;
    assert_int_equal(mkfifo("data/pipe", 0644), 0);
    fd = open_in(&world, DATA, "pipe", 0, READING | WRITING, 0);
    assert_string_equal(world_save(),
                        "it has /data/pipe open, which is a pipe: what is in it would be lost");
    close_of(&world, fd);
    assert_int_equal(fds_add_take(&world.fds, &connection, &fd), WASI_E_SUCCESS);
    assert_string_equal(world_save(),
                        "it has accepted a connection (descriptor 5), which ends here");
}

enum { PATH_OPEN = 32, PATH_UNLINK = 37, FD_READ = 21, FD_WRITE = 27 }; /* calls.h */

static bool changes(uint32_t number, uint32_t fd, uint32_t oflags)
{
    const union tern_cell a[9] = {{.i32 = fd}, [4] = {.i32 = oflags}};

    return changes_files(&world, number, a);
}

static void test_what_changes_files(void **state)
{
    const uint32_t fd = open_in(&world, DATA, "file", OFLAG_CREAT, WORLD_RIGHTS, 0);

    (void)state;
    assert_true(changes(FD_WRITE, fd, 0));
    assert_false(changes(FD_WRITE, 1, 0)); /* standard output */
    assert_false(changes(FD_WRITE, FDS_MAX, 0));
    assert_false(changes(FD_READ, fd, 0));
    assert_false(changes(PATH_OPEN, DATA, 0));
    assert_true(changes(PATH_OPEN, DATA, OFLAG_CREAT));
    assert_true(changes(PATH_OPEN, DATA, OFLAG_TRUNC));
    assert_true(changes(PATH_UNLINK, DATA, 0));
    world.files_changed = true;
    assert_null(world_save());
    assert_true(world_state.files_changed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files, set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_files, set_up_walking, world_tear_down),
        cmocka_unit_test_setup_teardown(test_numbers, set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_inside_the_walls, set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_renamed, set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_links_on_the_way, set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_dots, set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_long_paths, set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_removed, set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_what_changes_files, set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_moved_out, set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(test_pipes_and_connections, set_up, world_tear_down),
    };

    return cmocka_run_group_tests_name("hold", tests, NULL, NULL);
}
