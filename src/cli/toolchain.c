#include "cli/toolchain.h"

#include "cli/say.h"

#include <glob.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct part {
    bool missing;
    const char *what;
    const char *package;
};

static bool exists(const char *pattern)
{
    glob_t found;
    int result = glob(pattern, 0, NULL, &found);

    if (result == 0)
        globfree(&found);
    return result == 0;
}

static bool is_in_path(const char *name, const char *path)
{
    for (const char *at = path; *at;) {
        char file[PATH_MAX];
        size_t length = strcspn(at, ":");

        snprintf(file, sizeof file, "%.*s/%s", (int)length, at, name);
        if (access(file, X_OK) == 0)
            return true;
        at += length + (at[length] == ':');
    }
    return false;
}

/* Names end in NULL. */
static const char *first_in_path(const char *const *names, const char *path)
{
    for (; *names; names++)
        if (is_in_path(*names, path))
            return *names;
    return NULL;
}

const char *toolchain_clang(const char *path, bool cxx)
{
    static const char *const c[] = {"clang", "clang-14", "clang-15", "clang-16", NULL};
    static const char *const cpp[] = {"clang++", "clang++-14", "clang++-15", "clang++-16", NULL};

    return first_in_path(cxx ? cpp : c, path);
}

static bool has_linker(const char *path)
{
    static const char *const linkers[] = {"wasm-ld", "wasm-ld-14", "wasm-ld-15", "wasm-ld-16",
                                          NULL};

    return first_in_path(linkers, path) != NULL;
}

static bool has_builtins(void)
{
    return exists("/usr/lib/llvm-*/lib/clang/*/lib/wasi/libclang_rt.builtins-wasm32.a") ||
           exists("/usr/lib/clang/*/lib/wasi/libclang_rt.builtins-wasm32.a");
}

bool toolchain_complete(const char *path, bool cxx)
{
    const struct part parts[] = {
        {!toolchain_clang(path, cxx), "clang", "clang"},
        {!has_linker(path), "wasm-ld", "lld"},
        {!exists(WASI_INCLUDE_DIR "/stdio.h") || !exists(WASI_LIBRARY_DIR "/libc.a"),
         "the WASI C library", "wasi-libc"},
        {!has_builtins(), "libclang_rt.builtins for wasm32", "libclang-rt-14-dev-wasm32"},
        {cxx && !exists(WASI_CXX_INCLUDE_DIR "/vector"), "the C++ library for wasm32",
         "libc++-dev-wasm32 libc++abi-dev-wasm32"},
    };
    char what[256] = "", packages[256] = "";

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t a = strlen(what), b = strlen(packages);

        if (!parts[i].missing)
            continue;
        snprintf(what + a, sizeof what - a, "%s%s", a ? ", " : "", parts[i].what);
        snprintf(packages + b, sizeof packages - b, " %s", parts[i].package);
    }
    if (*what)
        say("cc: compiling to WebAssembly needs %s; do: apt-get install%s", what, packages);
    return !*what;
}
