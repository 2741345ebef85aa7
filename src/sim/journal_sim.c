#include "sim/journal_sim.h"

#include "base/check.h"
#include "base/little.h"

#include <stdlib.h>
#include <string.h>

const struct sim_disk_config sim_disk_default = {
    .write_least_ns = 60000, .write_most_ns = 1500000, .slow = 2000};

struct fact {
    uint64_t number;
    size_t size;
    uint8_t *data;
};

struct sim_disk {
    struct sim *sim;
    char name[64];
    struct sim_disk_config config;
    struct prng dice;
    struct journal journal;
    uint64_t life; /* of its user: what was begun by an earlier one is void */
    struct bytes snapshot;
    uint64_t snapshot_up_to;
    struct fact *facts; /* behind the snapshot */
    size_t count, capacity;
    uint64_t appended, stored;
    uint64_t writing_up_to; /* 0: nothing is being written */
    struct bytes next_snapshot;
    uint64_t next_up_to; /* 0: none */
    struct journal_fold fold;
    uint64_t fold_up_to; /* 0: none */
    bool paused, told_late, fails, broken;
};

struct sim_disk *sim_disk_new(struct sim *sim, const char *name,
                              const struct sim_disk_config *config)
{
    struct sim_disk *d = sim_new(1, sizeof *d);

    d->sim = sim;
    d->config = *config;
    memcpy(d->name, name, strnlen(name, sizeof d->name - 1));
    prng_seed(&d->dice, sim->seed, d->name);
    return d;
}

static void drop_facts(struct sim_disk *d, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        free(d->facts[i].data);
    memmove(d->facts + from, d->facts + to, (d->count - to) * sizeof *d->facts);
    d->count -= to - from;
}

static void drop_fold(struct sim_disk *d)
{
    if (d->fold_up_to)
        d->fold.calls->free(d->fold.self);
    d->fold_up_to = 0;
}

void sim_disk_free(struct sim_disk *d)
{
    if (!d)
        return;
    drop_facts(d, 0, d->count);
    drop_fold(d);
    free(d->facts);
    bytes_release(&d->snapshot);
    bytes_release(&d->next_snapshot);
    free(d);
}

uint64_t sim_disk_stored(const struct sim_disk *d)
{
    return d->stored;
}

void sim_disk_set_failing(struct sim_disk *d, bool fails)
{
    d->fails = fails;
}

/* ---- Writing ---- */

static void write_group(struct sim_disk *d);

static void forget_before(struct sim_disk *d, uint64_t up_to)
{
    size_t n = 0;

    while (n < d->count && d->facts[n].number <= up_to)
        n++;
    drop_facts(d, 0, n);
}

static void take_snapshot(struct sim_disk *d)
{
    bytes_release(&d->snapshot);
    d->snapshot = d->next_snapshot;
    d->next_snapshot = (struct bytes){0};
    d->snapshot_up_to = d->next_up_to;
    d->next_up_to = 0;
    forget_before(d, d->snapshot_up_to);
}

/* The facts up to a number, each to the function. */
static enum tern_err fold_all(struct sim_disk *d, const struct journal_fold *fold)
{
    enum tern_err err = TERN_OK;

    for (size_t at = 0; at < d->snapshot.size && !err;) {
        const size_t size = (size_t)little_get(d->snapshot.data + at, 4);

        err = fold->calls->fact(fold->self, view_of(d->snapshot.data + at + 4, size));
        at += 4 + size;
    }
    for (size_t i = 0; i < d->count && d->facts[i].number <= d->fold_up_to && !err; i++)
        err = fold->calls->fact(fold->self, view_of(d->facts[i].data, d->facts[i].size));
    return err;
}

static void compact(struct sim_disk *d)
{
    struct bytes result = {0};
    uint64_t size = 0;
    enum tern_err err = fold_all(d, &d->fold);

    if (!err)
        err = d->fold.calls->result(d->fold.self, &result, &size);
    check(!err); /* what was appended here can be applied */
    bytes_release(&d->next_snapshot);
    d->next_snapshot = result;
    d->next_up_to = d->fold_up_to;
    drop_fold(d);
    take_snapshot(d);
    if (d->journal.compacted)
        d->journal.compacted(d->journal.context, TERN_OK, size, "");
}

static void tell(struct sim_disk *d)
{
    sim_tell(d->sim, TRACE_STORED, d->name, d->stored, 0, NULL);
    d->journal.stored(d->journal.context, d->stored);
}

static void written(void *disk, uint64_t life)
{
    struct sim_disk *d = disk;

    if (life != d->life)
        return;
    d->stored = d->writing_up_to;
    d->writing_up_to = 0;
    if (d->next_up_to && d->next_up_to <= d->stored)
        take_snapshot(d);
    if (d->fold_up_to && d->fold_up_to <= d->stored)
        compact(d);
    write_group(d);
    d->told_late = d->paused;
    if (!d->paused)
        tell(d);
}

static void failed(void *disk, uint64_t life)
{
    struct sim_disk *d = disk;

    if (life != d->life || d->broken)
        return;
    d->broken = true;
    d->journal.broken(d->journal.context, "the disk is full");
}

static void lie(void *disk, uint64_t life)
{
    struct sim_disk *d = disk;

    if (life == d->life && d->writing_up_to)
        d->journal.stored(d->journal.context, d->writing_up_to);
}

static void write_group(struct sim_disk *d)
{
    int64_t takes;

    if (d->writing_up_to || (d->appended == d->stored && !d->next_up_to && !d->fold_up_to))
        return;
    takes = prng_between(&d->dice, d->config.write_least_ns, d->config.write_most_ns);
    if (prng_chance(&d->dice, d->config.slow))
        takes *= 100;
    d->writing_up_to = d->appended;
    if (d->config.lies) {
        takes *= 1000;
        sim_in(d->sim, 0, lie, d, d->life);
    }
    sim_in(d->sim, takes, d->fails ? failed : written, d, d->life);
}

void sim_disk_pause(struct sim_disk *d, bool paused)
{
    d->paused = paused;
    if (!paused && d->told_late) {
        d->told_late = false;
        tell(d);
    }
}

void sim_disk_crash(struct sim_disk *d)
{
    uint64_t kept = d->stored;
    size_t n = 0;

    if (d->writing_up_to)
        kept += prng_below(&d->dice, d->writing_up_to - d->stored + 1);
    while (n < d->count && d->facts[n].number <= kept)
        n++;
    sim_tell(d->sim, TRACE_LOST, d->name, kept + 1, d->appended, NULL);
    drop_facts(d, n, d->count);
    d->stored = d->appended = kept;
    d->writing_up_to = d->next_up_to = 0;
    bytes_release(&d->next_snapshot);
    drop_fold(d);
    d->life++;
    d->broken = d->paused = d->told_late = false;
}

/* ---- What its user calls ---- */

static enum tern_err call_read(void *self, void *context,
                               enum tern_err (*fact)(void *context, uint64_t number,
                                                     struct view bytes),
                               struct problem *p)
{
    struct sim_disk *d = self;
    enum tern_err err = TERN_OK;

    for (size_t at = 0; at < d->snapshot.size && !err;) {
        const size_t size = (size_t)little_get(d->snapshot.data + at, 4);

        at += 4;
        check(size <= d->snapshot.size - at);
        err = fact(context, 0, view_of(d->snapshot.data + at, size));
        at += size;
    }
    for (size_t i = 0; i < d->count && !err; i++)
        err = fact(context, d->facts[i].number, view_of(d->facts[i].data, d->facts[i].size));
    return err ? problem_set(p, err, "the journal cannot be read: %s", tern_err_text(err))
               : TERN_OK;
}

static uint64_t call_append(void *self, struct view fact, const struct journal_history *history)
{
    struct sim_disk *d = self;
    struct fact *f;

    (void)history;
    if (d->count == d->capacity)
        d->facts = sim_more(d->facts, &d->capacity, sizeof *d->facts);
    f = &d->facts[d->count++];
    *f = (struct fact){.number = ++d->appended, .size = fact.size};
    f->data = sim_new(fact.size, 1);
    if (fact.size)
        memcpy(f->data, fact.data, fact.size);
    write_group(d);
    return f->number;
}

static void call_snapshot(void *self, struct bytes *facts_taken, uint64_t up_to)
{
    struct sim_disk *d = self;

    drop_fold(d);
    bytes_release(&d->next_snapshot);
    d->next_snapshot = *facts_taken;
    *facts_taken = (struct bytes){0};
    d->next_up_to = up_to;
    write_group(d);
}

static void call_compact(void *self, const struct journal_fold *fold_taken, uint64_t up_to)
{
    struct sim_disk *d = self;

    check(!d->fold_up_to && up_to);
    d->fold = *fold_taken;
    d->fold_up_to = up_to;
    write_group(d);
}

static void call_close(void *self)
{
    struct sim_disk *d = self;

    drop_fold(d);
    d->life++; /* nothing is told any more; what was appended is still written */
    d->stored = d->appended;
    d->writing_up_to = 0;
    if (d->next_up_to)
        take_snapshot(d);
}

static const struct journal_calls calls = {.read = call_read,
                                           .append = call_append,
                                           .snapshot = call_snapshot,
                                           .compact = call_compact,
                                           .close = call_close};

struct journal *sim_disk_journal(struct sim_disk *d)
{
    d->journal = (struct journal){.calls = &calls, .self = d};
    return &d->journal;
}
