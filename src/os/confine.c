#include "os/confine.h"

#include "os/filter.h"
#include "os/landlock.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

const struct confine_limits confine_default = {
    .memory_bytes = (uint64_t)4 << 30,
    .cpu_seconds = 600,
    .file_bytes = (uint64_t)1 << 30,
};

/*
 * Bounds a runaway `fork`, not more: the kernel counts all of the user's processes, so a small
 * number would refuse compilers on a busy machine.
 */
enum { PROCESSES_MAX = 8192 };

enum { CONFINE_STATUS = 125, TREES_MAX = 8 };

void confine_prefix(const struct confine_limits *limits, const char *self, const char *work,
                    struct confine_words *out)
{
    snprintf(out->number[0], sizeof out->number[0], "%ju", (uintmax_t)limits->memory_bytes);
    snprintf(out->number[1], sizeof out->number[1], "%ju", (uintmax_t)limits->cpu_seconds);
    snprintf(out->number[2], sizeof out->number[2], "%ju", (uintmax_t)limits->file_bytes);
    out->word[0] = (char *)(uintptr_t)self;
    out->word[1] = (char *)(uintptr_t) "confine";
    out->word[2] = (char *)(uintptr_t)work;
    for (int i = 0; i < 3; i++)
        out->word[3 + i] = out->number[i];
    out->word[6] = (char *)(uintptr_t) "--";
}

static bool limit(__rlimit_resource_t what, uint64_t most)
{
    struct rlimit now;

    if (getrlimit(what, &now) < 0)
        return false;
    if (now.rlim_max < most)
        most = now.rlim_max;
    now.rlim_cur = now.rlim_max = most;
    return setrlimit(what, &now) == 0;
}

static bool number(const char *text, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == 0;
}

static bool set_limits(char **words)
{
    uint64_t memory, cpu, file;

    return number(words[0], &memory) && number(words[1], &cpu) && number(words[2], &file) &&
           limit(RLIMIT_AS, memory) && limit(RLIMIT_CPU, cpu) && limit(RLIMIT_FSIZE, file) &&
           limit(RLIMIT_NPROC, PROCESSES_MAX) && limit(RLIMIT_CORE, 0);
}

/* A compiler that is not part of the system sees its own installation: .../bin/.. and so on. */
static size_t own_trees(const char *compiler, char trees[TREES_MAX][PATH_MAX])
{
    static const char *const beside[] = {
        "", "/../lib", "/../lib64", "/../libexec", "/../include", "/../share"};
    char real[PATH_MAX];
    size_t count = 0;
    char *slash;

    if (!realpath(compiler, real))
        return 0;
    slash = strrchr(real, '/');
    *slash = 0;
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        int length = snprintf(trees[count], PATH_MAX, "%s%s", real, beside[i]);

        if (length > 0 && length < PATH_MAX)
            count++;
    }
    return count;
}

static enum tern_err narrow_files(const char *work, const char *compiler)
{
    static const char *const system[] = {
        "/usr",         "/lib",       "/lib32",        "/lib64",        "/libx32", "/bin",
        "/sbin",        "/etc",       "/opt",          "/nix/store",    "/gnu",    "/dev/zero",
        "/dev/urandom", "/proc/self", "/proc/meminfo", "/proc/cpuinfo",
    };
    enum { SYSTEM = sizeof system / sizeof *system };
    char trees[TREES_MAX][PATH_MAX];
    size_t tree_count = own_trees(compiler, trees);
    struct landlock_path paths[SYSTEM + TREES_MAX + 2];
    size_t count = 0;
    bool applied;

    for (size_t i = 0; i < SYSTEM; i++)
        paths[count++] = (struct landlock_path){.path = system[i]};
    for (size_t i = 0; i < tree_count; i++)
        paths[count++] = (struct landlock_path){.path = trees[i]};
    paths[count++] = (struct landlock_path){.path = work, .write = true};
    paths[count++] = (struct landlock_path){.path = "/dev/null", .write = true};
    return landlock_apply(paths, count, &applied);
}

static int refuse(const char *what)
{
    fprintf(stderr, "tern: cannot confine the compiler: %s: %s\n", what, strerror(errno));
    return CONFINE_STATUS;
}

int confine_main(int argc, char **argv)
{
    const char *work;
    bool applied;

    if (argc <= CONFINE_WORDS || strcmp(argv[CONFINE_WORDS - 1], "--") != 0) {
        fprintf(stderr, "tern: confine is for tern's own use\n");
        return CONFINE_STATUS;
    }
    work = argv[2];
    argv += CONFINE_WORDS;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || chdir(work) < 0)
        return refuse(work);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return refuse("no_new_privs");
    if (narrow_files(work, argv[0]))
        return refuse("Landlock");
    if (filter_compiler_apply(&applied))
        return refuse("seccomp");
    if (!set_limits(argv - 4)) /* last: they are meant for the compiler, not for us */
        return refuse("limits");
    execvp(argv[0], argv);
    return refuse(argv[0]);
}
