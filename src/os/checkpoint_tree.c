#include "os/checkpoint_tree.h"

#include "os/file.h"
#include "os/sys.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROOM_LEAST = 1024,
    HELD_NAMES_MAX = STORE_CHUNK_MAX / STORE_NAME_BYTES, /* in one chunk of names of lists */
};

_Static_assert((int)IMAGE_PAGE_BYTES == (int)TREE_PAGE_BYTES, "one size of pages");

struct known {      /* a page of the arena */
    uint32_t stamp; /* of the last capture that it was in */
    bool named;
    struct store_name name; /* if named: of what it has held since */
};

struct checkpoint_tree {
    int arena;
    atomic_bool given_up;
    uint32_t stamp; /* of the last capture */
    struct known *page;
    uint32_t room;
    struct arena memory; /* of what was loaded */
};

struct checkpoint_tree *checkpoint_tree_new(int arena)
{
    struct checkpoint_tree *k = calloc(1, sizeof *k);

    if (k)
        k->arena = arena;
    return k;
}

void checkpoint_tree_free(struct checkpoint_tree *k)
{
    if (!k)
        return;
    arena_release(&k->memory);
    free(k->page);
    free(k);
}

void checkpoint_tree_give_up(struct checkpoint_tree *k)
{
    atomic_store(&k->given_up, true);
}

static bool is_zero(const uint8_t *name)
{
    static const uint8_t zero[STORE_NAME_BYTES];

    return memcmp(name, zero, sizeof zero) == 0;
}

/* ---- Capturing ---- */

static bool make_room(struct checkpoint_tree *k, uint32_t pages)
{
    uint32_t room = k->room ? k->room : ROOM_LEAST;
    struct known *more;

    if (pages <= k->room)
        return true;
    while (room < pages)
        room = room > UINT32_MAX / 2 ? UINT32_MAX : room * 2;
    more = realloc(k->page, room * sizeof *more);
    if (!more)
        return false;
    memset(more + k->room, 0, (room - k->room) * sizeof *more);
    k->page = more;
    k->room = room;
    return true;
}

/* The arena has at most twice as many pages as are in use, and some that are being changed. */
static bool run_fits(const struct state_run *r)
{
    return (uint64_t)r->arena + r->count <= 2 * (uint64_t)TREE_PAGES_MAX + ROOM_LEAST;
}

static enum tern_err capture_run(struct checkpoint_tree *k, const struct state_run *r)
{
    if (!run_fits(r))
        return TERN_EPROTO;
    if (!make_room(k, r->arena + r->count))
        return TERN_ENOMEM;
    for (uint32_t i = 0; i < r->count; i++) {
        struct known *page = &k->page[r->arena + i];

        if (page->stamp + 1 != k->stamp)
            page->named = false;
        page->stamp = k->stamp;
    }
    return TERN_OK;
}

enum tern_err checkpoint_tree_capture(struct checkpoint_tree *k, const struct state_tree *t)
{
    enum tern_err err = TERN_OK;

    k->stamp++;
    for (uint32_t i = 0; i < t->node_count; i++) {
        const struct state_node *n = &t->nodes[i];

        for (uint32_t j = 0; j < n->run_count && !err; j++)
            err = capture_run(k, &n->runs[j]);
    }
    return err;
}

/* ---- Putting ---- */

struct putting {
    struct checkpoint_tree *k;
    struct store *store;
    struct checkpoint_tree_names *out;
    struct problem *p;
    struct bytes lists;            /* names of lists, for `held` */
    uint8_t few[IMAGE_LIST_BYTES]; /* a list of pages that are named in the root */
    size_t few_count;
};

static enum tern_err no_memory(const struct putting *t)
{
    return problem_set(t->p, TERN_ENOMEM, "out of memory");
}

static enum tern_err name_page(const struct putting *t, uint32_t arena, uint8_t *to)
{
    struct known *page = &t->k->page[arena];
    uint8_t bytes[TREE_PAGE_BYTES];
    enum tern_err err;

    if (!page->named) {
        if (atomic_load(&t->k->given_up))
            return problem_set(t->p, TERN_EBUSY, "nobody wants it any more");
        if (sys_pread(t->k->arena, bytes, sizeof bytes, (off_t)arena * TREE_PAGE_BYTES) !=
            TREE_PAGE_BYTES)
            return problem_set(t->p, TERN_EIO, "the program's files cannot be read");
        err = store_put(t->store, view_of(bytes, sizeof bytes), &page->name, t->p);
        if (err)
            return err;
        page->named = true;
    }
    memcpy(to, page->name.bytes, STORE_NAME_BYTES);
    t->out->bytes += TREE_PAGE_BYTES;
    return TERN_OK;
}

/* Names of the pages of n from `first` on; *any: there are some that are no holes. */
static enum tern_err name_pages(const struct putting *t, const struct state_node *n, uint64_t first,
                                uint32_t count, uint32_t *run, uint8_t *to, bool *any)
{
    enum tern_err err = TERN_OK;

    memset(to, 0, (size_t)count * STORE_NAME_BYTES);
    *any = false;
    for (; *run < n->run_count && !err; ++*run) {
        const struct state_run *r = &n->runs[*run];
        const uint64_t end = (uint64_t)r->page + r->count;

        if (r->page >= first + count)
            return TERN_OK;
        for (uint64_t page = r->page > first ? r->page : first;
             page < end && page < first + count && !err; page++)
            err = name_page(t, r->arena + (uint32_t)(page - r->page),
                            to + (page - first) * STORE_NAME_BYTES);
        *any = true;
        if (end > first + count)
            return err; /* the rest is the next list's */
    }
    return err;
}

static enum tern_err put_list(struct putting *t, const uint8_t list[IMAGE_LIST_BYTES],
                              struct store_name *name)
{
    enum tern_err err = store_put(t->store, view_of(list, IMAGE_LIST_BYTES), name, t->p);

    if (!err)
        bytes_append(&t->lists, name->bytes, STORE_NAME_BYTES);
    return !err && !bytes_ok(&t->lists) ? no_memory(t) : err;
}

/* ---- Files that are named in the root: many share a list, so that the store holds on to them ----
 */

static enum tern_err put_few(struct putting *t)
{
    struct store_name name;
    enum tern_err err;

    if (t->few_count == 0)
        return TERN_OK;
    memset(t->few + t->few_count * STORE_NAME_BYTES, 0,
           sizeof t->few - t->few_count * STORE_NAME_BYTES);
    err = put_list(t, t->few, &name);
    t->few_count = 0;
    return err;
}

static enum tern_err hold_few(struct putting *t, const struct image_file *f)
{
    enum tern_err err = TERN_OK;

    for (uint32_t i = 0; i < f->page_count && !err; i++) {
        const uint8_t *name = f->pages + (size_t)i * STORE_NAME_BYTES;

        if (is_zero(name))
            continue;
        memcpy(t->few + t->few_count++ * STORE_NAME_BYTES, name, STORE_NAME_BYTES);
        if (t->few_count == IMAGE_LIST_PAGES)
            err = put_few(t);
    }
    return err;
}

static enum tern_err put_small(struct putting *t, const struct state_node *n, uint32_t pages,
                               struct image_file *f)
{
    uint8_t *names = arena_new(&t->out->memory, pages, STORE_NAME_BYTES);
    uint32_t run = 0;
    enum tern_err err;
    bool any;

    if (!names)
        return no_memory(t);
    err = name_pages(t, n, 0, pages, &run, names, &any);
    *f = (struct image_file){.pages = names, .page_count = pages};
    return err ? err : hold_few(t, f);
}

/* ---- Larger ones ---- */

/* How many lists have anything in them, at most. */
static uint64_t lists_of(const struct state_node *n)
{
    uint64_t count = 0, next = 0;

    for (uint32_t i = 0; i < n->run_count; i++) {
        const uint64_t from = n->runs[i].page / IMAGE_LIST_PAGES;
        const uint64_t to = ((uint64_t)n->runs[i].page + n->runs[i].count - 1) / IMAGE_LIST_PAGES;

        count += to + 1 - (from > next ? from : next < to + 1 ? next : to + 1);
        next = to + 1;
    }
    return count;
}

static enum tern_err add_list(struct putting *t, uint32_t index,
                              const uint8_t list[IMAGE_LIST_BYTES], struct image_list *to)
{
    struct store_name *name = arena_new(&t->out->memory, 1, sizeof *name);

    if (!name)
        return no_memory(t);
    *to = (struct image_list){.index = index, .name = name->bytes};
    return put_list(t, list, name);
}

static enum tern_err put_large(struct putting *t, const struct state_node *n, struct image_file *f)
{
    static uint8_t list[IMAGE_LIST_BYTES];
    struct image_list *lists = arena_new(&t->out->memory, lists_of(n), sizeof *lists);
    enum tern_err err = TERN_OK;
    uint32_t run = 0;
    bool any;

    f->lists = lists;
    if (!lists)
        return no_memory(t);
    for (uint64_t index = 0; run < n->run_count && !err; index++) {
        const uint64_t next = n->runs[run].page / IMAGE_LIST_PAGES;

        if (next > index)
            index = next; /* nothing but holes up to there */
        err = name_pages(t, n, index * IMAGE_LIST_PAGES, IMAGE_LIST_PAGES, &run, list, &any);
        if (!err && any)
            err = add_list(t, (uint32_t)index, list, &lists[f->list_count++]);
    }
    return err;
}

static enum tern_err put_file(struct putting *t, const struct state_node *n, struct image_file *f)
{
    const uint64_t pages = state_tree_pages(n->size);

    if (n->kind != STATE_NODE_FILE)
        return TERN_OK;
    if (pages <= IMAGE_FILE_DIRECT_PAGES)
        return put_small(t, n, (uint32_t)pages, f);
    return put_large(t, n, f);
}

static enum tern_err put_held(struct putting *t)
{
    enum tern_err err = TERN_OK;

    for (size_t at = 0; at < t->lists.size && !err; at += STORE_CHUNK_MAX) {
        const size_t rest = t->lists.size - at;
        struct store_name name;

        err = store_put(
            t->store, view_of(t->lists.data + at, rest < STORE_CHUNK_MAX ? rest : STORE_CHUNK_MAX),
            &name, t->p);
        bytes_append(&t->out->held, name.bytes, sizeof name.bytes);
    }
    return !err && !bytes_ok(&t->out->held) ? no_memory(t) : err;
}

static enum tern_err put_all(struct putting *t, const struct state_tree *tree)
{
    enum tern_err err = TERN_OK;

    t->out->files = arena_new(&t->out->memory, tree->node_count, sizeof *t->out->files);
    if (!t->out->files)
        return no_memory(t);
    for (uint32_t i = 0; i < tree->node_count && !err; i++)
        err = put_file(t, &tree->nodes[i], &t->out->files[i]);
    if (!err)
        err = put_few(t);
    return err ? err : put_held(t);
}

enum tern_err checkpoint_tree_put(struct checkpoint_tree *k, struct store *s,
                                  const struct state_tree *tree, struct checkpoint_tree_names *out,
                                  struct problem *p)
{
    struct putting *t = calloc(1, sizeof *t);
    enum tern_err err;

    *out = (struct checkpoint_tree_names){.files = NULL};
    if (!t)
        return problem_set(p, TERN_ENOMEM, "out of memory");
    t->k = k;
    t->store = s;
    t->out = out;
    t->p = p;
    err = put_all(t, tree);
    bytes_release(&t->lists);
    free(t);
    return err;
}

void checkpoint_tree_names_release(struct checkpoint_tree_names *n)
{
    arena_release(&n->memory);
    bytes_release(&n->held);
}

/* ---- Loading ---- */

struct loading {
    struct checkpoint_tree *k;
    struct store *store;
    uint32_t next_page; /* of the arena */
    uint32_t pages_max;
    struct bytes runs; /* of the current file */
    uint64_t size;     /* likewise */
};

static enum tern_err load_page(struct loading *l, const uint8_t *name, uint64_t page)
{
    const uint64_t rest = l->size - page * TREE_PAGE_BYTES;
    struct bytes plain = {.limit = STORE_CHUNK_MAX};
    struct store_name wanted;
    enum tern_err err;

    memcpy(wanted.bytes, name, sizeof wanted.bytes);
    err = store_get(l->store, &wanted, &plain);
    if (!err && plain.size != TREE_PAGE_BYTES)
        err = TERN_ECORRUPT;
    for (uint64_t i = rest; !err && i < TREE_PAGE_BYTES; i++)
        err = plain.data[i] ? TERN_ECORRUPT : TERN_OK;
    if (!err && sys_pwrite(l->k->arena, plain.data, plain.size,
                           (off_t)l->next_page * TREE_PAGE_BYTES) != TREE_PAGE_BYTES)
        err = TERN_EIO;
    bytes_release(&plain);
    if (!err && !make_room(l->k, l->next_page + 1))
        err = TERN_ENOMEM;
    if (!err)
        l->k->page[l->next_page] =
            (struct known){.stamp = l->k->stamp, .named = true, .name = wanted};
    return err;
}

static void add_run(struct loading *l, uint32_t page)
{
    struct state_run *last = NULL;
    const struct state_run fresh = {page, 1, l->next_page};

    if (l->runs.size)
        last = (struct state_run *)(void *)(l->runs.data + l->runs.size - sizeof *last);
    if (last && last->page + last->count == page && last->arena + last->count == l->next_page)
        last->count++;
    else
        bytes_append(&l->runs, &fresh, sizeof fresh);
}

static enum tern_err load_names(struct loading *l, const uint8_t *names, uint64_t first,
                                uint32_t count)
{
    enum tern_err err = TERN_OK;

    for (uint32_t i = 0; i < count && !err; i++) {
        const uint8_t *name = names + (size_t)i * STORE_NAME_BYTES;

        if (is_zero(name))
            continue;
        if ((first + i) * TREE_PAGE_BYTES >= l->size)
            return TERN_ECORRUPT;
        if (l->next_page > l->pages_max)
            return TERN_ETOOBIG;
        err = load_page(l, name, first + i);
        add_run(l, (uint32_t)(first + i));
        l->next_page++;
    }
    return err;
}

static enum tern_err load_list(struct loading *l, const struct image_list *from)
{
    struct bytes list = {.limit = STORE_CHUNK_MAX};
    struct store_name name;
    enum tern_err err;

    memcpy(name.bytes, from->name, sizeof name.bytes);
    err = store_get(l->store, &name, &list);
    if (!err && list.size != IMAGE_LIST_BYTES)
        err = TERN_ECORRUPT;
    if (!err)
        err = load_names(l, list.data, (uint64_t)from->index * IMAGE_LIST_PAGES, IMAGE_LIST_PAGES);
    bytes_release(&list);
    return err;
}

static enum tern_err load_file(struct loading *l, const struct image_file *f, struct state_node *n)
{
    enum tern_err err;

    bytes_clear(&l->runs);
    l->size = n->size;
    err = load_names(l, f->pages, 0, f->page_count);
    for (uint32_t i = 0; i < f->list_count && !err; i++)
        err = load_list(l, &f->lists[i]);
    if (err)
        return err;
    n->run_count = (uint32_t)(l->runs.size / sizeof *n->runs);
    n->runs = arena_new(&l->k->memory, n->run_count, sizeof *n->runs);
    if (!n->runs || !bytes_ok(&l->runs))
        return TERN_ENOMEM;
    if (l->runs.size)
        memcpy(n->runs, l->runs.data, l->runs.size);
    return TERN_OK;
}

enum tern_err checkpoint_tree_load(struct checkpoint_tree *k, struct store *s,
                                   const struct image *image)
{
    struct loading l = {
        .k = k,
        .store = s,
        .next_page = 1,
        .pages_max = (uint32_t)(image->limits_files_bytes / TREE_PAGE_BYTES),
    };
    enum tern_err err = TERN_OK;

    k->stamp++;
    for (uint32_t i = 0; i < image->state.tree->node_count && !err; i++)
        err = load_file(&l, &image->files[i], &image->state.tree->nodes[i]);
    bytes_release(&l.runs);
    return err;
}
