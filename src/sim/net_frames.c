/* Segments as frames: what goes wrong with whole ones, and what they are called. */
#include "sim/net_inner.h"

#include "message/message.h"

#include <stdlib.h>
#include <string.h>

void segments_push(struct segments *list, struct segment *s)
{
    s->next = NULL;
    if (list->last)
        list->last->next = s;
    else
        list->first = s;
    list->last = s;
}

struct segment *segments_pop(struct segments *list)
{
    struct segment *s = list->first;

    if (!s)
        return NULL;
    list->first = s->next;
    if (!list->first)
        list->last = NULL;
    s->next = NULL;
    return s;
}

/* Whole frames and nothing else? Else a stream would end up in the middle of one. */
static bool whole(const struct segment *s)
{
    struct frame f;
    size_t at = 0;

    while (s->size - at >= FRAME_HEAD_BYTES) {
        if (frame_get(&f, s->data + at) || f.size > s->size - at - FRAME_HEAD_BYTES)
            return false;
        at += FRAME_HEAD_BYTES + f.size;
    }
    return s->size > 0 && at == s->size;
}

static struct segment *twin(const struct segment *s)
{
    struct segment *t = sim_new(1, sizeof *t + s->size);

    memcpy(t, s, sizeof *t + s->size);
    return t;
}

static void push(struct flow *f, struct segment *s)
{
    f->unsent_bytes += s->size;
    segments_push(&f->unsent, s);
}

void frames_send(struct wire *w, struct flow *f, struct segment *s)
{
    struct sim_net *n = w->net;
    struct segment *swapped = f->swapped;

    f->swapped = NULL;
    if (w->local || !n->config.odd_frames || !prng_chance(&n->frames, n->config.odd_frames) ||
        !whole(s)) {
        push(f, s);
    } else {
        n->count.odd_frames++;
        switch (prng_below(&n->frames, 3)) {
        case 0: free(s); break;
        case 1:
            push(f, s);
            push(f, twin(s));
            break;
        default: f->swapped = s; break;
        }
    }
    if (swapped)
        push(f, swapped);
}

/* The number of the field that is the body: protobuf's key is (number << 3 | type). */
static uint64_t varint(struct view *v)
{
    uint64_t value = 0;

    for (unsigned shift = 0; v->size && shift < 64; shift += 7) {
        const uint8_t byte = *v->data;

        v->data++;
        v->size--;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            break;
    }
    return value;
}

const char *frames_name(struct view bytes)
{
    struct frame f;
    struct view v;

    if (bytes.size < FRAME_HEAD_BYTES || frame_get(&f, bytes.data) ||
        f.envelope > bytes.size - FRAME_HEAD_BYTES)
        return "";
    v = view_of(bytes.data + FRAME_HEAD_BYTES, f.envelope);
    while (v.size) {
        const uint64_t key = varint(&v);
        const ProtobufCFieldDescriptor *field;

        if ((key & 7) == 0) { /* number, answers, acknowledged */
            varint(&v);
            continue;
        }
        field = protobuf_c_message_descriptor_get_field(&tern__envelope__descriptor,
                                                        (unsigned)(key >> 3));
        return field ? field->name : "";
    }
    return "";
}
