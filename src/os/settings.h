/*
 * settings - what the environment says about how Tern works, read once at the start.
 *
 * Memory   Borrows from the environment, but for the paths it holds itself.
 */
#ifndef TERN_OS_SETTINGS_H
#define TERN_OS_SETTINGS_H

#include "os/confine.h"
#include "os/dirs.h"

#include <stdbool.h>

enum { SETTINGS_SECONDS_MAX = 86400 };

struct settings {
    const char *cc;        /* TERN_CC: C compiler with arguments; NULL: cc, gcc or clang */
    const char *cflags;    /* TERN_CFLAGS: behind our own flags; NULL: none */
    const char *runner;    /* TERN_RUNNER: with arguments; NULL: beside this executable */
    const char *path;      /* PATH */
    const char *temporary; /* TMPDIR, else /tmp */
    const char *cache_dir; /* TERN_CACHE_DIR, XDG_CACHE_HOME, HOME: see dirs_cache_path */
    const char *cache_home;
    const char *home;
    const char *state_home, *runtime_dir, *config_home; /* XDG_..., see os/pool/pool_dirs.h */
    const char *agent;                                  /* TERN_AGENT, TERN_POOL; or NULL */
    const char *token;                                  /* TERN_TOKEN: a file; or NULL */
    const char *self; /* this executable */
    struct confine_limits compiler_limits;
    uint64_t compiler_ms_max; /* TERN_COMPILE_SECONDS: of the clock, for a module; 0: nonsense */
    uint64_t cache_bytes_max;
    bool compare_pages; /* TERN_COMPARE_PAGES: do not ask the kernel which pages were written */
};

struct settings settings_read(void);

#endif
