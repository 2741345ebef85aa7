/*
 * Roots that are held by their names, what is pinned for roots to come, and which lists are known
 * to be whole.
 *
 * Roots are in memory, all of them; changes of expiry and drops go to the index with the next
 * commit: a crash before that brings back what was dropped, which harms nobody.
 *
 * Whole: chunks never change, and what is forgotten is forgotten from the top down, in one
 * transaction: so a list that was whole stays so until the store has looked what is held.
 */
#include "store/store_inner.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

enum { PINS_LEAST = 1 << 16 };

static bool add_kinds(struct names *table, const struct store_name *name, uint32_t kinds)
{
    bool fresh;
    uint32_t *has = names_add(table, name, &fresh);

    if (has)
        *has |= kinds;
    return has;
}

static uint32_t kinds_in(const struct names *table, const struct store_name *name)
{
    const uint32_t *has = names_find(table, name);

    return has ? *has : 0;
}

/* ---- Roots ---- */

void store_seen_held(struct store *s, const struct store_name *name, const struct record_held *h)
{
    bool fresh;
    struct record_held *slot = names_add(&s->roots, name, &fresh);

    if (slot)
        *slot = *h;
    s->no_memory |= !slot;
}

int store_write_held(struct store *s, MDB_txn *txn, MDB_dbi dbi)
{
    int rc = 0;

    for (size_t i = 0; i < s->roots.count && !rc; i++) {
        const struct record_held *h = names_value(&s->roots, i);
        struct record r;

        if (!h->dirty)
            continue;
        record_of_held(&r, names_at(&s->roots, i), h);
        rc = h->kinds ? index_put(txn, dbi, &r) : index_remove(txn, dbi, &r);
    }
    return rc;
}

/* Without those that are no more. If there is no memory for that, they stay for now. */
static void without_dropped(struct store *s)
{
    struct names left = {.value_bytes = s->roots.value_bytes};
    bool fresh;

    for (size_t i = 0; i < s->roots.count; i++) {
        const struct record_held *h = names_value(&s->roots, i);
        struct record_held *slot =
            h->kinds ? names_add(&left, names_at(&s->roots, i), &fresh) : NULL;

        if (slot)
            *slot = *h;
        else if (h->kinds) {
            names_release(&left);
            return;
        }
    }
    names_release(&s->roots);
    s->roots = left;
}

void store_wrote_held(struct store *s)
{
    size_t dropped = 0;

    for (size_t i = 0; i < s->roots.count; i++) {
        struct record_held *h = names_value(&s->roots, i);

        h->dirty = 0;
        dropped += h->kinds == 0;
    }
    s->dirty_roots = false;
    if (dropped > s->roots.count / 2)
        without_dropped(s);
}

static struct record_held *find_root(struct store *s, const struct store_name *name)
{
    struct record_held *h = names_find(&s->roots, name);

    return h && h->kinds ? h : NULL;
}

enum tern_err store_extend(struct store *s, const struct store_held *root)
{
    struct record_held *h;
    STORE_LOCKED(s);

    h = find_root(s, &root->name);
    if (!h || !(h->kinds >> root->kind & 1))
        return TERN_ENOENT;
    if (h->expires_ns != root->expires_ns) {
        h->expires_ns = root->expires_ns;
        h->dirty = 1;
        s->dirty_roots = true;
    }
    return TERN_OK;
}

enum tern_err store_drop(struct store *s, const struct store_name *name)
{
    struct record_held *h;
    STORE_LOCKED(s);

    h = find_root(s, name);
    if (!h)
        return TERN_ENOENT;
    h->kinds = 0;
    h->dirty = 1;
    s->dirty_roots = true;
    s->drops++;
    return TERN_OK;
}

void store_each_held(struct store *s, void *context,
                     void (*each)(void *context, const struct store_held *root))
{
    STORE_LOCKED(s);

    for (size_t i = 0; i < s->roots.count; i++) {
        const struct record_held h = *(struct record_held *)names_value(&s->roots, i);
        struct store_held root = {.name = *names_at(&s->roots, i), .expires_ns = h.expires_ns};

        for (root.kind = 0; root.kind <= STORE_LEAF; root.kind++)
            if (h.kinds >> root.kind & 1)
                each(context, &root);
    }
}

size_t store_held_count(struct store *s)
{
    size_t count = 0;
    STORE_LOCKED(s);

    for (size_t i = 0; i < s->roots.count; i++)
        count += ((struct record_held *)names_value(&s->roots, i))->kinds != 0;
    return count;
}

/* ---- Pins ---- */

uint32_t store_pinned_kinds(const struct store *s, const struct store_pin *pin)
{
    return pin->stamp >= s->pins_from ? pin->kinds : 0;
}

static void without_old_pins(struct store *s)
{
    struct names left = {.value_bytes = s->pins.value_bytes};
    bool fresh;

    for (size_t i = 0; i < s->pins.count; i++) {
        const struct store_pin *pin = names_value(&s->pins, i);
        struct store_pin *slot;

        if (!store_pinned_kinds(s, pin))
            continue;
        slot = names_add(&left, names_at(&s->pins, i), &fresh);
        if (!slot) {
            names_release(&left);
            return;
        }
        *slot = *pin;
    }
    names_release(&s->pins);
    s->pins = left;
}

/* Without memory for it, it is not pinned: the upload finds out, and begins again. */
void store_pin(struct store *s, const struct store_name *name, unsigned kind)
{
    struct store_pin *pin;
    bool fresh;
    STORE_LOCKED(s);

    check(kind <= STORE_LEAF);
    if (s->pins.count >= s->pins_room) {
        without_old_pins(s);
        s->pins_room = s->pins.count < PINS_LEAST ? PINS_LEAST : 2 * s->pins.count;
    }
    pin = names_add(&s->pins, name, &fresh);
    if (!pin)
        return;
    pin->kinds = store_pinned_kinds(s, pin) | 1U << kind;
    pin->stamp = s->pin_stamp;
}

void store_pins(struct store *s, uint64_t stamp, uint64_t oldest)
{
    STORE_LOCKED(s);

    s->pin_stamp = stamp;
    s->pins_from = oldest < stamp ? oldest : stamp;
}

static void unpin(struct store *s, const struct store_name *name)
{
    struct store_pin *pin = names_find(&s->pins, name);

    if (pin)
        pin->kinds = 0;
}

/* ---- Whole ---- */

struct visit {
    struct store_name name;
    uint32_t kind;
};

struct walk {
    struct store *store;
    struct bytes stack; /* struct visit each */
    struct names lists; /* visited: uint32_t kinds */
    struct names fresh; /* put since the last commit: no value */
    uint64_t fresh_bytes;
    bool taking; /* a root takes over what was pinned for it */
};

static enum tern_err count_fresh(struct walk *w, const struct store_name *name)
{
    const struct record_chunk *c = names_find(&w->store->pending, name);
    bool fresh;

    if (!c)
        return TERN_OK;
    if (!names_add(&w->fresh, name, &fresh))
        return TERN_ENOMEM;
    w->fresh_bytes += fresh ? c->stored_bytes : 0;
    return TERN_OK;
}

/* Not to be looked into again; but a root that takes over wants to see what is new. */
static uint32_t kinds_come_to(const struct walk *w, const struct store_name *name)
{
    const bool is_new = w->taking && names_find(&w->store->pending, name);

    return kinds_in(&w->lists, name) | (is_new ? 0 : kinds_in(&w->store->whole, name));
}

static enum tern_err come_to(void *to, unsigned kind, const struct store_name *name)
{
    struct walk *w = to;
    struct visit v = {*name, kind};

    check(kind <= STORE_LEAF);
    if (kind != STORE_LEAF && kinds_come_to(w, name) >> kind & 1)
        return TERN_OK;
    if (!store_has(w->store, name))
        return TERN_ENOENT;
    if (w->taking && count_fresh(w, name))
        return TERN_ENOMEM;
    if (kind == STORE_LEAF)
        return TERN_OK;
    bytes_append(&w->stack, &v, sizeof v);
    return bytes_ok(&w->stack) && add_kinds(&w->lists, name, 1U << kind) ? TERN_OK : TERN_ENOMEM;
}

static enum tern_err walk_all(struct walk *w, const struct store_rules *rules)
{
    struct bytes plain = {.limit = STORE_CHUNK_MAX};
    enum tern_err err = TERN_OK;

    while (!err && w->stack.size) {
        struct visit v;

        w->stack.size -= sizeof v;
        memcpy(&v, w->stack.data + w->stack.size, sizeof v);
        bytes_clear(&plain);
        err = store_get(w->store, &v.name, &plain);
        if (err == TERN_ECORRUPT)
            store_spoil(w->store, &v.name);
        if (!err)
            err = rules->children(rules->context, v.kind, bytes_view(&plain), come_to, w);
    }
    bytes_release(&plain);
    return err;
}

/* All that was visited is whole. Without memory for that it is found out again. */
static void note_whole(struct walk *w)
{
    for (size_t i = 0; i < w->lists.count; i++)
        (void)add_kinds(&w->store->whole, names_at(&w->lists, i),
                        *(uint32_t *)names_value(&w->lists, i));
}

static enum tern_err look_through(struct walk *w, const struct store_name *name, unsigned kind,
                                  const struct store_rules *rules)
{
    enum tern_err err;

    w->lists.value_bytes = sizeof(uint32_t);
    err = come_to(w, kind, name);
    if (!err)
        err = walk_all(w, rules);
    if (!err)
        note_whole(w);
    bytes_release(&w->stack);
    return err;
}

static void walk_release(struct walk *w)
{
    names_release(&w->lists);
    names_release(&w->fresh);
}

bool store_is_whole(struct store *s, const struct store_name *name, unsigned kind,
                    const struct store_rules *rules)
{
    struct walk w = {.store = s};
    enum tern_err err;
    STORE_LOCKED(s);

    err = look_through(&w, name, kind, rules);
    walk_release(&w);
    return err == TERN_OK;
}

void store_spoil(struct store *s, const struct store_name *name)
{
    struct record_chunk c;
    struct record_chunk *pending;
    struct pack *pack;
    bool fresh;
    uint32_t *bad;
    STORE_LOCKED(s);

    if (s->read_only || store_find(s, name, &c))
        return;
    pending = names_find(&s->pending, name);
    pack = c.stored_bytes && !pending ? packs_find(&s->packs, c.pack) : NULL;
    if (pack)
        pack->live -= pack->live < c.stored_bytes ? pack->live : c.stored_bytes;
    if (pending)
        pending->codec = RECORD_LOST;
    bad = names_add(&s->bad, name, &fresh);
    if (bad)
        *bad = 1;
    names_clear(&s->whole); /* not worth finding out beneath which it hung */
}

/* What was whole and is held, is whole. What is held need not be: parts may have been damaged. */
static void keep_whole(struct store *s, const struct names *held)
{
    struct names left = {.value_bytes = sizeof(uint32_t)};

    for (size_t i = 0; i < s->whole.count; i++) {
        const struct store_name *name = names_at(&s->whole, i);
        const uint32_t kinds = *(uint32_t *)names_value(&s->whole, i) & kinds_in(held, name);

        if (kinds && !add_kinds(&left, name, kinds))
            break;
    }
    names_release(&s->whole);
    s->whole = left;
}

void store_looked(struct store *s, const struct names *held)
{
    keep_whole(s, held);
    without_old_pins(s);
    s->drops = 0;
}

/* ---- Holding ---- */

static enum tern_err set_root(struct store *s, const struct store_held *root,
                              struct record_held *before)
{
    bool fresh;
    struct record_held *h = names_add(&s->roots, &root->name, &fresh);

    if (!h)
        return TERN_ENOMEM;
    *before = *h;
    *h = (struct record_held){
        .expires_ns = root->expires_ns, .kinds = h->kinds | 1U << root->kind, .dirty = 1};
    s->dirty_roots = true;
    return TERN_OK;
}

/* As it was; what came through to the index all the same is removed from there by the next one. */
static void set_back(struct store *s, const struct store_name *name, struct record_held before)
{
    struct record_held *h = names_find(&s->roots, name);

    check(h);
    before.dirty = 1;
    *h = before;
}

/* On the disk already. */
static bool is_held(struct store *s, const struct store_held *root)
{
    const struct record_held *h = find_root(s, &root->name);

    return h && h->kinds >> root->kind & 1 && !h->dirty;
}

enum tern_err store_hold(struct store *s, const struct store_held *root,
                         const struct store_rules *rules, uint64_t *new_bytes, struct problem *p)
{
    const struct store_change wanted = {
        .look = {.children = rules->children, .context = rules->context}};
    struct walk w = {.store = s, .taking = true};
    struct record_held before;
    enum tern_err err;
    STORE_LOCKED(s);

    check(!s->read_only && root->kind <= STORE_LEAF);
    err = look_through(&w, &root->name, root->kind, rules);
    if (!err && is_held(s, root)) {
        *new_bytes = 0;
        (void)store_extend(s, root);
        goto out;
    }
    if (!err)
        err = set_root(s, root, &before);
    if (err) {
        problem_set(p, err, "not all that hangs beneath a root is in %s: %s", s->path,
                    tern_err_text(err));
        goto out;
    }
    err = store_write(s, &wanted, p);
    if (err) {
        set_back(s, &root->name, before);
        goto out;
    }
    for (size_t i = 0; i < w.fresh.count; i++)
        unpin(s, names_at(&w.fresh, i));
    unpin(s, &root->name);
    *new_bytes = w.fresh_bytes;
out:
    walk_release(&w);
    return err;
}

/* ---- Collecting ---- */

bool store_is_due(struct store *s)
{
    const uint64_t fresh = s->state.fresh_bytes;
    uint64_t live = 0;
    STORE_LOCKED(s);

    for (size_t i = 0; i < s->packs.count; i++)
        live += s->packs.at[i].live;
    return !s->taking && s->drops &&
           ((s->drops >= s->limits.look_commits && s->drops >= s->roots.count / 4) ||
            (fresh >= s->limits.look_bytes && fresh >= live / 4));
}

bool store_has_dropped(struct store *s)
{
    STORE_LOCKED(s);

    return s->drops > 0;
}

enum tern_err store_flush(struct store *s, struct problem *p)
{
    const struct store_change wanted = {.must_look = false};
    STORE_LOCKED(s);

    return s->dirty_roots ? store_write(s, &wanted, p) : TERN_OK;
}

bool store_give_back(struct store *s)
{
    STORE_LOCKED(s);

    if (s->half_empty)
        s->half_empty = store_reclaim(s, STORE_MOVE_BYTES);
    return s->half_empty;
}

enum tern_err store_collect(struct store *s, const struct store_rules *rules, struct problem *p)
{
    const struct store_change wanted = {.look = {.children = rules->children,
                                                 .context = rules->context,
                                                 .kept = UINT32_MAX,
                                                 .tolerant = true},
                                        .must_look = true};
    STORE_LOCKED(s);

    check(!s->read_only);
    return s->taking ? TERN_OK : store_write(s, &wanted, p);
}

void store_taking(struct store *s, bool taking)
{
    STORE_LOCKED(s);

    check(taking || s->taking > 0);
    s->taking += taking ? 1 : UINT32_MAX;
}
