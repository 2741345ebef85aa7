/*
 * A commit: what was put becomes durable, and the root with it, in one transaction of the index.
 */
#include "store/store_inner.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

struct commit {
    struct store *store;
    const struct store_change *given;
    struct store_root root;
    struct record_state state;
    uint64_t drop;     /* roots up to this number go; 0: none */
    bool marked;       /* held is known */
    struct names held; /* value uint32_t */
    struct names dead; /* in the index, and nothing holds them; no value */
    enum tern_err err;
};

/* Bytes in a pack that is not written to any more and whose sync failed. */
static bool is_doubtful(struct store *s, const struct record_chunk *c)
{
    struct pack *p =
        c->stored_bytes && c->codec != RECORD_LOST ? packs_find(&s->packs, c->pack) : NULL;

    return p && p->closed && c->offset + c->stored_bytes > p->durable;
}

/* To a new place; the bytes come from the system's cache, where most often they still are. */
static enum tern_err put_again(struct store *s, struct record_chunk *c, struct problem *p)
{
    enum tern_err err = store_read_stored(s, c);
    int error;

    if (err) {
        c->codec = RECORD_LOST;
        return problem_set(p, TERN_EIO,
                           "the disk below %s lost bytes that were just written to it; this "
                           "checkpoint fails, those before are as they were",
                           s->path);
    }
    error = packs_append(&s->packs, view_of(s->scratch, c->stored_bytes), &c->pack, &c->offset);
    return error ? store_pack_failed(s, error, "write", p) : TERN_OK;
}

/* What was lost may be the base of any of these. */
static void lose_likes(struct store *s)
{
    for (size_t i = 0; i < s->pending.count; i++) {
        struct record_chunk *c = names_value(&s->pending, i);

        if (c->codec == RECORD_LIKE)
            c->codec = RECORD_LOST;
    }
}

enum tern_err store_settle(struct store *s, struct problem *p)
{
    int error;

    for (size_t i = 0; i < s->pending.count; i++) {
        struct record_chunk *c = names_value(&s->pending, i);
        enum tern_err err = is_doubtful(s, c) ? put_again(s, c, p) : TERN_OK;

        if (err) {
            lose_likes(s);
            return err;
        }
    }
    error = packs_sync(&s->packs);
    return error ? store_pack_failed(s, error, "sync", p) : TERN_OK;
}

/* Whether this pending chunk goes into the index. */
static bool goes_in(const struct commit *c, size_t i)
{
    const struct record_chunk *chunk = names_value(&c->store->pending, i);

    return chunk->codec != RECORD_LOST &&
           (!c->marked || names_find(&c->held, names_at(&c->store->pending, i)));
}

static int change(void *context, MDB_txn *txn, MDB_dbi dbi)
{
    struct commit *c = context;
    const struct names *pending = &c->store->pending;
    struct record r;
    int rc = c->drop ? index_remove_roots(txn, dbi, c->drop) : 0;

    for (size_t i = 0; i < c->dead.count && !rc; i++) {
        record_chunk_key(&r, names_at(&c->dead, i));
        rc = index_remove(txn, dbi, &r);
    }
    for (size_t i = 0; i < c->store->bad.count && !rc; i++) {
        record_chunk_key(&r, names_at(&c->store->bad, i));
        rc = index_remove(txn, dbi, &r);
    }
    for (size_t i = 0; i < pending->count && !rc; i++) {
        if (!goes_in(c, i))
            continue;
        record_of_chunk(&r, names_at(pending, i), names_value(pending, i));
        rc = index_put(txn, dbi, &r);
    }
    rc = rc ? rc : store_write_held(c->store, txn, dbi);
    if (!rc && c->given->root) {
        record_of_root(&r, &c->root);
        rc = index_put(txn, dbi, &r);
    }
    record_of_state(&r, &c->state);
    return rc ? rc : index_put(txn, dbi, &r);
}

static void add_next(struct store *s, const struct record_chunk *c)
{
    struct pack *p = c->stored_bytes ? packs_find(&s->packs, c->pack) : NULL;

    if (!p)
        return;
    p->next_live += c->stored_bytes;
    if (p->next_end < c->offset + c->stored_bytes)
        p->next_end = c->offset + c->stored_bytes;
}

/* Each record of the index, when it is known what is held. */
static void sort_out(void *to, struct view key, struct view value)
{
    struct commit *c = to;
    struct store_name name;
    struct record_chunk chunk;
    bool fresh;

    if (!record_get_chunk(key, value, &name, &chunk) || names_find(&c->store->pending, &name) ||
        names_find(&c->store->bad, &name))
        return; /* what is put again, since it was damaged, is replaced */
    if (names_find(&c->held, &name))
        add_next(c->store, &chunk);
    else if (!names_add(&c->dead, &name, &fresh))
        c->err = TERN_ENOMEM;
}

static void begin_counts(struct store *s, bool from_zero)
{
    for (size_t i = 0; i < s->packs.count; i++) {
        struct pack *p = &s->packs.at[i];

        p->next_live = from_zero ? 0 : p->live;
        p->next_end = from_zero ? 0 : p->end;
    }
}

/* What nothing holds any more. If that cannot be found out, nothing is forgotten this time. */
static enum tern_err look_for_dead(struct commit *c)
{
    enum tern_err err = store_mark(c->store, &c->given->look, &c->held);

    begin_counts(c->store, true);
    if (!err)
        err = index_each(&c->store->index, sort_out, c);
    err = err ? err : c->err;
    c->marked = !err;
    if (!c->marked) {
        names_clear(&c->dead);
        begin_counts(c->store, false);
    }
    return err;
}

bool store_grew(const struct store *s, const struct record_state *state)
{
    uint64_t live = 0;

    for (size_t i = 0; i < s->packs.count; i++)
        live += s->packs.at[i].live;
    return state->fresh_commits >= s->limits.look_commits ||
           (state->fresh_bytes >= s->limits.look_bytes && state->fresh_bytes >= live / 4);
}

static enum tern_err number(struct commit *c)
{
    struct store_root last = {0}, drop = {0};
    enum tern_err err = index_root(&c->store->index, 0, &last);

    if (err && err != TERN_ENOENT)
        return err;
    c->root = (struct store_root){
        .number = last.number + 1, .list = *c->given->look.list, .time_ns = c->given->time_ns};
    err = index_root(&c->store->index, c->given->look.kept, &drop);
    if (err && err != TERN_ENOENT)
        return err;
    c->drop = drop.number;
    return TERN_OK;
}

static enum tern_err prepare(struct commit *c)
{
    struct store *s = c->store;
    enum tern_err err = c->given->root ? number(c) : TERN_OK;

    if (err)
        return err;
    for (size_t i = 0; i < s->pending.count; i++)
        c->state.fresh_bytes += ((struct record_chunk *)names_value(&s->pending, i))->stored_bytes;
    c->state.fresh_commits++;
    begin_counts(s, false);
    if (c->given->must_look)
        return look_for_dead(c);
    if (c->given->root && store_grew(s, &c->state))
        (void)look_for_dead(c);
    return TERN_OK;
}

static void count_new(struct commit *c)
{
    struct store *s = c->store;

    for (size_t i = 0; i < s->pending.count; i++) {
        const struct record_chunk *chunk = names_value(&s->pending, i);

        if (!goes_in(c, i))
            continue;
        c->root.new_chunks++;
        c->root.new_bytes += chunk->stored_bytes;
        add_next(s, chunk);
    }
    if (c->marked)
        c->state.fresh_bytes = c->state.fresh_commits = 0;
    c->state.next_pack = s->packs.next;
}

/* A commit that failed may have come through all the same: the index knows. */
static bool has_landed(struct commit *c)
{
    struct store_root now;

    return index_root(&c->store->index, 0, &now) == TERN_OK && now.number == c->root.number;
}

static void accept(struct commit *c)
{
    struct store *s = c->store;

    for (size_t i = 0; i < s->packs.count; i++) {
        s->packs.at[i].live = s->packs.at[i].next_live;
        s->packs.at[i].end = s->packs.at[i].next_end;
    }
    s->state = c->state;
    names_clear(&s->pending);
    names_clear(&s->bad);
    store_wrote_held(s);
    if (c->marked)
        store_looked(s, &c->held);
}

enum tern_err store_write(struct store *s, const struct store_change *change_wanted,
                          struct problem *p)
{
    struct commit c = {.store = s, .given = change_wanted, .state = s->state};
    enum tern_err err = store_settle(s, p);

    if (err)
        return err;
    c.held.value_bytes = sizeof(uint32_t);
    err = prepare(&c);
    if (err) {
        problem_set(p, err, "cannot read %s/index: %s", s->path, tern_err_text(err));
        goto out;
    }
    count_new(&c);
    err = index_write(&s->index, change, &c, p);
    if (err && c.given->root && has_landed(&c))
        err = TERN_OK;
    if (!err) {
        accept(&c);
        if (c.given->root)
            *c.given->root = c.root;
        if (c.marked)
            s->half_empty = store_reclaim(s, c.given->root ? UINT64_MAX : STORE_MOVE_BYTES);
    }
out:
    names_release(&c.held);
    names_release(&c.dead);
    return err;
}

enum tern_err store_commit(struct store *s, const struct store_commit *given,
                           struct store_root *root, struct problem *p)
{
    struct store_change wanted = {.look = {.children = given->children,
                                           .context = given->context,
                                           .list = &given->list,
                                           .kept = given->keep - 1},
                                  .root = root,
                                  .time_ns = given->time_ns};
    STORE_LOCKED(s);

    check(!s->read_only && given->keep >= 1);
    if (!store_has(s, &given->list))
        return problem_set(p, TERN_ENOENT, "the list of a checkpoint is not in %s", s->path);
    return store_write(s, &wanted, p);
}
