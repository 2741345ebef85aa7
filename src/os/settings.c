#include "os/settings.h"

#include <stdlib.h>

static const char *from_environment(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static const char *or_else(const char *value, const char *otherwise)
{
    return value ? value : otherwise;
}

/* 0 if it makes no sense. */
static uint64_t seconds_from(const char *text, uint64_t otherwise)
{
    char *end;
    unsigned long long seconds;

    if (!text)
        return otherwise;
    seconds = strtoull(text, &end, 10);
    return *end || *text == '-' || seconds > SETTINGS_SECONDS_MAX ? 0 : seconds;
}

struct settings settings_read(void)
{
    return (struct settings){
        .cc = from_environment("TERN_CC"),
        .cflags = from_environment("TERN_CFLAGS"),
        .runner = from_environment("TERN_RUNNER"),
        .path = or_else(from_environment("PATH"), "/usr/local/bin:/usr/bin:/bin"),
        .temporary = or_else(from_environment("TMPDIR"), "/tmp"),
        .cache_dir = from_environment("TERN_CACHE_DIR"),
        .cache_home = from_environment("XDG_CACHE_HOME"),
        .home = from_environment("HOME"),
        .state_home = from_environment("XDG_STATE_HOME"),
        .runtime_dir = from_environment("XDG_RUNTIME_DIR"),
        .config_home = from_environment("XDG_CONFIG_HOME"),
        .agent = or_else(from_environment("TERN_AGENT"), from_environment("TERN_POOL")),
        .token = from_environment("TERN_TOKEN"),
        .self = "/proc/self/exe",
        .compiler_limits = confine_default,
        .compiler_ms_max = 1000 * seconds_from(from_environment("TERN_COMPILE_SECONDS"), 600),
        .cache_bytes_max = (uint64_t)2 << 30,
        .compare_pages = from_environment("TERN_COMPARE_PAGES") != NULL,
    };
}
