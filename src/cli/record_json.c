#include "cli/json_text.h"
#include "cli/record_names.h"
#include "cli/record_show.h"

#include <string.h>

/* A second argument of the same parameter is a count or a size. */
static json_t *args_json(const struct record_call *c)
{
    const struct call *what = call_find(c->number);
    const uint64_t *value = c->args;
    json_t *all = json_object();
    char name[64];

    for (const struct call_param *q = what->params; q->kind != CALL_NONE; q++) {
        json_object_set_new(all, q->name, json_integer((json_int_t)*value++));
        if (call_param_args((enum call_kind)q->kind) == 1)
            continue;
        snprintf(name, sizeof name, "%s_len", q->name);
        json_object_set_new(all, name, json_integer((json_int_t)*value++));
    }
    return all;
}

/* A part of what the call read, by parameter. */
static json_t *given_json(const struct record_call *c)
{
    const struct record_kept *k = c->kept;
    json_t *all = json_object();

    for (const struct call_param *q = call_find(c->number)->params; q->kind != CALL_NONE; q++) {
        if (!call_param_kept((enum call_kind)q->kind))
            continue;
        json_object_set_new(all, q->name,
                            json_pack("{s:I, s:o}", "size", (json_int_t)k->size, "data",
                                      json_text_escaped(k->part)));
        k++;
    }
    return all;
}

static json_t *filestat_json(struct view s)
{
    const uint64_t dev = record_take(&s, 8), ino = record_take(&s, 8),
                   type = record_take(&s, 8) & 0xff, links = record_take(&s, 8),
                   size = record_take(&s, 8), atim = record_take(&s, 8), mtim = record_take(&s, 8),
                   ctim = record_take(&s, 8);

    return json_pack("{s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I}", "dev", (json_int_t)dev, "ino",
                     (json_int_t)ino, "filetype", record_filetype_name((uint32_t)type), "nlink",
                     (json_int_t)links, "size", (json_int_t)size, "atim", (json_int_t)atim, "mtim",
                     (json_int_t)mtim, "ctim", (json_int_t)ctim);
}

static json_t *fdstat_json(struct view s)
{
    const uint64_t head = record_take(&s, 8), rights = record_take(&s, 8),
                   inheriting = record_take(&s, 8);

    return json_pack("{s:s, s:I, s:I, s:I}", "filetype", record_filetype_name(head & 0xff), "flags",
                     (json_int_t)(head >> 16 & 0xffff), "rights_base", (json_int_t)rights,
                     "rights_inheriting", (json_int_t)inheriting);
}

static json_t *result_json(const struct call_param *q, struct view bytes)
{
    struct view rest = bytes;

    if (q->kind == CALL_GIVES && q->detail == CALL_GIVES_FDSTAT)
        return fdstat_json(bytes);
    if (q->kind == CALL_GIVES && q->detail == CALL_GIVES_FILESTAT)
        return filestat_json(bytes);
    if (q->kind == CALL_GIVES && q->detail == CALL_GIVES_PRESTAT)
        return json_pack("{s:I}", "name_len", (json_int_t)(record_take(&rest, 8) >> 32));
    return json_integer((json_int_t)record_take(&rest, bytes.size));
}

static json_t *results_json(const struct record_call *c)
{
    struct record_results r = record_results_of(c);
    json_t *all = json_object();

    for (const struct call_param *q = call_find(c->number)->params; q->kind != CALL_NONE; q++) {
        const struct view value = record_take_result(&r, q);

        if (q->kind == CALL_MOVED || q->kind == CALL_GIVES)
            json_object_set_new(all, q->name, result_json(q, value));
    }
    if (r.data.size > 0)
        json_object_set_new(all, "data", json_text_escaped(r.data));
    return all;
}

static json_t *ranges_json(const struct record_call *c)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < c->range_count; i++) {
        const struct record_range r = record_range_get(c, i);

        json_array_append_new(
            list, json_pack("{s:I, s:I}", "address", (json_int_t)r.at, "size", (json_int_t)r.size));
    }
    return list;
}

json_t *record_call_json(const struct record_call *c)
{
    static const char *const streams[] = {NULL, "stdout", "stderr"};

    return json_pack("{s:I, s:I, s:I, s:s, s:o, s:o, s:s, s:o, s:s?, s:o}", "call",
                     (json_int_t)c->sequence, "at_ns", (json_int_t)c->at_ns, "took_ns",
                     (json_int_t)c->took_ns, "name", call_find(c->number)->name, "args",
                     args_json(c), "given", given_json(c), "answer",
                     c->answer ? record_errno_name(c->answer) : "ok", "results",
                     c->answer ? json_object() : results_json(c), "stream", streams[c->stream],
                     "filled", ranges_json(c));
}
