/*
 * compiler - the system's C compiler: which one, what it is, and with which flags it is called.
 *
 * Life     compiler_find, then compiler_identify, then use; compiler_release accepts empty.
 * Errors   TERN_EMISSING: there is none, or it does not work; the problem says what to install.
 */
#ifndef TERN_OS_COMPILER_H
#define TERN_OS_COMPILER_H

#include "base/error.h"
#include "os/cache.h"
#include "os/settings.h"
#include "os/words.h"

#include <stdbool.h>
#include <stdint.h>

enum compiler_family { COMPILER_GCC = 1, COMPILER_CLANG = 2 };

struct compiler {
    struct words command; /* command.word[0]: absolute path */
    char version[256];    /* first line of --version */
    char machine[64];     /* -dumpmachine: "x86_64-linux-gnu" */
    enum compiler_family family;
    uint64_t accepted; /* a bit per row of the flag table that it understands */
};

/* settings->cc, else the first of cc, gcc, clang in PATH. */
enum tern_err compiler_find(const struct settings *settings, struct compiler *out,
                            struct problem *p);
/* Asks the compiler itself, once: the answer is kept in the cache until the file changes. */
enum tern_err compiler_identify(struct compiler *c, struct cache *cache, struct problem *p);
void compiler_release(struct compiler *c);

/* Does it compile for the processor that we run on? */
bool compiler_is_native(const struct compiler *c);

/* Appends the flags for compiling, without input and output. more: TERN_CFLAGS, may be NULL. */
void compiler_flags(const struct compiler *c, const char *more, struct words *out);
void compiler_link_flags(const struct compiler *c, struct words *out);

/* The table behind them, for compiler_identify: rows that only some compilers know. */
size_t compiler_optional_count(enum compiler_family family);
const char *compiler_optional_flag(enum compiler_family family, size_t index);

#endif
