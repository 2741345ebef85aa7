/* state: what is encoded is what is decoded; nothing else is taken. */
#include "state_draw.h"
#include "wire/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 2000, ARENA_BYTES_MAX = 1 << 20 };

static struct bytes encode(const struct state *s)
{
    struct bytes b = {0};

    assert_int_equal(state_encode(s, &b), TERN_OK);
    return b;
}

static void assert_same_bytes(const void *a, const void *b, size_t size)
{
    if (size > 0)
        assert_memory_equal(a, b, size);
}

static void assert_same_instance(const struct state_instance *a, const struct state_instance *b)
{
    assert_int_equal(a->global_count, b->global_count);
    for (uint32_t i = 0; i < a->global_count; i++)
        assert_memory_equal(&a->globals[i], &b->globals[i], sizeof a->globals[i]);
    assert_int_equal(a->table_count, b->table_count);
    for (uint32_t i = 0; i < a->table_count; i++) {
        assert_int_equal(a->tables[i].letter, b->tables[i].letter);
        assert_int_equal(a->tables[i].size, b->tables[i].size);
        assert_same_bytes(a->tables[i].refs, b->tables[i].refs, (size_t)a->tables[i].size * 8);
    }
    assert_int_equal(a->data_count, b->data_count);
    assert_same_bytes(a->data_dropped, b->data_dropped, a->data_count);
    assert_int_equal(a->elem_count, b->elem_count);
    assert_same_bytes(a->elem_dropped, b->elem_dropped, a->elem_count);
    assert_int_equal(a->memory_pages, b->memory_pages);
}

static void assert_same_frame(const struct state_frame *a, const struct state_frame *b)
{
    assert_int_equal(a->instance, b->instance);
    assert_int_equal(a->func, b->func);
    assert_int_equal(a->offset, b->offset);
    assert_int_equal(a->inside, b->inside);
    assert_int_equal(a->value_count, b->value_count);
    assert_same_bytes(a->values, b->values, (size_t)a->value_count * STATE_VALUE_BYTES);
}

static void assert_same_fd(const struct state_fd *a, const struct state_fd *b)
{
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->filetype, b->filetype);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->rights, b->rights);
    assert_int_equal(a->inheriting, b->inheriting);
    assert_int_equal(a->source, b->source);
    assert_int_equal(a->read_only, b->read_only);
    assert_int_equal(a->written, b->written);
    assert_true(view_equal(a->path, b->path));
    assert_int_equal(a->offset, b->offset);
    assert_int_equal(a->size, b->size);
    assert_int_equal(a->mtime_ns, b->mtime_ns);
    assert_int_equal(a->inode, b->inode);
    assert_int_equal(a->ends, b->ends);
}

static void assert_same(const struct state *a, const struct state *b)
{
    assert_int_equal(a->phase, b->phase);
    assert_int_equal(a->sequence, b->sequence);
    assert_int_equal(a->waited_ns, b->waited_ns);
    assert_int_equal(a->output_bytes, b->output_bytes);
    assert_int_equal(a->cpu_ns, b->cpu_ns);
    assert_int_equal(a->monotonic_ns, b->monotonic_ns);
    assert_int_equal(a->input_bytes, b->input_bytes);
    assert_int_equal(a->input_kept, b->input_kept);
    assert_int_equal(a->input_sum, b->input_sum);
    assert_int_equal(a->input_ended, b->input_ended);
    assert_int_equal(a->files_changed, b->files_changed);
    assert_int_equal(a->seeded, b->seeded);
    assert_int_equal(a->random_seed, b->random_seed);
    assert_int_equal(a->random_position, b->random_position);
    assert_int_equal(a->frame_count, b->frame_count);
    for (uint32_t i = 0; i < a->frame_count; i++)
        assert_same_frame(&a->frames[i], &b->frames[i]);
    assert_int_equal(a->instance_count, b->instance_count);
    for (uint32_t i = 0; i < a->instance_count; i++)
        assert_same_instance(&a->instances[i], &b->instances[i]);
    assert_int_equal(a->fd_count, b->fd_count);
    for (uint32_t i = 0; i < a->fd_count; i++)
        assert_same_fd(&a->fds[i], &b->fds[i]);
}

static void test_round_trip(void **unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        const struct state *s = draw_state(0);
        struct arena arena = {0};
        struct bytes b = encode(s);
        struct state other;

        assert_int_equal(state_decode(&other, bytes_view(&b), &arena), TERN_OK);
        assert_same(s, &other);
        bytes_release(&b);
        arena_release(&arena);
    }
}

/* Decodes a block of exactly this size, so that a sanitizer sees every byte too far. */
static enum tern_err decode_copy(const uint8_t *data, size_t size, struct bytes *again)
{
    struct arena arena = {.limit_bytes = ARENA_BYTES_MAX};
    uint8_t *copy = malloc(size ? size : 1);
    struct state s;
    enum tern_err err;

    assert_non_null(copy);
    memcpy(copy, data, size);
    err = state_decode(&s, view_of(copy, size), &arena);
    if (!err && again)
        assert_int_equal(state_encode(&s, again), TERN_OK);
    if (err) {
        assert_int_equal(s.frame_count + s.instance_count + s.fd_count, 0);
        assert_int_equal(err, TERN_EPROTO);
    }
    free(copy);
    arena_release(&arena);
    return err;
}

static void test_cut_off(void **unused)
{
    (void)unused;
    for (int i = 0; i < 20; i++) {
        struct bytes b = encode(draw_state(1));

        for (size_t size = 0; size < b.size; size++)
            assert_int_equal(decode_copy(b.data, size, NULL), TERN_EPROTO);
        bytes_append_byte(&b, 0);
        assert_int_equal(decode_copy(b.data, b.size, NULL), TERN_EPROTO);
        bytes_release(&b);
    }
}

/* Whatever is taken is written again as it was: there is one way to write a state. */
static void test_damaged(void **unused)
{
    int taken = 0;

    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        struct bytes b = encode(draw_state(0)), again = {0};

        for (uint64_t k = 1 + draw(3); k > 0; k--)
            b.data[draw(b.size)] = (uint8_t)draw(256);
        if (decode_copy(b.data, b.size, &again) == TERN_OK) {
            assert_true(view_equal(bytes_view(&b), bytes_view(&again)));
            taken++;
        }
        bytes_release(&b);
        bytes_release(&again);
    }
    assert_in_range(taken, 1, ROUNDS - 1);
}

/* A state with one of everything, to be spoilt. */
struct one {
    struct state s;
    struct state_frame frame;
    struct state_instance instance;
    struct state_global global;
    struct state_table table;
    uint8_t flag;
    struct state_fd fds[2];
};

static void make(struct one *o)
{
    *o = (struct one){
        .s = {.phase = STATE_IN_MAIN,
              .frames = &o->frame,
              .instances = &o->instance,
              .fds = o->fds,
              .frame_count = 1,
              .instance_count = 1,
              .fd_count = 2},
        .instance = {.globals = &o->global,
                     .tables = &o->table,
                     .data_dropped = &o->flag,
                     .elem_dropped = &o->flag,
                     .global_count = 1,
                     .table_count = 1,
                     .data_count = 1,
                     .elem_count = 1},
        .global = {.letter = 'i'},
        .table = {.letter = 'r'},
        .fds = {{.number = 0, .kind = STATE_FD_STANDARD}, {.number = 1, .kind = STATE_FD_FILE}},
    };
}

/* Where the byte or the count lies in what make() gives, and what spoils it. */
static void test_spoilt(void **unused)
{
    enum { KEPT = 49, SCALARS = KEPT + 26 + 17, FRAME = SCALARS + 4 };
    enum { GLOBAL = FRAME + 17 + 4 + 4, TABLE = GLOBAL + 17 + 4 };
    enum { DATA = TABLE + 5, ELEM = DATA + 5, PAGES = ELEM + 5, FD = PAGES + 4 + 4 };
    enum { FD_BYTES = 74, TREE_SIZE = 8 };
    static const struct {
        const char *what;
        size_t at;
        uint8_t byte;
    } cases[] = {
        {"another magic", 0, 't'},
        {"another version", 7, '2'},
        {"phase 0", 8, 0},
        {"phase 3", 8, 3},
        {"input that ended twice", KEPT + 24, 2},
        {"files changed twice", KEPT + 25, 2},
        {"seeded is 2", SCALARS - 17, 2},
        {"a seed of what has none", SCALARS - 16, 1},
        {"random numbers without a seed", SCALARS - 8, 1},
        {"too many frames for the bytes", SCALARS + 1, 1},
        {"very many frames", SCALARS + 3, 0xff},
        {"inside is 2", FRAME + 12, 2},
        {"too many values", FRAME + 13 + 1, 1},
        {"very many values", FRAME + 13 + 3, 0x10},
        {"two instances", FRAME + 17, 2},
        {"very many globals", GLOBAL - 1, 0xff},
        {"a global of type x", GLOBAL, 'x'},
        {"a global of type 0", GLOBAL, 0},
        {"too many tables", TABLE - 4, 101},
        {"a table of type i", TABLE, 'i'},
        {"very many elements", TABLE + 4, 0xff},
        {"too many data segments", DATA + 3, 0xff},
        {"half dropped", DATA + 4, 2},
        {"half dropped, elements", ELEM + 4, 2},
        {"too much memory", PAGES + 2, 2},
        {"too many descriptors", FD - 3, 0xff},
        {"a descriptor with a large number", FD + 1, 4},
        {"a kind 0", FD + 4, 0},
        {"a kind 8", FD + 4, 8},
        {"read-only is 2", FD + 28, 2},
        {"written is 2", FD + 29, 2},
        {"a long path", FD + 30 + 1, 0x10},
        {"the same number twice", FD + FD_BYTES, 0},
        {"a tree of one byte", FD + 2 * FD_BYTES, 1},
        {"a very large tree", FD + 2 * FD_BYTES + 7, 0xff},
    };
    struct bytes b, again = {0};
    struct one o;

    (void)unused;
    make(&o);
    b = encode(&o.s);
    assert_int_equal(decode_copy(b.data, b.size, &again), TERN_OK);
    assert_int_equal(b.size, FD + 2 * FD_BYTES + TREE_SIZE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint8_t was = b.data[cases[i].at];

        assert_int_not_equal(was, cases[i].byte);
        b.data[cases[i].at] = cases[i].byte;
        if (decode_copy(b.data, b.size, NULL) != TERN_EPROTO)
            fail_msg("%s", cases[i].what);
        b.data[cases[i].at] = was;
    }
    bytes_release(&b);
    bytes_release(&again);
}

static void assert_refused(const struct one *o, enum tern_err expected)
{
    struct bytes b = {0};

    assert_int_equal(state_encode(&o->s, &b), expected);
    assert_int_equal(b.size, 0);
    bytes_release(&b);
}

static void test_encode_refuses(void **unused)
{
    static const char long_path[STATE_PATH_BYTES_MAX + 1] = "x";
    struct one o;

    (void)unused;
    make(&o);
    o.frame.value_count = STATE_VALUES_MAX + 1;
    assert_refused(&o, TERN_ETOOBIG);
    make(&o);
    o.table.size = STATE_ELEMENTS_MAX + 1;
    assert_refused(&o, TERN_ETOOBIG);
    make(&o);
    o.instance.memory_pages = 65537;
    assert_refused(&o, TERN_ETOOBIG);
    make(&o);
    o.fds[1].path = view_of(long_path, sizeof long_path);
    assert_refused(&o, TERN_ETOOBIG);
    o.fds[1].path = view_of("a\0b", 3);
    assert_refused(&o, TERN_EPROTO);
    make(&o);
    o.fds[1].number = 0;
    assert_refused(&o, TERN_EPROTO);
    make(&o);
    o.s.phase = 0;
    assert_refused(&o, TERN_EPROTO);
}

static void test_no_memory(void **unused)
{
    struct bytes b;
    struct one o;

    (void)unused;
    make(&o);
    b = encode(&o.s);
    for (size_t limit = 1; limit <= 160; limit += 16) {
        struct arena arena = {.limit_bytes = limit};
        struct state s;

        assert_int_equal(state_decode(&s, bytes_view(&b), &arena), TERN_ENOMEM);
        assert_int_equal(s.frame_count + s.instance_count + s.fd_count, 0);
        arena_release(&arena);
    }
    bytes_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_damaged),        cmocka_unit_test(test_spoilt),
        cmocka_unit_test(test_encode_refuses), cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
