#include "os/dirs.h"

#include "os/file.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum tern_err dirs_cache_path(const char *chosen, const char *xdg, const char *home,
                              char out[DIRS_PATH_MAX], struct problem *p)
{
    int length;

    if (chosen && *chosen)
        length = snprintf(out, DIRS_PATH_MAX, "%s", chosen);
    else if (xdg && *xdg == '/') /* the rules: a relative path is to be ignored */
        length = snprintf(out, DIRS_PATH_MAX, "%s/tern", xdg);
    else if (home && *home == '/')
        length = snprintf(out, DIRS_PATH_MAX, "%s/.cache/tern", home);
    else
        return problem_set(p, TERN_ENOENT,
                           "no place for compiled modules: neither TERN_CACHE_DIR, "
                           "XDG_CACHE_HOME nor HOME is set");
    if (length < 0 || length >= DIRS_PATH_MAX)
        return problem_set(p, TERN_ETOOBIG, "the path of the cache directory is too long");
    return TERN_OK;
}

/* Like mkdir -p -m 700: only what had to be made is private. */
static int make_with_parents(const char *path)
{
    char part[DIRS_PATH_MAX];
    size_t length = strlen(path);
    int result;

    if (length >= sizeof part)
        return -ENAMETOOLONG;
    memcpy(part, path, length + 1);
    for (size_t i = 1; i < length; i++) {
        if (part[i] != '/')
            continue;
        part[i] = 0;
        result = sys_mkdir(part, 0700);
        if (result < 0 && result != -EEXIST && result != -EROFS && result != -EACCES)
            return result;
        part[i] = '/';
    }
    result = sys_mkdir(path, 0700);
    return result == -EEXIST ? 0 : result;
}

static enum tern_err check_private(int fd, const char *path, struct problem *p)
{
    struct stat st;

    if (sys_fstat(fd, &st) < 0)
        return problem_set(p, TERN_EIO, "cannot examine %s", path);
    if (st.st_uid != geteuid())
        return problem_set(p, TERN_EUNSAFE,
                           "%s belongs to another user, who could plant code in it; "
                           "choose another directory with TERN_CACHE_DIR",
                           path);
    if (st.st_mode & 022)
        return problem_set(p, TERN_EUNSAFE,
                           "%s can be written by others, who could plant code in it; "
                           "do: chmod go-w '%s', after emptying it",
                           path, path);
    return TERN_OK;
}

enum tern_err dirs_open_existing(const char *path, int *out_fd, struct problem *p)
{
    int fd = sys_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    struct stat st;
    enum tern_err err;

    if (fd < 0 && sys_lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
        return problem_set(p, TERN_EUNSAFE,
                           "%s is a symbolic link; name the directory itself in TERN_CACHE_DIR",
                           path);
    if (fd < 0)
        return problem_set(p, file_error(fd), "cannot open %s: %s", path, strerror(-fd));
    err = check_private(fd, path, p);
    if (err) {
        sys_close(fd);
        return err;
    }
    *out_fd = fd;
    return TERN_OK;
}

enum tern_err dirs_open_private(const char *path, int *out_fd, struct problem *p)
{
    int result;
    struct problem first;
    enum tern_err err = dirs_open_existing(path, out_fd, &first);

    if (err != TERN_ENOENT) {
        if (err && p)
            *p = first;
        return err;
    }
    result = make_with_parents(path);
    if (result < 0)
        return problem_set(p, file_error(result), "cannot make %s: %s", path, strerror(-result));
    return dirs_open_existing(path, out_fd, p);
}

enum tern_err dirs_make_work(const char *base, char out[DIRS_PATH_MAX], struct problem *p)
{
    int length = snprintf(out, DIRS_PATH_MAX, "%s/tern-XXXXXX", base);

    if (length < 0 || length >= DIRS_PATH_MAX)
        return problem_set(p, TERN_ETOOBIG, "the path of the temporary directory is too long");
    if (!mkdtemp(out))
        return problem_set(p, TERN_EIO, "cannot make a directory in %s: %s; set TMPDIR", base,
                           strerror(errno));
    return TERN_OK;
}
