#include "base/check.h"
#include "runner/end.h"
#include "runner/ends.h"
#include "runner/hold.h"
#include "runner/origin.h"
#include "runner/path.h"
#include "runner/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STANDARD_STREAMS = 3 };

struct restoring {
    struct host *h;
    struct fd_entry standard[STANDARD_STREAMS]; /* as they came with this process */
    bool taken[STANDARD_STREAMS];
};

/* ---- Sentences ---- */

static _Noreturn void refuse_damaged(const struct state_fd *f)
{
    end_refused("its descriptor %u is described in a way that makes no sense", f->number);
}

static _Noreturn void refuse_file(const struct host *h, const struct state_fd *f, const char *why)
{
    end_refused("%s, which it had open, %s", origin_name(h, f->source, f->path).text, why);
}

/* ---- Standard streams ---- */

static void seek_input(const struct fd_entry *e, const struct state_fd *f)
{
    struct stat st;

    if (fstat(e->host, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size < f->offset)
        end_refused("the standard input that it is given has %ju bytes, and it has read %ju of it",
                    (uintmax_t)st.st_size, (uintmax_t)f->offset);
    if (lseek(e->host, (off_t)f->offset, SEEK_SET) < 0)
        end_refused("the standard input that it is given cannot be sought: %s", strerror(errno));
}

static struct fd_entry restore_standard(struct restoring *r, const struct state_fd *f)
{
    static const char *const names[] = {"standard input", "standard output", "standard error"};
    struct fd_entry e;
    int flags;

    if (f->source >= STANDARD_STREAMS || r->taken[f->source])
        refuse_damaged(f);
    e = r->standard[f->source];
    flags = e.host < 0 ? -1 : fcntl(e.host, F_GETFL);
    if (flags < 0)
        end_refused("its %s was open when it stopped and is closed here", names[f->source]);
    r->taken[f->source] = true;
    e.seekable = e.seekable && f->rights & (RIGHT_FD_SEEK | RIGHT_FD_TELL);
    e.rights = f->rights & (e.filetype == FILETYPE_DIRECTORY
                                ? e.rights
                                : fds_standard_rights(f->filetype, e.seekable, flags));
    e.filetype = f->filetype;
    if (f->flags & FDFLAG_NONBLOCK && !(flags & O_NONBLOCK))
        fcntl(e.host, F_SETFL, flags | O_NONBLOCK);
    if (f->source == STDIN_FILENO && e.seekable)
        seek_input(&e, f);
    return e;
}

/* ---- What came out of a directory ---- */

static void check_source(const struct host *h, const struct state_fd *f)
{
    if (f->source >= h->fds.root_count)
        end_refused("it had %u directories lent to it, and here it has %u", f->source + 1,
                    h->fds.root_count);
}

static struct fd_entry restore_preopened(const struct host *h, const struct state_fd *f)
{
    const struct ticket_dir *dir;
    struct fd_entry e;

    check_source(h, f);
    dir = &h->ticket->dirs[f->source];
    e = fds_preopened(&h->fds, f->source, dir->guest_path, dir->read_only);
    e.rights &= f->rights;
    e.inheriting &= f->inheriting;
    return e;
}

static char *copy_path(const struct state_fd *f)
{
    char *copy;

    if (f->path.size == 0 || f->path.size > STATE_PATH_BYTES_MAX ||
        memchr(f->path.data, 0, f->path.size))
        refuse_damaged(f);
    copy = malloc(f->path.size + 1);
    if (!copy)
        end_refused("there is no memory for its descriptors");
    memcpy(copy, f->path.data, f->path.size);
    copy[f->path.size] = 0;
    return copy;
}

/* Never waits: should there be a pipe now, it is found out afterwards. */
static int open_flags(const struct state_fd *f)
{
    int flags = O_NOCTTY | O_NONBLOCK | fds_open_flags(f->flags);

    if (f->kind == STATE_FD_DIRECTORY)
        return flags | O_DIRECTORY;
    if (!f->written)
        return flags | O_RDONLY;
    return flags | (f->rights & RIGHT_FD_READ ? O_RDWR : O_WRONLY);
}

static int reopen(const struct host *h, const struct state_fd *f, const char *path)
{
    const struct path_root root = {.dir = h->fds.root[f->source], .walk = h->walk_paths};
    int fd = path_open(&root, path, open_flags(f), 0);

    if (fd < 0)
        end_refused("%s, which it had open, cannot be opened again: %s",
                    origin_name(h, f->source, f->path).text, strerror(-fd));
    check(fd > STDERR_FILENO); /* those are never free */
    return fd;
}

/* That it does what opening it anew would do, and no more. */
static uint64_t rights_of(const struct state_fd *f, const struct fd_entry *e)
{
    uint64_t rights = f->rights & fds_rights_of(e->filetype, e->seekable);

    if (!f->written)
        rights &= ~(RIGHT_FD_WRITE | RIGHT_FD_ALLOCATE | RIGHT_FD_FILESTAT_SET_SIZE);
    return rights;
}

static void find_place(const struct host *h, const struct state_fd *f, struct fd_entry *e)
{
    struct stat st;

    if (fstat(e->host, &st) < 0 || fds_filetype(st.st_mode) != f->filetype || S_ISFIFO(st.st_mode))
        refuse_file(h, f, "is another kind of file now");
    e->seekable = f->kind == STATE_FD_FILE && lseek(e->host, 0, SEEK_CUR) >= 0;
    if (e->seekable && lseek(e->host, (off_t)f->offset, SEEK_SET) < 0)
        refuse_damaged(f);
    if (fcntl(e->host, F_SETFL, fds_open_flags(f->flags)) < 0)
        refuse_file(h, f, "cannot be used as it was");
}

static struct fd_entry restore_opened(const struct host *h, const struct state_fd *f)
{
    struct fd_entry e = {
        .filetype = f->filetype,
        .sync_flags = f->flags & (FDFLAG_DSYNC | FDFLAG_RSYNC | FDFLAG_SYNC),
        .kind = f->kind,
        .source = f->source,
    };
    const bool directory = f->kind == STATE_FD_DIRECTORY;

    check_source(h, f);
    if (f->offset > INT64_MAX || directory != (f->filetype == FILETYPE_DIRECTORY) ||
        (directory && f->written))
        refuse_damaged(f);
    e.read_only = h->ticket->dirs[f->source].read_only;
    if (e.read_only && f->written)
        refuse_file(h, f, "was being written, and its directory is lent for reading only here");
    e.path = copy_path(f);
    e.host = reopen(h, f, e.path);
    find_place(h, f, &e);
    e.rights = rights_of(f, &e);
    e.inheriting = directory ? f->inheriting & (RIGHTS_DIR | RIGHTS_FILE) : 0;
    return e;
}

/* ---- What lies in the private file tree ---- */

static struct fd_entry restore_private(const struct host *h, const struct state_fd *f)
{
    const bool directory = f->filetype == FILETYPE_DIRECTORY;
    struct tree_node *n = h->fds.tree ? tree_find_number(h->fds.tree, f->inode) : NULL;
    struct fd_entry e;

    if (!n || private_filetype(n) != f->filetype || n->kind == STATE_NODE_LINK ||
        f->offset > TREE_FILE_BYTES_MAX)
        refuse_damaged(f);
    e = fds_tree_root(&h->fds);
    if (f->kind == STATE_FD_TREE && n != e.node)
        refuse_damaged(f);
    if (f->kind != STATE_FD_TREE)
        e.guest_path = view_of(NULL, 0);
    e.kind = f->kind;
    e.filetype = f->filetype;
    e.seekable = !directory;
    e.rights = f->rights & fds_rights_of(f->filetype, !directory);
    e.inheriting = directory ? f->inheriting & (RIGHTS_DIR | RIGHTS_FILE) : 0;
    e.fdflags = f->flags;
    e.sync_flags = f->flags & (FDFLAG_DSYNC | FDFLAG_RSYNC | FDFLAG_SYNC);
    e.offset = f->offset;
    e.node = n;
    tree_open(n);
    return e;
}

/* ---- Whether files are as they were ---- */

static struct stat stat_of(const struct host *h, const struct state_fd *f)
{
    struct stat st;

    if (fstat(h->fds.entry[f->number].host, &st) < 0)
        refuse_file(h, f, "does not say what it is");
    return st;
}

static int64_t mtime_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* What was written through another descriptor is judged there. */
static bool is_written_too(const struct host *h, const struct state *s, const struct stat *st)
{
    for (uint32_t i = 0; i < s->fd_count; i++) {
        if (s->fds[i].kind == STATE_FD_FILE && s->fds[i].written) {
            struct stat other = stat_of(h, &s->fds[i]);

            if (other.st_dev == st->st_dev && other.st_ino == st->st_ino)
                return true;
        }
    }
    return false;
}

/* It is as long as it was, or longer: whether it begins with what it was. */
static void check_ends(const struct host *h, const struct state_fd *f)
{
    const struct path_root root = {.dir = h->fds.root[f->source], .walk = h->walk_paths};
    uint64_t ends = 0;
    const int error = ends_of(&root, h->fds.entry[f->number].path, f->size, &ends);

    if (error)
        end_refused("%s, which it was writing, cannot be read to see whether it is as it was: %s",
                    origin_name(h, f->source, f->path).text, strerror(-error));
    if (ends != f->ends)
        refuse_file(h, f, "has been changed since, and not only by appending to it");
}

static void check_file(const struct host *h, const struct state *s, const struct state_fd *f)
{
    struct stat st = stat_of(h, f);
    const uint64_t size = (uint64_t)st.st_size;
    const bool same = size == f->size && mtime_ns(&st) == f->mtime_ns;

    if (!S_ISREG(st.st_mode))
        return;
    if (f->written && size < f->size)
        refuse_file(h, f, "has become shorter since");
    if (f->written && size == f->size && !same)
        refuse_file(h, f, "has been changed since");
    if (!f->written && !same && !is_written_too(h, s, &st))
        refuse_file(h, f, "has been changed since, and it was reading it");
    if (f->written && f->ends)
        check_ends(h, f);
}

static void cut_back(const struct host *h, const struct state_fd *f)
{
    const int fd = h->fds.entry[f->number].host;
    const int64_t second = 1000000000;
    const int64_t seconds = f->mtime_ns / second - (f->mtime_ns % second < 0); /* before 1970 */
    const struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT},
        {.tv_sec = (time_t)seconds, .tv_nsec = (long)(f->mtime_ns - seconds * second)}};
    struct stat st = stat_of(h, f);

    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size <= f->size)
        return;
    if (ftruncate(fd, (off_t)f->size) < 0)
        end_refused("%s, which it was writing, cannot be cut back to %ju bytes: %s",
                    origin_name(h, f->source, f->path).text, (uintmax_t)f->size, strerror(errno));
    futimens(fd, times); /* somebody else's file keeps its new time: then this works only once */
}

/* ---- All together ---- */

static void take_standard(struct restoring *r)
{
    struct fds *fds = &r->h->fds;

    for (uint32_t i = 0; i < FDS_MAX; i++) {
        struct fd_entry *e = &fds->entry[i];

        check(e->host < 0 || e->kind == STATE_FD_STANDARD || e->kind == STATE_FD_PREOPENED);
        if (i < STANDARD_STREAMS)
            r->standard[i] = *e;
        *e = (struct fd_entry){.host = -1};
    }
}

static struct fd_entry restore_one(struct restoring *r, const struct state_fd *f)
{
    switch (f->kind) {
    case STATE_FD_STANDARD: return restore_standard(r, f);
    case STATE_FD_PREOPENED: return restore_preopened(r->h, f);
    case STATE_FD_FILE:
    case STATE_FD_DIRECTORY: return restore_opened(r->h, f);
    case STATE_FD_TREE:
    case STATE_FD_TREE_FILE:
    case STATE_FD_TREE_DIRECTORY: return restore_private(r->h, f);
    default: refuse_damaged(f);
    }
}

static void restore_descriptors(struct restoring *r, const struct state *s)
{
    struct fds *fds = &r->h->fds;

    take_standard(r);
    for (uint32_t i = 0; i < s->fd_count; i++) {
        const struct state_fd *f = &s->fds[i];

        if (f->number >= FDS_MAX || fds->entry[f->number].host >= 0)
            refuse_damaged(f);
        fds->entry[f->number] = restore_one(r, f);
        fds->entry[f->number].serial = ++fds->opened;
    }
    for (int i = 0; i < STANDARD_STREAMS; i++) {
        if (!r->taken[i] && r->standard[i].host >= 0)
            fds_plug(fds, i); /* the program had closed it */
    }
}

static void restore_counters(struct host *h, const struct state *s)
{
    h->call = (struct host_call){.sequence = s->sequence, .answered = true};
    h->waited_ns = s->waited_ns;
    h->output_bytes = s->output_bytes;
    h->random = (struct random){s->seeded, s->random_seed, s->random_position};
    h->cpu_start_ns = end_cpu_ns() - s->cpu_ns;
    h->clock_base_ns += (uint64_t)s->monotonic_ns - host_monotonic_ns(h);
}

void hold_restore(struct host *h, const struct state *s)
{
    struct restoring r = {.h = h};

    private_restore(h, s);
    restore_descriptors(&r, s);
    for (uint32_t i = 0; i < s->fd_count; i++) {
        if (s->fds[i].kind == STATE_FD_FILE)
            check_file(h, s, &s->fds[i]);
    }
    for (uint32_t i = 0; i < s->fd_count; i++) {
        if (s->fds[i].kind == STATE_FD_FILE && s->fds[i].written)
            cut_back(h, &s->fds[i]);
    }
    h->files_changed = true; /* by this, or by who did not come to sync it */
    restore_counters(h, s);
}

uint64_t hold_cpu_left_ns(const struct ticket *t, const struct state *s)
{
    if (t->cpu_ns_max == 0)
        return 0;
    if (s->cpu_ns >= t->cpu_ns_max)
        end_limit(REPORT_LIMIT_CPU);
    return t->cpu_ns_max - s->cpu_ns;
}
