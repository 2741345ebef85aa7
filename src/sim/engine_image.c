#include "sim/engine_image.h"

#include "base/check.h"
#include "store/checkpoint_root.h"

#include <stdlib.h>
#include <string.h>

static char *copy_text(const char *text)
{
    char *copy = strdup(text);

    check(copy);
    return copy;
}

void image_order_release(struct image_order *o)
{
    for (size_t i = 0; i < o->output_count; i++)
        free(o->outputs[i]);
    free(o->outputs);
    free(o->domain);
    *o = (struct image_order){0};
}

/* ---- Reading ---- */

static bool blob_name(const Tern__Blob *blob, struct store_name *name)
{
    if (!blob || blob->sha256.len != sizeof name->bytes)
        return false;
    memcpy(name->bytes, blob->sha256.data, sizeof name->bytes);
    return true;
}

static enum tern_err read_beneath(struct chunks *c, const char *domain, unsigned kind,
                                  const struct store_name *name, struct bytes *out)
{
    struct bytes list = {0};
    enum tern_err err;
    int count;

    if (kind != CHUNK_LIST)
        return c->calls->plain(c->self, domain, name, out);
    err = c->calls->plain(c->self, domain, name, &list);
    count = err ? 0 : chunk_list_count(bytes_view(&list));
    if (count < 0)
        err = TERN_ECORRUPT;
    for (int i = 0; i < count && !err; i++) {
        struct store_name beneath;
        const unsigned beneath_kind = chunk_list_at(bytes_view(&list), (unsigned)i, &beneath);

        err = read_beneath(c, domain, beneath_kind, &beneath, out);
    }
    bytes_release(&list);
    return err;
}

enum tern_err image_blob(struct chunks *chunks, const char *domain, const Tern__Blob *blob,
                         struct bytes *out)
{
    struct store_name name;

    if (!blob_name(blob, &name))
        return TERN_EPROTO;
    return read_beneath(chunks, domain, blob->kind, &name, out);
}

static enum tern_err sum_input(struct chunks *chunks, const char *domain, const Tern__Input *in,
                               uint64_t *sum)
{
    struct bytes bytes = {0};
    enum tern_err err = TERN_OK;

    if (!*in->path)
        return TERN_OK; /* standard input comes by itself */
    if (!in->content)
        return TERN_ENOENT;
    if (in->content->blob)
        err = image_blob(chunks, domain, in->content->blob, &bytes);
    else
        bytes_append(&bytes, in->content->here.data, in->content->here.len);
    if (!err)
        *sum = program_files(*sum, in->path, bytes_view(&bytes));
    bytes_release(&bytes);
    return err;
}

/* The program's own chunk, beneath the root that also holds its output. */
static enum tern_err find_image(struct chunks *c, const char *domain, const Tern__Blob *root,
                                struct bytes *plain)
{
    struct store_name name;
    struct bytes list = {0};
    enum tern_err err;

    if (!blob_name(root, &name))
        return TERN_EPROTO;
    if (root->kind == CHUNK_LIST) {
        err = c->calls->plain(c->self, domain, &name, &list);
        if (!err && (chunk_list_count(bytes_view(&list)) < 1 ||
                     chunk_list_at(bytes_view(&list), 0, &name) != CHUNK_CHECKPOINT))
            err = TERN_ECORRUPT;
        bytes_release(&list);
        if (err)
            return err;
    }
    return c->calls->plain(c->self, domain, &name, plain);
}

static enum tern_err restore(struct chunks *c, const char *domain, const Tern__Blob *blob,
                             const struct program_args *args, struct program *out)
{
    struct bytes plain = {0}, state = {0};
    struct store_name name;
    struct root root;
    enum tern_err err = find_image(c, domain, blob, &plain);

    if (!err && (!root_decode(&root, bytes_view(&plain)) || root.count[ROOT_IMAGE] != 1))
        err = TERN_ECORRUPT;
    if (!err) {
        memcpy(name.bytes, root.names[ROOT_IMAGE], sizeof name.bytes);
        err = c->calls->plain(c->self, domain, &name, &state);
    }
    if (!err && state.size != PROGRAM_STATE_BYTES)
        err = TERN_ECORRUPT;
    if (!err)
        program_restore(out, args, state.data);
    bytes_release(&plain);
    bytes_release(&state);
    return err;
}

static void remember(const struct engine_order *order, struct image_order *out)
{
    const Tern__Task *task = order->task;

    *out = (struct image_order){.domain = copy_text(order->domain)};
    blob_name(order->program->module, &out->module);
    if (!task->n_outputs)
        return;
    out->outputs = calloc(task->n_outputs, sizeof(char *));
    check(out->outputs);
    for (; out->output_count < task->n_outputs; out->output_count++)
        out->outputs[out->output_count] = copy_text(task->outputs[out->output_count]->path);
}

enum tern_err image_prepare(struct chunks *chunks, const struct engine_order *order,
                            struct image_order *out, struct program *program, const char **why)
{
    const Tern__Program *given = order->program;
    struct program_args args;
    struct bytes module = {0};
    uint64_t sum = 0;
    enum tern_err err = TERN_OK;

    *program = (struct program){.args.each_ns = 1};
    remember(order, out);
    *why = "its arguments are none of a program that counts";
    if (!program_parse(given->args, given->n_args, &args))
        return TERN_EINVALID;
    *why = "the module is not in the store";
    err = image_blob(chunks, order->domain, given->module, &module);
    bytes_release(&module);
    if (err)
        return err;
    *why = "an input is not in the store";
    for (size_t i = 0; i < order->task->n_inputs && !err; i++)
        err = sum_input(chunks, order->domain, order->task->inputs[i], &sum);
    if (err)
        return err;
    program_begin(program, &args, sum);
    *why = "the checkpoint is not in the store";
    return order->from ? restore(chunks, order->domain, order->from->root, &args, program)
                       : TERN_OK;
}

/* ---- Writing ---- */

static enum tern_err put(struct chunks *c, const char *domain, struct view plain,
                         struct store_name *name)
{
    const struct store_stored stored = {
        .codec = CODEC_PLAIN, .plain_size = (uint32_t)plain.size, .bytes = plain};

    *name = store_name_of(plain);
    return c->calls->put(c->self, domain, name, &stored);
}

static enum tern_err put_pages(struct chunks *c, const char *domain, const struct program *p,
                               struct store_name *list)
{
    struct bytes names = {0};
    enum tern_err err = TERN_OK;

    for (uint64_t n = 0; n < p->args.pages && !err; n++) {
        uint8_t page[PROGRAM_PAGE_BYTES];
        struct store_name name;

        program_page(p, n, page);
        err = put(c, domain, view_of(page, sizeof page), &name);
        bytes_append(&names, name.bytes, sizeof name.bytes);
    }
    if (!err)
        err = put(c, domain, bytes_view(&names), list);
    bytes_release(&names);
    return err;
}

enum tern_err image_put(struct chunks *chunks, const struct image_order *o, const struct program *p,
                        struct chunks_root *root)
{
    uint8_t state[PROGRAM_STATE_BYTES];
    struct store_name image, pages;
    struct bytes encoded = {0};
    struct root r = {.count = {[ROOT_MODULE] = 1, [ROOT_IMAGE] = 1, [ROOT_LISTS] = 1}};
    enum tern_err err;

    program_save(p, state);
    err = put(chunks, o->domain, view_of(state, sizeof state), &image);
    if (!err)
        err = put_pages(chunks, o->domain, p, &pages);
    if (err)
        return err;
    r.names[ROOT_MODULE] = o->module.bytes;
    r.names[ROOT_IMAGE] = image.bytes;
    r.names[ROOT_LISTS] = pages.bytes;
    *root = (struct chunks_root){.kind = CHUNK_CHECKPOINT};
    err = root_encode(&r, &encoded);
    if (!err)
        err = put(chunks, o->domain, bytes_view(&encoded), &root->name);
    bytes_release(&encoded);
    return err;
}

enum tern_err image_put_made(struct chunks *chunks, const struct image_order *o,
                             const struct program *p, struct image_made *out)
{
    enum tern_err err = TERN_OK;

    out->files = calloc(o->output_count ? o->output_count : 1, sizeof *out->files);
    check(out->files);
    for (; out->count < o->output_count && !err; out->count++) {
        struct engine_file *f = &out->files[out->count];
        struct bytes content = {0};

        program_file(p, o->outputs[out->count], &content);
        f->path = o->outputs[out->count];
        f->root.kind = CHUNK_LEAF;
        f->size = content.size;
        err = put(chunks, o->domain, bytes_view(&content), &f->root.name);
        bytes_release(&content);
    }
    return err;
}

void image_made_release(struct image_made *files)
{
    free(files->files);
    *files = (struct image_made){0};
}
