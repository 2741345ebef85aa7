/*
 * target - what a path in a host call stands for: a directory of the program's and a path in it.
 */
#ifndef TERN_RUNNER_TARGET_H
#define TERN_RUNNER_TARGET_H

#include "runner/host.h"
#include "runner/path.h"

struct target {
    struct fd_entry *dir;
    struct path_root root;
    const char *path; /* in one of two buffers that are overwritten by the next call */
};

/*
 * Copies a path of `size` bytes at `from` into buffer `which`, 0 or 1. FAULT, NAMETOOLONG, or
 * INVAL for a zero byte in it. Other than in some systems it need not be UTF-8.
 */
enum wasi_errno target_copy_path(struct host *h, uint32_t from, uint32_t size, int which,
                                 const char **out);

/* fd must be a directory with `rights`; the path's address and size stand at a[0], a[1]. */
enum wasi_errno target_get(struct host *h, uint32_t fd, uint64_t rights, const union tern_cell *a,
                           int which, struct target *out);

#endif
