/*
 * A family of children that do nothing: the order in which they start and end, one that dies, one
 * that never gets ready.
 */
#include "../folder.h"

#include "os/file.h"
#include "os/pool/family.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct bed {
    const struct folder *folder;
    uv_loop_t loop;
    struct family *family;
    unsigned ready, died, lines, over;
    bool failed, end_when_ready, kill_first;
    char seen[200]; /* lines, in order */
    pid_t pid;      /* of the first, from its line */
};

static void on_ready(void *context)
{
    struct bed *b = context;

    b->ready++;
    if (b->kill_first)
        kill(b->pid, SIGKILL);
    if (b->end_when_ready)
        family_end(b->family);
}

static void on_line(void *context, size_t child, const char *line)
{
    struct bed *b = context;
    char one[40];

    b->lines++;
    if (child == 0)
        b->pid = (pid_t)atol(line + 2);
    snprintf(one, sizeof one, "%c", *line);
    strncat(b->seen, one, sizeof b->seen - strlen(b->seen) - 1);
    if (b->died) /* it is back */
        family_end(b->family);
}

static void on_died(void *context, size_t child, const char *how)
{
    struct bed *b = context;

    assert_int_equal(child, 0);
    assert_non_null(strstr(how, "signal 9"));
    b->died++;
}

static void on_over(void *context, bool failed)
{
    struct bed *b = context;

    b->over++;
    b->failed = failed;
    uv_stop(&b->loop);
}

static void begin(struct bed *b, const struct folder *folder)
{
    const struct family_order order = {
        .context = b, .ready = on_ready, .line = on_line, .died = on_died, .over = on_over};

    *b = (struct bed){.folder = folder};
    assert_int_equal(uv_loop_init(&b->loop), 0);
    b->family = family_new(&b->loop, &order);
}

static void run(struct bed *b)
{
    family_start(b->family);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    family_free(b->family);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&b->loop), 0);
    assert_int_equal(b->over, 1);
}

/* A child: says that it is ready, waits for SIGTERM, writes its name behind those that ended. */
static int be_child(const char *name, const char *ended)
{
    sigset_t term;
    int number;
    FILE *file;

    if (family_orphan())
        return 9;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    printf("ready: %s %ld\n", name, (long)getpid());
    fflush(stdout);
    sigwait(&term, &number);
    file = fopen(ended, "ae");
    fputs(name, file);
    return fclose(file);
}

static void add(struct bed *b, const char *name, unsigned rank)
{
    char ended[DIRS_PATH_MAX + 8];
    char *argv[] = {(char *)"/proc/self/exe", (char *)name, ended, NULL};

    snprintf(ended, sizeof ended, "%s/ended", b->folder->path);
    family_add(b->family, name, argv, rank);
}

static void expect_ended(const struct folder *f, const char *one, const char *other)
{
    struct bytes text = {0};

    assert_int_equal(file_read(folder_name(f, "ended"), 100, &text), TERN_OK);
    assert_non_null(bytes_text(&text));
    if (strcmp((char *)text.data, one) != 0)
        assert_string_equal((char *)text.data, other);
    bytes_release(&text);
}

static void test_start_in_order_and_end_backwards(void **state)
{
    struct bed b;

    begin(&b, *state);
    b.end_when_ready = true;
    add(&b, "a", 0);
    add(&b, "b", 1);
    add(&b, "c", 1);
    add(&b, "d", 2);
    run(&b);
    assert_int_equal(b.ready, 1);
    assert_false(b.failed);
    assert_true(strcmp(b.seen, "abcd") == 0 || strcmp(b.seen, "acbd") == 0);
    expect_ended(*state, "dbca", "dcba");
}

static void test_one_that_dies_comes_back(void **state)
{
    struct bed b;

    begin(&b, *state);
    b.kill_first = true;
    add(&b, "a", 0);
    add(&b, "b", 1);
    run(&b);
    assert_int_equal(b.died, 1);
    assert_int_equal(b.ready, 1);
    assert_string_equal(b.seen, "aba");
    assert_false(b.failed);
    expect_ended(*state, "ba", "ba");
}

static void test_one_that_never_gets_ready_ends_all(void **state)
{
    static char *const bad[] = {(char *)"/bin/sh", (char *)"-c", (char *)"exit 3", NULL};
    static char *const none[] = {(char *)"/nowhere/at/all", NULL};

    for (int i = 0; i < 2; i++) {
        struct bed b;

        begin(&b, *state);
        add(&b, "a", 0);
        family_add(b.family, "bad", i ? none : bad, 1);
        run(&b);
        assert_true(b.failed);
        assert_int_equal(b.ready, 0);
    }
    expect_ended(*state, "aa", "aa");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_start_in_order_and_end_backwards, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(test_one_that_dies_comes_back, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(test_one_that_never_gets_ready_ends_all, folder_setup,
                                        folder_teardown),
    };

    if (argc == 3)
        return be_child(argv[1], argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
