#include "cli/record_sum.h"

#include <inttypes.h>

static bool sends(const struct call *c)
{
    for (const struct call_param *q = c->params; q->kind != CALL_NONE; q++) {
        if (q->kind == CALL_SEND)
            return true;
    }
    return false;
}

void record_sum_add(struct record_sum *s, const struct record_call *c)
{
    struct record_sum_row *r = &s->row[c->number];

    r->calls++;
    r->failed += c->answer != 0;
    r->took_ns += c->took_ns;
    r->bytes_in += c->filled.size;
    r->bytes_out += sends(call_find(c->number)) ? c->moved : 0;
}

/* Numbers of the functions that were called; how many. */
static uint32_t order(const struct record_sum *s, uint32_t out[HOST_CALLS_END])
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < HOST_CALLS_END; i++) {
        uint32_t k = count;

        if (!s->row[i].calls)
            continue;
        for (; k > 0 && s->row[out[k - 1]].took_ns < s->row[i].took_ns; k--)
            out[k] = out[k - 1];
        out[k] = i;
        count++;
    }
    return count;
}

static void append_row(struct bytes *out, const struct record_sum_row *r, const char *name)
{
    bytes_appendf(out,
                  "%10" PRIu64 " %10" PRIu64 " %6" PRIu64 ".%06" PRIu64 " %12" PRIu64 " %12" PRIu64
                  "  %s\n",
                  r->calls, r->failed, r->took_ns / 1000000000, r->took_ns % 1000000000 / 1000,
                  r->bytes_in, r->bytes_out, name);
}

void record_sum_text(struct bytes *out, const struct record_sum *s)
{
    uint32_t list[HOST_CALLS_END];
    const uint32_t count = order(s, list);
    struct record_sum_row all = {0};

    bytes_append_text(out, "     calls     failed       seconds     bytes in    bytes out  "
                           "function\n");
    for (uint32_t i = 0; i < count; i++) {
        const struct record_sum_row *r = &s->row[list[i]];

        append_row(out, r, call_find(list[i])->name);
        all.calls += r->calls;
        all.failed += r->failed;
        all.took_ns += r->took_ns;
        all.bytes_in += r->bytes_in;
        all.bytes_out += r->bytes_out;
    }
    append_row(out, &all, "in all");
}

json_t *record_sum_json(const struct record_sum *s)
{
    uint32_t list[HOST_CALLS_END];
    const uint32_t count = order(s, list);
    json_t *all = json_array();

    for (uint32_t i = 0; i < count; i++) {
        const struct record_sum_row *r = &s->row[list[i]];

        json_array_append_new(
            all, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "name", call_find(list[i])->name,
                           "calls", (json_int_t)r->calls, "failed", (json_int_t)r->failed,
                           "took_ns", (json_int_t)r->took_ns, "bytes_in", (json_int_t)r->bytes_in,
                           "bytes_out", (json_int_t)r->bytes_out));
    }
    return all;
}
