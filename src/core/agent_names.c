#include "core/agent_inner.h"

#include "base/check.h"

#include <string.h>

struct name *name_find(const struct owner *o, const char *name)
{
    const struct name like = {.name = (char *)name};

    return tree_of(tree_find(&o->names, &like.link), struct name, link);
}

/* Those that are here and have it; the capability says what may be done there. */
static size_t depots_of(const struct agent *a, const struct owner *o, const struct root *r,
                        uint32_t rights, Tern__DepotAt ***at, struct core_out *out)
{
    size_t count = 0;

    *at = core_new(out, r->copy_count, sizeof **at);
    for (const struct copy *c = r->copies; c; c = c->next)
        if (c->depot->peer)
            (*at)[count++] = depot_at(a, c->depot, o, rights, NULL, out);
    return count;
}

Tern__NameRow *name_row(const struct agent *a, const struct owner *o, const struct name *n,
                        struct core_out *out)
{
    Tern__NameRow *row = core_new(out, 1, sizeof *row);

    tern__name_row__init(row);
    row->name = core_text(out, "%s", n->name);
    row->blob = root_blob(n->root, out);
    row->time_ns = n->time_ns;
    row->n_depots = depots_of(a, o, n->root, RIGHT_READ, &row->depots, out);
    return row;
}

/* ---------------------------------------------------------------- setting */

static bool name_good(const char *name)
{
    const size_t size = strlen(name);

    for (size_t i = 0; i < size; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return false;
    return size > 0 && size <= LIMIT_BLOB_NAME;
}

/* False: it was refused. */
static bool may_set(const struct agent *a, const struct peer *p, const Tern__Envelope *e,
                    struct core_out *out)
{
    const Tern__SetName *s = e->set_name;

    if (!name_good(s->name))
        core_refuse(out, p->n, e->number, TERN_EUSAGE,
                    "a name has between 1 and %d bytes, and no control characters",
                    LIMIT_BLOB_NAME);
    else if (s->blob && s->blob->sha256.len != 32)
        core_refuse(out, p->n, e->number, TERN_EPROTO, "the name of the data is not 32 bytes");
    else if (s->blob && !s->n_depots && !root_find(a, p->owner, s->blob->sha256.data))
        core_refuse(out, p->n, e->number, TERN_ENOENT,
                    "that data is in no depot of this pool; bring it there first");
    else if (!s->blob && !name_find(p->owner, s->name))
        core_refuse(out, p->n, e->number, TERN_ENOENT, "there is nothing of yours named %s",
                    s->name);
    else if (s->blob && a->names >= AGENT_NAMES_MAX)
        core_refuse(out, p->n, e->number, TERN_ETOOBIG, "this pool has %d names, its limit",
                    AGENT_NAMES_MAX);
    else
        return true;
    return false;
}

static void name_depots(const struct agent *a, Tern__NameRow *row, const Tern__SetName *s,
                        struct core_out *out)
{
    row->depots = core_new(out, s->n_depots, sizeof *row->depots);
    for (size_t i = 0; i < s->n_depots && i < AGENT_COPIES_MAX; i++) {
        const struct depot *d = depot_find(a, s->depots[i]);

        if (!d)
            continue;
        row->depots[row->n_depots] = core_new(out, 1, sizeof **row->depots);
        tern__depot_at__init(row->depots[row->n_depots]);
        row->depots[row->n_depots++]->name = d->name;
    }
}

void names_take(struct agent *a, struct peer *p, const Tern__Envelope *e, struct core_out *out)
{
    const Tern__SetName *s = e->set_name;
    Tern__Fact *f;

    if (!may_set(a, p, e, out))
        return;
    f = core_store(out, a->now_ns);
    f->what_case = TERN__FACT__WHAT_NAMED;
    f->named = core_new(out, 1, sizeof *f->named);
    tern__named__init(f->named);
    f->named->owner = p->owner->name;
    f->named->row = core_new(out, 1, sizeof *f->named->row);
    tern__name_row__init(f->named->row);
    f->named->row->name = core_text(out, "%s", s->name);
    f->named->row->time_ns = a->now_ns;
    if (s->blob) {
        f->named->row->blob = message_copy(&s->blob->base, &out->arena);
        check(f->named->row->blob);
        name_depots(a, f->named->row, s, out);
    }
    agent_fact(a, f);
    clients_done(out, p, e->number, 1);
}

/* ---------------------------------------------------------------- where to, or where from */

static void answer(struct core_out *out, const struct peer *p, uint64_t number,
                   Tern__DepotAt **depots, size_t count, Tern__Blob *blob)
{
    Tern__Envelope *e = core_answer(out, p->n, number);

    e->body_case = TERN__ENVELOPE__BODY_DEPOTS;
    e->depots = core_new(out, 1, sizeof *e->depots);
    tern__depots__init(e->depots);
    e->depots->depots = depots;
    e->depots->n_depots = count;
    e->depots->blob = blob;
}

static void where_named(struct agent *a, struct peer *p, const Tern__Envelope *e,
                        struct core_out *out)
{
    const struct name *n = name_find(p->owner, e->ask_depots->name);
    Tern__DepotAt **at;
    size_t count;

    if (!n) {
        core_refuse(out, p->n, e->number, TERN_ENOENT, "there is nothing of yours named %s",
                    e->ask_depots->name);
        return;
    }
    count = depots_of(a, p->owner, n->root, RIGHT_READ, &at, out);
    if (count)
        answer(out, p, e->number, at, count, root_blob(n->root, out));
    else
        core_refuse(out, p->n, e->number, TERN_EBUSY,
                    "the depots that have %s are not here now; try again later", n->name);
}

/*
 * What is brought to these depots is asked for by its name soon: that they have it is a fact from
 * now on, which they correct themselves (Held) if nothing comes.
 */
static void expect(struct agent *a, struct peer *p, const Tern__Blob *blob,
                   struct depot *const *depots, size_t count, struct core_out *out)
{
    struct depot *all[2 * AGENT_COPIES_MAX];
    struct root *r = root_make(a, p->owner, blob);
    size_t n = 0;

    for (const struct copy *c = r->copies; c; c = c->next)
        all[n++] = c->depot;
    for (size_t i = 0; i < count && n < AGENT_COPIES_MAX; i++)
        if (!root_at(r, depots[i]))
            all[n++] = depots[i];
    root_fact(a, out, r, all, n);
}

/* Equal data goes to equal places. */
static uint64_t blob_seed(const Tern__Blob *blob)
{
    return blob ? blob->sha256.data[0] + 256u * blob->sha256.data[1] : 0;
}

/* Those that have it first; then others, with room. */
static size_t choose_for(const struct agent *a, const struct peer *p, const Tern__Blob *blob,
                         uint64_t size, struct depot **out)
{
    const struct root *r = blob ? root_find(a, p->owner, blob->sha256.data) : NULL;
    struct depot *others[AGENT_COPIES_MAX];
    const size_t more = depots_choose(a, blob_seed(blob), size, NULL, others, a->config.copies);
    size_t count = 0;

    for (const struct copy *c = r ? r->copies : NULL; c && count < a->config.copies; c = c->next)
        if (c->depot->peer)
            out[count++] = c->depot;
    for (size_t i = 0; i < more && count < a->config.copies; i++)
        if (!r || !root_at(r, others[i]))
            out[count++] = others[i];
    return count;
}

/* No depot is here. Those that were until a moment ago will be again: one of us was restarted. */
static size_t lately_here(const struct agent *a, struct depot **out)
{
    size_t count = 0;

    for (struct tree_link *l = tree_first(&a->depots); l && count < a->config.copies;
         l = tree_behind(&a->depots, l)) {
        struct depot *d = tree_of(l, struct depot, link);

        if (!d->peer && a->now_ns < d->down_ns + a->config.lease_ns)
            out[count++] = d;
    }
    return count;
}

void names_depots(struct agent *a, struct peer *p, const Tern__Envelope *e, struct core_out *out)
{
    const Tern__AskDepots *ask = e->ask_depots;
    struct depot *depots[AGENT_COPIES_MAX];
    Tern__DepotAt **at = core_new(out, AGENT_COPIES_MAX, sizeof *at);
    const uint64_t size = ask->blob && ask->blob->size > ask->size ? ask->blob->size : ask->size;
    size_t count;

    if (*ask->name) {
        where_named(a, p, e, out);
        return;
    }
    if (ask->blob && ask->blob->sha256.len != 32) {
        core_refuse(out, p->n, e->number, TERN_EPROTO, "the name of the data is not 32 bytes");
        return;
    }
    count = choose_for(a, p, ask->blob, size, depots);
    if (!count && !a->rooms.count)
        count = lately_here(a, depots);
    if (!count) {
        core_refuse(out, p->n, e->number, a->rooms.count ? TERN_ETOOBIG : TERN_EBUSY,
                    a->rooms.count ? "no depot of this pool has %llu bytes of room"
                                   : "this pool has no depot now (for %llu bytes); start one with "
                                     "tern depot",
                    (unsigned long long)size);
        return;
    }
    if (ask->blob)
        expect(a, p, ask->blob, depots, count, out);
    for (size_t i = 0; i < count; i++)
        at[i] = depot_at(a, depots[i], p->owner, RIGHT_READ | RIGHT_WRITE, NULL, out);
    answer(out, p, e->number, at, count,
           ask->blob ? message_copy(&ask->blob->base, &out->arena) : NULL);
}
