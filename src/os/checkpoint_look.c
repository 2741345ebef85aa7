#include "os/checkpoint_look.h"

#include "os/checkpoint_walk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES_MAX = 16, WASM_PAGE_PAGES = 16, NAME_SHOWN_BYTES = 8 };

static bool is_zero_name(const uint8_t *name)
{
    static const uint8_t zero[STORE_NAME_BYTES];

    return memcmp(name, zero, sizeof zero) == 0;
}

/* ---- By number ---- */

/* Which place it has, counted from the newest. */
static enum tern_err find(struct store *s, uint64_t number, unsigned *n)
{
    struct store_root root;
    enum tern_err err = TERN_OK;

    for (unsigned i = 0; !err; i++) {
        err = store_root(s, i, &root);
        if (!err && root.number == number) {
            *n = i;
            return TERN_OK;
        }
        if (!err && root.number < number)
            err = TERN_ENOENT;
    }
    return err;
}

bool checkpoint_is_kept(struct store *s, uint64_t number)
{
    unsigned n;

    return find(s, number, &n) == TERN_OK;
}

/* Places move when another process adds a checkpoint: look again then. */
enum tern_err checkpoint_open_number(struct store *s, uint64_t number, struct checkpoint *out,
                                     struct problem *p)
{
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        unsigned n = 0;
        enum tern_err err = find(s, number, &n);

        if (err == TERN_ENOENT)
            return problem_set(p, err, "checkpoint %" PRIu64 " is not among those that are kept",
                               number);
        if (err)
            return problem_set(p, err, "its checkpoints cannot be listed: %s", tern_err_text(err));
        err = checkpoint_open(s, n, out, p);
        if (!err && out->root.number == number)
            return TERN_OK;
        if (err && checkpoint_is_kept(s, number))
            return err;
        if (!err)
            checkpoint_release(out);
    }
    return problem_set(p, TERN_EBUSY, "checkpoint %" PRIu64 " was let go meanwhile", number);
}

/* ---- Pages ---- */

static enum tern_err append_list(struct store *s, const uint8_t *name, size_t pages,
                                 struct bytes *out)
{
    struct bytes list = {0};
    enum tern_err err = checkpoint_get(s, name, IMAGE_LIST_BYTES, &list);

    if (!err)
        bytes_append(out, list.data, pages * STORE_NAME_BYTES);
    bytes_release(&list);
    return err;
}

static void append_zeros(struct bytes *out, size_t size)
{
    uint8_t *room = bytes_reserve(out, size);

    if (room) {
        memset(room, 0, size);
        out->size += size;
    }
}

static size_t page_count(const struct image *image)
{
    return image->state.instance_count == 1
               ? (size_t)image->state.instances[0].memory_pages * WASM_PAGE_PAGES
               : 0;
}

enum tern_err checkpoint_pages(struct store *s, const struct checkpoint *c, struct bytes *out,
                               struct problem *p)
{
    const struct image *image = &c->image;
    size_t pages = page_count(image);
    enum tern_err err = TERN_OK;

    if (image->list_count != (pages + IMAGE_LIST_PAGES - 1) / IMAGE_LIST_PAGES)
        err = TERN_ECORRUPT;
    for (uint32_t i = 0; i < image->list_count && !err; i++) {
        const uint8_t *name = image->lists + (size_t)i * STORE_NAME_BYTES;
        size_t count = pages < IMAGE_LIST_PAGES ? pages : IMAGE_LIST_PAGES;

        if (is_zero_name(name))
            append_zeros(out, count * STORE_NAME_BYTES);
        else
            err = append_list(s, name, count, out);
        pages -= count;
    }
    if (!err && !bytes_ok(out))
        err = TERN_ENOMEM;
    return err ? problem_set(p, err, "the memory of checkpoint %" PRIu64 " cannot be listed: %s",
                             c->root.number, tern_err_text(err))
               : TERN_OK;
}

/* The list of a stretch; NULL: it has only holes. */
static const uint8_t *list_of(const struct image_file *f, uint32_t at)
{
    uint32_t from = 0, to = f->list_count;

    while (from < to) {
        const uint32_t middle = from + (to - from) / 2;

        if (f->lists[middle].index == at)
            return f->lists[middle].name;
        if (f->lists[middle].index < at)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

enum tern_err checkpoint_file_pages(struct store *s, const struct image *image, uint32_t n,
                                    uint32_t at, struct bytes *out)
{
    const struct image_file *f = &image->files[n];
    const uint8_t *name = list_of(f, at);
    enum tern_err err = TERN_OK;

    if (name)
        err = append_list(s, name, IMAGE_LIST_PAGES, out);
    else if (at == 0 && f->page_count)
        bytes_append(out, f->pages, (size_t)f->page_count * STORE_NAME_BYTES);
    return !err && !bytes_ok(out) ? TERN_ENOMEM : err;
}

/* ---- Everything beneath a root ---- */

static enum tern_err bad_chunk(const struct walk_chunk *c, enum tern_err err, struct problem *p)
{
    static const char *const what[] = {"its root", "a part of its settings, module, image or lists",
                                       "a page of its memory or files"};
    char shown[2 * NAME_SHOWN_BYTES + 1];

    for (int i = 0; i < NAME_SHOWN_BYTES; i++) {
        shown[2 * i] = "0123456789abcdef"[c->name.bytes[i] >> 4];
        shown[2 * i + 1] = "0123456789abcdef"[c->name.bytes[i] & 15];
    }
    shown[2 * NAME_SHOWN_BYTES] = 0;
    return problem_set(p, err, "chunk %s..., %s, %s", shown, what[c->use],
                       err == TERN_ENOENT     ? "is missing"
                       : err == TERN_ECORRUPT ? "is damaged"
                                              : tern_err_text(err));
}

static enum tern_err walk_all(struct checkpoint_walk *w, struct checkpoint_survey *out,
                              struct problem *p)
{
    enum tern_err err = TERN_OK;
    bool over = false;

    *out = (struct checkpoint_survey){.chunks = 0};
    while (!err && !over) {
        err = checkpoint_walk_next(w, &over);
        if (!err && !over && w->at.use == WALK_PAGE && w->plain.size != IMAGE_PAGE_BYTES)
            err = TERN_ECORRUPT;
        if (!err && !over)
            out->plain_bytes += w->plain.size;
    }
    out->chunks = w->seen.count;
    return err ? bad_chunk(&w->at, err, p) : TERN_OK;
}

/* Else the store would let go of memory, or contents of files, that the image needs. */
static enum tern_err is_held(const struct names *seen, const uint8_t *bytes, const char *what,
                             struct problem *p)
{
    struct store_name name;

    memcpy(name.bytes, bytes, sizeof name.bytes);
    if (is_zero_name(bytes) || names_find(seen, &name))
        return TERN_OK;
    return problem_set(p, TERN_ECORRUPT, "its image names %s that does not hang beneath its root",
                       what);
}

static enum tern_err file_is_held(const struct names *seen, const struct image_file *f,
                                  struct problem *p)
{
    enum tern_err err = TERN_OK;

    for (uint32_t i = 0; i < f->page_count && !err; i++)
        err = is_held(seen, f->pages + (size_t)i * STORE_NAME_BYTES, "a page of a file", p);
    for (uint32_t i = 0; i < f->list_count && !err; i++)
        err = is_held(seen, f->lists[i].name, "a part of a file", p);
    return err;
}

static enum tern_err lists_are_held(const struct names *seen, const struct image *image,
                                    struct problem *p)
{
    const uint32_t files = image->state.tree ? image->state.tree->node_count : 0;
    enum tern_err err = TERN_OK;

    for (uint32_t i = 0; i < image->list_count && !err; i++)
        err = is_held(seen, image->lists + (size_t)i * STORE_NAME_BYTES, "memory", p);
    for (uint32_t i = 0; i < files && !err; i++)
        err = file_is_held(seen, &image->files[i], p);
    return err;
}

enum tern_err checkpoint_survey(struct store *s, const struct store_root *root,
                                struct checkpoint_survey *out, struct checkpoint *opened,
                                struct problem *p)
{
    struct checkpoint_walk w;
    struct checkpoint_survey survey;
    struct checkpoint c = {.settings = {0}};
    enum tern_err err = checkpoint_walk_begin(&w, s, &root->list);

    problem_set(p, TERN_ENOMEM, "out of memory"); /* unless something says more */
    if (!err)
        err = walk_all(&w, &survey, p);
    if (!err)
        err = checkpoint_open_number(s, root->number, &c, p);
    if (!err) {
        err = lists_are_held(&w.seen, &c.image, p);
        if (err)
            checkpoint_release(&c);
    }
    if (!err) {
        *out = survey;
        *opened = c;
    }
    checkpoint_walk_release(&w);
    return err;
}
