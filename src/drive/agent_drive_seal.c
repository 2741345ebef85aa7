#include "drive/agent_drive_inner.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct depot_key *find(const struct agent_drive *d, const char *depot)
{
    struct depot_key *k = d->keys;

    while (k && strcmp(k->name, depot) != 0)
        k = k->next;
    return k;
}

void seal_key(struct agent_drive *d, const char *depot, ProtobufCBinaryData key)
{
    struct depot_key *k = find(d, depot);

    if (key.len != CAPABILITY_KEY_BYTES)
        return;
    if (!k) {
        k = calloc(1, sizeof *k);
        check(k);
        snprintf(k->name, sizeof k->name, "%s", depot);
        k->next = d->keys;
        d->keys = k;
    }
    memcpy(k->key, key.data, sizeof k->key);
}

void seal_release(struct agent_drive *d)
{
    while (d->keys) {
        struct depot_key *k = d->keys;

        d->keys = k->next;
        free(k);
    }
}

static void seal(struct agent_drive *d, Tern__DepotAt *at)
{
    const struct depot_key *k = find(d, at->name);

    if (!at->capability || at->capability->mac.len || !k)
        return;
    at->capability->mac.data = core_new(&d->out, CAPABILITY_MAC_BYTES, 1);
    capability_seal(at->capability, k->key, at->capability->mac.data);
    at->capability->mac.len = CAPABILITY_MAC_BYTES;
}

static void walk(struct agent_drive *d, ProtobufCMessage *m);

static void walk_field(struct agent_drive *d, ProtobufCMessage *m,
                       const ProtobufCFieldDescriptor *field)
{
    char *at = (char *)m;
    ProtobufCMessage **inner = (ProtobufCMessage **)(void *)(at + field->offset);
    size_t count = 1;

    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return;
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
        *(const uint32_t *)(const void *)(at + field->quantifier_offset) != field->id)
        return;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        count = *(const size_t *)(const void *)(at + field->quantifier_offset);
        inner = *(ProtobufCMessage ***)(void *)(at + field->offset);
    }
    for (size_t i = 0; i < count; i++)
        if (inner[i])
            walk(d, inner[i]);
}

static void walk(struct agent_drive *d, ProtobufCMessage *m)
{
    if (m->descriptor == &tern__depot_at__descriptor)
        seal(d, (Tern__DepotAt *)m);
    for (unsigned i = 0; i < m->descriptor->n_fields; i++)
        walk_field(d, m, &m->descriptor->fields[i]);
}

/* The core's messages are ours until its next step; only these have depots in them. */
void seal_message(struct agent_drive *d, const Tern__Envelope *e)
{
    switch ((int)e->body_case) {
    case TERN__ENVELOPE__BODY_SEEN: walk(d, &e->seen->base); break;
    case TERN__ENVELOPE__BODY_ROWS: walk(d, &e->rows->base); break;
    case TERN__ENVELOPE__BODY_DEPOTS: walk(d, &e->depots->base); break;
    case TERN__ENVELOPE__BODY_ORDERS: walk(d, &e->orders->base); break;
    case TERN__ENVELOPE__BODY_COPY_ROOT: walk(d, &e->copy_root->base); break;
    default: break;
    }
}
