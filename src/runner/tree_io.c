/*
 * Runs of pages that lie behind each other in the file and in the arena are one system call. A page
 * that must not be written where it is (a hole, or frozen) gets a fresh one, which takes its place
 * only when it has been written: so what fails in between leaves the file as it was.
 */
#include "runner/tree_io.h"

#include "runner/wasi_errno.h"

#include <errno.h>
#include <string.h>

enum { PAGE = TREE_PAGE_BYTES, RUN_PAGES_MAX = 256 };

static uint8_t page_buffer[PAGE]; /* not on the program's stack */
static const uint8_t zeros[PAGE];

/* ---- The program's buffers, one behind the other ---- */

struct cursor {
    const struct vectors *v;
    int at;
    size_t skip; /* of v->iov[at] */
};

/* The next `size` bytes, of which there are that many, as vectors of their own. */
static int cursor_take(struct cursor *c, uint64_t size, struct iovec out[VECTORS_MAX])
{
    int count = 0;

    while (size > 0) {
        const struct iovec *iov = &c->v->iov[c->at];
        size_t part = iov->iov_len - c->skip;

        if (part > size)
            part = (size_t)size;
        if (part > 0)
            out[count++] =
                (struct iovec){.iov_base = (uint8_t *)iov->iov_base + c->skip, .iov_len = part};
        size -= part;
        c->skip += part;
        if (c->skip == iov->iov_len) {
            c->at++;
            c->skip = 0;
        }
    }
    return count;
}

static struct iovec parts[VECTORS_MAX];

static void cursor_copy(struct cursor *c, uint64_t size, uint8_t *to)
{
    const int count = cursor_take(c, size, parts);

    for (int i = 0; i < count; i++) {
        memcpy(to, parts[i].iov_base, parts[i].iov_len);
        to += parts[i].iov_len;
    }
}

/* ---- The arena ---- */

static off_t place_of(uint32_t arena, uint32_t skip)
{
    return (off_t)arena * PAGE + skip;
}

static enum wasi_errno answer_of(ssize_t result, uint64_t wanted)
{
    if (result < 0)
        return wasi_errno_from(errno);
    return (uint64_t)result == wanted ? WASI_E_SUCCESS : WASI_E_IO;
}

static enum wasi_errno read_page(const struct tree *t, uint32_t arena, uint8_t to[PAGE])
{
    const struct iovec iov = {.iov_base = to, .iov_len = PAGE};

    if (arena == 0) {
        memset(to, 0, PAGE);
        return WASI_E_SUCCESS;
    }
    return answer_of(preadv(t->arena, &iov, 1, place_of(arena, 0)), PAGE);
}

/* A short write is that of a disk which is full. */
static enum wasi_errno write_at(const struct tree *t, uint32_t arena, uint32_t skip,
                                const struct iovec *iov, int count, uint64_t size)
{
    const ssize_t done = pwritev(t->arena, iov, count, place_of(arena, skip));

    if (done >= 0 && (uint64_t)done < size)
        return WASI_E_NOSPC;
    return answer_of(done, size);
}

static enum wasi_errno write_page(const struct tree *t, uint32_t arena, const uint8_t from[PAGE])
{
    const struct iovec iov = {.iov_base = (void *)(uintptr_t)from, .iov_len = PAGE};

    return write_at(t, arena, 0, &iov, 1, PAGE);
}

/* ---- Reading ---- */

/* How many pages from `page` on, at most `most`, lie behind each other, or are all holes. */
static uint32_t run_at(const struct tree_node *n, uint32_t page, uint32_t most)
{
    const uint32_t first = tree_map_get(&n->map, page);
    uint32_t count = 1;

    while (count < most && tree_map_get(&n->map, page + count) == (first ? first + count : 0))
        count++;
    return count;
}

static enum wasi_errno read_run(const struct tree *t, const struct tree_node *n, uint64_t offset,
                                struct cursor *to, uint64_t size)
{
    const uint32_t arena = tree_map_get(&n->map, (uint32_t)(offset / PAGE));
    const int count = cursor_take(to, size, parts);

    if (arena)
        return answer_of(preadv(t->arena, parts, count, place_of(arena, offset % PAGE)), size);
    for (int i = 0; i < count; i++)
        memset(parts[i].iov_base, 0, parts[i].iov_len);
    return WASI_E_SUCCESS;
}

enum wasi_errno tree_read(const struct tree *t, const struct tree_node *n, const struct vectors *to,
                          uint64_t offset, uint64_t *done)
{
    struct cursor c = {.v = to};
    uint64_t left = offset < n->size ? n->size - offset : 0;
    enum wasi_errno error = WASI_E_SUCCESS;

    *done = 0;
    if (left > to->bytes)
        left = to->bytes;
    while (left > 0 && !error) {
        const uint32_t skip = offset % PAGE;
        const uint64_t pages = (skip + left + PAGE - 1) / PAGE;
        const uint32_t most = pages < RUN_PAGES_MAX ? (uint32_t)pages : RUN_PAGES_MAX;
        uint64_t size = (uint64_t)run_at(n, (uint32_t)(offset / PAGE), most) * PAGE - skip;

        if (size > left)
            size = left;
        error = read_run(t, n, offset, &c, size);
        if (!error)
            *done += size;
        offset += size;
        left -= size;
    }
    return *done ? WASI_E_SUCCESS : error;
}

/* ---- Writing ---- */

/* Where the page may be written: where it is, or a fresh one, which is not the file's yet. */
static enum wasi_errno place_for(struct tree *t, struct tree_node *n, uint32_t page, uint32_t *to)
{
    const uint32_t now = tree_map_get(&n->map, page);

    *to = now;
    if (now && !tree_pages_frozen(&t->pages, now))
        return WASI_E_SUCCESS;
    if (!tree_map_reserve(&n->map, page))
        return WASI_E_NOMEM;
    *to = tree_pages_take(&t->pages, now != 0);
    return *to ? WASI_E_SUCCESS : WASI_E_NOSPC;
}

/* It has been written: now it is the file's. */
static void settle(struct tree *t, struct tree_node *n, uint32_t page, uint32_t arena)
{
    const uint32_t before = tree_map_get(&n->map, page);

    if (before == arena)
        return;
    if (before)
        tree_pages_drop(&t->pages, before);
    tree_map_set(&n->map, page, arena);
}

static void forsake(struct tree *t, const struct tree_node *n, uint32_t page, uint32_t arena)
{
    if (tree_map_get(&n->map, page) != arena)
        tree_pages_drop(&t->pages, arena);
}

/* A part of one page. */
static enum wasi_errno write_part(struct tree *t, struct tree_node *n, uint64_t offset,
                                  struct cursor *from, uint32_t size)
{
    const uint32_t page = (uint32_t)(offset / PAGE), skip = offset % PAGE;
    const uint32_t before = tree_map_get(&n->map, page);
    uint32_t to;
    enum wasi_errno error = place_for(t, n, page, &to);

    if (error)
        return error;
    if (to == before)
        return write_at(t, to, skip, parts, cursor_take(from, size, parts), size);
    error = read_page(t, before, page_buffer);
    if (!error) {
        cursor_copy(from, size, page_buffer + skip);
        error = write_page(t, to, page_buffer);
    }
    if (error)
        forsake(t, n, page, to);
    else
        settle(t, n, page, to);
    return error;
}

/* Whole pages, as many of them as lie behind each other; *size is what was written. */
static enum wasi_errno write_pages(struct tree *t, struct tree_node *n, uint64_t offset,
                                   struct cursor *from, uint64_t *size)
{
    const uint32_t page = (uint32_t)(offset / PAGE);
    const uint64_t most = *size / PAGE < RUN_PAGES_MAX ? *size / PAGE : RUN_PAGES_MAX;
    uint32_t first, count = 0, next;
    enum wasi_errno error = place_for(t, n, page, &first);

    if (error)
        return error;
    for (count = 1; count < most; count++) {
        if (place_for(t, n, page + count, &next))
            break; /* it is met again, as the first */
        if (next != first + count) {
            forsake(t, n, page + count, next);
            break;
        }
    }
    *size = (uint64_t)count * PAGE;
    error = write_at(t, first, 0, parts, cursor_take(from, *size, parts), *size);
    for (uint32_t i = 0; i < count; i++) {
        if (error)
            forsake(t, n, page + i, first + i);
        else
            settle(t, n, page + i, first + i);
    }
    return error;
}

static enum wasi_errno write_some(struct tree *t, struct tree_node *n, uint64_t offset,
                                  struct cursor *from, uint64_t *size)
{
    const uint32_t skip = offset % PAGE;

    if (skip == 0 && *size >= PAGE)
        return write_pages(t, n, offset, from, size);
    if (*size > PAGE - skip)
        *size = PAGE - skip;
    return write_part(t, n, offset, from, (uint32_t)*size);
}

enum wasi_errno tree_write(struct tree *t, struct tree_node *n, const struct vectors *from,
                           uint64_t offset, uint64_t now_ns, uint64_t *done)
{
    struct cursor c = {.v = from};
    uint64_t left = from->bytes;
    enum wasi_errno error = WASI_E_SUCCESS;

    *done = 0;
    if (left == 0)
        return WASI_E_SUCCESS;
    if (offset >= TREE_FILE_BYTES_MAX)
        return WASI_E_FBIG;
    if (left > TREE_FILE_BYTES_MAX - offset)
        left = TREE_FILE_BYTES_MAX - offset;
    while (left > 0 && !error) {
        uint64_t size = left;

        error = write_some(t, n, offset, &c, &size);
        if (error)
            break;
        *done += size;
        offset += size;
        left -= size;
        if (n->size < offset)
            n->size = offset;
    }
    if (*done == 0)
        return error;
    n->mtime_ns = n->ctime_ns = now_ns;
    return WASI_E_SUCCESS;
}

/* ---- Size ---- */

/* What is behind the end, in the last page, becomes 0. */
static enum wasi_errno clear_tail(struct tree *t, struct tree_node *n, uint64_t size)
{
    const uint32_t skip = size % PAGE;
    struct iovec rest = {.iov_base = (void *)(uintptr_t)zeros, .iov_len = PAGE - skip};
    const struct vectors v = {.iov = &rest, .count = 1, .bytes = rest.iov_len};
    struct cursor c = {.v = &v};

    if (skip == 0 || tree_map_get(&n->map, (uint32_t)(size / PAGE)) == 0)
        return WASI_E_SUCCESS;
    return write_part(t, n, size, &c, PAGE - skip);
}

enum wasi_errno tree_resize(struct tree *t, struct tree_node *n, uint64_t size, uint64_t now_ns)
{
    enum wasi_errno error = WASI_E_SUCCESS;

    if (size > TREE_FILE_BYTES_MAX)
        return WASI_E_FBIG;
    if (size < n->size) {
        error = clear_tail(t, n, size);
        if (error)
            return error;
        tree_map_cut(&n->map, state_tree_pages(size), &t->pages);
    }
    n->size = size;
    n->mtime_ns = n->ctime_ns = now_ns;
    return WASI_E_SUCCESS;
}

static enum wasi_errno fill_hole(struct tree *t, struct tree_node *n, uint32_t page)
{
    uint32_t to;
    enum wasi_errno error = place_for(t, n, page, &to);

    if (error)
        return error;
    error = write_page(t, to, zeros);
    if (error)
        forsake(t, n, page, to);
    else
        settle(t, n, page, to);
    return error;
}

static uint64_t count_holes(const struct tree_node *n, uint64_t from, uint64_t to)
{
    uint64_t holes = to - from;

    for (uint64_t page = from; tree_map_next(&n->map, &page) && page < to; page++)
        holes--;
    return holes;
}

enum wasi_errno tree_allocate(struct tree *t, struct tree_node *n, uint64_t offset, uint64_t size,
                              uint64_t now_ns)
{
    const uint64_t from = offset / PAGE;
    uint64_t to;
    enum wasi_errno error = WASI_E_SUCCESS;

    if (offset > TREE_FILE_BYTES_MAX || size > TREE_FILE_BYTES_MAX - offset)
        return WASI_E_FBIG;
    to = state_tree_pages(offset + size);
    if (count_holes(n, from, to) > t->pages.max - t->pages.count)
        return WASI_E_NOSPC;
    for (uint64_t page = from; page < to && !error; page++) {
        if (tree_map_get(&n->map, (uint32_t)page) == 0)
            error = fill_hole(t, n, (uint32_t)page);
    }
    if (error)
        return error;
    if (n->size < offset + size)
        n->size = offset + size;
    n->mtime_ns = n->ctime_ns = now_ns;
    return WASI_E_SUCCESS;
}
