/*
 * What a program wrote is brought to the disk before the checkpoint that knows of it is committed,
 * if it wrote anything.
 */
#include "folder.h"
#include "state_fd.h"
#include "take_once.h"

#include "os/file.h"
#include "os/hash.h"
#include "os/sys.h"
#include "store/store_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char noted[64]; /* s: a file system synced, p: packs, c: committed */
static int sync_says;

static void note(char what)
{
    const size_t size = strlen(noted);

    assert_true(size + 1 < sizeof noted);
    noted[size] = what;
}

static int note_sync(int fd)
{
    assert_true(fd >= 0);
    note('s');
    return sync_says;
}

static int note_pack(void *context, int fd)
{
    note('p');
    return store_io_system()->sync(context, fd);
}

static int note_commit(void *context, struct MDB_txn *txn)
{
    note('c');
    return store_io_system()->commit(context, txn);
}

static struct store *open_noting(const struct folder *f)
{
    struct store_setup setup = store_setup_default();
    struct store_io io = *store_io_system();
    struct store *s = NULL;

    io.sync = note_pack;
    io.commit = note_commit;
    setup.io = &io;
    assert_int_equal(store_open_with(folder_name(f, "store"), STORE_CREATE, &setup, &s, NULL),
                     TERN_OK);
    return s;
}

/* No two are the same. */
static int state_of(bool changed)
{
    static uint64_t sequence;
    struct state_instance instance = {.memory_pages = 0};
    const struct state state = {.phase = STATE_IN_MAIN,
                                .sequence = ++sequence,
                                .instances = &instance,
                                .instance_count = 1,
                                .files_changed = changed};

    return state_fd(&state);
}

/* What was noted meanwhile. */
static const char *take(struct store *s, struct checkpoint_sync *sync, bool changed,
                        enum tern_err expected)
{
    const int memory = sys_memfd("memory");
    const struct digest digest = hash_of(view_of_string("module"));
    struct take_order order = {.store = s,
                               .settings = view_of_string("{}"),
                               .module = view_of_string("module"),
                               .module_sha256 = digest.byte,
                               .sync = sync,
                               .memory = memory,
                               .state = state_of(changed),
                               .keep = 2};
    struct take_done done;
    struct problem p;

    memset(noted, 0, sizeof noted);
    assert_int_equal(take_once(&order, &done, &p), expected);
    close(order.state);
    close(memory);
    return noted;
}

static void files_before_the_commit(void **state)
{
    const struct folder *f = *state;
    struct store *s = open_noting(f);
    const int here = open(".", O_RDONLY), same = open(".", O_RDONLY),
              proc = open("/proc", O_RDONLY);
    const int dirs[] = {-1, here, same, proc};
    struct checkpoint_sync sync = {.dirs = dirs, .dir_count = 4, .sync = note_sync};

    sync_says = 0;
    assert_string_equal(take(s, &sync, true, TERN_OK), "sspc"); /* two file systems */
    assert_string_equal(take(s, &sync, false, TERN_OK), "pc");
    sync_says = -EIO;
    assert_string_equal(take(s, &sync, true, TERN_EIO), "s");
    assert_string_equal(take(s, &sync, false, TERN_EIO), "s"); /* still due */
    sync_says = 0;
    assert_string_equal(take(s, &sync, false, TERN_OK), "sspc");
    assert_string_equal(take(s, &sync, false, TERN_OK), "pc");
    close(here);
    close(same);
    close(proc);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_before_the_commit, folder_setup, folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
