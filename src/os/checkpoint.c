#include "os/checkpoint.h"

#include "os/file.h"
#include "store/checkpoint_root.h"

#include <string.h>

/* Settings: all arguments and variables that a system takes, each byte of them escaped. */
enum { SETTINGS_BYTES_MAX = 32 << 20 };

static size_t bytes_max(enum root_part part)
{
    return part == ROOT_SETTINGS ? SETTINGS_BYTES_MAX
           : part == ROOT_MODULE ? WASM_MODULE_BYTES_MAX
                                 : IMAGE_ROOT_BYTES_MAX;
}

static enum tern_err get_run(struct store *s, const struct root *r, enum root_part part,
                             struct bytes *out)
{
    const uint8_t *names = r->names[part];
    enum tern_err err = TERN_OK;
    struct store_name name;

    out->limit = bytes_max(part);
    for (uint32_t i = 0; i < r->count[part] && !err; i++) {
        memcpy(name.bytes, names + (size_t)i * STORE_NAME_BYTES, STORE_NAME_BYTES);
        err = store_get(s, &name, out);
    }
    return err == TERN_ENOMEM && out->size + STORE_CHUNK_MAX > out->limit ? TERN_ETOOBIG : err;
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
                           err == TERN_ENOENT ? "a part of it is missing" : tern_err_text(err));
    return image_decode(&c->image, bytes_view(&c->image_bytes), p);
}

enum tern_err checkpoint_open_root(struct store *s, const struct store_root *root,
                                   struct checkpoint *out, struct problem *p)
{
    struct checkpoint c = {.root = *root};
    enum tern_err err = open_root(s, &c, p);

    if (err)
        checkpoint_release(&c);
    else
        *out = c;
    return err;
}

enum tern_err checkpoint_open(struct store *s, unsigned n, struct checkpoint *out,
                              struct problem *p)
{
    struct store_root root;
    enum tern_err err = store_root(s, n, &root);

    if (err == TERN_ENOENT)
        return problem_set(p, err, "there is no checkpoint in it");
    if (err)
        return problem_set(p, err, "its checkpoints cannot be listed: %s", tern_err_text(err));
    return checkpoint_open_root(s, &root, out, p);
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

enum tern_err checkpoint_load_state(const struct checkpoint *c, int state, struct problem *p)
{
    struct bytes encoded = {0};
    enum tern_err err = state_encode(&c->image.state, &encoded);

    if (!err)
        err = file_write_fd(state, bytes_view(&encoded));
    bytes_release(&encoded);
    return err ? checkpoint_unloaded(c, err, p) : TERN_OK;
}

enum tern_err checkpoint_unloaded(const struct checkpoint *c, enum tern_err err, struct problem *p)
{
    return problem_set(p, err, "checkpoint %ju cannot be loaded: %s", (uintmax_t)c->root.number,
                       tern_err_text(err));
}
