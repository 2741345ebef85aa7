#include "cli/image_shown.h"

#include "base/little.h"
#include "cli/image_files.h"
#include "cli/units.h"

#include "wasm/insn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { NS_PER_US = 1000, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

/* ---- Numbers ---- */

void shown_count(struct bytes *out, uint64_t n)
{
    char digits[24];
    const int length = snprintf(digits, sizeof digits, "%" PRIu64, n);

    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            bytes_append_byte(out, ',');
        bytes_append_byte(out, (uint8_t)digits[i]);
    }
}

void shown_count_of(struct bytes *out, uint64_t n, const char *what)
{
    shown_count(out, n);
    bytes_appendf(out, " %s%s", what, n == 1 ? "" : "s");
}

void shown_size(struct bytes *out, uint64_t size_bytes)
{
    char text[UNITS_TEXT_BYTES];

    bytes_append_text(out, units_show_size(size_bytes, text));
}

void shown_duration(struct bytes *out, uint64_t ns)
{
    if (ns >= NS_PER_S)
        bytes_appendf(out, "%.3f s", (double)ns / NS_PER_S);
    else if (ns >= NS_PER_MS)
        bytes_appendf(out, "%.3f ms", (double)ns / NS_PER_MS);
    else
        bytes_appendf(out, "%.3f us", (double)ns / NS_PER_US);
}

const char *shown_time(int64_t wall_ns, char out[SHOWN_TIME_BYTES])
{
    const time_t seconds = (time_t)(wall_ns / NS_PER_S);
    struct tm tm;

    if (!localtime_r(&seconds, &tm) || !strftime(out, SHOWN_TIME_BYTES, "%Y-%m-%d %H:%M:%S", &tm))
        out[0] = 0;
    return out;
}

/* ---- Functions ---- */

void shown_function(struct bytes *out, const struct wasm_module *m, uint32_t func)
{
    if (m->funcs[func].name.size) {
        bytes_append_shown(out, m->funcs[func].name);
        return;
    }
    for (uint32_t i = 0; func < m->imported_funcs && i < m->import_count; i++) {
        const struct wasm_import *it = &m->imports[i];

        if (it->kind != WASM_FUNC || it->index != func)
            continue;
        bytes_append_shown(out, it->module);
        bytes_append_text(out, ".");
        bytes_append_shown(out, it->field);
    }
}

void shown_place(struct bytes *out, const struct wasm_module *m, const struct state_frame *f)
{
    struct wasm_reader r = reader_of(m->bytes, f->offset, m->funcs[f->func].code_end);
    struct wasm_fault fault;
    struct wasm_insn insn;

    if (f->inside || f->func < m->imported_funcs) {
        bytes_append_text(out, f->inside ? "inside a call" : "about to be called");
        return;
    }
    bytes_append_text(out, "about to execute");
    if (insn_decode(&r, &insn, &fault) == TERN_OK)
        bytes_appendf(out, " %s", wasm_op_info(insn.op)->text);
}

uint32_t frame_locals(const struct wasm_module *m, uint32_t func)
{
    return func < m->imported_funcs ? module_func_type(m, func)->param_count
                                    : m->funcs[func].local_count;
}

/* ---- Values ---- */

const char *shown_type(uint8_t letter)
{
    switch (letter) {
    case 'i': return "i32";
    case 'I': return "i64";
    case 'f': return "f32";
    case 'd': return "f64";
    case 'v': return "v128";
    case 'r': return "funcref";
    default: return "externref";
    }
}

uint64_t value_u64(const uint8_t *value)
{
    return little_get(value, 8);
}

const char *shown_bits(uint8_t letter, const uint8_t *value, char out[SHOWN_HEX_BYTES])
{
    const uint64_t low = value_u64(value), high = value_u64(value + 8);

    if (letter == 'v')
        snprintf(out, SHOWN_HEX_BYTES, "0x%016" PRIx64 "%016" PRIx64, high, low);
    else if (letter == 'i' || letter == 'f')
        snprintf(out, SHOWN_HEX_BYTES, "0x%08" PRIx32, (uint32_t)low);
    else
        snprintf(out, SHOWN_HEX_BYTES, "0x%016" PRIx64, low);
    return out;
}

static double as_double(uint8_t letter, uint64_t bits)
{
    const uint32_t low = (uint32_t)bits;
    float f32;
    double f64;

    memcpy(&f32, &low, sizeof f32);
    memcpy(&f64, &bits, sizeof f64);
    return letter == 'f' ? (double)f32 : f64;
}

void shown_float(struct bytes *out, uint8_t letter, const uint8_t *value)
{
    bytes_appendf(out, "%.17g", as_double(letter, value_u64(value)));
}

void shown_value(struct bytes *out, uint8_t letter, const uint8_t *value)
{
    const uint64_t n = value_u64(value);
    char bits[SHOWN_HEX_BYTES];

    switch (letter) {
    case 'i': bytes_appendf(out, "%" PRId32, (int32_t)(uint32_t)n); break;
    case 'I': bytes_appendf(out, "%" PRId64, (int64_t)n); break;
    case 'f':
    case 'd':
        shown_float(out, letter, value);
        bytes_appendf(out, " (%s)", shown_bits(letter, value, bits));
        break;
    case 'v': bytes_append_text(out, shown_bits(letter, value, bits)); break;
    default:
        if (n == 0)
            bytes_append_text(out, "null");
        else
            bytes_appendf(out, letter == 'r' ? "func %" PRIu64 : "extern %" PRIu64, n - 1);
        break;
    }
}

uint32_t shown_nulls(const struct state_table *t)
{
    uint32_t nulls = 0;

    for (uint32_t i = 0; i < t->size; i++)
        nulls += value_u64(t->refs + (size_t)i * 8) == 0;
    return nulls;
}

/* ---- Descriptors ---- */

const char *shown_fd_kind(uint8_t kind)
{
    static const char *const names[] = {"?",         "standard", "preopened", "file",
                                        "directory", "own root", "own file",  "own dir"};

    return names[kind < sizeof names / sizeof *names ? kind : 0];
}

void shown_fd_flags(struct bytes *out, uint16_t flags)
{
    static const char *const names[] = {"append", "dsync", "nonblock", "rsync", "sync"};
    bool any = false;

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(flags >> i & 1))
            continue;
        bytes_appendf(out, "%s%s", any ? ", " : "", names[i]);
        any = true;
    }
}

void shown_fd_path(struct bytes *out, const struct image_look *l, const struct state_fd *fd)
{
    static const char *const streams[] = {"standard input", "standard output", "standard error"};

    if (fd->kind == STATE_FD_STANDARD) {
        bytes_append_text(out, fd->source < 3 ? streams[fd->source] : "?");
        return;
    }
    if (fd->kind >= STATE_FD_TREE) {
        image_files_shown(out, &l->c.image, fd->inode);
        return;
    }
    if (fd->source < l->settings.dir_count)
        bytes_append_shown(out, view_of_string(l->settings.dirs[fd->source].guest));
    else
        bytes_append_text(out, "?");
    if (fd->path.size) {
        bytes_append_text(out, "/");
        bytes_append_shown(out, fd->path);
    }
}

/* ---- What a frame's values are ---- */

static void append_locals(struct bytes *out, const struct wasm_module *m, uint32_t func)
{
    const struct wasm_type *type = module_func_type(m, func);
    const struct wasm_func *f = &m->funcs[func];

    for (uint32_t i = 0; i < type->param_count; i++)
        bytes_append_byte(out, (uint8_t)wasm_valtype_letter(type->params[i]));
    for (uint32_t i = 0; func >= m->imported_funcs && i < f->local_runs; i++)
        for (uint32_t k = 0; k < f->locals[i].count; k++)
            bytes_append_byte(out, (uint8_t)wasm_valtype_letter(f->locals[i].valtype));
}

static const struct translate_safepoint *safepoint_of(const struct translate_safepoints *found,
                                                      const struct state_frame *f)
{
    const struct translate_safepoint *list = (const void *)found->list.data;

    for (size_t i = 0; i < found->list.size / sizeof *list; i++)
        if (list[i].point.offset == f->offset && list[i].point.inside == f->inside)
            return &list[i];
    return NULL;
}

bool frame_letters_find(struct frame_letters *l, const struct wasm_module *m,
                        const struct state_frame *f)
{
    const struct translate_safepoint *at;

    bytes_clear(&l->letters);
    append_locals(&l->letters, m, f->func);
    l->local_count = (uint32_t)l->letters.size;
    if (f->func >= m->imported_funcs) {
        if (l->func != f->func || !l->safepoints.list.size) {
            translate_safepoints_release(&l->safepoints);
            l->safepoints = (struct translate_safepoints){0};
            l->func = f->func;
            if (translate_find_safepoints(m, f->func, &l->safepoints) != TERN_OK)
                return false;
        }
        at = safepoint_of(&l->safepoints, f);
        if (at)
            bytes_append(&l->letters, l->safepoints.letters.data + at->operands, at->operand_count);
    }
    return bytes_ok(&l->letters) && l->letters.size == f->value_count;
}

void frame_letters_release(struct frame_letters *l)
{
    translate_safepoints_release(&l->safepoints);
    bytes_release(&l->letters);
}
