#include "cli/commands.h"
#include "cli/module_json.h"
#include "cli/open_module.h"
#include "cli/say.h"
#include "cli/signature.h"
#include "cli/units.h"

#include "os/compile.h"
#include "os/sys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void heading(struct bytes *out, const char *what, uint32_t count)
{
    if (count)
        bytes_appendf(out, "\n%s: %u\n", what, count);
}

static void show_bounds(struct bytes *out, const struct wasm_bounds *b)
{
    bytes_appendf(out, "%u", b->min);
    if (b->has_max)
        bytes_appendf(out, " to %u", b->max);
    else
        bytes_append_text(out, " or more");
}

/* What an index means: a function's type, a memory's size ... */
static void show_item(struct bytes *out, const struct wasm_module *m, enum wasm_kind kind,
                      uint32_t index)
{
    switch (kind) {
    case WASM_FUNC: signature_append(out, module_func_type(m, index)); break;
    case WASM_TABLE:
        show_bounds(out, &m->tables[index].bounds);
        bytes_appendf(out, " of %s", wasm_valtype_name(m->tables[index].elemtype));
        break;
    case WASM_MEMORY:
        show_bounds(out, &m->memories[index].bounds);
        bytes_append_text(out, " pages of 64 KiB");
        break;
    case WASM_GLOBAL:
        bytes_appendf(out, "%s%s", m->globals[index].mutable ? "mut " : "",
                      wasm_valtype_name(m->globals[index].valtype));
        if (!m->globals[index].imported) {
            bytes_append_text(out, " = ");
            const_append(out, &m->globals[index].init);
        }
        break;
    }
}

static void show_imports(struct bytes *out, const struct wasm_module *m)
{
    heading(out, "imports", m->import_count);
    for (uint32_t i = 0; i < m->import_count; i++) {
        const struct wasm_import *it = &m->imports[i];

        bytes_appendf(out, "  %-6s %5u  ", kind_name(it->kind), it->index);
        bytes_append_shown(out, it->module);
        bytes_append_text(out, ".");
        bytes_append_shown(out, it->field);
        bytes_append_text(out, "  ");
        show_item(out, m, it->kind, it->index);
        bytes_append_text(out, "\n");
    }
}

static void show_exports(struct bytes *out, const struct wasm_module *m)
{
    heading(out, "exports", m->export_count);
    for (uint32_t i = 0; i < m->export_count; i++) {
        const struct wasm_export *it = &m->exports[i];

        bytes_appendf(out, "  %-6s %5u  ", kind_name(it->kind), it->index);
        bytes_append_shown(out, it->name);
        bytes_append_text(out, "  ");
        show_item(out, m, it->kind, it->index);
        bytes_append_text(out, "\n");
    }
}

static void show_all_of(struct bytes *out, const struct wasm_module *m, enum wasm_kind kind,
                        const char *what, uint32_t count)
{
    heading(out, what, count);
    for (uint32_t i = 0; i < count; i++) {
        bytes_appendf(out, "  %5u  ", i);
        show_item(out, m, kind, i);
        bytes_append_text(out, "\n");
    }
}

/* Where the function's frame can be saved and rebuilt. */
static size_t count_safepoints(struct bytes *out, const struct wasm_module *m, uint32_t func)
{
    struct translate_safepoints found = {0};
    size_t count;

    if (translate_find_safepoints(m, func, &found) != TERN_OK)
        out->failed = true;
    count = found.list.size / sizeof(struct translate_safepoint);
    translate_safepoints_release(&found);
    return count;
}

static void show_functions(struct bytes *out, const struct wasm_module *m)
{
    heading(out, "functions", m->func_count - m->imported_funcs);
    if (m->func_count > m->imported_funcs)
        bytes_append_text(out, "  INDEX    OFFSET    SIZE  SAFEPOINTS  NAME AND TYPE\n");
    for (uint32_t i = m->imported_funcs; i < m->func_count; i++) {
        const struct wasm_func *f = &m->funcs[i];

        bytes_appendf(out, "  %5u  %#8x %7u  %10zu  ", i, f->code_offset,
                      f->code_end - f->code_offset, count_safepoints(out, m, i));
        if (f->name.size) {
            bytes_append_shown(out, f->name);
            bytes_append_text(out, "  ");
        }
        signature_append(out, module_func_type(m, i));
        bytes_append_text(out, i == m->start && m->has_start ? "  (start)\n" : "\n");
    }
}

static void show_rest(struct bytes *out, const struct wasm_module *m)
{
    char size[UNITS_TEXT_BYTES];

    heading(out, "data segments", m->data_count);
    for (uint32_t i = 0; i < m->data_count; i++)
        bytes_appendf(out, "  %5u  %s%s\n", i, units_show_size(m->datas[i].bytes.size, size),
                      m->datas[i].mode == WASM_PASSIVE ? ", passive" : "");
    heading(out, "element segments", m->elem_count);
    for (uint32_t i = 0; i < m->elem_count; i++)
        bytes_appendf(out, "  %5u  %u of %s\n", i, m->elems[i].init_count,
                      wasm_valtype_name(m->elems[i].elemtype));
    heading(out, "custom sections", m->custom_count);
    for (uint32_t i = 0; i < m->custom_count; i++) {
        bytes_append_text(out, "  ");
        bytes_append_shown(out, m->customs[i].name);
        bytes_appendf(out, "  %s\n", units_show_size(m->customs[i].bytes.size, size));
    }
}

static void show(struct bytes *out, const char *path, const struct wasm_module *m)
{
    char size[UNITS_TEXT_BYTES];

    bytes_appendf(out, "%s: WebAssembly module, %s%s\n", path, units_show_size(m->bytes.size, size),
                  m->uses_v128 ? ", uses vectors" : "");
    show_imports(out, m);
    show_exports(out, m);
    show_all_of(out, m, WASM_MEMORY, "memories", m->memory_count);
    show_all_of(out, m, WASM_TABLE, "tables", m->table_count);
    show_all_of(out, m, WASM_GLOBAL, "globals", m->global_count);
    show_functions(out, m);
    show_rest(out, m);
}

int cmd_module_show(const struct invocation *in)
{
    struct bytes text = {0};
    struct open_module m;
    bool fine = true;

    if (!open_module(in, &m))
        return CLI_FAILED;
    if (invocation_value(in, "json")) {
        fine = module_json_print(in->args[0], &m.module);
    } else {
        show(&text, in->args[0], &m.module);
        fine = bytes_ok(&text);
        fwrite(text.data, 1, text.size, stdout);
    }
    bytes_release(&text);
    close_module(&m);
    if (!fine)
        say("module show: out of memory");
    return fine ? say_end_of_output(0) : CLI_FAILED;
}

static int print_pieces(const struct wasm_module *m, const struct translate_options *options)
{
    uint32_t pieces = translate_piece_count(m, options);
    enum tern_err err = TERN_OK;

    for (uint32_t i = 0; i < pieces && !err; i++) {
        struct bytes text = {0};

        err = translate_piece(m, options, i, &text);
        if (!err)
            fwrite(text.data, 1, text.size, stdout);
        bytes_release(&text);
    }
    if (err)
        say("module c: cannot translate: %s", tern_err_text(err));
    return err ? CLI_FAILED : say_end_of_output(0);
}

static int write_pieces(const struct wasm_module *m, const struct translate_options *options,
                        const char *dir)
{
    int made = sys_mkdir(dir, 0777);
    struct problem p;
    uint32_t count;

    if (made < 0 && made != -EEXIST) {
        say("module c: cannot make the directory %s: %s", dir, strerror(-made));
        return CLI_FAILED;
    }
    if (compile_write_sources(m, options, dir, &count, &p)) {
        say("module c: %s", p.text);
        return CLI_FAILED;
    }
    printf("%u C file%s and the headers are in %s; compile with: cc -std=gnu17 -O2 "
           "-fno-strict-aliasing -fwrapv -ffp-contract=off -c piece-*.c\n",
           count, count == 1 ? "" : "s", dir);
    return say_end_of_output(0);
}

int cmd_module_c(const struct invocation *in)
{
    const char *dir = invocation_value(in, "output");
    const struct translate_options options =
        compile_options(invocation_value(in, "deterministic") != NULL);
    struct open_module m;
    int code;

    if (!open_module(in, &m))
        return CLI_FAILED;
    code = dir ? write_pieces(&m.module, &options, dir) : print_pieces(&m.module, &options);
    close_module(&m);
    return code;
}

int cmd_module_validate(const struct invocation *in)
{
    struct open_module m;

    if (!open_module(in, &m))
        return CLI_FAILED;
    close_module(&m);
    return 0;
}
