#include "os/checkpoint.h"

#include "os/file.h"
#include "os/sys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum {
    WASM_PAGE_BITS = 16,
    STATE_BYTES_MAX = 1 << 30,
    RUN_BYTES_MAX = 1 << 30,
    MAGIC_BYTES = 8,
    ROOT_HEAD_BYTES = MAGIC_BYTES + 4 * 4,
    ROOT_BYTES_MAX = STORE_CHUNK_MAX,
};

enum part { PART_SETTINGS, PART_MODULE, PART_IMAGE, PART_LISTS, PARTS };

/* What hangs beneath a chunk depends on its kind. */
enum kind { KIND_ROOT, KIND_LIST, KIND_LEAF = STORE_LEAF };

static const uint8_t root_magic[MAGIC_BYTES] = {'T', 'E', 'R', 'N', 'C', 'H', 'K', '1'};
static const uint8_t zero_page[IMAGE_PAGE_BYTES];

_Static_assert((int)STORE_NAME_BYTES == (int)IMAGE_HASH_BYTES, "one kind of name");

static bool is_zero(const uint8_t *bytes, size_t size)
{
    return memcmp(bytes, zero_page, size) == 0;
}

static void put_u32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_u32(const uint8_t *from)
{
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

/* ---- The root chunk ---- */

struct root {
    uint32_t count[PARTS];
    const uint8_t *names; /* of all parts, one behind the other */
};

static bool root_decode(struct view plain, struct root *out)
{
    uint64_t names = 0;

    if (plain.size < ROOT_HEAD_BYTES || memcmp(plain.data, root_magic, MAGIC_BYTES) != 0)
        return false;
    for (int i = 0; i < PARTS; i++) {
        out->count[i] = get_u32(plain.data + MAGIC_BYTES + 4 * i);
        names += out->count[i];
    }
    out->names = plain.data + ROOT_HEAD_BYTES;
    return plain.size - ROOT_HEAD_BYTES == names * STORE_NAME_BYTES;
}

static const uint8_t *names_of(const struct root *r, enum part part)
{
    size_t before = 0;

    for (int i = 0; i < (int)part; i++)
        before += r->count[i];
    return r->names + before * STORE_NAME_BYTES;
}

/* ---- What hangs beneath what, for the store ---- */

typedef enum tern_err yield_name(void *to, unsigned kind, const struct store_name *name);

static enum tern_err yield_all(const uint8_t *names, size_t count, unsigned kind, yield_name *yield,
                               void *to)
{
    enum tern_err err = TERN_OK;
    struct store_name name;

    for (size_t i = 0; i < count && !err; i++) {
        memcpy(name.bytes, names + i * STORE_NAME_BYTES, STORE_NAME_BYTES);
        if (!is_zero(name.bytes, STORE_NAME_BYTES))
            err = yield(to, kind, &name);
    }
    return err;
}

enum tern_err checkpoint_children(void *context, unsigned kind, struct view plain,
                                  yield_name *yield, void *to)
{
    struct root r;
    enum tern_err err;
    size_t leaves;

    (void)context;
    if (kind == KIND_LEAF)
        return TERN_OK;
    if (kind == KIND_LIST)
        return plain.size % STORE_NAME_BYTES
                   ? TERN_ECORRUPT
                   : yield_all(plain.data, plain.size / STORE_NAME_BYTES, KIND_LEAF, yield, to);
    if (!root_decode(plain, &r))
        return TERN_ECORRUPT;
    leaves = (size_t)r.count[PART_SETTINGS] + r.count[PART_MODULE] + r.count[PART_IMAGE];
    err = yield_all(r.names, leaves, KIND_LEAF, yield, to);
    if (err)
        return err;
    return yield_all(names_of(&r, PART_LISTS), r.count[PART_LISTS], KIND_LIST, yield, to);
}

/* ---- Taking ---- */

struct taking {
    const struct checkpoint_order *order;
    struct arena arena;
    struct bytes state_bytes;
    struct image image;
    struct bytes names[PARTS];
    struct checkpoint_done *done;
    struct problem *p;
};

static enum tern_err put_run(struct taking *t, enum part part, struct view bytes)
{
    enum tern_err err = TERN_OK;
    struct store_name name;

    for (size_t at = 0; at < bytes.size && !err; at += STORE_CHUNK_MAX) {
        size_t size = bytes.size - at < STORE_CHUNK_MAX ? bytes.size - at : STORE_CHUNK_MAX;

        err = store_put(t->order->store, view_of(bytes.data + at, size), &name, t->p);
        bytes_append(&t->names[part], name.bytes, sizeof name.bytes);
    }
    return err;
}

/* A list of pages from `from` on; its name is all 0 if they are. */
static enum tern_err put_list(struct taking *t, const uint8_t *from, size_t pages)
{
    static uint8_t list[IMAGE_LIST_BYTES];
    struct store_name name = {{0}};
    enum tern_err err = TERN_OK;
    bool any = false;

    memset(list, 0, sizeof list);
    for (size_t i = 0; i < pages && !err; i++) {
        const uint8_t *page = from + i * IMAGE_PAGE_BYTES;

        if (is_zero(page, IMAGE_PAGE_BYTES))
            continue;
        err = store_put(t->order->store, view_of(page, IMAGE_PAGE_BYTES), &name, t->p);
        memcpy(list + i * STORE_NAME_BYTES, name.bytes, sizeof name.bytes);
        t->done->memory_bytes += IMAGE_PAGE_BYTES;
        any = true;
    }
    memset(&name, 0, sizeof name);
    if (!err && any)
        err = store_put(t->order->store, view_of(list, sizeof list), &name, t->p);
    bytes_append(&t->names[PART_LISTS], name.bytes, sizeof name.bytes);
    return err;
}

static enum tern_err put_memory(struct taking *t)
{
    const struct state_instance *instance = t->image.state.instances;
    const size_t size = instance ? (size_t)instance->memory_pages << WASM_PAGE_BITS : 0;
    const size_t step = (size_t)IMAGE_LIST_PAGES * IMAGE_PAGE_BYTES;
    const uint8_t *memory;
    enum tern_err err = TERN_OK;

    if (size == 0)
        return TERN_OK;
    memory = sys_map(t->order->memory, size, PROT_READ);
    if (!memory)
        return problem_set(t->p, TERN_ENOMEM, "cannot map the program's memory");
    for (size_t at = 0; at < size && !err; at += step) {
        size_t rest = size - at < step ? size - at : step;

        err = put_list(t, memory + at, rest / IMAGE_PAGE_BYTES);
    }
    sys_unmap((void *)(uintptr_t)memory, size);
    return err;
}

static enum tern_err read_state(struct taking *t)
{
    struct stat st;
    enum tern_err err = TERN_EIO;
    uint8_t *room;

    if (sys_fstat(t->order->state, &st) >= 0 && st.st_size > 0 && st.st_size <= STATE_BYTES_MAX) {
        room = bytes_reserve(&t->state_bytes, (size_t)st.st_size);
        if (room && sys_pread(t->order->state, room, (size_t)st.st_size, 0) == st.st_size) {
            t->state_bytes.size = (size_t)st.st_size;
            err = state_decode(&t->image.state, bytes_view(&t->state_bytes), &t->arena);
        }
    }
    if (!err && t->image.state.instance_count != 1)
        err = TERN_EPROTO;
    return err ? problem_set(t->p, err, "the runner's state cannot be read: %s", tern_err_text(err))
               : TERN_OK;
}

static enum tern_err put_image(struct taking *t)
{
    const struct checkpoint_order *o = t->order;
    struct bytes encoded = {.limit = IMAGE_ROOT_BYTES_MAX};
    enum tern_err err;

    memcpy(t->image.module_sha256, o->module_sha256, IMAGE_HASH_BYTES);
    t->image.module_bytes = o->module.size;
    t->image.lists = t->names[PART_LISTS].data;
    t->image.list_count = (uint32_t)(t->names[PART_LISTS].size / STORE_NAME_BYTES);
    t->image.limits_memory_pages = o->limits_memory_pages;
    t->image.limits_stack_cells = o->limits_stack_cells;
    err = image_encode(&t->image, &encoded);
    if (err)
        problem_set(t->p, err, "the image cannot be written: %s", tern_err_text(err));
    else
        err = put_run(t, PART_IMAGE, bytes_view(&encoded));
    bytes_release(&encoded);
    return err;
}

static enum tern_err put_root(struct taking *t, struct store_name *name)
{
    struct bytes root = {.limit = ROOT_BYTES_MAX};
    uint8_t number[4];
    enum tern_err err = TERN_ETOOBIG;

    bytes_append(&root, root_magic, sizeof root_magic);
    for (int i = 0; i < PARTS; i++) {
        put_u32(number, (uint32_t)(t->names[i].size / STORE_NAME_BYTES));
        bytes_append(&root, number, sizeof number);
    }
    for (int i = 0; i < PARTS; i++) {
        bytes_append(&root, t->names[i].data, t->names[i].size);
        if (!bytes_ok(&t->names[i]))
            root.failed = true;
    }
    if (bytes_ok(&root))
        err = store_put(t->order->store, bytes_view(&root), name, t->p);
    else
        problem_set(t->p, err, "the checkpoint has too many parts");
    bytes_release(&root);
    return err;
}

static int64_t wall_ns(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static enum tern_err take(struct taking *t)
{
    struct store_commit commit = {.keep = t->order->keep, .children = checkpoint_children};
    enum tern_err err = read_state(t);

    if (!err)
        err = put_run(t, PART_SETTINGS, t->order->settings);
    if (!err)
        err = put_run(t, PART_MODULE, t->order->module);
    if (!err)
        err = put_memory(t);
    if (!err)
        err = put_image(t);
    if (!err)
        err = put_root(t, &commit.list);
    if (err)
        return err;
    commit.time_ns = wall_ns();
    t->done->frames = t->image.state.frame_count;
    return store_commit(t->order->store, &commit, &t->done->root, t->p);
}

enum tern_err checkpoint_take(const struct checkpoint_order *o, struct checkpoint_done *out,
                              struct problem *p)
{
    struct checkpoint_done done = {.frames = 0};
    struct taking t = {.order = o, .done = &done, .p = p};
    enum tern_err err = take(&t);

    if (!err)
        *out = done;
    for (int i = 0; i < PARTS; i++)
        bytes_release(&t.names[i]);
    bytes_release(&t.state_bytes);
    arena_release(&t.arena);
    return err;
}

/* ---- Having it again ---- */

static enum tern_err get_run(struct store *s, const struct root *r, enum part part,
                             struct bytes *out)
{
    const uint8_t *names = names_of(r, part);
    enum tern_err err = TERN_OK;
    struct store_name name;

    out->limit = RUN_BYTES_MAX;
    for (uint32_t i = 0; i < r->count[part] && !err; i++) {
        memcpy(name.bytes, names + (size_t)i * STORE_NAME_BYTES, STORE_NAME_BYTES);
        err = store_get(s, &name, out);
    }
    if (!err && !bytes_ok(out))
        err = TERN_ETOOBIG;
    return err;
}

static enum tern_err open_root(struct store *s, struct checkpoint *c, struct problem *p)
{
    struct bytes plain = {.limit = ROOT_BYTES_MAX};
    enum tern_err err = store_get(s, &c->root.list, &plain);
    struct root r;

    if (!err && !root_decode(bytes_view(&plain), &r))
        err = TERN_ECORRUPT;
    if (!err)
        err = get_run(s, &r, PART_SETTINGS, &c->settings);
    if (!err)
        err = get_run(s, &r, PART_MODULE, &c->module);
    if (!err)
        err = get_run(s, &r, PART_IMAGE, &c->image_bytes);
    bytes_release(&plain);
    if (err)
        return problem_set(p, err, "checkpoint %ju cannot be read: %s", (uintmax_t)c->root.number,
                           tern_err_text(err));
    return image_decode(&c->image, bytes_view(&c->image_bytes), p);
}

enum tern_err checkpoint_open(struct store *s, unsigned n, struct checkpoint *out,
                              struct problem *p)
{
    struct checkpoint c = {.settings = {0}};
    enum tern_err err = store_root(s, n, &c.root);

    if (err == TERN_ENOENT)
        return problem_set(p, err, "there is no checkpoint in it");
    if (err)
        return problem_set(p, err, "its checkpoints cannot be listed: %s", tern_err_text(err));
    err = open_root(s, &c, p);
    if (err)
        checkpoint_release(&c);
    else
        *out = c;
    return err;
}

void checkpoint_release(struct checkpoint *c)
{
    image_release(&c->image);
    bytes_release(&c->settings);
    bytes_release(&c->module);
    bytes_release(&c->image_bytes);
}

enum tern_err checkpoint_get(struct store *s, const uint8_t *name_bytes, size_t size,
                             struct bytes *out)
{
    struct store_name name;
    enum tern_err err;

    memcpy(name.bytes, name_bytes, sizeof name.bytes);
    out->limit = STORE_CHUNK_MAX;
    err = store_get(s, &name, out);
    return !err && out->size != size ? TERN_ECORRUPT : err;
}

static enum tern_err load_page(struct store *s, const uint8_t *name, uint8_t *to)
{
    struct bytes page = {0};
    enum tern_err err = checkpoint_get(s, name, IMAGE_PAGE_BYTES, &page);

    if (!err)
        memcpy(to, page.data, IMAGE_PAGE_BYTES);
    bytes_release(&page);
    return err;
}

static enum tern_err load_list(struct store *s, const uint8_t *name, uint8_t *to, size_t pages)
{
    struct bytes list = {0};
    enum tern_err err = checkpoint_get(s, name, IMAGE_LIST_BYTES, &list);

    for (size_t i = 0; i < pages && !err; i++) {
        const uint8_t *page = list.data + i * STORE_NAME_BYTES;

        if (!is_zero(page, STORE_NAME_BYTES))
            err = load_page(s, page, to + i * IMAGE_PAGE_BYTES);
    }
    bytes_release(&list);
    return err;
}

static enum tern_err load_memory(struct store *s, const struct image *image, int memory)
{
    const size_t size = (size_t)image->state.instances[0].memory_pages << WASM_PAGE_BITS;
    const size_t step = (size_t)IMAGE_LIST_PAGES * IMAGE_PAGE_BYTES;
    enum tern_err err = TERN_OK;
    uint8_t *to;

    if (size == 0)
        return TERN_OK;
    to = sys_map(memory, size, PROT_READ | PROT_WRITE);
    if (!to)
        return TERN_ENOMEM;
    for (uint32_t i = 0; i < image->list_count && !err; i++) {
        const uint8_t *name = image->lists + (size_t)i * STORE_NAME_BYTES;
        size_t rest = size - i * step < step ? size - i * step : step;

        if (!is_zero(name, STORE_NAME_BYTES))
            err = load_list(s, name, to + i * step, rest / IMAGE_PAGE_BYTES);
    }
    sys_unmap(to, size);
    return err;
}

enum tern_err checkpoint_load(struct store *s, const struct checkpoint *c, int memory, int state,
                              struct problem *p)
{
    struct bytes encoded = {0};
    enum tern_err err = load_memory(s, &c->image, memory);

    if (!err)
        err = state_encode(&c->image.state, &encoded);
    if (!err)
        err = file_write_fd(state, bytes_view(&encoded));
    bytes_release(&encoded);
    return err ? problem_set(p, err, "checkpoint %ju cannot be loaded: %s",
                             (uintmax_t)c->root.number, tern_err_text(err))
               : TERN_OK;
}
