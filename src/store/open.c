/*
 * Opening: the directory, its lock, the packs, the index; and cleaning up what a crash left.
 */
#include "store/store_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES_MAX = 4096, PID_BYTES = 16 };

static enum tern_err failed(const struct store *s, int error, const char *doing, const char *what,
                            struct problem *p)
{
    enum tern_err err = error == -ENOMEM ? TERN_ENOMEM : TERN_EIO;
    bool full = error == -ENOSPC || error == -EDQUOT;

    if (error == -ENOENT)
        err = TERN_ENOENT;
    if (full)
        err = TERN_ENOSPACE;
    return problem_set(p, err, "cannot %s %s%s: %s%s", doing, s->path, what, strerror(-error),
                       full ? "; nothing is lost: make room and try again" : "");
}

/* The directory that names ours: it has to be synced once, too. */
static int sync_parent(struct store *s)
{
    char *parent = strdup(s->path), *end;
    int fd, error;

    if (!parent)
        return -ENOMEM;
    end = parent + strlen(parent);
    while (end > parent + 1 && end[-1] == '/')
        *--end = 0;
    end = strrchr(parent, '/');
    if (end)
        end[end == parent] = 0;
    fd = s->io.open(s->io.context, AT_FDCWD, end ? parent : ".", O_RDONLY | O_DIRECTORY);
    free(parent);
    if (fd < 0)
        return fd;
    error = s->io.sync_dir(s->io.context, fd);
    s->io.close(s->io.context, fd);
    return error;
}

static enum tern_err open_directory(struct store *s, enum store_mode mode, struct problem *p)
{
    int error = mode == STORE_CREATE ? s->io.make(s->io.context, s->path) : -EEXIST;

    if (!error)
        error = sync_parent(s);
    if (error && error != -EEXIST)
        return failed(s, error, "make", "", p);
    s->dir = s->io.open(s->io.context, AT_FDCWD, s->path, O_RDONLY | O_DIRECTORY);
    if (s->dir < 0)
        return failed(s, s->dir, "open", "", p);
    return TERN_OK;
}

static enum tern_err held_by_other(struct store *s, struct problem *p)
{
    char pid[PID_BYTES] = "";
    ssize_t got = s->io.read(s->io.context, s->lock, pid, sizeof pid - 1, 0);

    if (got <= 0 || pid[0] < '1' || pid[0] > '9')
        return problem_set(p, TERN_EBUSY, "%s is in use by another process", s->path);
    pid[strspn(pid, "0123456789")] = 0;
    return problem_set(p, TERN_EBUSY, "%s is in use by process %s", s->path, pid);
}

static enum tern_err take_lock(struct store *s, struct problem *p)
{
    char pid[PID_BYTES];
    int error;

    s->lock = s->io.open(s->io.context, s->dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW);
    if (s->lock < 0)
        return failed(s, s->lock, "open", "/lock", p);
    error = s->io.lock(s->io.context, s->lock);
    if (error == -EWOULDBLOCK)
        return held_by_other(s, p);
    if (error)
        return failed(s, error, "lock", "", p);
    /* For the sentence above only: if this fails, that names no process. */
    snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (s->io.resize(s->io.context, s->lock, 0) == 0)
        (void)s->io.write(s->io.context, s->lock, view_of_string(pid), 0);
    return TERN_OK;
}

/* Each record of the index, on opening. */
static void seen(void *to, struct view key, struct view value)
{
    struct store *s = to;
    struct store_name name;
    struct record_chunk c;
    struct record_held h;
    struct pack *p;

    if (record_get_held(key, value, &name, &h)) {
        store_seen_held(s, &name, &h);
        return;
    }
    if (record_get_state(key, value, &s->state)) {
        s->has_state = true;
        return;
    }
    if (!record_get_chunk(key, value, &name, &c))
        return;
    s->chunks++;
    p = c.stored_bytes ? packs_find(&s->packs, c.pack) : NULL;
    if (!p)
        return; /* missing: reading the chunk will tell */
    p->live += c.stored_bytes;
    if (p->end < c.offset + c.stored_bytes)
        p->end = c.offset + c.stored_bytes;
}

/*
 * A power cut while the directory was made can leave an index of zeros or a half; there is no pack
 * then, and nothing was committed: make it again.
 */
static enum tern_err open_index(struct store *s, enum store_mode mode, struct problem *p)
{
    enum tern_err err = index_open(&s->index, seen, s, p);

    if (err != TERN_ECORRUPT || mode != STORE_CREATE || s->packs.count)
        return err;
    if (s->io.remove(s->io.context, s->dir, "index"))
        return err;
    return index_open(&s->index, seen, s, p);
}

static enum tern_err check_version(struct store *s, struct problem *p)
{
    if (s->chunks && !s->has_state)
        return problem_set(p, TERN_ECORRUPT, "%s/index is damaged: it has no version", s->path);
    if (s->has_state && s->state.version != RECORD_VERSION)
        return problem_set(p, TERN_ECORRUPT,
                           "%s was made by a version of Tern that this one does not know", s->path);
    s->state.version = RECORD_VERSION;
    if (s->packs.next < s->state.next_pack)
        s->packs.next = s->state.next_pack;
    return TERN_OK;
}

static enum tern_err open_all(struct store *s, enum store_mode mode, struct problem *p)
{
    enum tern_err err = open_directory(s, mode, p);
    bool made = false;
    int error;

    if (err)
        return err;
    s->index.dir = s->packs.dir = s->dir;
    made = index_exists(&s->index) == TERN_ENOENT;
    if (made && mode != STORE_CREATE)
        return problem_set(p, TERN_ENOENT, "there are no checkpoints in %s", s->path);
    err = s->read_only ? TERN_OK : take_lock(s, p);
    if (err)
        return err;
    error = packs_load(&s->packs);
    if (error)
        return store_pack_failed(s, error, "read", p);
    err = open_index(s, mode, p);
    if (!err)
        err = check_version(s, p);
    if (!err && s->no_memory)
        err = problem_set(p, TERN_ENOMEM, "out of memory");
    if (err || s->read_only)
        return err;
    packs_trim(&s->packs);
    s->packs.unsynced_name = made;
    return TERN_OK;
}

static void make_lock(struct store *s)
{
    pthread_mutexattr_t recursive;

    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&s->mutex, &recursive);
    pthread_mutexattr_destroy(&recursive);
}

static bool make_room(struct store *s, const char *dir)
{
    s->path = strdup(dir);
    s->scratch = malloc(STORE_CHUNK_MAX);
    s->decompress = ZSTD_createDCtx();
    s->compress = s->read_only ? NULL : ZSTD_createCCtx();
    return s->path && s->scratch && s->decompress && (s->compress || s->read_only);
}

struct store_setup store_setup_default(void)
{
    return (struct store_setup){
        .io = store_io_system(),
        .limits = {.pack_bytes = 64 << 20,
                   .index_bytes = 16 << 20,
                   .index_bytes_max = 64ULL << 30,
                   .look_bytes = 1 << 20,
                   .look_commits = 16},
    };
}

enum tern_err store_open_with(const char *dir, enum store_mode mode,
                              const struct store_setup *setup, struct store **out,
                              struct problem *p)
{
    struct store *s = calloc(1, sizeof *s);
    enum tern_err err;

    if (!s)
        return problem_set(p, TERN_ENOMEM, "out of memory");
    *s = (struct store){.io = *setup->io, .limits = setup->limits, .dir = -1, .lock = -1};
    s->read_only = mode == STORE_READ;
    s->pending.value_bytes = sizeof(struct record_chunk);
    s->bad.value_bytes = s->whole.value_bytes = sizeof(uint32_t);
    s->roots.value_bytes = sizeof(struct record_held);
    s->pins.value_bytes = sizeof(struct store_pin);
    make_lock(s);
    packs_init(&s->packs, &s->io, -1, s->limits.pack_bytes);
    if (strlen(dir) > PATH_BYTES_MAX - PACK_NAME_BYTES)
        err = problem_set(p, TERN_EIO, "the name of the directory is too long");
    else if (!make_room(s, dir))
        err = problem_set(p, TERN_ENOMEM, "out of memory");
    else {
        s->index = (struct index){.io = &s->io,
                                  .dir_path = s->path,
                                  .read_only = s->read_only,
                                  .map_bytes = s->limits.index_bytes,
                                  .map_bytes_max = s->limits.index_bytes_max};
        err = open_all(s, mode, p);
    }
    if (err)
        store_close(s);
    else
        *out = s;
    return err;
}

enum tern_err store_open(const char *dir, bool create, struct store **out, struct problem *p)
{
    struct store_setup setup = store_setup_default();

    return store_open_with(dir, create ? STORE_CREATE : STORE_WRITE, &setup, out, p);
}

enum tern_err store_open_read(const char *dir, struct store **out, struct problem *p)
{
    struct store_setup setup = store_setup_default();

    return store_open_with(dir, STORE_READ, &setup, out, p);
}

void store_close(struct store *s)
{
    if (!s)
        return;
    index_close(&s->index);
    packs_release(&s->packs);
    names_release(&s->pending);
    names_release(&s->bad);
    names_release(&s->roots);
    names_release(&s->pins);
    names_release(&s->whole);
    pthread_mutex_destroy(&s->mutex);
    ZSTD_freeCCtx(s->compress);
    ZSTD_freeDCtx(s->decompress);
    free(s->scratch);
    free(s->base);
    free(s->difference);
    free(s->plain);
    s->io.close(s->io.context, s->lock);
    s->io.close(s->io.context, s->dir);
    free(s->path);
    free(s);
}
