#include "translate/emit.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char slot_letters[] = "iIfdvre";

void line_begin(struct emitter *e)
{
    uint32_t indent = e->indent < EMIT_INDENT_MAX ? e->indent : EMIT_INDENT_MAX;

    bytes_appendf(&e->body, "%*s%s", (int)(4 * indent), "", e->prefix ? e->prefix : "");
    e->prefix = NULL;
}

void line(struct emitter *e, const char *format, ...)
{
    char text[1024];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    check(length >= 0 && (size_t)length < sizeof text);
    line_begin(e);
    bytes_append(&e->body, text, (size_t)length);
    bytes_append_byte(&e->body, '\n');
}

void slot_name(struct emitter *e, uint32_t height, char letter, char out[32])
{
    const char *at = strchr(slot_letters, letter);

    check(at && *at && height < e->stack_capacity);
    e->slot_used[height] |= (uint8_t)(1u << (at - slot_letters));
    snprintf(out, 32, "s%" PRIu32 "%c", height, letter);
}

/* Puts the operand at `height` into its slot. Operands above mention only slots above. */
static void settle(struct emitter *e, uint32_t height)
{
    struct operand *o = &e->stack[height];
    char name[32];

    if (!o->pending && !o->constant)
        return;
    settle_below(e, height); /* the slot may still hold an operand that they mention */
    slot_name(e, height, o->letter, name);
    line(e, "%s = %s;", name, value_text(o));
    *o = (struct operand){
        .letter = o->letter, .primary = true, .nan = o->nan, .slot_end = height + 1};
    memcpy(o->text, name, sizeof name);
}

void settle_operand(struct emitter *e, uint32_t height)
{
    settle(e, height);
}

static bool mentions_local(const struct operand *o, uint32_t local)
{
    for (uint32_t i = 0; i < o->local_count; i++) {
        if (o->local[i] == local)
            return true;
    }
    return false;
}

void settle_local(struct emitter *e, uint32_t local)
{
    for (uint32_t h = e->settled; h < e->height; h++) {
        if (e->stack[h].pending && mentions_local(&e->stack[h], local))
            settle(e, h);
    }
}

void settle_first(struct emitter *e, uint32_t count)
{
    for (uint32_t h = e->settled; h < count; h++) {
        if (e->stack[h].pending)
            settle(e, h);
    }
}

void settle_all(struct emitter *e, uint32_t constants_from)
{
    settle_first(e, e->height);
    e->settled = e->height;
    for (uint32_t h = constants_from; h < e->height; h++)
        settle(e, h);
}

void settle_below(struct emitter *e, uint32_t height)
{
    for (uint32_t h = e->settled; h < height && h < e->height; h++) {
        if (e->stack[h].pending && e->stack[h].slot_end > height)
            settle(e, h);
    }
}

static struct operand *push_raw(struct emitter *e, char letter)
{
    struct operand *o;

    check(e->height < e->stack_capacity);
    o = &e->stack[e->height++];
    memset(o, 0, offsetof(struct operand, text));
    o->letter = letter;
    o->primary = true;
    return o;
}

void push_slot(struct emitter *e, char letter)
{
    uint32_t height = e->height;
    struct operand *o = push_raw(e, letter);

    o->slot_end = height + 1;
    slot_name(e, height, letter, o->text);
}

void push_constant(struct emitter *e, char letter, const char *text)
{
    struct operand *o = push_raw(e, letter);

    o->constant = true;
    snprintf(o->text, sizeof o->text, "%s", text);
}

/* Keeps the number of pending operands, and so the cost of every search, within its limit. */
static void limit_pending(struct emitter *e)
{
    while (e->height - e->settled > EMIT_PENDING_MAX) {
        if (e->stack[e->settled].pending)
            settle(e, e->settled);
        e->settled++;
    }
}

void push_local(struct emitter *e, uint32_t local)
{
    struct operand *o = push_raw(e, e->local_letter[local]);

    o->pending = true;
    o->local_count = 1;
    o->local[0] = local;
    o->nan = (enum nan_kind)e->local_nan[local];
    e->local_used[local] = 1;
    snprintf(o->text, sizeof o->text, "l%" PRIu32, local);
    limit_pending(e);
}

struct operand pop(struct emitter *e)
{
    check(e->height > 0);
    e->height--;
    if (e->settled > e->height)
        e->settled = e->height;
    return e->stack[e->height];
}

/* Collects what an expression over `from` mentions; false if it is too much to keep pending. */
static bool gather(struct operand *o, const struct operand *from, uint32_t from_count)
{
    for (uint32_t i = 0; i < from_count; i++) {
        if (from[i].slot_end > o->slot_end)
            o->slot_end = from[i].slot_end;
        for (uint32_t k = 0; k < from[i].local_count; k++) {
            if (mentions_local(o, from[i].local[k]))
                continue;
            if (o->local_count == EMIT_LOCALS_MAX)
                return false;
            o->local[o->local_count++] = from[i].local[k];
        }
    }
    return true;
}

static void push_expression(struct emitter *e, struct operand o, const char *text,
                            const struct operand *from, uint32_t from_count)
{
    size_t length = strlen(text), room = sizeof o.text - (nan_matters(e) ? EMIT_NAN_MAX : 0);

    if (length < room && gather(&o, from, from_count)) {
        o.pending = true;
        memcpy(o.text, text, length + 1);
        *push_raw(e, o.letter) = o;
        limit_pending(e);
    } else {
        push_stored(e, o.letter, text);
    }
}

void push_pure(struct emitter *e, char letter, const char *text, const struct operand *from,
               uint32_t from_count)
{
    push_expression(e, (struct operand){.letter = letter}, text, from, from_count);
}

void push_condition(struct emitter *e, const char *text, const struct operand *from,
                    uint32_t from_count)
{
    push_expression(e, (struct operand){.letter = 'i', .condition = true}, text, from, from_count);
}

void next_slot(struct emitter *e, char letter, char out[32])
{
    settle_below(e, e->height);
    slot_name(e, e->height, letter, out);
}

void push_stored(struct emitter *e, char letter, const char *text)
{
    char name[32];

    next_slot(e, letter, name);
    e->stored_start = e->body.size;
    line(e, "%s = %s;", name, text);
    e->stored_end = e->body.size;
    push_slot(e, letter);
    e->stack[e->height - 1].stored = ++e->stored;
    snprintf(e->stored_text, sizeof e->stored_text, "%s", text);
}

bool take_stored(struct emitter *e, const struct operand *value, char out[EMIT_STORED_MAX])
{
    if (value->stored == 0 || value->stored != e->stored || e->body.size != e->stored_end ||
        strlen(e->stored_text) + 1 == sizeof e->stored_text)
        return false;
    e->body.size = e->stored_start;
    memcpy(out, e->stored_text, sizeof e->stored_text);
    return true;
}

void condition_text(const struct operand *o, char out[EMIT_TEXT_MAX + 32], bool negate)
{
    if (negate && o->condition && o->text[0] == '!' && o->inner_primary)
        snprintf(out, EMIT_TEXT_MAX + 32, "%s", o->text + 1);
    else if (o->primary && negate)
        snprintf(out, EMIT_TEXT_MAX + 32, "!%s", o->text);
    else
        snprintf(out, EMIT_TEXT_MAX + 32, negate ? "!(%s)" : "%s", o->text);
}

void operand_text(const struct operand *o, char out[EMIT_TEXT_MAX + 32])
{
    if (o->condition)
        snprintf(out, EMIT_TEXT_MAX + 32, "(uint32_t)(%s)", o->text);
    else
        snprintf(out, EMIT_TEXT_MAX + 32, o->primary ? "%s" : "(%s)", o->text);
}

const char *value_text(const struct operand *o)
{
    return o->text; /* a condition converts to uint32_t by itself as argument or right side */
}
