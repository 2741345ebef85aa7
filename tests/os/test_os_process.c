#include "folder.h"

#include "base/bytes.h"
#include "os/file.h"
#include "os/jobs.h"
#include "os/process.h"
#include "os/words.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#define SHELL(script) ((char *const[]){(char[]){"/bin/sh"}, (char[]){"-c"}, (char[]){script}, NULL})

static void assert_says(const char *path, const char *wanted)
{
    struct bytes b = {0};

    assert_int_equal(file_read(path, 1 << 16, &b), TERN_OK);
    assert_string_equal(bytes_text(&b), wanted);
    bytes_release(&b);
}

static void captures_both_outputs(void **state)
{
    struct bytes out = {0};
    struct problem p;
    int status = -1;

    (void)state;
    assert_int_equal(process_capture(SHELL("echo a; echo b >&2; cat; exit 3"), &out, &status, &p),
                     TERN_OK);
    assert_string_equal(bytes_text(&out), "a\nb\n");
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    bytes_release(&out);
}

static void says_what_cannot_be_started(void **state)
{
    char *const argv[] = {(char[]){"/no/such/program"}, NULL};
    struct process_spec spec = {.argv = argv};
    struct problem p;
    pid_t pid;

    (void)state;
    assert_int_equal(process_start(&spec, &pid, &p), TERN_ENOENT);
    assert_non_null(strstr(p.text, "/no/such/program"));
}

static void gives_exactly_the_descriptors(void **state)
{
    char *const argv[] = {(char[]){"/bin/ls"}, (char[]){"/proc/self/fd"}, NULL};
    struct process_spec spec = {.argv = argv, .fd_count = 3};
    struct bytes b = {0};
    struct problem p;
    int ends[2];
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], 77), 77); /* open, and not closed on exec */
    spec.fds = (const int[]){-1, ends[1], -1};
    assert_int_equal(process_start(&spec, &pid, &p), TERN_OK);
    close(ends[1]);
    assert_int_equal(file_read_fd(ends[0], 4096, &b), TERN_OK);
    assert_int_equal(process_wait(pid), 0);
    assert_string_equal(bytes_text(&b), "0\n1\n2\n3\n"); /* 3: the folder that ls reads */
    bytes_release(&b);
    close(ends[0]);
    close(77);
}

/* In an order that a chain of dup2 without copies would not survive. */
static void swaps_descriptors(void **state)
{
    struct process_spec spec = {.argv = SHELL("read a; read b <&3; echo $a $b >&4"), .fd_count = 5};
    int first[2], second[2], answer[2];
    struct bytes b = {0};
    struct problem p;
    pid_t pid;

    (void)state;
    assert_true(pipe(first) == 0 && pipe(second) == 0 && pipe(answer) == 0);
    spec.fds = (const int[]){second[0], -1, -1, first[0], answer[1]};
    assert_int_equal(process_start(&spec, &pid, &p), TERN_OK);
    assert_int_equal(file_write_fd(first[1], view_of_string("first\n")), TERN_OK);
    assert_int_equal(file_write_fd(second[1], view_of_string("second\n")), TERN_OK);
    close(answer[1]);
    assert_int_equal(file_read_fd(answer[0], 4096, &b), TERN_OK);
    assert_string_equal(bytes_text(&b), "second first\n");
    assert_int_equal(process_wait(pid), 0);
    bytes_release(&b);
    close(answer[0]);
    for (int i = 0; i < 2; i++) {
        close(first[i]);
        close(second[i]);
    }
}

static enum tern_err run_jobs(const struct job *jobs, size_t count, size_t parallel, uint64_t ms,
                              struct jobs_result *result)
{
    const struct jobs_limits limits = {.parallel_max = parallel, .time_ms_max = ms};
    struct problem p;

    return jobs_run(jobs, count, &limits, result, &p);
}

static void jobs_run_side_by_side(void **state)
{
    struct folder *f = *state;
    char *const *argv = SHELL("echo out; echo err >&2");
    struct words logs = {0};
    struct jobs_result result;
    struct job jobs[5];

    for (unsigned i = 0; i < 5; i++) {
        words_addf(&logs, "%s/log-%u", f->path, i);
        jobs[i] = (struct job){.argv = argv, .log = logs.word[i]};
    }
    assert_int_equal(run_jobs(jobs, 5, 2, 0, &result), TERN_OK);
    for (unsigned i = 0; i < 5; i++)
        assert_says(logs.word[i], "out\nerr\n");
    assert_int_equal(run_jobs(jobs, 0, 2, 0, &result), TERN_OK);
    words_release(&logs);
}

/* The others would wait for ever: they are killed, with their children. */
static void the_first_failure_ends_all(void **state)
{
    struct folder *f = *state;
    char log[DIRS_PATH_MAX + 8];
    struct jobs_result result;
    const struct job jobs[] = {
        {.argv = SHELL("cat /dev/zero >/dev/null & wait"), .log = log},
        {.argv = SHELL("exit 9"), .log = log},
        {.argv = SHELL("exit 0"), .log = log},
    };

    strcpy(log, folder_name(f, "log"));
    assert_int_equal(run_jobs(jobs, 3, 2, 0, &result), TERN_ECOMPILE);
    assert_int_equal(result.failed, 1);
    assert_int_equal(WEXITSTATUS(result.status), 9);
    assert_int_equal(result.signal, 0);
}

static void time_runs_out(void **state)
{
    const struct job job = {.argv = SHELL("cat /dev/zero >/dev/null"),
                            .log = folder_name(*state, "log")};
    struct jobs_result result;

    assert_int_equal(run_jobs(&job, 1, 1, 20, &result), TERN_ETIME);
}

static void a_request_to_end_ends_the_jobs(void **state)
{
    const struct job job = {.argv = SHELL("kill -TERM $PPID; cat /dev/zero >/dev/null"),
                            .log = folder_name(*state, "log")};
    struct jobs_result result;

    assert_int_equal(run_jobs(&job, 1, 1, 0, &result), TERN_ESYSTEM);
    assert_int_equal(result.signal, SIGTERM);
}

/* It would wait for ever. */
static void another_thread_gives_the_jobs_up(void **state)
{
    const struct job job = {.argv = SHELL("cat /dev/zero >/dev/null & wait"),
                            .log = folder_name(*state, "log")};
    const atomic_bool give_up = true;
    const struct jobs_limits limits = {.parallel_max = 1, .give_up = &give_up};
    struct jobs_result result;
    struct problem p;

    assert_int_equal(jobs_run(&job, 1, &limits, &result, &p), TERN_EBUSY);
    assert_int_equal(result.signal, 0);
}

static void jobs_that_cannot_start(void **state)
{
    char *const argv[] = {(char[]){"/no/such/program"}, NULL};
    const struct job job = {.argv = argv, .log = folder_name(*state, "log")};
    const struct job no_log = {.argv = argv, .log = folder_name(*state, "no/log")};
    struct jobs_result result;

    assert_int_equal(run_jobs(&job, 1, 1, 0, &result), TERN_ENOENT);
    assert_int_equal(run_jobs(&no_log, 1, 1, 0, &result), TERN_ENOENT);
}

static void words_are_cut_at_blanks(void **state)
{
    struct words w = {0};

    (void)state;
    words_split(&w, "  gcc\t-m64   -O2\n");
    words_addf(&w, "%d", 7);
    words_add_all(&w, (char *const[]){(char[]){"x"}, NULL});
    words_split(&w, "");
    assert_int_equal(w.count, 5);
    assert_string_equal(w.word[0], "gcc");
    assert_string_equal(w.word[2], "-O2");
    assert_string_equal(w.word[3], "7");
    assert_null(w.word[5]);
    words_release(&w);
    assert_null(w.word);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, folder_setup, folder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(captures_both_outputs),
        TEST(says_what_cannot_be_started),
        TEST(gives_exactly_the_descriptors),
        TEST(swaps_descriptors),
        TEST(jobs_run_side_by_side),
        TEST(the_first_failure_ends_all),
        TEST(time_runs_out),
        TEST(a_request_to_end_ends_the_jobs),
        TEST(another_thread_gives_the_jobs_up),
        TEST(jobs_that_cannot_start),
        TEST(words_are_cut_at_blanks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
