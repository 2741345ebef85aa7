#include "sim/trace.h"

#include "base/check.h"
#include "base/little.h"

#include <string.h>

static const char *const texts[] = {
#define TRACE_TEXT(name, text) text,
    TRACES(TRACE_TEXT)
#undef TRACE_TEXT
};

void trace_begin(struct trace *t)
{
    t->count = 0;
    xxh64_begin(&t->hash, 0);
}

void trace_add(struct trace *t, const struct trace_row *row)
{
    uint8_t numbers[5 * 8];

    check(row->kind < TRACE_COUNT);
    little_put(numbers, (uint64_t)row->at_ns, 8);
    little_put(numbers + 8, row->kind, 8);
    little_put(numbers + 16, row->a, 8);
    little_put(numbers + 24, row->b, 8);
    little_put(numbers + 32, row->c, 8);
    xxh64_add(&t->hash, numbers, sizeof numbers);
    xxh64_add(&t->hash, row->who, strlen(row->who) + 1);
    xxh64_add(&t->hash, row->text, strnlen(row->text, sizeof row->text));
    t->kept[t->count++ % TRACE_KEPT] = *row;
    if (t->show)
        t->show(t->context, row);
}

uint64_t trace_hash(const struct trace *t)
{
    return xxh64_end(&t->hash);
}

/* The text of the table, with its numbers in place. */
static void append_meaning(const struct trace_row *row, struct bytes *out)
{
    const uint64_t numbers[] = {row->a, row->b, row->c};

    for (const char *at = texts[row->kind]; *at; at++) {
        if (*at != '{') {
            bytes_append_byte(out, (uint8_t)*at);
            continue;
        }
        bytes_appendf(out, "%llu", (unsigned long long)numbers[at[1] - 'a']);
        at += 2;
    }
}

void trace_line(const struct trace_row *row, struct bytes *out)
{
    const int64_t second = 1000000000;

    bytes_appendf(out, "%6lld.%09lld  %-18s ", (long long)(row->at_ns / second),
                  (long long)(row->at_ns % second), row->who);
    append_meaning(row, out);
    if (row->text[0])
        bytes_appendf(out, "  %.*s", (int)strnlen(row->text, sizeof row->text), row->text);
}

void trace_last(const struct trace *t, size_t count, struct bytes *out)
{
    uint64_t from;

    if (count > TRACE_KEPT)
        count = TRACE_KEPT;
    from = t->count > count ? t->count - count : 0;
    for (uint64_t n = from; n < t->count; n++) {
        trace_line(&t->kept[n % TRACE_KEPT], out);
        bytes_append_byte(out, '\n');
    }
}
