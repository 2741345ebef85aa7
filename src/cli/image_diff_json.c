#include "cli/image_diff.h"
#include "cli/image_json.h"
#include "cli/json_text.h"

static json_t *pair(json_t *from, json_t *to)
{
    return json_pack("{s:o, s:o}", "from", from, "to", to);
}

static json_t *frame_or_null(const struct image_look *l, uint32_t i, struct frame_letters *letters)
{
    const struct state *s = &l->c.image.state;

    return i < s->frame_count ? image_json_frame(&l->module, &s->frames[i], letters) : json_null();
}

/* From the outermost one that differs inwards. */
static json_t *frames_of(const struct image_diff *d)
{
    const uint32_t was = d->from.c.image.state.frame_count, is = d->to.c.image.state.frame_count;
    struct frame_letters letters = {.func = 0};
    json_t *out = json_array();

    for (uint32_t i = d->frames_same; i < was || i < is; i++) {
        json_t *from = frame_or_null(&d->from, i, &letters);

        json_array_append_new(out, pair(from, frame_or_null(&d->to, i, &letters)));
    }
    frame_letters_release(&letters);
    return out;
}

static json_t *globals_of(const struct image_diff *d)
{
    const struct state_instance *a = &d->from.c.image.state.instances[0];
    const struct state_instance *b = &d->to.c.image.state.instances[0];
    json_t *out = json_array();

    for (uint32_t i = 0; i < b->global_count; i++) {
        if (!image_diff_global(d, i))
            continue;
        json_array_append_new(
            out, json_pack("{s:I, s:o, s:o}", "index", (json_int_t)i, "from",
                           image_json_value(a->globals[i].letter, a->globals[i].value), "to",
                           image_json_value(b->globals[i].letter, b->globals[i].value)));
    }
    return out;
}

static json_t *pages_of(const struct image_diff *d)
{
    return json_pack("{s:I, s:I, s:o, s:o, s:o}", "page_bytes", (json_int_t)IMAGE_PAGE_BYTES,
                     "same", (json_int_t)d->pages.count[PAGE_SAME], "changed",
                     image_json_ranges(&d->pages.ranges[PAGE_CHANGED]), "new",
                     image_json_ranges(&d->pages.ranges[PAGE_NEW]), "zeroed",
                     image_json_ranges(&d->pages.ranges[PAGE_ZEROED]));
}

static json_t *fd_or_null(const struct image_look *l, const struct state_fd *fd)
{
    return fd ? image_json_fd(l, fd) : json_null();
}

static json_t *fds_of(const struct image_diff *d)
{
    struct fd_cursor at = {0};
    struct fd_change change;
    json_t *out = json_array();

    while (image_diff_next_fd(d, &at, &change))
        json_array_append_new(
            out, pair(fd_or_null(&d->from, change.from), fd_or_null(&d->to, change.to)));
    return out;
}

json_t *image_diff_json(const struct image_diff *d)
{
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:b, s:I, s:o, s:o, s:o, s:o, s:o}", "directory",
                     json_text_escaped(view_of_string(d->dir)), "from",
                     (json_int_t)d->from.c.root.number, "to", (json_int_t)d->to.c.root.number,
                     "new_chunks", (json_int_t)d->new_chunks, "new_bytes", (json_int_t)d->new_bytes,
                     "complete", (int)d->all_kept, "frames_same", (json_int_t)d->frames_same,
                     "frames", frames_of(d), "globals", globals_of(d), "pages", pages_of(d),
                     "descriptors", fds_of(d), "files", image_files_diff_json(&d->files));
}
