#include "base/check.h"
#include "os/compiler.h"
#include "translate/cflags.h"

#include <string.h>
#include <sys/utsname.h>

#ifdef __x86_64__
#include <cpuid.h>
#endif

enum { GCC = COMPILER_GCC, CLANG = COMPILER_CLANG, ANY = COMPILER_GCC | COMPILER_CLANG };

struct flag {
    unsigned families;
    const char *text;
};

#define ROW(family, flag) {family, flag},

static const struct flag flags[] = {
    TRANSLATE_CFLAGS(ROW){ANY, "-O2"}, {ANY, "-g1"}, /* lines: where a fault came from */
};

/* compiler_identify finds out which of them a compiler knows. */
static const struct flag optional[] = {TRANSLATE_OPTIONAL_CFLAGS(ROW)};

enum { OPTIONAL_ROWS = sizeof optional / sizeof *optional };

_Static_assert(OPTIONAL_ROWS <= 64, "a bit each");

size_t compiler_optional_count(enum compiler_family family)
{
    size_t count = 0;

    for (size_t i = 0; i < OPTIONAL_ROWS; i++)
        count += (optional[i].families & family) != 0;
    return count;
}

const char *compiler_optional_flag(enum compiler_family family, size_t index)
{
    for (size_t i = 0; i < OPTIONAL_ROWS; i++)
        if ((optional[i].families & family) && index-- == 0)
            return optional[i].text;
    check(false); /* beyond the table */
    return NULL;
}

bool compiler_is_native(const struct compiler *c)
{
    struct utsname here;
    size_t length = strcspn(c->machine, "-");

    if (uname(&here) < 0)
        return false;
    return strlen(here.machine) == length && strncmp(here.machine, c->machine, length) == 0;
}

#ifdef __x86_64__
/* x86-64-v3 has more than __builtin_cpu_supports can be asked for under every compiler. */
static bool cpu_has_lzcnt_movbe_f16c(void)
{
    unsigned a, b, c, d, extended;

    if (!__get_cpuid(0x80000001, &a, &b, &extended, &d) || !__get_cpuid(1, &a, &b, &c, &d))
        return false;
    return (extended & 1u << 5) && (c & 1u << 22) && (c & 1u << 29);
}

static const char *best_march(void)
{
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma") &&
        cpu_has_lzcnt_movbe_f16c())
        return "-march=x86-64-v3";
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("ssse3") &&
        __builtin_cpu_supports("popcnt"))
        return "-march=x86-64-v2";
    return NULL;
}
#else
static const char *best_march(void)
{
    return NULL; /* the baseline of the others has all that matters */
}
#endif

void compiler_flags(const struct compiler *c, const char *more, struct words *out)
{
    const char *march = compiler_is_native(c) ? best_march() : NULL;
    size_t count = compiler_optional_count(c->family);

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].families & c->family)
            words_add(out, flags[i].text);
    for (size_t i = 0; i < count; i++)
        if (c->accepted >> i & 1)
            words_add(out, compiler_optional_flag(c->family, i));
    if (march)
        words_add(out, march);
    if (more)
        words_split(out, more);
}

void compiler_link_flags(const struct compiler *c, struct words *out)
{
    (void)c;
    words_add(out, "-shared");
    words_add(out, "-Wl,--build-id=none");
}
