/*
 * wasi_path - everything that names a file by a path.
 *
 * A directory that was lent for reading only answers ROFS to all that would change something in
 * it, as a file system mounted read-only does. An absolute symbolic link is refused (PERM): it
 * would name the host's files to whoever follows it there.
 */
#include "runner/descriptor.h"
#include "runner/stat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* For a call that changes something: ROFS too. Path and `which` as in target_get. */
static enum wasi_errno get_changing(struct host *h, uint32_t fd, uint64_t rights,
                                    const union tern_cell *a, int which, struct target *out)
{
    enum wasi_errno error = target_get(h, fd, rights, a, which, out);

    return error || !out->dir->read_only ? error : WASI_E_ROFS;
}

static enum wasi_errno locate(const struct target *t, struct path_place *out)
{
    return host_error(-path_locate(&t->root, t->path, false, out));
}

/* ---- Names that come and go ---- */

enum wasi_errno kernel_make_directory(struct host *h, const struct target *t)
{
    struct path_place place;
    enum wasi_errno error = locate(t, &place);

    (void)h;
    if (error)
        return error;
    error = host_answer(mkdirat(place.parent, path_place_with_slash(&place), 0777));
    path_place_release(&place);
    return error;
}

enum wasi_errno wasi_path_create_directory(struct host *h, const union tern_cell *a)
{
    struct target t;
    enum wasi_errno error = get_changing(h, a[0].i32, RIGHT_PATH_CREATE_DIRECTORY, a + 1, 0, &t);

    return error ? error : descriptor_ops(t.dir)->make_directory(h, &t);
}

enum wasi_errno kernel_remove(struct host *h, const struct target *t, bool directory)
{
    struct path_place place;
    enum wasi_errno error = locate(t, &place);

    (void)h;
    if (error)
        return error;
    error = host_answer(
        unlinkat(place.parent, path_place_with_slash(&place), directory ? AT_REMOVEDIR : 0));
    path_place_release(&place);
    return error;
}

static enum wasi_errno remove_name(struct host *h, const union tern_cell *a, uint64_t right,
                                   bool directory)
{
    struct target t;
    enum wasi_errno error = get_changing(h, a[0].i32, right, a + 1, 0, &t);

    return error ? error : descriptor_ops(t.dir)->remove(h, &t, directory);
}

enum wasi_errno wasi_path_remove_directory(struct host *h, const union tern_cell *a)
{
    return remove_name(h, a, RIGHT_PATH_REMOVE_DIRECTORY, true);
}

enum wasi_errno wasi_path_unlink_file(struct host *h, const union tern_cell *a)
{
    return remove_name(h, a, RIGHT_PATH_UNLINK_FILE, false);
}

enum wasi_errno kernel_rename(struct host *h, const struct target *from, const struct target *to)
{
    struct path_place a, b;
    enum wasi_errno error = locate(from, &a);

    (void)h;
    if (error)
        return error;
    error = locate(to, &b);
    if (!error) {
        error = host_answer(
            renameat(a.parent, path_place_with_slash(&a), b.parent, path_place_with_slash(&b)));
        path_place_release(&b);
    }
    path_place_release(&a);
    return error;
}

/* One that the kernel has and one in the private file tree are two file systems. */
static bool same_ops(const struct target *a, const struct target *b)
{
    return descriptor_ops(a->dir) == descriptor_ops(b->dir);
}

enum wasi_errno wasi_path_rename(struct host *h, const union tern_cell *a)
{
    struct target from, to;
    enum wasi_errno error = get_changing(h, a[0].i32, RIGHT_PATH_RENAME_SOURCE, a + 1, 0, &from);

    if (!error)
        error = get_changing(h, a[3].i32, RIGHT_PATH_RENAME_TARGET, a + 4, 1, &to);
    if (error)
        return error;
    return same_ops(&from, &to) ? descriptor_ops(from.dir)->rename(h, &from, &to) : WASI_E_XDEV;
}

/* ---- Links ---- */

enum wasi_errno kernel_symlink(struct host *h, const char *text, const struct target *t)
{
    struct path_place place;
    enum wasi_errno error = locate(t, &place);

    (void)h;
    if (error)
        return error;
    if (text[0] == '/')
        error = WASI_E_PERM;
    else
        error = host_answer(symlinkat(text, place.parent, path_place_with_slash(&place)));
    path_place_release(&place);
    return error;
}

enum wasi_errno wasi_path_symlink(struct host *h, const union tern_cell *a)
{
    const char *text;
    struct target t;
    enum wasi_errno error = get_changing(h, a[2].i32, RIGHT_PATH_SYMLINK, a + 3, 1, &t);

    if (!error)
        error = target_copy_path(h, a[0].i32, a[1].i32, 0, &text);
    return error ? error : descriptor_ops(t.dir)->symlink(h, text, &t);
}

/*
 * linkat resolves "..", and a final '/', by itself and without bounds; both can only be a
 * directory, of which there are no hard links.
 */
static enum wasi_errno link_to(const struct target *t, bool follow, struct path_place *to)
{
    struct path_place from;
    int result = path_locate(&t->root, t->path, follow, &from);
    enum wasi_errno error;

    if (result)
        return host_error(-result);
    if (from.slash || path_place_is_dots(&from)) {
        result = path_open(&t->root, t->path, O_PATH | O_DIRECTORY, 0);
        error = result < 0 ? host_error(-result) : WASI_E_PERM;
        if (result >= 0)
            close(result);
    } else {
        error =
            host_answer(linkat(from.parent, from.name, to->parent, path_place_with_slash(to), 0));
    }
    path_place_release(&from);
    return error;
}

enum wasi_errno kernel_link(struct host *h, const struct target *from, bool follow,
                            const struct target *to)
{
    struct path_place place;
    enum wasi_errno error = locate(to, &place);

    (void)h;
    if (error)
        return error;
    error = link_to(from, follow, &place);
    path_place_release(&place);
    return error;
}

enum wasi_errno wasi_path_link(struct host *h, const union tern_cell *a)
{
    const bool follow = a[1].i32 & LOOKUP_SYMLINK_FOLLOW;
    struct target from, to;
    enum wasi_errno error = target_get(h, a[0].i32, RIGHT_PATH_LINK_SOURCE, a + 2, 0, &from);

    if (error)
        return error;
    if (from.dir->read_only)
        return WASI_E_ROFS; /* through the new name it could be written */
    error = get_changing(h, a[4].i32, RIGHT_PATH_LINK_TARGET, a + 5, 1, &to);
    if (error)
        return error;
    return same_ops(&from, &to) ? descriptor_ops(to.dir)->link(h, &from, follow, &to) : WASI_E_XDEV;
}

enum wasi_errno kernel_readlink(struct host *h, const struct target *t, char text[PATH_MAX],
                                size_t *size)
{
    const int fd = path_open(&t->root, t->path, O_PATH | O_NOFOLLOW, 0);
    ssize_t got;

    (void)h;
    if (fd < 0)
        return host_error(-fd);
    got = readlinkat(fd, "", text, PATH_MAX);
    close(fd);
    if (got < 0)
        return WASI_E_INVAL; /* no link: the kernel says ENOENT here, for the empty path */
    *size = (size_t)got;
    return WASI_E_SUCCESS;
}

enum wasi_errno wasi_path_readlink(struct host *h, const union tern_cell *a)
{
    static char text[PATH_MAX];
    uint8_t *to = guest_at(h->memory, a[3].i32, a[4].i32);
    uint8_t *used = guest_at(h->memory, a[5].i32, 4);
    struct target t;
    enum wasi_errno error = target_get(h, a[0].i32, RIGHT_PATH_READLINK, a + 1, 0, &t);
    size_t size;

    if (error)
        return error;
    if (!to || !used)
        return WASI_E_FAULT;
    error = descriptor_ops(t.dir)->readlink(h, &t, text, &size);
    if (error)
        return error;
    if (size > a[4].i32)
        return WASI_E_RANGE;
    memcpy(to, text, size);
    guest_store32(used, (uint32_t)size);
    return WASI_E_SUCCESS;
}

/* ---- Attributes ---- */

enum wasi_errno kernel_path_stat(struct host *h, const struct target *t, bool follow,
                                 uint8_t to[FILESTAT_BYTES])
{
    const int fd = path_open(&t->root, t->path, O_PATH | (follow ? 0 : O_NOFOLLOW), 0);
    enum wasi_errno error;
    struct stat st;

    (void)h;
    if (fd < 0)
        return host_error(-fd);
    error = host_answer(fstat(fd, &st));
    close(fd);
    if (!error)
        stat_store(to, &st);
    return error;
}

enum wasi_errno wasi_path_filestat_get(struct host *h, const union tern_cell *a)
{
    const bool follow = a[1].i32 & LOOKUP_SYMLINK_FOLLOW;
    uint8_t *to = guest_at(h->memory, a[4].i32, FILESTAT_BYTES);
    struct target t;
    enum wasi_errno error = target_get(h, a[0].i32, RIGHT_PATH_FILESTAT_GET, a + 2, 0, &t);

    if (error)
        return error;
    return to ? descriptor_ops(t.dir)->path_stat(h, &t, follow, to) : WASI_E_FAULT;
}

/* A directory by "..", or with a final '/': these utimensat would resolve without bounds. */
static enum wasi_errno set_directory_times(const struct target *t, const struct timespec times[2])
{
    int fd = path_open(&t->root, t->path, O_RDONLY | O_DIRECTORY, 0);
    enum wasi_errno error;

    if (fd < 0)
        return host_error(-fd);
    error = host_answer(futimens(fd, times));
    close(fd);
    return error;
}

enum wasi_errno kernel_path_set_times(struct host *h, const struct target *t, bool follow,
                                      const struct timespec times[2])
{
    struct path_place place;
    int result = path_locate(&t->root, t->path, follow, &place);
    enum wasi_errno error;

    (void)h;
    if (result)
        return host_error(-result);
    if (place.slash || path_place_is_dots(&place))
        error = set_directory_times(t, times);
    else
        error = host_answer(utimensat(place.parent, place.name, times, AT_SYMLINK_NOFOLLOW));
    path_place_release(&place);
    return error;
}

enum wasi_errno wasi_path_filestat_set_times(struct host *h, const union tern_cell *a)
{
    struct timespec times[2];
    struct target t;
    enum wasi_errno error = target_get(h, a[0].i32, RIGHT_PATH_FILESTAT_SET_TIMES, a + 2, 0, &t);

    if (!error)
        error = stat_times(a[6].i32, a[4].i64, a[5].i64, times);
    if (error)
        return error;
    if (t.dir->read_only)
        return WASI_E_ROFS;
    return descriptor_ops(t.dir)->path_set_times(h, &t, a[1].i32 & LOOKUP_SYMLINK_FOLLOW, times);
}
