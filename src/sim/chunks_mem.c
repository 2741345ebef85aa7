#include "sim/chunks_mem.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

enum { DOMAIN_BYTES = 128, TIDY_STEP = 256 };

struct item {
    struct item *chain;
    struct item *before, *behind; /* in the order in which they came */
    struct domain *domain;
    struct store_name name;
    struct bytes plain;
    unsigned roots;    /* that hold it */
    uint64_t walked;   /* number of the last walk that came by */
    uint64_t whole_at; /* all beneath it was there when the store had this many removals, plus 1 */
    bool rotten;       /* damaged, not noticed yet */
    bool missing;      /* noticed */
};

struct root {
    struct domain *domain;
    struct chunks_root root;
    int64_t durable_ns;
};

struct domain {
    struct domain *next;
    char name[DOMAIN_BYTES];
    struct item **table;
    size_t size, count;
};

struct chunks_mem {
    struct chunks chunks;
    struct domain *domains, **last_domain;
    struct item *first, *last;
    struct root *roots;
    size_t root_count, root_capacity;
    uint64_t space_bytes, used_bytes;
    uint64_t walks, removals, damaged;
};

/* ---- Domains and items ---- */

static struct domain *find_domain(struct chunks_mem *m, const char *name, bool make)
{
    struct domain *d = m->domains;

    while (d && strcmp(d->name, name) != 0)
        d = d->next;
    if (d || !make)
        return d;
    check(strlen(name) < DOMAIN_BYTES);
    d = calloc(1, sizeof *d);
    check(d);
    memcpy(d->name, name, strlen(name));
    *m->last_domain = d;
    m->last_domain = &d->next;
    return d;
}

static struct item **bucket(const struct domain *d, const struct store_name *name)
{
    uint64_t hash;

    memcpy(&hash, name->bytes, sizeof hash);
    return &d->table[hash & (d->size - 1)];
}

static struct item *find(const struct domain *d, const struct store_name *name)
{
    struct item *i = d && d->size ? *bucket(d, name) : NULL;

    while (i && memcmp(&i->name, name, sizeof *name) != 0)
        i = i->chain;
    return i;
}

static struct item *find_in(struct chunks_mem *m, const char *domain, const struct store_name *name)
{
    return find(find_domain(m, domain, false), name);
}

static void grow(struct domain *d)
{
    const size_t before = d->size;
    struct item **old = d->table;

    d->size = before ? 2 * before : 64;
    d->table = calloc(d->size, sizeof(struct item *));
    check(d->table);
    for (size_t b = 0; b < before; b++)
        for (struct item *i = old[b], *next; i; i = next) {
            struct item **at = bucket(d, &i->name);

            next = i->chain;
            i->chain = *at;
            *at = i;
        }
    free(old);
}

/* Takes plain. */
static void add(struct chunks_mem *m, struct domain *d, const struct store_name *name,
                struct bytes *plain)
{
    struct item *i = calloc(1, sizeof *i), **at;

    check(i);
    if (d->count == d->size)
        grow(d);
    at = bucket(d, name);
    *i =
        (struct item){.chain = *at, .before = m->last, .domain = d, .name = *name, .plain = *plain};
    *at = i;
    d->count++;
    if (m->last)
        m->last->behind = i;
    else
        m->first = i;
    m->last = i;
    m->used_bytes += plain->size;
    *plain = (struct bytes){0};
}

static void drop_item(struct chunks_mem *m, struct item *i)
{
    struct item **at = bucket(i->domain, &i->name);

    check(i->roots == 0);
    while (*at != i)
        at = &(*at)->chain;
    *at = i->chain;
    *(i->before ? &i->before->behind : &m->first) = i->behind;
    *(i->behind ? &i->behind->before : &m->last) = i->before;
    i->domain->count--;
    m->used_bytes -= i->plain.size;
    m->removals++;
    bytes_release(&i->plain);
    free(i);
}

static void drop_unheld(struct chunks_mem *m)
{
    for (struct item *i = m->first, *next; i; i = next) {
        next = i->behind;
        if (!i->roots)
            drop_item(m, i);
    }
}

/* ---- Walking beneath a root ---- */

struct walk {
    struct chunks_mem *m;
    struct domain *domain;
    int by;             /* added to the roots of each */
    uint64_t new_bytes; /* of those that no root held */
    bool broken;
};

static enum tern_err walk_one(void *walk, unsigned kind, const struct store_name *name)
{
    struct walk *w = walk;
    struct item *i = find(w->domain, name);

    if (!i || i->missing)
        w->broken = true;
    if (!i || i->walked == w->m->walks)
        return TERN_OK;
    i->walked = w->m->walks;
    if (w->by > 0 && !i->roots)
        w->new_bytes += i->plain.size;
    i->roots = (unsigned)((int)i->roots + w->by);
    if (chunk_children(NULL, kind, bytes_view(&i->plain), walk_one, w))
        w->broken = true;
    return TERN_OK;
}

static struct walk walk(struct chunks_mem *m, struct domain *d, unsigned kind,
                        const struct store_name *name, int by)
{
    struct walk w = {.m = m, .domain = d, .by = by};

    m->walks++;
    walk_one(&w, kind, name);
    return w;
}

static bool whole(struct chunks_mem *m, struct domain *d, unsigned kind,
                  const struct store_name *name)
{
    struct item *i = find(d, name);

    if (!i || i->missing)
        return false;
    if (i->whole_at == m->removals + 1)
        return true;
    if (walk(m, d, kind, name, 0).broken)
        return false;
    i->whole_at = m->removals + 1;
    return true;
}

/* ---- Calls ---- */

static bool call_has(void *self, const char *domain, const struct store_name *name, unsigned kind)
{
    struct chunks_mem *m = self;

    return whole(m, find_domain(m, domain, false), kind, name);
}

static enum tern_err put_again(struct item *i)
{
    i->rotten = i->missing = false;
    return TERN_OK;
}

static enum tern_err call_put(void *self, const char *domain, const struct store_name *name,
                              const struct store_stored *stored)
{
    struct chunks_mem *m = self;
    struct domain *d = find_domain(m, domain, true);
    struct item *there = find(d, name);
    struct bytes plain = {0};
    enum tern_err err;

    if (there && !there->missing)
        return TERN_OK;
    err = stored->codec == CODEC_LIKE ? TERN_ECORRUPT : chunk_unpack(stored, name, &plain);
    if (!err && there) {
        bytes_release(&plain);
        return put_again(there);
    }
    if (!err && m->space_bytes && m->used_bytes + plain.size > m->space_bytes)
        drop_unheld(m);
    if (!err && m->space_bytes && m->used_bytes + plain.size > m->space_bytes)
        err = TERN_ENOSPACE;
    if (!err)
        add(m, d, name, &plain);
    bytes_release(&plain);
    return err;
}

/* Its bytes, or how they are found to be damaged. */
static enum tern_err read_item(struct chunks_mem *m, struct item *i)
{
    if (!i || i->missing)
        return TERN_ENOENT;
    if (!i->rotten)
        return TERN_OK;
    i->missing = true;
    m->removals++;
    m->damaged++;
    return TERN_ECORRUPT;
}

static enum tern_err call_get(void *self, const char *domain, const struct store_name *name,
                              const struct store_name *has, struct store_stored *out,
                              struct bytes *room)
{
    struct item *i = find_in(self, domain, name);
    const enum tern_err err = read_item(self, i);
    const size_t at = room->size;

    (void)has;
    if (err)
        return err;
    bytes_append(room, i->plain.data, i->plain.size);
    if (!bytes_ok(room))
        return TERN_ENOMEM;
    *out = (struct store_stored){.codec = CODEC_PLAIN,
                                 .plain_size = (uint32_t)i->plain.size,
                                 .bytes = view_of(room->data + at, i->plain.size)};
    return TERN_OK;
}

static enum tern_err call_plain(void *self, const char *domain, const struct store_name *name,
                                struct bytes *out)
{
    struct item *i = find_in(self, domain, name);
    const enum tern_err err = read_item(self, i);

    if (err)
        return err;
    bytes_append(out, i->plain.data, i->plain.size);
    return bytes_ok(out) ? TERN_OK : TERN_ENOMEM;
}

static struct root *find_root(struct chunks_mem *m, const char *domain,
                              const struct store_name *name)
{
    for (size_t i = 0; i < m->root_count; i++)
        if (strcmp(m->roots[i].domain->name, domain) == 0 &&
            memcmp(&m->roots[i].root.name, name, sizeof *name) == 0)
            return &m->roots[i];
    return NULL;
}

static void make_durable(struct chunks_mem *m)
{
    for (size_t i = 0; i < m->root_count; i++)
        m->roots[i].durable_ns = m->roots[i].root.expires_ns;
}

static void add_root(struct chunks_mem *m, struct domain *d, const struct chunks_root *root)
{
    if (m->root_count == m->root_capacity) {
        m->root_capacity = m->root_capacity ? 2 * m->root_capacity : 16;
        m->roots = realloc(m->roots, m->root_capacity * sizeof *m->roots);
        check(m->roots);
    }
    m->roots[m->root_count++] = (struct root){.domain = d, .root = *root};
}

static enum tern_err call_commit(void *self, const char *domain, const struct chunks_root *root,
                                 uint64_t *new_bytes, struct problem *p)
{
    struct chunks_mem *m = self;
    struct domain *d = find_domain(m, domain, true);
    struct root *there = find_root(m, domain, &root->name);

    if (!whole(m, d, root->kind, &root->name))
        return problem_set(p, TERN_ENOENT, "something beneath that root is missing");
    *new_bytes = 0;
    if (there) {
        there->root.expires_ns = root->expires_ns;
    } else {
        add_root(m, d, root);
        *new_bytes = walk(m, d, root->kind, &root->name, 1).new_bytes;
    }
    make_durable(m);
    return TERN_OK;
}

static enum tern_err call_extend(void *self, const char *domain, const struct chunks_root *root)
{
    struct root *there = find_root(self, domain, &root->name);

    if (!there)
        return TERN_ENOENT;
    there->root.expires_ns = root->expires_ns;
    return TERN_OK;
}

static void drop_root(struct chunks_mem *m, struct root *r)
{
    walk(m, r->domain, r->root.kind, &r->root.name, -1);
    memmove(r, r + 1, (size_t)(m->roots + m->root_count - (r + 1)) * sizeof *r);
    m->root_count--;
}

static enum tern_err call_drop(void *self, const char *domain, const struct store_name *name)
{
    struct root *there = find_root(self, domain, name);

    if (!there)
        return TERN_ENOENT;
    drop_root(self, there);
    return TERN_OK;
}

static void call_roots(void *self, void *context,
                       void (*each)(void *context, const char *domain,
                                    const struct chunks_root *root))
{
    struct chunks_mem *m = self;

    for (size_t i = 0; i < m->root_count; i++)
        each(context, m->roots[i].domain->name, &m->roots[i].root);
}

static void call_usage(void *self, struct chunks_usage *out)
{
    const struct chunks_mem *m = self;

    *out = (struct chunks_usage){.space_bytes = m->space_bytes,
                                 .used_bytes = m->used_bytes,
                                 .roots = m->root_count,
                                 .damaged = m->damaged};
}

/* Only when it is getting tight: an upload may be on its way. */
static bool call_tidy(void *self)
{
    struct chunks_mem *m = self;
    size_t looked = 0;

    if (!m->space_bytes || m->used_bytes < m->space_bytes - m->space_bytes / 4)
        return false;
    for (struct item *i = m->first, *next; i && looked < TIDY_STEP; i = next, looked++) {
        next = i->behind;
        if (!i->roots)
            drop_item(m, i);
    }
    return false;
}

static const struct chunks_calls calls = {
    .has = call_has,
    .put = call_put,
    .get = call_get,
    .plain = call_plain,
    .commit = call_commit,
    .extend = call_extend,
    .drop = call_drop,
    .roots = call_roots,
    .usage = call_usage,
    .tidy = call_tidy,
};

/* ---- Life ---- */

struct chunks_mem *chunks_mem_new(uint64_t space_bytes)
{
    struct chunks_mem *m = calloc(1, sizeof *m);

    check(m);
    m->chunks = (struct chunks){.calls = &calls, .self = m};
    m->last_domain = &m->domains;
    m->space_bytes = space_bytes;
    return m;
}

void chunks_mem_empty(struct chunks_mem *m)
{
    for (struct item *i = m->first; i; i = i->behind)
        i->roots = 0;
    m->root_count = 0;
    drop_unheld(m);
}

void chunks_mem_free(struct chunks_mem *m)
{
    if (!m)
        return;
    chunks_mem_empty(m);
    for (struct domain *d = m->domains, *next; d; d = next) {
        next = d->next;
        free(d->table);
        free(d);
    }
    free(m->roots);
    free(m);
}

struct chunks *chunks_mem_chunks(struct chunks_mem *m)
{
    return &m->chunks;
}

/* ---- Faults and checks ---- */

void chunks_mem_limit(struct chunks_mem *m, uint64_t space_bytes)
{
    m->space_bytes = space_bytes;
}

void chunks_mem_power_loss(struct chunks_mem *m)
{
    for (size_t i = 0; i < m->root_count; i++)
        m->roots[i].root.expires_ns = m->roots[i].durable_ns;
    drop_unheld(m);
}

bool chunks_mem_rot(struct chunks_mem *m, struct prng *dice)
{
    size_t held = 0, n;

    for (const struct item *i = m->first; i; i = i->behind)
        held += i->roots > 0;
    if (!held)
        return false;
    n = (size_t)prng_below(dice, held);
    for (struct item *i = m->first; i; i = i->behind)
        if (i->roots && n-- == 0)
            i->rotten = true;
    return true;
}

static bool any_rotten(struct chunks_mem *m, const struct domain *d)
{
    for (const struct item *i = m->first; i; i = i->behind)
        if (i->domain == d && i->walked == m->walks && (i->rotten || i->missing))
            return true;
    return false;
}

bool chunks_mem_sound(struct chunks_mem *m, const char *domain, const struct store_name *root)
{
    const struct root *r = find_root(m, domain, root);

    return r && !walk(m, r->domain, r->root.kind, root, 0).broken && !any_rotten(m, r->domain);
}

void chunks_mem_check(struct chunks_mem *m)
{
    uint64_t used = 0;

    for (const struct item *i = m->first; i; i = i->behind)
        used += i->plain.size;
    check(used == m->used_bytes);
    for (size_t i = 0; i < m->root_count; i++) {
        const struct item *top = find(m->roots[i].domain, &m->roots[i].root.name);

        check(top && top->roots > 0);
    }
}
