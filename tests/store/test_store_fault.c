/*
 * The n-th call fails, once or for ever, for every n until none does: what was committed stays,
 * what was put is not lost, there is a sentence for the person, and once the failure has ended all
 * goes on.
 */
#include "shelf.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
    unsigned seen, at; /* at 0: never */
    bool for_ever;
    bool syncs; /* only they fail, and are counted */
    bool lossy; /* a failed sync loses what was written since the last one */
    int error;
    uint64_t synced[256]; /* by descriptor: size at the last sync */
    int doomed;           /* a file whose sync failed, or -1 */
    uint64_t from, to;    /* what of it will be gone once the system's cache lets go of it */
} fault = {.doomed = -1};

static bool fails_at(bool is_sync)
{
    if (fault.syncs && !is_sync)
        return false;
    fault.seen++;
    return fault.at && (fault.seen == fault.at || (fault.for_ever && fault.seen > fault.at));
}

static bool fails(void)
{
    return fails_at(false);
}

#define REAL store_io_system()

static int fault_open(void *context, int dir, const char *name, int flags)
{
    int fd = fails() ? -fault.error : REAL->open(context, dir, name, flags);

    if (fd >= 0) {
        assert_true(fd < 256);
        fault.synced[fd] = (uint64_t)REAL->size(context, fd);
    }
    return fd;
}

static ssize_t fault_read(void *context, int fd, void *to, size_t size, uint64_t at)
{
    return fails() ? -fault.error : REAL->read(context, fd, to, size, at);
}

/* Half of it is written before a disk is full. */
static ssize_t fault_write(void *context, int fd, struct view bytes, uint64_t at)
{
    if (!fails())
        return REAL->write(context, fd, bytes, at);
    REAL->write(context, fd, view_of(bytes.data, bytes.size / 2), at);
    return -fault.error;
}

static int fault_resize(void *context, int fd, uint64_t size)
{
    return fails() ? -fault.error : REAL->resize(context, fd, size);
}

static int64_t fault_size(void *context, int fd)
{
    return fails() ? -fault.error : REAL->size(context, fd);
}

static int fault_sync(void *context, int fd)
{
    if (!fails_at(true)) {
        fault.synced[fd] = (uint64_t)REAL->size(context, fd);
        return 0;
    }
    if (fault.doomed < 0) {
        fault.from = fault.synced[fd];
        fault.to = (uint64_t)REAL->size(context, fd);
        fault.doomed = dup(fd);
    }
    if (fault.lossy)
        assert_int_equal(REAL->resize(context, fd, fault.synced[fd]), 0);
    return -fault.error;
}

static int fault_sync_dir(void *context, int fd)
{
    (void)context;
    (void)fd;
    return fails() ? -fault.error : 0;
}

static int fault_remove(void *context, int dir, const char *name)
{
    return fails() ? -fault.error : REAL->remove(context, dir, name);
}

static int fault_make(void *context, const char *path)
{
    return fails() ? -fault.error : REAL->make(context, path);
}

static int fault_lock(void *context, int fd)
{
    return fails() ? -fault.error : REAL->lock(context, fd);
}

static int fault_list(void *context, int dir, store_io_name *each, void *to)
{
    return fails() ? -fault.error : REAL->list(context, dir, each, to);
}

/* A failed commit may have come through or not; here each second one has. */
static int fault_commit(void *context, struct MDB_txn *txn)
{
    if (!fails())
        return REAL->commit(context, txn);
    if (fault.at % 2)
        assert_int_equal(REAL->commit(context, txn), 0);
    else
        mdb_txn_abort(txn);
    return fault.error;
}

static const struct store_io fault_io = {
    .open = fault_open,
    .read = fault_read,
    .write = fault_write,
    .resize = fault_resize,
    .size = fault_size,
    .sync = fault_sync,
    .sync_dir = fault_sync_dir,
    .remove = fault_remove,
    .make = fault_make,
    .lock = fault_lock,
    .list = fault_list,
    .commit = fault_commit,
};

static void arm(unsigned at, bool for_ever, int error)
{
    if (at) {
        REAL->close(NULL, fault.doomed);
        fault.doomed = -1;
    }
    fault.seen = 0;
    fault.at = at;
    fault.for_ever = for_ever;
    fault.error = error;
}

/* The system's cache lets go of what a failed sync left in it. */
static bool doom(void)
{
    static const uint8_t zeros[1 << 16];
    bool done = fault.doomed >= 0 && fault.to > fault.from;

    if (done) {
        assert_true(fault.to - fault.from <= sizeof zeros);
        REAL->write(NULL, fault.doomed, view_of(zeros, fault.to - fault.from), fault.from);
    }
    REAL->close(NULL, fault.doomed);
    fault.doomed = -1;
    return done;
}

static enum tern_err open_store(const struct shelf *shelf, struct store **s, struct problem *p)
{
    struct store_setup setup = shelf_small();
    static struct store_io io;

    io = fault_io;
    io.close = REAL->close;
    setup.io = &io;
    return store_open_with(shelf->store, STORE_CREATE, &setup, s, p);
}

static unsigned open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned count = 0;

    assert_non_null(d);
    while (readdir(d))
        count++;
    closedir(d);
    return count;
}

enum { STEPS = 7 };

/* What is there beforehand, what is committed while calls fail, and what afterwards. */
static void plan(struct checkpoint steps[STEPS])
{
    uint64_t seed = 11;

    for (unsigned i = 0; i < STEPS; i++)
        checkpoint_draw(&steps[i], &seed, i % 3 == 2 ? 4 : 12);
}

static void begin(const struct shelf *shelf, const struct checkpoint *steps)
{
    struct store *s = NULL;

    arm(0, false, 0);
    shelf_empty(shelf->store);
    assert_int_equal(open_store(shelf, &s, NULL), TERN_OK);
    assert_int_equal(shelf_commit(s, &steps[0], 1, NULL), TERN_OK);
    assert_int_equal(shelf_commit(s, &steps[1], 1, NULL), TERN_OK);
    store_close(s);
}

static void assert_sentence(const struct problem *p, enum tern_err err)
{
    assert_true(err == TERN_EIO || err == TERN_ENOMEM || err == TERN_ENOSPACE);
    assert_int_equal(p->err, err);
    assert_true(strlen(p->text) > 20);
    if (fault.error == ENOSPC && err != TERN_ENOMEM)
        assert_true(strstr(p->text, "cannot ") || strstr(p->text, "lost"));
}

/* Four commits with calls failing. The number of the last that went well. */
static unsigned go_on(const struct shelf *shelf, const struct checkpoint *steps, struct store **s)
{
    struct problem p = {0};
    enum tern_err err = open_store(shelf, s, &p);
    unsigned good = 1;

    if (err) {
        assert_sentence(&p, err);
        return good;
    }
    for (unsigned i = 2; i < STEPS - 1; i++) {
        err = shelf_commit(*s, &steps[i], 1, &p);
        if (err)
            assert_sentence(&p, err);
        else
            good = i;
    }
    return good;
}

/* The newest root is the last that went well, or one that failed, yet came through in truth. */
static void assert_newest(struct store *s, const struct checkpoint *steps, unsigned good)
{
    enum tern_err err = TERN_EPROTO;

    for (unsigned i = good; i < STEPS && err; i++)
        err = shelf_compare(s, 0, &steps[i]);
    assert_int_equal(err, TERN_OK);
}

/* One round; whether the n-th call came. */
static bool round_of(const struct shelf *shelf, const struct checkpoint *steps, unsigned n,
                     bool for_ever, int error)
{
    unsigned files = open_files(), good;
    struct store *s = NULL;
    struct store_usage usage;
    struct problem p = {0};
    bool reached;

    begin(shelf, steps);
    arm(n, for_ever, error);
    good = go_on(shelf, steps, &s);
    reached = fault.seen >= n;
    arm(0, false, 0);
    REAL->close(NULL, fault.doomed);
    fault.doomed = -1;
    if (s) { /* in the same session, as soon as the failure has ended */
        assert_newest(s, steps, good);
        if (shelf_commit(s, &steps[STEPS - 1], 1, &p))
            fail_msg("call %u: %s", n, p.text);
        assert_int_equal(shelf_compare(s, 0, &steps[STEPS - 1]), TERN_OK);
        good = STEPS - 1;
    }
    store_close(s);
    s = NULL;
    assert_int_equal(open_store(shelf, &s, &p), TERN_OK);
    assert_newest(s, steps, good);
    assert_int_equal(shelf_commit(s, &steps[STEPS - 1], 1, &p), TERN_OK);
    assert_int_equal(shelf_compare(s, 0, &steps[STEPS - 1]), TERN_OK);
    assert_int_equal(store_usage(s, &usage), TERN_OK);
    assert_true(usage.disk_bytes <= 2 * usage.held_bytes); /* what failed has left nothing */
    store_close(s);
    assert_int_equal(open_files(), files);
    return reached;
}

static void each_call_may_fail(void **state)
{
    static const int errors[] = {EIO, ENOSPC, ENOMEM};
    struct checkpoint steps[STEPS];
    unsigned tried = 0;

    plan(steps);
    fault.lossy = false;
    for (size_t e = 0; e < sizeof errors / sizeof *errors; e++)
        for (int ever = 0; ever <= 1; ever++)
            for (unsigned n = 1; round_of(*state, steps, n, ever, errors[e]); n++)
                tried++;
    assert_true(tried > 500);
    print_message("# %u failures\n", tried);
}

/* After a failed sync the bytes may be gone though they could still be read: they are never relied
 * on. */
static void a_failed_sync_is_not_believed(void **state)
{
    struct checkpoint steps[STEPS];
    unsigned tried = 0;

    plan(steps);
    fault.lossy = true;
    for (unsigned n = 1;; n++, tried++) {
        struct store *s = NULL;
        struct problem p = {0};
        unsigned good;
        bool reached;

        begin(*state, steps);
        arm(n, false, EIO);
        good = go_on(*state, steps, &s);
        reached = fault.seen >= n;
        arm(0, false, 0);
        if (s)
            assert_newest(s, steps, good);
        store_close(s);
        s = NULL;
        assert_int_equal(open_store(*state, &s, &p), TERN_OK);
        assert_newest(s, steps, good);
        if (shelf_commit(s, &steps[STEPS - 1], 1, &p))
            fail_msg("%s", p.text);
        assert_int_equal(shelf_compare(s, 0, &steps[STEPS - 1]), TERN_OK);
        store_close(s);
        if (!reached)
            break;
    }
    assert_true(tried > 80);
}

/* What was put before a failure is committed after it: nothing has to be put again. */
static void what_was_put_stays(void **state)
{
    struct store *s = NULL;
    struct store_commit commit = {.keep = 1, .children = shelf_children};
    struct store_root root;
    struct problem p = {0};
    uint8_t page[SHELF_PAGE_MAX];
    struct bytes out = {0};
    unsigned failures = 0;

    arm(0, false, 0);
    fault.lossy = false;
    assert_int_equal(open_store(*state, &s, &p), TERN_OK);
    for (unsigned n = 1; n < 40; n++) {
        struct store_name leaf;
        size_t size = page_bytes(100 + n, page);

        assert_int_equal(store_put(s, view_of(page, size), &leaf, &p), TERN_OK);
        assert_int_equal(store_put(s, view_of(&leaf, sizeof leaf), &commit.list, &p), TERN_OK);
        assert_int_equal(store_put(s, view_of(&commit.list, sizeof leaf), &commit.list, &p),
                         TERN_OK);
        arm(1 + n % 7, true, ENOSPC);
        if (store_commit(s, &commit, &root, &p)) {
            assert_non_null(strstr(p.text, "make room"));
            arm(0, false, 0);
            failures++;
            assert_int_equal(store_commit(s, &commit, &root, &p), TERN_OK);
        }
        arm(0, false, 0);
        bytes_clear(&out);
        assert_int_equal(store_get(s, &leaf, &out), TERN_OK);
        assert_true(view_equal(bytes_view(&out), view_of(page, size)));
    }
    assert_true(failures > 10);
    bytes_release(&out);
    store_close(s);
}

/*
 * After a failed sync what was written may still be read, until the cache lets go of it: a second
 * try that succeeds has written it once more.
 */
static void what_is_tried_again_is_written_again(void **state)
{
    struct store *s = NULL;
    struct problem p = {0};
    unsigned doomed = 0;
    uint64_t seed = 51;

    arm(0, false, 0);
    fault.lossy = false;
    assert_int_equal(open_store(*state, &s, &p), TERN_OK);
    fault.syncs = true;
    for (unsigned n = 1; n < 60; n++) {
        struct checkpoint c;

        checkpoint_draw(&c, &seed, 10);
        arm(1 + n % 3, false, EIO);
        (void)shelf_commit(s, &c, 1, &p);
        arm(0, false, 0);
        if (shelf_commit(s, &c, 1, &p))
            fail_msg("%s", p.text);
        doomed += doom();
        assert_int_equal(shelf_compare(s, 0, &c), TERN_OK);
    }
    assert_true(doomed > 3);
    fault.syncs = false;
    store_close(s);
}

/* The same, and the bytes are gone at once: said once, then what is put again is committed. */
static void what_is_lost_can_be_put_again(void **state)
{
    struct store *s = NULL;
    struct problem p = {0};
    unsigned lost = 0;
    uint64_t seed = 52;

    arm(0, false, 0);
    fault.lossy = true;
    assert_int_equal(open_store(*state, &s, &p), TERN_OK);
    fault.syncs = true;
    for (unsigned n = 1; n < 60; n++) {
        struct checkpoint c;

        checkpoint_draw(&c, &seed, 10);
        arm(1 + n % 3, false, EIO);
        (void)shelf_commit(s, &c, 1, &p);
        arm(0, false, 0);
        for (unsigned tries = 0; shelf_commit(s, &c, 1, &p) != TERN_OK; tries++, lost++) {
            assert_non_null(strstr(p.text, "lost"));
            assert_true(tries < 20); /* each names one chunk that is gone */
        }
        assert_int_equal(shelf_compare(s, 0, &c), TERN_OK);
    }
    assert_true(lost > 3);
    REAL->close(NULL, fault.doomed);
    fault.doomed = -1;
    fault.syncs = false;
    store_close(s);
}

static int come_through(void *context, struct MDB_txn *txn)
{
    int rc = REAL->commit(context, txn);

    return rc ? rc : EIO;
}

/* The transaction is on the disk, though the call said no: the index is asked. */
static void a_commit_that_came_through_counts(void **state)
{
    struct checkpoint c = {.count = 3, .page = {1, 2, 3}};
    struct problem p = {0};
    struct store *s = NULL;
    struct store_root root;

    arm(0, false, 0);
    assert_int_equal(open_store(*state, &s, &p), TERN_OK);
    s->io.commit = come_through;
    for (unsigned n = 1; n < 5; n++) {
        c.page[0] = n;
        assert_int_equal(shelf_commit(s, &c, 1, &p), TERN_OK);
        assert_int_equal(store_root(s, 0, &root), TERN_OK);
        assert_int_equal(root.number, n);
        assert_int_equal(shelf_compare(s, 0, &c), TERN_OK);
    }
    store_close(s);
}

static unsigned writes_after_commit;

/* Room for one chunk more, and then none. */
static ssize_t nearly_full(void *context, int fd, struct view bytes, uint64_t at)
{
    return ++writes_after_commit == 1 ? REAL->write(context, fd, bytes, at) : -ENOSPC;
}

static int then_nearly_full(void *context, struct MDB_txn *txn)
{
    struct store *s = context;

    s->io.write = nearly_full;
    return REAL->commit(context, txn);
}

/* Packs cannot be written anew on a full disk: that does not make it fuller. */
static void copies_that_came_to_nothing_take_no_room(void **state)
{
    struct store_setup setup = shelf_small();
    struct shelf *shelf = *state;
    struct checkpoint c;
    struct store *s = NULL;
    unsigned tried = 0;
    uint64_t seed = 61;

    assert_int_equal(store_open_with(shelf->store, STORE_CREATE, &setup, &s, NULL), TERN_OK);
    s->io.context = s;
    checkpoint_draw(&c, &seed, 40);
    for (unsigned n = 0; n < 40; n++) {
        for (unsigned i = 0; i < 15; i++)
            checkpoint_change(&c, &seed, 1000);
        writes_after_commit = 0;
        s->io.commit = n % 2 ? then_nearly_full : REAL->commit;
        assert_int_equal(shelf_commit(s, &c, 1, NULL), TERN_OK);
        s->io.write = REAL->write;
        tried += writes_after_commit > 1;
        if (writes_after_commit > 1)
            assert_true(s->packs.at[s->packs.count - 1].size ==
                        s->packs.at[s->packs.count - 1].end);
        assert_int_equal(shelf_compare(s, 0, &c), TERN_OK);
    }
    assert_true(tried > 3);
    store_close(s);
}

/* LMDB itself cannot write: no file may become larger than so much. */
static void the_index_has_no_room(void **state)
{
    struct shelf *shelf = *state;
    struct store_setup setup = shelf_small();
    struct rlimit old, less;
    struct checkpoint c, next;
    struct problem p = {0};
    struct store *s = NULL;
    uint64_t seed = 62;
    unsigned failures = 0;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    less = old;
    less.rlim_cur = 56 << 10; /* packs are smaller */
    assert_int_equal(store_open_with(shelf->store, STORE_CREATE, &setup, &s, &p), TERN_OK);
    checkpoint_draw(&c, &seed, 30);
    assert_int_equal(shelf_commit(s, &c, 1, &p), TERN_OK);
    for (unsigned n = 0; n < 20; n++) {
        enum tern_err err;

        checkpoint_draw(&next, &seed, SHELF_PAGES_MAX);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
        err = shelf_commit(s, &next, 8, &p);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        if (err) {
            failures++;
            assert_non_null(strstr(p.text, "index"));
            assert_int_equal(shelf_compare(s, 0, &c), TERN_OK);
            assert_int_equal(shelf_commit(s, &next, 8, &p), TERN_OK);
        }
        c = next;
        assert_int_equal(shelf_compare(s, 0, &c), TERN_OK);
    }
    assert_true(failures > 3);
    store_close(s);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, shelf_setup, shelf_teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_call_may_fail),
        TEST(a_failed_sync_is_not_believed),
        TEST(what_was_put_stays),
        TEST(what_is_tried_again_is_written_again),
        TEST(what_is_lost_can_be_put_again),
        TEST(a_commit_that_came_through_counts),
        TEST(copies_that_came_to_nothing_take_no_room),
        TEST(the_index_has_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
