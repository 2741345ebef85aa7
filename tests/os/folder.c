#include "folder.h"

#include "os/file.h"
#include "os/sys.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int folder_setup(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    const char *base = getenv("TMPDIR");

    if (!f || dirs_make_work(base ? base : "/tmp", f->path, NULL))
        return -1;
    f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = f;
    return f->fd < 0 ? -1 : 0;
}

int folder_teardown(void **state)
{
    struct folder *f = *state;

    sys_close(f->fd);
    file_remove_tree(f->path);
    free(f);
    return 0;
}

const char *folder_name(const struct folder *f, const char *name)
{
    static char places[4][DIRS_PATH_MAX + 256];
    static unsigned next;
    char *out = places[next++ % 4];

    snprintf(out, sizeof places[0], "%s/%s", f->path, name);
    return out;
}

static int count_entries(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    int count = 0;

    while (d && (e = readdir(d)))
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    if (d)
        closedir(d);
    return count;
}

int folder_count(const struct folder *f)
{
    return count_entries(f->path);
}

int folder_open_files(void)
{
    return count_entries("/proc/self/fd");
}
