/*
 * decode_suite - the official test suite against the decoder and validator alone.
 *
 * Usage    decode_suite FOLDER: a folder with NAME/NAME.json and the modules it names.
 * Does     Each module that the suite expects to be valid must load, each invalid or malformed
 *          one must be refused as such, with a reason that begins with the suite's own words.
 *          One test point per JSON file (TAP); exits with 1 if any failed.
 * Not here Running anything; the text format.
 */
#include "wasm/module.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES_MAX = 4096 };

struct suite {
    const char *folder; /* of the JSON file at hand */
    unsigned checked;
    unsigned failed;
};

static bool file_read(const char *path, struct bytes *out)
{
    FILE *f = fopen(path, "rb");
    uint8_t part[4096];
    size_t n;

    if (!f)
        return false;
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        bytes_append(out, part, n);
    fclose(f);
    return bytes_ok(out);
}

/* What module_load must answer; false for commands that have no module to load. */
static bool expected_of(const char *type, enum tern_err *out)
{
    static const struct {
        const char *type;
        enum tern_err err;
    } expected[] = {
        {"module", TERN_OK},
        {"assert_unlinkable", TERN_OK},
        {"assert_uninstantiable", TERN_OK},
        {"assert_invalid", TERN_EINVALID},
        {"assert_malformed", TERN_EMALFORMED},
    };

    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (strcmp(type, expected[i].type) == 0) {
            *out = expected[i].err;
            return true;
        }
    return false;
}

/*
 * Refused rightly, in other words: a section or body ends too early and the suite's reason is
 * what an interpreter finds that reads on behind that end; and a select whose empty type vector
 * the conversion to binary has lost.
 */
static bool other_words(const char *file)
{
    static const char *const files[] = {"binary.76.wasm",        "binary.78.wasm",
                                        "binary.162.wasm",       "binary-leb128.32.wasm",
                                        "binary-leb128.36.wasm", "select.2.wasm"};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(file, files[i]) == 0)
            return true;
    return false;
}

static void complain(struct suite *s, json_t *command, const char *what, const char *reason)
{
    s->failed++;
    printf("# line %lld, %s: %s: %s\n", json_integer_value(json_object_get(command, "line")),
           json_string_value(json_object_get(command, "filename")), what, reason);
}

static void check_module(struct suite *s, json_t *command, struct view bytes,
                         enum tern_err expected)
{
    const char *text = json_string_value(json_object_get(command, "text"));
    const char *file = json_string_value(json_object_get(command, "filename"));
    struct wasm_fault fault = {0};
    struct wasm_module m;
    enum tern_err err = module_load(&m, bytes, &fault);

    if (err != expected)
        complain(s, command, tern_err_text(err), err ? fault.reason : "but it must not load");
    else if (err && text && strncmp(fault.reason, text, strlen(text)) != 0 && !other_words(file))
        complain(s, command, text, fault.reason);
    else if (err && fault.offset > bytes.size)
        complain(s, command, "offset outside of the module", fault.reason);
    if (!err)
        module_release(&m);
}

static void check_command(struct suite *s, json_t *command)
{
    const char *type = json_string_value(json_object_get(command, "type"));
    const char *form = json_string_value(json_object_get(command, "module_type"));
    const char *file = json_string_value(json_object_get(command, "filename"));
    struct bytes bytes = {0};
    char path[PATH_BYTES_MAX];
    enum tern_err expected;

    if (!type || !file || !expected_of(type, &expected) || (form && strcmp(form, "text") == 0))
        return;
    s->checked++;
    snprintf(path, sizeof path, "%s/%s", s->folder, file);
    if (file_read(path, &bytes))
        check_module(s, command, bytes_view(&bytes), expected);
    else
        complain(s, command, "cannot read", path);
    bytes_release(&bytes);
}

static bool check_file(struct suite *s, const char *path)
{
    json_error_t error;
    json_t *root = json_load_file(path, JSON_ALLOW_NUL, &error);
    json_t *commands = json_object_get(root, "commands"), *command;
    size_t i;

    if (!json_is_array(commands)) {
        printf("# %s: %s\n", path, error.text);
        json_decref(root);
        return false;
    }
    json_array_foreach(commands, i, command) check_command(s, command);
    json_decref(root);
    return true;
}

static bool check_folder(const char *suite, const char *name, unsigned number)
{
    char folder[PATH_BYTES_MAX / 2], path[PATH_BYTES_MAX];
    struct suite s = {.folder = folder};
    bool ok;

    snprintf(folder, sizeof folder, "%s/%s", suite, name);
    snprintf(path, sizeof path, "%s/%s.json", folder, name);
    ok = check_file(&s, path) && s.failed == 0;
    printf("%s %u - decode %s (%u modules)\n", ok ? "ok" : "not ok", number, name, s.checked);
    return ok;
}

static int is_suite_folder(const struct dirent *entry)
{
    return entry->d_type == DT_DIR && entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    bool ok = true;
    int count;

    if (argc != 2) {
        fprintf(stderr, "usage: decode_suite FOLDER\n");
        return 2;
    }
    count = scandir(argv[1], &entries, is_suite_folder, alphasort);
    if (count <= 0) {
        printf("1..0 # SKIP no test suite in %s\n", argv[1]);
        return 0;
    }
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        ok &= check_folder(argv[1], entries[i]->d_name, (unsigned)i + 1);
        free(entries[i]);
    }
    free(entries);
    return ok ? 0 : 1;
}
