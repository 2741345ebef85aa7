/*
 * Roots: as long as the agent wants them, or their lease lasts; and what was found damaged.
 */
#include "drive/depot_inner.h"

#include <stdlib.h>
#include <string.h>

/* Until we know what time it is. (INT64_MAX is for ever.) */
#define LEASE_UNKNOWN (INT64_MAX - 1)

int64_t depot_lease(const struct depot_drive *d, int64_t asked_ns, bool by_agent)
{
    const int64_t now = depot_agent_time(d);

    if (by_agent)
        return asked_ns;
    if (!d->agent_known)
        return LEASE_UNKNOWN;
    if (asked_ns <= now)
        return now + DEPOT_LEASE_NS;
    return asked_ns - now > DEPOT_LEASE_MOST_NS ? now + DEPOT_LEASE_MOST_NS : asked_ns;
}

static uint64_t free_bytes(const struct chunks_usage *u)
{
    return u->space_bytes > u->used_bytes ? u->space_bytes - u->used_bytes : 0;
}

/* To the agent: again when a good part of the room came or went. */
void depot_ad(struct depot_drive *d)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__DepotAd ad = TERN__DEPOT_AD__INIT;
    Tern__Endpoints endpoints = TERN__ENDPOINTS__INIT;
    struct chunks_usage usage;
    uint64_t change;

    if (!d->agent)
        return;
    d->chunks->calls->usage(d->chunks->self, &usage);
    ad.free_bytes = free_bytes(&usage);
    change =
        ad.free_bytes > d->told_free ? ad.free_bytes - d->told_free : d->told_free - ad.free_bytes;
    if (d->told_agent == d->agent && change <= usage.space_bytes / 64)
        return;
    d->told_agent = d->agent;
    d->told_free = ad.free_bytes;
    endpoints.n_at = d->config.endpoint_count;
    endpoints.at = (char **)(uintptr_t)d->config.endpoints;
    ad.name = (char *)(uintptr_t)d->config.name;
    ad.endpoints = &endpoints;
    ad.space_bytes = usage.space_bytes;
    ad.memory = d->config.memory;
    ad.key = (ProtobufCBinaryData){.len = sizeof d->config.key, .data = d->config.key};
    e.body_case = TERN__ENVELOPE__BODY_DEPOT_AD;
    e.depot_ad = &ad;
    (void)links_send(d->links, d->agent, &e, (struct view){0});
}

/* ---- Hold ---- */

static bool keep_or_drop(struct depot_drive *d, const Tern__RootLease *lease)
{
    const struct chunks *chunks = d->chunks;
    struct chunks_root root = {.expires_ns = lease->expires_ns};

    if (!lease->root || !depot_name_of(&lease->root->sha256, &root.name))
        return false;
    root.kind = lease->root->kind;
    if (lease->expires_ns)
        return chunk_kind_is_known(root.kind) &&
               chunks->calls->extend(chunks->self, lease->domain, &root) == TERN_OK;
    (void)chunks->calls->drop(chunks->self, lease->domain, &root.name);
    return true;
}

static void send_held(struct depot_drive *d, uint64_t answers, Tern__RootLease **lost, size_t count)
{
    Tern__Envelope e = TERN__ENVELOPE__INIT;
    Tern__Held held = TERN__HELD__INIT;

    held.n_lost = count;
    held.lost = lost;
    e.answers = answers;
    e.body_case = TERN__ENVELOPE__BODY_HELD;
    e.held = &held;
    (void)links_send(d->links, d->agent, &e, (struct view){0});
}

void depot_hold(struct depot_drive *d, const Tern__Envelope *e)
{
    const Tern__Hold *m = e->hold;
    Tern__RootLease **lost = calloc(m->n_roots + 1, sizeof *lost);
    size_t count = 0;

    if (!lost) {
        depot_refuse(d, d->agent, e->number, TERN_ENOMEM, "out of memory");
        return;
    }
    for (size_t i = 0; i < m->n_roots; i++)
        if (!keep_or_drop(d, m->roots[i]))
            lost[count++] = m->roots[i];
    send_held(d, e->number, lost, count);
    free(lost);
}

/* ---- Roots that end by themselves ---- */

struct ending { /* a root: its domain is behind it */
    struct ending *next;
    struct chunks_root root;
    char domain[];
};

struct looking {
    struct depot_drive *d;
    struct ending *first;
    int64_t now_ns;
    size_t count;
};

static void note_ending(struct looking *l, const char *domain, const struct chunks_root *root)
{
    const size_t bytes = strlen(domain) + 1;
    struct ending *e = malloc(sizeof *e + bytes);

    if (!e)
        return; /* next time */
    e->root = *root;
    memcpy(e->domain, domain, bytes);
    e->next = l->first;
    l->first = e;
    l->count++;
}

static void forget_all(struct looking *l)
{
    while (l->first) {
        struct ending *e = l->first;

        l->first = e->next;
        free(e);
    }
}

static void look_at_lease(void *context, const char *domain, const struct chunks_root *root)
{
    struct looking *l = context;

    if (root->expires_ns <= l->now_ns || root->expires_ns == LEASE_UNKNOWN)
        note_ending(l, domain, root);
}

void depot_look_for_lapsed(struct depot_drive *d)
{
    struct looking l = {.d = d, .now_ns = depot_agent_time(d)};

    if (!d->agent || !d->agent_known)
        return;
    d->chunks->calls->roots(d->chunks->self, &l, look_at_lease);
    for (struct ending *e = l.first; e; e = e->next) {
        if (e->root.expires_ns == LEASE_UNKNOWN) {
            e->root.expires_ns = depot_lease(d, 0, false);
            (void)d->chunks->calls->extend(d->chunks->self, e->domain, &e->root);
            continue;
        }
        (void)d->chunks->calls->drop(d->chunks->self, e->domain, &e->root.name);
        d->count.lapsed_roots++;
    }
    forget_all(&l);
}

/* ---- Damage ---- */

static void note_root(void *context, const char *domain, const struct chunks_root *root)
{
    note_ending(context, domain, root);
}

static void tell_lost(struct depot_drive *d, const struct ending *e)
{
    Tern__RootLease lease = TERN__ROOT_LEASE__INIT, *list[1] = {&lease};
    Tern__Blob root = TERN__BLOB__INIT;

    root.sha256 = (ProtobufCBinaryData){.len = sizeof e->root.name.bytes,
                                        .data = (uint8_t *)(uintptr_t)e->root.name.bytes};
    root.kind = e->root.kind;
    lease.domain = (char *)(uintptr_t)e->domain;
    lease.root = &root;
    lease.expires_ns = e->root.expires_ns;
    send_held(d, 0, list, 1);
}

/* All are looked through, since a chunk does not know above which it hangs: damage is rare. */
void depot_look_for_damage(struct depot_drive *d)
{
    struct looking l = {.d = d};
    struct chunks_usage usage;

    d->chunks->calls->usage(d->chunks->self, &usage);
    if (usage.damaged == d->damaged)
        return;
    d->chunks->calls->roots(d->chunks->self, &l, note_root);
    for (struct ending *e = l.first; e; e = e->next) {
        if (d->chunks->calls->has(d->chunks->self, e->domain, &e->root.name, e->root.kind))
            continue;
        (void)d->chunks->calls->drop(d->chunks->self, e->domain, &e->root.name);
        d->count.lost_roots++;
        depot_tell(d, true, "found damage on its disk: a root is given up; another depot has it");
        tell_lost(d, e);
    }
    forget_all(&l);
    d->chunks->calls->usage(d->chunks->self, &usage);
    d->damaged = usage.damaged;
}
