/*
 * The cache against a naive model, under damage, and between processes.
 */
#include "folder.h"

#include "os/cache.h"
#include "os/file.h"
#include "os/sys.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct digest key_of(unsigned n)
{
    return hash_of(view_of(&n, sizeof n));
}

static void open_cache(const struct folder *f, struct cache *c, uint64_t size_max)
{
    struct problem p;

    assert_int_equal(cache_open(c, f->path, size_max, &p), TERN_OK);
}

static void put(struct cache *c, unsigned n, const char *text)
{
    struct digest key = key_of(n);

    assert_int_equal(cache_put(c, &key, view_of_string(text), NULL), TERN_OK);
}

static enum tern_err get(struct cache *c, unsigned n, char out[64])
{
    struct digest key = key_of(n);
    int fd = -1;
    enum tern_err err = cache_get(c, &key, &fd, NULL);

    if (err)
        return err;
    memset(out, 0, 64);
    assert_true(sys_pread(fd, out, 63, 0) > 0);
    sys_close(fd);
    return TERN_OK;
}

static const char *entry_path(const struct folder *f, unsigned n)
{
    struct digest key = key_of(n);
    char name[DIGEST_HEX_BYTES + 2];

    digest_hex(&key, name);
    strcat(name, ".o");
    return folder_name(f, name);
}

static void gives_back_what_was_put(void **state)
{
    struct cache c;
    char text[64];

    open_cache(*state, &c, 0);
    assert_int_equal(get(&c, 1, text), TERN_ENOENT);
    put(&c, 1, "one");
    put(&c, 2, "two");
    put(&c, 1, "uno");
    assert_int_equal(get(&c, 1, text), TERN_OK);
    assert_string_equal(text, "uno");
    assert_int_equal(get(&c, 2, text), TERN_OK);
    assert_string_equal(text, "two");
    cache_close(&c);
}

/* Any byte of the file, changed in any way: never an object, and the entry is gone. */
static void every_damaged_byte_is_noticed(void **state)
{
    struct folder *f = *state;
    struct bytes good = {0};
    struct cache c;
    char text[64];

    open_cache(f, &c, 0);
    put(&c, 1, "some object or other");
    assert_int_equal(file_read(entry_path(f, 1), 4096, &good), TERN_OK);
    for (size_t i = 0; i < good.size; i++) {
        uint8_t was = good.data[i];

        good.data[i] = (uint8_t)(was ^ (1u << (i % 8)));
        assert_int_equal(file_write(entry_path(f, 1), bytes_view(&good)), TERN_OK);
        assert_int_equal(get(&c, 1, text), TERN_ENOENT);
        assert_int_equal(folder_count(f), 0);
        good.data[i] = was;
    }
    for (size_t size = 0; size < good.size; size++) {
        assert_int_equal(file_write(entry_path(f, 1), view_of(good.data, size)), TERN_OK);
        assert_int_equal(get(&c, 1, text), TERN_ENOENT);
    }
    assert_int_equal(file_write(entry_path(f, 1), bytes_view(&good)), TERN_OK);
    assert_int_equal(get(&c, 1, text), TERN_OK);
    bytes_release(&good);
    cache_close(&c);
}

static void keeps_within_its_size(void **state)
{
    struct folder *f = *state;
    struct stat st;
    struct cache c;
    char text[64];

    open_cache(f, &c, 0);
    put(&c, 0, "object 0");
    assert_int_equal(sys_stat(entry_path(f, 0), &st), 0);
    c.size_max = 3 * (uint64_t)st.st_size + 1;
    for (unsigned i = 1; i < 10; i++) {
        struct timespec times[2] = {{.tv_sec = i}, {.tv_sec = i}};

        assert_int_equal(utimensat(AT_FDCWD, entry_path(f, i - 1), times, 0), 0);
        snprintf(text, sizeof text, "object %u", i);
        put(&c, i, text);
    }
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(get(&c, i, text), i < 7 ? TERN_ENOENT : TERN_OK);
    cache_close(&c);
}

static void works_without_a_directory(void **state)
{
    struct cache c = {.dir = -1};
    struct digest key = key_of(1);
    struct cache_lock lock;
    char text[64];

    (void)state;
    assert_int_equal(get(&c, 1, text), TERN_ENOENT);
    assert_int_equal(cache_put(&c, &key, view_of_string("x"), NULL), TERN_EACCES);
    assert_int_equal(cache_put_text(&c, "text", view_of_string("x")), TERN_EACCES);
    cache_lock(&c, &key, &lock);
    cache_unlock(&c, &lock);
}

static void texts_are_trusted_like_objects(void **state)
{
    struct folder *f = *state;
    struct bytes b = {0};
    struct cache c;

    open_cache(f, &c, 0);
    assert_int_equal(cache_put_text(&c, "note", view_of_string("text")), TERN_OK);
    assert_int_equal(cache_get_text(&c, "note", &b), TERN_OK);
    assert_int_equal(b.size, 4);
    bytes_release(&b);
    assert_int_equal(chmod(folder_name(f, "note"), 0622), 0);
    assert_int_equal(cache_get_text(&c, "note", &b), TERN_EUNSAFE);
    assert_int_equal(symlink("note", folder_name(f, "link")), 0);
    assert_int_equal(cache_get_text(&c, "link", &b), TERN_EUNSAFE);
    cache_close(&c);
}

/* Takes the lock, looks, stores if there is nothing: as object_make does. True: it stored. */
static bool build_once(const struct folder *f)
{
    struct digest key = key_of(7);
    struct cache_lock lock;
    struct cache c;
    char text[64];
    bool stored = false;

    open_cache(f, &c, 0);
    cache_lock(&c, &key, &lock);
    assert_true(lock.fd >= 0);
    if (get(&c, 7, text) == TERN_ENOENT) {
        put(&c, 7, "built");
        stored = true;
    }
    cache_unlock(&c, &lock);
    cache_close(&c);
    return stored;
}

static void one_of_many_processes_builds(void **state)
{
    enum { PROCESSES = 16 };
    pid_t pids[PROCESSES];
    int stored = 0;

    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(build_once(*state) ? 1 : 0);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
        stored += WEXITSTATUS(status);
    }
    assert_int_equal(stored, 1);
    assert_int_equal(folder_count(*state), 1); /* no lock stays behind */
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, folder_setup, folder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(gives_back_what_was_put),        TEST(every_damaged_byte_is_noticed),
        TEST(keeps_within_its_size),          TEST(works_without_a_directory),
        TEST(texts_are_trusted_like_objects), TEST(one_of_many_processes_builds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
