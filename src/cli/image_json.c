#include "cli/image_json.h"

#include "cli/image_pages.h"
#include "cli/image_show.h"
#include "cli/json_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- Parts ---- */

static json_t *number_of(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* Floats as text: JSON has neither infinities nor NaNs. */
static json_t *float_value(uint8_t letter, const uint8_t *value)
{
    struct bytes out = {0};

    shown_float(&out, letter, value);
    return json_text_take(&out);
}

json_t *image_json_value(uint8_t letter, const uint8_t *value)
{
    const uint64_t n = value_u64(value);
    char bits[SHOWN_HEX_BYTES];
    json_t *shown;

    switch (letter) {
    case 'i': shown = json_integer((int32_t)(uint32_t)n); break;
    case 'I': shown = json_integer((int64_t)n); break;
    case 'f':
    case 'd': shown = float_value(letter, value); break;
    case 'v': shown = json_string(shown_bits(letter, value, bits)); break;
    default: shown = n ? number_of(n - 1) : json_null(); break;
    }
    if (letter == 'f' || letter == 'd')
        return json_pack("{s:s, s:o, s:s}", "type", shown_type(letter), "value", shown, "bits",
                         shown_bits(letter, value, bits));
    return json_pack("{s:s, s:o}", "type", shown_type(letter), "value", shown);
}

static json_t *values_of(const struct wasm_module *m, const struct state_frame *f,
                         struct frame_letters *letters)
{
    json_t *out;

    if (!frame_letters_find(letters, m, f))
        return NULL;
    out = json_array();
    for (uint32_t i = 0; i < f->value_count; i++)
        json_array_append_new(out, image_json_value(letters->letters.data[i],
                                                    f->values + (size_t)i * STATE_VALUE_BYTES));
    return out;
}

static json_t *function_name(const struct wasm_module *m, uint32_t func)
{
    struct bytes out = {0};
    json_t *name;

    if (m->funcs[func].name.size)
        return json_stringn((const char *)m->funcs[func].name.data, m->funcs[func].name.size);
    shown_function(&out, m, func);
    name = out.size ? json_text_take(&out) : json_null();
    bytes_release(&out);
    return name;
}

json_t *image_json_frame(const struct wasm_module *m, const struct state_frame *f,
                         struct frame_letters *letters)
{
    const uint32_t locals = frame_locals(m, f->func);
    json_t *out =
        json_pack("{s:I, s:o, s:I, s:b, s:b, s:I, s:I}", "function", (json_int_t)f->func, "name",
                  function_name(m, f->func), "offset", (json_int_t)f->offset, "imported",
                  f->func < m->imported_funcs, "inside_call", (int)f->inside, "locals",
                  (json_int_t)locals, "operands", (json_int_t)f->value_count - locals);

    if (letters)
        json_object_set_new(out, "values", values_of(m, f, letters));
    return out;
}

static json_t *flag_list(uint16_t flags)
{
    struct bytes names = {0};
    json_t *out = json_array();

    for (unsigned i = 0; i < 16; i++) {
        if (!(flags >> i & 1))
            continue;
        shown_fd_flags(&names, (uint16_t)(1U << i));
        json_array_append_new(out, json_stringn((const char *)names.data, names.size));
        bytes_clear(&names);
    }
    bytes_release(&names);
    return out;
}

json_t *image_json_fd(const struct image_look *l, const struct state_fd *fd)
{
    const bool beneath = fd->kind != STATE_FD_STANDARD && fd->kind < STATE_FD_TREE &&
                         fd->source < l->settings.dir_count;
    const char *dir = beneath ? l->settings.dirs[fd->source].guest : "";

    return json_pack("{s:I, s:s, s:I, s:o, s:o, s:I, s:I, s:I, s:o, s:b, s:b, s:I}", "number",
                     (json_int_t)fd->number, "kind", shown_fd_kind(fd->kind), "source",
                     (json_int_t)fd->source, "directory", json_text_escaped(view_of_string(dir)),
                     "path", json_text_escaped(fd->path), "offset", (json_int_t)fd->offset,
                     "size_bytes", (json_int_t)fd->size, "mtime_ns", (json_int_t)fd->mtime_ns,
                     "flags", flag_list(fd->flags), "read_only", (int)fd->read_only, "written",
                     (int)fd->written, "inode", (json_int_t)fd->inode);
}

json_t *image_json_ranges(const struct bytes *ranges)
{
    json_t *out = ranges->failed ? NULL : json_array();

    for (size_t i = 0; out && i < page_range_count(ranges); i++) {
        const struct page_range r = page_range_at(ranges, i);

        json_array_append_new(out, json_pack("{s:I, s:I}", "first", (json_int_t)r.first, "count",
                                             (json_int_t)r.count));
    }
    return out;
}

/* ---- A whole checkpoint ---- */

static json_t *module_of(const struct image_look *l)
{
    return json_pack("{s:o, s:I, s:o}", "name", json_text_escaped(view_of_string(l->settings.path)),
                     "size_bytes", (json_int_t)l->c.module.size, "sha256",
                     json_text_hex(l->digest.byte, DIGEST_BYTES));
}

static json_t *args_of(const struct image_look *l)
{
    json_t *out = json_array();

    for (size_t i = 0; i < l->settings.args.count; i++)
        json_array_append_new(out, json_text_escaped(view_of_string(l->settings.args.word[i])));
    return out;
}

static json_t *sizes_of(const struct image_show *s)
{
    const struct state_instance *in = &s->look.c.image.state.instances[0];

    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "new_chunks",
                     (json_int_t)s->look.c.root.new_chunks, "new_bytes",
                     (json_int_t)s->look.c.root.new_bytes, "stored_chunks",
                     (json_int_t)s->usage.chunks, "stored_bytes", (json_int_t)s->usage.held_bytes,
                     "disk_bytes", (json_int_t)s->usage.disk_bytes, "memory_bytes",
                     (json_int_t)in->memory_pages * WASM_PAGE_BYTES, "memory_used_bytes",
                     (json_int_t)s->pages_used * IMAGE_PAGE_BYTES, "state_bytes",
                     (json_int_t)s->look.c.image_bytes.size);
}

static json_t *shared_of(const struct image_show *s)
{
    if (!s->before_read)
        return json_null();
    return json_pack("{s:I, s:I, s:I, s:I}", "with", (json_int_t)s->before, "pages",
                     (json_int_t)s->pages_shared, "bytes",
                     (json_int_t)s->pages_shared * IMAGE_PAGE_BYTES, "stored_bytes",
                     (json_int_t)s->shared_stored_bytes);
}

static json_t *frames_of(const struct image_show *s)
{
    const struct state *state = &s->look.c.image.state;
    struct frame_letters letters = {.func = 0};
    json_t *out = json_array();

    for (uint32_t i = state->frame_count; i-- > 0;) {
        json_t *row =
            image_json_frame(&s->look.module, &state->frames[i], s->values ? &letters : NULL);

        json_array_append_new(out, row);
    }
    frame_letters_release(&letters);
    return out;
}

static json_t *memory_of(const struct image_show *s)
{
    const struct view names = bytes_view(&s->look.pages);
    struct bytes used = {0}, lists = {0};
    json_t *out;

    pages_used(names, &used);
    pages_used_lists(names, &lists);
    out = json_pack("{s:I, s:I, s:I, s:o, s:o}", "page_bytes", (json_int_t)IMAGE_PAGE_BYTES,
                    "pages", (json_int_t)(names.size / IMAGE_HASH_BYTES), "pages_used",
                    (json_int_t)s->pages_used, "used", image_json_ranges(&used), "lists_used",
                    image_json_ranges(&lists));
    bytes_release(&used);
    bytes_release(&lists);
    return out;
}

static json_t *globals_of(const struct state_instance *in)
{
    json_t *out = json_array();

    for (uint32_t i = 0; i < in->global_count; i++)
        json_array_append_new(out, image_json_value(in->globals[i].letter, in->globals[i].value));
    return out;
}

static json_t *tables_of(const struct state_instance *in)
{
    json_t *out = json_array();

    for (uint32_t i = 0; i < in->table_count; i++)
        json_array_append_new(out,
                              json_pack("{s:s, s:I, s:I}", "type", shown_type(in->tables[i].letter),
                                        "size", (json_int_t)in->tables[i].size, "null",
                                        (json_int_t)shown_nulls(&in->tables[i])));
    return out;
}

static json_t *dropped_of(const uint8_t *flags, uint32_t count)
{
    json_t *out = json_array();

    for (uint32_t i = 0; i < count; i++)
        if (flags[i])
            json_array_append_new(out, json_integer(i));
    return out;
}

static json_t *fds_of(const struct image_look *l)
{
    json_t *out = json_array();

    for (uint32_t i = 0; i < l->c.image.state.fd_count; i++)
        json_array_append_new(out, image_json_fd(l, &l->c.image.state.fds[i]));
    return out;
}

static json_t *counters_of(const struct state *s)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "host_calls",
                     (json_int_t)s->sequence, "output_bytes", (json_int_t)s->output_bytes, "cpu_ns",
                     (json_int_t)s->cpu_ns, "monotonic_ns", (json_int_t)s->monotonic_ns,
                     "waited_ns", (json_int_t)s->waited_ns, "input_bytes",
                     (json_int_t)s->input_bytes, "input_kept", (json_int_t)s->input_kept,
                     "input_ended", (int)s->input_ended);
}

/* null: random numbers are the system's own. */
static json_t *random_of(const struct state *s)
{
    return s->seeded ? json_pack("{s:o, s:I}", "seed", json_sprintf("%" PRIu64, s->random_seed),
                                 "position", (json_int_t)s->random_position)
                     : json_null();
}

static json_t *limits_of(const struct image *image)
{
    return json_pack("{s:I, s:I}", "memory_pages", (json_int_t)image->limits_memory_pages,
                     "stack_cells", (json_int_t)image->limits_stack_cells);
}

static json_t *kept_of(const struct image_show *s)
{
    json_t *out = json_array();

    for (size_t i = s->number_count; i-- > 0;)
        json_array_append_new(out, number_of(s->numbers[i]));
    return out;
}

json_t *image_show_json(const struct image_show *s)
{
    const struct image_look *l = &s->look;
    const struct image *image = &l->c.image;
    const struct state_instance *in = &image->state.instances[0];
    json_t *out = json_pack("{s:o, s:I, s:I, s:o, s:o, s:o, s:s, s:b, s:o, s:o, s:o}", "directory",
                            json_text_escaped(view_of_string(s->dir)), "number",
                            (json_int_t)l->c.root.number, "time_ns", (json_int_t)l->c.root.time_ns,
                            "kept", kept_of(s), "module", module_of(l), "args", args_of(l), "phase",
                            image->state.phase == STATE_IN_START ? "start" : "main",
                            "deterministic", (int)image->deterministic, "sizes", sizes_of(s),
                            "shared", shared_of(s), "frames", frames_of(s));

    if (!out)
        return NULL;
    json_object_set_new(out, "memory", memory_of(s));
    json_object_set_new(out, "globals", globals_of(in));
    json_object_set_new(out, "tables", tables_of(in));
    json_object_set_new(out, "data_dropped", dropped_of(in->data_dropped, in->data_count));
    json_object_set_new(out, "elements_dropped", dropped_of(in->elem_dropped, in->elem_count));
    json_object_set_new(out, "descriptors", fds_of(l));
    json_object_set_new(out, "files", image_files_json(l, &s->files));
    json_object_set_new(out, "counters", counters_of(&image->state));
    json_object_set_new(out, "random", random_of(&image->state));
    json_object_set_new(out, "limits", limits_of(image));
    return out;
}
