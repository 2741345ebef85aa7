/*
 * dirs - where Tern keeps things, by the XDG base directory rules.
 *
 * Errors   TERN_EUNSAFE: a directory that somebody else could write into; TERN_EACCES, TERN_EIO,
 *          TERN_ENOENT: there is none and none can be made. The problem says what to do.
 */
#ifndef TERN_OS_DIRS_H
#define TERN_OS_DIRS_H

#include "base/error.h"

enum { DIRS_PATH_MAX = 4096 };

/*
 * chosen (of TERN_CACHE_DIR) if not empty, else xdg/tern, else home/.cache/tern. TERN_ENOENT if
 * there is nothing to go by.
 */
enum tern_err dirs_cache_path(const char *chosen, const char *xdg, const char *home,
                              char out[DIRS_PATH_MAX], struct problem *p);

/*
 * Makes the directory (0700, with what is missing above it) and opens it. It must be a real
 * directory, ours, and writable by nobody else: otherwise others could plant code in it.
 */
enum tern_err dirs_open_private(const char *path, int *out_fd, struct problem *p);
/* The same for one that has to be there: TERN_ENOENT if it is not. */
enum tern_err dirs_open_existing(const char *path, int *out_fd, struct problem *p);

/* A fresh private directory under base ("/tmp"), to be removed by file_remove_tree. */
enum tern_err dirs_make_work(const char *base, char out[DIRS_PATH_MAX], struct problem *p);

#endif
