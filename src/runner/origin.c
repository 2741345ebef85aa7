#include "runner/origin.h"

#include "runner/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(STATE_PATH_BYTES_MAX == PATH_MAX - 1, "what can be opened can be kept");

/* ---- Keeping ---- */

struct joined {
    char *text;
    size_t size;
    bool above; /* by "..": there is no such path */
};

static void append_part(struct joined *j, const char *part, size_t size)
{
    if (size == 0 || (size == 1 && part[0] == '.'))
        return;
    if (size == 2 && part[0] == '.' && part[1] == '.') {
        j->above = j->above || j->size == 0;
        while (j->size > 0 && j->text[--j->size] != '/')
            ;
        return;
    }
    if (j->size > 0)
        j->text[j->size++] = '/';
    memcpy(j->text + j->size, part, size);
    j->size += size;
}

static void append(struct joined *j, const char *path)
{
    while (*path) {
        size_t size = strcspn(path, "/");

        append_part(j, path, size);
        path += size;
        path += strspn(path, "/");
    }
}

bool origin_of(const struct fd_entry *dir, const char *path, char **out)
{
    const bool beneath = dir->kind == STATE_FD_DIRECTORY;
    const char *before = !beneath ? "" : dir->path;
    struct joined j = {0};

    *out = NULL;
    if (!before)
        return true;
    j.text = malloc(strlen(before) + strlen(path) + 2); /* '/' or '.', and the end */
    if (!j.text)
        return false;
    append(&j, before);
    append(&j, path);
    if (j.size == 0)
        j.text[j.size++] = '.';
    j.text[j.size] = 0;
    if (!j.above && j.size <= STATE_PATH_BYTES_MAX)
        *out = j.text;
    else
        free(j.text);
    return true;
}

/* ---- Finding ---- */

static bool same_file(int a, int b)
{
    struct stat x, y;

    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool leads_to(const struct host *h, const struct fd_entry *e, const char *path)
{
    const struct path_root root = {.dir = h->fds.root[e->source], .walk = h->walk_paths};
    int fd = path_open(&root, path, O_PATH, 0);
    bool same = fd >= 0 && same_file(fd, e->host);

    if (fd >= 0)
        close(fd);
    return same;
}

/* What the kernel calls an open file; "" if it does not say. */
static void kernel_name(int fd, char name[PATH_MAX])
{
    char link[32];
    ssize_t size;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    size = readlinkat(AT_FDCWD, link, name, PATH_MAX - 1);
    name[size < 0 ? 0 : size] = 0;
}

/* From two names in the kernel's words. NULL: not beneath. */
static const char *beneath(const char *root, const char *name)
{
    size_t size = strlen(root);

    if (size == 1)
        size = 0; /* "/" */
    if (root[0] != '/' || strncmp(name, root, size) != 0)
        return NULL;
    if (name[size] == 0)
        return ".";
    return name[size] == '/' && name[size + 1] ? name + size + 1 : NULL;
}

bool origin_find(const struct host *h, const struct fd_entry *e, char path[PATH_MAX])
{
    char root[PATH_MAX], name[PATH_MAX];
    const char *now;

    kernel_name(h->fds.root[e->source], root);
    kernel_name(e->host, name);
    now = beneath(root, name);
    if (!now || !leads_to(h, e, now))
        now = e->path && leads_to(h, e, e->path) ? e->path : NULL;
    if (now)
        strcpy(path, now);
    return now;
}

/* ---- Telling ---- */

/* Cut in front, so that the file's own name is seen. */
static void put(struct origin_name *out, struct view dir, struct view path)
{
    struct bytes shown = {0};
    const char *text;
    size_t skip;

    bytes_append_shown(&shown, dir);
    if (path.size > 0) {
        if (dir.size > 0 && dir.data[dir.size - 1] != '/')
            bytes_append_byte(&shown, '/');
        bytes_append_shown(&shown, path);
    }
    text = bytes_text(&shown);
    if (!text)
        text = "?";
    skip = strlen(text) < sizeof out->text ? 0 : strlen(text) - sizeof out->text + 4;
    snprintf(out->text, sizeof out->text, "%s%s", skip ? "..." : "", text + skip);
    bytes_release(&shown);
}

struct origin_name origin_name(const struct host *h, uint32_t source, struct view path)
{
    struct origin_name name;

    put(&name, h->ticket->dirs[source].guest_path, path);
    return name;
}
