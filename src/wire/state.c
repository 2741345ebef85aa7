#include "wire/state.h"

#include "wire/reader.h"

#include <string.h>

/*
 * The order is that of the members in state.h. Sizes of the parts as they are written, without
 * what has a count of its own: no list is longer than the bytes that are left can hold.
 */
enum {
    MAGIC_BYTES = 8,
    FRAME_BYTES = 4 + 4 + 4 + 1 + 4,
    GLOBAL_BYTES = 1 + STATE_VALUE_BYTES,
    TABLE_BYTES = 1 + 4,
    REF_BYTES = 8,
    INSTANCE_BYTES = 5 * 4,
    FD_BYTES = 4 + 1 + 1 + 2 + 8 + 8 + 4 + 1 + 1 + 4 + 8 + 8 + 8 + 8 + 8,
    MEMORY_PAGES_MAX = 65536,
};

static const uint8_t state_magic[MAGIC_BYTES] = {'T', 'E', 'R', 'N', 'S', 'T', 'A', '1'};

/* ---- What a sound state is, for both directions ---- */

static bool frames_fit(const struct state *s)
{
    uint64_t values = 0;

    if (s->frame_count > STATE_FRAMES_MAX)
        return false;
    for (uint32_t i = 0; i < s->frame_count; i++)
        values += s->frames[i].value_count;
    return values <= STATE_VALUES_MAX;
}

static bool instance_fits(const struct state_instance *in)
{
    uint64_t elements = 0;

    if (in->global_count > STATE_GLOBALS_MAX || in->table_count > STATE_TABLES_MAX ||
        in->data_count > STATE_SEGMENTS_MAX || in->elem_count > STATE_SEGMENTS_MAX)
        return false;
    for (uint32_t i = 0; i < in->table_count; i++)
        elements += in->tables[i].size;
    return elements <= STATE_ELEMENTS_MAX && in->memory_pages <= MEMORY_PAGES_MAX;
}

bool state_fits(const struct state *s)
{
    if (!frames_fit(s) || s->instance_count > STATE_INSTANCES_MAX || s->fd_count > STATE_FDS_MAX)
        return false;
    for (uint32_t i = 0; i < s->instance_count; i++) {
        if (!instance_fits(&s->instances[i]))
            return false;
    }
    for (uint32_t i = 0; i < s->fd_count; i++) {
        if (s->fds[i].path.size > STATE_PATH_BYTES_MAX)
            return false;
    }
    return true;
}

static bool is_letter(uint8_t letter)
{
    return letter && strchr("iIfdvre", letter);
}

static bool flags_sound(const uint8_t *flags, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (flags[i] > 1)
            return false;
    }
    return true;
}

static bool instance_sound(const struct state_instance *in)
{
    for (uint32_t i = 0; i < in->global_count; i++) {
        if (!is_letter(in->globals[i].letter))
            return false;
    }
    for (uint32_t i = 0; i < in->table_count; i++) {
        if (in->tables[i].letter != 'r' && in->tables[i].letter != 'e')
            return false;
    }
    return flags_sound(in->data_dropped, in->data_count) &&
           flags_sound(in->elem_dropped, in->elem_count);
}

static bool fd_sound(const struct state_fd *fd)
{
    return fd->number < STATE_FDS_MAX && fd->kind >= STATE_FD_STANDARD &&
           fd->kind <= STATE_FD_TREE_DIRECTORY &&
           !(fd->path.size > 0 && memchr(fd->path.data, 0, fd->path.size));
}

static bool sound(const struct state *s)
{
    for (uint32_t i = 0; i < s->instance_count; i++) {
        if (!instance_sound(&s->instances[i]))
            return false;
    }
    for (uint32_t i = 0; i < s->fd_count; i++) {
        if (!fd_sound(&s->fds[i]) || (i > 0 && s->fds[i].number <= s->fds[i - 1].number))
            return false;
    }
    return (s->phase == STATE_IN_START || s->phase == STATE_IN_MAIN) &&
           (s->seeded || (s->random_seed == 0 && s->random_position == 0));
}

/* ---- Encoding ---- */

static void put_frame(struct bytes *out, const struct state_frame *f)
{
    put(out, f->instance, 4);
    put(out, f->func, 4);
    put(out, f->offset, 4);
    put(out, f->inside, 1);
    put(out, f->value_count, 4);
    bytes_append(out, f->values, (size_t)f->value_count * STATE_VALUE_BYTES);
}

static void put_instance(struct bytes *out, const struct state_instance *in)
{
    put(out, in->global_count, 4);
    for (uint32_t i = 0; i < in->global_count; i++) {
        put(out, in->globals[i].letter, 1);
        bytes_append(out, in->globals[i].value, STATE_VALUE_BYTES);
    }
    put(out, in->table_count, 4);
    for (uint32_t i = 0; i < in->table_count; i++) {
        put(out, in->tables[i].letter, 1);
        put(out, in->tables[i].size, 4);
        bytes_append(out, in->tables[i].refs, (size_t)in->tables[i].size * REF_BYTES);
    }
    put(out, in->data_count, 4);
    bytes_append(out, in->data_dropped, in->data_count);
    put(out, in->elem_count, 4);
    bytes_append(out, in->elem_dropped, in->elem_count);
    put(out, in->memory_pages, 4);
}

static void put_fd(struct bytes *out, const struct state_fd *fd)
{
    put(out, fd->number, 4);
    put(out, fd->kind, 1);
    put(out, fd->filetype, 1);
    put(out, fd->flags, 2);
    put(out, fd->rights, 8);
    put(out, fd->inheriting, 8);
    put(out, fd->source, 4);
    put(out, fd->read_only, 1);
    put(out, fd->written, 1);
    put(out, fd->path.size, 4);
    bytes_append(out, fd->path.data, fd->path.size);
    put(out, fd->offset, 8);
    put(out, fd->size, 8);
    put(out, (uint64_t)fd->mtime_ns, 8);
    put(out, fd->inode, 8);
    put(out, fd->ends, 8);
}

static enum tern_err put_tree(struct bytes *out, const struct state_tree *t)
{
    struct bytes encoded = {0};
    enum tern_err err = t ? state_tree_encode(t, &encoded) : TERN_OK;

    put(out, encoded.size, 8);
    bytes_append(out, encoded.data, encoded.size);
    bytes_release(&encoded);
    return err;
}

enum tern_err state_encode(const struct state *s, struct bytes *out)
{
    enum tern_err err;

    if (!state_fits(s))
        return TERN_ETOOBIG;
    if (!sound(s))
        return TERN_EPROTO;
    bytes_append(out, state_magic, sizeof state_magic);
    put(out, s->phase, 1);
    put(out, s->sequence, 8);
    put(out, s->waited_ns, 8);
    put(out, s->output_bytes, 8);
    put(out, s->cpu_ns, 8);
    put(out, (uint64_t)s->monotonic_ns, 8);
    put(out, s->input_bytes, 8);
    put(out, s->input_kept, 8);
    put(out, s->input_sum, 8);
    put(out, s->input_ended, 1);
    put(out, s->files_changed, 1);
    put(out, s->seeded, 1);
    put(out, s->random_seed, 8);
    put(out, s->random_position, 8);
    put(out, s->frame_count, 4);
    for (uint32_t i = 0; i < s->frame_count; i++)
        put_frame(out, &s->frames[i]);
    put(out, s->instance_count, 4);
    for (uint32_t i = 0; i < s->instance_count; i++)
        put_instance(out, &s->instances[i]);
    put(out, s->fd_count, 4);
    for (uint32_t i = 0; i < s->fd_count; i++)
        put_fd(out, &s->fds[i]);
    err = put_tree(out, s->tree);
    return err || bytes_ok(out) ? err : TERN_ENOMEM;
}

/* ---- Decoding ---- */

static void get_frame(struct reader *r, struct state_frame *f)
{
    f->instance = get_u32(r);
    f->func = get_u32(r);
    f->offset = get_u32(r);
    f->inside = get_bool(r);
    f->value_count = get_count(r, STATE_VALUES_MAX, STATE_VALUE_BYTES);
    f->values = take_many(r, f->value_count, STATE_VALUE_BYTES);
}

static void get_globals(struct reader *r, struct state_instance *in)
{
    in->global_count = get_count(r, STATE_GLOBALS_MAX, GLOBAL_BYTES);
    in->globals = new_list(r, &in->global_count, sizeof *in->globals);
    for (uint32_t i = 0; i < in->global_count; i++) {
        const uint8_t *value;

        in->globals[i].letter = get_u8(r);
        value = take(r, STATE_VALUE_BYTES);
        if (value)
            memcpy(in->globals[i].value, value, STATE_VALUE_BYTES);
    }
}

static void get_tables(struct reader *r, struct state_instance *in)
{
    in->table_count = get_count(r, STATE_TABLES_MAX, TABLE_BYTES);
    in->tables = new_list(r, &in->table_count, sizeof *in->tables);
    for (uint32_t i = 0; i < in->table_count; i++) {
        struct state_table *t = &in->tables[i];

        t->letter = get_u8(r);
        t->size = get_count(r, STATE_ELEMENTS_MAX, REF_BYTES);
        t->refs = take_many(r, t->size, REF_BYTES);
    }
}

static void get_instance(struct reader *r, struct state_instance *in)
{
    get_globals(r, in);
    get_tables(r, in);
    in->data_count = get_count(r, STATE_SEGMENTS_MAX, 1);
    in->data_dropped = take(r, in->data_count);
    in->elem_count = get_count(r, STATE_SEGMENTS_MAX, 1);
    in->elem_dropped = take(r, in->elem_count);
    in->memory_pages = get_u32(r);
}

static void get_fd(struct reader *r, struct state_fd *fd)
{
    fd->number = get_u32(r);
    fd->kind = get_u8(r);
    fd->filetype = get_u8(r);
    fd->flags = (uint16_t)get(r, 2);
    fd->rights = get(r, 8);
    fd->inheriting = get(r, 8);
    fd->source = get_u32(r);
    fd->read_only = get_bool(r);
    fd->written = get_bool(r);
    fd->path.size = get_count(r, STATE_PATH_BYTES_MAX, 1);
    fd->path.data = take(r, fd->path.size);
    fd->offset = get(r, 8);
    fd->size = get(r, 8);
    fd->mtime_ns = (int64_t)get(r, 8);
    fd->inode = get(r, 8);
    fd->ends = get(r, 8);
}

static void get_scalars(struct reader *r, struct state *s)
{
    s->phase = get_u8(r);
    s->sequence = get(r, 8);
    s->waited_ns = get(r, 8);
    s->output_bytes = get(r, 8);
    s->cpu_ns = get(r, 8);
    s->monotonic_ns = (int64_t)get(r, 8);
    s->input_bytes = get(r, 8);
    s->input_kept = get(r, 8);
    s->input_sum = get(r, 8);
    s->input_ended = get_bool(r);
    s->files_changed = get_bool(r);
    s->seeded = get_bool(r);
    s->random_seed = get(r, 8);
    s->random_position = get(r, 8);
}

static void get_lists(struct reader *r, struct state *s)
{
    s->frame_count = get_count(r, STATE_FRAMES_MAX, FRAME_BYTES);
    s->frames = new_list(r, &s->frame_count, sizeof *s->frames);
    for (uint32_t i = 0; i < s->frame_count; i++)
        get_frame(r, &s->frames[i]);
    s->instance_count = get_count(r, STATE_INSTANCES_MAX, INSTANCE_BYTES);
    s->instances = new_list(r, &s->instance_count, sizeof *s->instances);
    for (uint32_t i = 0; i < s->instance_count; i++)
        get_instance(r, &s->instances[i]);
    s->fd_count = get_count(r, STATE_FDS_MAX, FD_BYTES);
    s->fds = new_list(r, &s->fd_count, sizeof *s->fds);
    for (uint32_t i = 0; i < s->fd_count; i++)
        get_fd(r, &s->fds[i]);
}

static void get_tree(struct reader *r, struct state *s)
{
    const uint64_t size = get(r, 8);
    const uint8_t *bytes = take(r, size);
    enum tern_err err;

    if (size == 0 || !bytes)
        return;
    s->tree = arena_new(r->arena, 1, sizeof *s->tree);
    err = s->tree ? state_tree_decode(s->tree, view_of(bytes, size), r->arena) : TERN_ENOMEM;
    if (err)
        refuse(r, err);
}

enum tern_err state_decode(struct state *s, struct view bytes, struct arena *arena)
{
    struct reader r = {bytes, arena, TERN_OK};
    const uint8_t *magic = take(&r, MAGIC_BYTES);

    *s = (struct state){0};
    if (!magic || memcmp(magic, state_magic, MAGIC_BYTES) != 0)
        return TERN_EPROTO;
    get_scalars(&r, s);
    get_lists(&r, s);
    get_tree(&r, s);
    if (!r.err && (r.rest.size > 0 || !state_fits(s) || !sound(s)))
        r.err = TERN_EPROTO;
    if (r.err)
        *s = (struct state){0};
    return r.err;
}
