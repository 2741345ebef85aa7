/*
 * file - whole files: read, replaced in one step, or kept in memory and sealed.
 *
 * Errors   TERN_ENOENT, TERN_EACCES, TERN_ETOOBIG, TERN_ENOMEM, TERN_EIO (anything else that the
 *          file system says). On failure out parameters are untouched.
 * Promise  After file_replace the name leads to either the whole old or the whole new contents,
 *          also after a power cut at any moment.
 */
#ifndef TERN_OS_FILE_H
#define TERN_OS_FILE_H

#include "base/bytes.h"
#include "base/error.h"

#include <sys/types.h>

/* The error for a negative errno; TERN_OK for 0 and above. */
enum tern_err file_error(ssize_t result);

/* A regular file, pipe or device, up to its end; more than limit bytes are TERN_ETOOBIG. */
enum tern_err file_read(const char *path, size_t limit, struct bytes *out);
enum tern_err file_read_fd(int fd, size_t limit, struct bytes *out);
/* Exactly size bytes; TERN_EIO if the file ends before. */
enum tern_err file_read_exact(int fd, void *to, size_t size);

enum tern_err file_write_fd(int fd, struct view bytes);
/* Not atomic, not synchronised: for files that nobody else looks at. */
enum tern_err file_write(const char *path, struct view bytes);

/* Writes dir/name by way of dir/name.tmp-PID-N; mode 0600. dir is a descriptor. */
enum tern_err file_replace(int dir, const char *name, const struct view *parts, size_t count);

/*
 * An empty file in that directory, open for reading and writing, that has no name: it goes when
 * nobody has it open any more.
 */
enum tern_err file_unnamed(const char *dir, int *out_fd);
/*
 * So many bytes from one place to another, sharing blocks where the file system can. TERN_EIO if
 * `from` ends before.
 */
enum tern_err file_copy(int from, uint64_t from_at, int to, uint64_t to_at, uint64_t size);

/* A memfd of these bytes that nobody can change any more. */
enum tern_err file_sealed(const char *name, struct view bytes, int *out_fd);
/* A memfd of `size` zero bytes, to be filled through *out_map and then sealed. */
enum tern_err file_sealed_begin(const char *name, size_t size, int *out_fd, void **out_map);
/* Unmaps and seals. The descriptor stays open on failure, too. */
enum tern_err file_sealed_end(int fd, void *map, size_t size);

/* Removes a directory and all that is in it; says nothing about what cannot be removed. */
void file_remove_tree(const char *path);

#endif
