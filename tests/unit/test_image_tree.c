/* image: the private file tree in it, its golden image, and what is refused of it. */
#include "image_forge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * The tree: "a", 9,000 bytes with a hole in the middle, also called "d/b"; "big", 5 MiB with one
 * list; "d"; "l", a link; and an open file that was removed. The golden image holds the same: what
 * add_tree makes must not change.
 */
static struct tree_sample {
    struct state_tree t;
    struct state_node nodes[6];
    struct state_entry root[4], dir[1];
    struct image_file files[6];
    struct image_list lists[1];
    uint8_t names[3 * IMAGE_HASH_BYTES], list[IMAGE_HASH_BYTES];
} own;

enum { ROOT, SMALL, BIG, DIR_NODE, LINK_NODE, REMOVED, NODES };
enum { OWN_ROOT = 3, OWN_FILE = 4, OWN_DIR = 5 }; /* in the sample's descriptors */

static const char *golden_folder;

static void make_nodes(void)
{
    own.root[0] = (struct state_entry){3, 2, view_of_string("a")};
    own.root[1] = (struct state_entry){4, 3, view_of_string("big")};
    own.root[2] = (struct state_entry){6, 4, view_of_string("d")};
    own.root[3] = (struct state_entry){9, 7, view_of_string("l")};
    own.dir[0] = (struct state_entry){3, 2, view_of_string("b")};
    own.nodes[ROOT] = (struct state_node){
        .number = 1, .kind = 2, .links = 3, .mtime_ns = 5, .next_cookie = 11, .entry_count = 4};
    own.nodes[SMALL] = (struct state_node){.number = 2,
                                           .kind = 1,
                                           .links = 2,
                                           .size = 9000,
                                           .atime_ns = 1,
                                           .mtime_ns = 2,
                                           .ctime_ns = 3};
    own.nodes[BIG] = (struct state_node){.number = 3, .kind = 1, .links = 1, .size = 5 << 20};
    own.nodes[DIR_NODE] =
        (struct state_node){.number = 4, .kind = 2, .links = 2, .next_cookie = 4, .entry_count = 1};
    own.nodes[LINK_NODE] = (struct state_node){
        .number = 7, .kind = 3, .links = 1, .target = view_of_string("../d/./b")};
    own.nodes[REMOVED] = (struct state_node){.number = 8, .kind = 1, .size = 1 << 20};
    own.nodes[ROOT].entries = own.root;
    own.nodes[DIR_NODE].entries = own.dir;
}

static void make_files(void)
{
    memset(own.names, 0x11, IMAGE_HASH_BYTES);
    memset(own.names + 2 * IMAGE_HASH_BYTES, 0x22, IMAGE_HASH_BYTES);
    memset(own.list, 0x33, sizeof own.list);
    own.lists[0] = (struct image_list){1, own.list};
    own.files[SMALL] = (struct image_file){.pages = own.names, .page_count = 3};
    own.files[BIG] = (struct image_file){.lists = own.lists, .list_count = 1};
}

static void own_fd(struct state_fd *fd, uint8_t kind, uint64_t inode)
{
    const uint32_t number = fd->number;

    *fd = (struct state_fd){.number = number,
                            .kind = kind,
                            .filetype = kind == STATE_FD_TREE_FILE ? 4 : 3,
                            .rights = 0x66,
                            .inode = inode};
}

static void add_tree(struct sample *s)
{
    own = (struct tree_sample){.t = {.next_number = 9, .node_count = NODES}};
    make_nodes();
    make_files();
    own.t.nodes = own.nodes;
    s->image.state.tree = &own.t;
    s->image.files = own.files;
    s->image.limits_files_bytes = 1 << 30;
    own_fd(&s->fds[OWN_ROOT], STATE_FD_TREE, 1);
    own_fd(&s->fds[OWN_FILE], STATE_FD_TREE_FILE, 8);
    s->fds[OWN_FILE].flags = 1;
    s->fds[OWN_FILE].offset = 12345;
    own_fd(&s->fds[OWN_DIR], STATE_FD_TREE_DIRECTORY, 4);
}

static struct bytes encode(const struct image *image)
{
    struct bytes b = {0};

    assert_int_equal(image_encode(image, &b), TERN_OK);
    return b;
}

static struct bytes read_golden(const char *name)
{
    struct bytes b = {0};
    char path[4096];
    uint8_t *room = bytes_reserve(&b, 1 << 16);
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", golden_folder, name);
    f = fopen(path, "rb");
    assert_non_null(f);
    assert_non_null(room);
    b.size = fread(room, 1, 1 << 16, f);
    fclose(f);
    return b;
}

static void assert_same_tree(const struct image *image)
{
    struct bytes one = {0}, other = {0};
    const struct image_file *files = image->files;

    assert_int_equal(state_tree_encode(&own.t, &one), TERN_OK);
    assert_int_equal(state_tree_encode(image->state.tree, &other), TERN_OK);
    assert_true(view_equal(bytes_view(&one), bytes_view(&other)));
    assert_int_equal(files[SMALL].page_count, 3);
    assert_memory_equal(files[SMALL].pages, own.names, sizeof own.names);
    assert_int_equal(files[BIG].list_count, 1);
    assert_int_equal(files[BIG].lists[0].index, 1);
    assert_memory_equal(files[BIG].lists[0].name, own.list, sizeof own.list);
    assert_int_equal(image->state.fds[OWN_FILE].inode, 8);
    assert_int_equal(image->limits_files_bytes, 1 << 30);
    bytes_release(&one);
    bytes_release(&other);
}

static void test_golden(void **unused)
{
    struct bytes golden = read_golden("image-1-files.bin"), b;
    struct problem p = {.text = ""};
    struct image image;

    (void)unused;
    sample_init(&sample);
    add_tree(&sample);
    assert_accepted();
    b = encode(&sample.image);
    assert_true(view_equal(bytes_view(&golden), bytes_view(&b)));
    bytes_release(&b);
    if (image_decode(&image, bytes_view(&golden), &p) != TERN_OK)
        fail_msg("%s", p.text);
    assert_same_tree(&image);
    assert_int_equal(check_sample(&image, &p), TERN_OK);
    b = encode(&image);
    assert_true(view_equal(bytes_view(&golden), bytes_view(&b)));
    bytes_release(&b);
    image_release(&image);
    bytes_release(&golden);
    sample_release(&sample);
}

/* ---- Forgeries; what is no tree at all: test_state_tree.c ---- */

static void no_tree(struct sample *s)
{
    add_tree(s);
    s->image.state.tree = NULL;
    s->image.limits_files_bytes = 0;
}

static void no_limit(struct sample *s)
{
    add_tree(s);
    s->image.limits_files_bytes = 0;
}

static void limit_without_tree(struct sample *s)
{
    s->image.limits_files_bytes = 4096;
}

static void odd_limit(struct sample *s)
{
    add_tree(s);
    s->image.limits_files_bytes = 4097;
}

static void huge_limit(struct sample *s)
{
    add_tree(s);
    s->image.limits_files_bytes = UINT64_C(1) << 50;
}

static void a_circle(struct sample *s)
{
    add_tree(s);
    own.root[2].inode = 2;
    own.dir[0].inode = 4;
    own.nodes[ROOT].links = 2;
    own.nodes[DIR_NODE].links = 3;
}

static void removed_is_closed(struct sample *s)
{
    add_tree(s);
    own_fd(&s->fds[OWN_FILE], STATE_FD_TREE_FILE, 2);
}

static void a_page_too_few(struct sample *s)
{
    add_tree(s);
    own.files[SMALL].page_count = 2;
}

static void small_with_lists(struct sample *s)
{
    add_tree(s);
    own.files[SMALL] = own.files[BIG];
}

static void big_with_pages(struct sample *s)
{
    add_tree(s);
    own.files[BIG] = own.files[SMALL];
}

static void list_behind_end(struct sample *s)
{
    add_tree(s);
    own.lists[0].index = 2;
}

static void list_of_holes(struct sample *s)
{
    add_tree(s);
    memset(own.list, 0, sizeof own.list);
}

static void pages_of_a_link(struct sample *s)
{
    add_tree(s);
    own.files[LINK_NODE] = own.files[SMALL];
}

static void fd_of_nothing(struct sample *s)
{
    add_tree(s);
    s->fds[OWN_FILE].inode = 5;
}

static void fd_of_a_link(struct sample *s)
{
    add_tree(s);
    s->fds[OWN_FILE].inode = 7;
}

static void fd_of_another_kind(struct sample *s)
{
    add_tree(s);
    s->fds[OWN_DIR].inode = 2;
}

static void fd_file_is_directory(struct sample *s)
{
    add_tree(s);
    s->fds[OWN_FILE].filetype = 3;
}

static void fd_root_elsewhere(struct sample *s)
{
    add_tree(s);
    s->fds[OWN_ROOT].inode = 4;
}

static void fd_far_out(struct sample *s)
{
    add_tree(s);
    s->fds[OWN_FILE].offset = TREE_FILE_BYTES_MAX + 1;
}

static void fd_with_source(struct sample *s)
{
    add_tree(s);
    s->fds[OWN_FILE].source = 1;
}

static void fd_with_path(struct sample *s)
{
    add_tree(s);
    s->fds[OWN_FILE].path = view_of_string("a");
}

static void lent_with_inode(struct sample *s)
{
    s->fds[4].inode = 1;
}

static const struct forgery forgeries[] = {
    {no_tree, "there is no file tree"},
    {no_limit, "the limit on its files is none"},
    {limit_without_tree, "the limit on its files is none"},
    {odd_limit, "the limit on its files is none"},
    {huge_limit, "the limit on its files is none"},
    {a_circle, "file tree, inode 4: no path leads to it"},
    {removed_is_closed, "file tree, inode 8: it has been removed and is not open"},
    {a_page_too_few, "file tree, inode 2: it has not as many names of pages"},
    {small_with_lists, "file tree, inode 2: its pages are named in another way"},
    {big_with_pages, "file tree, inode 3: its pages are named in another way"},
    {list_behind_end, "file tree, inode 3: it has a list of pages behind its end"},
    {list_of_holes, "file tree, inode 3: it has a list of pages without a name"},
    {pages_of_a_link, "file tree, inode 7: it has not as many names of pages"},
    {fd_of_nothing, "descriptor 7: the file tree has no such inode"},
    {fd_of_a_link, "descriptor 7: its inode is of another kind"},
    {fd_of_another_kind, "descriptor 1023: its inode is of another kind"},
    {fd_file_is_directory, "descriptor 7: its kind says something else"},
    {fd_root_elsewhere, "it is not the root of the file tree"},
    {fd_far_out, "descriptor 7: its offset is larger than any can be"},
    {fd_with_source, "descriptor 7: it is one of the program's own files"},
    {fd_with_path, "descriptor 7: it has a path, which its kind has not"},
    {lent_with_inode, "descriptor 7: it has an inode, which its kind has not"},
};

static void test_forgeries(void **unused)
{
    (void)unused;
    assert_all_forged(forgeries, sizeof forgeries / sizeof *forgeries);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_forgeries),
    };

    golden_folder = argc > 1 ? argv[1] : "tests/golden";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
