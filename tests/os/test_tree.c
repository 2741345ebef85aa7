/*
 * tree: two trees that are given the same drawn operations, one of which is stopped again and
 * again, written down and had again in another arena. They answer alike and end alike; and what was
 * in the arena when it stopped stays there until it stops once more.
 */
#include "runner/tree_io.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    ROUNDS = 40,
    STEPS = 1500,
    OPEN = 6,
    PAGES_MAX = 120, /* few: so that the limit is met */
    BUFFER = 30000,
    WHOLE = 200000,
};

struct subject {
    struct tree t;
    struct tree_node *open[OPEN];
};

static struct subject steady, moving;
static uint8_t buffer[2][BUFFER];
static uint64_t seed;
static uint64_t clock_ns;

static uint32_t draw(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

/* ---- Trees ---- */

static int new_arena(void)
{
    const int fd = memfd_create("arena", MFD_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static void begin(struct subject *s)
{
    struct state_node root = {
        .number = TREE_ROOT, .kind = STATE_NODE_DIRECTORY, .links = 2, .next_cookie = 3};
    const struct state_tree empty = {TREE_ROOT + 1, &root, 1};

    *s = (struct subject){.open = {NULL}};
    assert_int_equal(tree_restore(&s->t, &empty, PAGES_MAX, false), WASI_E_SUCCESS);
    s->t.arena = new_arena();
}

static void end(struct subject *s)
{
    const int arena = s->t.arena;

    tree_release(&s->t);
    close(arena);
}

/* ---- Stopping ---- */

static struct { /* what a checkpoint would read */
    uint32_t count;
    uint32_t page[3 * PAGES_MAX];
    uint8_t bytes[3 * PAGES_MAX][TREE_PAGE_BYTES];
} captured;

static void assert_captured(const struct subject *s)
{
    uint8_t now[TREE_PAGE_BYTES];

    for (uint32_t i = 0; i < captured.count; i++) {
        assert_int_equal(
            pread(s->t.arena, now, sizeof now, (off_t)captured.page[i] * TREE_PAGE_BYTES),
            sizeof now);
        assert_memory_equal(now, captured.bytes[i], sizeof now);
    }
}

static void capture(const struct subject *s, const struct state_tree *t)
{
    captured.count = 0;
    for (uint32_t i = 0; i < t->node_count; i++) {
        for (uint32_t k = 0; k < t->nodes[i].run_count; k++) {
            const struct state_run *r = &t->nodes[i].runs[k];

            for (uint32_t j = 0; j < r->count; j++) {
                const uint32_t at = captured.count++;

                assert_true(at < 3 * PAGES_MAX);
                captured.page[at] = r->arena + j;
                assert_int_equal(pread(s->t.arena, captured.bytes[at], TREE_PAGE_BYTES,
                                       (off_t)captured.page[at] * TREE_PAGE_BYTES),
                                 TREE_PAGE_BYTES);
            }
        }
    }
}

/* As a checkpoint that is loaded: page after page, wherever they were. */
static int copy_arena(const struct subject *s, struct state_tree *t)
{
    static struct state_run runs[3 * PAGES_MAX];
    const int to = new_arena();
    uint32_t next = 1, at = 0;

    for (uint32_t i = 0; i < t->node_count; i++) {
        const struct state_run *from = t->nodes[i].runs;
        const uint32_t count = t->nodes[i].run_count;

        t->nodes[i].runs = &runs[at];
        for (uint32_t k = 0; k < count; k++) {
            runs[at++] = (struct state_run){from[k].page, from[k].count, next};
            for (uint32_t j = 0; j < from[k].count; j++, next++) {
                uint8_t page[TREE_PAGE_BYTES];

                assert_int_equal(pread(s->t.arena, page, sizeof page,
                                       (off_t)(from[k].arena + j) * TREE_PAGE_BYTES),
                                 sizeof page);
                assert_int_equal(pwrite(to, page, sizeof page, (off_t)next * TREE_PAGE_BYTES),
                                 sizeof page);
            }
        }
    }
    return to;
}

static void move(struct subject *s, struct state_tree *t, const uint64_t held[OPEN])
{
    const int arena = copy_arena(s, t);

    end(s);
    assert_int_equal(tree_restore(&s->t, t, PAGES_MAX, true), WASI_E_SUCCESS);
    s->t.arena = arena;
    for (int i = 0; i < OPEN; i++) {
        if (!held[i])
            continue;
        s->open[i] = tree_find_number(&s->t, held[i]);
        assert_non_null(s->open[i]);
        tree_open(s->open[i]);
    }
    captured.count = 0;
    capture(s, t);
}

static void stop(struct subject *s)
{
    struct arena arena = {0};
    struct bytes encoded = {0};
    struct state_tree t;
    struct problem p = {.text = ""};
    uint64_t held[OPEN], list[OPEN];
    size_t count = 0;

    assert_captured(s);
    for (int i = 0; i < OPEN; i++) {
        held[i] = s->open[i] ? s->open[i]->number : 0;
        if (held[i])
            list[count++] = held[i];
    }
    assert_true(tree_save(&s->t, &t, &arena));
    assert_int_equal(state_tree_encode(&t, &encoded), TERN_OK);
    assert_int_equal(state_tree_decode(&t, bytes_view(&encoded), &arena), TERN_OK);
    if (state_tree_check(&t, list, count, &p) != TERN_OK)
        fail_msg("%s", p.text);
    capture(s, &t);
    tree_pages_freeze(&s->t.pages);
    if (draw(2))
        move(s, &t, held);
    bytes_release(&encoded);
    arena_release(&arena);
}

/* ---- One operation, with its answer ---- */

struct operation {
    uint32_t what, slot;
    char path[64], other[64];
    uint64_t offset, size;
    uint8_t fill;
};

static void draw_path(char to[64])
{
    static const char *const names[] = {"a", "b", "c", "d", ".", ".."};
    const uint32_t parts = 1 + draw(3);

    to[0] = 0;
    for (uint32_t i = 0; i < parts; i++) {
        strcat(to, names[draw(draw(3) ? 4 : 6)]);
        strcat(to, i + 1 < parts ? "/" : "");
    }
}

static uint64_t answer_of_name(struct subject *s, const struct operation *o)
{
    struct tree_place a, b;
    enum wasi_errno error = tree_locate(&s->t, s->t.first, o->path, TREE_AS_NAME, &a);

    if (!error)
        error = tree_locate(&s->t, s->t.first, o->other, TREE_AS_NAME, &b);
    if (error)
        return error;
    switch (o->what) {
    case 0: return tree_make_directory(&s->t, &a, clock_ns);
    case 1: return tree_remove_directory(&s->t, &a, clock_ns);
    case 2: return tree_unlink(&s->t, &a, clock_ns);
    case 3: return tree_make_link(&s->t, o->other, &a, clock_ns);
    case 4: return b.node ? tree_link(&s->t, b.node, &a, clock_ns) : WASI_E_NOENT;
    default: return tree_rename(&s->t, &a, &b, clock_ns);
    }
}

static uint64_t answer_of_open(struct subject *s, const struct operation *o)
{
    struct tree_place place;
    enum wasi_errno error = tree_locate(&s->t, s->t.first, o->path, TREE_CREATE, &place);
    struct tree_node *n;

    if (error)
        return error;
    n = place.node;
    if (!n)
        error = tree_make_file(&s->t, &place, clock_ns, &n);
    if (error)
        return error;
    tree_open(n);
    if (s->open[o->slot])
        tree_close(&s->t, s->open[o->slot]);
    s->open[o->slot] = n;
    return n->number << 8;
}

static uint64_t answer_of_io(struct subject *s, const struct operation *o, int which)
{
    struct tree_node *n = s->open[o->slot];
    struct iovec iov[2] = {{buffer[which], 7}, {buffer[which] + 7, o->size}};
    const struct vectors v = {iov, 2, 7 + o->size};
    uint64_t done = 0;
    enum wasi_errno error;

    if (n->kind != STATE_NODE_FILE)
        return 0;
    switch (o->what) {
    case 7:
    case 8:
        memset(buffer[which], o->fill, BUFFER);
        error = tree_write(&s->t, n, &v, o->offset, clock_ns, &done);
        break;
    case 9:
        memset(buffer[which], 0, BUFFER);
        error = tree_read(&s->t, n, &v, o->offset, &done);
        break;
    case 10: error = tree_resize(&s->t, n, o->offset, clock_ns); break;
    default: error = tree_allocate(&s->t, n, o->offset, o->size + 1, clock_ns); break;
    }
    return (uint64_t)error << 32 | done;
}

static uint64_t answer_of(struct subject *s, const struct operation *o, int which)
{
    if (o->what < 6)
        return answer_of_name(s, o);
    if (o->what == 6 || !s->open[o->slot])
        return answer_of_open(s, o);
    return answer_of_io(s, o, which);
}

static void do_operation(void)
{
    struct operation o = {.what = draw(12), .slot = draw(OPEN), .fill = (uint8_t)draw(256)};

    draw_path(o.path);
    draw_path(o.other);
    o.offset = draw(4) ? draw(90000) : (uint64_t)draw(5) * 4096 * 700;
    o.size = draw(3) ? draw(5000) : draw(BUFFER - 7);
    clock_ns += draw(100);
    assert_int_equal(answer_of(&steady, &o, 0), answer_of(&moving, &o, 1));
    assert_memory_equal(buffer[0], buffer[1], BUFFER);
    assert_true(moving.t.pages.count <= PAGES_MAX);
    assert_int_equal(steady.t.pages.count, moving.t.pages.count);
    assert_int_equal(steady.t.text_bytes, moving.t.text_bytes);
    assert_int_equal(steady.t.entry_count, moving.t.entry_count);
}

/* ---- The end ---- */

static void read_whole(const struct subject *s, const struct tree_node *n, uint8_t *to)
{
    struct iovec iov = {to, WHOLE};
    const struct vectors v = {&iov, 1, WHOLE};
    uint64_t done;

    memset(to, 0, WHOLE);
    assert_int_equal(tree_read(&s->t, n, &v, 0, &done), WASI_E_SUCCESS);
}

static void assert_same_node(const struct tree_node *a, const struct tree_node *b)
{
    static uint8_t whole[2][WHOLE];

    assert_int_equal(a->number, b->number);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->links, b->links);
    assert_int_equal(a->size, b->size);
    assert_int_equal(a->mtime_ns, b->mtime_ns);
    assert_int_equal(a->ctime_ns, b->ctime_ns);
    assert_int_equal(a->next_cookie, b->next_cookie);
    assert_int_equal(a->entry_count, b->entry_count);
    for (uint32_t i = 0; i < a->entry_count; i++) {
        assert_string_equal(a->by_cookie[i]->name, b->by_cookie[i]->name);
        assert_int_equal(a->by_cookie[i]->cookie, b->by_cookie[i]->cookie);
        assert_int_equal(a->by_cookie[i]->node->number, b->by_cookie[i]->node->number);
        assert_ptr_equal(tree_entry_find(b, a->by_cookie[i]->name, a->by_cookie[i]->size),
                         b->by_cookie[i]);
    }
    if (a->kind == STATE_NODE_LINK)
        assert_string_equal(a->target, b->target);
    if (a->kind != STATE_NODE_FILE)
        return;
    read_whole(&steady, a, whole[0]);
    read_whole(&moving, b, whole[1]);
    assert_memory_equal(whole[0], whole[1], WHOLE);
}

static void assert_same_trees(void)
{
    const struct tree_node *a = steady.t.first, *b = moving.t.first;

    for (; a && b; a = a->behind, b = b->behind)
        assert_same_node(a, b);
    assert_null(a);
    assert_null(b);
    assert_int_equal(steady.t.next_number, moving.t.next_number);
}

static void test_drawn(void **unused)
{
    (void)unused;
    for (int round = 0; round < ROUNDS; round++) {
        seed = (uint64_t)round + 4711;
        begin(&steady);
        begin(&moving);
        captured.count = 0;
        for (int i = 0; i < STEPS; i++) {
            do_operation();
            if (draw(30) == 0)
                stop(&moving);
        }
        assert_same_trees();
        end(&steady);
        end(&moving);
    }
}

static void test_shared_pages(void **unused)
{
    struct state_run run = {0, 1, 5};
    struct state_entry entries[] = {{3, 2, view_of_string("a")}, {4, 3, view_of_string("b")}};
    struct state_node nodes[] = {
        {.number = 1,
         .kind = 2,
         .links = 2,
         .next_cookie = 5,
         .entries = entries,
         .entry_count = 2},
        {.number = 2, .kind = 1, .links = 1, .size = 1, .runs = &run, .run_count = 1},
        {.number = 3, .kind = 1, .links = 1, .size = 1, .runs = &run, .run_count = 1},
    };
    const struct state_tree t = {4, nodes, 3};
    struct tree tree;

    (void)unused;
    assert_int_equal(state_tree_check(&t, NULL, 0, NULL), TERN_OK);
    assert_int_equal(tree_restore(&tree, &t, PAGES_MAX, false), WASI_E_INVAL);
    tree_release(&tree);
    assert_int_equal(tree_restore(&tree, &t, 0, false), WASI_E_NOSPC);
    tree_release(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drawn),
        cmocka_unit_test(test_shared_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
