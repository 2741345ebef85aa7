#include "shelf.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

int shelf_setup(void **state)
{
    struct shelf *s = calloc(1, sizeof *s);
    const char *base = getenv("TMPDIR");

    if (!base)
        base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    if (!s)
        return -1;
    snprintf(s->base, sizeof s->base, "%s/tern-store-XXXXXX", base);
    if (!mkdtemp(s->base))
        return -1;
    snprintf(s->store, sizeof s->store, "%s/store", s->base);
    *state = s;
    return 0;
}

void shelf_empty(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;

    while (d && (e = readdir(d)))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    rmdir(path);
}

int shelf_teardown(void **state)
{
    struct shelf *s = *state;

    shelf_empty(s->store);
    shelf_empty(s->base);
    free(s);
    return 0;
}

const char *shelf_file(const struct shelf *s, const char *name)
{
    static char path[SHELF_PATH_BYTES + 64];

    snprintf(path, sizeof path, "%s/%s", s->store, name);
    return path;
}

void file_load(const char *path, struct bytes *out)
{
    FILE *f = fopen(path, "rb");
    uint8_t piece[4096];
    size_t got;

    assert_non_null(f);
    while ((got = fread(piece, 1, sizeof piece, f)) > 0)
        bytes_append(out, piece, got);
    fclose(f);
}

void file_save(const char *path, struct view bytes)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    if (bytes.size)
        assert_int_equal(fwrite(bytes.data, 1, bytes.size, f), bytes.size);
    assert_int_equal(fclose(f), 0);
}

/* splitmix64 */
uint64_t draw(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint32_t draw_below(uint64_t *seed, uint32_t limit)
{
    return (uint32_t)((draw(seed) >> 32) * limit >> 32);
}

size_t page_bytes(uint32_t number, uint8_t out[SHELF_PAGE_MAX])
{
    uint64_t seed = number;
    size_t size = number == 0 ? 0 : number % 5 == 0 ? number % 40 : 200 + draw(&seed) % 4000;
    unsigned period = number % 3 == 0 ? 16 : SHELF_PAGE_MAX;

    for (size_t i = 0; i < size; i++)
        out[i] = i < period ? (uint8_t)draw(&seed) : out[i % period];
    return size;
}

struct store_name page_name(uint32_t number)
{
    uint8_t page[SHELF_PAGE_MAX];
    size_t size = page_bytes(number, page);

    return store_name_of(view_of(page, size));
}

struct store_setup shelf_small(void)
{
    struct store_setup setup = store_setup_default();

    setup.limits.pack_bytes = 16 << 10;
    setup.limits.index_bytes = 64 << 10;
    setup.limits.look_bytes = 0;
    setup.limits.look_commits = 1;
    return setup;
}

enum tern_err shelf_children(void *context, unsigned kind, struct view plain,
                             enum tern_err (*yield)(void *to, unsigned kind,
                                                    const struct store_name *name),
                             void *to)
{
    enum tern_err err = TERN_OK;

    (void)context;
    for (size_t at = 0; at + STORE_NAME_BYTES <= plain.size && !err; at += STORE_NAME_BYTES) {
        struct store_name name;

        memcpy(name.bytes, plain.data + at, sizeof name.bytes);
        err = yield(to, kind == 0 ? 1 : STORE_LEAF, &name);
    }
    return err;
}

static enum tern_err put_list(struct store *s, const struct checkpoint *c, unsigned first,
                              const struct store_name *like, struct bytes *lists, struct problem *p)
{
    struct store_name names[SHELF_LIST_PAGES], list;
    unsigned count = 0;
    enum tern_err err = TERN_OK;

    for (; count < SHELF_LIST_PAGES && first + count < c->count && !err; count++) {
        uint8_t page[SHELF_PAGE_MAX];
        size_t size = page_bytes(c->page[first + count], page);

        err = store_put(s, view_of(page, size), &names[count], p);
    }
    if (!err)
        err = store_put_like(s, view_of(names, count * sizeof *names), like, &list, p);
    if (!err)
        bytes_append(lists, list.bytes, sizeof list.bytes);
    return err;
}

/* The lists of the newest root; none if they cannot be had. */
static void lists_before(struct store *s, struct bytes *out)
{
    struct store_root root;

    if (store_root(s, 0, &root) || store_get(s, &root.list, out))
        bytes_clear(out);
}

enum tern_err shelf_commit(struct store *s, const struct checkpoint *c, unsigned keep,
                           struct problem *p)
{
    struct store_commit commit = {.keep = keep, .children = shelf_children, .time_ns = 1234};
    struct bytes lists = {0}, before = {0};
    struct store_root root;
    enum tern_err err = TERN_OK;

    lists_before(s, &before);
    for (unsigned i = 0; i < c->count && !err; i += SHELF_LIST_PAGES) {
        const bool has = lists.size + STORE_NAME_BYTES <= before.size;

        err = put_list(s, c, i, has ? (const void *)(before.data + lists.size) : NULL, &lists, p);
    }
    bytes_release(&before);
    if (!err)
        err = store_put(s, bytes_view(&lists), &commit.list, p);
    if (!err)
        err = store_commit(s, &commit, &root, p);
    bytes_release(&lists);
    return err;
}

/* Reads the pages beneath a root, in order; with c: compares them. */
static enum tern_err walk(struct store *s, unsigned n, const struct checkpoint *c)
{
    struct store_root root;
    struct bytes lists = {0}, pages = {0}, page = {0};
    unsigned at = 0;
    enum tern_err err = store_root(s, n, &root);

    if (!err)
        err = store_get(s, &root.list, &lists);
    for (size_t i = 0; i < lists.size && !err; i += STORE_NAME_BYTES) {
        bytes_clear(&pages);
        err = store_get(s, (const void *)(lists.data + i), &pages);
        for (size_t k = 0; k < pages.size && !err; k += STORE_NAME_BYTES, at++) {
            uint8_t expected[SHELF_PAGE_MAX];

            bytes_clear(&page);
            err = store_get(s, (const void *)(pages.data + k), &page);
            if (!err && c &&
                (at >= c->count ||
                 !view_equal(bytes_view(&page),
                             view_of(expected, page_bytes(c->page[at], expected)))))
                err = TERN_EPROTO; /* wrong bytes: no error of the store's */
        }
    }
    if (!err && c && at != c->count)
        err = TERN_EPROTO;
    bytes_release(&lists);
    bytes_release(&pages);
    bytes_release(&page);
    return err;
}

enum tern_err shelf_compare(struct store *s, unsigned n, const struct checkpoint *c)
{
    return walk(s, n, c);
}

enum tern_err shelf_read(struct store *s, unsigned n)
{
    return walk(s, n, NULL);
}

void checkpoint_draw(struct checkpoint *c, uint64_t *seed, unsigned count)
{
    c->count = count;
    for (unsigned i = 0; i < count; i++)
        c->page[i] = draw_below(seed, 1000);
}

void checkpoint_change(struct checkpoint *c, uint64_t *seed, uint32_t limit)
{
    uint32_t at = draw_below(seed, c->count);

    c->page[at] = draw_below(seed, limit);
}

struct store *shelf_open(const struct shelf *shelf, enum store_mode mode)
{
    struct store_setup setup = shelf_small();
    struct problem p = {0};
    struct store *s = NULL;

    if (store_open_with(shelf->store, mode, &setup, &s, &p))
        fail_msg("%s", p.text);
    return s;
}
