#include "os/cache.h"

#include "os/dirs.h"
#include "os/file.h"
#include "os/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum {
    TRAILER_VERSION = 1,
    TRAILER_BYTES = 8 + 8 + 8 + DIGEST_BYTES + DIGEST_BYTES,
    OBJECT_BYTES_MAX = 1 << 30,
    TEXT_BYTES_MAX = 64 << 10,
    OBJECT_NAME_BYTES = DIGEST_HEX_BYTES + 2, /* with ".o" */
};

static const char trailer_magic[8] = {'T', 'E', 'R', 'N', 'O', 'B', 'J', '\n'};

struct trailer {
    char magic[8];
    uint64_t version; /* and sizes: in our own byte order, for the file never leaves this machine */
    uint64_t size;
    struct digest key;
    struct digest object;
};

_Static_assert(sizeof(struct trailer) == TRAILER_BYTES, "written as it lies in memory");

enum tern_err cache_open(struct cache *c, const char *path, uint64_t size_max, struct problem *p)
{
    *c = (struct cache){.dir = -1, .size_max = size_max};
    return dirs_open_private(path, &c->dir, p);
}

void cache_close(struct cache *c)
{
    sys_close(c->dir);
    c->dir = -1;
}

static void object_name(const struct digest *key, char out[OBJECT_NAME_BYTES])
{
    digest_hex(key, out);
    strcpy(out + DIGEST_HEX_BYTES - 1, ".o");
}

/* Opens a file that is ours alone. TERN_EUNSAFE for anything else of that name. */
static enum tern_err open_own(struct cache *c, const char *name, int *out_fd, size_t *size,
                              struct problem *p)
{
    int fd = c->dir < 0 ? -ENOENT : sys_openat(c->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    struct stat st;
    enum tern_err err = fd == -ELOOP ? TERN_EUNSAFE : file_error(fd);

    if (!err) {
        err = file_error(sys_fstat(fd, &st));
        if (!err && (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022)))
            err = TERN_EUNSAFE;
    }
    if (err) {
        sys_close(fd < 0 ? -1 : fd);
        return problem_set(p, err,
                           err == TERN_EUNSAFE
                               ? "%s in the cache is not a file of yours alone: somebody may have "
                                 "planted it; remove it and look at who can write there"
                               : "cannot open %s in the cache",
                           name);
    }
    *out_fd = fd;
    *size = (size_t)st.st_size;
    return TERN_OK;
}

/* Reads trailer and object; TERN_EPROTO if they do not belong together. */
static enum tern_err load(int fd, size_t file_size, const struct digest *key, int *out_fd)
{
    struct trailer t;
    struct digest found;
    void *map = NULL;
    int object = -1;
    enum tern_err err;

    if (file_size <= sizeof t || file_size - sizeof t > OBJECT_BYTES_MAX)
        return TERN_EPROTO;
    err = file_sealed_begin("tern-object", file_size - sizeof t, &object, &map);
    if (err)
        return err;
    err = file_read_exact(fd, map, file_size - sizeof t);
    if (!err)
        err = file_read_exact(fd, &t, sizeof t);
    if (!err &&
        (memcmp(t.magic, trailer_magic, sizeof t.magic) != 0 || t.version != TRAILER_VERSION ||
         t.size != file_size - sizeof t || !digest_equal(&t.key, key)))
        err = TERN_EPROTO;
    if (!err) {
        found = hash_of(view_of(map, t.size));
        err = digest_equal(&found, &t.object) ? TERN_OK : TERN_EPROTO;
    }
    if (!err)
        err = file_sealed_end(object, map, t.size);
    else
        sys_unmap(map, file_size - sizeof t);
    if (err) {
        sys_close(object);
        return err;
    }
    *out_fd = object;
    return TERN_OK;
}

enum tern_err cache_get(struct cache *c, const struct digest *key, int *out_fd, struct problem *p)
{
    char name[OBJECT_NAME_BYTES];
    size_t size = 0;
    int fd = -1;
    enum tern_err err;

    object_name(key, name);
    err = open_own(c, name, &fd, &size, p);
    if (err)
        return err;
    err = load(fd, size, key, out_fd);
    if (!err)
        sys_touch(fd); /* a mere hint for pruning */
    sys_close(fd);
    if (err == TERN_EPROTO || err == TERN_EIO) {
        sys_unlinkat(c->dir, name, 0);
        return TERN_ENOENT; /* as if it had never been there */
    }
    return err ? problem_set(p, err, "cannot load %s from the cache", name) : TERN_OK;
}

static enum tern_err keep_size(struct cache *c)
{
    size_t removed;
    uint64_t removed_bytes;

    return c->size_max ? cache_prune(c, c->size_max, &removed, &removed_bytes) : TERN_OK;
}

static struct trailer make_trailer(const struct digest *key, struct view object)
{
    struct trailer t = {.version = TRAILER_VERSION, .size = object.size, .key = *key};

    memcpy(t.magic, trailer_magic, sizeof t.magic);
    t.object = hash_of(object);
    return t;
}

enum tern_err cache_put(struct cache *c, const struct digest *key, struct view object,
                        struct problem *p)
{
    const struct trailer t = make_trailer(key, object);
    const struct view parts[] = {object, view_of(&t, sizeof t)};
    char name[OBJECT_NAME_BYTES];
    enum tern_err err;

    object_name(key, name);
    err = c->dir < 0 ? TERN_EACCES : file_replace(c->dir, name, parts, 2);
    if (err)
        return problem_set(p, err, "cannot keep the compiled module: %s", tern_err_text(err));
    return keep_size(c);
}

/* The file that a lock was taken on may have been removed by its holder before us. */
static bool still_named(int dir, const char *name, int fd)
{
    struct stat here, there;

    return sys_fstat(fd, &here) == 0 && fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

void cache_lock(struct cache *c, const struct digest *key, struct cache_lock *out)
{
    out->fd = -1;
    digest_hex(key, out->name);
    strcat(out->name, ".lock");
    while (c->dir >= 0) {
        int fd = sys_openat(c->dir, out->name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);

        if (fd < 0)
            return; /* then both build: slower, not wrong */
        if (sys_flock(fd, LOCK_EX) == 0 && still_named(c->dir, out->name, fd)) {
            out->fd = fd;
            return;
        }
        sys_close(fd);
    }
}

void cache_unlock(struct cache *c, struct cache_lock *lock)
{
    if (lock->fd < 0)
        return;
    sys_unlinkat(c->dir, lock->name, 0);
    sys_close(lock->fd);
    lock->fd = -1;
}

enum tern_err cache_get_text(struct cache *c, const char *name, struct bytes *out)
{
    size_t size = 0;
    int fd = -1;
    enum tern_err err = open_own(c, name, &fd, &size, NULL);

    if (err)
        return err;
    err = file_read_fd(fd, TEXT_BYTES_MAX, out);
    sys_close(fd);
    return err;
}

enum tern_err cache_put_text(struct cache *c, const char *name, struct view text)
{
    return c->dir < 0 ? TERN_EACCES : file_replace(c->dir, name, &text, 1);
}
