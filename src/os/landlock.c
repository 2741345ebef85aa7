#include "os/landlock.h"

#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's interface, of which older headers have only the beginning. */
enum {
    RULESET_VERSION = 1 << 0,
    RULE_PATH_BENEATH = 1,

    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_TRUNCATE = 1 << 14,
    FS_IOCTL_DEV = 1 << 15,

    NET_ALL = 3,   /* bind and connect, TCP */
    SCOPE_ALL = 3, /* abstract Unix sockets, signals */
};

struct ruleset {
    uint64_t fs;
    uint64_t net;
    uint64_t scope;
};

struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

static uint64_t fs_rights(long abi)
{
    if (abi >= 5)
        return (1 << 16) - 1;
    if (abi >= 3)
        return (1 << 15) - 1;
    if (abi >= 2)
        return (1 << 14) - 1;
    return (1 << 13) - 1;
}

static int new_ruleset(long abi, uint64_t handled)
{
    struct ruleset set = {.fs = handled};
    size_t size = sizeof set.fs;

    if (abi >= 4) {
        set.net = NET_ALL;
        size = offsetof(struct ruleset, scope);
    }
    if (abi >= 6) {
        set.scope = SCOPE_ALL;
        size = sizeof set;
    }
    return (int)syscall(SYS_landlock_create_ruleset, &set, size, 0);
}

static bool allow(int ruleset, const struct landlock_path *path, uint64_t handled)
{
    const uint64_t file_rights =
        FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV;
    struct path_rule rule = {.allowed = FS_EXECUTE | FS_READ_FILE | FS_READ_DIR};
    int fd = sys_open(path->path, O_PATH, 0);
    struct stat st;
    long result;

    if (fd < 0)
        return true;
    if (path->write)
        rule.allowed = handled;
    if (sys_fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
        rule.allowed &= file_rights;
    rule.allowed &= handled;
    rule.parent = fd;
    result = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0);
    sys_close(fd);
    return result == 0;
}

enum tern_err landlock_apply(const struct landlock_path *paths, size_t count, bool *applied)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION);
    bool fine = true;
    uint64_t handled;
    int ruleset;

    *applied = false;
    if (abi <= 0)
        return TERN_OK;
    handled = fs_rights(abi);
    ruleset = new_ruleset(abi, handled);
    if (ruleset < 0)
        return TERN_ESYSTEM;
    for (size_t i = 0; i < count && fine; i++)
        fine = allow(ruleset, &paths[i], handled);
    fine = fine && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    sys_close(ruleset);
    *applied = fine;
    return fine ? TERN_OK : TERN_ESYSTEM;
}
