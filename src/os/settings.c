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
        .self = "/proc/self/exe",
        .compiler_limits = confine_default,
        .compiler_ms_max = 10 * 60 * 1000,
        .cache_bytes_max = (uint64_t)2 << 30,
    };
}
