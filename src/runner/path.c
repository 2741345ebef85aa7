#include "runner/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    LINKS_MAX = 40,        /* as the kernel's own limit */
    KERNEL_TRIES_MAX = 32, /* openat2 gives EAGAIN when something was renamed meanwhile */
};

/* ---- By the kernel ---- */

static int kernel_open(int dir, const char *path, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);

    if (fd >= 0)
        return (int)fd;
    return errno == EXDEV ? -EPERM : -errno;
}

bool path_kernel_resolves(void)
{
    int fd = kernel_open(AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0);

    if (fd >= 0)
        close(fd);
    /* Anything else, EPERM of a container's filter too, means that it cannot be relied upon. */
    return fd >= 0;
}

/* ---- Component by component ---- */

struct walk {
    int dir[PATH_DEPTH_MAX + 1]; /* the way down; dir[0] is the root and not ours */
    int depth;
    int links;
    char rest[PATH_MAX]; /* still to go */
};

struct component {
    char name[NAME_MAX + 1];
    bool last;
    bool slash; /* last, and '/' followed */
};

static void walk_release(struct walk *w)
{
    while (w->depth > 0)
        close(w->dir[w->depth--]);
}

static int here(const struct walk *w)
{
    return w->dir[w->depth];
}

/* Takes the next component off rest. */
static int take_component(struct walk *w, struct component *c)
{
    const char *rest = w->rest;
    size_t size = strcspn(rest, "/");
    size_t slashes = strspn(rest + size, "/");

    if (size > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(c->name, rest, size);
    c->name[size] = 0;
    c->last = rest[size + slashes] == 0;
    c->slash = c->last && slashes > 0;
    memmove(w->rest, rest + size + slashes, strlen(rest + size + slashes) + 1);
    return 0;
}

static int push(struct walk *w, int fd)
{
    if (w->depth == PATH_DEPTH_MAX) {
        close(fd);
        return -ENAMETOOLONG;
    }
    w->dir[++w->depth] = fd;
    return 0;
}

static int pop(struct walk *w)
{
    if (w->depth == 0)
        return -EPERM;
    close(w->dir[w->depth--]);
    return 0;
}

/* Puts what a link says in front of what is still to go; c is the component that was the link. */
static int expand(struct walk *w, const struct component *c, char *target, ssize_t size)
{
    size_t rest = strlen(w->rest);
    bool between = rest > 0 || c->slash;

    if (size == 0 || (size_t)size + between + rest >= sizeof w->rest)
        return size == 0 ? -ENOENT : -ENAMETOOLONG;
    if (target[0] == '/')
        return -EPERM;
    if (++w->links > LINKS_MAX)
        return -ELOOP;
    memmove(w->rest + size + between, w->rest, rest + 1);
    memcpy(w->rest, target, (size_t)size);
    if (between)
        w->rest[size] = '/';
    return 0;
}

/*
 * Opening c without following it failed with `error`. If it is a link, expands it (0); otherwise
 * the error stands. That it may have changed in between does no harm: what is expanded is opened
 * under the same rules.
 */
static int follow_name(struct walk *w, const struct component *c, int error)
{
    char target[PATH_MAX];
    ssize_t size = readlinkat(here(w), c->name, target, sizeof target);

    if (size < 0)
        return errno == EINVAL ? error : -errno;
    return expand(w, c, target, size);
}

static int descend(struct walk *w, const struct component *c)
{
    int fd = openat(here(w), c->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0)
        return push(w, fd);
    if (errno != ENOTDIR && errno != ELOOP)
        return -errno;
    return follow_name(w, c, -ENOTDIR);
}

/* With O_PATH, O_NOFOLLOW succeeds on a link: then it is followed from the descriptor itself. */
static bool is_link(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

static int follow_descriptor(struct walk *w, const struct component *c, int fd)
{
    char target[PATH_MAX];
    ssize_t size = readlinkat(fd, "", target, sizeof target);

    return size < 0 ? -errno : expand(w, c, target, size);
}

enum { STEP_ON = INT_MAX }; /* no descriptor yet: there is more to go */

static int step_on_or(int result)
{
    return result == 0 ? STEP_ON : result;
}

static int open_last(struct walk *w, const struct component *c, int flags, mode_t mode)
{
    int fd = openat(here(w), c->name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
    int error = errno, result;

    if (flags & O_NOFOLLOW)
        return fd < 0 ? -error : fd;
    if (fd < 0 && error != ELOOP && error != ENOTDIR)
        return -error;
    if (fd < 0)
        return step_on_or(follow_name(w, c, -error));
    if (!(flags & O_PATH) || !is_link(fd))
        return fd;
    result = follow_descriptor(w, c, fd);
    close(fd);
    return step_on_or(result);
}

/* "." stands for the directory that has been reached; slash insists on one. */
static int open_here(struct walk *w, int flags, mode_t mode)
{
    int fd = openat(here(w), ".", flags | O_CLOEXEC, mode);

    return fd < 0 ? -errno : fd;
}

static int walk_step(struct walk *w, int flags, mode_t mode)
{
    struct component c;
    int result = take_component(w, &c);

    if (result)
        return result;
    if (strcmp(c.name, "..") == 0)
        result = pop(w);
    else if (c.name[0] == 0 || strcmp(c.name, ".") == 0)
        result = 0;
    else if (c.last && !c.slash)
        return open_last(w, &c, flags, mode);
    else if (c.slash && (flags & O_CREAT))
        return -EISDIR; /* as the kernel says it */
    else
        result = descend(w, &c);
    if (result)
        return result;
    return w->rest[0] ? STEP_ON : open_here(w, flags, mode);
}

static int walk_open(int dir, const char *path, int flags, mode_t mode)
{
    struct walk w = {.dir[0] = dir};
    int result = STEP_ON;

    if (path[0] == '/')
        return -EPERM;
    strcpy(w.rest, path);
    while (result == STEP_ON)
        result = walk_step(&w, flags, mode);
    walk_release(&w);
    return result;
}

/* ---- Both ---- */

int path_open(const struct path_root *root, const char *path, int flags, mode_t mode)
{
    int result = -EAGAIN;

    if (path[0] == 0)
        return -ENOENT;
    if (strlen(path) >= PATH_MAX)
        return -ENAMETOOLONG;
    if (root->walk)
        return walk_open(root->dir, path, flags, mode);
    for (int i = 0; i < KERNEL_TRIES_MAX && result == -EAGAIN; i++)
        result = kernel_open(root->dir, path, flags, mode);
    /* Somebody renames all the time: walking does not mind. */
    return result == -EAGAIN ? walk_open(root->dir, path, flags, mode) : result;
}

/* Splits path into where (all up to the last component; may become "") and place's name. */
static int split(const char *path, char where[PATH_MAX], struct path_place *place)
{
    size_t size = strlen(path), from;

    if (size == 0)
        return -ENOENT;
    if (path[0] == '/')
        return -EPERM;
    if (size >= PATH_MAX)
        return -ENAMETOOLONG;
    while (path[size - 1] == '/') {
        size--;
        place->slash = true;
    }
    for (from = size; from > 0 && path[from - 1] != '/';)
        from--;
    if (size - from > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(place->name, path + from, size - from);
    place->name[size - from] = 0;
    memcpy(where, path, from);
    where[from] = 0;
    return 0;
}

static int open_parent(const struct path_root *root, const char *where, struct path_place *place)
{
    if (where[0] == 0) {
        place->parent = root->dir;
        return 0;
    }
    place->parent = path_open(root, where, O_PATH | O_DIRECTORY, 0);
    place->owned = place->parent >= 0;
    return place->owned ? 0 : place->parent;
}

static int locate_once(const struct path_root *root, const char *path, char where[PATH_MAX],
                       struct path_place *place)
{
    int result = split(path, where, place);

    return result ? result : open_parent(root, where, place);
}

/* If place is a link: 1, and path says where it leads. 0: it is none. */
static int next_path(const char where[PATH_MAX], const struct path_place *place,
                     char path[PATH_MAX])
{
    size_t before = strlen(where);
    char target[PATH_MAX];
    ssize_t size;

    if (path_place_is_dots(place))
        return 0;
    size = readlinkat(place->parent, place->name, target, sizeof target);
    if (size < 0)
        return 0; /* what is not there or cannot be read is for the caller's system call to say */
    if (size > 0 && target[0] == '/')
        return -EPERM;
    if (before + (size_t)size + place->slash >= PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(path, where, before);
    memcpy(path + before, target, (size_t)size);
    if (place->slash)
        path[before + (size_t)size] = '/';
    path[before + (size_t)size + place->slash] = 0;
    return 1;
}

int path_locate(const struct path_root *root, const char *path, bool follow, struct path_place *out)
{
    char where[PATH_MAX], next[PATH_MAX];

    for (int links = 0; links <= LINKS_MAX; links++) {
        struct path_place place = {.parent = -1};
        int result = locate_once(root, path, where, &place);

        if (!result && follow) {
            result = next_path(where, &place, next);
            if (result)
                path_place_release(&place);
        }
        if (result < 0)
            return result;
        if (result == 0) {
            *out = place;
            return 0;
        }
        path = next;
    }
    return -ELOOP;
}

void path_place_release(struct path_place *place)
{
    if (place->owned)
        close(place->parent);
    place->owned = false;
    place->parent = -1;
}

const char *path_place_with_slash(struct path_place *place)
{
    size_t size = strlen(place->name);

    if (place->slash) {
        place->name[size] = '/';
        place->name[size + 1] = 0;
    }
    return place->name;
}

bool path_place_is_dots(const struct path_place *place)
{
    return strcmp(place->name, ".") == 0 || strcmp(place->name, "..") == 0;
}
