#include "translate/translate.h"

#include "base/check.h"
#include "translate/emit.h"

#include <string.h>

uint32_t translate_frame_cells(const struct wasm_module *m, uint32_t func)
{
    const struct wasm_func *f = &m->funcs[func];
    uint32_t values = f->local_count + f->stack_max;

    return 8 + (f->uses_v128 ? 2 * values : values);
}

/* The function after the last one of the piece that starts with `first`. */
static uint32_t piece_end(const struct wasm_module *m, const struct translate_options *o,
                          uint32_t first)
{
    uint64_t bytes = 0;
    uint32_t i = first;

    while (i < m->func_count && (i == first || o->piece_bytes == 0 || bytes < o->piece_bytes)) {
        bytes += m->funcs[i].code_end - m->funcs[i].code_offset;
        i++;
    }
    return i;
}

uint32_t translate_piece_count(const struct wasm_module *m, const struct translate_options *o)
{
    uint32_t count = 0;

    for (uint32_t i = m->imported_funcs; i < m->func_count; i = piece_end(m, o, i))
        count++;
    return count ? count : 1;
}

static enum tern_err write_piece(const struct wasm_module *m, const struct translate_options *o,
                                 uint32_t piece, struct bytes *out, struct line_map *map)
{
    struct emitter e = {.module = m, .options = o};
    uint32_t first = m->imported_funcs, lines = 0;
    uint32_t count = translate_piece_count(m, o);
    size_t prologue = out->size;
    char name[64];
    bool failed;

    check(piece < count);
    emitter_limit(&e, out->limit);
    for (uint32_t i = 0; i < piece; i++)
        first = piece_end(m, o, first);
    emit_prologue(m, count == 1, out);
    for (size_t i = prologue; i < out->size; i++)
        lines += out->data[i] == '\n';
    for (uint32_t i = first; i < piece_end(m, o, first) && bytes_ok(out) && !e.failed; i++) {
        func_name(m, i, name);
        emit_function(&e, i, name, out, &lines, map);
    }
    if (piece == 0 && !e.failed)
        emit_description(m, out);
    failed = e.failed;
    emitter_release(&e);
    if (failed)
        return TERN_ENOMEM;
    return bytes_ok(out) ? TERN_OK : TERN_ETOOBIG;
}

enum tern_err translate_piece(const struct wasm_module *m, const struct translate_options *o,
                              uint32_t piece, struct bytes *out)
{
    return write_piece(m, o, piece, out, NULL);
}

bool translate_locate(const struct wasm_module *m, const struct translate_options *o,
                      uint32_t piece, uint32_t line, struct translate_place *out)
{
    struct line_map map = {.line_wanted = line};
    struct bytes text = {0};
    enum tern_err err;

    if (piece >= translate_piece_count(m, o))
        return false;
    err = write_piece(m, o, piece, &text, &map);
    bytes_release(&text);
    if (err || !map.found)
        return false;
    *out = map.place;
    return true;
}
