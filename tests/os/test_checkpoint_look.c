/*
 * Surveys of checkpoints that somebody forged: every chunk has its name, and still something is
 * wrong.
 */
#include "folder.h"
#include "state_fd.h"
#include "take_once.h"

#include "os/checkpoint_look.h"
#include "os/file.h"
#include "os/hash.h"
#include "os/sys.h"
#include "store/checkpoint_root.h"
#include "store/chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    MEMORY_BYTES = 1 << 16,
    USED_PAGES = 3,
    MAGIC_BYTES = 8,
    LISTS_AT = MAGIC_BYTES + 3 * 4, /* the root's count of lists */
};

static const char module_text[] = "no module: nobody looks here";

struct shop {
    struct store *store;
    struct store_root root; /* of a checkpoint that is as it should be */
    struct bytes plain;     /* of its root chunk */
};

static int memory_of(void)
{
    static uint8_t memory[MEMORY_BYTES];
    int fd = sys_memfd("memory");

    for (int i = 0; i < USED_PAGES; i++)
        memory[2 * i * IMAGE_PAGE_BYTES] = (uint8_t)(i + 1);
    assert_int_equal(file_write_fd(fd, view_of(memory, sizeof memory)), TERN_OK);
    return fd;
}

static int state_of(void)
{
    struct state_instance instance = {.memory_pages = 1};
    const struct state state = {
        .phase = STATE_IN_MAIN, .instances = &instance, .instance_count = 1};

    return state_fd(&state);
}

static void open_shop(const struct folder *f, struct shop *s)
{
    const struct digest digest = hash_of(view_of_string(module_text));
    struct take_order order = {.settings = view_of_string("{}"),
                               .module = view_of_string(module_text),
                               .module_sha256 = digest.byte,
                               .memory = memory_of(),
                               .state = state_of(),
                               .limits_memory_pages = 1,
                               .keep = 3};
    struct take_done done;
    struct problem p;

    *s = (struct shop){.store = NULL};
    assert_int_equal(store_open(folder_name(f, "store"), true, &s->store, &p), TERN_OK);
    order.store = s->store;
    assert_int_equal(take_once(&order, &done, &p), TERN_OK);
    s->root = done.root;
    assert_int_equal(store_get(s->store, &s->root.list, &s->plain), TERN_OK);
    close(order.memory);
    close(order.state);
}

static void close_shop(struct shop *s)
{
    bytes_release(&s->plain);
    store_close(s->store);
}

static struct store_name put(const struct shop *s, const void *bytes, size_t size)
{
    struct store_name name;

    assert_int_equal(store_put(s->store, view_of(bytes, size), &name, NULL), TERN_OK);
    return name;
}

/* The root's last name, that of its only list, becomes this one. */
static void name_list(struct shop *s, struct store_name name)
{
    memcpy(s->plain.data + s->plain.size - sizeof name, &name, sizeof name);
}

/* Commits the root as it now is and says what a survey finds. */
static enum tern_err survey(const struct shop *s, struct problem *p)
{
    const struct store_commit commit = {
        .list = put(s, s->plain.data, s->plain.size), .keep = 3, .children = chunk_children};
    struct checkpoint_survey found;
    struct checkpoint c;
    struct store_root root;
    enum tern_err err;

    assert_int_equal(store_commit(s->store, &commit, &root, p), TERN_OK);
    err = checkpoint_survey(s->store, &root, &found, &c, p);
    if (!err)
        checkpoint_release(&c);
    return err;
}

static void says(const struct problem *p, const char *part)
{
    if (!strstr(p->text, part))
        fail_msg("'%s' should say '%s'", p->text, part);
}

static void what_is_whole_is_counted(void **state)
{
    struct checkpoint_survey found;
    struct bytes names = {0};
    struct checkpoint c;
    struct problem p;
    struct shop s;

    open_shop(*state, &s);
    assert_int_equal(checkpoint_survey(s.store, &s.root, &found, &c, &p), TERN_OK);
    /* Root, settings, module, image, a list, pages. */
    assert_int_equal(found.chunks, 5 + USED_PAGES);
    assert_int_equal(found.plain_bytes, s.plain.size + 2 + strlen(module_text) +
                                            c.image_bytes.size + IMAGE_LIST_BYTES +
                                            USED_PAGES * IMAGE_PAGE_BYTES);
    assert_int_equal(checkpoint_pages(s.store, &c, &names, &p), TERN_OK);
    assert_int_equal(names.size, MEMORY_BYTES / IMAGE_PAGE_BYTES * IMAGE_HASH_BYTES);
    for (size_t i = 0; i < names.size / IMAGE_HASH_BYTES; i++) {
        const bool used = i < 2 * USED_PAGES && i % 2 == 0;
        static const uint8_t zero[IMAGE_HASH_BYTES];

        assert_int_equal(memcmp(names.data + i * IMAGE_HASH_BYTES, zero, sizeof zero) != 0, used);
    }
    bytes_release(&names);
    checkpoint_release(&c);
    close_shop(&s);
}

static void memory_that_nothing_holds(void **state)
{
    struct problem p;
    struct shop s;

    open_shop(*state, &s);
    s.plain.data[LISTS_AT] = 0;
    s.plain.size -= STORE_NAME_BYTES;
    assert_int_equal(survey(&s, &p), TERN_ECORRUPT);
    says(&p, "does not hang beneath its root");
    close_shop(&s);
}

static void a_page_of_another_size(void **state)
{
    static uint8_t list[IMAGE_LIST_BYTES];
    struct store_name page;
    struct problem p;
    struct shop s;

    open_shop(*state, &s);
    page = put(&s, "short", 5);
    memcpy(list, &page, sizeof page);
    name_list(&s, put(&s, list, sizeof list));
    assert_int_equal(survey(&s, &p), TERN_ECORRUPT);
    says(&p, "a page of its memory or files, is damaged");
    close_shop(&s);
}

static void a_root_that_is_none(void **state)
{
    struct checkpoint_survey found;
    struct checkpoint c;
    struct problem p;
    struct shop s;

    open_shop(*state, &s);
    s.root.list = put(&s, "no root", 7);
    assert_int_equal(checkpoint_survey(s.store, &s.root, &found, &c, &p), TERN_ECORRUPT);
    says(&p, "its root, is damaged");
    memset(&s.root.list, 7, sizeof s.root.list);
    assert_int_equal(checkpoint_survey(s.store, &s.root, &found, &c, &p), TERN_ENOENT);
    says(&p, "its root, is missing");
    close_shop(&s);
}

static void numbers_that_are_kept(void **state)
{
    struct checkpoint c;
    struct problem p;
    struct shop s;

    open_shop(*state, &s);
    assert_true(checkpoint_is_kept(s.store, s.root.number));
    assert_false(checkpoint_is_kept(s.store, s.root.number + 1));
    assert_int_equal(checkpoint_open_number(s.store, s.root.number, &c, &p), TERN_OK);
    assert_int_equal(c.root.number, s.root.number);
    checkpoint_release(&c);
    assert_int_equal(checkpoint_open_number(s.store, s.root.number + 1, &c, &p), TERN_ENOENT);
    says(&p, "not among those that are kept");
    close_shop(&s);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, folder_setup, folder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_whole_is_counted), TEST(memory_that_nothing_holds),
        TEST(a_page_of_another_size),   TEST(a_root_that_is_none),
        TEST(numbers_that_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
