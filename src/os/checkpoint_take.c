#include "os/checkpoint_take.h"

#include "base/check.h"
#include "image/image.h"
#include "os/sys.h"
#include "store/checkpoint_root.h"
#include "store/chunk.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STATE_BYTES_MAX = 1 << 30, PAGES_PER_WASM_PAGE = 65536 / IMAGE_PAGE_BYTES };

struct take {
    struct take_order order;
    struct pages *pages;
    /* Of the checkpoint that is being taken: */
    struct arena arena;
    struct bytes state_bytes;
    struct image image;
    struct bytes names[ROOT_PARTS];
    struct checkpoint_tree_names files;
};

enum tern_err take_new(const struct take_order *o, struct take **out, struct problem *p)
{
    struct take *t = calloc(1, sizeof *t);
    enum tern_err err = TERN_ENOMEM;

    if (t)
        err = pages_new(o->memory, (size_t)o->limits_memory_pages * PAGES_PER_WASM_PAGE, &t->pages);
    if (err) {
        free(t);
        return problem_set(p, err, "there is no memory for the names of the program's pages");
    }
    t->order = *o;
    *out = t;
    return TERN_OK;
}

static void clear(struct take *t)
{
    for (int i = 0; i < ROOT_PARTS; i++)
        bytes_release(&t->names[i]);
    checkpoint_tree_names_release(&t->files);
    bytes_release(&t->state_bytes);
    arena_release(&t->arena);
    t->arena = (struct arena){0};
    t->image = (struct image){.module_bytes = 0};
}

void take_free(struct take *t)
{
    if (!t)
        return;
    clear(t);
    pages_free(t->pages);
    free(t);
}

struct pages *take_pages(struct take *t)
{
    return t->pages;
}

void take_give_up(struct take *t)
{
    pages_give_up(t->pages);
    if (t->order.tree)
        checkpoint_tree_give_up(t->order.tree);
}

enum tern_err take_ahead(struct take *t, struct problem *p)
{
    return pages_ahead(t->pages, t->order.store, p);
}

/* ---- While it is stopped ---- */

static enum tern_err read_state(struct take *t, struct problem *p)
{
    struct stat st;
    enum tern_err err = TERN_EIO;
    uint8_t *room;

    if (sys_fstat(t->order.state, &st) >= 0 && st.st_size > 0 && st.st_size <= STATE_BYTES_MAX) {
        room = bytes_reserve(&t->state_bytes, (size_t)st.st_size);
        if (room && sys_pread(t->order.state, room, (size_t)st.st_size, 0) == st.st_size) {
            t->state_bytes.size = (size_t)st.st_size;
            err = state_decode(&t->image.state, bytes_view(&t->state_bytes), &t->arena);
        }
    }
    if (!err && (t->image.state.instance_count != 1 ||
                 t->image.state.instances[0].memory_pages > t->order.limits_memory_pages))
        err = TERN_EPROTO;
    if (!err && (t->image.state.tree != NULL) != (t->order.tree != NULL))
        err = TERN_EPROTO;
    return err ? problem_set(p, err, "the runner's state cannot be read: %s", tern_err_text(err))
               : TERN_OK;
}

enum tern_err take_stopped(struct take *t, bool *still, struct problem *p)
{
    enum tern_err err;

    clear(t);
    err = read_state(t, p);
    if (err)
        return err;
    if (t->order.tree)
        err = checkpoint_tree_capture(t->order.tree, t->image.state.tree);
    if (err)
        return problem_set(p, err, "the program's files: %s", tern_err_text(err));
    check(t->image.state.instances);
    if (t->order.sync)
        checkpoint_sync_note(t->order.sync, &t->image.state);
    pages_copy(t->pages, (size_t)t->image.state.instances[0].memory_pages * PAGES_PER_WASM_PAGE,
               still);
    return TERN_OK;
}

/* ---- Afterwards ---- */

static enum tern_err put_run(struct take *t, enum root_part part, struct view bytes,
                             struct problem *p)
{
    enum tern_err err = TERN_OK;
    struct store_name name;

    for (size_t at = 0; at < bytes.size && !err; at += STORE_CHUNK_MAX) {
        size_t size = bytes.size - at < STORE_CHUNK_MAX ? bytes.size - at : STORE_CHUNK_MAX;

        err = store_put(t->order.store, view_of(bytes.data + at, size), &name, p);
        bytes_append(&t->names[part], name.bytes, sizeof name.bytes);
    }
    return err;
}

static enum tern_err put_files(struct take *t, struct problem *p)
{
    const struct take_order *o = &t->order;
    enum tern_err err;

    if (!o->tree)
        return TERN_OK;
    err = checkpoint_tree_put(o->tree, o->store, t->image.state.tree, &t->files, p);
    bytes_append(&t->names[ROOT_FILES], t->files.held.data, t->files.held.size);
    return err;
}

/* Where pages lie in this process is nobody else's business. */
static void forget_runs(struct state_tree *tree)
{
    for (uint32_t i = 0; tree && i < tree->node_count; i++)
        tree->nodes[i].run_count = 0;
}

static enum tern_err put_image(struct take *t, struct problem *p)
{
    const struct take_order *o = &t->order;
    struct bytes encoded = {.limit = IMAGE_ROOT_BYTES_MAX};
    enum tern_err err;

    memcpy(t->image.module_sha256, o->module_sha256, IMAGE_HASH_BYTES);
    t->image.module_bytes = o->module.size;
    t->image.lists = t->names[ROOT_LISTS].data;
    t->image.list_count = (uint32_t)(t->names[ROOT_LISTS].size / STORE_NAME_BYTES);
    t->image.limits_memory_pages = o->limits_memory_pages;
    t->image.limits_stack_cells = o->limits_stack_cells;
    t->image.deterministic = o->deterministic;
    t->image.limits_files_bytes = o->limits_files_bytes;
    t->image.files = t->files.files;
    forget_runs(t->image.state.tree);
    err = image_encode(&t->image, &encoded);
    if (err)
        problem_set(p, err, "the image cannot be written: %s", tern_err_text(err));
    else
        err = put_run(t, ROOT_IMAGE, bytes_view(&encoded), p);
    bytes_release(&encoded);
    return err;
}

static enum tern_err put_root(struct take *t, struct store_name *name, struct problem *p)
{
    struct bytes encoded = {0};
    struct root root = {.has_files = t->order.tree != NULL};
    enum tern_err err = TERN_OK;

    for (int i = 0; i < ROOT_PARTS; i++) {
        root.count[i] = (uint32_t)(t->names[i].size / STORE_NAME_BYTES);
        root.names[i] = t->names[i].data;
        if (!bytes_ok(&t->names[i]))
            err = TERN_ENOMEM;
    }
    if (!err)
        err = root_encode(&root, &encoded);
    if (err)
        problem_set(p, err, "the checkpoint has too many parts");
    else
        err = store_put(t->order.store, bytes_view(&encoded), name, p);
    bytes_release(&encoded);
    return err;
}

static int64_t wall_ns(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static enum tern_err store_all(struct take *t, struct take_done *done, struct problem *p)
{
    const struct take_order *o = &t->order;
    struct store_commit commit = {.keep = o->keep, .children = chunk_children};
    enum tern_err err = pages_put(t->pages, o->store, p);
    struct view lists = pages_lists(t->pages);

    bytes_append(&t->names[ROOT_LISTS], lists.data, lists.size);
    if (!err)
        err = put_run(t, ROOT_SETTINGS, o->settings, p);
    if (!err)
        err = put_run(t, ROOT_MODULE, o->module, p);
    if (!err)
        err = put_files(t, p);
    if (!err)
        err = put_image(t, p);
    if (!err)
        err = put_root(t, &commit.list, p);
    if (!err && o->sync)
        err = checkpoint_sync(o->sync, p);
    if (err)
        return err;
    commit.time_ns = wall_ns();
    done->frames = t->image.state.frame_count;
    done->input_bytes = t->image.state.input_bytes;
    done->cpu_ns = t->image.state.cpu_ns;
    done->pages = pages_count(t->pages);
    done->files_bytes = t->files.bytes;
    return store_commit(o->store, &commit, &done->root, p);
}

enum tern_err take_store(struct take *t, struct take_done *out, struct problem *p)
{
    enum tern_err err = store_all(t, out, p);

    if (err)
        pages_forget(t->pages);
    clear(t);
    return err;
}
