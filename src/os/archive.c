#include "os/archive.h"

#include "base/little.h"
#include "os/checkpoint_walk.h"
#include "os/file.h"
#include "store/chunk.h"

#include <string.h>

enum { MAGIC_BYTES = 8 };

static const uint8_t magic[MAGIC_BYTES] = {'T', 'E', 'R', 'N', 'A', 'R', 'C', '1'};
static const uint32_t the_end = UINT32_MAX;

static enum tern_err write_chunk(int fd, struct view plain)
{
    uint8_t size[4];
    enum tern_err err;

    little_put(size, plain.size, sizeof size);
    err = file_write_fd(fd, view_of(size, sizeof size));
    return err ? err : file_write_fd(fd, plain);
}

/* All that hangs beneath a root, to fd; -1: it is only looked whether it is there. */
static enum tern_err walk(struct store *s, const struct store_name *root, int fd)
{
    struct checkpoint_walk w;
    enum tern_err err = checkpoint_walk_begin(&w, s, root);
    bool over = false;

    while (!err && !over) {
        err = checkpoint_walk_next(&w, &over);
        if (!err && !over && fd >= 0)
            err = write_chunk(fd, bytes_view(&w.plain));
    }
    checkpoint_walk_release(&w);
    return err;
}

/* ---- Writing ---- */

enum tern_err archive_write(struct store *s, const struct store_root *root, int fd,
                            struct problem *p)
{
    uint8_t end[4 + STORE_NAME_BYTES + 8];
    enum tern_err err = file_write_fd(fd, view_of(magic, sizeof magic));

    if (!err)
        err = walk(s, &root->list, fd);
    little_put(end, the_end, 4);
    memcpy(end + 4, root->list.bytes, STORE_NAME_BYTES);
    little_put(end + 4 + STORE_NAME_BYTES, (uint64_t)root->time_ns, 8);
    if (!err)
        err = file_write_fd(fd, view_of(end, sizeof end));
    return err ? problem_set(p, err, "checkpoint %ju cannot be written out: %s",
                             (uintmax_t)root->number, tern_err_text(err))
               : TERN_OK;
}

/* ---- Reading ---- */

static enum tern_err broken(struct problem *p, const char *what)
{
    return problem_set(p, TERN_EPROTO, "the archive %s", what);
}

/* All chunks, up to the end mark. */
static enum tern_err read_chunks(int fd, struct store *s, struct problem *p)
{
    static uint8_t plain[STORE_CHUNK_MAX];
    struct store_name name;
    uint8_t size[4];
    enum tern_err err = TERN_OK;

    while (!err) {
        uint32_t bytes;

        if (file_read_exact(fd, size, sizeof size))
            return broken(p, "ends too early");
        bytes = (uint32_t)little_get(size, sizeof size);
        if (bytes == the_end)
            return TERN_OK;
        if (bytes > sizeof plain)
            return broken(p, "is damaged: a chunk is larger than any can be");
        if (file_read_exact(fd, plain, bytes))
            return broken(p, "ends too early");
        err = store_put(s, view_of(plain, bytes), &name, p);
    }
    return err;
}

enum tern_err archive_read(int fd, struct store *s, struct store_root *out, struct problem *p)
{
    struct store_commit commit = {.keep = 2, .children = chunk_children};
    uint8_t head[MAGIC_BYTES], end[STORE_NAME_BYTES + 8];
    enum tern_err err;

    if (file_read_exact(fd, head, sizeof head) || memcmp(head, magic, sizeof head) != 0)
        return problem_set(p, TERN_EPROTO, "this is no archive of a checkpoint");
    err = read_chunks(fd, s, p);
    if (err)
        return err;
    if (file_read_exact(fd, end, sizeof end))
        return broken(p, "ends too early");
    memcpy(commit.list.bytes, end, sizeof commit.list.bytes);
    commit.time_ns = (int64_t)little_get(end + STORE_NAME_BYTES, 8);
    err = walk(s, &commit.list, -1);
    if (err == TERN_ENOENT || err == TERN_ECORRUPT)
        return broken(p, "is damaged: it lacks what its checkpoint needs");
    if (err)
        return problem_set(p, err, "the archive cannot be looked through: %s", tern_err_text(err));
    return store_commit(s, &commit, out, p);
}
