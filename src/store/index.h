/*
 * index - the records of record.h in LMDB: DIR/index, and DIR/index-lock for its readers.
 *
 * Does     Opens what index_check has found whole; reads; changes all that belongs together in one
 *          transaction, which is on the disk when it is over; lets the map grow.
 * Readers  May be other processes, while one writes.
 * After a failed commit nobody knows what has become of it: the index is opened anew at the next
 * use, and then shows either all of it or nothing. Errors   TERN_EIO, TERN_ECORRUPT, TERN_ENOMEM,
 * TERN_ENOENT (no such record); *p is filled where there is one.
 */
#ifndef TERN_STORE_INDEX_H
#define TERN_STORE_INDEX_H

#include "base/error.h"
#include "store/index_check.h"
#include "store/record.h"

#include <lmdb.h>

struct index {
    const struct store_io *io;
    int dir;
    const char *dir_path; /* borrowed */
    char *path;
    bool read_only;
    uint64_t map_bytes, map_bytes_max;
    MDB_env *env;    /* NULL: not open */
    MDB_txn *reader; /* reset while nobody reads */
    bool reading;    /* it stands at a snapshot, which for a writer is the newest */
    MDB_dbi dbi;
    bool doubtful; /* a commit failed */
};

/* *ix has io, dir, dir_path, read_only and the sizes of the map; seen gets each record. */
enum tern_err index_open(struct index *ix, index_seen *seen, void *to, struct problem *p);
void index_close(struct index *ix); /* also what is empty or failed to open */
/* Whether there is a file: TERN_ENOENT. */
enum tern_err index_exists(const struct index *ix);

/* *out borrows until the next call with this index. r is a key. */
enum tern_err index_get(struct index *ix, const struct record *r, struct view *out);
/* The i-th of `count` keys, which rise; what is found there, or an empty view: no such record. */
typedef void index_wanted(void *context, size_t i, struct record *key);
typedef enum tern_err index_found(void *context, size_t i, struct view value);
/* All from one snapshot. Stops at the first error of found. */
enum tern_err index_get_many(struct index *ix, size_t count, index_wanted *wanted,
                             index_found *found, void *context);
enum tern_err index_root(struct index *ix, unsigned n, struct store_root *out);
enum tern_err index_each(struct index *ix, index_seen *seen, void *to);

/* What it takes on disk; 0 if that is not known. */
uint64_t index_bytes(const struct index *ix);

/* Puts and removes; called again from the start when the map had to grow. An MDB_ code or errno. */
typedef int index_change(void *context, MDB_txn *txn, MDB_dbi dbi);
enum tern_err index_write(struct index *ix, index_change *change, void *context, struct problem *p);
int index_put(MDB_txn *txn, MDB_dbi dbi, const struct record *r);
int index_remove_roots(MDB_txn *txn, MDB_dbi dbi, uint64_t last);    /* up to that number */
int index_remove(MDB_txn *txn, MDB_dbi dbi, const struct record *r); /* if it is there */

#endif
