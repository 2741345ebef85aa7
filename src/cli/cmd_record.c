#include "cli/commands.h"
#include "cli/record_names.h"
#include "cli/record_show.h"
#include "cli/record_sum.h"
#include "cli/run.h"
#include "cli/say.h"

#include "rt/trap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_DEFAULT = 32 };

struct show {
    const struct invocation *in;
    struct record_style style;
    bool json, failed, sum;
    const char *calls; /* names with ',' in between; NULL: all */
    struct record_sum sums;
    struct record_file file;
    bool broken; /* out of memory, or standard output */
};

/* ---- Options ---- */

static bool known_names(const char *list)
{
    for (const char *at = list; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
        const size_t size = strcspn(at, ",");
        bool found = false;

        for (uint32_t i = 1; i < HOST_CALLS_END && !found; i++) {
            const struct call *c = call_find(i);

            found = c && strlen(c->name) == size && strncmp(c->name, at, size) == 0;
        }
        if (!found) {
            say("record show: there is no host call '%.*s'", (int)size, at);
            return false;
        }
    }
    return true;
}

static bool take_options(struct show *s)
{
    const char *bytes = invocation_value(s->in, "bytes");
    char *end = NULL;

    s->json = invocation_value(s->in, "json");
    s->failed = invocation_value(s->in, "failed");
    s->sum = invocation_value(s->in, "summary");
    s->calls = invocation_value(s->in, "calls");
    s->style = (struct record_style){SHOWN_DEFAULT, invocation_value(s->in, "times") != NULL};
    if (bytes) {
        errno = 0;
        s->style.shown = strtoul(bytes, &end, 10);
        if (*bytes < '0' || *bytes > '9' || *end || errno) {
            say("record show: --bytes '%s' should be a number", bytes);
            return false;
        }
    }
    return !s->calls || known_names(s->calls);
}

static bool named(const char *list, const char *name)
{
    const size_t size = strlen(name);

    for (const char *at = list; (at = strstr(at, name)) != NULL; at += size) {
        if ((at == list || at[-1] == ',') && (at[size] == 0 || at[size] == ','))
            return true;
    }
    return false;
}

/* ---- Printing ---- */

static void print(struct show *s, struct bytes *text)
{
    const char *line = bytes_text(text);

    s->broken |= !line || fputs(line, stdout) < 0;
    bytes_clear(text);
}

static void print_json(struct show *s, json_t *value)
{
    s->broken |= !value || json_dumpf(value, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) != 0 ||
                 putchar('\n') == EOF;
    json_decref(value);
}

static void show_call(struct show *s, const struct record_call *c, struct bytes *text)
{
    if ((s->failed && !c->answer) || (s->calls && !named(s->calls, call_find(c->number)->name)))
        return;
    if (s->sum) {
        record_sum_add(&s->sums, c);
    } else if (s->json) {
        print_json(s, record_call_json(c));
    } else {
        record_call_text(text, c, &s->style);
        print(s, text);
    }
}

static void show_calls(struct show *s)
{
    struct record_reader reader;
    struct record_block block;
    struct record_call call;
    struct bytes text = {0};

    if (record_begin(&reader, s->file.all) != TERN_OK)
        return; /* it was one when it was opened */
    while (!s->broken && record_next(&reader, &block) == RECORD_READ_BLOCK) {
        if (block.kind == RECORD_CALL && record_decode_call(&call, block.contents) == TERN_OK)
            show_call(s, &call, &text);
    }
    bytes_release(&text);
}

/* ---- How it ended ---- */

static void describe_report(const struct report *r, char *out, size_t size)
{
    switch (r->kind) {
    case REPORT_EXIT: snprintf(out, size, "ended with exit code %u", r->code & 255); break;
    case REPORT_TRAP:
        snprintf(out, size, "trapped: %s", trap_text((enum tern_trap_kind)r->code));
        break;
    case REPORT_LIMIT:
        snprintf(out, size, "stopped at its limit of %s",
                 r->code == REPORT_LIMIT_CPU ? "processor time" : "output");
        break;
    case REPORT_SIGNAL: snprintf(out, size, "ended by signal %u", r->code); break;
    case REPORT_STOPPED: snprintf(out, size, "stopped with a checkpoint"); break;
    case REPORT_REFUSED: snprintf(out, size, "could not be run: %s", r->text); break;
    case REPORT_DIVERGED:
    case REPORT_REPLAYED: snprintf(out, size, "ended"); break;
    }
}

static void describe_end(const struct record_file *f, char *out, size_t size)
{
    struct report r;

    if (f->live)
        snprintf(out, size, "it is being written");
    else if (!f->ended)
        snprintf(out, size, "the record ends here: %s", f->cut);
    else if (report_decode(&r, f->report) == TERN_OK)
        describe_report(&r, out, size);
    else
        snprintf(out, size, "ended from outside, by signal %d", f->status & 127);
}

static void show_end(struct show *s)
{
    char how[640];

    describe_end(&s->file, how, sizeof how);
    if (s->json)
        print_json(s, json_pack("{s:I, s:b, s:s}", "calls", (json_int_t)s->file.calls, "ended",
                                (int)s->file.ended, "end", how));
    else
        s->broken |= printf("+++ %s, after %" PRIu64 " calls +++\n", how, s->file.calls) < 0;
}

/* ---- The whole ---- */

static void show_start(struct show *s)
{
    json_t *settings =
        json_loadb((const char *)s->file.settings.data, s->file.settings.size, 0, NULL);
    const json_t *args = json_object_get(settings, "args");
    struct bytes text = {0};

    if (s->json) {
        print_json(s, settings ? settings : json_null());
        return;
    }
    bytes_append_text(&text, "+++");
    for (size_t i = 0; i < json_array_size(args); i++) {
        const char *word = json_string_value(json_array_get(args, i));

        bytes_append_text(&text, " ");
        bytes_append_shown(&text, view_of_string(word ? word : "?"));
    }
    bytes_append_text(&text, " +++\n");
    print(s, &text);
    bytes_release(&text);
    json_decref(settings);
}

static int show_all(struct show *s)
{
    struct bytes text = {0};

    if (!s->sum)
        show_start(s);
    show_calls(s);
    if (s->sum && s->json) {
        print_json(s, record_sum_json(&s->sums));
    } else if (s->sum) {
        record_sum_text(&text, &s->sums);
        print(s, &text);
    } else {
        show_end(s);
    }
    bytes_release(&text);
    if (s->broken && !ferror(stdout))
        say("record show: out of memory");
    return say_end_of_output(s->broken ? CLI_FAILED : 0);
}

int cmd_record_show(const struct invocation *in)
{
    struct show s = {.in = in};
    struct problem p = {.text = "out of memory"};
    int code;

    if (!take_options(&s))
        return CLI_USAGE;
    if (record_open(in->args[0], true, &s.file, &p)) {
        say("record show: %s: %s", in->args[0], p.text);
        return CLI_FAILED;
    }
    code = show_all(&s);
    record_close(&s.file);
    return code;
}
