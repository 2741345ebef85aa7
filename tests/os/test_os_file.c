#include "folder.h"

#include "os/file.h"
#include "os/sys.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_contents(const char *path, const char *wanted)
{
    struct bytes b = {0};

    assert_int_equal(file_read(path, 1 << 20, &b), TERN_OK);
    assert_int_equal(b.size, strlen(wanted));
    assert_memory_equal(b.data, wanted, b.size);
    bytes_release(&b);
}

static void reads_up_to_its_limit(void **state)
{
    const char *path = folder_name(*state, "five");
    struct bytes b = {0};

    assert_int_equal(file_write(path, view_of_string("12345")), TERN_OK);
    assert_int_equal(file_read(path, 5, &b), TERN_OK);
    assert_int_equal(b.size, 5);
    bytes_release(&b);
    assert_int_equal(file_read(path, 4, &b), TERN_ETOOBIG);
    assert_null(b.data);
    assert_int_equal(file_read(path, 0, &b), TERN_ETOOBIG);
}

static void reads_what_has_no_size(void **state)
{
    enum { SIZE = 200000 };
    static char text[SIZE];
    struct bytes b = {0};
    int ends[2];

    (void)state;
    assert_int_equal(file_read("/dev/null", 10, &b), TERN_OK);
    assert_int_equal(b.size, 0);
    bytes_release(&b);
    assert_int_equal(file_read("/dev/zero", 100000, &b), TERN_ETOOBIG);
    assert_int_equal(sys_pipe(ends), 0);
    memset(text, 'x', sizeof text);
    assert_int_equal(sys_write(ends[1], text, 5000), 5000);
    sys_close(ends[1]);
    assert_int_equal(file_read_fd(ends[0], 5000, &b), TERN_OK);
    assert_int_equal(b.size, 5000);
    sys_close(ends[0]);
    bytes_release(&b);
}

static void says_why_it_cannot_read(void **state)
{
    struct bytes b = {0};

    assert_int_equal(file_read(folder_name(*state, "nothing"), 10, &b), TERN_ENOENT);
    assert_int_equal(file_read(folder_name(*state, "nothing/below"), 10, &b), TERN_ENOENT);
    assert_int_equal(file_read(((struct folder *)*state)->path, 10, &b), TERN_EIO);
}

static void replaces_in_one_step(void **state)
{
    struct folder *f = *state;
    const struct view parts[] = {view_of_string("new "), view_of_string("text")};

    assert_int_equal(file_write(folder_name(f, "file"), view_of_string("old")), TERN_OK);
    assert_int_equal(file_replace(f->fd, "file", parts, 2), TERN_OK);
    assert_contents(folder_name(f, "file"), "new text");
    assert_int_equal(folder_count(f), 1);
}

static void replaces_links_not_what_they_lead_to(void **state)
{
    struct folder *f = *state;
    const struct view text = view_of_string("new");

    assert_int_equal(file_write(folder_name(f, "target"), view_of_string("old")), TERN_OK);
    assert_int_equal(symlink("target", folder_name(f, "link")), 0);
    assert_int_equal(file_replace(f->fd, "link", &text, 1), TERN_OK);
    assert_contents(folder_name(f, "target"), "old");
    assert_contents(folder_name(f, "link"), "new");
    assert_int_equal(file_write(folder_name(f, "link2"), text), TERN_OK);
    assert_int_equal(unlink(folder_name(f, "link2")), 0);
    assert_int_equal(symlink("target", folder_name(f, "link2")), 0);
    assert_int_equal(file_write(folder_name(f, "link2"), text), TERN_EACCES);
}

static void sealed_means_sealed(void **state)
{
    int fd = -1;
    char read_back[8];

    (void)state;
    assert_int_equal(file_sealed("test", view_of_string("sealed"), &fd), TERN_OK);
    assert_int_equal(sys_pread(fd, read_back, sizeof read_back, 0), 6);
    assert_memory_equal(read_back, "sealed", 6);
    assert_true(sys_write(fd, "x", 1) < 0);
    assert_true(sys_ftruncate(fd, 0) < 0);
    assert_true(sys_ftruncate(fd, 100) < 0);
    assert_null(sys_map(fd, 6, PROT_READ | PROT_WRITE));
    assert_true(sys_seal(fd, F_SEAL_WRITE) < 0);
    sys_close(fd);
    assert_int_equal(file_sealed("empty", view_of(NULL, 0), &fd), TERN_OK);
    sys_close(fd);
}

static void removes_trees_but_follows_no_links(void **state)
{
    struct folder *f = *state;

    assert_int_equal(file_write(folder_name(f, "outside"), view_of_string("x")), TERN_OK);
    assert_int_equal(sys_mkdir(folder_name(f, "tree"), 0700), 0);
    assert_int_equal(sys_mkdir(folder_name(f, "tree/a"), 0700), 0);
    assert_int_equal(sys_mkdir(folder_name(f, "tree/a/b"), 0700), 0);
    assert_int_equal(file_write(folder_name(f, "tree/a/b/c"), view_of_string("x")), TERN_OK);
    assert_int_equal(symlink("..", folder_name(f, "tree/up")), 0);
    file_remove_tree(folder_name(f, "tree"));
    assert_int_equal(folder_count(f), 1);
    file_remove_tree(folder_name(f, "tree")); /* is gone: no complaint */
}

static void private_directories(void **state)
{
    struct folder *f = *state;
    const char *made = folder_name(f, "a/b/c");
    struct problem p;
    struct stat st;
    int fd = -1;

    assert_int_equal(dirs_open_existing(made, &fd, &p), TERN_ENOENT);
    assert_int_equal(dirs_open_private(made, &fd, &p), TERN_OK);
    assert_int_equal(sys_fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    sys_close(fd);
    assert_int_equal(chmod(made, 0720), 0);
    assert_int_equal(dirs_open_private(made, &fd, &p), TERN_EUNSAFE);
    assert_int_equal(chmod(made, 0755), 0);
    assert_int_equal(dirs_open_private(made, &fd, &p), TERN_OK);
    sys_close(fd);
    assert_int_equal(symlink("a", folder_name(f, "link")), 0);
    assert_int_equal(dirs_open_private(folder_name(f, "link"), &fd, &p), TERN_EUNSAFE);
    assert_int_equal(file_write(folder_name(f, "file"), view_of_string("x")), TERN_OK);
    assert_int_not_equal(dirs_open_private(folder_name(f, "file"), &fd, &p), TERN_OK);
    assert_int_not_equal(dirs_open_private(folder_name(f, "file/x"), &fd, &p), TERN_OK);
}

static void cache_path_by_the_rules(void **state)
{
    static const struct {
        const char *chosen, *xdg, *home, *wanted;
    } cases[] = {
        {"/c", "/x", "/h", "/c"},
        {"c", NULL, NULL, "c"},
        {NULL, "/x", "/h", "/x/tern"},
        {"", "/x", "/h", "/x/tern"},
        {NULL, "x", "/h", "/h/.cache/tern"},
        {NULL, NULL, "/h", "/h/.cache/tern"},
        {NULL, "", "", NULL},
        {NULL, NULL, "relative", NULL},
    };
    char path[DIRS_PATH_MAX], longest[2 * DIRS_PATH_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum tern_err err =
            dirs_cache_path(cases[i].chosen, cases[i].xdg, cases[i].home, path, NULL);

        assert_int_equal(err, cases[i].wanted ? TERN_OK : TERN_ENOENT);
        if (cases[i].wanted)
            assert_string_equal(path, cases[i].wanted);
    }
    memset(longest, '/', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_int_equal(dirs_cache_path(longest, NULL, NULL, path, NULL), TERN_ETOOBIG);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, folder_setup, folder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(reads_up_to_its_limit),
        TEST(reads_what_has_no_size),
        TEST(says_why_it_cannot_read),
        TEST(replaces_in_one_step),
        TEST(replaces_links_not_what_they_lead_to),
        TEST(sealed_means_sealed),
        TEST(removes_trees_but_follows_no_links),
        TEST(private_directories),
        TEST(cache_path_by_the_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
