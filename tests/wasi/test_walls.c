/*
 * The walls around a runner, with the attacker already inside: whatever its code tries, it reaches
 * no more than its directories. Arguments: broken_program.so, tern-runner.
 */
#include "os/file.h"
#include "os/supervise.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

static const char *object_path;
static struct settings settings;
static char room[] = "/tmp/tern-walls-XXXXXX";

static void write_text(const char *path)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs("text\n", f);
    fclose(f);
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(room));
    assert_int_equal(chdir(room), 0);
    assert_int_equal(mkdir("data", 0755) | mkdir("lent", 0755) | mkdir("outside", 0755), 0);
    write_text("lent/text");
    write_text("outside/text");
    return setenv("ROOM", room, 1);
}

static int tear_down(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof command, "rm -r %s", room);
    return system(command);
}

/* Any module will do: what it means is not asked. */
static void run(const char *misdeed, struct ending *out)
{
    static const uint8_t module[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    char data[] = "data", lent[] = "lent";
    const struct program_dir dirs[] = {{data, data, false}, {lent, lent, true}};
    struct words args = {0}, env = {0};
    struct program_order order = {
        .settings = &settings,
        .name = "broken",
        .args = &args,
        .env = &env,
        .streams = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO},
        .dirs = dirs,
        .dir_count = 2,
        .limits = program_default,
        .object = open(object_path, O_RDONLY | O_CLOEXEC),
        .module_bytes = view_of(module, sizeof module),
    };
    struct problem p;

    assert_true(order.object >= 0);
    assert_int_equal(file_sealed("module", order.module_bytes, &order.module), TERN_OK);
    setenv("MISDEED", misdeed, 1);
    words_add(&args, "broken");
    assert_int_equal(supervise(&order, out, &p), TERN_OK);
    words_release(&args);
    close(order.module);
    close(order.object);
}

static void assert_succeeds(const char *misdeed)
{
    struct ending e;

    run(misdeed, &e);
    if (e.code != EXIT_TRAP)
        fail_msg("'%s' should succeed: %d %s", misdeed, e.code, e.text);
}

static void assert_refused(const char *misdeed)
{
    struct ending e;

    run(misdeed, &e);
    if (e.code != 0 || e.signal)
        fail_msg("'%s' should be refused: %d %s", misdeed, e.code, e.text);
}

static void assert_stopped(const char *misdeed)
{
    struct ending e;

    run(misdeed, &e);
    if (e.code != EXIT_TERN || !strstr(e.text, "sandbox"))
        fail_msg("'%s' should be stopped: %d %s", misdeed, e.code, e.text);
}

/* That something works shows that what follows is not refused for another reason. */
static void test_what_is_allowed(void **unused)
{
    (void)unused;
    assert_succeeds("write inside");
    assert_succeeds("read what is lent");
    assert_succeeds("change memory");
}

static void test_files(void **unused)
{
    (void)unused;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1)
        skip();
    assert_refused("write what is lent");
    assert_refused("read outside");
    assert_refused("create outside");
    assert_refused("read the system");
}

static void test_system_calls(void **unused)
{
    static const char *const misdeeds[] = {"socket", "fork",      "execute",  "signal",
                                           "trace",  "make code", "map code", "control itself"};

    (void)unused;
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
        skip();
    for (size_t i = 0; i < sizeof misdeeds / sizeof *misdeeds; i++)
        assert_stopped(misdeeds[i]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_allowed),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_system_calls),
    };

    if (argc != 3) {
        fprintf(stderr, "usage: test_walls OBJECT RUNNER\n");
        return 2;
    }
    object_path = realpath(argv[1], NULL); /* we go elsewhere */
    settings.runner = realpath(argv[2], NULL);
    if (!object_path || !settings.runner)
        return 2;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
