#include "core/agent_inner.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

/* Facts about nodes, depots and data; as in agent_apply.c. */

enum tern_err apply_node_known(struct agent *a, const Tern__NodeKnown *f)
{
    struct node_at *n = node_find(a, f->name);

    if (!*f->name || (f->forgotten && (!n || n->peer || n->tasks.count || n->shape)))
        return TERN_ECORRUPT;
    if (f->forgotten) {
        node_free_at(a, n);
        return TERN_OK;
    }
    n = node_make(a, f->name);
    n->drained = f->drained;
    n->losses = f->losses;
    n->up_before_ns = f->up_ns;
    node_place(a, n);
    return TERN_OK;
}

enum tern_err apply_depot_known(struct agent *a, const Tern__DepotKnown *f)
{
    struct depot *d;

    if (!*f->name)
        return TERN_ECORRUPT;
    d = depot_make(a, f->name);
    packed_set(&d->known, &f->base);
    agent_texts_free(d->endpoints, d->endpoint_count);
    d->endpoint_count = f->endpoints ? f->endpoints->n_at : 0;
    d->endpoints = agent_texts(f->endpoints ? f->endpoints->at : NULL, d->endpoint_count);
    return TERN_OK;
}

static bool listed(const Tern__RootAt *f, const char *depot)
{
    for (size_t i = 0; i < f->n_depots; i++)
        if (strcmp(f->depots[i], depot) == 0)
            return true;
    return false;
}

enum tern_err apply_root_at(struct agent *a, const Tern__RootAt *f, int64_t time_ns)
{
    struct owner *domain;
    struct root *r;

    if (!f->root || f->root->sha256.len != 32 || !*f->domain || f->n_depots > AGENT_COPIES_MAX)
        return TERN_ECORRUPT;
    domain = agent_owner(a, f->domain);
    r = root_make(a, domain, f->root);
    for (struct copy *c = r->copies, *next; c; c = next) {
        next = c->next;
        if (!listed(f, c->depot->name))
            root_remove(a, r, c->depot);
    }
    for (size_t i = 0; i < f->n_depots; i++)
        root_add(a, r, depot_make(a, f->depots[i]));
    if (!f->n_depots && !r->wanted)
        root_free(a, r);
    else
        root_set_fresh(a, r, time_ns + a->config.hold_ns);
    return TERN_OK;
}

static void name_free(struct agent *a, struct owner *o, struct name *n)
{
    tree_remove(&o->names, &n->link);
    root_unwant(a, n->root);
    free(n->name);
    free(n);
    a->names--;
}

enum tern_err apply_named(struct agent *a, const Tern__Named *f)
{
    const Tern__NameRow *row = f->row;
    struct owner *o = *f->owner ? agent_owner(a, f->owner) : NULL;
    struct name *n = o && row ? name_find(o, row->name) : NULL, *old = n;

    if (!o || !row || !*row->name || (!row->blob && !n) ||
        (row->blob && row->blob->sha256.len != 32))
        return TERN_ECORRUPT;
    if (row->blob) {
        struct root *r = root_make(a, o, row->blob);

        for (size_t i = 0; i < row->n_depots; i++)
            root_add(a, r, depot_make(a, row->depots[i]->name));
        root_want(a, r);
        n = agent_alloc(1, sizeof *n);
        n->name = agent_text(row->name);
        n->root = r;
        n->time_ns = row->time_ns;
    }
    if (old)
        name_free(a, o, old);
    if (row->blob) {
        tree_add(&o->names, &n->link);
        a->names++;
    }
    return TERN_OK;
}
