/*
 * Continuations: for each point of a frame the function once more, with its entry there. Functions
 * that it calls are those of the module's own compiled form.
 */
#include "translate/emit.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* As of a piece that is compiled: what is longer was refused then. */
enum { FUNCTION_TEXT_MAX = 1 << 30 };

/* The C name of the n-th continuation. */
static void continuation_name(size_t n, char out[64])
{
    snprintf(out, 64, "c%zu", n);
}

/* Points from `first` on that share a continuation. */
static size_t shared(const struct translate_points *points, size_t first, bool together)
{
    size_t n = 1;

    while (together && first + n < points->count &&
           points->list[first + n].func == points->list[first].func)
        n++;
    return n;
}

static uint32_t lines_of(const struct bytes *text)
{
    uint32_t lines = 0;

    for (size_t i = 0; i < text->size; i++)
        lines += text->data[i] == '\n';
    return lines;
}

/* map may be NULL: whoever has none does not want its lines counted, either. */
static enum tern_err emit_one(struct emitter *e, const struct translate_points *wanted, size_t n,
                              struct bytes *out, struct line_map *map)
{
    uint32_t func = wanted->list[0].func, lines = map ? lines_of(out) : 0;
    char name[64];

    continuation_name(n, name);
    if (func >= e->module->func_count)
        return TERN_ENOENT;
    if (e->module->funcs[func].imported) {
        emit_host_continuation(e->module, func, name, out);
        return wanted->count == 1 && wanted->list[0].offset == 0 && !wanted->list[0].inside
                   ? TERN_OK
                   : TERN_ENOENT;
    }
    e->wanted = wanted;
    emit_function(e, func, name, out, &lines, map);
    if (e->failed)
        return TERN_ENOMEM;
    if (!bytes_ok(out))
        return TERN_ETOOBIG;
    return e->entry_count == wanted->count ? TERN_OK : TERN_ENOENT;
}

static void append_list(const struct translate_points *points, bool together, struct bytes *out)
{
    char name[64];
    size_t n = 0;

    bytes_append_text(out, "\nstatic const struct tern_continuation list[] = {\n");
    for (size_t i = 0; i < points->count; n++) {
        continuation_name(n, name);
        for (size_t k = shared(points, i, together); k > 0; k--, i++) {
            const struct translate_point *p = &points->list[i];

            bytes_appendf(out, "    {(tern_code)%s, %" PRIu32 ", %" PRIu32 ", %d},\n", name,
                          p->func, p->offset, (int)p->inside);
        }
    }
    bytes_appendf(
        out,
        "    {0}};\n\n#ifndef TERN_CONTINUATIONS\n"
        "#define TERN_CONTINUATIONS tern_continuations\n#endif\n"
        "__attribute__((visibility(\"default\")))\n"
        "const struct tern_continuations TERN_CONTINUATIONS = {TERN_RT_ABI, %zu, list};\n",
        points->count);
}

static enum tern_err write_all(struct emitter *e, const struct translate_points *points,
                               bool together, struct bytes *out, struct line_map *map)
{
    enum tern_err err = TERN_OK;
    size_t n = 0;

    emitter_limit(e, out->limit);
    emit_types(e->module, true, out);
    for (size_t i = 0; i < points->count && !err && bytes_ok(out); n++) {
        struct translate_points some = {points->list + i, shared(points, i, together)};

        err = emit_one(e, &some, n, out, map);
        i += some.count;
    }
    emitter_release(e);
    if (err)
        return err;
    append_list(points, together, out);
    return bytes_ok(out) ? TERN_OK : TERN_ETOOBIG;
}

enum tern_err translate_continuations(const struct wasm_module *m,
                                      const struct translate_options *o,
                                      const struct translate_points *points, bool together,
                                      struct bytes *out)
{
    struct emitter e = {.module = m, .options = o};

    return write_all(&e, points, together, out, NULL);
}

bool translate_locate_continuation(const struct wasm_module *m, const struct translate_options *o,
                                   const struct translate_points *points, uint32_t line,
                                   struct translate_place *out)
{
    struct emitter e = {.module = m, .options = o};
    struct line_map map = {.line_wanted = line};
    struct bytes text = {0};
    enum tern_err err = write_all(&e, points, false, &text, &map);

    bytes_release(&text);
    if (err || !map.found)
        return false;
    *out = map.place;
    return true;
}

enum tern_err translate_find_safepoints(const struct wasm_module *m, uint32_t func,
                                        struct translate_safepoints *out)
{
    struct emitter e = {.module = m, .found = out};
    struct bytes text = {0};
    uint32_t lines = 0;
    bool ok;

    check(func >= m->imported_funcs && func < m->func_count);
    emitter_limit(&e, FUNCTION_TEXT_MAX);
    text.limit = FUNCTION_TEXT_MAX;
    emit_function(&e, func, "f", &text, &lines, NULL);
    ok = !e.failed && bytes_ok(&text) && bytes_ok(&out->list) && bytes_ok(&out->letters);
    emitter_release(&e);
    bytes_release(&text);
    return ok ? TERN_OK : TERN_ENOMEM;
}

void translate_safepoints_release(struct translate_safepoints *s)
{
    bytes_release(&s->list);
    bytes_release(&s->letters);
}

int translate_compare_points(const void *a, const void *b)
{
    const struct translate_point *p = a, *q = b;

    if (p->func != q->func)
        return p->func < q->func ? -1 : 1;
    if (p->offset != q->offset)
        return p->offset < q->offset ? -1 : 1;
    return (int)p->inside - (int)q->inside;
}

static enum tern_err append_points(const struct wasm_module *m, uint32_t func, struct bytes *out)
{
    struct translate_safepoints found = {0};
    enum tern_err err = translate_find_safepoints(m, func, &found);
    const struct translate_safepoint *s = (const void *)found.list.data;
    size_t count = found.list.size / sizeof *s, first = out->size;

    for (size_t i = 0; i < count; i++)
        bytes_append(out, &s[i].point, sizeof s[i].point);
    if (!err && bytes_ok(out) && count > 0)
        qsort(out->data + first, count, sizeof s->point, translate_compare_points);
    translate_safepoints_release(&found);
    return err;
}

enum tern_err translate_all_points(const struct wasm_module *m, struct bytes *out)
{
    enum tern_err err = TERN_OK;

    for (uint32_t i = 0; i < m->func_count && !err; i++) {
        const struct translate_point host = {.func = i};

        if (m->funcs[i].imported)
            bytes_append(out, &host, sizeof host);
        else
            err = append_points(m, i, out);
    }
    if (err)
        return err;
    return bytes_ok(out) ? TERN_OK : TERN_ENOMEM;
}
