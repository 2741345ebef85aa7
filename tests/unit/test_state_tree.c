/* state_tree: what is encoded is what is decoded; what is no tree is refused, by name. */
#include "wire/state_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * A tree with each kind of thing: "file" and "dir/again" are one file of 10,000 bytes with a hole,
 * "dir" is a directory, "link" a symbolic link; inode 7 has been removed and is open.
 */
struct sample {
    struct state_tree t;
    struct state_node nodes[5];
    struct state_entry root[3], dir[1];
    struct state_run runs[2];
};

enum { ROOT, FILE_NODE, DIR_NODE, LINK_NODE, REMOVED, NODES };

static const uint64_t held[] = {7};

static struct sample *make(struct sample *s)
{
    *s = (struct sample){
        .root = {{3, 2, view_of_string("file")},
                 {5, 3, view_of_string("dir")},
                 {6, 4, view_of_string("link")}},
        .dir = {{3, 2, view_of_string("again")}},
        .runs = {{0, 1, 9}, {2, 1, 4}},
    };
    s->nodes[ROOT] = (struct state_node){.number = 1,
                                         .kind = STATE_NODE_DIRECTORY,
                                         .links = 3,
                                         .mtime_ns = 77,
                                         .next_cookie = 9,
                                         .entries = s->root,
                                         .entry_count = 3};
    s->nodes[FILE_NODE] = (struct state_node){.number = 2,
                                              .kind = STATE_NODE_FILE,
                                              .links = 2,
                                              .size = 10000,
                                              .runs = s->runs,
                                              .run_count = 2};
    s->nodes[DIR_NODE] = (struct state_node){.number = 3,
                                             .kind = STATE_NODE_DIRECTORY,
                                             .links = 2,
                                             .next_cookie = 4,
                                             .entries = s->dir,
                                             .entry_count = 1};
    s->nodes[LINK_NODE] = (struct state_node){
        .number = 4, .kind = STATE_NODE_LINK, .links = 1, .target = view_of_string("/../dir/.")};
    s->nodes[REMOVED] = (struct state_node){.number = 7, .kind = STATE_NODE_FILE};
    s->t = (struct state_tree){.next_number = 8, .nodes = s->nodes, .node_count = NODES};
    return s;
}

static void test_round_trip(void **unused)
{
    struct arena arena = {0};
    struct bytes b = {0}, again = {0};
    struct state_tree t;
    struct sample s;

    (void)unused;
    make(&s);
    assert_int_equal(state_tree_encode(&s.t, &b), TERN_OK);
    assert_int_equal(state_tree_decode(&t, bytes_view(&b), &arena), TERN_OK);
    assert_int_equal(state_tree_check(&t, held, 1, NULL), TERN_OK);
    assert_int_equal(t.nodes[FILE_NODE].runs[1].arena, 4);
    assert_int_equal(t.nodes[ROOT].mtime_ns, 77);
    assert_true(view_equal(t.nodes[DIR_NODE].entries[0].name, view_of_string("again")));
    assert_int_equal(state_tree_encode(&t, &again), TERN_OK);
    assert_true(view_equal(bytes_view(&b), bytes_view(&again)));
    for (size_t size = 0; size < b.size; size++) {
        uint8_t *copy = malloc(size + 1); /* of exactly this size, for sanitizers */

        assert_non_null(copy);
        memcpy(copy, b.data, size);
        assert_int_equal(state_tree_decode(&t, view_of(copy, size), &arena), TERN_EPROTO);
        assert_int_equal(t.node_count, 0);
        free(copy);
    }
    bytes_append_byte(&b, 0);
    assert_int_equal(state_tree_decode(&t, bytes_view(&b), &arena), TERN_EPROTO);
    arena_release(&arena);
    bytes_release(&b);
    bytes_release(&again);
}

static void test_find(void **unused)
{
    struct sample s;

    (void)unused;
    make(&s);
    for (uint32_t i = 0; i < NODES; i++)
        assert_ptr_equal(state_tree_find(&s.t, s.nodes[i].number), &s.nodes[i]);
    assert_null(state_tree_find(&s.t, 0));
    assert_null(state_tree_find(&s.t, 5));
    assert_null(state_tree_find(&s.t, 8));
}

/* ---- What is no tree ---- */

static void no_root(struct sample *s)
{
    s->t.nodes++;
    s->t.node_count--;
}

static void empty(struct sample *s)
{
    s->t.node_count = 0;
}

static void not_in_order(struct sample *s)
{
    s->nodes[REMOVED].number = 4;
}

static void number_to_come(struct sample *s)
{
    s->t.next_number = 7;
}

static void no_kind(struct sample *s)
{
    s->nodes[LINK_NODE].kind = 4;
}

static void name_with_slash(struct sample *s)
{
    s->dir[0].name = view_of_string("a/b");
}

static void name_dots(struct sample *s)
{
    s->dir[0].name = view_of_string("..");
}

static void no_name(struct sample *s)
{
    s->dir[0].name.size = 0;
}

static void long_name(struct sample *s)
{
    static const char name[TREE_NAME_BYTES_MAX + 1] = "x";

    s->dir[0].name = view_of(name, sizeof name);
}

static void name_twice(struct sample *s)
{
    s->root[2].name = view_of_string("file");
}

static void leads_to_nothing(struct sample *s)
{
    s->dir[0].inode = 6;
}

static void cookies_back(struct sample *s)
{
    s->root[2].cookie = 5;
}

static void cookie_of_dots(struct sample *s)
{
    s->root[0].cookie = 2;
}

static void cookie_to_come(struct sample *s)
{
    s->nodes[ROOT].next_cookie = 6;
}

static void wrong_links(struct sample *s)
{
    s->nodes[FILE_NODE].links = 1;
}

static void wrong_directory_links(struct sample *s)
{
    s->nodes[ROOT].links = 2;
}

static void directory_twice(struct sample *s)
{
    s->dir[0].inode = 3;
    s->nodes[FILE_NODE].links = 1;
}

static void root_below_itself(struct sample *s)
{
    s->dir[0].inode = 1;
    s->nodes[FILE_NODE].links = 1;
    s->nodes[DIR_NODE].links = 3;
}

/* "dir" is only in itself: in a circle, which nothing leads to. */
static void circle(struct sample *s)
{
    s->root[1].inode = 2;
    s->dir[0].inode = 3;
    s->nodes[ROOT].links = 2;
    s->nodes[DIR_NODE].links = 3;
}

static void lost(struct sample *s)
{
    s->nodes[ROOT].entry_count = 2;
}

static void removed_not_open(struct sample *s)
{
    s->nodes[REMOVED].number = 6;
}

static void removed_with_entries(struct sample *s)
{
    s->nodes[REMOVED].kind = STATE_NODE_DIRECTORY;
    s->nodes[REMOVED].next_cookie = 4;
    s->nodes[REMOVED].entries = s->dir;
    s->nodes[REMOVED].entry_count = 1;
    s->nodes[FILE_NODE].links = 3;
}

static void run_behind_end(struct sample *s)
{
    s->runs[1].count = 2;
}

static void runs_overlap(struct sample *s)
{
    s->runs[1].page = 0;
}

static void run_of_holes(struct sample *s)
{
    s->runs[0].arena = 0;
}

static void run_of_none(struct sample *s)
{
    s->runs[0].count = 0;
}

static void too_large(struct sample *s)
{
    s->nodes[FILE_NODE].size = TREE_FILE_BYTES_MAX + 1;
}

static void link_nowhere(struct sample *s)
{
    s->nodes[LINK_NODE].target.size = 0;
}

static void link_with_zero(struct sample *s)
{
    s->nodes[LINK_NODE].target = view_of("a\0b", 3);
}

static void file_with_target(struct sample *s)
{
    s->nodes[FILE_NODE].target = view_of_string("x");
}

static void directory_with_size(struct sample *s)
{
    s->nodes[DIR_NODE].size = 1;
}

static void file_with_entries(struct sample *s)
{
    s->nodes[FILE_NODE].entries = s->dir;
    s->nodes[FILE_NODE].entry_count = 1;
}

static const struct {
    void (*spoil)(struct sample *s);
    const char *words;
} cases[] = {
    {no_root, "no root"},
    {empty, "no root"},
    {not_in_order, "not in order"},
    {number_to_come, "not in order"},
    {no_kind, "kind is unknown"},
    {name_with_slash, "no file can have"},
    {name_dots, "no file can have"},
    {no_name, "no file can have"},
    {long_name, "no file can have"},
    {name_twice, "twice"},
    {leads_to_nothing, "leads to nothing"},
    {cookies_back, "entries are not in order"},
    {cookie_of_dots, "entries are not in order"},
    {cookie_to_come, "entries are not in order"},
    {wrong_links, "number of links"},
    {wrong_directory_links, "number of links"},
    {directory_twice, "more names than one"},
    {root_below_itself, "more names than one"},
    {circle, "no path leads to it"},
    {lost, "no path leads to it"},
    {removed_not_open, "there is none"},
    {removed_with_entries, "has entries"},
    {run_behind_end, "behind its end"},
    {runs_overlap, "overlap"},
    {run_of_holes, "makes no sense"},
    {run_of_none, "makes no sense"},
    {too_large, "larger than a file"},
    {link_nowhere, "no symbolic link"},
    {link_with_zero, "no path"},
    {file_with_target, "no symbolic link"},
    {directory_with_size, "no file, but has contents"},
    {file_with_entries, "no directory, but has entries"},
};

static void test_refused(void **unused)
{
    struct sample s;

    (void)unused;
    assert_int_equal(state_tree_check(&make(&s)->t, held, 1, NULL), TERN_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct problem p = {.text = ""};

        make(&s);
        cases[i].spoil(&s);
        if (state_tree_check(&s.t, held, 1, &p) != TERN_EINVALID || !strstr(p.text, cases[i].words))
            fail_msg("case %zu: '%s' instead of '%s'", i, p.text, cases[i].words);
    }
}

static void test_removed_and_closed(void **unused)
{
    struct problem p;
    struct sample s;

    (void)unused;
    assert_int_equal(state_tree_check(&make(&s)->t, NULL, 0, &p), TERN_EINVALID);
    assert_non_null(strstr(p.text, "has been removed and is not open"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_removed_and_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
