/*
 * ends - what a file holds at its two ends, as one number: tells a file that was appended to from
 * another one that was made in its place.
 *
 * Format   proto/image.proto, Descriptor.ends.
 * Not here What lies between: a file that is written on is not read through for it.
 */
#ifndef TERN_RUNNER_ENDS_H
#define TERN_RUNNER_ENDS_H

#include "runner/path.h"

#include <stdint.h>

/*
 * Of the first `size` bytes of the file, which is opened once more, for reading. 0, or -errno:
 * -ENODATA if it is shorter, -EACCES ... if it cannot be read.
 */
int ends_of(const struct path_root *root, const char *path, uint64_t size, uint64_t *out);

#endif
