/*
 * write - bytes that are written whole, however few of them the kernel takes at once.
 *
 * Errors   False: errno says why; a signal is no reason.
 */
#ifndef TERN_RUNNER_WRITE_H
#define TERN_RUNNER_WRITE_H

#include "base/bytes.h"

#include <stdbool.h>
#include <sys/types.h>

/* Where the descriptor stands. */
bool write_whole(int fd, struct view bytes);
bool write_whole_at(int fd, struct view bytes, off_t at);
/* Instead of what the file has. */
bool write_file(int fd, struct view bytes);

#endif
