/*
 * origin - where an open file came from, and where it is now: a path beneath a directory lent.
 *
 * Does     Keeps the path by which the program found a file, put together from the directory's own
 *          and the program's words, without "." and "..". With symbolic links on the way that may
 *          be another file's path: it is a guess, and never used before it has been tried.
 * Finding  The kernel knows where an open file is now, also after renaming, and tells it without
 *          links (/proc/self/fd, which the walls leave open to reading). What it says counts only
 *          if it leads to that very file again, beneath the directory lent; otherwise, the kept
 *          path may, under the same condition.
 */
#ifndef TERN_RUNNER_ORIGIN_H
#define TERN_RUNNER_ORIGIN_H

#include "runner/host.h"

#include <limits.h>

/*
 * For a file that is opened as `path` through dir: *out is allocated, or NULL where there is none
 * that can be kept. False: no memory.
 */
bool origin_of(const struct fd_entry *dir, const char *path, char **out);

/* Where e, a file or directory that the program opened, is beneath its root. False: nowhere. */
bool origin_find(const struct host *h, const struct fd_entry *e, char path[PATH_MAX]);

/* For a person: the path in the program's own terms. */
struct origin_name {
    char text[256];
};
struct origin_name origin_name(const struct host *h, uint32_t source, struct view path);

#endif
