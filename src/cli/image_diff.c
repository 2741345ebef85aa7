#include "cli/image_diff.h"

#include "cli/image_json.h"
#include "cli/image_shown.h"

#include <inttypes.h>
#include <string.h>

enum { LINES_MAX = 32 };

/* ---- Comparing ---- */

static const struct state *from_state(const struct image_diff *d)
{
    return &d->from.c.image.state;
}

static const struct state *to_state(const struct image_diff *d)
{
    return &d->to.c.image.state;
}

static bool same_frame(const struct state_frame *a, const struct state_frame *b)
{
    return a->func == b->func && a->offset == b->offset && a->inside == b->inside &&
           a->value_count == b->value_count &&
           (a->value_count == 0 ||
            memcmp(a->values, b->values, (size_t)a->value_count * STATE_VALUE_BYTES) == 0);
}

static bool same_fd(const struct state_fd *a, const struct state_fd *b)
{
    return a->kind == b->kind && a->filetype == b->filetype && a->flags == b->flags &&
           a->rights == b->rights && a->inheriting == b->inheriting && a->source == b->source &&
           a->read_only == b->read_only && a->written == b->written &&
           view_equal(a->path, b->path) && a->offset == b->offset && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->inode == b->inode && a->ends == b->ends;
}

void image_diff_compare(struct image_diff *d)
{
    const struct state *a = from_state(d), *b = to_state(d);

    while (d->frames_same < a->frame_count && d->frames_same < b->frame_count &&
           same_frame(&a->frames[d->frames_same], &b->frames[d->frames_same]))
        d->frames_same++;
    pages_compare(bytes_view(&d->from.pages), bytes_view(&d->to.pages), &d->pages);
}

void image_diff_release(struct image_diff *d)
{
    image_look_release(&d->from);
    image_look_release(&d->to);
    page_changes_release(&d->pages);
    image_files_diff_release(&d->files);
}

bool image_diff_global(const struct image_diff *d, uint32_t i)
{
    return memcmp(from_state(d)->instances[0].globals[i].value,
                  to_state(d)->instances[0].globals[i].value, STATE_VALUE_BYTES) != 0;
}

bool image_diff_next_fd(const struct image_diff *d, struct fd_cursor *at, struct fd_change *out)
{
    const struct state *a = from_state(d), *b = to_state(d);

    while (at->from < a->fd_count || at->to < b->fd_count) {
        const struct state_fd *x = at->from < a->fd_count ? &a->fds[at->from] : NULL;
        const struct state_fd *y = at->to < b->fd_count ? &b->fds[at->to] : NULL;

        if (x && y && x->number != y->number) {
            if (x->number < y->number)
                y = NULL;
            else
                x = NULL;
        }
        at->from += x != NULL;
        at->to += y != NULL;
        if (x && y && same_fd(x, y))
            continue;
        *out = (struct fd_change){x, y};
        return true;
    }
    return false;
}

/* ---- As text ---- */

static void show_head(struct bytes *out, const struct image_diff *d)
{
    char before[SHOWN_TIME_BYTES], after[SHOWN_TIME_BYTES];

    bytes_appendf(out, "%s: from checkpoint %" PRIu64 ", taken %s, to %" PRIu64 ", taken %s\n",
                  d->dir, d->from.c.root.number, shown_time(d->from.c.root.time_ns, before),
                  d->to.c.root.number, shown_time(d->to.c.root.time_ns, after));
    bytes_appendf(out, "the step took %s", d->all_kept ? "" : "at least ");
    shown_count_of(out, d->new_chunks, "new chunk");
    bytes_append_text(out, ", ");
    shown_size(out, d->new_bytes);
    bytes_append_text(out, " on disk\n");
}

static void show_frame(struct bytes *out, const struct image_diff *d, const struct state *s,
                       uint32_t i)
{
    const struct state_frame *f = &s->frames[i];

    shown_function(out, &d->to.module, f->func);
    bytes_appendf(out, " (func %" PRIu32 ")", f->func);
    if (f->offset)
        bytes_appendf(out, " at 0x%" PRIx32, f->offset);
    bytes_append_text(out, ", ");
    shown_place(out, &d->to.module, f);
    bytes_append_text(out, "\n");
}

static uint32_t values_changed(const struct state_frame *a, const struct state_frame *b)
{
    uint32_t changed = 0;

    for (uint32_t i = 0; i < a->value_count && i < b->value_count; i++)
        changed += memcmp(a->values + (size_t)i * STATE_VALUE_BYTES,
                          b->values + (size_t)i * STATE_VALUE_BYTES, STATE_VALUE_BYTES) != 0;
    return changed;
}

static bool moved(const struct state_frame *a, const struct state_frame *b)
{
    return a->func != b->func || a->offset != b->offset || a->inside != b->inside;
}

/* The same place with other values is one line, another place two. */
static void show_frame_change(struct bytes *out, const struct image_diff *d, uint32_t i)
{
    const struct state *a = from_state(d), *b = to_state(d);
    const bool was = i < a->frame_count, is = i < b->frame_count;

    if (was && is && !moved(&a->frames[i], &b->frames[i])) {
        bytes_append_text(out, "  ~ ");
        shown_count_of(out, values_changed(&a->frames[i], &b->frames[i]), "value");
        bytes_append_text(out, " of ");
        show_frame(out, d, b, i);
        return;
    }
    if (was) {
        bytes_append_text(out, "  - ");
        show_frame(out, d, a, i);
    }
    if (is) {
        bytes_append_text(out, "  + ");
        show_frame(out, d, b, i);
    }
}

static void show_more(struct bytes *out, size_t more)
{
    if (more)
        bytes_appendf(out, "  and %zu more; --json lists all\n", more);
}

static void show_frames(struct bytes *out, const struct image_diff *d)
{
    const uint32_t was = from_state(d)->frame_count, is = to_state(d)->frame_count;
    const uint32_t most = was > is ? was : is;
    uint32_t i = d->frames_same;

    bytes_append_text(out, "\ncall stack: ");
    shown_count_of(out, was, "frame");
    bytes_append_text(out, ", then ");
    shown_count(out, is);
    bytes_append_text(out, "; the outermost ");
    shown_count(out, d->frames_same);
    bytes_append_text(out, " are the same\n");
    for (; i < most && i - d->frames_same < LINES_MAX; i++)
        show_frame_change(out, d, i);
    show_more(out, most - i);
}

static void show_globals(struct bytes *out, const struct image_diff *d)
{
    const struct state_instance *a = &from_state(d)->instances[0], *b = &to_state(d)->instances[0];
    size_t changed = 0;

    for (uint32_t i = 0; i < b->global_count; i++)
        changed += image_diff_global(d, i);
    bytes_appendf(out, "\nglobals that differ: %zu\n", changed);
    for (uint32_t i = 0, lines = 0; i < b->global_count && lines < LINES_MAX; i++) {
        if (!image_diff_global(d, i))
            continue;
        bytes_appendf(out, "  %5" PRIu32 "  %s  ", i, shown_type(b->globals[i].letter));
        shown_value(out, a->globals[i].letter, a->globals[i].value);
        bytes_append_text(out, " -> ");
        shown_value(out, b->globals[i].letter, b->globals[i].value);
        bytes_append_text(out, "\n");
        lines++;
    }
    show_more(out, changed > LINES_MAX ? changed - LINES_MAX : 0);
}

static void show_pages_of(struct bytes *out, const struct image_diff *d, enum page_fate fate,
                          const char *what)
{
    const struct bytes *ranges = &d->pages.ranges[fate];
    const size_t count = page_range_count(ranges);

    bytes_appendf(out, "  %-8s ", what);
    shown_count_of(out, d->pages.count[fate], "page");
    bytes_append_text(out, "\n");
    for (size_t i = 0; i < count && i < LINES_MAX; i++) {
        const struct page_range r = page_range_at(ranges, i);

        bytes_appendf(out, "    %#10zx to %#10zx  ", r.first * IMAGE_PAGE_BYTES,
                      (r.first + r.count) * IMAGE_PAGE_BYTES - 1);
        shown_count_of(out, r.count, "page");
        bytes_append_text(out, "\n");
    }
    show_more(out, count > LINES_MAX ? count - LINES_MAX : 0);
    if (ranges->failed)
        out->failed = true;
}

static void show_memory(struct bytes *out, const struct image_diff *d)
{
    bytes_append_text(out, "\nmemory: ");
    shown_size(out, (uint64_t)from_state(d)->instances[0].memory_pages * WASM_PAGE_BYTES);
    bytes_append_text(out, ", then ");
    shown_size(out, (uint64_t)to_state(d)->instances[0].memory_pages * WASM_PAGE_BYTES);
    bytes_append_text(out, "; ");
    shown_count_of(out, d->pages.count[PAGE_SAME], "page");
    bytes_append_text(out, " in use and the same\n");
    show_pages_of(out, d, PAGE_CHANGED, "changed");
    show_pages_of(out, d, PAGE_NEW, "new");
    show_pages_of(out, d, PAGE_ZEROED, "zeroed");
}

static void show_fd(struct bytes *out, const struct image_look *l, const struct state_fd *fd,
                    char sign)
{
    if (!fd)
        return;
    bytes_appendf(out, "  %c %5" PRIu32 "  %-9s  ", sign, fd->number, shown_fd_kind(fd->kind));
    shown_fd_path(out, l, fd);
    bytes_appendf(out, ", at %" PRIu64, fd->offset);
    if (fd->kind == STATE_FD_FILE)
        bytes_appendf(out, " of %" PRIu64 " bytes%s", fd->size, fd->written ? ", written" : "");
    bytes_append_text(out, "\n");
}

static void show_fds(struct bytes *out, const struct image_diff *d)
{
    struct fd_cursor at = {0};
    struct fd_change change;

    bytes_append_text(out, "\ndescriptors that differ:");
    if (!image_diff_next_fd(d, &at, &change)) {
        bytes_append_text(out, " none\n");
        return;
    }
    bytes_append_text(out, "\n");
    do {
        show_fd(out, &d->from, change.from, '-');
        show_fd(out, &d->to, change.to, '+');
    } while (image_diff_next_fd(d, &at, &change));
}

void image_diff_text(struct bytes *out, const struct image_diff *d)
{
    show_head(out, d);
    show_frames(out, d);
    show_globals(out, d);
    show_memory(out, d);
    show_fds(out, d);
    image_files_diff_text(out, &d->files, from_state(d)->tree || to_state(d)->tree);
}
