/*
 * The n-th system call fails, once or for ever, for every n until none does: whatever happens,
 * a name leads to the whole old or the whole new contents, and no descriptor leaks.
 *
 * Linked with --wrap for each function of sys.h that is named below.
 */
#include "folder.h"

#include "os/cache.h"
#include "os/file.h"
#include "os/sys.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static unsigned seen;
static unsigned fail_at; /* 0: never */
static bool for_ever;
static int error; /* what a call that fails says */

static bool fails(void)
{
    seen++;
    return fail_at && (seen == fail_at || (for_ever && seen > fail_at));
}

#define WRAP(type, name, parameters, arguments)                                                    \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return fails() ? (type)-error : __real_##name arguments;                                   \
    }

WRAP(int, sys_open, (const char *path, int flags, mode_t mode), (path, flags, mode))
WRAP(int, sys_openat, (int dir, const char *path, int flags, mode_t mode), (dir, path, flags, mode))
WRAP(ssize_t, sys_read, (int fd, void *to, size_t size), (fd, to, size))
WRAP(int, sys_fstat, (int fd, struct stat *out), (fd, out))
WRAP(int, sys_ftruncate, (int fd, off_t size), (fd, size))
WRAP(int, sys_fsync, (int fd), (fd))
WRAP(int, sys_renameat, (int dir, const char *from, const char *to), (dir, from, to))
WRAP(int, sys_memfd, (const char *name), (name))
WRAP(int, sys_seal, (int fd, int seals), (fd, seals))
WRAP(int, sys_flock, (int fd, int operation), (fd, operation))

/* Half of it is written before a disk is full. */
ssize_t __real_sys_write(int fd, const void *from, size_t size);
ssize_t __wrap_sys_write(int fd, const void *from, size_t size);
ssize_t __wrap_sys_write(int fd, const void *from, size_t size)
{
    if (!fails())
        return __real_sys_write(fd, from, size);
    if (size > 1)
        assert_true(__real_sys_write(fd, from, size / 2) > 0);
    return -error;
}

static void arm(unsigned at, bool ever, int what)
{
    seen = 0;
    fail_at = at;
    for_ever = ever;
    error = what;
}

static void disarm(void)
{
    fail_at = 0;
}

static const char old_text[] = "the old contents", new_text[] = "the new contents, a bit longer";

static void assert_old_or_new(const char *path, bool must_be_new)
{
    struct bytes b = {0};
    const char *text;

    assert_int_equal(file_read(path, 4096, &b), TERN_OK);
    text = bytes_text(&b);
    assert_true(strcmp(text, new_text) == 0 || (!must_be_new && strcmp(text, old_text) == 0));
    bytes_release(&b);
}

/* Calls step(folder) with each call failing in turn; it says whether it got through. */
static void fail_each(void *folder, enum tern_err (*step)(struct folder *),
                      void (*after)(struct folder *, enum tern_err))
{
    static const int errors[] = {EIO, ENOSPC, EACCES, ENOMEM};
    unsigned tried = 0;

    for (size_t e = 0; e < sizeof errors / sizeof *errors; e++) {
        for (int ever = 0; ever <= 1; ever++) {
            bool reached = true;

            for (unsigned n = 1; reached; n++, tried++) {
                int files = folder_open_files();
                enum tern_err err;

                arm(n, ever, errors[e]);
                err = step(folder);
                reached = seen >= n;
                disarm();
                after(folder, err);
                assert_int_equal(folder_open_files(), files);
            }
        }
    }
    assert_true(tried > 20); /* there was something to fail */
}

static enum tern_err replace(struct folder *f)
{
    const struct view text = view_of_string(new_text);

    return file_replace(f->fd, "file", &text, 1);
}

static void after_replace(struct folder *f, enum tern_err err)
{
    assert_old_or_new(folder_name(f, "file"), err == TERN_OK);
    assert_int_equal(folder_count(f), 1); /* nothing half-written stays */
    assert_int_equal(file_write(folder_name(f, "file"), view_of_string(old_text)), TERN_OK);
}

static void a_replacement_is_whole_or_not_at_all(void **state)
{
    struct folder *f = *state;

    assert_int_equal(file_write(folder_name(f, "file"), view_of_string(old_text)), TERN_OK);
    fail_each(f, replace, after_replace);
}

static struct digest the_key(void)
{
    return hash_of(view_of_string("key"));
}

/* What object_make does around a compilation. */
static enum tern_err store_and_load(struct folder *f)
{
    struct digest key = the_key();
    struct cache_lock lock;
    struct cache c;
    struct problem p;
    int fd = -1;
    enum tern_err err = cache_open(&c, f->path, 1 << 20, &p);

    if (err)
        return err;
    cache_lock(&c, &key, &lock);
    err = cache_put(&c, &key, view_of_string(new_text), &p);
    cache_unlock(&c, &lock);
    if (!err)
        err = cache_get(&c, &key, &fd, &p);
    if (!err)
        sys_close(fd);
    cache_close(&c);
    return err;
}

/* With a sound system again, the cache has the whole object or none, and takes a new one. */
static void after_store(struct folder *f, enum tern_err err)
{
    struct digest key = the_key();
    struct cache c;
    struct problem p;
    char text[64] = "";
    int fd = -1;
    enum tern_err found;

    assert_int_equal(cache_open(&c, f->path, 0, &p), TERN_OK);
    found = cache_get(&c, &key, &fd, &p);
    assert_true(found == TERN_OK || (found == TERN_ENOENT && err != TERN_OK));
    if (!found) {
        assert_true(sys_pread(fd, text, sizeof text, 0) > 0);
        assert_string_equal(text, new_text);
        sys_close(fd);
    }
    assert_int_equal(cache_put(&c, &key, view_of_string(new_text), &p), TERN_OK);
    assert_int_equal(cache_get(&c, &key, &fd, &p), TERN_OK);
    sys_close(fd);
    cache_close(&c);
}

static void an_object_is_whole_or_not_there(void **state)
{
    fail_each(*state, store_and_load, after_store);
}

static enum tern_err seal(struct folder *f)
{
    int fd = -1;
    enum tern_err err = file_sealed("test", view_of_string(new_text), &fd);

    (void)f;
    if (!err)
        sys_close(fd);
    else
        assert_int_equal(fd, -1);
    return err;
}

static void after_seal(struct folder *f, enum tern_err err)
{
    (void)f;
    (void)err;
}

static void sealing_leaks_nothing(void **state)
{
    fail_each(*state, seal, after_seal);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, folder_setup, folder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_replacement_is_whole_or_not_at_all),
        TEST(an_object_is_whole_or_not_there),
        TEST(sealing_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
