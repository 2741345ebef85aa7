#include "image/check.h"

#include "wire/ticket.h"

#include <inttypes.h>
#include <string.h>

/* WASI preview 1, typenames.witx. */
enum {
    FILETYPE_DIRECTORY = 3,
    FILETYPE_REGULAR_FILE = 4,
    FILETYPE_MAX = 7,
    FDFLAGS_ALL = (1 << 5) - 1,
    RIGHTS_ALL = (1 << 30) - 1,
};

enum { SOURCE_STANDARD_MAX = 2 };

/* Of any counter: so that sums of two are numbers still, signed ones, too. */
#define COUNTER_MAX (UINT64_C(1) << 62)

static enum tern_err check_counters(const struct checker *c)
{
    const struct state *s = c->state;
    const struct {
        const char *what;
        uint64_t value;
    } counter[] = {
        {"number of host calls", s->sequence},
        {"time that a host call waited", s->waited_ns},
        {"number of bytes written", s->output_bytes},
        {"processor time", s->cpu_ns},
        {"program's clock", (uint64_t)s->monotonic_ns},
        {"number of bytes read from standard input", s->input_bytes},
        {"number of bytes kept of standard input", s->input_kept},
    };

    for (size_t i = 0; i < sizeof counter / sizeof *counter; i++) {
        if (counter[i].value > COUNTER_MAX)
            return problem_set(c->p, TERN_EINVALID, "the %s is larger than any can be, or negative",
                               counter[i].what);
    }
    if (s->input_sum && s->input_bytes == 0)
        return problem_set(c->p, TERN_EINVALID, "it has a sum of input, and has read none");
    return TERN_OK;
}

/* ---- Descriptors: what is wrong with one, as a sentence; NULL: nothing ---- */

static bool goes_up(struct view path)
{
    size_t from = 0;

    for (size_t i = 0; i <= path.size; i++) {
        if (i < path.size && path.data[i] != '/')
            continue;
        if (view_equal(view_of(path.data + from, i - from), view_of_string("..")))
            return true;
        from = i + 1;
    }
    return false;
}

static const char *path_fault(const struct state_fd *fd)
{
    const struct view path = fd->path;
    const bool has_path = fd->kind == STATE_FD_FILE || fd->kind == STATE_FD_DIRECTORY;

    if (has_path != (path.size > 0))
        return has_path ? "it has no path" : "it has a path, which its kind has not";
    if (!has_path)
        return NULL;
    if (memchr(path.data, 0, path.size))
        return "its path has a zero byte";
    if (path.data[0] == '/')
        return "its path is absolute";
    return goes_up(path) ? "its path has '..' in it" : NULL;
}

static const char *kind_fault(const struct state_fd *fd)
{
    const bool directory = fd->filetype == FILETYPE_DIRECTORY;

    if (fd->filetype > FILETYPE_MAX)
        return "its file type is none of WASI's";
    switch (fd->kind) {
    case STATE_FD_STANDARD:
        return fd->source > SOURCE_STANDARD_MAX ? "there is no such standard stream" : NULL;
    case STATE_FD_PREOPENED:
    case STATE_FD_DIRECTORY:
        if (!directory)
            return "it is a directory, but its file type says otherwise";
        break;
    case STATE_FD_FILE:
        if (directory)
            return "it is a file, but its file type says otherwise";
        break;
    case STATE_FD_TREE:
    case STATE_FD_TREE_FILE:
    case STATE_FD_TREE_DIRECTORY:
        if (directory != (fd->kind != STATE_FD_TREE_FILE) ||
            (!directory && fd->filetype != FILETYPE_REGULAR_FILE))
            return "its kind says something else than its file type";
        break;
    default: return "its kind is unknown";
    }
    return fd->source >= TICKET_DIRS_MAX ? "no run has so many directories" : NULL;
}

static const char *numbers_fault(const struct state_fd *fd)
{
    if (fd->flags & ~FDFLAGS_ALL)
        return "it has flags that are none of WASI's";
    if ((fd->rights | fd->inheriting) & ~(uint64_t)RIGHTS_ALL)
        return "it has rights that are none of WASI's";
    if (fd->kind < STATE_FD_TREE && fd->inode)
        return "it has an inode, which its kind has not";
    if (fd->kind >= STATE_FD_TREE && (fd->source || fd->size || fd->mtime_ns || fd->read_only))
        return "it is one of the program's own files, and says where it was lent";
    if (fd->offset > COUNTER_MAX || fd->size > COUNTER_MAX)
        return "its offset or size is larger than any can be";
    if (fd->written && fd->kind != STATE_FD_FILE)
        return "it was written, but is not a file";
    if (fd->written && fd->read_only)
        return "it was written, but is read-only";
    if (fd->ends && !fd->written)
        return "what its file holds is told, but it was not written";
    return NULL;
}

static bool stream_taken(const struct state *s, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++) {
        if (s->fds[k].kind == STATE_FD_STANDARD && s->fds[k].source == s->fds[i].source)
            return true;
    }
    return false;
}

static const char *fd_fault(const struct state *s, uint32_t i)
{
    const struct state_fd *fd = &s->fds[i];
    const char *fault;

    if (fd->number >= STATE_FDS_MAX)
        return "there is no such number";
    if (i > 0 && fd->number <= s->fds[i - 1].number)
        return "its number is not above that of the one before";
    fault = kind_fault(fd);
    if (!fault && fd->kind == STATE_FD_STANDARD && stream_taken(s, i))
        fault = "another one is the same standard stream";
    if (!fault)
        fault = path_fault(fd);
    if (!fault)
        fault = numbers_fault(fd);
    return fault;
}

enum tern_err check_host(const struct checker *c)
{
    const struct state *s = c->state;

    for (uint32_t i = 0; i < s->fd_count; i++) {
        const char *fault = fd_fault(s, i);

        if (fault)
            return problem_set(c->p, TERN_EINVALID, "descriptor %" PRIu32 ": %s", s->fds[i].number,
                               fault);
    }
    return check_counters(c);
}
