/* Imports and exports. */
#include "wasm/decode.h"

#include "wasm/fault.h"

/* What one import describes: the member of its kind. */
struct described {
    uint32_t type;
    struct wasm_table table;
    struct wasm_memory memory;
    struct wasm_global global;
};

static bool kind(struct decoder *d, const char *what, enum wasm_kind *out)
{
    uint32_t at = d->r.at;
    uint8_t byte;

    if (!reader_u8(&d->r, &byte, d->fault))
        return false;
    if (byte > WASM_GLOBAL)
        return fault_set(d->fault, at, "malformed %s kind 0x%02x%s", what, byte,
                         byte == 4 ? " (exception handling: not supported)" : "");
    *out = (enum wasm_kind)byte;
    return true;
}

static bool import(struct decoder *d, struct wasm_import *i, struct described *out)
{
    i->offset = d->r.at;
    if (!reader_name(&d->r, &i->module, d->fault) || !reader_name(&d->r, &i->field, d->fault) ||
        !kind(d, "import", &i->kind))
        return false;
    switch (i->kind) {
    case WASM_FUNC: return reader_u32(&d->r, &out->type, d->fault);
    case WASM_TABLE: return decode_table(d, &out->table);
    case WASM_MEMORY: return decode_memory(d, &out->memory);
    case WASM_GLOBAL: return decode_global_type(d, &out->global);
    }
    return false;
}

/* Fills m->imports and counts the imports of each kind. */
static bool read_imports(struct decoder *d, uint32_t count)
{
    struct wasm_module *m = d->m;
    struct described ignored;

    m->imports = decode_new(d, count, sizeof *m->imports);
    if (!m->imports)
        return false;
    for (; m->import_count < count; m->import_count++) {
        struct wasm_import *i = &m->imports[m->import_count];

        if (!import(d, i, &ignored))
            return false;
        switch (i->kind) {
        case WASM_FUNC: i->index = m->imported_funcs++; break;
        case WASM_TABLE: i->index = m->imported_tables++; break;
        case WASM_MEMORY: i->index = m->imported_memories++; break;
        case WASM_GLOBAL: i->index = m->imported_globals++; break;
        }
    }
    if (m->imported_tables > WASM_TABLES_MAX)
        return fault_set(d->fault, d->r.at, "too many tables (%u, limit %d)", m->imported_tables,
                         WASM_TABLES_MAX);
    return true;
}

static bool new_index_spaces(struct decoder *d)
{
    struct wasm_module *m = d->m;

    m->funcs = decode_new(d, m->imported_funcs, sizeof *m->funcs);
    m->tables = decode_new(d, m->imported_tables, sizeof *m->tables);
    m->memories = decode_new(d, m->imported_memories, sizeof *m->memories);
    m->globals = decode_new(d, m->imported_globals, sizeof *m->globals);
    return m->funcs && m->tables && m->memories && m->globals;
}

static void add_import(struct wasm_module *m, enum wasm_kind of, struct described *what)
{
    what->table.imported = what->memory.imported = what->global.imported = true;
    switch (of) {
    case WASM_FUNC:
        m->funcs[m->func_count++] = (struct wasm_func){.type = what->type, .imported = true};
        break;
    case WASM_TABLE: m->tables[m->table_count++] = what->table; break;
    case WASM_MEMORY: m->memories[m->memory_count++] = what->memory; break;
    case WASM_GLOBAL: m->globals[m->global_count++] = what->global; break;
    }
}

/* Read twice: the first time tells how long each index space has to be. */
bool decode_imports(struct decoder *d)
{
    uint32_t count, first;

    if (!decode_count(d, "imports", WASM_IMPORTS_MAX, &count))
        return false;
    first = d->r.at;
    if (!read_imports(d, count) || !new_index_spaces(d))
        return false;
    d->r.at = first;
    for (uint32_t n = 0; n < count; n++) {
        struct described what = {0};
        struct wasm_import again;

        if (!import(d, &again, &what))
            return false;
        add_import(d->m, again.kind, &what);
    }
    return true;
}

bool decode_exports(struct decoder *d)
{
    struct wasm_module *m = d->m;
    uint32_t count;

    if (!decode_count(d, "exports", WASM_EXPORTS_MAX, &count))
        return false;
    m->exports = decode_new(d, count, sizeof *m->exports);
    if (!m->exports)
        return false;
    for (; m->export_count < count; m->export_count++) {
        struct wasm_export *e = &m->exports[m->export_count];

        e->offset = d->r.at;
        if (!reader_name(&d->r, &e->name, d->fault) || !kind(d, "export", &e->kind) ||
            !reader_u32(&d->r, &e->index, d->fault))
            return false;
    }
    return true;
}
