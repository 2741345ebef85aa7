/*
 * What stands around the functions: types and declarations before them, and behind them the
 * module's description for src/rt (struct tern_module), one table each.
 */
#include "translate/emit.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void func_name(const struct wasm_module *m, uint32_t func, char out[64])
{
    struct view name = m->funcs[func].name;
    size_t at = (size_t)snprintf(out, 64, "f%" PRIu32, func);

    if (name.size > 0)
        out[at++] = '_';
    for (size_t i = 0; i < name.size && at < 60; i++) {
        uint8_t c = name.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        out[at++] = plain ? (char)c : '_';
    }
    out[at] = 0;
}

uint64_t type_key(const struct wasm_type *t)
{
    static const char code[] = "iIfdvre";
    uint64_t key = 1;

    if (t->param_count + t->result_count > 19)
        return 0;
    for (uint32_t i = 0; i < t->param_count; i++)
        key = key << 3 | (uint64_t)(strchr(code, wasm_valtype_letter(t->params[i])) - code + 1);
    key <<= 3;
    for (uint32_t i = 0; i < t->result_count; i++)
        key = key << 3 | (uint64_t)(strchr(code, wasm_valtype_letter(t->results[i])) - code + 1);
    return key;
}

static void append_letters(struct bytes *out, const uint8_t *types, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        bytes_append_byte(out, (uint8_t)wasm_valtype_letter(types[i]));
}

static void append_types(const struct wasm_module *m, struct bytes *out)
{
    for (uint32_t i = 0; i < m->type_count; i++) {
        const struct wasm_type *t = &m->types[i];

        if (t->canonical != i)
            continue;
        if (t->result_count > 1) {
            bytes_appendf(out, "struct r%" PRIu32 " {\n", i);
            for (uint32_t k = 0; k < t->result_count; k++)
                bytes_appendf(out, "    %s r%" PRIu32 ";\n",
                              c_type(wasm_valtype_letter(t->results[k])), k);
            bytes_append_text(out, "};\n");
        }
        bytes_append_text(out, "typedef ");
        append_result_type(out, t);
        bytes_appendf(out, " t%" PRIu32 "(struct tern_instance *in, uint32_t room", i);
        for (uint32_t k = 0; k < t->param_count; k++)
            bytes_appendf(out, ", %s", c_type(wasm_valtype_letter(t->params[k])));
        bytes_append_text(out, ");\n");
    }
}

/* A type may mention vectors that no instruction of the module uses. */
static bool type_has_v128(const struct wasm_module *m)
{
    for (uint32_t i = 0; i < m->type_count; i++) {
        const struct wasm_type *t = &m->types[i];

        if (t->canonical == i &&
            ((t->param_count && memchr(t->params, WASM_V128, t->param_count)) ||
             (t->result_count && memchr(t->results, WASM_V128, t->result_count))))
            return true;
    }
    return false;
}

void emit_types(const struct wasm_module *m, bool alone, struct bytes *out)
{
    bytes_append_text(out, "#include \"tern_rt.h\"\n#include \"tern_scalar.h\"\n");
    if (m->uses_v128 || type_has_v128(m))
        bytes_append_text(out, "#include \"tern_simd.h\"\n");
    bytes_appendf(out, "\n#define TERN_FN %s\n\n",
                  alone ? "static" : "__attribute__((visibility(\"hidden\")))");
    append_types(m, out);
    bytes_append_byte(out, '\n');
}

void emit_prologue(const struct wasm_module *m, bool alone, struct bytes *out)
{
    char name[64];

    emit_types(m, alone, out);
    for (uint32_t i = m->imported_funcs; i < m->func_count; i++) {
        func_name(m, i, name);
        bytes_appendf(out, "TERN_FN t%" PRIu32 " %s;\n", module_func_type(m, i)->canonical, name);
    }
}

static void append_host_head(const struct wasm_module *m, uint32_t func, const char *name,
                             struct bytes *out)
{
    const struct wasm_type *t = module_func_type(m, func);
    uint32_t cells = t->param_count > t->result_count ? t->param_count : t->result_count;

    bytes_append_text(out, "\nstatic ");
    append_result_type(out, t);
    bytes_appendf(out, " %s(struct tern_instance *in, uint32_t room", name);
    for (uint32_t i = 0; i < t->param_count; i++)
        bytes_appendf(out, ", %s l%" PRIu32, c_type(wasm_valtype_letter(t->params[i])), i);
    bytes_appendf(out, ")\n{\n    union tern_cell c[%" PRIu32 "];\n", cells ? cells : 1);
}

/* Calls the host with the arguments in c[], and returns what it left there. */
static void append_host_return(const struct wasm_module *m, uint32_t func, struct bytes *out)
{
    const struct wasm_type *t = module_func_type(m, func);

    bytes_appendf(out, "    tern_host(in, %" PRIu32 ", room, c);\n", func);
    if (t->result_count > 0)
        bytes_append_text(out, t->result_count == 1 ? "    return " : "    return (");
    if (t->result_count > 1)
        bytes_appendf(out, "struct r%" PRIu32 "){", t->canonical);
    for (uint32_t i = 0; i < t->result_count; i++) {
        bytes_append_text(out, i ? ", " : "");
        append_cell_read(out, "c", i, wasm_valtype_letter(t->results[i]));
    }
    if (t->result_count > 0)
        bytes_append_text(out, t->result_count == 1 ? ";\n" : "};\n");
    bytes_append_text(out, "}\n");
}

/* How an imported function that is not WebAssembly is called: arguments into cells, and back. */
static void append_host_call(const struct wasm_module *m, uint32_t func, struct bytes *out)
{
    char name[32], value[32];

    snprintf(name, sizeof name, "h%" PRIu32, func);
    append_host_head(m, func, name, out);
    for (uint32_t i = 0; i < module_func_type(m, func)->param_count; i++) {
        snprintf(value, sizeof value, "l%" PRIu32, i);
        bytes_append_text(out, "    ");
        append_cell_write(out, "c", i, wasm_valtype_letter(module_func_type(m, func)->params[i]),
                          value);
    }
    append_host_return(m, func, out);
}

/* The same with arguments from a frame that is being rebuilt. */
void emit_host_continuation(const struct wasm_module *m, uint32_t func, const char *name,
                            struct bytes *out)
{
    append_host_head(m, func, name, out);
    bytes_append_text(out, "    tern_resumed_arguments(in, c);\n");
    append_host_return(m, func, out);
}

/* How the process calls a function of this type: arguments from cells, results into them. */
static void append_invoke(const struct wasm_module *m, uint32_t type, struct bytes *out)
{
    const struct wasm_type *t = &m->types[type];
    char value[32];

    bytes_appendf(out,
                  "\nstatic void call_%" PRIu32 "(const struct tern_func *f, uint32_t room, "
                  "union tern_cell *c)\n{\n    ",
                  type);
    if (t->result_count > 0) {
        append_result_type(out, t);
        bytes_append_text(out, " r = ");
    }
    bytes_appendf(out, "((t%" PRIu32 " *)f->code)(f->instance, room", type);
    for (uint32_t i = 0; i < t->param_count; i++) {
        bytes_append_text(out, ", ");
        append_cell_read(out, "c", i, wasm_valtype_letter(t->params[i]));
    }
    bytes_append_text(out, ");\n");
    for (uint32_t i = 0; i < t->result_count; i++) {
        snprintf(value, sizeof value, t->result_count == 1 ? "r" : "r.r%" PRIu32, i);
        bytes_append_text(out, "    ");
        append_cell_write(out, "c", i, wasm_valtype_letter(t->results[i]), value);
    }
    bytes_append_text(out, "}\n");
}

/* Per type: whether the process may call a function of it by itself. NULL: no memory. */
static uint8_t *invoked_types(const struct wasm_module *m)
{
    uint8_t *invoked = calloc(m->type_count + 1, 1);

    for (uint32_t i = 0; invoked && i < m->export_count; i++) {
        if (m->exports[i].kind == WASM_FUNC)
            invoked[module_func_type(m, m->exports[i].index)->canonical] = 1;
    }
    if (invoked && m->has_start)
        invoked[module_func_type(m, m->start)->canonical] = 1;
    return invoked;
}

static void append_name(struct bytes *out, struct view name)
{
    bytes_append_text(out, "{\"");
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];

        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '?')
            bytes_append_byte(out, c);
        else
            bytes_appendf(out, "\\%03o", c);
    }
    bytes_appendf(out, "\", %zu}", name.size);
}

static void append_limits(struct bytes *out, const struct wasm_bounds *b)
{
    bytes_appendf(out, "{%" PRIu32 "u, %" PRIu32 "u}", b->min, b->has_max ? b->max : UINT32_MAX);
}

static void append_const(struct bytes *out, const struct wasm_const *c)
{
    static const char *const kinds[] = {
        [WASM_CONST_BITS] = "TERN_CONST_BITS",
        [WASM_CONST_GLOBAL] = "TERN_CONST_GLOBAL",
        [WASM_CONST_REF_NULL] = "TERN_CONST_NULL",
        [WASM_CONST_REF_FUNC] = "TERN_CONST_FUNC",
    };
    char letter = wasm_valtype_letter(c->valtype);

    bytes_appendf(out, "{%s, '%c', %" PRIu32 ", {0x%" PRIx64 "ull, 0x%" PRIx64 "ull}}",
                  kinds[c->kind], letter ? letter : '?', c->index, c->bits[0], c->bits[1]);
}

static void append_type_table(const struct wasm_module *m, const uint8_t *invoked,
                              struct bytes *out)
{
    bytes_append_text(out, "\nstatic const struct tern_type types[] = {\n");
    for (uint32_t i = 0; i < m->type_count; i++) {
        const struct wasm_type *t = &m->types[i];

        bytes_append_text(out, "    {\"");
        append_letters(out, t->params, t->param_count);
        bytes_append_text(out, "\", \"");
        append_letters(out, t->results, t->result_count);
        bytes_appendf(out, "\", 0x%" PRIx64 "ull, ", type_key(t));
        if (t->canonical == i && invoked[i])
            bytes_appendf(out, "call_%" PRIu32 "},\n", i);
        else
            bytes_append_text(out, "0},\n");
    }
    bytes_append_text(out, "    {0}};\n");
}

static void append_import(const struct wasm_module *m, const struct wasm_import *i,
                          struct bytes *out)
{
    uint32_t type = 0;
    char letter = '-';
    bool mutable = false;
    struct wasm_bounds limits = {0};

    switch (i->kind) {
    case WASM_FUNC: type = m->types[m->funcs[i->index].type].canonical; break;
    case WASM_TABLE:
        letter = wasm_valtype_letter(m->tables[i->index].elemtype);
        limits = m->tables[i->index].bounds;
        break;
    case WASM_MEMORY: limits = m->memories[i->index].bounds; break;
    case WASM_GLOBAL:
        letter = wasm_valtype_letter(m->globals[i->index].valtype);
        mutable = m->globals[i->index].mutable;
        break;
    }
    bytes_append_text(out, "    {");
    append_name(out, i->module);
    bytes_append_text(out, ", ");
    append_name(out, i->field);
    bytes_appendf(out, ", %d, '%c', %d, %" PRIu32 ", ", (int)i->kind, letter, (int)mutable, type);
    append_limits(out, &limits);
    if (i->kind == WASM_FUNC)
        bytes_appendf(out, ", (tern_code)h%" PRIu32 "},\n", i->index);
    else
        bytes_append_text(out, ", 0},\n");
}

static void append_function_table(const struct wasm_module *m, struct bytes *out)
{
    char name[64];

    bytes_append_text(out, "\nstatic const struct tern_function functions[] = {\n");
    for (uint32_t i = m->imported_funcs; i < m->func_count; i++) {
        func_name(m, i, name);
        bytes_appendf(out, "    {(tern_code)%s, %" PRIu32 "},\n", name,
                      module_func_type(m, i)->canonical);
    }
    bytes_append_text(out, "    {0}};\n");
}

static void append_own_state(const struct wasm_module *m, struct bytes *out)
{
    bytes_append_text(out, "\nstatic const struct tern_table_type tables[] = {\n");
    for (uint32_t i = m->imported_tables; i < m->table_count; i++) {
        bytes_appendf(out, "    {'%c', ", wasm_valtype_letter(m->tables[i].elemtype));
        append_limits(out, &m->tables[i].bounds);
        bytes_append_text(out, "},\n");
    }
    bytes_append_text(out, "    {0}};\n\nstatic const struct tern_limits memories[] = {\n");
    for (uint32_t i = m->imported_memories; i < m->memory_count; i++) {
        bytes_append_text(out, "    ");
        append_limits(out, &m->memories[i].bounds);
        bytes_append_text(out, ",\n");
    }
    bytes_append_text(out, "    {0}};\n\nstatic const struct tern_global_type globals[] = {\n");
    for (uint32_t i = m->imported_globals; i < m->global_count; i++) {
        bytes_appendf(out, "    {'%c', %d, ", wasm_valtype_letter(m->globals[i].valtype),
                      (int)m->globals[i].mutable);
        append_const(out, &m->globals[i].init);
        bytes_append_text(out, "},\n");
    }
    bytes_append_text(out, "    {0}};\n");
}

static void append_exports(const struct wasm_module *m, struct bytes *out)
{
    bytes_append_text(out, "\nstatic const struct tern_export exports[] = {\n");
    for (uint32_t i = 0; i < m->export_count; i++) {
        bytes_append_text(out, "    {");
        append_name(out, m->exports[i].name);
        bytes_appendf(out, ", %d, %" PRIu32 "},\n", (int)m->exports[i].kind, m->exports[i].index);
    }
    bytes_append_text(out, "    {{0}}};\n");
}

static void append_elem_inits(const struct wasm_elem *s, uint32_t index, struct bytes *out)
{
    bytes_appendf(out, "\nstatic const uint32_t elem_%" PRIu32 "[] = {", index);
    for (uint32_t i = 0; i < s->init_count; i++) {
        const struct wasm_const *c = &s->inits[i];

        bytes_append_text(out, i % 8 == 0 ? "\n    " : " ");
        if (c->kind == WASM_CONST_REF_FUNC)
            bytes_appendf(out, "%" PRIu32 ",", c->index);
        else if (c->kind == WASM_CONST_GLOBAL)
            bytes_appendf(out, "TERN_INIT_GLOBAL | %" PRIu32 ",", c->index);
        else
            bytes_append_text(out, "TERN_INIT_NULL,");
    }
    bytes_append_text(out, " 0};\n");
}

static void append_segments(const struct wasm_module *m, struct bytes *out)
{
    for (uint32_t i = 0; i < m->elem_count; i++)
        append_elem_inits(&m->elems[i], i, out);
    bytes_append_text(out, "\nstatic const struct tern_elem elems[] = {\n");
    for (uint32_t i = 0; i < m->elem_count; i++) {
        const struct wasm_elem *s = &m->elems[i];

        bytes_appendf(out, "    {%d, '%c', %" PRIu32 ", ", (int)s->mode,
                      wasm_valtype_letter(s->elemtype), s->table);
        append_const(out, &s->at);
        bytes_appendf(out, ", elem_%" PRIu32 ", %" PRIu32 "},\n", i, s->init_count);
    }
    bytes_append_text(out, "    {0}};\n\nstatic const struct tern_data datas[] = {\n");
    for (uint32_t i = 0; i < m->data_count; i++) {
        const struct wasm_data *s = &m->datas[i];
        ptrdiff_t source = s->bytes.size ? s->bytes.data - m->bytes.data : 0;

        bytes_appendf(out, "    {%d, ", (int)s->mode);
        append_const(out, &s->at);
        bytes_appendf(out, ", %td, %zu},\n", source, s->bytes.size);
    }
    bytes_append_text(out, "    {0}};\n");
}

static void append_module_record(const struct wasm_module *m, struct bytes *out)
{
    bytes_append_text(out, "\n#ifndef TERN_MODULE\n#define TERN_MODULE tern_module\n#endif\n"
                           "__attribute__((visibility(\"default\")))\n"
                           "const struct tern_module TERN_MODULE = {\n    .abi = TERN_RT_ABI,\n");
#define COUNT(member, value) bytes_appendf(out, "    ." #member " = %" PRIu32 "u,\n", (value))
    COUNT(type_count, m->type_count);
    COUNT(import_count, m->import_count);
    COUNT(function_count, m->func_count - m->imported_funcs);
    COUNT(table_count, m->table_count - m->imported_tables);
    COUNT(memory_count, m->memory_count - m->imported_memories);
    COUNT(global_count, m->global_count - m->imported_globals);
    COUNT(export_count, m->export_count);
    COUNT(elem_count, m->elem_count);
    COUNT(data_count, m->data_count);
    COUNT(imported_funcs, m->imported_funcs);
    COUNT(imported_tables, m->imported_tables);
    COUNT(imported_memories, m->imported_memories);
    COUNT(imported_globals, m->imported_globals);
    COUNT(start, m->has_start ? m->start : UINT32_MAX);
#undef COUNT
    bytes_append_text(out, "    .types = types,\n    .imports = imports,\n"
                           "    .functions = functions,\n    .tables = tables,\n"
                           "    .memories = memories,\n    .globals = globals,\n"
                           "    .exports = exports,\n    .elems = elems,\n    .datas = datas,\n"
                           "};\n");
}

void emit_description(const struct wasm_module *m, struct bytes *out)
{
    uint8_t *invoked = invoked_types(m);

    if (!invoked) {
        out->failed = true;
        return;
    }
    for (uint32_t i = 0; i < m->imported_funcs; i++)
        append_host_call(m, i, out);
    for (uint32_t i = 0; i < m->type_count; i++) {
        if (m->types[i].canonical == i && invoked[i])
            append_invoke(m, i, out);
    }
    append_type_table(m, invoked, out);
    free(invoked);
    bytes_append_text(out, "\nstatic const struct tern_import imports[] = {\n");
    for (uint32_t i = 0; i < m->import_count; i++)
        append_import(m, &m->imports[i], out);
    bytes_append_text(out, "    {{0}}};\n");
    append_function_table(m, out);
    append_own_state(m, out);
    append_exports(m, out);
    append_segments(m, out);
    append_module_record(m, out);
}
