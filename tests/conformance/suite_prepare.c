/*
 * suite_prepare - turns one folder of the official test suite into C files and a script.
 *
 *   suite_prepare SUITE/NAME OUT [resume] [deterministic]
 *
 * Does     Translates every module that a command instantiates into OUT/K.c (K counts them, the
 *          description is called module_K) and, with `resume`, continuations for all its points
 *          into OUT/K-resume.c (called resume_K), checks those that must be refused itself, and
 *          writes OUT/script for suite_run: a line a command, format below.
 * Output   Nothing but complaints. Exit code 1: the folder could not be prepared.
 *
 * Script   Words between blanks. LINE is the line in the suite's source; names are hexadecimal
 *          behind an x, a module that has none is "-"; texts go to the line's end.
 *            pass LINE | skip LINE | fail LINE TEXT      decided here
 *            module LINE K FILE NAME
 *            unlinkable LINE K FILE TEXT
 *            uninstantiable LINE K FILE TEXT
 *            register LINE NAME AS
 *            action LINE NAME FIELD VALUE...
 *            return LINE NAME FIELD VALUE... = VALUE...
 *            get LINE NAME FIELD = VALUE
 *            trap LINE NAME FIELD VALUE... = TEXT
 *          A VALUE is a type's letter, a colon and bits in hexadecimal; v128 in memory order. An
 *          expected float may be "canonical" or "arithmetic" instead of bits; an expected v128 is
 *          followed by a colon and a letter a float lane: = exact, c canonical, a arithmetic.
 *          References are "null", a number, or "any".
 */
#include "base/bytes.h"
#include "translate/translate.h"
#include "wasm/module.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 64 << 20, PATH_BYTES = 4096 };

struct work {
    const char *folder; /* of the suite: SUITE/NAME */
    const char *out;
    FILE *script;
    unsigned modules; /* translated so far */
    int line;         /* of the command at hand */
    bool resume;
    struct translate_options options;
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static bool read_file(const char *folder, const char *name, struct bytes *out)
{
    char path[PATH_BYTES];
    FILE *f;
    uint8_t *room;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "cannot open %s: %s\n", path, strerror(errno));
        return false;
    }
    out->limit = FILE_BYTES_MAX;
    while ((room = bytes_reserve(out, 65536)) != NULL) {
        size_t got = fread(room, 1, 65536, f);

        out->size += got;
        if (got == 0)
            break;
    }
    fclose(f);
    return bytes_ok(out);
}

/* ---- Modules ---- */

static bool write_file(const struct work *w, const char *suffix, const struct bytes *c)
{
    char path[PATH_BYTES];
    bool done;
    FILE *f;

    snprintf(path, sizeof path, "%s/%u%s.c", w->out, w->modules, suffix);
    f = fopen(path, "wb");
    done = f && bytes_ok(c) && fwrite(c->data, 1, c->size, f) == c->size;
    return f && fclose(f) == 0 && done;
}

static bool write_continuations(const struct work *w, const struct wasm_module *m)
{
    struct bytes points = {0}, c = {.limit = FILE_BYTES_MAX};
    struct translate_points all;
    bool done = false;

    bytes_appendf(&c, "#define TERN_CONTINUATIONS resume_%u\n", w->modules);
    if (translate_all_points(m, &points) == TERN_OK) {
        all.list = (const struct translate_point *)(const void *)points.data;
        all.count = points.size / sizeof *all.list;
        done = translate_continuations(m, &w->options, &all, true, &c) == TERN_OK &&
               write_file(w, "-resume", &c);
    }
    bytes_release(&points);
    bytes_release(&c);
    return done;
}

static bool write_c(const struct work *w, const struct wasm_module *m)
{
    struct bytes c = {.limit = FILE_BYTES_MAX};
    bool done;

    bytes_appendf(&c, "#define TERN_MODULE module_%u\n", w->modules);
    done = translate_piece(m, &w->options, 0, &c) == TERN_OK && write_file(w, "", &c);
    bytes_release(&c);
    return done && (!w->resume || write_continuations(w, m));
}

static void fail(const struct work *w, const char *what, const char *why)
{
    fprintf(w->script, "fail %d %s: %s\n", w->line, what, why);
}

/* A module that must be accepted, for the script to use it; if true the line is left open. */
static bool translate_module(struct work *w, const json_t *command, const char *verb)
{
    const char *name = text_of(command, "filename");
    struct bytes bytes = {0};
    struct wasm_module m = {0};
    struct wasm_fault fault = {0};
    bool done = false;

    if (!read_file(w->folder, name, &bytes)) {
        fail(w, name, "cannot be read");
    } else if (module_load(&m, bytes_view(&bytes), &fault) != TERN_OK) {
        fail(w, "a valid module was refused", fault.reason);
    } else if (!write_c(w, &m)) {
        fail(w, name, "was not translated");
    } else {
        fprintf(w->script, "%s %d %u %s", verb, w->line, w->modules, name);
        w->modules++;
        done = true;
    }
    module_release(&m);
    bytes_release(&bytes);
    return done;
}

/* A module that must be refused, as malformed or as invalid. */
static void refuse_module(const struct work *w, const json_t *command, enum tern_err expected)
{
    struct bytes bytes = {0};
    struct wasm_module m = {0};
    struct wasm_fault fault = {0};
    enum tern_err err;

    if (strcmp(text_of(command, "module_type"), "text") == 0) {
        fprintf(w->script, "skip %d\n", w->line);
        return;
    }
    if (!read_file(w->folder, text_of(command, "filename"), &bytes)) {
        fail(w, text_of(command, "filename"), "cannot be read");
        return;
    }
    err = module_load(&m, bytes_view(&bytes), &fault);
    if (err == expected)
        fprintf(w->script, "pass %d\n", w->line);
    else if (err == TERN_OK)
        fail(w, "accepted, but", text_of(command, "text"));
    else
        fail(w, tern_err_text(err), fault.reason);
    module_release(&m);
    bytes_release(&bytes);
}

/* ---- Names and values ---- */

static void write_name(const struct work *w, const json_t *object, const char *key)
{
    const json_t *name = json_object_get(object, key);
    const char *text = json_string_value(name);
    size_t size = json_string_length(name);

    if (!text) {
        fputs(" -", w->script);
        return;
    }
    fputs(" x", w->script);
    for (size_t i = 0; i < size; i++)
        fprintf(w->script, "%02x", (unsigned)(uint8_t)text[i]);
}

static uint64_t bits_of(const char *decimal)
{
    return *decimal == '-' ? (uint64_t)strtoll(decimal, NULL, 10) : strtoull(decimal, NULL, 10);
}

/* Lanes in memory order, then what is asked of each float lane. */
static void write_vector(const struct work *w, const json_t *value)
{
    const char *type = text_of(value, "lane_type");
    const json_t *lanes = json_object_get(value, "value");
    size_t count = json_array_size(lanes), width = count ? 16 / count : 0;
    char classes[17] = "";

    fputs(" v:", w->script);
    for (size_t i = 0; i < count && count <= 16; i++) {
        const char *lane = json_string_value(json_array_get(lanes, i));
        bool nan = strncmp(lane, "nan:", 4) == 0;
        uint64_t bits = nan ? 0 : bits_of(lane);

        classes[i] = nan ? lane[4] : '=';
        classes[i + 1] = 0;
        for (size_t k = 0; k < width; k++)
            fprintf(w->script, "%02x", (unsigned)(bits >> (8 * k) & 0xff));
    }
    fprintf(w->script, ":%s", *type == 'f' ? classes : "");
}

static void write_value(const struct work *w, const json_t *value)
{
    static const char *const types[] = {"i32", "i64", "f32", "f64", "funcref", "externref"};
    static const char letters[] = "iIfdre";
    const char *type = text_of(value, "type"), *text = text_of(value, "value");

    if (strcmp(type, "v128") == 0) {
        write_vector(w, value);
        return;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i], type) != 0)
            continue;
        fprintf(w->script, " %c:", letters[i]);
        if (*text == 0)
            fputs("any", w->script);
        else if (strcmp(text, "null") == 0)
            fputs(text, w->script);
        else if (strncmp(text, "nan:", 4) == 0)
            fputs(text + 4, w->script);
        else
            fprintf(w->script, "%" PRIx64, bits_of(text));
    }
}

static void write_values(const struct work *w, const json_t *values)
{
    for (size_t i = 0; i < json_array_size(values); i++)
        write_value(w, json_array_get(values, i));
}

/* ---- Commands ---- */

/* verb, what is called with what; the line is left open. */
static void write_action(const struct work *w, const json_t *command, const char *verb)
{
    const json_t *action = json_object_get(command, "action");
    bool get = strcmp(text_of(action, "type"), "get") == 0;

    fprintf(w->script, "%s %d", get ? "get" : verb, w->line);
    write_name(w, action, "module");
    write_name(w, action, "field");
    write_values(w, json_object_get(action, "args"));
}

static void write_register(const struct work *w, const json_t *command)
{
    fprintf(w->script, "register %d", w->line);
    write_name(w, command, "name");
    write_name(w, command, "as");
    fputc('\n', w->script);
}

static void write_module(struct work *w, const json_t *command)
{
    if (!translate_module(w, command, "module"))
        return;
    write_name(w, command, "name");
    fputc('\n', w->script);
}

static void write_misfit(struct work *w, const json_t *command, const char *verb)
{
    if (translate_module(w, command, verb))
        fprintf(w->script, " %s\n", text_of(command, "text"));
}

static void prepare_command(struct work *w, const json_t *command)
{
    const char *type = text_of(command, "type"), *text = text_of(command, "text");

    w->line = (int)json_integer_value(json_object_get(command, "line"));
    if (strcmp(type, "module") == 0) {
        write_module(w, command);
    } else if (strcmp(type, "assert_unlinkable") == 0) {
        write_misfit(w, command, "unlinkable");
    } else if (strcmp(type, "assert_uninstantiable") == 0) {
        write_misfit(w, command, "uninstantiable");
    } else if (strcmp(type, "assert_malformed") == 0) {
        refuse_module(w, command, TERN_EMALFORMED);
    } else if (strcmp(type, "assert_invalid") == 0) {
        refuse_module(w, command, TERN_EINVALID);
    } else if (strcmp(type, "register") == 0) {
        write_register(w, command);
    } else if (strcmp(type, "action") == 0) {
        write_action(w, command, "action");
        fputc('\n', w->script);
    } else if (strcmp(type, "assert_return") == 0) {
        write_action(w, command, "return");
        fputs(" =", w->script);
        write_values(w, json_object_get(command, "expected"));
        fputc('\n', w->script);
    } else if (strcmp(type, "assert_trap") == 0 || strcmp(type, "assert_exhaustion") == 0) {
        write_action(w, command, "trap");
        fprintf(w->script, " = %s\n", text);
    } else {
        fail(w, "unknown command", type);
    }
}

static json_t *read_commands(const char *folder)
{
    const char *name = strrchr(folder, '/');
    char path[PATH_BYTES];
    json_error_t error;
    json_t *root;

    snprintf(path, sizeof path, "%s/%s.json", folder, name ? name + 1 : folder);
    /* Names in modules may hold zero bytes, and so do fields. */
    root = json_load_file(path, JSON_ALLOW_NUL, &error);
    if (!root)
        fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
    return root;
}

int main(int argc, char **argv)
{
    struct work w = {0};
    char path[PATH_BYTES];
    json_t *root, *commands;

    for (int i = 3; i < argc; i++) {
        w.resume |= strcmp(argv[i], "resume") == 0;
        w.options.deterministic |= strcmp(argv[i], "deterministic") == 0;
    }
    if (argc != 3 + w.resume + w.options.deterministic) {
        fputs("usage: suite_prepare SUITE/NAME OUT [resume] [deterministic]\n", stderr);
        return 2;
    }
    w.folder = argv[1];
    w.out = argv[2];
    snprintf(path, sizeof path, "%s/script", w.out);
    root = read_commands(w.folder);
    w.script = root ? fopen(path, "w") : NULL;
    if (!w.script) {
        fprintf(stderr, "cannot prepare %s\n", w.folder);
        json_decref(root);
        return 1;
    }
    commands = json_object_get(root, "commands");
    for (size_t i = 0; i < json_array_size(commands); i++)
        prepare_command(&w, json_array_get(commands, i));
    json_decref(root);
    return fclose(w.script) == 0 ? 0 : 1;
}
