#include "os/runner.h"

#include "os/filter.h"
#include "os/sys.h"

#include <elf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From the folder of the tern executable: installed together, in libexec, in a build folder. */
static const char *const places[] = {
    "tern-runner",
    "../libexec/tern/tern-runner",
    "../lib/tern/tern-runner",
    "../runner/tern-runner",
};

/* Also of an executable that an upgrade has replaced while it runs. */
static bool real_path(const char *self, char out[PATH_MAX])
{
    static const char gone[] = " (deleted)";
    const size_t tail = sizeof gone - 1;
    ssize_t size;

    if (realpath(self, out))
        return true;
    size = readlink(self, out, PATH_MAX - 1);
    if (size <= (ssize_t)tail || memcmp(out + size - tail, gone, tail) != 0)
        return false;
    out[size - (ssize_t)tail] = 0;
    return *out == '/';
}

static bool find_beside(const char *self, char out[PATH_MAX])
{
    char real[PATH_MAX];
    char *slash;

    if (!real_path(self, real))
        return false;
    slash = strrchr(real, '/');
    *slash = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int length = snprintf(out, PATH_MAX, "%s/%s", real, places[i]);

        if (length > 0 && length < PATH_MAX && access(out, X_OK) == 0)
            return true;
    }
    return false;
}

enum tern_err runner_find(const struct settings *settings, struct words *out, struct problem *p)
{
    char path[PATH_MAX];

    if (settings->runner)
        words_split(out, settings->runner);
    else if (find_beside(settings->self, path))
        words_add(out, path);
    if (out->failed)
        return problem_set(p, TERN_ENOMEM, "out of memory");
    if (!out->count)
        return problem_set(p, TERN_EMISSING,
                           "tern-runner was not found beside tern; install it there, or name it "
                           "in TERN_RUNNER");
    return TERN_OK;
}

static bool same_machine(int object)
{
    unsigned char mine[EI_NIDENT + 4], its[EI_NIDENT + 4]; /* identification, type, machine */
    int self = sys_open("/proc/self/exe", 0, 0);
    bool fine = self >= 0 && sys_pread(self, mine, sizeof mine, 0) == sizeof mine &&
                sys_pread(object, its, sizeof its, 0) == sizeof its;

    sys_close(self);
    return fine && mine[EI_CLASS] == its[EI_CLASS] && mine[EI_DATA] == its[EI_DATA] &&
           memcmp(mine + EI_NIDENT + 2, its + EI_NIDENT + 2, 2) == 0;
}

enum tern_err runner_filter(int object, struct bytes *out)
{
    return same_machine(object) ? filter_runner_export(out) : TERN_OK;
}
