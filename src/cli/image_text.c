#include "cli/image_pages.h"
#include "cli/image_show.h"
#include "cli/image_shown.h"

#include <inttypes.h>
#include <string.h>

enum { RANGES_SHOWN_MAX = 32, SAME_PLACE_LEAST = 3 };

static const struct state *state_of(const struct image_show *s)
{
    return &s->look.c.image.state;
}

/* ---- What it is ---- */

static void show_head(struct bytes *out, const struct image_show *s)
{
    const struct image_look *l = &s->look;
    char when[SHOWN_TIME_BYTES], hex[DIGEST_HEX_BYTES];

    bytes_appendf(out, "%s: checkpoint %" PRIu64 ", taken %s, in %s\n", s->dir, l->c.root.number,
                  shown_time(l->c.root.time_ns, when),
                  state_of(s)->phase == STATE_IN_START ? "the start function" : "_start");
    bytes_append_text(out, "checkpoints kept:");
    for (size_t i = s->number_count; i-- > 0;)
        bytes_appendf(out, " %" PRIu64, s->numbers[i]);
    digest_hex(&l->digest, hex);
    bytes_append_text(out, "\n\nmodule: ");
    bytes_append(out, l->name.data, l->name.size);
    bytes_append_text(out, ", ");
    shown_size(out, l->c.module.size);
    bytes_appendf(out, "\n  SHA-256    %s\n  arguments ", hex);
    for (size_t i = 0; i < l->settings.args.count; i++) {
        bytes_append_text(out, " ");
        bytes_append_shown(out, view_of_string(l->settings.args.word[i]));
    }
    bytes_append_text(out, "\n");
}

static void show_sizes(struct bytes *out, const struct image_show *s)
{
    const struct store_root *root = &s->look.c.root;

    bytes_append_text(out, "\nsizes:\n  new with this checkpoint  ");
    shown_count_of(out, root->new_chunks, "chunk");
    bytes_append_text(out, ", ");
    shown_size(out, root->new_bytes);
    bytes_append_text(out, " on disk\n  stored in the directory   ");
    shown_count_of(out, s->usage.chunks, "chunk");
    bytes_append_text(out, ", ");
    shown_size(out, s->usage.held_bytes);
    bytes_append_text(out, ", on disk ");
    shown_size(out, s->usage.disk_bytes);
    bytes_append_text(out, "\n  memory in use             ");
    shown_size(out, (uint64_t)s->pages_used * IMAGE_PAGE_BYTES);
    bytes_append_text(out, " of ");
    shown_size(out, (uint64_t)state_of(s)->instances[0].memory_pages * WASM_PAGE_BYTES);
    bytes_append_text(out, "\n  state                     ");
    shown_size(out, s->look.c.image_bytes.size);
    bytes_append_text(out, "\n");
}

static void show_shared(struct bytes *out, const struct image_show *s)
{
    if (!s->before) {
        bytes_append_text(out, "\nshared: the checkpoint before it is not kept\n");
    } else if (!s->before_read) {
        bytes_appendf(out, "\nshared: checkpoint %" PRIu64 " cannot be read\n", s->before);
    } else {
        bytes_appendf(out, "\nshared with checkpoint %" PRIu64 ": ", s->before);
        shown_count(out, s->pages_shared);
        bytes_append_text(out, " of ");
        shown_count_of(out, s->pages_used, "page");
        bytes_append_text(out, " in use, ");
        shown_size(out, (uint64_t)s->pages_shared * IMAGE_PAGE_BYTES);
        bytes_append_text(out, " (");
        shown_size(out, s->shared_stored_bytes);
        bytes_append_text(out, " on disk)\n");
    }
}

/* ---- The call stack ---- */

static void show_values(struct bytes *out, const struct image_show *s, const struct state_frame *f,
                        struct frame_letters *letters)
{
    if (!frame_letters_find(letters, &s->look.module, f)) {
        out->failed = true;
        return;
    }
    for (uint32_t i = 0; i < f->value_count; i++) {
        const uint8_t letter = letters->letters.data[i];
        const bool local = i < letters->local_count;

        bytes_appendf(out, "          %-7s %3" PRIu32 "  %-4s  ", local ? "local" : "operand",
                      local ? i : i - letters->local_count, shown_type(letter));
        shown_value(out, letter, f->values + (size_t)i * STATE_VALUE_BYTES);
        bytes_append_text(out, "\n");
    }
}

static void show_frame(struct bytes *out, const struct image_show *s, uint32_t depth)
{
    const struct state *state = state_of(s);
    const struct state_frame *f = &state->frames[state->frame_count - 1 - depth];

    bytes_appendf(out, "  #%-6" PRIu32 " func %5" PRIu32 "  ", depth, f->func);
    if (f->offset)
        bytes_appendf(out, "%#8" PRIx32 "  ", f->offset);
    else
        bytes_append_text(out, "  import  ");
    bytes_appendf(out, "%5" PRIu32 "  ", f->value_count);
    shown_function(out, &s->look.module, f->func);
    bytes_append_text(out, ": ");
    shown_place(out, &s->look.module, f);
    bytes_append_text(out, "\n");
}

static bool same_place(const struct state_frame *a, const struct state_frame *b)
{
    return a->func == b->func && a->offset == b->offset && a->inside == b->inside;
}

/* How many frames from this one on, outwards, stand where it stands. */
static uint32_t same_places(const struct state *s, uint32_t depth)
{
    const struct state_frame *last = &s->frames[s->frame_count - 1];
    uint32_t count = 1;

    while (depth + count < s->frame_count && same_place(last - depth, last - depth - count))
        count++;
    return count;
}

static void show_frames(struct bytes *out, const struct image_show *s)
{
    const struct state *state = state_of(s);
    struct frame_letters letters = {.func = 0};

    bytes_append_text(out, "\ncall stack: ");
    shown_count_of(out, state->frame_count, "frame");
    bytes_append_text(out, ", innermost first\n");
    if (state->frame_count)
        bytes_append_text(out, "  FRAME   FUNCTION      OFFSET  VALUES  NAME AND PLACE\n");
    for (uint32_t depth = 0; depth < state->frame_count;) {
        const uint32_t same = s->values ? 1 : same_places(state, depth);

        show_frame(out, s, depth);
        if (s->values)
            show_values(out, s, &state->frames[state->frame_count - 1 - depth], &letters);
        if (same >= SAME_PLACE_LEAST)
            bytes_appendf(out, "  to #%" PRIu32 ": the same place\n", depth + same - 1);
        depth += same >= SAME_PLACE_LEAST ? same : 1;
    }
    frame_letters_release(&letters);
}

/* ---- Memory ---- */

static void show_ranges(struct bytes *out, const char *what, const struct bytes *ranges)
{
    const size_t count = page_range_count(ranges);

    for (size_t i = 0; i < count && i < RANGES_SHOWN_MAX; i++) {
        const struct page_range r = page_range_at(ranges, i);

        bytes_appendf(out, "  %-6s %#10zx to %#10zx  ", what, r.first * IMAGE_PAGE_BYTES,
                      (r.first + r.count) * IMAGE_PAGE_BYTES - 1);
        shown_count_of(out, r.count, "page");
        bytes_append_text(out, "\n");
    }
    if (count > RANGES_SHOWN_MAX)
        bytes_appendf(out, "  and %zu more; --json lists all\n", count - RANGES_SHOWN_MAX);
}

static void show_memory(struct bytes *out, const struct image_show *s)
{
    const struct view names = bytes_view(&s->look.pages);
    struct bytes ranges = {0};

    bytes_append_text(out, "\nmemory: ");
    shown_count_of(out, state_of(s)->instances[0].memory_pages, "page");
    bytes_append_text(out, " of 64 KiB; ");
    shown_count(out, s->pages_used);
    bytes_append_text(out, " of ");
    shown_count_of(out, names.size / IMAGE_HASH_BYTES, "page");
    bytes_append_text(out, " of 4 KiB in use\n");
    pages_used_lists(names, &ranges);
    show_ranges(out, "lists", &ranges);
    bytes_clear(&ranges);
    pages_used(names, &ranges);
    show_ranges(out, "used", &ranges);
    if (ranges.failed)
        out->failed = true;
    bytes_release(&ranges);
}

/* ---- Globals, tables, segments ---- */

static void show_globals(struct bytes *out, const struct state_instance *in)
{
    if (in->global_count)
        bytes_appendf(out, "\nglobals: %" PRIu32 "\n", in->global_count);
    for (uint32_t i = 0; i < in->global_count; i++) {
        const struct state_global *g = &in->globals[i];

        bytes_appendf(out, "  %5" PRIu32 "  %-9s  ", i, shown_type(g->letter));
        shown_value(out, g->letter, g->value);
        bytes_append_text(out, "\n");
    }
}

static uint32_t count_ones(const uint8_t *flags, uint32_t count)
{
    uint32_t ones = 0;

    for (uint32_t i = 0; i < count; i++)
        ones += flags[i];
    return ones;
}

static void show_tables(struct bytes *out, const struct state_instance *in)
{
    if (in->table_count)
        bytes_appendf(out, "\ntables: %" PRIu32 "\n", in->table_count);
    for (uint32_t i = 0; i < in->table_count; i++) {
        const struct state_table *t = &in->tables[i];

        bytes_appendf(out, "  %5" PRIu32 "  %-9s  ", i, shown_type(t->letter));
        shown_count_of(out, t->size, "element");
        bytes_append_text(out, ", ");
        shown_count(out, shown_nulls(t));
        bytes_append_text(out, " of them null\n");
    }
    if (in->data_count || in->elem_count)
        bytes_appendf(out,
                      "\nsegments dropped: %" PRIu32 " of %" PRIu32 " data, %" PRIu32 " of %" PRIu32
                      " element\n",
                      count_ones(in->data_dropped, in->data_count), in->data_count,
                      count_ones(in->elem_dropped, in->elem_count), in->elem_count);
}

/* ---- The host's side ---- */

static void show_fd(struct bytes *out, const struct image_show *s, const struct state_fd *fd)
{
    bytes_appendf(out, "  %5" PRIu32 "  %-9s  ", fd->number, shown_fd_kind(fd->kind));
    shown_fd_path(out, &s->look, fd);
    if (fd->kind == STATE_FD_FILE)
        bytes_appendf(out, ", at %" PRIu64 " of %" PRIu64 " bytes%s", fd->offset, fd->size,
                      fd->written ? ", written" : "");
    if (fd->kind == STATE_FD_TREE_FILE)
        bytes_appendf(out, ", at %" PRIu64, fd->offset);
    if (fd->kind == STATE_FD_DIRECTORY || fd->kind == STATE_FD_PREOPENED)
        bytes_appendf(out, ", at entry %" PRIu64, fd->offset);
    if (fd->read_only)
        bytes_append_text(out, ", read-only");
    if (fd->flags) {
        bytes_append_text(out, ", ");
        shown_fd_flags(out, fd->flags);
    }
    bytes_append_text(out, "\n");
}

static void show_input(struct bytes *out, const struct state *state)
{
    if (state->input_bytes == 0 && state->input_kept == 0 && !state->input_ended)
        return;
    bytes_append_text(out, "\n  input                ");
    shown_count_of(out, state->input_bytes, "byte");
    bytes_append_text(out, " read");
    if (state->input_kept) {
        bytes_append_text(out, ", ");
        shown_count_of(out, state->input_kept, "byte");
        bytes_append_text(out, " kept for it");
    }
    bytes_append_text(out, state->input_ended ? ", ended" : "");
}

static void show_host(struct bytes *out, const struct image_show *s)
{
    const struct state *state = state_of(s);

    bytes_appendf(out, "\ndescriptors: %" PRIu32 "\n", state->fd_count);
    for (uint32_t i = 0; i < state->fd_count; i++)
        show_fd(out, s, &state->fds[i]);
    bytes_append_text(out, "\ncounters:\n  host calls answered  ");
    shown_count(out, state->sequence);
    bytes_append_text(out, "\n  output               ");
    shown_count_of(out, state->output_bytes, "byte");
    show_input(out, state);
    bytes_append_text(out, "\n  processor time       ");
    shown_duration(out, state->cpu_ns);
    bytes_append_text(out, "\n  its own clock        ");
    shown_duration(out, (uint64_t)state->monotonic_ns);
    bytes_append_text(out, "\n  waited in a call     ");
    shown_duration(out, state->waited_ns);
    bytes_append_text(out, "\n  limits               ");
    shown_size(out, s->look.c.image.limits_memory_pages * WASM_PAGE_BYTES);
    bytes_append_text(out, " of memory, ");
    shown_count_of(out, s->look.c.image.limits_stack_cells, "cell");
    bytes_append_text(out, " of call stack\n");
    if (state->seeded) {
        bytes_appendf(out, "  random numbers       seed %" PRIu64 ", ", state->random_seed);
        shown_count_of(out, state->random_position, "byte");
        bytes_append_text(out, " taken\n");
    }
    if (s->look.c.image.deterministic)
        bytes_append_text(out, "  deterministic        NaNs of arithmetic are canonical\n");
}

void image_show_text(struct bytes *out, const struct image_show *s)
{
    show_head(out, s);
    show_sizes(out, s);
    show_shared(out, s);
    show_frames(out, s);
    show_memory(out, s);
    show_globals(out, &state_of(s)->instances[0]);
    show_tables(out, &state_of(s)->instances[0]);
    show_host(out, s);
    image_files_text(out, &s->look, &s->files, s->before_read ? s->before : 0);
}
