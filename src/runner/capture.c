#include "runner/capture.h"

#include "base/little.h"
#include "rt/suspend.h"
#include "rt/value.h"
#include "runner/end.h"

#include <string.h>

_Static_assert((int)STATE_VALUE_BYTES == (int)TERN_VALUE_BYTES, "one form of a value");

/* ---- Saving ---- */

static bool save_frames(struct state *out, struct arena *arena)
{
    out->frame_count = suspend_frame_count();
    out->frames = arena_new(arena, out->frame_count, sizeof *out->frames);
    for (uint32_t i = 0; out->frames && i < out->frame_count; i++) {
        const struct rt_frame *f = suspend_frame(i);

        out->frames[i] = (struct state_frame){
            .func = f->func,
            .offset = f->offset,
            .inside = f->inside,
            .value_count = f->count,
            .values = f->value,
        };
    }
    return out->frames;
}

static bool save_globals(const struct tern_instance *in, struct state_instance *out,
                         struct arena *arena)
{
    out->global_count = in->module->global_count;
    out->globals = arena_new(arena, out->global_count + 1, sizeof *out->globals);
    for (uint32_t i = 0; out->globals && i < out->global_count; i++) {
        out->globals[i].letter = in->module->globals[i].valtype;
        value_save((char)out->globals[i].letter, &in->cell[i], out->globals[i].value);
    }
    return out->globals;
}

static bool save_table(const struct tern_table *t, struct state_table *out, struct arena *arena)
{
    uint8_t *refs = arena_new(arena, (size_t)t->size + 1, 8);

    for (uint32_t i = 0; refs && i < t->size; i++)
        little_put(refs + 8 * (size_t)i,
                   t->elemtype == 'r' ? tern_ref_number(t->slot[i].ref) : t->slot[i].ref, 8);
    *out = (struct state_table){.letter = t->elemtype, .size = t->size, .refs = refs};
    return refs;
}

static bool save_tables(const struct tern_instance *in, struct state_instance *out,
                        struct arena *arena)
{
    out->table_count = in->module->table_count;
    out->tables = arena_new(arena, out->table_count + 1, sizeof *out->tables);
    for (uint32_t i = 0; out->tables && i < out->table_count; i++) {
        if (!save_table(in->table[in->module->imported_tables + i], &out->tables[i], arena))
            return false;
    }
    return out->tables;
}

bool capture_save(const struct program *p, struct state *out, struct arena *arena)
{
    const struct tern_instance *in = p->in;
    struct state_instance *one = arena_new(arena, 1, sizeof *one);

    if (!one)
        return false;
    out->phase = p->phase;
    out->instances = one;
    out->instance_count = 1;
    one->data_count = in->module->data_count;
    one->data_dropped = in->data_dropped;
    one->elem_count = in->module->elem_count;
    one->elem_dropped = in->elem_dropped;
    one->memory_pages = in->module->memory_count ? in->memory[0]->pages : 0;
    return save_frames(out, arena) && save_globals(in, one, arena) && save_tables(in, one, arena);
}

/* ---- Restoring ---- */

static void restore_table(struct tern_instance *in, uint32_t index, const struct state_table *from)
{
    const uint32_t now = in->table[index]->size;

    if (from->size < now ||
        (from->size > now && tern_table_grow(in, index, 0, from->size - now) == UINT32_MAX))
        end_refused("there is no memory for its tables, or they are larger than allowed");
    for (uint32_t i = 0; i < from->size; i++) {
        const uint64_t number = little_get(from->refs + 8 * (size_t)i, 8);

        tern_table_set(in, index, i, from->letter == 'r' ? tern_ref_numbered(number) : number);
    }
}

void capture_restore(struct program *p)
{
    const struct state_instance *from = &p->state.instances[0];
    struct tern_instance *in = p->in;
    const struct tern_module *m = in->module;

    if (p->state.instance_count != 1 || from->global_count != m->global_count ||
        from->table_count != m->table_count || from->data_count != m->data_count ||
        from->elem_count != m->elem_count)
        end_refused("the state to go on from is not one of this module");
    for (uint32_t i = 0; i < from->global_count; i++)
        value_restore((char)m->globals[i].valtype, from->globals[i].value, &in->cell[i]);
    for (uint32_t i = 0; i < from->table_count; i++)
        restore_table(in, m->imported_tables + i, &from->tables[i]);
    if (from->data_count)
        memcpy(in->data_dropped, from->data_dropped, from->data_count);
    if (from->elem_count)
        memcpy(in->elem_dropped, from->elem_dropped, from->elem_count);
}

const struct tern_resumed *capture_frames(struct program *p)
{
    const uint32_t count = p->state.frame_count;
    struct tern_resumed *frames = arena_new(&p->arena, count, sizeof *frames);

    if (!frames)
        end_refused("no memory for its frames");
    for (uint32_t i = 0; i < count; i++) {
        const struct state_frame *f = &p->state.frames[i];

        frames[i] = (struct tern_resumed){
            .code = suspend_find(p->continuations, f->func, f->offset, f->inside),
            .instance = p->in,
            .value = f->values,
            .func = f->func,
            .offset = f->offset,
            .inside = f->inside,
        };
        if (!frames[i].code)
            end_refused("a continuation is missing: function %u at 0x%x", f->func, f->offset);
    }
    suspend_resume(frames, count);
    return frames;
}
