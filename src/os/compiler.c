#include "os/compiler.h"

#include "base/check.h"
#include "os/file.h"
#include "os/process.h"
#include "os/sys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char what_to_install[] = "install one, for example: apt-get install gcc libc6-dev";

/* As execvp would find it; empty if nowhere. */
static bool in_path(const char *name, const char *path, char out[DIRS_PATH_MAX])
{
    struct stat st;

    if (strchr(name, '/'))
        return realpath(name, out) && access(out, X_OK) == 0;
    for (const char *at = path; *at;) {
        size_t length = strcspn(at, ":");
        int written = snprintf(out, DIRS_PATH_MAX, "%.*s/%s", (int)length, at, name);

        if (written > 0 && written < DIRS_PATH_MAX && *at == '/' && access(out, X_OK) == 0 &&
            sys_stat(out, &st) == 0 && S_ISREG(st.st_mode))
            return true;
        at += length + (at[length] == ':');
    }
    return false;
}

static bool take(struct compiler *c, const char *command, const char *path)
{
    char found[DIRS_PATH_MAX];
    struct words given = {0};

    words_split(&given, command);
    if (given.count && in_path(given.word[0], path, found)) {
        words_add(&c->command, found);
        words_add_all(&c->command, given.word + 1);
    }
    words_release(&given);
    return c->command.count > 0;
}

enum tern_err compiler_find(const struct settings *settings, struct compiler *out,
                            struct problem *p)
{
    static const char *const usual[] = {"cc", "gcc", "clang"};
    struct compiler c = {0};

    if (settings->cc && !take(&c, settings->cc, settings->path))
        return problem_set(p, TERN_EMISSING, "the C compiler '%s' that TERN_CC names was not found",
                           settings->cc);
    for (size_t i = 0; i < sizeof usual / sizeof *usual && !c.command.count; i++)
        take(&c, usual[i], settings->path);
    if (!c.command.count)
        return problem_set(p, TERN_EMISSING, "running a module needs a C compiler (cc); %s",
                           what_to_install);
    *out = c;
    return TERN_OK;
}

/* Runs the compiler with more words; false unless it ends well. */
static bool ask(const struct compiler *c, char *const *more, struct bytes *answer)
{
    struct words w = {0};
    int status = -1;
    enum tern_err err = TERN_ENOMEM;

    words_add_all(&w, c->command.word);
    words_add_all(&w, more);
    if (!w.failed)
        err = process_capture(w.word, answer, &status, NULL);
    words_release(&w);
    return !err && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void first_line(struct bytes *answer, char *out, size_t size)
{
    const char *text = bytes_text(answer);

    snprintf(out, size, "%.*s", (int)strcspn(text ? text : "", "\n"), text ? text : "");
}

static bool ask_line(const struct compiler *c, const char *question, char *out, size_t size)
{
    struct bytes answer = {0};
    bool fine = ask(c, (char *const[]){(char *)(uintptr_t)question, NULL}, &answer);

    if (fine)
        first_line(&answer, out, size);
    bytes_release(&answer);
    return fine && *out;
}

static bool ask_family(struct compiler *c)
{
    static const char *const question[] = {"-dM", "-E", "-x", "c", "/dev/null", NULL};
    struct bytes answer = {0};
    bool fine = ask(c, (char *const *)(uintptr_t)question, &answer);
    const char *text = fine ? bytes_text(&answer) : NULL;

    if (text && strstr(text, "#define __clang__"))
        c->family = COMPILER_CLANG;
    else if (text && strstr(text, "#define __GNUC__"))
        c->family = COMPILER_GCC;
    bytes_release(&answer);
    return c->family != 0;
}

/* Tries rows first to first + count - 1 of the flag table together. */
static bool accepts(const struct compiler *c, size_t first, size_t count)
{
    static const char *const rest[] = {"-Werror", "-fsyntax-only", "-x", "c", "/dev/null", NULL};
    struct bytes answer = {0};
    struct words w = {0};
    bool fine;

    for (size_t i = first; i < first + count; i++)
        words_add(&w, compiler_optional_flag(c->family, i));
    words_add_all(&w, (char *const *)(uintptr_t)rest);
    fine = !w.failed && ask(c, w.word, &answer);
    words_release(&w);
    bytes_release(&answer);
    return fine;
}

static uint64_t find_accepted(const struct compiler *c)
{
    size_t count = compiler_optional_count(c->family);
    uint64_t accepted = 0;

    if (accepts(c, 0, count))
        return ((uint64_t)1 << count) - 1;
    for (size_t i = 0; i < count; i++)
        if (accepts(c, i, 1))
            accepted |= (uint64_t)1 << i;
    return accepted;
}

static enum tern_err ask_all(struct compiler *c, struct problem *p)
{
    if (!ask_line(c, "--version", c->version, sizeof c->version) ||
        !ask_line(c, "-dumpmachine", c->machine, sizeof c->machine) || !ask_family(c))
        return problem_set(p, TERN_EMISSING, "%s does not work as a C compiler (gcc or clang); %s",
                           c->command.word[0], what_to_install);
    c->accepted = find_accepted(c);
    return TERN_OK;
}

/* Changes when the compiler, its arguments or our questions change. */
static enum tern_err identity_name(const struct compiler *c, char out[DIGEST_HEX_BYTES + 16])
{
    char hex[DIGEST_HEX_BYTES], file[128], real[DIRS_PATH_MAX];
    struct digest d;
    struct stat st;
    struct hash h;

    if (!realpath(c->command.word[0], real) || sys_stat(real, &st) < 0)
        return TERN_ENOENT;
    snprintf(file, sizeof file, "%ju %ju %jd.%09ld", (uintmax_t)st.st_ino, (uintmax_t)st.st_size,
             (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    hash_begin(&h);
    hash_add_text(&h, "compiler 1");
    hash_add_text(&h, real);
    hash_add_text(&h, file);
    for (size_t i = 0; i < c->command.count; i++)
        hash_add_text(&h, c->command.word[i]);
    for (unsigned family = COMPILER_GCC; family <= COMPILER_CLANG; family++)
        for (size_t i = 0; i < compiler_optional_count((enum compiler_family)family); i++)
            hash_add_text(&h, compiler_optional_flag((enum compiler_family)family, i));
    d = hash_end(&h);
    digest_hex(&d, hex);
    snprintf(out, DIGEST_HEX_BYTES + 16, "compiler-%.32s", hex);
    return TERN_OK;
}

static bool remember(struct compiler *c, struct bytes *kept)
{
    const char *text = bytes_text(kept);
    unsigned family = 0;
    uintmax_t accepted = 0;

    if (!text || sscanf(text, "%255[^\n]\n%63[^\n]\n%u %jx", c->version, c->machine, &family,
                        &accepted) != 4)
        return false;
    if (family != COMPILER_GCC && family != COMPILER_CLANG)
        return false;
    c->family = (enum compiler_family)family;
    c->accepted = accepted;
    return true;
}

static void keep(const struct compiler *c, struct cache *cache, const char *name)
{
    struct bytes text = {0};

    bytes_appendf(&text, "%s\n%s\n%u %jx\n", c->version, c->machine, (unsigned)c->family,
                  (uintmax_t)c->accepted);
    if (bytes_ok(&text))
        cache_put_text(cache, name, bytes_view(&text)); /* if not, it is asked again next time */
    bytes_release(&text);
}

enum tern_err compiler_identify(struct compiler *c, struct cache *cache, struct problem *p)
{
    char name[DIGEST_HEX_BYTES + 16];
    struct bytes kept = {0};
    enum tern_err err = identity_name(c, name);
    bool known;

    if (err)
        return problem_set(p, err, "cannot examine the C compiler %s", c->command.word[0]);
    known = cache_get_text(cache, name, &kept) == TERN_OK && remember(c, &kept);
    bytes_release(&kept);
    if (known)
        return TERN_OK;
    err = ask_all(c, p);
    if (!err)
        keep(c, cache, name);
    return err;
}

void compiler_release(struct compiler *c)
{
    words_release(&c->command);
    *c = (struct compiler){0};
}
