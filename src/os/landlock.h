/*
 * landlock - from here on, this process and its children see only these parts of the file system.
 *
 * Errors   A kernel without Landlock: nothing happens and landlock_apply returns TERN_OK with
 *          *applied false. TERN_ESYSTEM if the kernel has it and still refuses.
 * Source   Linux, Documentation/userspace-api/landlock.rst.
 */
#ifndef TERN_OS_LANDLOCK_H
#define TERN_OS_LANDLOCK_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct landlock_path {
    const char *path; /* one that does not exist is left out */
    bool write;       /* else: read and execute */
};

/* Also cuts off TCP, abstract sockets and signals to outside, as far as the kernel can. */
enum tern_err landlock_apply(const struct landlock_path *paths, size_t count, bool *applied);

#endif
