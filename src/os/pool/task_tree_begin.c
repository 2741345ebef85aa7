#include "os/pool/task_tree.h"

#include "os/file.h"
#include "os/pool/stored_blob.h"
#include "os/sys.h"

#include <string.h>

/* Entries of a folder, while it grows. */
struct folder {
    struct bytes entries; /* struct state_entry each */
};

struct growing {
    struct store *store;
    int arena;
    uint32_t pages_max, next_page;
    const Tern__Input *input; /* that is being taken */
    struct bytes nodes;       /* struct state_node each; entries are set at the end */
    struct bytes folders;     /* struct folder each, by the same index */
    struct arena memory;
    struct problem *p;
};

bool task_tree_is_stream(const Tern__Input *input)
{
    return !input->path || !*input->path;
}

bool task_tree_wanted(const struct engine_order *o)
{
    bool wanted = o->program->files_bytes > 0 || o->task->n_outputs > 0;

    for (size_t i = 0; i < o->task->n_inputs; i++)
        wanted |= !task_tree_is_stream(o->task->inputs[i]);
    return wanted;
}

static enum tern_err refuse(struct growing *g, enum tern_err err, const char *why)
{
    struct bytes shown = {0};

    bytes_append_shown(&shown, view_of_string(g->input->path));
    problem_set(g->p, err, "the input %s: %s", bytes_text(&shown) ? bytes_text(&shown) : "?", why);
    bytes_release(&shown);
    return err;
}

/* ---- Inodes ---- */

static uint32_t count_of(const struct growing *g)
{
    return (uint32_t)(g->nodes.size / sizeof(struct state_node));
}

static struct state_node *node_at(const struct growing *g, uint32_t index)
{
    return (struct state_node *)(void *)g->nodes.data + index;
}

static struct folder *folder_at(const struct growing *g, uint32_t index)
{
    return (struct folder *)(void *)g->folders.data + index;
}

/* UINT32_MAX: no memory. */
static uint32_t add_node(struct growing *g, uint8_t kind)
{
    const uint32_t index = count_of(g);
    const struct folder none = {.entries = {0}};
    const struct state_node n = {
        .number = TREE_ROOT + (uint64_t)index,
        .kind = kind,
        .links = kind == STATE_NODE_DIRECTORY ? 2 : 1,
        .next_cookie = kind == STATE_NODE_DIRECTORY ? TREE_COOKIE_FIRST : 0,
    };

    bytes_append(&g->nodes, &n, sizeof n);
    bytes_append(&g->folders, &none, sizeof none);
    return bytes_ok(&g->nodes) && bytes_ok(&g->folders) ? index : UINT32_MAX;
}

static bool add_entry(const struct growing *g, uint32_t folder, uint32_t child, struct view name)
{
    struct state_node *n = node_at(g, folder);
    const struct state_entry e = {
        .cookie = n->next_cookie++, .inode = node_at(g, child)->number, .name = name};
    struct bytes *entries = &folder_at(g, folder)->entries;

    n->links += node_at(g, child)->kind == STATE_NODE_DIRECTORY;
    bytes_append(entries, &e, sizeof e);
    return bytes_ok(entries);
}

/* UINT32_MAX: there is none. */
static uint32_t find_child(const struct growing *g, uint32_t folder, struct view name)
{
    const struct bytes *entries = &folder_at(g, folder)->entries;
    const struct state_entry *e = (const void *)entries->data;

    for (size_t i = 0; i < entries->size / sizeof *e; i++) {
        if (view_equal(e[i].name, name))
            return (uint32_t)(e[i].inode - TREE_ROOT);
    }
    return UINT32_MAX;
}

/* ---- Paths ---- */

static enum tern_err check_name(struct growing *g, struct view name)
{
    if (name.size == 0)
        return refuse(g, TERN_EINVALID, "its path should lead to a file, with a name");
    if (name.size > TREE_NAME_BYTES_MAX)
        return refuse(g, TERN_EINVALID, "a name in its path is longer than 255 bytes");
    if (view_equal(name, view_of_string(".")) || view_equal(name, view_of_string("..")))
        return refuse(g, TERN_EINVALID, "its path should have no '.' or '..' in it");
    return TERN_OK;
}

/* The folder of that name, which is made if there is none. */
static enum tern_err go_into(struct growing *g, uint32_t *folder, struct view name)
{
    uint32_t child = find_child(g, *folder, name);

    if (child == UINT32_MAX) {
        child = add_node(g, STATE_NODE_DIRECTORY);
        if (child == UINT32_MAX || !add_entry(g, *folder, child, name))
            return refuse(g, TERN_ENOMEM, "out of memory");
    }
    if (node_at(g, child)->kind != STATE_NODE_DIRECTORY)
        return refuse(g, TERN_EINVALID, "another input is a file where its path has a folder");
    *folder = child;
    return TERN_OK;
}

static enum tern_err add_file(struct growing *g, uint32_t folder, struct view name, uint32_t *file)
{
    if (find_child(g, folder, name) != UINT32_MAX)
        return refuse(g, TERN_EINVALID, "another input has the same path, or leads through it");
    *file = add_node(g, STATE_NODE_FILE);
    if (*file == UINT32_MAX || !add_entry(g, folder, *file, name))
        return refuse(g, TERN_ENOMEM, "out of memory");
    return TERN_OK;
}

static enum tern_err make_place(struct growing *g, uint32_t *file)
{
    const char *at = g->input->path + strspn(g->input->path, "/");
    uint32_t folder = 0;

    for (;;) {
        const struct view name = view_of(at, strcspn(at, "/"));
        enum tern_err err = check_name(g, name);

        if (err)
            return err;
        if (at[name.size] == 0)
            return add_file(g, folder, name, file);
        err = go_into(g, &folder, name);
        if (err)
            return err;
        at += name.size + strspn(at + name.size, "/");
    }
}

/* ---- Contents ---- */

struct pouring {
    struct growing *growing;
    uint64_t at; /* bytes of the file so far */
};

static enum tern_err pour(void *context, struct view bytes)
{
    struct pouring *po = context;
    const struct growing *g = po->growing;

    while (bytes.size > 0) {
        const uint64_t to = (uint64_t)g->next_page * TREE_PAGE_BYTES + po->at;
        const ssize_t done = sys_pwrite(g->arena, bytes.data, bytes.size, (off_t)to);

        if (done <= 0)
            return done ? file_error(done) : TERN_EIO;
        bytes = view_of(bytes.data + done, bytes.size - (size_t)done);
        po->at += (uint64_t)done;
    }
    return TERN_OK;
}

static uint64_t size_of(const Tern__Content *c)
{
    return c->blob ? c->blob->size : c->here.len;
}

static enum tern_err fill(struct growing *g, const Tern__Content *c)
{
    struct pouring po = {.growing = g};
    enum tern_err err = c->blob ? stored_blob_read(g->store, c->blob, pour, &po)
                                : pour(&po, view_of(c->here.data, c->here.len));

    if (err == TERN_ENOENT)
        return refuse(g, err, "its contents are not on this machine");
    if (err == TERN_ECORRUPT)
        return refuse(g, err, "its contents are damaged on this machine");
    return err ? refuse(g, err,
                        "it cannot be written: the disk for temporary files (TMPDIR) is "
                        "full, or fails")
               : TERN_OK;
}

static enum tern_err take_contents(struct growing *g, uint32_t file)
{
    const Tern__Content *c = g->input->content;
    const uint64_t pages = state_tree_pages(size_of(c));
    struct state_node *n = node_at(g, file);
    enum tern_err err;

    if (pages > g->pages_max - (g->next_page - 1))
        return refuse(g, TERN_ETOOBIG,
                      "with it there is more than the program's files may take; allow more");
    err = pages ? fill(g, c) : TERN_OK;
    if (err || !pages)
        return err;
    n->size = size_of(c);
    n->runs = arena_new(&g->memory, 1, sizeof *n->runs);
    if (!n->runs)
        return refuse(g, TERN_ENOMEM, "out of memory");
    n->run_count = 1;
    n->runs[0] = (struct state_run){.count = (uint32_t)pages, .arena = g->next_page};
    g->next_page += (uint32_t)pages;
    return TERN_OK;
}

static enum tern_err take_input(struct growing *g, const Tern__Input *input)
{
    enum tern_err err;
    uint32_t file = 0;

    g->input = input;
    if (!input->content)
        return refuse(g, TERN_ENOENT, "the task that is to make it has not");
    err = make_place(g, &file);
    return err ? err : take_contents(g, file);
}

/* ---- All together ---- */

static enum tern_err encode(struct growing *g, struct bytes *out)
{
    const struct state_tree tree = {.next_number = TREE_ROOT + (uint64_t)count_of(g),
                                    .nodes = node_at(g, 0),
                                    .node_count = count_of(g)};

    for (uint32_t i = 0; i < tree.node_count; i++) {
        const struct bytes *entries = &folder_at(g, i)->entries;

        tree.nodes[i].entries = (void *)entries->data;
        tree.nodes[i].entry_count = (uint32_t)(entries->size / sizeof(struct state_entry));
    }
    return state_tree_encode(&tree, out);
}

static void release(struct growing *g)
{
    for (uint32_t i = 0; i < g->folders.size / sizeof(struct folder); i++)
        bytes_release(&folder_at(g, i)->entries);
    bytes_release(&g->folders);
    bytes_release(&g->nodes);
    arena_release(&g->memory);
}

enum tern_err task_tree_begin(const Tern__Task *task, struct store *s, int arena,
                              uint32_t pages_max, struct bytes *tree, struct problem *p)
{
    struct growing g = {.store = s, .arena = arena, .pages_max = pages_max, .next_page = 1, .p = p};
    enum tern_err err = add_node(&g, STATE_NODE_DIRECTORY) == 0 ? TERN_OK : TERN_ENOMEM;

    for (size_t i = 0; i < task->n_inputs && !err; i++) {
        if (!task_tree_is_stream(task->inputs[i]))
            err = take_input(&g, task->inputs[i]);
    }
    if (!err && sys_ftruncate(arena, (off_t)g.next_page * TREE_PAGE_BYTES) < 0)
        err = problem_set(p, TERN_EIO, "the disk for temporary files (TMPDIR) is full");
    if (!err) {
        err = encode(&g, tree);
        if (err)
            problem_set(p, err, "the inputs: %s", tern_err_text(err));
    }
    release(&g);
    return err;
}
