/*
 * wasi_path - everything that names a file by a path.
 *
 * A directory that was lent for reading only answers ROFS to all that would change something in
 * it, as a file system mounted read-only does. An absolute symbolic link is refused (PERM): it
 * would name the host's files to whoever follows it there.
 */
#include "runner/host.h"
#include "runner/stat.h"
#include "runner/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* For a call that changes something: the place too. Path and `which` as in target_get. */
static enum wasi_errno get_place(struct host *h, uint32_t fd, uint64_t rights,
                                 const union tern_cell *a, int which, struct path_place *out)
{
    struct target t;
    enum wasi_errno error = target_get(h, fd, rights, a, which, &t);

    if (error)
        return error;
    if (t.dir->read_only)
        return WASI_E_ROFS;
    return host_error(-path_locate(&t.root, t.path, false, out));
}

/* ---- Names that come and go ---- */

enum wasi_errno wasi_path_create_directory(struct host *h, const union tern_cell *a)
{
    struct path_place place;
    enum wasi_errno error = get_place(h, a[0].i32, RIGHT_PATH_CREATE_DIRECTORY, a + 1, 0, &place);

    if (error)
        return error;
    error = host_answer(mkdirat(place.parent, path_place_with_slash(&place), 0777));
    path_place_release(&place);
    return error;
}

static enum wasi_errno remove_name(struct host *h, const union tern_cell *a, uint64_t right,
                                   int flags)
{
    struct path_place place;
    enum wasi_errno error = get_place(h, a[0].i32, right, a + 1, 0, &place);

    if (error)
        return error;
    error = host_answer(unlinkat(place.parent, path_place_with_slash(&place), flags));
    path_place_release(&place);
    return error;
}

enum wasi_errno wasi_path_remove_directory(struct host *h, const union tern_cell *a)
{
    return remove_name(h, a, RIGHT_PATH_REMOVE_DIRECTORY, AT_REMOVEDIR);
}

enum wasi_errno wasi_path_unlink_file(struct host *h, const union tern_cell *a)
{
    return remove_name(h, a, RIGHT_PATH_UNLINK_FILE, 0);
}

enum wasi_errno wasi_path_rename(struct host *h, const union tern_cell *a)
{
    struct path_place from, to;
    enum wasi_errno error = get_place(h, a[0].i32, RIGHT_PATH_RENAME_SOURCE, a + 1, 0, &from);

    if (error)
        return error;
    error = get_place(h, a[3].i32, RIGHT_PATH_RENAME_TARGET, a + 4, 1, &to);
    if (!error) {
        error = host_answer(renameat(from.parent, path_place_with_slash(&from), to.parent,
                                     path_place_with_slash(&to)));
        path_place_release(&to);
    }
    path_place_release(&from);
    return error;
}

/* ---- Links ---- */

enum wasi_errno wasi_path_symlink(struct host *h, const union tern_cell *a)
{
    const char *text;
    struct path_place place;
    enum wasi_errno error = get_place(h, a[2].i32, RIGHT_PATH_SYMLINK, a + 3, 1, &place);

    if (error)
        return error;
    error = target_copy_path(h, a[0].i32, a[1].i32, 0, &text);
    if (!error && text[0] == '/')
        error = WASI_E_PERM;
    if (!error)
        error = host_answer(symlinkat(text, place.parent, path_place_with_slash(&place)));
    path_place_release(&place);
    return error;
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

enum wasi_errno wasi_path_link(struct host *h, const union tern_cell *a)
{
    struct target from;
    struct path_place to;
    enum wasi_errno error = target_get(h, a[0].i32, RIGHT_PATH_LINK_SOURCE, a + 2, 0, &from);

    if (error)
        return error;
    if (from.dir->read_only)
        return WASI_E_ROFS; /* through the new name it could be written */
    error = get_place(h, a[4].i32, RIGHT_PATH_LINK_TARGET, a + 5, 1, &to);
    if (error)
        return error;
    error = link_to(&from, a[1].i32 & LOOKUP_SYMLINK_FOLLOW, &to);
    path_place_release(&to);
    return error;
}

enum wasi_errno wasi_path_readlink(struct host *h, const union tern_cell *a)
{
    static char text[PATH_MAX];
    uint8_t *to = guest_at(h->memory, a[3].i32, a[4].i32);
    uint8_t *used = guest_at(h->memory, a[5].i32, 4);
    struct target t;
    enum wasi_errno error = target_get(h, a[0].i32, RIGHT_PATH_READLINK, a + 1, 0, &t);
    ssize_t size;
    int fd;

    if (error)
        return error;
    if (!to || !used)
        return WASI_E_FAULT;
    fd = path_open(&t.root, t.path, O_PATH | O_NOFOLLOW, 0);
    if (fd < 0)
        return host_error(-fd);
    size = readlinkat(fd, "", text, sizeof text);
    close(fd);
    if (size < 0)
        return WASI_E_INVAL; /* no link: the kernel says ENOENT here, for the empty path */
    if ((uint64_t)size > a[4].i32)
        return WASI_E_RANGE;
    memcpy(to, text, (size_t)size);
    guest_store32(used, (uint32_t)size);
    return WASI_E_SUCCESS;
}

/* ---- Attributes ---- */

enum wasi_errno wasi_path_filestat_get(struct host *h, const union tern_cell *a)
{
    const int follow = a[1].i32 & LOOKUP_SYMLINK_FOLLOW ? 0 : O_NOFOLLOW;
    uint8_t *to = guest_at(h->memory, a[4].i32, FILESTAT_BYTES);
    struct target t;
    enum wasi_errno error = target_get(h, a[0].i32, RIGHT_PATH_FILESTAT_GET, a + 2, 0, &t);
    struct stat st;
    int fd;

    if (error)
        return error;
    if (!to)
        return WASI_E_FAULT;
    fd = path_open(&t.root, t.path, O_PATH | follow, 0);
    if (fd < 0)
        return host_error(-fd);
    error = host_answer(fstat(fd, &st));
    close(fd);
    if (!error)
        stat_store(to, &st);
    return error;
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

static enum wasi_errno set_times(const struct target *t, bool follow,
                                 const struct timespec times[2])
{
    struct path_place place;
    int result = path_locate(&t->root, t->path, follow, &place);
    enum wasi_errno error;

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
    return set_times(&t, a[1].i32 & LOOKUP_SYMLINK_FOLLOW, times);
}
