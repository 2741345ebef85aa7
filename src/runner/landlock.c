#include "runner/landlock.h"

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux, Documentation/userspace-api/landlock.rst; older headers have only the beginning. */
enum {
    RULESET_VERSION = 1 << 0,
    RULE_PATH_BENEATH = 1,
};

enum access {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_DIR = 1 << 4,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_CHAR = 1 << 6,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_MAKE_SOCK = 1 << 9,
    FS_MAKE_FIFO = 1 << 10,
    FS_MAKE_BLOCK = 1 << 11,
    FS_MAKE_SYM = 1 << 12,
    FS_REFER = 1 << 13,     /* rename and link into another directory; from version 2 on */
    FS_TRUNCATE = 1 << 14,  /* version 3 */
    FS_IOCTL_DEV = 1 << 15, /* version 5 */

    READING = FS_READ_FILE | FS_READ_DIR,
    WRITING = FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG |
              FS_MAKE_SYM | FS_REFER | FS_TRUNCATE,
};

enum {
    NET_TCP = 3,   /* bind, connect */
    SCOPE_ALL = 3, /* abstract Unix sockets, signals */
};

struct ruleset {
    uint64_t fs;
    uint64_t net;   /* version 4 */
    uint64_t scope; /* version 6 */
};

struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

static uint64_t known_access(long version)
{
    if (version >= 5)
        return (FS_IOCTL_DEV << 1) - 1;
    if (version >= 3)
        return (FS_TRUNCATE << 1) - 1;
    if (version == 2)
        return (FS_REFER << 1) - 1;
    return (FS_MAKE_SYM << 1) - 1;
}

static long make_ruleset(long version, uint64_t access)
{
    struct ruleset r = {.fs = access};
    size_t size = sizeof r.fs;

    if (version >= 4) {
        r.net = NET_TCP;
        size += sizeof r.net;
    }
    if (version >= 6) {
        r.scope = SCOPE_ALL;
        size += sizeof r.scope;
    }
    return syscall(SYS_landlock_create_ruleset, &r, size, 0);
}

static bool allow(long ruleset, const struct landlock_dir *dir, uint64_t access)
{
    const struct path_rule rule = {
        .allowed = access & (uint64_t)(dir->read_only ? READING : READING | WRITING),
        .parent = dir->fd,
    };

    return syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
}

bool landlock_enter(const struct landlock_dir *dirs, size_t count)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION);
    uint64_t access = known_access(version);
    long ruleset;
    bool entered;

    if (version < 1)
        return true; /* not in this kernel, or switched off */
    ruleset = make_ruleset(version, access);
    entered = ruleset >= 0;
    for (size_t i = 0; i < count && entered; i++)
        entered = allow(ruleset, &dirs[i], access);
    entered = entered && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    if (ruleset >= 0)
        close((int)ruleset);
    return entered;
}
