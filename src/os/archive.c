#include "os/archive.h"

#include "os/checkpoint_root.h"
#include "os/file.h"
#include "store/names.h"

#include <string.h>

enum { MAGIC_BYTES = 8 };

static const uint8_t magic[MAGIC_BYTES] = {'T', 'E', 'R', 'N', 'A', 'R', 'C', '1'};
static const uint32_t the_end = UINT32_MAX;

static void put(uint8_t *to, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get(const uint8_t *from, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)from[i] << (8 * i);
    return value;
}

/* ---- All that hangs beneath a root, each chunk once ---- */

typedef enum tern_err each_chunk(void *to, struct view plain);

struct visit {
    struct store_name name;
    uint32_t kind;
};

struct walk {
    struct store *store;
    struct names seen;   /* bit k: as kind k */
    struct bytes visits; /* struct visit each */
    struct bytes plain;
};

static enum tern_err add(void *to, unsigned kind, const struct store_name *name)
{
    const struct visit visit = {*name, kind};
    struct walk *w = to;
    uint32_t *kinds;
    bool fresh;

    kinds = names_add(&w->seen, name, &fresh);
    if (!kinds)
        return TERN_ENOMEM;
    if (*kinds >> kind & 1)
        return TERN_OK;
    *kinds |= 1U << kind;
    bytes_append(&w->visits, &visit, sizeof visit);
    return bytes_ok(&w->visits) ? TERN_OK : TERN_ENOMEM;
}

/* A chunk that is seen as two kinds is given twice, which does no harm. */
static enum tern_err visit_all(struct walk *w, each_chunk *each, void *to)
{
    enum tern_err err = TERN_OK;

    while (!err && w->visits.size) {
        struct visit v;

        w->visits.size -= sizeof v;
        memcpy(&v, w->visits.data + w->visits.size, sizeof v);
        bytes_clear(&w->plain);
        err = store_get(w->store, &v.name, &w->plain);
        if (!err && each)
            err = each(to, bytes_view(&w->plain));
        if (!err)
            err = checkpoint_children(NULL, v.kind, bytes_view(&w->plain), add, w);
    }
    return err;
}

static enum tern_err walk(struct store *s, const struct store_name *list, each_chunk *each,
                          void *to)
{
    struct walk w = {
        .store = s, .seen = {.value_bytes = sizeof(uint32_t)}, .plain = {.limit = STORE_CHUNK_MAX}};
    enum tern_err err = add(&w, 0, list);

    if (!err)
        err = visit_all(&w, each, to);
    names_release(&w.seen);
    bytes_release(&w.visits);
    bytes_release(&w.plain);
    return err;
}

/* ---- Writing ---- */

static enum tern_err write_chunk(void *to, struct view plain)
{
    const int *fd = to;
    uint8_t size[4];
    enum tern_err err;

    put(size, plain.size, sizeof size);
    err = file_write_fd(*fd, view_of(size, sizeof size));
    return err ? err : file_write_fd(*fd, plain);
}

enum tern_err archive_write(struct store *s, const struct store_root *root, int fd,
                            struct problem *p)
{
    uint8_t end[4 + STORE_NAME_BYTES + 8];
    enum tern_err err = file_write_fd(fd, view_of(magic, sizeof magic));

    if (!err)
        err = walk(s, &root->list, write_chunk, &fd);
    put(end, the_end, 4);
    memcpy(end + 4, root->list.bytes, STORE_NAME_BYTES);
    put(end + 4 + STORE_NAME_BYTES, (uint64_t)root->time_ns, 8);
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
        bytes = (uint32_t)get(size, sizeof size);
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
    struct store_commit commit = {.keep = 2, .children = checkpoint_children};
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
    commit.time_ns = (int64_t)get(end + STORE_NAME_BYTES, 8);
    err = walk(s, &commit.list, NULL, NULL);
    if (err == TERN_ENOENT || err == TERN_ECORRUPT)
        return broken(p, "is damaged: it lacks what its checkpoint needs");
    if (err)
        return problem_set(p, err, "the archive cannot be looked through: %s", tern_err_text(err));
    return store_commit(s, &commit, out, p);
}
