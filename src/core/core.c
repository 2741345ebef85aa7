#include "core/core.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *core_new(struct core_out *out, size_t count, size_t size)
{
    void *p = arena_new(&out->arena, count ? count : 1, size ? size : 1);

    check(p); /* a step cannot fail: a machine without memory for one is none we can run on */
    return p;
}

static char *format_text(struct core_out *out, const char *format, va_list args)
{
    va_list again;
    int size;
    char *text;

    va_copy(again, args);
    size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    check(size >= 0);
    text = core_new(out, (size_t)size + 1, 1);
    vsnprintf(text, (size_t)size + 1, format, args);
    return text;
}

char *core_text(struct core_out *out, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = format_text(out, format, args);
    va_end(args);
    return text;
}

static struct core_action *add(struct core_out *out, enum core_action_kind kind)
{
    if (out->count == out->capacity) {
        size_t capacity = out->capacity ? 2 * out->capacity : 16;
        struct core_action *actions = realloc(out->actions, capacity * sizeof *actions);

        check(actions);
        out->actions = actions;
        out->capacity = capacity;
    }
    out->actions[out->count] = (struct core_action){.kind = kind};
    return &out->actions[out->count++];
}

Tern__Envelope *core_send(struct core_out *out, uint32_t peer)
{
    Tern__Envelope *e = core_new(out, 1, sizeof *e);
    struct core_action *action = add(out, CORE_SEND);

    tern__envelope__init(e);
    action->peer = peer;
    action->message = e;
    return e;
}

Tern__Envelope *core_answer(struct core_out *out, uint32_t peer, uint64_t number)
{
    Tern__Envelope *e = core_send(out, peer);

    e->answers = number;
    return e;
}

void core_refuse(struct core_out *out, uint32_t peer, uint64_t number, enum tern_err err,
                 const char *format, ...)
{
    Tern__Refused *refused = core_new(out, 1, sizeof *refused);
    Tern__Envelope *e = core_answer(out, peer, number);
    va_list args;

    tern__refused__init(refused);
    refused->error = err;
    va_start(args, format);
    refused->text = format_text(out, format, args);
    va_end(args);
    e->body_case = TERN__ENVELOPE__BODY_REFUSED;
    e->refused = refused;
    core_note(out, NOTE_REFUSED, err, 0, 0);
}

void core_close(struct core_out *out, uint32_t peer)
{
    add(out, CORE_CLOSE)->peer = peer;
}

void core_slot(struct core_out *out, enum core_action_kind kind, uint32_t index)
{
    check(kind == CORE_START_SLOT || kind == CORE_KILL_SLOT);
    add(out, kind)->index = index;
}

void core_end(struct core_out *out)
{
    add(out, CORE_END);
}

Tern__Fact *core_store(struct core_out *out, int64_t now_ns)
{
    Tern__Fact *fact = core_new(out, 1, sizeof *fact);

    tern__fact__init(fact);
    fact->time_ns = now_ns;
    add(out, CORE_STORE)->fact = fact;
    return fact;
}

void core_note(struct core_out *out, enum note_name name, uint64_t a, uint64_t b, uint64_t c)
{
    add(out, CORE_NOTE)->note = (struct note){.name = name, .value = {a, b, c}};
}

void core_wake(struct core_out *out, int64_t at_ns)
{
    if (at_ns < out->wake_ns)
        out->wake_ns = at_ns;
}

void core_out_clear(struct core_out *out)
{
    arena_release(&out->arena);
    out->count = 0;
    out->wake_ns = INT64_MAX;
}

void core_out_release(struct core_out *out)
{
    arena_release(&out->arena);
    free(out->actions);
    *out = (struct core_out){.wake_ns = INT64_MAX};
}
