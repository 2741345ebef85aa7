/*
 * A directory in memory: it has to go with the process that made it. One that is left over is known
 * by its lock, which nobody has.
 */
#include "os/pool/chunks_inner.h"

#include "os/file.h"
#include "os/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, PREFIX_BYTES = 64 };

static void prefix(char out[PREFIX_BYTES])
{
    snprintf(out, PREFIX_BYTES, "tern-depot-%lu-", (unsigned long)geteuid());
}

/* One that is just being made has no lock yet: it is left alone. */
static bool is_left_over(const char *path)
{
    char lock[PATH_BYTES + 8];
    struct stat st;
    int fd, error;

    if (sys_lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
        return false;
    snprintf(lock, sizeof lock, "%s/lock", path);
    fd = sys_open(lock, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
    error = fd < 0 ? fd : sys_flock(fd, LOCK_EX | LOCK_NB);
    sys_close(fd);
    return error >= 0;
}

static void remove_left_over(const char *dir)
{
    char begin[PREFIX_BYTES], path[PATH_BYTES];
    struct dirent *e;
    DIR *d = opendir(dir);

    prefix(begin);
    while (d && (e = readdir(d))) {
        if (strncmp(e->d_name, begin, strlen(begin)) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (is_left_over(path))
            file_remove_tree(path);
    }
    if (d)
        closedir(d);
}

enum tern_err chunks_store_in_memory(const struct chunks_store_config *config,
                                     struct chunks_store **out, struct problem *p)
{
    struct chunks_store_config in_memory = *config;
    char begin[PREFIX_BYTES], path[PATH_BYTES];
    enum tern_err err;

    remove_left_over(config->dir);
    prefix(begin);
    snprintf(path, sizeof path, "%s/%sXXXXXX", config->dir, begin);
    if (!mkdtemp(path))
        return problem_set(p, TERN_EIO,
                           "cannot make a directory in %s: %s; give the depot a "
                           "directory on a disk (--dir)",
                           config->dir, strerror(errno));
    in_memory.dir = path;
    err = chunks_store_open(&in_memory, out, p);
    if (err)
        file_remove_tree(path);
    else
        (*out)->in_memory = true;
    return err;
}
