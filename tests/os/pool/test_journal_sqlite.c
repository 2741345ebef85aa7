/*
 * The journal on SQLite: what was told to be stored is there, whatever fails and whenever.
 */
#include "../folder.h"
#include "failing_disk.h"

#include "base/little.h"
#include "os/pool/journal_sqlite.h"

#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct user {
    uv_loop_t loop;
    struct journal_sqlite *j;
    struct journal *journal;
    uint64_t stored, stop_at;
    unsigned broken;
    char why[512];
    uint64_t compacted;
    enum tern_err compact_err;
    /* Read. */
    uint64_t from_snapshot, facts, last;
};

static void on_stored(void *context, uint64_t up_to)
{
    struct user *u = context;

    assert_true(up_to > u->stored);
    u->stored = up_to;
    if (u->stop_at && up_to >= u->stop_at)
        uv_stop(&u->loop);
}

static void on_broken(void *context, const char *why)
{
    struct user *u = context;

    u->broken++;
    snprintf(u->why, sizeof u->why, "%s", why);
    uv_stop(&u->loop);
}

static void on_compacted(void *context, enum tern_err err, uint64_t size, const char *why)
{
    struct user *u = context;

    u->compacted = err ? 1 : size;
    u->compact_err = err;
    snprintf(u->why, sizeof u->why, "%s", why);
    uv_stop(&u->loop);
}

/* Fact n is n bytes (modulo) of n; of a snapshot its text. */
static struct view fact_of(uint64_t n, uint8_t room[300])
{
    memset(room, (int)(n & 255), 300);
    little_put(room, n, 8);
    return view_of(room, 8 + n % 290);
}

static enum tern_err take_fact(void *context, uint64_t number, struct view bytes)
{
    struct user *u = context;
    uint8_t room[300];
    const uint64_t n = little_get(bytes.data, 8);

    if (number == 0)
        u->from_snapshot++;
    else if (number != n || number <= u->last)
        return TERN_ECORRUPT;
    else
        u->facts++;
    if (number == 0 && n != u->last + 1)
        return TERN_ECORRUPT;
    u->last = n;
    return view_equal(bytes, fact_of(n, room)) ? TERN_OK : TERN_ECORRUPT;
}

static enum tern_err begin(struct user *u, const char *path, struct problem *p)
{
    enum tern_err err;

    *u = (struct user){0};
    assert_int_equal(uv_loop_init(&u->loop), 0);
    err = journal_sqlite_open(&u->loop, path, &u->j, p);
    if (err) {
        uv_loop_close(&u->loop);
        return err;
    }
    u->journal = journal_sqlite_journal(u->j);
    u->journal->context = u;
    u->journal->stored = on_stored;
    u->journal->broken = on_broken;
    u->journal->compacted = on_compacted;
    err = u->journal->calls->read(u->journal->self, u, take_fact, p);
    u->stored = u->last;
    return err;
}

static void finish(struct user *u)
{
    u->journal->calls->close(u->journal->self);
    uv_run(&u->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&u->loop), 0);
}

static void append(struct user *u, uint64_t n)
{
    uint8_t room[300];

    assert_int_equal(u->journal->calls->append(u->journal->self, fact_of(n, room), NULL), n);
}

static void append_to(struct user *u, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n <= to; n++)
        append(u, n);
}

static void wait_for(struct user *u, uint64_t n)
{
    u->stop_at = n;
    if (u->stored < n)
        uv_run(&u->loop, UV_RUN_DEFAULT);
}

static void snapshot(struct user *u, uint64_t up_to)
{
    struct bytes facts = {0};
    uint8_t room[300], size[4];

    for (uint64_t n = 1; n <= up_to; n++) {
        const struct view fact = fact_of(n, room);

        little_put(size, fact.size, 4);
        bytes_append(&facts, size, 4);
        bytes_append(&facts, fact.data, fact.size);
    }
    u->journal->calls->snapshot(u->journal->self, &facts, up_to);
    assert_null(facts.data);
}

static void test_what_was_stored_is_there(void **state)
{
    const char *path = folder_name(*state, "journal");
    struct problem p = {0};
    struct user u;

    for (uint64_t round = 0; round < 3; round++) {
        if (begin(&u, path, &p))
            fail_msg("%s", p.text);
        assert_int_equal(u.last, round * 1000);
        append_to(&u, round * 1000 + 1, round * 1000 + 999);
        wait_for(&u, round * 1000 + 999);
        append(&u, round * 1000 + 1000); /* closing writes the rest */
        finish(&u);
    }
}

static void test_snapshot_replaces_facts(void **state)
{
    const char *path = folder_name(*state, "journal");
    struct problem p = {0};
    struct user u;

    assert_int_equal(begin(&u, path, &p), TERN_OK);
    append_to(&u, 1, 40000);
    snapshot(&u, 40000); /* more than one piece */
    append_to(&u, 40001, 40010);
    finish(&u);
    assert_int_equal(begin(&u, path, &p), TERN_OK);
    assert_int_equal(u.from_snapshot, 40000);
    assert_int_equal(u.facts, 10);
    snapshot(&u, 40010);
    snapshot(&u, 40010);
    finish(&u);
    assert_int_equal(begin(&u, path, &p), TERN_OK);
    assert_int_equal(u.from_snapshot, 40010);
    assert_int_equal(u.facts, 0);
    append(&u, 40011);
    finish(&u);
}

/* ---- a fold, which finds that all facts come in order, and gives them back ---- */

struct fold {
    uint64_t last, fails_at;
    bool *freed;
};

static enum tern_err fold_fact(void *self, struct view fact)
{
    struct fold *f = self;
    uint8_t room[300];

    f->last++;
    return f->last != f->fails_at && view_equal(fact, fact_of(f->last, room)) ? TERN_OK
                                                                              : TERN_ECORRUPT;
}

static enum tern_err fold_result(void *self, struct bytes *out, uint64_t *count)
{
    const struct fold *f = self;
    uint8_t room[300], size[4];

    for (uint64_t n = 1; n <= f->last; n++) {
        const struct view fact = fact_of(n, room);

        little_put(size, fact.size, 4);
        bytes_append(out, size, 4);
        bytes_append(out, fact.data, fact.size);
    }
    *count = f->last;
    return TERN_OK;
}

static void fold_free(void *self)
{
    struct fold *f = self;

    *f->freed = true;
    free(f);
}

static void compact(struct user *u, uint64_t up_to, uint64_t fails_at, bool *freed)
{
    static const struct journal_fold_calls calls = {
        .fact = fold_fact, .result = fold_result, .free = fold_free};
    struct fold *f = calloc(1, sizeof *f);
    const struct journal_fold fold = {.calls = &calls, .self = f};

    assert_non_null(f);
    *freed = false;
    u->compacted = 0;
    f->fails_at = fails_at;
    f->freed = freed;
    u->journal->calls->compact(u->journal->self, &fold, up_to);
}

static void wait_until_compacted(struct user *u)
{
    u->stop_at = 0;
    while (!u->compacted)
        uv_run(&u->loop, UV_RUN_DEFAULT);
}

static void test_compacting(void **state)
{
    const char *path = folder_name(*state, "journal");
    struct problem p = {0};
    struct user u;
    bool freed;

    assert_int_equal(begin(&u, path, &p), TERN_OK);
    append_to(&u, 1, 30000); /* not stored yet when it is asked for */
    compact(&u, 30000, 0, &freed);
    append_to(&u, 30001, 31000);
    wait_until_compacted(&u);
    assert_int_equal(u.compact_err, TERN_OK);
    assert_int_equal(u.compacted, 30000);
    assert_true(freed);
    append_to(&u, 31001, 32000);
    compact(&u, 32000, 0, &freed); /* of a snapshot, and facts behind it */
    wait_until_compacted(&u);
    assert_int_equal(u.compacted, 32000);
    append(&u, 32001);
    finish(&u);
    assert_int_equal(begin(&u, path, &p), TERN_OK);
    assert_int_equal(u.from_snapshot, 32000);
    assert_int_equal(u.facts, 1);
    finish(&u);
}

static void test_compacting_that_comes_to_nothing(void **state)
{
    const char *path = folder_name(*state, "journal");
    struct problem p = {0};
    struct user u;
    bool freed;

    assert_int_equal(begin(&u, path, &p), TERN_OK);
    append_to(&u, 1, 1000);
    compact(&u, 1000, 500, &freed);
    wait_until_compacted(&u);
    assert_int_equal(u.compact_err, TERN_ECORRUPT);
    assert_non_null(strstr(u.why, "damaged"));
    assert_true(freed);
    compact(&u, 1000, 0, &freed);
    snapshot(&u, 1000); /* which takes its place */
    assert_true(freed);
    compact(&u, 1000, 0, &freed);
    finish(&u); /* while it goes on, or has not begun */
    assert_true(freed);
    assert_int_equal(begin(&u, path, &p), TERN_OK);
    assert_int_equal(u.last, 1000);
    finish(&u);
}

static int first_column(void *out, int count, char **values, char **names)
{
    (void)count;
    (void)names;
    snprintf(out, 200, "%s|%s|%s|%s", values[0], values[1], values[2], values[3]);
    return 0;
}

static void test_history_for_people(void **state)
{
    const char *path = folder_name(*state, "journal");
    const struct journal_history h = {.task = 7,
                                      .job = 2,
                                      .owner = "ada",
                                      .label = "it's",
                                      .node = "n1",
                                      .state = "done",
                                      .why = "",
                                      .code = 3,
                                      .submitted_wall_ns = INT64_C(1700000000000000000),
                                      .ended_wall_ns = INT64_C(1700000001500000000)};
    struct problem p = {0};
    char seen[200] = "";
    uint8_t room[300];
    sqlite3 *db = NULL;
    struct user u;

    assert_int_equal(begin(&u, path, &p), TERN_OK);
    u.journal->calls->append(u.journal->self, fact_of(1, room), &h);
    wait_for(&u, 1);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK); /* while it is being written */
    assert_int_equal(
        sqlite3_exec(db, "SELECT owner, label, seconds, code FROM ended", first_column, seen, NULL),
        SQLITE_OK);
    assert_string_equal(seen, "ada|it's|1.5|3");
    sqlite3_close(db);
    finish(&u);
}

static void damage(const char *path, const char *sql)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_changes(db), 1);
    sqlite3_close(db);
}

static void test_damage_is_noticed(void **state)
{
    static const char *const damages[] = {
        "UPDATE fact SET facts = substr(facts, 1, 11) || x'55' || substr(facts, 13) WHERE first = "
        "1",
        "DELETE FROM fact WHERE first = 1",
        "UPDATE fact SET count = count + 1 WHERE first = 1",
        "UPDATE meta SET value = 99 WHERE name = 'format'",
    };
    struct problem p = {0};
    struct user u;

    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        char name[20];
        const char *path;

        snprintf(name, sizeof name, "journal%zu", i);
        path = folder_name(*state, name);
        assert_int_equal(begin(&u, path, &p), TERN_OK);
        append(&u, 1);
        wait_for(&u, 1);
        append(&u, 2);
        finish(&u);
        damage(path, damages[i]);
        if (i < 3) {
            assert_int_equal(begin(&u, path, &p), TERN_ECORRUPT);
            finish(&u);
        } else {
            assert_int_equal(begin(&u, path, &p), TERN_EUSAGE);
        }
    }
}

/* Facts with a snapshot in the middle, on a disk whose n-th call fails. True: it got through. */
static bool through(const char *path, uint64_t *stored)
{
    struct problem p = {0};
    struct user u;
    bool good = begin(&u, path, &p) == TERN_OK;

    if (!good && !u.journal)
        return false;
    if (good) {
        const uint64_t from = u.last;

        append_to(&u, from + 1, from + 20);
        wait_for(&u, from + 20);
        if (!u.broken)
            snapshot(&u, from + 20);
        append_to(&u, from + 21, from + 25);
        if (!u.broken)
            wait_for(&u, from + 25);
        good = !u.broken;
        assert_true(u.broken <= 1);
        assert_true(!u.broken || *u.why);
    }
    *stored = u.stored > *stored ? u.stored : *stored;
    finish(&u);
    return good;
}

static void test_each_call_fails(void **state)
{
    unsigned failures = 0;
    bool good = false;

    for (unsigned n = 1; !good; n++) {
        struct problem p = {0};
        struct user u;
        uint64_t stored = 0;
        char name[32];
        const char *path;

        snprintf(name, sizeof name, "journal%u", n);
        path = folder_name(*state, name);
        failing_disk_at(0);
        through(path, &stored); /* there is something already */
        failing_disk_at(n);
        good = through(path, &stored) && !failing_disk_failed();
        failures += failing_disk_failed();
        failing_disk_at(0);
        if (begin(&u, path, &p))
            fail_msg("call %u: %s", n, p.text);
        if (u.last < stored)
            fail_msg("call %u: %llu stored, %llu there", n, (unsigned long long)stored,
                     (unsigned long long)u.last);
        finish(&u);
    }
    assert_true(failures > 20);
}

/* A child appends until it is killed, and tells through a pipe what was stored. */
static void child(const char *path, int to)
{
    struct problem p = {0};
    struct user u;

    if (begin(&u, path, &p))
        _exit(3);
    for (uint64_t n = u.last + 1;; n += 3) {
        append_to(&u, n, n + 2);
        if (n % 50 < 3)
            snapshot(&u, n + 2);
        wait_for(&u, n); /* some are under way */
        if (u.broken || write(to, &u.stored, sizeof u.stored) != sizeof u.stored)
            _exit(4);
    }
}

static void test_killed_at_any_moment(void **state)
{
    const char *path = folder_name(*state, "journal");
    uint64_t stored = 0, told;
    int fds[2], status;

    for (unsigned round = 0; round < 20; round++) {
        struct problem p = {0};
        struct user u;
        pid_t pid;

        assert_int_equal(pipe(fds), 0);
        pid = fork();
        if (pid == 0)
            child(path, fds[1]);
        close(fds[1]);
        for (unsigned i = 0; i < 5 + 7 * round; i++)
            assert_int_equal(read(fds[0], &told, sizeof told), sizeof told);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status));
        while (read(fds[0], &told, sizeof told) == sizeof told)
            ;
        close(fds[0]);
        assert_true(told > stored);
        stored = told;
        if (begin(&u, path, &p))
            fail_msg("round %u: %s", round, p.text);
        assert_true(u.last >= stored);
        finish(&u);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_was_stored_is_there, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(test_snapshot_replaces_facts, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(test_compacting, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_compacting_that_comes_to_nothing, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(test_history_for_people, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_damage_is_noticed, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_each_call_fails, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_killed_at_any_moment, folder_setup, folder_teardown),
    };

    failing_disk_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
