/*
 * Where things are: by what is set, with what was left by others, and one at a time.
 */
#include "../folder.h"

#include "os/pool/pool_dirs.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_state(void **state)
{
    const struct folder *f = *state;
    struct settings s = {.home = f->path};
    char out[DIRS_PATH_MAX], wanted[DIRS_PATH_MAX + 64];
    struct problem p;
    struct stat st;

    assert_int_equal(pool_dirs_state(&s, NULL, "agent", out, &p), TERN_OK);
    snprintf(wanted, sizeof wanted, "%s/.local/state/tern/agent", f->path);
    assert_string_equal(out, wanted);
    assert_int_equal(stat(out, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    s.state_home = folder_name(f, "state");
    assert_int_equal(pool_dirs_state(&s, NULL, "agent", out, &p), TERN_OK);
    snprintf(wanted, sizeof wanted, "%s/tern/agent", s.state_home);
    assert_string_equal(out, wanted);
    assert_int_equal(pool_dirs_state(&s, folder_name(f, "x"), "agent", out, &p), TERN_OK);
    assert_string_equal(out, folder_name(f, "x"));
    s = (struct settings){0};
    assert_int_equal(pool_dirs_state(&s, NULL, "agent", out, &p), TERN_ENOENT);
}

static void test_socket_and_agent(void **state)
{
    const struct folder *f = *state;
    struct settings s = {.runtime_dir = f->path};
    char out[POOL_ENDPOINT_BYTES], wanted[POOL_ENDPOINT_BYTES + 64];
    struct problem p;

    assert_int_equal(pool_dirs_socket(&s, "agent", out, &p), TERN_OK);
    snprintf(wanted, sizeof wanted, "unix:%s/tern/agent", f->path);
    assert_string_equal(out, wanted);
    close(open(out + 5, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)); /* it is there */
    assert_int_equal(pool_dirs_agent(&s, NULL, out, &p), TERN_OK);
    assert_string_equal(out, wanted);
    s.agent = "tcp:else:1";
    assert_int_equal(pool_dirs_agent(&s, NULL, out, &p), TERN_OK);
    assert_string_equal(out, "tcp:else:1");
    assert_int_equal(pool_dirs_agent(&s, "host", out, &p), TERN_OK);
    assert_string_equal(out, "host");
}

static void test_directory_that_others_can_write(void **state)
{
    const struct folder *f = *state;
    struct settings s = {.runtime_dir = f->path};
    char out[POOL_ENDPOINT_BYTES], dir[DIRS_PATH_MAX + 8];
    struct problem p;

    snprintf(dir, sizeof dir, "%s/tern", f->path);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(chmod(dir, 0777), 0);
    assert_int_equal(pool_dirs_socket(&s, "agent", out, &p), TERN_EUNSAFE);
    assert_non_null(strstr(p.text, "XDG_RUNTIME_DIR"));
}

static void test_token(void **state)
{
    const struct folder *f = *state;
    struct settings s = {0};
    uint8_t drawn[POOL_TOKEN_BYTES], again[POOL_TOKEN_BYTES], zero[POOL_TOKEN_BYTES] = {0};
    struct problem p;
    FILE *file;

    assert_int_equal(pool_dirs_own_token(f->path, drawn, &p), TERN_OK);
    assert_memory_not_equal(drawn, zero, sizeof zero);
    assert_int_equal(pool_dirs_own_token(f->path, again, &p), TERN_OK);
    assert_memory_equal(drawn, again, sizeof drawn);
    s.token = folder_name(f, "token");
    assert_int_equal(pool_dirs_token(&s, NULL, again, &p), TERN_OK);
    assert_memory_equal(drawn, again, sizeof drawn);
    s.token = folder_name(f, "none");
    assert_int_equal(pool_dirs_token(&s, NULL, again, &p), TERN_ENOENT);
    assert_non_null(strstr(p.text, "copy"));
    file = fopen(s.token, "w");
    fputs("no token\n", file);
    fclose(file);
    assert_int_equal(pool_dirs_token(&s, NULL, again, &p), TERN_EUSAGE);
}

static void test_one_at_a_time(void **state)
{
    const struct folder *f = *state;
    struct problem p;
    int status;
    pid_t child;

    assert_int_equal(pool_dirs_lock(f->path, "agent", &p), TERN_OK);
    child = fork();
    if (child == 0) {
        char whom[64];

        snprintf(whom, sizeof whom, "(process %ld)", (long)getppid());
        _exit(pool_dirs_lock(f->path, "agent", &p) == TERN_EBUSY && strstr(p.text, whom) ? 7 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_state, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_socket_and_agent, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_directory_that_others_can_write, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(test_token, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(test_one_at_a_time, folder_setup, folder_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
