/*
 * journal - facts in order, durable in groups: an interface. os/pool/ has SQLite, sim/ a disk that
 *           tears.
 *
 * Order    append queues; `stored` is told for all up to a number, once these cannot be forgotten
 *          any more. Facts are numbered from 1 on, by the journal.
 * Snapshot Replaces all facts up to a number by one run of bytes. Appending goes on meanwhile.
 * Compact  The same, but what replaces them is made of the journal's own facts, by a fold that a
 *          thread of the journal's may use while its owner goes on. So no step of the owner's has to
 *          wait, however much there is, and nothing can change while it is looked at; a journal that
 *          could not be read again is found out early. It costs the memory of a second agent, and
 *          another processor's time.
 * Failure  A journal that cannot write any more says so once (`broken`); its owner ends.
 */
#ifndef TERN_DRIVE_JOURNAL_H
#define TERN_DRIVE_JOURNAL_H

#include "base/bytes.h"
#include "base/error.h"

struct journal {
    const struct journal_calls *calls;
    void *self;
    /* Set by the owner before the first append. */
    void *context;
    void (*stored)(void *context, uint64_t up_to);
    void (*broken)(void *context, const char *why);
    /* Once for each compact, unless it is closed, or given a snapshot, before. size: facts that the
     * snapshot has. */
    void (*compacted)(void *context, enum tern_err err, uint64_t size, const char *why);
};

/* What facts come to: given all, in order, then asked for those that bring the same about. */
struct journal_fold {
    const struct journal_fold_calls *calls;
    void *self;
};

struct journal_fold_calls { /* from one thread at a time, which need not be the owner's */
    enum tern_err (*fact)(void *self, struct view fact);
    /* Each with a u32 size in front; *count of them. */
    enum tern_err (*result)(void *self, struct bytes *out, uint64_t *count);
    void (*free)(void *self);
};

struct journal_history { /* of a task that has ended: a row for people who ask with SQL */
    uint64_t task, job, index, attempt;
    const char *owner, *label, *node, *state, *why;
    int32_t code;
    int64_t submitted_wall_ns, ended_wall_ns;
    uint64_t cpu_ns, attempts, checkpoints;
};

struct journal_calls {
    /* Calls `fact` for the snapshot's facts (number 0), then for each behind it. Once, at first. */
    enum tern_err (*read)(void *self, void *context,
                          enum tern_err (*fact)(void *context, uint64_t number, struct view bytes),
                          struct problem *p);
    /* The number that it has. history may be NULL; it is stored with it. */
    uint64_t (*append)(void *self, struct view fact, const struct journal_history *history);
    /* Facts, each with a u32 size in front; `up_to` as of now. */
    void (*snapshot)(void *self, struct bytes *facts_taken, uint64_t up_to);
    /* One at a time. The fold is the journal's from now on. */
    void (*compact)(void *self, const struct journal_fold *fold_taken, uint64_t up_to);
    void (*close)(void *self);
};

#endif
