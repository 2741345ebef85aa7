/*
 * path - turns a program's path into a file beneath a directory, and never into another.
 *
 * Does     No '..', symbolic link or rename by somebody else leads above root.dir; an absolute
 *          path or link target is refused (-EPERM), as is every '..' above the root. Magic links
 *          (/proc/PID/fd ...) are not followed.
 * Ways     openat2 with RESOLVE_BENEATH where the kernel has it. Otherwise, or if root.walk is
 *          set, component by component with O_NOFOLLOW: symbolic links are read and expanded
 *          here, '..' goes back to the descriptor that was come from and never asks the kernel.
 * Limits   PATH_MAX, 40 links; walking: PATH_DEPTH_MAX directories deep (-ENAMETOOLONG).
 * Errors   -errno.
 */
#ifndef TERN_RUNNER_PATH_H
#define TERN_RUNNER_PATH_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

enum { PATH_DEPTH_MAX = 128 };

struct path_root {
    int dir;
    bool walk; /* do not use openat2 */
};

/* Whether the kernel has openat2 as we need it. */
bool path_kernel_resolves(void);

/*
 * A new descriptor, close-on-exec. flags as for open; O_NOFOLLOW: a symbolic link as the last
 * component is not followed (-ELOOP, or the link itself with O_PATH).
 */
int path_open(const struct path_root *root, const char *path, int flags, mode_t mode);

/* Where a name is: for the system calls that take a directory and a name. */
struct path_place {
    int parent;
    bool owned;              /* parent is ours to close */
    bool slash;              /* the path ended in '/': only a directory will do */
    char name[NAME_MAX + 2]; /* one component, without '/' */
};

/*
 * Finds the directory that holds the last component; that itself need not exist. With follow, a
 * symbolic link there is followed until something that is none. 0 or -errno; on success the
 * caller releases.
 */
int path_locate(const struct path_root *root, const char *path, bool follow,
                struct path_place *out);
void path_place_release(struct path_place *place);

/* Appends the '/' that the path ended in: the kernel then insists on a directory. */
const char *path_place_with_slash(struct path_place *place);

/* "." or "..": these a name's system calls would resolve by themselves. */
bool path_place_is_dots(const struct path_place *place);

#endif
