/* landlock - the kernel's file system walls, in as much of them as this kernel has. */
#ifndef TERN_RUNNER_LANDLOCK_H
#define TERN_RUNNER_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

struct landlock_dir {
    int fd;
    bool read_only;
};

/*
 * From here on the process reaches only what lies beneath these. False if the kernel has
 * Landlock and refuses; true without Landlock too. Needs no-new-privileges.
 */
bool landlock_enter(const struct landlock_dir *dirs, size_t count);

#endif
