#include "cli/image_files.h"

#include <stdlib.h>
#include <string.h>

const char *image_files_kind(uint8_t kind)
{
    switch (kind) {
    case STATE_NODE_FILE: return "file";
    case STATE_NODE_DIRECTORY: return "directory";
    case STATE_NODE_LINK: return "link";
    default: return "?";
    }
}

/* ---- Paths ---- */

struct listing {
    const struct state_tree *t;
    struct arena *arena;
    struct bytes stack; /* struct image_path each: still to be told, the next one last */
    struct bytes list;
    bool failed;
};

static int compare_entries(const void *a, const void *b)
{
    const struct view x = ((const struct state_entry *)a)->name;
    const struct view y = ((const struct state_entry *)b)->name;
    const int order = memcmp(x.data, y.data, x.size < y.size ? x.size : y.size);

    return order ? order : (x.size > y.size) - (x.size < y.size);
}

/* "..." stands for what is cut. */
static struct view join(struct listing *l, struct view folder, struct view name)
{
    const size_t size = folder.size + 1 + name.size;
    uint8_t *path = arena_new(l->arena, size, 1);

    if (!path) {
        l->failed = true;
        return view_of(NULL, 0);
    }
    if (folder.size)
        memcpy(path, folder.data, folder.size);
    path[folder.size] = '/';
    memcpy(path + folder.size + 1, name.data, name.size);
    if (size <= IMAGE_FILES_PATH_MAX)
        return view_of(path, size);
    memset(path + (size - IMAGE_FILES_PATH_MAX), '.', 3);
    return view_of(path + (size - IMAGE_FILES_PATH_MAX), IMAGE_FILES_PATH_MAX);
}

/* The last one first, since the stack's end is told next. */
static void push_entries(struct listing *l, const struct image_path *folder)
{
    const uint32_t count = folder->node->entry_count;
    struct state_entry *sorted = calloc((size_t)count + 1, sizeof *sorted);

    if (!sorted) {
        l->failed = true;
        return;
    }
    if (count)
        memcpy(sorted, folder->node->entries, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_entries);
    for (uint32_t i = count; i-- > 0;) {
        const struct state_node *n = state_tree_find(l->t, sorted[i].inode);
        const struct image_path path = {join(l, folder->path, sorted[i].name), n,
                                        (uint32_t)(n - l->t->nodes)};

        bytes_append(&l->stack, &path, sizeof path);
    }
    free(sorted);
}

static void walk(struct listing *l)
{
    struct image_path at = {.node = &l->t->nodes[0]};

    push_entries(l, &at);
    while (l->stack.size && !l->failed) {
        l->stack.size -= sizeof at;
        memcpy(&at, l->stack.data + l->stack.size, sizeof at);
        bytes_append(&l->list, &at, sizeof at);
        if (at.node->kind == STATE_NODE_DIRECTORY)
            push_entries(l, &at);
    }
    for (uint32_t i = 0; i < l->t->node_count; i++) {
        at = (struct image_path){.node = &l->t->nodes[i], .index = i};
        if (at.node->links == 0)
            bytes_append(&l->list, &at, sizeof at);
    }
}

bool image_files_list(const struct image *image, struct arena *arena, struct image_path **out,
                      size_t *count)
{
    struct listing l = {.t = image->state.tree, .arena = arena};
    bool fine;

    *out = NULL;
    *count = 0;
    if (!l.t)
        return true;
    walk(&l);
    fine = !l.failed && bytes_ok(&l.stack) && bytes_ok(&l.list);
    if (fine) {
        *out = arena_new(arena, l.list.size, 1);
        *count = l.list.size / sizeof **out;
        fine = *out;
    }
    if (fine && l.list.size)
        memcpy(*out, l.list.data, l.list.size);
    bytes_release(&l.stack);
    bytes_release(&l.list);
    return fine;
}

/* The directory that has it, and by what name; NULL: none. */
static const struct state_node *parent_of(const struct state_tree *t, uint64_t inode,
                                          struct view *name)
{
    for (uint32_t i = 0; i < t->node_count; i++) {
        for (uint32_t k = 0; k < t->nodes[i].entry_count; k++) {
            if (t->nodes[i].entries[k].inode == inode) {
                *name = t->nodes[i].entries[k].name;
                return &t->nodes[i];
            }
        }
    }
    return NULL;
}

void image_files_shown(struct bytes *out, const struct image *image, uint64_t inode)
{
    struct bytes path = {0}, longer = {0};

    while (inode != TREE_ROOT && path.size <= IMAGE_FILES_PATH_MAX) {
        struct view name;
        const struct state_node *n =
            image->state.tree ? parent_of(image->state.tree, inode, &name) : NULL;

        if (!n) {
            bytes_release(&path);
            bytes_append_text(out, "(removed)");
            return;
        }
        bytes_append_byte(&longer, '/');
        bytes_append(&longer, name.data, name.size);
        bytes_append(&longer, path.data, path.size);
        bytes_release(&path);
        path = longer;
        longer = (struct bytes){0};
        inode = n->number;
    }
    if (path.size == 0)
        bytes_append_byte(out, '/');
    bytes_append_shown(out, bytes_view(&path));
    bytes_release(&path);
}

/* ---- Pages ---- */

static bool is_used(struct view names, size_t i)
{
    static const uint8_t zero[IMAGE_HASH_BYTES];

    return (i + 1) * IMAGE_HASH_BYTES <= names.size &&
           memcmp(names.data + i * IMAGE_HASH_BYTES, zero, sizeof zero) != 0;
}

static void compare_stretch(struct view mine, struct view other, struct image_pages_counted *out)
{
    for (size_t i = 0; i < IMAGE_LIST_PAGES; i++) {
        const bool is = is_used(mine, i), was = is_used(other, i);
        const bool same = is && was &&
                          memcmp(mine.data + i * IMAGE_HASH_BYTES,
                                 other.data + i * IMAGE_HASH_BYTES, IMAGE_HASH_BYTES) == 0;

        out->pages += is;
        out->same += same;
        out->changed += (is || was) && !same;
    }
}

struct side {
    const struct image_look *look; /* NULL: nothing */
    uint32_t index, at;            /* at: the next of its lists */
};

static const struct image_file *file_of(const struct side *s)
{
    static const struct image_file nothing;

    return s->look ? &s->look->c.image.files[s->index] : &nothing;
}

/* Which stretch comes next; false: none. */
static bool next_stretch(const struct side *s, uint32_t *stretch)
{
    const struct image_file *f = file_of(s);

    if (s->at >= (f->list_count ? f->list_count : f->page_count > 0))
        return false;
    *stretch = f->list_count ? f->lists[s->at].index : 0;
    return true;
}

static enum tern_err get_stretch(const struct side *s, uint32_t stretch, struct bytes *out)
{
    if (!s->look)
        return TERN_OK;
    return checkpoint_file_pages(s->look->store, &s->look->c.image, s->index, stretch, out);
}

static enum tern_err count_stretch(const struct side side[2], uint32_t stretch,
                                   struct image_pages_counted *out)
{
    struct bytes names[2] = {{0}, {0}};
    enum tern_err err = get_stretch(&side[0], stretch, &names[0]);

    if (!err)
        err = get_stretch(&side[1], stretch, &names[1]);
    if (!err)
        compare_stretch(bytes_view(&names[0]), bytes_view(&names[1]), out);
    bytes_release(&names[0]);
    bytes_release(&names[1]);
    return err;
}

enum tern_err image_files_count(const struct image_look *l, uint32_t index,
                                const struct image_look *other, uint32_t other_index,
                                struct image_pages_counted *out)
{
    struct side side[2] = {{l, index, 0}, {other, other_index, 0}};
    enum tern_err err = TERN_OK;

    *out = (struct image_pages_counted){0};
    while (!err) {
        uint32_t next[2];
        const bool more[2] = {next_stretch(&side[0], &next[0]), next_stretch(&side[1], &next[1])};
        uint32_t stretch;

        if (!more[0] && !more[1])
            break;
        stretch = !more[1] || (more[0] && next[0] < next[1]) ? next[0] : next[1];
        err = count_stretch(side, stretch, out);
        for (int i = 0; i < 2; i++)
            side[i].at += more[i] && next[i] == stretch;
    }
    return err;
}
