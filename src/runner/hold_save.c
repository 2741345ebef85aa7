#include "runner/end.h"
#include "runner/ends.h"
#include "runner/hold.h"
#include "runner/origin.h"
#include "runner/private.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct saving {
    struct host *h;
    struct arena *arena;
    struct problem *p;
};

/* ---- What cannot be had again ---- */

static const char *name_of(const struct saving *v, const struct fd_entry *e,
                           struct origin_name *name)
{
    *name = origin_name(v->h, e->source, e->path ? view_of_string(e->path) : view_of_string("..."));
    return name->text;
}

static enum tern_err refuse(const struct saving *v, const struct fd_entry *e, const char *why)
{
    struct origin_name name;

    return problem_set(v->p, TERN_EBUSY, "it has %s open, which %s", name_of(v, e, &name), why);
}

/* ---- Descriptors ---- */

static bool is_lost_when_closed(const struct stat *st)
{
    return S_ISFIFO(st->st_mode) || S_ISSOCK(st->st_mode);
}

static enum tern_err save_path(const struct saving *v, const struct fd_entry *e,
                               struct state_fd *out)
{
    char path[PATH_MAX];
    uint8_t *copy;

    if (!origin_find(v->h, e, path))
        return refuse(v, e, "has been removed, or moved out of reach, or replaced by another file");
    copy = arena_new(v->arena, strlen(path), 1);
    if (!copy)
        return problem_set(v->p, TERN_ENOMEM, "out of memory");
    memcpy(copy, path, strlen(path));
    out->path = view_of(copy, strlen(path));
    return TERN_OK;
}

static enum tern_err save_opened(const struct saving *v, const struct fd_entry *e,
                                 const struct stat *st, struct state_fd *out)
{
    if (is_lost_when_closed(st))
        return refuse(v, e, "is a pipe: what is in it would be lost");
    return save_path(v, e, out);
}

/* Of one that may be written and not read nothing is known: size and time have to do. */
static void save_ends(const struct saving *v, struct state_fd *out)
{
    const struct path_root root = {.dir = v->h->fds.root[out->source], .walk = v->h->walk_paths};
    char path[PATH_MAX];

    memcpy(path, out->path.data, out->path.size);
    path[out->path.size] = 0;
    (void)ends_of(&root, path, out->size, &out->ends);
}

static void save_file(const struct fd_entry *e, const struct stat *st, struct state_fd *out)
{
    off_t at = e->seekable ? lseek(e->host, 0, SEEK_CUR) : 0;

    out->offset = at > 0 ? (uint64_t)at : 0;
    if (!S_ISREG(st->st_mode))
        return;
    out->size = (uint64_t)st->st_size;
    out->mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static void save_private(const struct fd_entry *e, uint32_t number, struct state_fd *out)
{
    *out = (struct state_fd){
        .number = number,
        .kind = e->kind,
        .filetype = e->filetype,
        .flags = e->fdflags,
        .rights = e->rights,
        .inheriting = e->inheriting,
        .offset = e->offset,
        .inode = e->node->number,
    };
}

static enum tern_err save_entry(const struct saving *v, uint32_t number, struct state_fd *out)
{
    const struct fd_entry *e = &v->h->fds.entry[number];
    const int flags = fcntl(e->host, F_GETFL);
    struct stat st;

    if (e->node) {
        save_private(e, number, out);
        return TERN_OK;
    }
    if (flags < 0 || fstat(e->host, &st) < 0)
        return problem_set(v->p, TERN_EIO, "the system does not say what descriptor %u is", number);
    *out = (struct state_fd){
        .number = number,
        .kind = e->kind,
        .filetype = e->filetype,
        .flags = fds_flags(e, flags),
        .rights = e->rights,
        .inheriting = e->inheriting,
        .source = e->source,
        .read_only = e->read_only,
        .written = e->kind == STATE_FD_FILE && (flags & O_ACCMODE) != O_RDONLY,
    };
    save_file(e, &st, out);
    if (e->kind == STATE_FD_FILE || e->kind == STATE_FD_DIRECTORY) {
        const enum tern_err err = save_opened(v, e, &st, out);

        if (!err && out->written && S_ISREG(st.st_mode))
            save_ends(v, out);
        return err;
    }
    if (e->kind == 0)
        return problem_set(v->p, TERN_EBUSY,
                           "it has accepted a connection (descriptor %u), which ends here", number);
    return TERN_OK;
}

static uint32_t count_open(const struct fds *fds)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < FDS_MAX; i++)
        count += fds->entry[i].host >= 0;
    return count;
}

static enum tern_err save_descriptors(const struct saving *v, struct state *s)
{
    const uint32_t count = count_open(&v->h->fds);
    struct state_fd *list = arena_new(v->arena, count, sizeof *list);
    uint32_t at = 0;

    if (!list)
        return problem_set(v->p, TERN_ENOMEM, "out of memory");
    for (uint32_t i = 0; i < FDS_MAX; i++) {
        enum tern_err err = TERN_OK;

        if (v->h->fds.entry[i].host >= 0)
            err = save_entry(v, i, &list[at++]);
        if (err)
            return err;
    }
    s->fds = list;
    s->fd_count = count;
    return TERN_OK;
}

/* ---- Clocks and counters ---- */

/* Of a call that was left: it gets the same number when it is made again. */
static void save_call(const struct host *h, uint64_t now, struct state *s)
{
    const struct host_call *c = &h->call;
    const bool left = c->sequence > 0 && !c->answered;

    s->sequence = left ? c->sequence - 1 : c->sequence;
    s->waited_ns = h->waited_ns;
    if (left)
        s->waited_ns = c->start_ns > 0 && now > c->start_ns ? now - c->start_ns : 0;
}

enum tern_err hold_save(struct host *h, struct state *s, struct arena *arena, struct problem *p)
{
    const struct saving v = {.h = h, .arena = arena, .p = p};
    const uint64_t now = host_monotonic_ns(h);
    enum tern_err err = save_descriptors(&v, s);

    if (!err && !private_save(h, s, arena))
        err = problem_set(p, TERN_ENOMEM, "there is no memory to tell what files it has");
    if (err)
        return err;
    save_call(h, now, s);
    s->monotonic_ns = (int64_t)now;
    s->cpu_ns = end_cpu_ns() - h->cpu_start_ns;
    s->output_bytes = h->output_bytes;
    input_save(h, s);
    s->files_changed = h->files_changed;
    s->seeded = h->random.seeded;
    s->random_seed = h->random.seed;
    s->random_position = h->random.position;
    return TERN_OK;
}
