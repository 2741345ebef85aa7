#include "runner/plan.h"

#include "base/xxh64.h"

#include <string.h>

enum { MOVED_BYTES_MAX = 0x7ffff000 }; /* in one call, by the kernel */

static uint64_t memory_bytes(const struct host *h)
{
    return h->memory ? (uint64_t)h->memory->pages << 16 : 0;
}

static bool in_bounds(const struct host *h, uint32_t at, uint64_t size)
{
    return size > 0 && guest_at(h->memory, at, size);
}

/* ---- Lists of ranges ---- */

static void add_read(struct plan *p, const struct host *h, uint32_t at, uint64_t size)
{
    if (p->read_count < PLAN_READS_MAX && in_bounds(h, at, size) && size <= UINT32_MAX)
        p->reads[p->read_count++] = (struct record_range){at, (uint32_t)size};
}

static void add_fill(struct plan *p, const struct host *h, uint32_t at, uint64_t size)
{
    if (p->fill_count < RECORD_RANGES_MAX && in_bounds(h, at, size) && size <= UINT32_MAX)
        p->fills[p->fill_count++] = (struct record_range){at, (uint32_t)size};
}

/* The i-th buffer of a list, as vectors_get sees it; false: it is out of bounds. */
static bool buffer_of(const struct host *h, uint32_t list, uint32_t i, struct record_range *out)
{
    const uint8_t *from = guest_at(h->memory, list, (uint64_t)(i + 1) * IOVEC_BYTES);

    if (!from)
        return false;
    from += (size_t)i * IOVEC_BYTES;
    *out = (struct record_range){guest_load32(from), guest_load32(from + 4)};
    return guest_at(h->memory, out->at, out->size);
}

/* Of a list of buffers, no more than the kernel moves at once. */
static void add_buffers(struct plan *p, const struct host *h, const union tern_cell *a, bool sends)
{
    const uint32_t list = a[0].i32, count = a[1].i32 < VECTORS_MAX ? a[1].i32 : VECTORS_MAX;
    uint64_t left = MOVED_BYTES_MAX;
    struct record_range b;

    add_read(p, h, list, (uint64_t)count * IOVEC_BYTES);
    if (sends)
        p->sent = p->read_count;
    else
        p->varied = p->fill_count;
    for (uint32_t i = 0; i < count && left > 0 && buffer_of(h, list, i, &b); i++) {
        const uint32_t size = b.size < left ? b.size : (uint32_t)left;

        if (sends)
            add_read(p, h, b.at, size);
        else
            add_fill(p, h, b.at, size);
        left -= size;
    }
    p->sent_count = sends ? p->read_count - p->sent : 0;
    p->varied_count = sends ? 0 : p->fill_count - p->varied;
}

static bool says_moved(const struct call *c)
{
    for (const struct call_param *q = c->params; q->kind != CALL_NONE; q++) {
        if (q->kind == CALL_MOVED)
            return true;
    }
    return false;
}

/* Its size may be larger than what there is room for, as long as what is put there has room. */
static void add_buffer(struct plan *p, const struct host *h, const union tern_cell *a, bool in_vain)
{
    const uint64_t all = memory_bytes(h), at = a[0].i32;
    const uint64_t size = at >= all ? 0 : a[1].i32 < all - at ? a[1].i32 : all - at;
    const uint32_t before = p->fill_count;

    add_fill(p, h, a[0].i32, size);
    if (in_vain) {
        p->in_vain = before;
        p->in_vain_count = p->fill_count - before;
    }
    if (says_moved(p->call)) {
        p->varied = before;
        p->varied_count = p->fill_count - before;
    }
}

static void add_events(struct plan *p, const struct host *h, const union tern_cell *a)
{
    p->varied = p->fill_count;
    p->varied_unit = EVENT_BYTES;
    add_fill(p, h, a[0].i32, (uint64_t)a[1].i32 * EVENT_BYTES);
    p->varied_count = p->fill_count - p->varied;
}

/* Of arguments or variables: their addresses, or they themselves with a zero behind each. */
static uint64_t list_bytes(const struct ticket *t, bool variables, bool text)
{
    const uint32_t count = variables ? t->env_count : t->arg_count;
    const struct view *list = variables ? t->env : t->args;
    uint64_t sum = 0;

    for (uint32_t i = 0; i < count; i++)
        sum += text ? list[i].size + 1 : 4;
    return sum;
}

static void add_param(struct plan *p, const struct host *h, const struct call_param *q,
                      const union tern_cell *a)
{
    switch ((enum call_kind)q->kind) {
    case CALL_PATH: add_read(p, h, a[0].i32, a[1].i32); break;
    case CALL_SEND: add_buffers(p, h, a, true); break;
    case CALL_RECEIVE: add_buffers(p, h, a, false); break;
    case CALL_SUBSCRIPTIONS:
        add_read(p, h, a[0].i32, (uint64_t)a[2].i32 * SUBSCRIPTION_BYTES);
        break;
    case CALL_EVENTS: add_events(p, h, a); break;
    case CALL_BUFFER: add_buffer(p, h, a, q->detail); break;
    case CALL_STRINGS:
    case CALL_TEXT:
        add_fill(p, h, a[0].i32, list_bytes(h->ticket, q->detail, q->kind == CALL_TEXT));
        break;
    case CALL_MOVED:
        p->moved_at = a[0].i32;
        p->says_moved = in_bounds(h, a[0].i32, 4);
        add_fill(p, h, a[0].i32, 4);
        break;
    case CALL_GIVES: add_fill(p, h, a[0].i32, call_gives_bytes((enum call_gives)q->detail)); break;
    case CALL_NONE:
    case CALL_FD:
    case CALL_NUMBER:
    case CALL_SIGNED:
    case CALL_NS:
    case CALL_CODE:
    case CALL_FLAGS: break;
    }
}

void plan_make(struct plan *p, const struct host *h, const struct host_call *c)
{
    const union tern_cell *a = c->args;

    p->call = call_find(c->number);
    p->read_count = p->fill_count = p->sent = p->sent_count = 0;
    p->varied = p->varied_count = p->in_vain = p->in_vain_count = 0;
    p->varied_unit = 1;
    p->says_moved = false;
    for (const struct call_param *q = p->call->params; q->kind != CALL_NONE; q++) {
        add_param(p, h, q, a);
        a += call_param_args((enum call_kind)q->kind);
    }
}

uint64_t plan_hash(const struct plan *p, const struct host *h)
{
    struct xxh64 hash;

    xxh64_begin(&hash, p->read_count);
    for (uint32_t i = 0; i < p->read_count; i++) {
        const struct record_range *r = &p->reads[i];
        uint8_t size[4];

        guest_store32(size, r->size);
        xxh64_add(&hash, size, sizeof size);
        xxh64_add(&hash, guest_at(h->memory, r->at, r->size), r->size);
    }
    return xxh64_end(&hash);
}

/* ---- What is kept, for people ---- */

/* The beginning of what is sent, which may lie in several buffers. */
static struct record_kept keep_sent(const struct plan *p, const struct host *h)
{
    static uint8_t part[RECORD_DATA_KEPT_BYTES];
    size_t kept = 0;
    uint32_t all = 0;

    for (uint32_t i = p->sent; i < p->sent + p->sent_count; i++) {
        const struct record_range *r = &p->reads[i];
        const size_t more = r->size < sizeof part - kept ? r->size : sizeof part - kept;

        memcpy(part + kept, guest_at(h->memory, r->at, r->size), more);
        kept += more;
        all += r->size;
    }
    return (struct record_kept){all, view_of(part, kept)};
}

static struct record_kept keep_range(const struct host *h, uint32_t at, uint64_t size)
{
    const uint8_t *from = guest_at(h->memory, at, size);
    const size_t kept = size < RECORD_PATH_KEPT_BYTES ? size : (size_t)RECORD_PATH_KEPT_BYTES;

    return (struct record_kept){size < UINT32_MAX ? (uint32_t)size : UINT32_MAX,
                                view_of(from, from ? kept : 0)};
}

uint8_t plan_keep(const struct plan *p, const struct host *h, const struct host_call *c,
                  struct record_kept out[RECORD_KEPT_MAX])
{
    const union tern_cell *a = c->args;
    uint8_t count = 0;

    for (const struct call_param *q = p->call->params; q->kind != CALL_NONE; q++) {
        if (q->kind == CALL_PATH)
            out[count++] = keep_range(h, a[0].i32, a[1].i32);
        else if (q->kind == CALL_SEND)
            out[count++] = keep_sent(p, h);
        else if (q->kind == CALL_SUBSCRIPTIONS)
            out[count++] = keep_range(h, a[0].i32, (uint64_t)a[2].i32 * SUBSCRIPTION_BYTES);
        a += call_param_args((enum call_kind)q->kind);
    }
    return count;
}

/* ---- Afterwards ---- */

uint32_t plan_moved(const struct plan *p, const struct host *h)
{
    return p->says_moved ? guest_load32(guest_at(h->memory, p->moved_at, 4)) : 0;
}

static void only(struct plan *p, uint32_t first, uint32_t count)
{
    memmove(p->fills, p->fills + first, count * sizeof *p->fills);
    p->fill_count = count;
}

/* Drops the ranges that nothing was put into, so that what varied is what was moved. */
static bool cut_varied(struct plan *p, uint64_t bytes)
{
    uint32_t kept = p->varied;

    for (uint32_t i = p->varied; i < p->fill_count; i++) {
        struct record_range r = p->fills[i];

        if (i < p->varied + p->varied_count) {
            r.size = r.size < bytes ? r.size : (uint32_t)bytes;
            bytes -= r.size;
        }
        if (r.size > 0)
            p->fills[kept++] = r;
    }
    p->fill_count = kept;
    return bytes == 0;
}

bool plan_settle(struct plan *p, enum wasi_errno answer, uint32_t moved)
{
    uint64_t sent = 0;

    if (answer) {
        only(p, p->in_vain, p->in_vain_count);
        return true;
    }
    for (uint32_t i = p->sent; i < p->sent + p->sent_count; i++)
        sent += p->reads[i].size;
    if (p->sent_count > 0 && moved > sent)
        return false;
    return p->varied_count == 0 || cut_varied(p, (uint64_t)moved * p->varied_unit);
}

bool plan_fill(const struct plan *p, const struct host *h, const struct record_call *c)
{
    const uint8_t *from = c->filled.data;

    if (p->fill_count != c->range_count)
        return false;
    for (uint32_t i = 0; i < c->range_count; i++) {
        const struct record_range r = record_range_get(c, i);

        if (r.at != p->fills[i].at || r.size != p->fills[i].size)
            return false;
        memcpy(guest_at(h->memory, r.at, r.size), from, r.size);
        from += r.size;
    }
    return true;
}
