#include "wasm/decode.h"

#include "wasm/fault.h"
#include "wasm/names.h"

#include <string.h>

bool decode_count(struct decoder *d, const char *what, uint32_t limit, uint32_t *out)
{
    uint32_t at = d->r.at, count;

    if (!reader_u32(&d->r, &count, d->fault))
        return false;
    if (count > d->r.end - d->r.at)
        return fault_set(d->fault, at, "unexpected end of section or function (%u %s in %u bytes)",
                         count, what, d->r.end - d->r.at);
    if (count > limit)
        return fault_set(d->fault, at, "too many %s (%u, limit %u)", what, count, limit);
    *out = count;
    return true;
}

void *decode_new(struct decoder *d, uint32_t count, size_t size)
{
    void *out = arena_new(&d->m->arena, count, size);

    if (!out) {
        d->err = TERN_ENOMEM;
        fault_set(d->fault, d->r.at, "out of memory");
    }
    return out;
}

void *decode_grown(struct decoder *d, const void *old, uint32_t count, uint32_t more, size_t size)
{
    void *out = decode_new(d, count + more, size);

    if (out && count > 0)
        memcpy(out, old, count * size);
    return out;
}

static bool decode_start(struct decoder *d)
{
    d->m->has_start = true;
    d->m->start_offset = d->r.at;
    return reader_u32(&d->r, &d->m->start, d->fault);
}

static bool decode_data_count(struct decoder *d)
{
    d->m->has_data_count = true;
    return reader_u32(&d->r, &d->data_count, d->fault);
}

enum section_id { SECTION_CUSTOM = 0, SECTION_CODE = 10, SECTION_MAX = 12 };

static const struct section {
    bool (*decode)(struct decoder *d);
    uint32_t rank; /* sections stand in this order, each at most once */
} sections[SECTION_MAX + 1] = {
    [1] = {decode_types, 1},
    [2] = {decode_imports, 2},
    [3] = {decode_funcs, 3},
    [4] = {decode_tables, 4},
    [5] = {decode_memories, 5},
    [6] = {decode_globals, 6},
    [7] = {decode_exports, 7},
    [8] = {decode_start, 8},
    [9] = {decode_elems, 9},
    [12] = {decode_data_count, 10},
    [SECTION_CODE] = {decode_code, 11},
    [11] = {decode_datas, 12},
};

static bool add_custom(struct decoder *d, struct wasm_custom custom)
{
    struct wasm_module *m = d->m;

    if (m->custom_count == WASM_CUSTOMS_MAX)
        return fault_set(d->fault, d->r.at, "too many custom sections (limit %d)",
                         WASM_CUSTOMS_MAX);
    if (m->custom_count == d->customs_capacity) {
        uint32_t more = d->customs_capacity ? d->customs_capacity : 4;
        void *grown = decode_grown(d, m->customs, m->custom_count, more, sizeof *m->customs);

        if (!grown)
            return false;
        m->customs = grown;
        d->customs_capacity += more;
    }
    m->customs[m->custom_count++] = custom;
    return true;
}

static bool decode_custom(struct decoder *d)
{
    struct wasm_custom custom;

    if (!reader_name(&d->r, &custom.name, d->fault))
        return false;
    return reader_skip(&d->r, d->r.end - d->r.at, &custom.bytes, d->fault) && add_custom(d, custom);
}

static bool decode_contents(struct decoder *d, uint32_t id)
{
    if (id == SECTION_CUSTOM)
        return decode_custom(d);
    if (id == SECTION_CODE)
        d->m->code_section = d->r.at;
    if (!sections[id].decode(d))
        return false;
    return reader_done(&d->r) ||
           fault_set(d->fault, d->r.at, "section size mismatch (%u bytes left over)",
                     d->r.end - d->r.at);
}

static bool section_allowed(struct decoder *d, uint32_t at, uint32_t id, uint32_t *rank)
{
    if (id == SECTION_CUSTOM)
        return true;
    if (id > SECTION_MAX)
        return fault_set(d->fault, at, "malformed section id %u%s", id,
                         id == 13 ? " (exception handling: not supported)" : "");
    if (sections[id].rank <= *rank)
        return fault_set(d->fault, at,
                         "unexpected content after last section (section %u again or too late)",
                         id);
    *rank = sections[id].rank;
    return true;
}

static bool decode_sections(struct decoder *d)
{
    const uint32_t end = d->r.end;
    uint32_t rank = 0;

    while (d->r.at < end) {
        uint32_t at = d->r.at, size;
        uint8_t id;

        if (!reader_u8(&d->r, &id, d->fault) || !section_allowed(d, at, id, &rank))
            return false;
        if (!reader_u32(&d->r, &size, d->fault))
            return false;
        if (size > end - d->r.at)
            return fault_set(d->fault, at, "length out of bounds (section of %u bytes)", size);
        d->r.end = d->r.at + size;
        if (!decode_contents(d, id))
            return false;
        d->r.end = end;
    }
    return true;
}

static bool decode_header(struct decoder *d)
{
    struct view magic, version;

    if (d->r.end < 4)
        return reader_refuse(d->fault, d->r.end, "unexpected end (of a WebAssembly module)");
    if (!reader_skip(&d->r, 4, &magic, d->fault) || memcmp(magic.data, "\0asm", 4) != 0)
        return reader_refuse(d->fault, 0, "magic header not detected (not a WebAssembly module)");
    if (d->r.end < 8)
        return reader_refuse(d->fault, d->r.end, "unexpected end (of a WebAssembly module)");
    if (!reader_skip(&d->r, 4, &version, d->fault) || memcmp(version.data, "\1\0\0\0", 4) != 0)
        return reader_refuse(d->fault, 4, "unknown binary version");
    return true;
}

/* What one section promises and another has to keep. */
static bool sections_agree(struct decoder *d)
{
    const struct wasm_module *m = d->m;

    if (m->func_count > m->imported_funcs && m->code_section == 0)
        return reader_refuse(d->fault, d->r.end,
                             "function and code section have inconsistent lengths");
    if (m->has_data_count && d->data_count != m->data_count)
        return reader_refuse(d->fault, d->r.end,
                             "data count and data section have inconsistent lengths");
    return true;
}

static bool decode_all(struct decoder *d)
{
    if (!decode_header(d) || !decode_sections(d) || !sections_agree(d))
        return false;
    d->m->func_declared = decode_new(d, d->m->func_count, sizeof *d->m->func_declared);
    return d->m->func_declared != NULL;
}

enum tern_err module_decode(struct wasm_module *m, struct view bytes, struct wasm_fault *fault)
{
    struct decoder d = {.m = m, .fault = fault, .err = TERN_EMALFORMED};

    *m = (struct wasm_module){.bytes = bytes};
    *fault = (struct wasm_fault){0};
    if (bytes.size > WASM_MODULE_BYTES_MAX) {
        fault_set(fault, 0, "module too large (limit %d bytes)", WASM_MODULE_BYTES_MAX);
        *m = (struct wasm_module){0};
        return TERN_EMALFORMED;
    }
    d.r = reader_of(bytes, 0, (uint32_t)bytes.size);
    if (!decode_all(&d)) {
        module_release(m);
        return d.err;
    }
    names_decode(m);
    return TERN_OK;
}
