#include "core/agent_inner.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

#define HOLD_DELAY_NS INT64_C(5000000000)

enum { SWEEP_MOST = AGENT_PORTION / 4 }; /* roots that are let go in one step; < LIMIT_PROBED */

static struct root *root_of(const struct tree_link *link)
{
    return tree_of(link, struct root, link);
}

static struct copy *copy_of(const struct tree_link *link)
{
    return tree_of(link, struct copy, link);
}

static int compare_roots(const struct tree_link *a, const struct tree_link *b)
{
    const struct root *x = root_of(a), *y = root_of(b);
    const int order = memcmp(x->sha256, y->sha256, sizeof x->sha256);

    return order ? order : order_u64(x->domain->n, y->domain->n);
}

static int compare_same(const struct root *x, const struct root *y)
{
    const int order = memcmp(x->sha256, y->sha256, sizeof x->sha256);

    return order ? order : strcmp(x->domain->name, y->domain->name);
}

static int compare_idle(const struct tree_link *a, const struct tree_link *b)
{
    const struct root *x = tree_of(a, struct root, idle), *y = tree_of(b, struct root, idle);

    if (x->fresh_ns != y->fresh_ns)
        return x->fresh_ns < y->fresh_ns ? -1 : 1;
    return compare_same(x, y);
}

static int compare_copies(const struct tree_link *a, const struct tree_link *b)
{
    const struct copy *x = copy_of(a), *y = copy_of(b);

    if (x->due_ns != y->due_ns)
        return x->due_ns < y->due_ns ? -1 : 1;
    return compare_same(x->root, y->root);
}

static int compare_holds(const struct tree_link *a, const struct tree_link *b)
{
    const struct depot *x = tree_of(a, struct depot, hold), *y = tree_of(b, struct depot, hold);

    if (x->hold_ns != y->hold_ns)
        return x->hold_ns < y->hold_ns ? -1 : 1;
    return strcmp(x->name, y->name);
}

void roots_init(struct agent *a)
{
    a->holds.compare = compare_holds;
    a->roots.compare = compare_roots;
    a->idle.compare = compare_idle;
}

/* ---------------------------------------------------------------- the table */

struct root *root_find(const struct agent *a, const struct owner *domain, const uint8_t *sha256)
{
    struct root like = {.domain = (struct owner *)domain};

    memcpy(like.sha256, sha256, sizeof like.sha256);
    return root_of(tree_find(&a->roots, &like.link));
}

void root_refresh(struct agent *a, struct root *r)
{
    if (tree_in(&r->idle))
        tree_remove(&a->idle, &r->idle);
    if (!r->wanted)
        tree_add(&a->idle, &r->idle);
}

/* Its key in the tree of idle ones is about to change. */
static void not_idle(struct agent *a, struct root *r)
{
    if (tree_in(&r->idle))
        tree_remove(&a->idle, &r->idle);
}

struct root *root_make(struct agent *a, struct owner *domain, const Tern__Blob *blob)
{
    struct root *r = root_find(a, domain, blob->sha256.data);

    if (r)
        return r;
    r = agent_alloc(1, sizeof *r);
    r->n = ++a->root_next;
    r->domain = domain;
    memcpy(r->sha256, blob->sha256.data, sizeof r->sha256);
    r->kind = blob->kind;
    r->size = blob->size;
    tree_add(&a->roots, &r->link);
    check(directory_put(&a->root_dir, r->n, r));
    root_refresh(a, r);
    return r;
}

void root_set_fresh(struct agent *a, struct root *r, int64_t fresh_ns)
{
    not_idle(a, r);
    r->fresh_ns = fresh_ns;
    root_refresh(a, r);
}

void root_unwant(struct agent *a, struct root *r)
{
    check(r && r->wanted > 0);
    r->wanted--;
    root_refresh(a, r);
}

bool root_at(const struct root *r, const struct depot *d)
{
    for (const struct copy *c = r->copies; c; c = c->next)
        if (c->depot == d)
            return true;
    return false;
}

/* Whoever brought it has a lease for a while; so several are taken over by one message. */
static int64_t hold_delay_ns(const struct agent *a)
{
    const int64_t most = a->config.hold_ns / 8;

    return most < HOLD_DELAY_NS ? most : HOLD_DELAY_NS;
}

void depot_hold_by(struct agent *a, struct depot *d, int64_t at_ns)
{
    if (!d->peer || (tree_in(&d->hold) && d->hold_ns <= at_ns))
        return;
    if (tree_in(&d->hold))
        tree_remove(&a->holds, &d->hold);
    d->hold_ns = at_ns;
    tree_add(&a->holds, &d->hold);
}

/* From now on it matters that its depots have it: they are asked soon. */
static void ask_soon(struct agent *a, struct root *r)
{
    const int64_t due_ns = a->now_ns + hold_delay_ns(a);

    for (struct copy *c = r->copies; c; c = c->next)
        if (c->due_ns > due_ns && c->depot->peer) {
            tree_remove(&c->depot->copies, &c->link);
            c->due_ns = due_ns;
            tree_add(&c->depot->copies, &c->link);
            depot_hold_by(a, c->depot, due_ns);
        }
}

void root_want(struct agent *a, struct root *r)
{
    not_idle(a, r);
    if (r->wanted++ == 0)
        ask_soon(a, r);
}

bool root_add(struct agent *a, struct root *r, struct depot *d)
{
    struct copy *c, **at = &r->copies;

    if (r->copy_count == AGENT_COPIES_MAX || root_at(r, d))
        return false;
    c = agent_alloc(1, sizeof *c);
    *c = (struct copy){.root = r, .depot = d, .due_ns = a->now_ns + hold_delay_ns(a)};
    while (*at) /* in the order in which they were said */
        at = &(*at)->next;
    *at = c;
    r->copy_count++;
    d->copies.compare = compare_copies;
    tree_add(&d->copies, &c->link);
    depot_hold_by(a, d, c->due_ns);
    return true;
}

void root_remove(struct agent *a, struct root *r, struct depot *d)
{
    (void)a;
    for (struct copy **at = &r->copies; *at; at = &(*at)->next)
        if ((*at)->depot == d) {
            struct copy *c = *at;

            *at = c->next;
            r->copy_count--;
            tree_remove(&d->copies, &c->link);
            free(c);
            return;
        }
}

void root_free(struct agent *a, struct root *r)
{
    check(!r->wanted);
    while (r->copies)
        root_remove(a, r, r->copies->depot);
    not_idle(a, r);
    tree_remove(&a->roots, &r->link);
    directory_remove(&a->root_dir, r->n);
    free(r);
}

void roots_release(struct agent *a)
{
    struct tree_link *l;

    while ((l = tree_first(&a->roots))) {
        root_of(l)->wanted = 0;
        root_free(a, root_of(l));
    }
    directory_release(&a->root_dir);
}

struct depot *root_reachable(const struct root *r)
{
    for (const struct copy *c = r->copies; c; c = c->next)
        if (c->depot->peer)
            return c->depot;
    return NULL;
}

/* ---------------------------------------------------------------- results */

static void want_result(struct agent *a, struct owner *domain, const Tern__Content *c, bool want,
                        struct depot *const *depots, size_t count)
{
    struct root *r;

    if (!c || !c->blob || c->blob->sha256.len != 32)
        return;
    if (!want) {
        root_unwant(a, root_find(a, domain, c->blob->sha256.data));
        return;
    }
    r = root_make(a, domain, c->blob);
    for (size_t i = 0; i < count; i++)
        root_add(a, r, depots[i]);
    root_want(a, r);
}

void results_want(struct agent *a, struct owner *domain, const Tern__Results *r, bool want,
                  char *const *names, size_t count)
{
    struct depot *depots[AGENT_COPIES_MAX];

    if (!r)
        return;
    if (count > AGENT_COPIES_MAX)
        count = AGENT_COPIES_MAX;
    for (size_t i = 0; i < count; i++)
        depots[i] = depot_make(a, names[i]);
    want_result(a, domain, r->output, want, depots, count);
    want_result(a, domain, r->error, want, depots, count);
    for (size_t i = 0; i < r->n_files; i++)
        want_result(a, domain, r->files[i]->content, want, depots, count);
}

/* ---------------------------------------------------------------- facts */

static Tern__Blob *blob_of(const struct root *r, struct core_out *out)
{
    Tern__Blob *blob = core_new(out, 1, sizeof *blob);

    tern__blob__init(blob);
    blob->sha256.data = core_new(out, 1, sizeof r->sha256);
    blob->sha256.len = sizeof r->sha256;
    memcpy(blob->sha256.data, r->sha256, sizeof r->sha256);
    blob->size = r->size;
    blob->kind = r->kind;
    return blob;
}

Tern__Blob *root_blob(const struct root *r, struct core_out *out)
{
    return blob_of(r, out);
}

void root_fact(struct agent *a, struct core_out *out, const struct root *r,
               struct depot *const *depots, size_t count)
{
    Tern__Fact *f = core_store(out, a->now_ns);
    Tern__RootAt *at = core_new(out, 1, sizeof *at);

    tern__root_at__init(at);
    at->domain = core_text(out, "%s", r->domain->name);
    at->root = blob_of(r, out);
    at->depots = core_new(out, count, sizeof(char *));
    for (size_t i = 0; i < count; i++)
        at->depots[at->n_depots++] = depots[i]->name;
    f->what_case = TERN__FACT__WHAT_ROOT_AT;
    f->root_at = at;
    agent_fact(a, f);
}

static size_t depots_of(const struct root *r, const struct depot *without, struct depot **out)
{
    size_t count = 0;

    for (const struct copy *c = r->copies; c; c = c->next)
        if (c->depot != without)
            out[count++] = c->depot;
    return count;
}

void root_lost_at(struct agent *a, struct core_out *out, struct root *r, struct depot *d)
{
    struct depot *left[AGENT_COPIES_MAX];
    const size_t count = depots_of(r, d, left);

    root_fact(a, out, r, left, count);
}

void root_found_at(struct agent *a, struct core_out *out, struct root *r, struct depot *d)
{
    struct depot *all[AGENT_COPIES_MAX + 1];
    size_t count = depots_of(r, d, all);

    if (count < AGENT_COPIES_MAX) {
        all[count++] = d;
        root_fact(a, out, r, all, count);
    }
}

/* ---------------------------------------------------------------- leases */

static Tern__Hold *new_hold(struct core_out *out, const struct depot *d, size_t most)
{
    Tern__Envelope *e = core_send(out, d->peer);
    Tern__Hold *hold = core_new(out, 1, sizeof *hold);

    tern__hold__init(hold);
    hold->roots = core_new(out, most, sizeof *hold->roots);
    e->body_case = TERN__ENVELOPE__BODY_HOLD;
    e->hold = hold;
    return hold;
}

static void add_lease(struct core_out *out, Tern__Hold *hold, const struct root *r,
                      int64_t expires_ns)
{
    Tern__RootLease *lease = core_new(out, 1, sizeof *lease);

    tern__root_lease__init(lease);
    lease->domain = r->domain->name;
    lease->root = blob_of(r, out);
    lease->expires_ns = expires_ns;
    hold->roots[hold->n_roots++] = lease;
}

static void hold_at(struct agent *a, struct core_out *out, struct depot *d)
{
    Tern__Hold *hold = NULL;
    struct copy *c;

    for (size_t i = 0; i < AGENT_PORTION; i++) {
        c = copy_of(tree_first(&d->copies));
        if (!c || c->due_ns > a->now_ns)
            break;
        if (!hold)
            hold = new_hold(out, d, AGENT_PORTION);
        add_lease(out, hold, c->root, a->now_ns + a->config.hold_ns);
        tree_remove(&d->copies, &c->link);
        c->due_ns = a->now_ns + a->config.hold_ns / 2;
        tree_add(&d->copies, &c->link);
    }
    c = copy_of(tree_first(&d->copies));
    if (c)
        depot_hold_by(a, d, c->due_ns);
}

void roots_hold(struct agent *a, struct core_out *out)
{
    struct depot *d;

    for (size_t i = 0; i < 4 && (d = tree_of(tree_first(&a->holds), struct depot, hold)); i++) {
        if (d->hold_ns > a->now_ns)
            break;
        tree_remove(&a->holds, &d->hold);
        hold_at(a, out, d);
    }
    d = tree_of(tree_first(&a->holds), struct depot, hold);
    if (d)
        core_wake(out, d->hold_ns);
}

void depot_hold_again(struct agent *a, struct depot *d)
{
    struct tree old = d->copies;
    struct tree_link *l;

    d->copies = (struct tree){.compare = compare_copies};
    while ((l = tree_first(&old))) {
        tree_remove(&old, l);
        copy_of(l)->due_ns = 0;
        tree_add(&d->copies, l);
    }
    if (d->copies.count)
        depot_hold_by(a, d, a->now_ns);
}

/* In one message to each depot, of all that one sweep lets go: *told is the list of these. */
static Tern__Hold *letting(struct core_out *out, struct depot *d, struct depot **told)
{
    if (!d->letting) {
        d->letting = new_hold(out, d, SWEEP_MOST);
        d->letting_next = *told;
        *told = d;
    }
    return d->letting;
}

static void let_go(struct agent *a, struct core_out *out, struct root *r, struct depot **told)
{
    for (const struct copy *c = r->copies; c; c = c->next)
        if (c->depot->peer)
            add_lease(out, letting(out, c->depot, told), r, 0);
    root_fact(a, out, r, NULL, 0);
}

void roots_sweep(struct agent *a, struct core_out *out)
{
    struct depot *told = NULL;
    struct root *r;

    for (size_t i = 0; i < SWEEP_MOST; i++) {
        r = tree_of(tree_first(&a->idle), struct root, idle);
        if (!r || r->fresh_ns > a->now_ns)
            break;
        let_go(a, out, r, &told);
    }
    for (; told; told = told->letting_next)
        told->letting = NULL;
    r = tree_of(tree_first(&a->idle), struct root, idle);
    if (r && r->fresh_ns <= a->now_ns)
        a->again = true;
    else if (r)
        core_wake(out, r->fresh_ns);
}

/* ---------------------------------------------------------------- copies */

uint32_t copies_wanted(const struct agent *a, const struct job *j)
{
    const uint32_t asked = j && j->known->policy ? j->known->policy->copies : 0;
    const uint32_t wanted = asked ? asked : a->config.copies;

    return wanted < a->rooms.count ? wanted : (uint32_t)a->rooms.count;
}

static size_t copies_here(const struct root *r)
{
    size_t count = 0;

    for (const struct copy *c = r->copies; c; c = c->next)
        count += c->depot->peer != 0;
    return count;
}

static struct depot *another_for(const struct agent *a, const struct root *r)
{
    struct depot *some[AGENT_COPIES_MAX + 1];
    const size_t count = depots_choose(a, r->size, r->size, NULL, some, sizeof some / sizeof *some);

    for (size_t i = 0; i < count; i++)
        if (!root_at(r, some[i]))
            return some[i];
    return NULL;
}

/* From one that has it to one that does not. False: there is nowhere. */
static bool copy_root(struct agent *a, struct core_out *out, struct root *r)
{
    struct depot *from = root_reachable(r), *to = another_for(a, r);
    Tern__Envelope *e;
    Tern__CopyRoot *copy;

    if (r->copying && agent_peer(a, r->copying))
        return true;
    if (!from || !to)
        return false;
    e = core_send(out, to->peer);
    copy = core_new(out, 1, sizeof *copy);
    tern__copy_root__init(copy);
    copy->domain = r->domain->name;
    copy->root = blob_of(r, out);
    copy->from = depot_at(a, from, r->domain, 1, NULL, out);
    copy->expires_ns = a->now_ns + a->config.hold_ns;
    e->body_case = TERN__ENVELOPE__BODY_COPY_ROOT;
    e->copy_root = copy;
    r->copying = to->peer;
    return true;
}

void roots_repair(struct agent *a, struct core_out *out, struct root *r)
{
    if (r->wanted && copies_here(r) < copies_wanted(a, NULL))
        copy_root(a, out, r);
}

bool root_copy_for(struct agent *a, struct core_out *out, struct root *r, const struct task *t)
{
    r->for_task = t->n;
    return copy_root(a, out, r);
}
