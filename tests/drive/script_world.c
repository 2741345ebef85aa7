#include "script_world.h"

#include "base/check.h"

#include <string.h>

static struct script_end *end_of(struct script *s, link_id link)
{
    check(link && link <= s->end_count);
    return &s->end[link - 1];
}

static int64_t now(void *self)
{
    return ((struct script_part *)self)->script->now_ns;
}

static int64_t wall(void *self)
{
    return now(self) + INT64_C(1000000000000000);
}

static void dice(void *self, void *to, size_t size)
{
    (void)self;
    memset(to, 0x55, size);
}

static void wake(void *self, int64_t at_ns)
{
    ((struct script_part *)self)->alarm_ns = at_ns;
}

static link_id add_end(struct script *s, struct script_part *part)
{
    check(s->end_count < SCRIPT_ENDS);
    s->end[s->end_count] = (struct script_end){.part = part};
    return (link_id)++s->end_count;
}

static link_id dial(void *self, const char *endpoint)
{
    struct script_part *from = self;
    struct script *s = from->script;
    const link_id ours = add_end(s, from);

    for (size_t i = 0; i < s->part_count; i++) {
        const char *at = s->part[i].endpoint;

        if (at && strcmp(at, endpoint) == 0) {
            end_of(s, ours)->other = add_end(s, &s->part[i]);
            end_of(s, end_of(s, ours)->other)->other = ours;
        }
    }
    return ours;
}

static void send_parts(void *self, link_id link, const struct view *parts, size_t count)
{
    struct script *s = ((struct script_part *)self)->script;
    const struct script_end *from = end_of(s, link);

    if (!from->other || from->closed_here)
        return;
    for (size_t i = 0; i < count && !s->deaf; i++)
        bytes_append(&end_of(s, from->other)->in, parts[i].data, parts[i].size);
}

static size_t unsent(void *self, link_id link)
{
    struct script *s = ((struct script_part *)self)->script;
    const struct script_end *from = end_of(s, link);

    return from->other && s->stuck ? end_of(s, from->other)->in.size : 0;
}

static void hold(void *self, link_id link, bool held)
{
    end_of(((struct script_part *)self)->script, link)->held = held;
}

static void close_end(void *self, link_id link)
{
    struct script_end *end = end_of(((struct script_part *)self)->script, link);

    end->closed_here = end->told_closed = true;
}

static const struct world_calls calls = {.now = now,
                                         .wall = wall,
                                         .random = dice,
                                         .wake = wake,
                                         .dial = dial,
                                         .send = send_parts,
                                         .unsent = unsent,
                                         .hold = hold,
                                         .close = close_end};

void script_init(struct script *s)
{
    *s = (struct script){.now_ns = 1000,
                         .peer = {.local = true, .owner = "ada", .text = "the other"}};
}

void script_release(struct script *s)
{
    for (size_t i = 0; i < s->end_count; i++)
        bytes_release(&s->end[i].in);
}

struct script_part *script_add(struct script *s, const char *endpoint)
{
    struct script_part *part = &s->part[s->part_count++];

    check(s->part_count <= SCRIPT_PARTS);
    *part = (struct script_part){.script = s, .endpoint = endpoint, .alarm_ns = INT64_MAX};
    part->world = (struct world){.calls = &calls, .self = part};
    return part;
}

static void tell_bytes(struct script *s, struct script_end *end, link_id link)
{
    size_t size = s->piece && s->piece < end->in.size ? s->piece : end->in.size;
    uint8_t copy[65536];

    size = size < sizeof copy ? size : sizeof copy;
    memcpy(copy, end->in.data, size);
    memmove(end->in.data, end->in.data + size, end->in.size - size);
    end->in.size -= size;
    end->part->handlers.received(end->part->handlers.context, link, view_of(copy, size));
}

static void tell_closed(struct script_end *end, link_id link, const char *why)
{
    end->told_closed = true;
    end->part->handlers.closed(end->part->handlers.context, link, TERN_EIO, why);
}

/* One thing that is to be told of this end; false: there is none. */
static bool tell_one(struct script *s, link_id link)
{
    struct script_end *end = end_of(s, link);
    const struct handlers *to = end->part ? &end->part->handlers : NULL;

    if (end->told_closed || !to || !to->opened)
        return false;
    if (!end->other) {
        tell_closed(end, link, "nobody listens there");
    } else if (!end->open) {
        end->open = true;
        to->opened(to->context, link, &s->peer);
    } else if (end->in.size && !end->held && !s->stuck) {
        tell_bytes(s, end, link);
    } else if (end_of(s, end->other)->closed_here && !end->in.size) {
        tell_closed(end, link, "the other end closed");
    } else {
        return false;
    }
    return true;
}

static bool wake_one(struct script *s)
{
    for (size_t i = 0; i < s->part_count; i++)
        if (s->part[i].alarm_ns <= s->now_ns) {
            s->part[i].alarm_ns = INT64_MAX;
            s->part[i].handlers.woke(s->part[i].handlers.context);
            return true;
        }
    return false;
}

void script_run(struct script *s)
{
    bool more = true;

    while (more) {
        more = wake_one(s);
        for (size_t i = 0; i < s->end_count; i++)
            more |= tell_one(s, (link_id)(i + 1));
    }
}

void script_until(struct script *s, int64_t at_ns)
{
    int64_t next = 0;

    while (next < at_ns) {
        script_run(s);
        next = at_ns;
        for (size_t i = 0; i < s->part_count; i++)
            if (s->part[i].alarm_ns < next)
                next = s->part[i].alarm_ns;
        s->now_ns = next > s->now_ns ? next : s->now_ns;
    }
    script_run(s);
}

void script_cut(struct script *s, link_id link)
{
    struct script_end *a = end_of(s, link), *b = end_of(s, a->other);

    if (!a->told_closed)
        tell_closed(a, link, "cut");
    if (!b->told_closed)
        tell_closed(b, a->other, "cut");
}

void script_inject(struct script *s, link_id link, struct view bytes)
{
    bytes_append(&end_of(s, link)->in, bytes.data, bytes.size);
}

link_id script_stranger(struct script *s, struct script_part *to)
{
    const link_id nobody = add_end(s, NULL), theirs = add_end(s, to);

    end_of(s, nobody)->other = theirs;
    end_of(s, nobody)->told_closed = true;
    end_of(s, theirs)->other = nobody;
    return theirs;
}
