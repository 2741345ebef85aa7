#include "os/checkpoint.h"

#include "os/checkpoint_root.h"
#include "os/file.h"
#include "os/sys.h"

#include <string.h>
#include <sys/mman.h>

enum { WASM_PAGE_BITS = 16, RUN_BYTES_MAX = 1 << 30 };

static const struct store_name zeros;

static bool is_zero(const uint8_t *name)
{
    return memcmp(name, &zeros, sizeof zeros) == 0;
}

static enum tern_err get_run(struct store *s, const struct root *r, enum root_part part,
                             struct bytes *out)
{
    const uint8_t *names = r->names[part];
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

    if (!err && !root_decode(&r, bytes_view(&plain)))
        err = TERN_ECORRUPT;
    if (!err)
        err = get_run(s, &r, ROOT_SETTINGS, &c->settings);
    if (!err)
        err = get_run(s, &r, ROOT_MODULE, &c->module);
    if (!err)
        err = get_run(s, &r, ROOT_IMAGE, &c->image_bytes);
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

struct loading {
    struct store *store;
    struct pages *remember;
    uint8_t *to; /* memory 0 */
};

static enum tern_err load_list(const struct loading *l, const uint8_t *name, size_t first,
                               size_t pages)
{
    struct bytes list = {0};
    enum tern_err err = checkpoint_get(l->store, name, IMAGE_LIST_BYTES, &list);

    for (size_t i = 0; i < pages && !err; i++) {
        const uint8_t *page = list.data + i * STORE_NAME_BYTES;

        if (!is_zero(page))
            err = load_page(l->store, page, l->to + (first + i) * IMAGE_PAGE_BYTES);
    }
    if (!err && l->remember)
        pages_loaded(l->remember, first, list.data, pages, name);
    bytes_release(&list);
    return err;
}

static enum tern_err load_memory(struct store *s, const struct image *image, int memory,
                                 struct pages *remember)
{
    const size_t size = (size_t)image->state.instances[0].memory_pages << WASM_PAGE_BITS;
    const size_t pages = size / IMAGE_PAGE_BYTES;
    struct loading l = {.store = s, .remember = remember};
    enum tern_err err = TERN_OK;

    if (size == 0)
        return TERN_OK;
    l.to = sys_map(memory, size, PROT_READ | PROT_WRITE);
    if (!l.to)
        return TERN_ENOMEM;
    for (uint32_t i = 0; i < image->list_count && !err; i++) {
        const uint8_t *name = image->lists + (size_t)i * STORE_NAME_BYTES;
        const size_t first = (size_t)i * IMAGE_LIST_PAGES;

        if (!is_zero(name))
            err = load_list(&l, name, first,
                            pages - first < IMAGE_LIST_PAGES ? pages - first : IMAGE_LIST_PAGES);
    }
    sys_unmap(l.to, size);
    return err;
}

enum tern_err checkpoint_load(struct store *s, const struct checkpoint *c,
                              const struct checkpoint_target *to, struct problem *p)
{
    struct bytes encoded = {0};
    enum tern_err err = load_memory(s, &c->image, to->memory, to->remember);

    if (!err)
        err = state_encode(&c->image.state, &encoded);
    if (!err)
        err = file_write_fd(to->state, bytes_view(&encoded));
    bytes_release(&encoded);
    return err ? problem_set(p, err, "checkpoint %ju cannot be loaded: %s",
                             (uintmax_t)c->root.number, tern_err_text(err))
               : TERN_OK;
}
