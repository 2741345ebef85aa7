#include "cli/module_json.h"

#include "cli/say_json.h"
#include "cli/signature.h"

#include "translate/translate.h"

#include <jansson.h>

/* The decoder has seen to it that names are UTF-8. */
static json_t *text(struct view v)
{
    return json_stringn((const char *)v.data, v.size);
}

static json_t *types(const uint8_t *list, uint32_t count)
{
    json_t *out = json_array();

    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(out, json_string(wasm_valtype_name(list[i])));
    return out;
}

static json_t *signature(const struct wasm_type *t)
{
    return json_pack("{s:o, s:o}", "params", types(t->params, t->param_count), "results",
                     types(t->results, t->result_count));
}

static json_t *bounds(const struct wasm_bounds *b)
{
    json_t *out = json_pack("{s:I}", "min", (json_int_t)b->min);

    if (b->has_max)
        json_object_set_new(out, "max", json_integer(b->max));
    return out;
}

static json_t *constant(const struct wasm_const *c)
{
    struct bytes b = {0};
    json_t *out;

    const_append(&b, c);
    out = bytes_ok(&b) ? text(bytes_view(&b)) : NULL;
    bytes_release(&b);
    return out;
}

/* Adds what an index means to *out. */
static void add_item(json_t *out, const struct wasm_module *m, enum wasm_kind kind, uint32_t index)
{
    json_object_set_new(out, "index", json_integer(index));
    switch (kind) {
    case WASM_FUNC: json_object_set_new(out, "type", signature(module_func_type(m, index))); break;
    case WASM_TABLE:
        json_object_set_new(out, "type", json_string(wasm_valtype_name(m->tables[index].elemtype)));
        json_object_set_new(out, "elements", bounds(&m->tables[index].bounds));
        break;
    case WASM_MEMORY: json_object_set_new(out, "pages", bounds(&m->memories[index].bounds)); break;
    case WASM_GLOBAL:
        json_object_set_new(out, "type", json_string(wasm_valtype_name(m->globals[index].valtype)));
        json_object_set_new(out, "mutable", json_boolean(m->globals[index].mutable));
        if (!m->globals[index].imported)
            json_object_set_new(out, "value", constant(&m->globals[index].init));
        break;
    }
}

static json_t *imports(const struct wasm_module *m)
{
    json_t *out = json_array();

    for (uint32_t i = 0; i < m->import_count; i++) {
        const struct wasm_import *it = &m->imports[i];
        json_t *row = json_pack("{s:o, s:o, s:s}", "module", text(it->module), "name",
                                text(it->field), "kind", kind_name(it->kind));

        add_item(row, m, it->kind, it->index);
        json_array_append_new(out, row);
    }
    return out;
}

static json_t *exports(const struct wasm_module *m)
{
    json_t *out = json_array();

    for (uint32_t i = 0; i < m->export_count; i++) {
        const struct wasm_export *it = &m->exports[i];
        json_t *row = json_pack("{s:o, s:s}", "name", text(it->name), "kind", kind_name(it->kind));

        add_item(row, m, it->kind, it->index);
        json_array_append_new(out, row);
    }
    return out;
}

static json_t *all_of(const struct wasm_module *m, enum wasm_kind kind, uint32_t count)
{
    json_t *out = json_array();

    for (uint32_t i = 0; i < count; i++) {
        json_t *row = json_object();

        add_item(row, m, kind, i);
        json_array_append_new(out, row);
    }
    return out;
}

/* The instruction that is executed next, or the call that the frame is inside of. */
static json_t *safepoints(const struct wasm_module *m, uint32_t func)
{
    struct translate_safepoints found = {0};
    json_t *out = json_array();
    const struct translate_safepoint *s;

    if (translate_find_safepoints(m, func, &found) != TERN_OK) {
        json_decref(out);
        out = NULL;
    }
    s = (const struct translate_safepoint *)(const void *)found.list.data;
    for (size_t i = 0; out && i < found.list.size / sizeof *s; i++)
        json_array_append_new(out,
                              json_pack("{s:I, s:b, s:I}", "offset", (json_int_t)s[i].point.offset,
                                        "inside_call", (int)s[i].point.inside, "operands",
                                        (json_int_t)s[i].operand_count));
    translate_safepoints_release(&found);
    return out;
}

static json_t *functions(const struct wasm_module *m)
{
    json_t *out = json_array();

    for (uint32_t i = m->imported_funcs; i < m->func_count; i++) {
        const struct wasm_func *f = &m->funcs[i];
        json_t *row = json_object();

        add_item(row, m, WASM_FUNC, i);
        if (f->name.size)
            json_object_set_new(row, "name", text(f->name));
        json_object_set_new(row, "offset", json_integer(f->code_offset));
        json_object_set_new(row, "size_bytes", json_integer(f->code_end - f->code_offset));
        json_object_set_new(row, "locals", json_integer(f->local_count));
        json_object_set_new(row, "safepoints", safepoints(m, i));
        json_array_append_new(out, row);
    }
    return out;
}

static json_t *datas(const struct wasm_module *m)
{
    static const char *const modes[] = {"passive", "active", "declarative"};
    json_t *out = json_array();

    for (uint32_t i = 0; i < m->data_count; i++)
        json_array_append_new(out, json_pack("{s:s, s:I, s:I}", "mode", modes[m->datas[i].mode],
                                             "offset", (json_int_t)m->datas[i].offset, "size_bytes",
                                             (json_int_t)m->datas[i].bytes.size));
    return out;
}

static json_t *elems(const struct wasm_module *m)
{
    static const char *const modes[] = {"passive", "active", "declarative"};
    json_t *out = json_array();

    for (uint32_t i = 0; i < m->elem_count; i++)
        json_array_append_new(out, json_pack("{s:s, s:s, s:I}", "mode", modes[m->elems[i].mode],
                                             "type", wasm_valtype_name(m->elems[i].elemtype),
                                             "count", (json_int_t)m->elems[i].init_count));
    return out;
}

static json_t *customs(const struct wasm_module *m)
{
    json_t *out = json_array();

    for (uint32_t i = 0; i < m->custom_count; i++)
        json_array_append_new(out, json_pack("{s:o, s:I}", "name", text(m->customs[i].name),
                                             "size_bytes", (json_int_t)m->customs[i].bytes.size));
    return out;
}

bool module_json_print(const char *path, const struct wasm_module *m)
{
    json_t *all = json_pack("{s:s, s:I, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "path",
                            path, "size_bytes", (json_int_t)m->bytes.size, "vectors", m->uses_v128,
                            "imports", imports(m), "exports", exports(m), "memories",
                            all_of(m, WASM_MEMORY, m->memory_count), "tables",
                            all_of(m, WASM_TABLE, m->table_count), "globals",
                            all_of(m, WASM_GLOBAL, m->global_count), "functions", functions(m),
                            "data", datas(m), "elements", elems(m), "custom_sections", customs(m));

    if (!all)
        return false;
    if (m->has_start)
        json_object_set_new(all, "start", json_integer(m->start));
    say_json_take(all);
    return true;
}
