/*
 * A runner that is used again: nothing of the former program can be seen, or changes a result.
 * Arguments: tern, the source of the module. TERN_RUNNER is the runner.
 */
#include "engine_rig.h"

#include "os/file.h"

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MODULE_BYTES_MAX = 1 << 20 };

static struct bytes module;
static struct rig_store store;
static struct rig rig;
static struct rig_task soil, look;
static char *soil_words[] = {"soil"};
static char *look_words[] = {"look", "and see"};

static int open_all(void **unused)
{
    (void)unused;
    rig_store_open(&store);
    rig_open(&rig, &store);
    rig_task(&soil, &store, bytes_view(&module), soil_words, 1);
    rig_task(&look, &store, bytes_view(&module), look_words, 2);
    soil.program.random_seeded = look.program.random_seeded = true;
    soil.program.random_seed = 1;
    look.program.random_seed = 2;
    return 0;
}

static int close_all(void **unused)
{
    (void)unused;
    rig_close(&rig);
    rig_store_close(&store);
    return 0;
}

static void assert_exits(const struct rig_task *t)
{
    rig_run(&rig, t);
    assert_int_equal(rig.kind, TERN__END_KIND__END_EXIT);
    assert_int_equal(rig.code, 0);
}

/* Behind its first line, which is a clock. */
static char *rest_of_output(void)
{
    return strdup(strchr(rig_text(&rig, 1), '\n'));
}

static long long first_number(void)
{
    return atoll(rig_text(&rig, 1));
}

/* What a fresh runner's program finds. */
static char *look_in_a_fresh_one(void)
{
    struct rig other;
    char *found;

    rig_open(&other, &store);
    rig_run(&other, &look);
    assert_int_equal(other.code, 0);
    found = strdup(strchr(rig_text(&other, 1), '\n'));
    rig_close(&other);
    return found;
}

/* Memory, variables, pages, stack pointer, descriptors and their flags, environment, words, random
 * numbers, input, processor time. */
static void nothing_is_left(void **unused)
{
    char *fresh = look_in_a_fresh_one();
    int runner;

    (void)unused;
    assert_non_null(strstr(fresh, "marks 0\n"));
    assert_non_null(strstr(fresh, "42 0 0 0\n"));
    assert_exits(&look);
    runner = rig_runner();
    assert_true(runner > 0);
    for (int i = 0; i < 3; i++) {
        long long used;
        char *found;

        assert_exits(&soil);
        used = first_number();
        assert_exits(&look);
        assert_true(first_number() < used);
        found = rest_of_output();
        assert_string_equal(found, fresh);
        assert_string_equal(rig_text(&rig, 2), "error is here\n");
        free(found);
        assert_int_equal(rig_runner(), runner);
    }
    free(fresh);
}

static void look_with_input(const char *given)
{
    rig_prepare(&rig, &look);
    if (given)
        rig.engine->calls->input(rig.engine->self, view_of_string(given), true);
    rig_until(&rig, &rig.prepared);
    rig.engine->calls->start(rig.engine->self);
    rig_until(&rig, &rig.over);
    assert_int_equal(rig.code, 0);
}

/* The one before has not read all of its own. */
static void input_is_its_own(void **unused)
{
    int runner;

    (void)unused;
    look.task.open_input = true;
    look_with_input("first\nunread\n");
    assert_non_null(strstr(rig_text(&rig, 1), "input 'first\n'"));
    runner = rig_runner();
    look_with_input("second\n");
    assert_non_null(strstr(rig_text(&rig, 1), "input 'second\n'"));
    look.task.open_input = false;
    look_with_input(NULL);
    assert_non_null(strstr(rig_text(&rig, 1), "input ''"));
    assert_int_equal(rig_runner(), runner);
}

/* Output that the one before has written does not count. */
static void limits_begin_anew(void **unused)
{
    (void)unused;
    look.limits.output_bytes = soil.limits.output_bytes = 400;
    for (int i = 0; i < 4; i++)
        assert_exits(&look);
}

/*
 * Globals, tables, segments: (module (global (mut i32) 0) (table 1 100 funcref) (memory 1 10)
 * (data "x") (elem func 0) (func (export "_start") ...)), which traps unless the global is 0, the
 * table has one element, which is null, the memory one page with 0 at 100, and the segments are
 * there; and leaves all of them changed.
 */
static void a_module_changes_all_it_has(void **unused)
{
    static const uint8_t bytes[] = {
        0,    'a',  's',  'm',  1,    0,    0,    0,    1,    4,    1, 0x60, 0, 0, /* type */
        3,    2,    1,    0,                                                       /* function */
        4,    5,    1,    0x70, 1,    1,    100,                                   /* table */
        5,    4,    1,    1,    1,    10,                                          /* memory */
        6,    6,    1,    0x7f, 1,    0x41, 0,    0x0b,                            /* global */
        7,    10,   1,    6,    '_',  's',  't',  'a',  'r',  't',  0, 0,          /* export */
        9,    5,    1,    1,    0,    1,    0, /* elem, passive */
        12,   1,    1,                         /* count of data */
        10,   99,   1,    97,   0,             /* code */
        0x23, 0,    0x04, 0x40, 0x00, 0x0b,    /* global.get: if: unreachable */
        0x41, 1,    0x24, 0,                   /* global.set 1 */
        0xfc, 16,   0,    0x41, 1,    0x47, 0x04, 0x40, 0x00, 0x0b,    /* table.size != 1 */
        0x41, 0,    0x25, 0,    0xd1, 0x45, 0x04, 0x40, 0x00, 0x0b,    /* table.get 0 not null */
        0x41, 0,    0xd2, 0,    0x26, 0,                               /* table.set 0 */
        0xd2, 0,    0x41, 5,    0xfc, 15,   0,    0x1a,                /* table.grow 5 */
        0x3f, 0,    0x41, 1,    0x47, 0x04, 0x40, 0x00, 0x0b,          /* memory.size != 1 */
        0x41, 0xe4, 0,    0x28, 2,    0,    0x04, 0x40, 0x00, 0x0b,    /* memory at 100 */
        0x41, 0xe4, 0,    0x41, 0,    0x41, 1,    0xfc, 8,    0,    0, /* memory.init to 100 */
        0xfc, 9,    0,                                                 /* data.drop */
        0x41, 0,    0x41, 0,    0x41, 1,    0xfc, 12,   0,    0,       /* table.init */
        0xfc, 13,   0,                                                 /* elem.drop */
        0x41, 3,    0x40, 0,    0x1a,                                  /* memory.grow 3 */
        0x0b, 11,   4,    1,    1,    1,    'x',                       /* data, passive */
    };
    struct rig_task t;
    int runner = 0;

    (void)unused;
    rig_task(&t, &store, view_of(bytes, sizeof bytes), NULL, 0);
    for (int i = 0; i < 5; i++) {
        rig_run(&rig, &t);
        assert_string_equal(rig.text, "");
        assert_int_equal(rig.kind, TERN__END_KIND__END_EXIT);
        if (i > 0)
            assert_int_equal(rig_runner(), runner);
        runner = rig_runner();
    }
}

/* One that was asked to stop is used no more: its pages are armed, a request may be on its way. */
static void what_was_checkpointed_is_not_used_again(void **unused)
{
    struct rig_task rest;
    char *fresh = look_in_a_fresh_one(), *found;
    struct bytes both = {0};
    int runner;

    (void)unused;
    assert_exits(&look);
    runner = rig_runner();
    look.task.open_input = true; /* which it waits for */
    rig_start(&rig, &look);
    rig.engine->calls->checkpoint(rig.engine->self, true);
    rig_until(&rig, &rig.over);
    assert_false(rig.ended);
    look.task.open_input = false;
    rest = look;
    rig_goes_on(&rest, &rig.checkpoints[0]);
    bytes_append(&both, rig.out[0].data, rig.out[0].size);
    assert_exits(&rest);
    bytes_append(&both, rig.out[0].data, rig.out[0].size);
    assert_string_equal(strchr(bytes_text(&both), '\n'), fresh);
    bytes_release(&both);
    assert_exits(&look);
    found = rest_of_output();
    assert_string_equal(found, fresh);
    free(found);
    assert_int_not_equal(rig_runner(), runner);
    free(fresh);
}

static void other_limits_need_another_one(void **unused)
{
    int runner;

    (void)unused;
    assert_exits(&look);
    runner = rig_runner();
    look.limits.memory_pages = 1000;
    assert_exits(&look);
    assert_int_not_equal(rig_runner(), runner);
    runner = rig_runner();
    look.limits.stack_bytes = 1 << 20;
    assert_exits(&look);
    assert_int_not_equal(rig_runner(), runner);
    runner = rig_runner();
    look.task.deterministic = true;
    assert_exits(&look);
    assert_int_not_equal(rig_runner(), runner);
}

static void one_that_died_is_replaced(void **unused)
{
    siginfo_t gone;
    int runner;

    (void)unused;
    assert_exits(&look);
    runner = rig_runner();
    assert_int_equal(kill(runner, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)runner, &gone, WEXITED | WNOWAIT), 0);
    assert_exits(&look);
    assert_int_not_equal(rig_runner(), runner);
}

static bool compile(const char *tern, const char *source)
{
    char out[] = "/tmp/tern-fresh-XXXXXX", command[1024];
    const int fd = mkstemp(out);
    bool fine;

    snprintf(command, sizeof command, "%s cc -O1 %s -o %s", tern, source, out);
    fine = fd >= 0 && system(command) == 0 && file_read(out, MODULE_BYTES_MAX, &module) == TERN_OK;
    close(fd);
    unlink(out);
    return fine;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_left),
        TEST(input_is_its_own),
        TEST(limits_begin_anew),
        TEST(a_module_changes_all_it_has),
        TEST(what_was_checkpointed_is_not_used_again),
        TEST(other_limits_need_another_one),
        TEST(one_that_died_is_replaced),
    };

    char tern[PATH_MAX];
    int failed;

    if (argc != 3) {
        fprintf(stderr, "usage: test_engine_warm TERN SOURCE\n");
        return 2;
    }
    if (!realpath(argv[1], tern)) {
        perror(argv[1]);
        return 1;
    }
    setenv("TERN_EXE", tern, 1);
    if (!compile(argv[1], argv[2])) {
        fprintf(stderr, "%s cannot be compiled: is clang with wasi-libc there?\n", argv[2]);
        return 1;
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    bytes_release(&module);
    return failed;
}
