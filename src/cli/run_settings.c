#include "cli/run.h"

#include "cli/json_text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Text of any bytes ---- */

static json_t *escaped(const char *text)
{
    return json_text_escaped(view_of_string(text));
}

static int hex_digit(char c)
{
    const char *digits = "0123456789ABCDEF", *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* NULL: no text, or one with a zero in it. To be freed. */
static char *unescaped(const json_t *value)
{
    const char *text = json_string_value(value);
    char *out = text ? malloc(strlen(text) + 1) : NULL;
    size_t size = 0;

    for (; out && *text; text++) {
        int high = *text == '%' ? hex_digit(text[1]) : -1;
        int low = high >= 0 ? hex_digit(text[2]) : -1;

        if (*text == '%' && (low < 0 || high + low == 0)) {
            free(out);
            return NULL;
        }
        out[size++] = low >= 0 ? (char)((unsigned)high << 4 | (unsigned)low) : *text;
        text += low >= 0 ? 2 : 0;
    }
    if (out)
        out[size] = 0;
    return out;
}

/* ---- Writing ---- */

static json_t *word_list(const struct words *words)
{
    json_t *list = json_array();

    for (size_t i = 0; i < words->count; i++)
        json_array_append_new(list, escaped(words->word[i]));
    return list;
}

static json_t *dir_list(const struct run *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->dir_count; i++)
        json_array_append_new(list, json_pack("{s:o, s:o, s:b}", "host", escaped(r->dirs[i].host),
                                              "guest", escaped(r->dirs[i].guest), "read_only",
                                              (int)r->dirs[i].read_only));
    return list;
}

static json_t *out_list(const struct run *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->out_count; i++)
        json_array_append_new(list, json_pack("{s:o, s:o}", "path", escaped(r->outs[i].path),
                                              "host", escaped(r->outs[i].host)));
    return list;
}

static json_t *files_of(const struct run *r)
{
    return json_pack("{s:o, s:I, s:o}", "folder", escaped(r->files), "bytes_max",
                     (json_int_t)r->files_bytes_max, "out", out_list(r));
}

enum tern_err run_write_settings(struct run *r)
{
    char *text;
    json_t *all = json_pack(
        "{s:i, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:b}", "version", 1, "module",
        escaped(r->path), "args", word_list(&r->args), "env", word_list(&r->env), "dirs",
        dir_list(r), "memory_pages_max", (json_int_t)r->limits.memory_pages_max, "stack_bytes",
        (json_int_t)r->limits.stack_bytes, "cpu_ns_max", (json_int_t)r->limits.cpu_ns_max,
        "output_bytes_max", (json_int_t)r->limits.output_bytes_max, "every_ns",
        (json_int_t)r->every_ns, "deterministic", (int)r->deterministic);
    if (all && r->files)
        json_object_set_new(all, "files", files_of(r));
    text = all ? json_dumps(all, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;

    bytes_release(&r->settings);
    if (text)
        bytes_append_text(&r->settings, text);
    json_decref(all);
    free(text);
    return text && bytes_ok(&r->settings) ? TERN_OK : TERN_ENOMEM;
}

/* ---- Reading ---- */

static bool read_words(const json_t *list, struct words *out)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        char *text = unescaped(json_array_get(list, i));

        if (!text)
            return false;
        words_add(out, text);
        free(text);
    }
    return json_is_array(list) && !out->failed;
}

static bool read_dirs(const json_t *list, struct run *r)
{
    size_t count = json_array_size(list);

    for (size_t i = 0; i < count && count <= TICKET_DIRS_MAX; i++) {
        const json_t *one = json_array_get(list, i);
        struct program_dir *dir = &r->dirs[r->dir_count++];

        dir->host = unescaped(json_object_get(one, "host"));
        dir->guest = unescaped(json_object_get(one, "guest"));
        dir->read_only = json_is_true(json_object_get(one, "read_only"));
        if (!dir->host || !dir->guest)
            return false;
    }
    return json_is_array(list) && count <= TICKET_DIRS_MAX;
}

static bool read_number(const json_t *all, const char *key, uint64_t max, uint64_t *out)
{
    const json_t *value = json_object_get(all, key);
    json_int_t number = json_integer_value(value);

    if (!json_is_integer(value) || number < 0 || (uint64_t)number > max)
        return false;
    *out = (uint64_t)number;
    return true;
}

static bool read_outs(const json_t *list, struct run *r)
{
    const size_t count = json_array_size(list);

    for (size_t i = 0; i < count && count <= RUN_OUTS_MAX; i++) {
        const json_t *one = json_array_get(list, i);
        struct tree_out *out = &r->outs[r->out_count++];

        out->path = unescaped(json_object_get(one, "path"));
        out->host = unescaped(json_object_get(one, "host"));
        if (!out->path || !out->host)
            return false;
    }
    return json_is_array(list) && count <= RUN_OUTS_MAX;
}

/* Absent where the program has no files of its own. */
static bool read_files(const json_t *files, struct run *r)
{
    const uint64_t most = (uint64_t)TREE_PAGES_MAX * TREE_PAGE_BYTES;

    if (!files)
        return true;
    r->files = unescaped(json_object_get(files, "folder"));
    return r->files && read_number(files, "bytes_max", most, &r->files_bytes_max) &&
           r->files_bytes_max >= TREE_PAGE_BYTES && read_outs(json_object_get(files, "out"), r);
}

static bool read_all(const json_t *all, struct run *r)
{
    uint64_t version, pages = 0;
    bool fine = read_number(all, "version", 1, &version) && version == 1 &&
                read_number(all, "memory_pages_max", WASM_MEMORY_PAGES_MAX, &pages) &&
                read_number(all, "stack_bytes", (uint64_t)1 << 30, &r->limits.stack_bytes) &&
                read_number(all, "cpu_ns_max", INT64_MAX, &r->limits.cpu_ns_max) &&
                read_number(all, "output_bytes_max", INT64_MAX, &r->limits.output_bytes_max) &&
                read_number(all, "every_ns", INT64_MAX, &r->every_ns) &&
                read_words(json_object_get(all, "args"), &r->args) &&
                read_words(json_object_get(all, "env"), &r->env) &&
                read_dirs(json_object_get(all, "dirs"), r) &&
                read_files(json_object_get(all, "files"), r);

    r->limits.memory_pages_max = (uint32_t)pages;
    r->deterministic = json_is_true(json_object_get(all, "deterministic"));
    r->path = fine ? unescaped(json_object_get(all, "module")) : NULL;
    return r->path;
}

enum tern_err run_read_settings(struct run *r, struct view json, struct problem *p)
{
    json_t *all = json_loadb((const char *)json.data, json.size, 0, NULL);
    bool fine = all && read_all(all, r);

    json_decref(all);
    return fine ? TERN_OK : problem_set(p, TERN_ECORRUPT, "its settings make no sense");
}
