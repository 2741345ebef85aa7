/*
 * The chunks of a depot in a directory: domains apart, within their space, mended, and gone with a
 * depot in memory.
 */
#include "folder.h"

#include "os/file.h"
#include "os/pool/chunks_inner.h"
#include "store/store_inner.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { LEAF_BYTES = 64 << 10 };

static struct chunks_store *opened(const char *dir, uint64_t space)
{
    const struct chunks_store_config config = {.dir = dir, .space_bytes = space, .heal = true};
    struct chunks_store *cs = NULL;
    struct problem p = {0};

    if (chunks_store_open(&config, &cs, &p))
        fail_msg("%s", p.text);
    return cs;
}

/* Bytes that no compression helps, of that number. */
static struct chunks_root put_leaf(struct chunks *c, const char *domain, uint64_t number,
                                   enum tern_err *err)
{
    static uint8_t leaf[LEAF_BYTES];
    struct store_stored s = {.plain_size = sizeof leaf, .bytes = view_of(leaf, sizeof leaf)};
    struct chunks_root root = {.kind = CHUNK_LEAF};
    uint64_t z = number;

    for (size_t i = 0; i < sizeof leaf; i++) {
        z = z * 6364136223846793005 + 1442695040888963407;
        leaf[i] = (uint8_t)(z >> 56);
    }
    root.name = store_name_of(s.bytes);
    *err = c->calls->put(c->self, domain, &root.name, &s);
    return root;
}

static struct chunks_root keep_leaf(struct chunks *c, const char *domain, uint64_t number)
{
    enum tern_err err;
    struct chunks_root root = put_leaf(c, domain, number, &err);
    uint64_t new_bytes;

    assert_int_equal(err, TERN_OK);
    assert_int_equal(c->calls->commit(c->self, domain, &root, &new_bytes, NULL), TERN_OK);
    return root;
}

static bool has(struct chunks *c, const char *domain, const struct chunks_root *root)
{
    return c->calls->has(c->self, domain, &root->name, root->kind);
}

static void any_name_will_do(void **state)
{
    static const char *const names[] = {"",    "ann",   "Ann", "..",         "/etc/passwd",
                                        "a/b", "a%2Fb", ".",   "\xff\x01 x", "caf\xc3\xa9",
                                        "d"};
    const char *path = folder_name(*state, "depot");
    char seen[16][CHUNKS_DOMAIN_BYTES], long_name[300];
    struct chunks_store *cs;
    struct chunks c;
    enum tern_err err;

    cs = opened(path, 0);
    c = chunks_store_chunks(cs);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char back[CHUNKS_DOMAIN_BYTES];

        assert_true(domains_encode(names[i], seen[i]));
        assert_null(strchr(seen[i], '/'));
        assert_true(domains_decode(seen[i], back));
        assert_string_equal(back, names[i]);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(seen[i], seen[k]);
        keep_leaf(&c, names[i], i);
    }
    assert_false(domains_decode("d%2f", long_name));
    assert_false(domains_decode("dA", long_name));
    assert_false(domains_decode("x", long_name));
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    put_leaf(&c, long_name, 1, &err);
    assert_int_equal(err, TERN_ETOOBIG);
    chunks_store_close(cs);
    cs = opened(path, 0);
    assert_int_equal(cs->count, sizeof names / sizeof *names);
    chunks_store_close(cs);
}

static void domains_are_apart(void **state)
{
    const char *path = folder_name(*state, "depot");
    struct chunks_store *cs;
    struct chunks_root root;
    struct chunks_usage u;
    struct bytes room = {0};
    struct store_stored s;
    struct chunks c;

    cs = opened(path, 0);
    c = chunks_store_chunks(cs);
    root = keep_leaf(&c, "ann", 1);
    assert_true(has(&c, "ann", &root));
    assert_false(has(&c, "bob", &root));
    assert_int_equal(c.calls->get(c.self, "bob", &root.name, NULL, &s, &room), TERN_ENOENT);
    assert_int_equal(c.calls->drop(c.self, "bob", &root.name), TERN_ENOENT);
    assert_int_equal(c.calls->extend(c.self, "bob", &root), TERN_ENOENT);
    assert_int_equal(cs->count, 1); /* asking makes nothing */
    c.calls->usage(c.self, &u);
    assert_int_equal(u.roots, 1);
    assert_true(u.used_bytes >= LEAF_BYTES);
    assert_true(u.space_bytes > u.used_bytes); /* what the file system has */
    bytes_release(&room);
    chunks_store_close(cs);
}

/* As many as there is room for; what is dropped makes room; it is never passed. */
static void space_is_kept(void **state)
{
    const uint64_t space = 4 << 20;
    const char *path = folder_name(*state, "depot");
    struct chunks_store *cs;
    struct chunks_root root[200];
    struct chunks_usage u;
    struct chunks c;
    uint64_t number = 0;
    unsigned kept = 0;

    cs = opened(path, space);
    c = chunks_store_chunks(cs);
    for (unsigned round = 0; round < 4; round++) {
        enum tern_err err = TERN_OK;
        unsigned first = 0;

        while (!err && kept < 200) {
            uint64_t new_bytes;

            root[kept] = put_leaf(&c, kept % 2 ? "ann" : "bob", ++number, &err);
            if (err)
                break;
            assert_int_equal(
                c.calls->commit(c.self, kept % 2 ? "ann" : "bob", &root[kept], &new_bytes, NULL),
                TERN_OK);
            kept++;
        }
        assert_int_equal(err, TERN_ENOSPACE);
        assert_true(kept > 16); /* at least a quarter of it is of use, whatever was before */
        c.calls->usage(c.self, &u);
        assert_true(u.used_bytes <= space);
        for (unsigned i = 0; i < kept; i++)
            assert_true(has(&c, i % 2 ? "ann" : "bob", &root[i]));
        (void)c.calls->pins(c.self, UINT64_MAX); /* nobody is uploading */
        for (; first < kept; first++)
            assert_int_equal(c.calls->drop(c.self, first % 2 ? "ann" : "bob", &root[first].name),
                             TERN_OK);
        kept = 0;
    }
    chunks_store_close(cs);
}

static void damage_is_counted_and_heals(void **state)
{
    const char *path = folder_name(*state, "depot");
    char pack[5000];
    struct chunks_store *cs;
    struct chunks_root root;
    struct bytes room = {0};
    struct store_stored s;
    struct chunks_usage u;
    struct chunks c;
    enum tern_err err;
    int fd;

    cs = opened(path, 0);
    c = chunks_store_chunks(cs);
    root = keep_leaf(&c, "ann", 1);
    snprintf(pack, sizeof pack, "%s/domains/dann/pack-1", path);
    fd = open(pack, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "damage", 6, 1000), 6);
    close(fd);
    assert_true(has(&c, "ann", &root));
    assert_int_equal(c.calls->get(c.self, "ann", &root.name, NULL, &s, &room), TERN_ECORRUPT);
    assert_false(has(&c, "ann", &root));
    c.calls->usage(c.self, &u);
    assert_int_equal(u.damaged, 1);
    put_leaf(&c, "ann", 1, &err);
    assert_int_equal(err, TERN_OK);
    assert_true(has(&c, "ann", &root));
    assert_int_equal(c.calls->get(c.self, "ann", &root.name, NULL, &s, &room), TERN_OK);
    bytes_release(&room);
    chunks_store_close(cs);
}

/* Others have copies: it begins anew, and the old one is set aside. */
static void a_broken_index_is_set_aside(void **state)
{
    const char *path = folder_name(*state, "depot");
    char index[5000];
    struct chunks_store *cs;
    struct chunks_root ann, bob;
    struct chunks c;

    cs = opened(path, 0);
    c = chunks_store_chunks(cs);
    ann = keep_leaf(&c, "ann", 1);
    bob = keep_leaf(&c, "bob", 1);
    chunks_store_close(cs);
    snprintf(index, sizeof index, "%s/domains/dann/index", path);
    assert_int_equal(file_write(index, view_of_string("nonsense")), TERN_OK);
    cs = opened(path, 0);
    c = chunks_store_chunks(cs);
    assert_false(has(&c, "ann", &ann));
    assert_true(has(&c, "bob", &bob));
    snprintf(index, sizeof index, "%s/damaged-dann", path);
    assert_int_equal(access(index, F_OK), 0);
    chunks_store_close(cs);
}

static unsigned entries_of(const char *dir)
{
    DIR *d = opendir(dir);
    unsigned count = 0;

    assert_non_null(d);
    while (readdir(d))
        count++;
    closedir(d);
    return count - 2;
}

static void memory_goes_with_the_process(void **state)
{
    const char *dir = ((struct folder *)*state)->path;
    const struct chunks_store_config config = {.dir = dir, .space_bytes = 8 << 20};
    struct chunks_store *cs = NULL, *other = NULL;
    const unsigned before = entries_of(dir);
    struct chunks c;
    char name[64];

    assert_int_equal(chunks_store_in_memory(&config, &cs, NULL), TERN_OK);
    c = chunks_store_chunks(cs);
    keep_leaf(&c, "ann", 1);
    assert_int_equal(chunks_store_in_memory(&config, &other, NULL), TERN_OK);
    assert_int_equal(entries_of(dir), before + 2);
    /* One that was killed: its directory is there, its lock is free. */
    snprintf(name, sizeof name, "tern-depot-%lu-dead", (unsigned long)geteuid());
    chunks_store_close(opened(folder_name(*state, name), 0));
    assert_int_equal(entries_of(dir), before + 3);
    chunks_store_close(other);
    assert_int_equal(chunks_store_in_memory(&config, &other, NULL), TERN_OK);
    assert_int_equal(entries_of(dir), before + 2); /* that one went, the living stayed */
    chunks_store_close(other);
    chunks_store_close(cs);
    assert_int_equal(entries_of(dir), before);
}

static void one_user_at_a_time(void **state)
{
    const char *path = folder_name(*state, "depot");
    struct chunks_store_config config = {.dir = path};
    struct chunks_store *cs, *second = NULL;
    struct problem p = {0};

    cs = opened(path, 0);
    assert_int_equal(chunks_store_open(&config, &second, &p), TERN_EBUSY);
    assert_non_null(strstr(p.text, "in use"));
    chunks_store_close(cs);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(any_name_will_do),
        TEST(domains_are_apart),
        TEST(space_is_kept),
        TEST(damage_is_counted_and_heals),
        TEST(a_broken_index_is_set_aside),
        TEST(memory_goes_with_the_process),
        TEST(one_user_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
