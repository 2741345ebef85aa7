#include "core/agent_inner.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

static struct depot *depot_of(const struct tree_link *link)
{
    return tree_of(link, struct depot, link);
}

static int compare_depots(const struct tree_link *a, const struct tree_link *b)
{
    return strcmp(depot_of(a)->name, depot_of(b)->name);
}

static int compare_rooms(const struct tree_link *a, const struct tree_link *b)
{
    const struct depot *x = tree_of(a, struct depot, room), *y = tree_of(b, struct depot, room);

    if (x->free_bytes != y->free_bytes)
        return x->free_bytes > y->free_bytes ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int compare_timers(const struct tree_link *a, const struct tree_link *b)
{
    const struct depot *x = tree_of(a, struct depot, timer), *y = tree_of(b, struct depot, timer);

    if (x->timer_ns != y->timer_ns)
        return x->timer_ns < y->timer_ns ? -1 : 1;
    return strcmp(x->name, y->name);
}

void depots_init(struct agent *a)
{
    a->depots.compare = compare_depots;
    a->rooms.compare = compare_rooms;
    a->timers_depot.compare = compare_timers;
}

struct depot *depot_find(const struct agent *a, const char *name)
{
    const struct depot like = {.name = (char *)name};

    return depot_of(tree_find(&a->depots, &like.link));
}

struct depot *depot_make(struct agent *a, const char *name)
{
    struct depot *d = depot_find(a, name);

    if (d)
        return d;
    d = agent_alloc(1, sizeof *d);
    d->n = ++a->depot_next;
    d->name = agent_text(name);
    tree_add(&a->depots, &d->link);
    check(directory_put(&a->depot_dir, d->n, d));
    return d;
}

void depots_release(struct agent *a)
{
    struct tree_link *l;

    while ((l = tree_first(&a->depots))) {
        struct depot *d = depot_of(l);

        tree_remove(&a->depots, l);
        packed_release(&d->known);
        agent_texts_free(d->endpoints, d->endpoint_count);
        free(d->name);
        free(d);
    }
    directory_release(&a->depot_dir);
}

/* ---------------------------------------------------------------- which ones */

static bool chosen(struct depot *const *out, size_t count, const struct depot *d)
{
    for (size_t i = 0; i < count; i++)
        if (out[i] == d)
            return true;
    return false;
}

static bool has_room(const struct depot *d, uint64_t bytes)
{
    return d->peer && (d->space_bytes == 0 || d->free_bytes >= bytes);
}

static size_t choose_near(const struct agent *a, uint64_t bytes, const struct node_at *near,
                          struct depot **out, size_t most)
{
    size_t count = 0;

    for (size_t i = 0; near && i < near->near_count && count < most && count < 1; i++) {
        struct depot *d = depot_find(a, near->near[i]);

        if (d && has_room(d, bytes))
            out[count++] = d;
    }
    return count;
}

size_t depots_choose(const struct agent *a, uint64_t seed, uint64_t bytes,
                     const struct node_at *near, struct depot **out, size_t most)
{
    struct depot *best[2 * AGENT_COPIES_MAX];
    size_t count = choose_near(a, bytes, near, out, most), seen = 0;

    for (struct tree_link *l = tree_first(&a->rooms); l && seen < sizeof best / sizeof *best;
         l = tree_behind(&a->rooms, l)) {
        struct depot *d = tree_of(l, struct depot, room);

        if (!has_room(d, bytes) || (seen >= most && d->free_bytes < best[0]->free_bytes / 2))
            break; /* behind it there is less */
        best[seen++] = d;
    }
    for (size_t i = 0; i < seen && count < most; i++) {
        struct depot *d = best[(seed + i) % seen];

        if (!chosen(out, count, d))
            out[count++] = d;
    }
    return count;
}

Tern__DepotAt *depot_at(const struct agent *a, const struct depot *d, const struct owner *domain,
                        uint32_t rights, const Tern__Fence *fence, struct core_out *out)
{
    Tern__DepotAt *at = core_new(out, 1, sizeof *at);
    Tern__Capability *c = core_new(out, 1, sizeof *c);

    tern__depot_at__init(at);
    tern__capability__init(c);
    at->name = d->name;
    at->endpoints = core_new(out, 1, sizeof *at->endpoints);
    tern__endpoints__init(at->endpoints);
    at->endpoints->n_at = d->endpoint_count;
    at->endpoints->at = core_new(out, d->endpoint_count, sizeof(char *));
    for (size_t i = 0; i < d->endpoint_count; i++)
        at->endpoints->at[i] = core_text(out, "%s", d->endpoints[i]); /* they may change */
    c->domain = domain->name;
    c->rights = rights;
    c->expires_ns = a->now_ns + a->config.hold_ns;
    if (fence) {
        c->fence = core_new(out, 1, sizeof *c->fence);
        *c->fence = *fence;
    }
    at->capability = c;
    return at;
}

/* ---------------------------------------------------------------- coming and going */

static void depot_fact(struct agent *a, struct core_out *out, const Tern__DepotAd *ad, char *name,
                       const struct depot *d)
{
    Tern__DepotKnown *known = core_new(out, 1, sizeof *known);
    struct packed now = {0};
    Tern__Fact *f;

    tern__depot_known__init(known);
    known->name = name;
    known->key = ad->key;
    known->endpoints = ad->endpoints;
    packed_set(&now, &known->base);
    if (!d || now.size != d->known.size || memcmp(now.data, d->known.data, now.size) != 0) {
        f = core_store(out, a->now_ns);
        f->what_case = TERN__FACT__WHAT_DEPOT_KNOWN;
        f->depot_known = message_copy(&known->base, &out->arena);
        check(f->depot_known);
        agent_fact(a, f);
    }
    packed_release(&now);
}

static void set_space(struct agent *a, struct depot *d, const Tern__DepotAd *ad)
{
    if (tree_in(&d->room))
        tree_remove(&a->rooms, &d->room);
    d->space_bytes = ad->space_bytes;
    d->free_bytes = ad->space_bytes ? ad->free_bytes : UINT64_MAX;
    d->memory = ad->memory;
    tree_add(&a->rooms, &d->room);
}

static void gone(struct agent *a, struct depot *d)
{
    d->peer = 0;
    d->down_ns = a->now_ns;
    tree_remove(&a->rooms, &d->room);
    if (tree_in(&d->hold))
        tree_remove(&a->holds, &d->hold);
}

/* Who is there keeps its name. The same one may be back before its old connection is gone. */
bool depots_up(struct agent *a, const struct peer *p, struct core_out *out)
{
    const struct depot *d = depot_find(a, p->name);

    if (!d || !d->peer || d->peer == p->n || d->instance == p->instance)
        return true;
    core_refuse(out, p->n, 0, TERN_EEXIST,
                "another depot named %s is connected; give this one another --name", p->name);
    core_close(out, p->n);
    return false;
}

static void on_ad(struct agent *a, struct peer *p, const Tern__DepotAd *ad, struct core_out *out)
{
    struct depot *d = depot_find(a, p->name);
    const bool again = p->depot != NULL;

    if (!depots_up(a, p, out)) /* another one came in between */
        return;
    if (!d && a->depots.count >= a->config.depots_max) {
        core_refuse(out, p->n, 0, TERN_ETOOBIG, "this pool has %u depots, which is its limit",
                    (unsigned)a->config.depots_max);
        core_close(out, p->n);
        return;
    }
    depot_fact(a, out, ad, p->name, d);
    d = depot_find(a, p->name);
    if (d->peer && d->peer != p->n) {
        core_close(out, d->peer); /* it has come back before its old connection was gone */
        gone(a, d);
    }
    p->depot = d;
    d->peer = p->n;
    d->instance = p->instance;
    d->seen_ns = a->now_ns;
    set_space(a, d, ad);
    if (again)
        return;
    core_note(out, NOTE_DEPOT_UP, p->n, 0, 0);
    if (tree_in(&d->timer))
        tree_remove(&a->timers_depot, &d->timer);
    d->rescue = false;
    depot_hold_again(a, d);
    place_stalled_again(a);
}

static void on_held(struct agent *a, struct depot *d, const Tern__Held *held, struct core_out *out)
{
    for (size_t i = 0; i < held->n_lost; i++) {
        const Tern__RootLease *lease = held->lost[i];
        const struct owner *domain = agent_owner_find(a, lease->domain);
        struct root *r = domain && lease->root && lease->root->sha256.len == 32
                             ? root_find(a, domain, lease->root->sha256.data)
                             : NULL;

        if (!r || !root_at(r, d) || !r->wanted)
            continue; /* one that nobody wants yet may still be on its way there */
        root_lost_at(a, out, r, d);
        r = root_find(a, domain, lease->root->sha256.data);
        if (r)
            roots_repair(a, out, r);
    }
}

static void on_copied(struct agent *a, struct depot *d, const Tern__Copied *copied,
                      struct core_out *out)
{
    const struct owner *domain = agent_owner_find(a, copied->domain);
    struct root *r = domain && copied->root && copied->root->sha256.len == 32
                         ? root_find(a, domain, copied->root->sha256.data)
                         : NULL;

    if (!r)
        return;
    if (r->copying == d->peer)
        r->copying = 0;
    if (!copied->error && !root_at(r, d))
        root_found_at(a, out, r, d);
    if (r->for_task)
        checkpoint_copied(a, out, r, copied->error != 0);
    if (!copied->error) /* else the next one who looks finds it again */
        roots_repair(a, out, r);
}

void depots_message(struct agent *a, struct peer *p, const Tern__Envelope *e, struct core_out *out)
{
    if (e->body_case == TERN__ENVELOPE__BODY_DEPOT_AD) {
        on_ad(a, p, e->depot_ad, out);
        return;
    }
    if (!p->depot)
        return;
    p->depot->seen_ns = a->now_ns;
    switch ((int)e->body_case) {
    case TERN__ENVELOPE__BODY_HELD: on_held(a, p->depot, e->held, out); break;
    case TERN__ENVELOPE__BODY_COPIED: on_copied(a, p->depot, e->copied, out); break;
    default: break;
    }
}

static void timer_set(struct agent *a, struct depot *d, int64_t at_ns)
{
    if (tree_in(&d->timer))
        tree_remove(&a->timers_depot, &d->timer);
    d->timer_ns = at_ns;
    tree_add(&a->timers_depot, &d->timer);
}

void depots_down(struct agent *a, struct peer *p, struct core_out *out)
{
    struct depot *d = p->depot;

    (void)out;
    if (!d || d->peer != p->n)
        return;
    gone(a, d);
    if (d->copies.count)
        timer_set(a, d, a->now_ns + a->config.depot_lost_ns);
}

/*
 * A depot that has been away for long: what it had is copied from the others. Its own copies stay
 * known: it may come back with all of them.
 */
static bool rescue(struct agent *a, struct core_out *out, struct depot *d)
{
    const size_t most = AGENT_PORTION / 8;
    struct copy *c = NULL;

    for (size_t i = 0; i < most; i++) {
        c = tree_of(tree_first(&d->copies), struct copy, link);
        if (!c || c->due_ns == INT64_MAX)
            return false;
        tree_remove(&d->copies, &c->link);
        c->due_ns = INT64_MAX; /* has been looked at; when the depot comes, all begin anew */
        tree_add(&d->copies, &c->link);
        roots_repair(a, out, c->root);
    }
    return true;
}

void depots_started(struct agent *a)
{
    for (struct tree_link *l = tree_first(&a->depots); l; l = tree_behind(&a->depots, l)) {
        depot_of(l)->down_ns = a->now_ns; /* as if it had gone just now: it is about to come */
        if (depot_of(l)->copies.count)
            timer_set(a, depot_of(l), a->now_ns + a->config.depot_lost_ns);
    }
}

void depots_due(struct agent *a, struct core_out *out)
{
    struct depot *d = tree_of(tree_first(&a->timers_depot), struct depot, timer);

    if (d && d->timer_ns <= a->now_ns) {
        if (!d->rescue)
            core_note(out, NOTE_DEPOT_LOST, d->copies.count, 0, 0);
        d->rescue = rescue(a, out, d);
        if (d->rescue)
            timer_set(a, d, a->now_ns + a->config.beat_ns);
        else
            tree_remove(&a->timers_depot, &d->timer);
        d = tree_of(tree_first(&a->timers_depot), struct depot, timer);
    }
    if (d)
        core_wake(out, d->timer_ns);
}
