#include "wasm/names.h"

#include "wasm/reader.h"

enum { SUBSECTION_FUNCS = 1 };

static bool func_names(struct wasm_module *m, struct wasm_reader *r)
{
    struct wasm_fault fault;
    uint32_t count, func;
    struct view name;

    if (!reader_u32(r, &count, &fault))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!reader_u32(r, &func, &fault) || !reader_name(r, &name, &fault))
            return false;
        if (func >= m->func_count)
            return false;
        m->funcs[func].name = name;
    }
    return reader_done(r);
}

static bool subsections(struct wasm_module *m, struct wasm_reader *r)
{
    struct wasm_fault fault;
    struct wasm_reader part;
    struct view contents;
    uint32_t size;
    uint8_t id;

    while (!reader_done(r)) {
        if (!reader_u8(r, &id, &fault) || !reader_u32(r, &size, &fault) ||
            !reader_skip(r, size, &contents, &fault))
            return false;
        part = (struct wasm_reader){.base = r->base, .at = r->at - size, .end = r->at};
        if (id == SUBSECTION_FUNCS && !func_names(m, &part))
            return false;
    }
    return true;
}

void names_decode(struct wasm_module *m)
{
    for (uint32_t i = 0; i < m->custom_count; i++) {
        struct wasm_custom *custom = &m->customs[i];
        struct wasm_reader r;

        if (!view_equal(custom->name, view_of_string("name")))
            continue;
        r = reader_of(custom->bytes, 0, (uint32_t)custom->bytes.size);
        if (!subsections(m, &r))
            for (uint32_t f = 0; f < m->func_count; f++)
                m->funcs[f].name = (struct view){0};
        return; /* there is at most one */
    }
}
