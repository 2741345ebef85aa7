#include "base/little.h"
#include "cli/record_names.h"
#include "cli/record_show.h"

#include <inttypes.h>
#include <string.h>

enum { NS_PER_S = 1000000000, SUBSCRIPTION_BYTES = 48, EVENT_BYTES = 32, EVENTS_SHOWN_MAX = 16 };
enum { DIRENT_HEAD_BYTES = 24, MOVED_BYTES = 4 };

/* ---- Parts ---- */

/* That a parameter gives back beside data; 0: nothing. */
static size_t result_bytes(const struct call_param *q)
{
    return q->kind == CALL_MOVED   ? MOVED_BYTES
           : q->kind == CALL_GIVES ? call_gives_bytes((enum call_gives)q->detail)
                                   : 0;
}

struct record_results record_results_of(const struct record_call *c)
{
    const struct call *what = call_find(c->number);
    struct record_results r = {.data = c->filled};
    size_t size = 0;

    for (const struct call_param *q = what->params; q->kind != CALL_NONE; q++)
        size += result_bytes(q);
    if (size > c->filled.size)
        size = c->filled.size;
    r.data.size -= size;
    r.fixed = view_of(c->filled.data + r.data.size, size);
    return r;
}

struct view record_take_result(struct record_results *r, const struct call_param *q)
{
    const size_t size = result_bytes(q);
    const struct view value = view_of(r->fixed.data, size < r->fixed.size ? size : r->fixed.size);

    r->fixed = view_of(r->fixed.data + value.size, r->fixed.size - value.size);
    return value;
}

uint64_t record_take(struct view *rest, size_t size)
{
    uint64_t value;

    if (size > rest->size) {
        rest->size = 0;
        return 0;
    }
    value = little_get(rest->data, size < sizeof value ? size : sizeof value);
    *rest = view_of(rest->data + size, rest->size - size);
    return value;
}

static void append_char(struct bytes *out, uint8_t c)
{
    const char *plain = "\"\\\n\t\r", *letters = "\"\\ntr", *at = c ? strchr(plain, c) : NULL;

    if (at)
        bytes_appendf(out, "\\%c", letters[at - plain]);
    else if (c >= ' ' && c < 0x7f)
        bytes_append_byte(out, c);
    else
        bytes_appendf(out, "\\x%02x", c);
}

/* `all` bytes, of which `part` is there. */
static void append_quoted(struct bytes *out, struct view part, uint64_t all, size_t shown)
{
    const size_t size = part.size < shown ? part.size : shown;

    bytes_append_byte(out, '"');
    for (size_t i = 0; i < size; i++)
        append_char(out, part.data[i]);
    bytes_append_text(out, size < all ? "\"..." : "\"");
}

/* Time as seconds with nine digits. */
static void append_ns(struct bytes *out, uint64_t ns)
{
    bytes_appendf(out, "%" PRIu64 ".%09" PRIu64 "s", ns / NS_PER_S, ns % NS_PER_S);
}

static void append_us(struct bytes *out, uint64_t ns)
{
    bytes_appendf(out, "%" PRIu64 ".%06" PRIu64, ns / NS_PER_S, ns % NS_PER_S / 1000);
}

/* ---- What the program gave ---- */

static void append_subscription(struct bytes *out, struct view s)
{
    const uint64_t userdata = record_take(&s, 8), type = record_take(&s, 8) & 0xff;
    const uint64_t which = record_take(&s, 8) & UINT32_MAX, timeout = record_take(&s, 8);
    const uint64_t precision = record_take(&s, 8), absolute = record_take(&s, 8) & 1;

    (void)userdata;
    (void)precision;
    bytes_append_text(out, record_event_name((uint32_t)type));
    bytes_append_text(out, " ");
    if (type != 0) {
        bytes_appendf(out, "%" PRIu64, which);
        return;
    }
    record_code_name(out, CALL_CLOCKS, which);
    bytes_append_text(out, absolute ? " at " : " in ");
    append_ns(out, timeout);
}

static void append_subscriptions(struct bytes *out, const struct record_kept *k)
{
    size_t count = k->part.size / SUBSCRIPTION_BYTES;

    if (count > EVENTS_SHOWN_MAX)
        count = EVENTS_SHOWN_MAX;
    bytes_append_text(out, "[");
    for (size_t i = 0; i < count; i++) {
        bytes_append_text(out, i ? ", " : "");
        append_subscription(out,
                            view_of(k->part.data + i * SUBSCRIPTION_BYTES, SUBSCRIPTION_BYTES));
    }
    bytes_append_text(out, count * SUBSCRIPTION_BYTES < k->size ? ", ...]" : "]");
}

static void append_value(struct bytes *out, const struct call_param *q, uint64_t value)
{
    switch ((enum call_kind)q->kind) {
    case CALL_SIGNED: bytes_appendf(out, "%" PRId64, (int64_t)value); break;
    case CALL_NS: append_ns(out, value); break;
    case CALL_CODE: record_code_name(out, (enum call_names)q->detail, value); break;
    case CALL_FLAGS: record_flag_names(out, (enum call_names)q->detail, value); break;
    case CALL_NONE:
    case CALL_FD:
    case CALL_NUMBER:
    case CALL_PATH:
    case CALL_SEND:
    case CALL_SUBSCRIPTIONS:
    case CALL_RECEIVE:
    case CALL_BUFFER:
    case CALL_EVENTS:
    case CALL_STRINGS:
    case CALL_TEXT:
    case CALL_MOVED:
    case CALL_GIVES: bytes_appendf(out, "%" PRIu64, value); break;
    }
}

/* False: it is a place for a result. */
static bool is_given(const struct call_param *q)
{
    return q->kind <= CALL_SUBSCRIPTIONS || q->kind == CALL_RECEIVE || q->kind == CALL_BUFFER;
}

static void append_given(struct bytes *out, const struct call_param *q, const uint64_t *args,
                         const struct record_kept *kept, const struct record_style *s)
{
    if (q->kind == CALL_PATH && kept->part.size == 0 && kept->size > 0)
        bytes_appendf(out, "0x%" PRIx64, args[0]); /* out of bounds */
    else if (q->kind == CALL_PATH)
        append_quoted(out, kept->part, kept->size, RECORD_PATH_KEPT_BYTES);
    else if (q->kind == CALL_SEND)
        append_quoted(out, kept->part, kept->size, s->shown);
    else if (q->kind == CALL_SUBSCRIPTIONS)
        append_subscriptions(out, kept);
    else if (q->kind == CALL_RECEIVE || q->kind == CALL_BUFFER)
        append_value(out, q, args[1]);
    else
        append_value(out, q, args[0]);
}

static void append_all_given(struct bytes *out, const struct record_call *c,
                             const struct record_style *s)
{
    const struct record_kept *kept = c->kept;
    const uint64_t *args = c->args;
    const char *between = "";

    for (const struct call_param *q = call_find(c->number)->params; q->kind != CALL_NONE; q++) {
        if (is_given(q)) {
            bytes_appendf(out, "%s%s=", between, q->name);
            append_given(out, q, args, kept, s);
            between = ", ";
        }
        kept += call_param_kept((enum call_kind)q->kind);
        args += call_param_args((enum call_kind)q->kind);
    }
}

/* ---- What it got ---- */

static void append_filestat(struct bytes *out, struct view s)
{
    uint64_t type, links, size, mtim;

    record_take(&s, 16);
    type = record_take(&s, 8) & 0xff;
    links = record_take(&s, 8);
    size = record_take(&s, 8);
    record_take(&s, 8);
    mtim = record_take(&s, 8);
    bytes_appendf(out, "{%s, size=%" PRIu64 ", nlink=%" PRIu64 ", mtim=",
                  record_filetype_name((uint32_t)type), size, links);
    append_ns(out, mtim);
    bytes_append_text(out, "}");
}

static void append_fdstat(struct bytes *out, struct view s)
{
    const uint64_t head = record_take(&s, 8), rights = record_take(&s, 8);

    bytes_appendf(out, "{%s, flags=", record_filetype_name(head & 0xff));
    record_flag_names(out, CALL_FDFLAGS, head >> 16 & 0xffff);
    bytes_append_text(out, ", rights=");
    record_flag_names(out, CALL_RIGHTS, rights);
    bytes_append_text(out, "}");
}

static void append_result(struct bytes *out, enum call_gives what, struct view bytes)
{
    struct view rest = bytes;

    switch (what) {
    case CALL_GIVES_U16:
    case CALL_GIVES_FD:
    case CALL_GIVES_U32:
    case CALL_GIVES_U64: bytes_appendf(out, "%" PRIu64, record_take(&rest, bytes.size)); break;
    case CALL_GIVES_TIME: append_ns(out, record_take(&rest, bytes.size)); break;
    case CALL_GIVES_FDSTAT: append_fdstat(out, bytes); break;
    case CALL_GIVES_FILESTAT: append_filestat(out, bytes); break;
    case CALL_GIVES_PRESTAT:
        bytes_appendf(out, "{dir, name of %" PRIu64 "}", record_take(&rest, bytes.size) >> 32);
        break;
    }
}

static void append_events(struct bytes *out, struct view data)
{
    size_t left = data.size / EVENT_BYTES;

    bytes_append_text(out, "[");
    for (size_t i = 0; i < left && i < EVENTS_SHOWN_MAX; i++) {
        struct view e = view_of(data.data + i * EVENT_BYTES, EVENT_BYTES);
        uint64_t head, bytes;

        record_take(&e, 8);
        head = record_take(&e, 8);
        bytes = record_take(&e, 8);
        bytes_appendf(out, "%s%s", i ? ", " : "", record_event_name(head >> 16 & 0xff));
        if (head & 0xffff)
            bytes_appendf(out, " %s", record_errno_name(head & 0xffff));
        else if ((head >> 16 & 0xff) == 1)
            bytes_appendf(out, " %" PRIu64 " bytes", bytes);
    }
    bytes_append_text(out, left > EVENTS_SHOWN_MAX ? ", ...]" : "]");
}

/* Entries of a directory; the last may be cut. */
static void append_names(struct bytes *out, struct view data, size_t shown)
{
    size_t count = 0;

    bytes_append_text(out, "[");
    while (data.size > DIRENT_HEAD_BYTES) {
        struct view head = view_of(data.data + 16, 4), name;
        uint64_t size = record_take(&head, 4);

        data = view_of(data.data + DIRENT_HEAD_BYTES, data.size - DIRENT_HEAD_BYTES);
        if (size > data.size)
            size = data.size;
        name = view_of(data.data, size);
        data = view_of(data.data + size, data.size - size);
        if (count++ < EVENTS_SHOWN_MAX) {
            bytes_append_text(out, count > 1 ? ", " : "");
            append_quoted(out, name, name.size, shown);
        }
    }
    bytes_append_text(out, count > EVENTS_SHOWN_MAX ? ", ...]" : "]");
}

/* Texts with a zero behind each: arguments, variables. */
static void append_texts(struct bytes *out, struct view text, size_t shown)
{
    size_t count = 0;

    bytes_append_text(out, "[");
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, 0, text.size);
        const size_t size = end ? (size_t)(end - text.data) : text.size;

        bytes_append_text(out, count++ ? ", " : "");
        append_quoted(out, view_of(text.data, size), size, shown);
        text = view_of(text.data + size + (end != NULL), text.size - size - (end != NULL));
    }
    bytes_append_text(out, "]");
}

static void append_data(struct bytes *out, const struct record_call *c, enum call_kind kind,
                        struct view data, const struct record_style *s)
{
    uint32_t strings;

    if (kind == CALL_TEXT) {
        strings = c->range_count > 1 ? record_range_get(c, 0).size : 0;
        append_texts(out, view_of(data.data + strings, data.size - strings), s->shown);
    } else if (kind == CALL_EVENTS) {
        append_events(out, data);
    } else if (kind == CALL_BUFFER && c->number == HOST_fd_readdir) {
        append_names(out, data, s->shown);
    } else if (kind == CALL_RECEIVE || kind == CALL_BUFFER) {
        append_quoted(out, data, data.size, s->shown);
    }
}

static void append_results(struct bytes *out, const struct record_call *c,
                           const struct record_style *s)
{
    const struct call *what = call_find(c->number);
    struct record_results r = record_results_of(c);
    struct bytes data = {0};
    const size_t before = out->size;

    for (const struct call_param *q = what->params; q->kind != CALL_NONE; q++) {
        const struct view value = record_take_result(&r, q);

        append_data(&data, c, (enum call_kind)q->kind, r.data, s);
        if (result_bytes(q) == 0)
            continue;
        bytes_append_text(out, out->size > before ? ", " : "");
        append_result(out, q->kind == CALL_MOVED ? CALL_GIVES_U32 : (enum call_gives)q->detail,
                      value);
    }
    if (out->size == before)
        bytes_append_text(out, data.size ? "" : "0");
    else if (data.size)
        bytes_append_text(out, " ");
    bytes_append(out, data.data, data.size);
    bytes_release(&data);
}

void record_call_text(struct bytes *out, const struct record_call *c, const struct record_style *s)
{
    bytes_appendf(out, "%6" PRIu64 " ", c->sequence);
    if (s->times)
        append_us(out, c->at_ns);
    bytes_appendf(out, "%s%s(", s->times ? " " : "", call_find(c->number)->name);
    append_all_given(out, c, s);
    bytes_append_text(out, ")");
    if (c->number != HOST_proc_exit) {
        bytes_append_text(out, " = ");
        if (c->answer)
            bytes_append_text(out, record_errno_name(c->answer));
        else
            append_results(out, c, s);
    }
    if (s->times && c->number != HOST_proc_exit) {
        bytes_append_text(out, " <");
        append_us(out, c->took_ns);
        bytes_append_text(out, ">");
    }
    bytes_append_text(out, "\n");
}
