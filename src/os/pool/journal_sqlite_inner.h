/*
 * journal_sqlite_inner - what the sources of journal_sqlite share. For them only.
 *
 * The loop's thread appends to `next`; the writer's takes all of it as `now` (both under the lock),
 * commits, and wakes the loop. The database belongs to the writer from the first append on.
 */
#ifndef TERN_OS_POOL_JOURNAL_SQLITE_INNER_H
#define TERN_OS_POOL_JOURNAL_SQLITE_INNER_H

#include "os/pool/journal_sqlite.h"

#include <sqlite3.h>
#include <stdatomic.h>

enum { JOURNAL_FORMAT = 1, SNAPSHOT_PIECE = 4 << 20 };

enum statement {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_FACT,
    SQL_HISTORY,
    SQL_HISTORY_LEAST,
    SQL_PIECE,
    SQL_META,
    SQL_OLD_PIECES,
    SQL_OLD_FACTS,
    SQL_COUNT
};

struct history_row { /* texts lie behind one another in `texts` of the load, each with its zero */
    struct journal_history row;
    size_t at;
};

struct load { /* of one transaction */
    uint64_t first, count;
    struct bytes facts, texts;
    struct history_row *rows;
    size_t row_count, row_capacity;
};

struct shot { /* a snapshot that is being written */
    struct bytes facts;
    uint64_t up_to;
    int64_t id;
    size_t written;
    int piece;
    bool there;
};

struct folding { /* the journal's facts being made into a snapshot, by a thread of its own */
    struct journal_fold fold;
    uint64_t up_to; /* 0: none; it begins when these are stored */
    uv_thread_t thread;
    bool running;
    atomic_bool stop;
    /* Its thread's until `over`. */
    enum tern_err err;
    uint64_t size;
    char why[PROBLEM_TEXT_MAX];
    bool over; /* under the journal's lock */
};

struct journal_sqlite {
    struct journal journal;
    char *path;
    struct folding folding; /* the loop's */
    sqlite3 *db;
    sqlite3_stmt *sql[SQL_COUNT];
    uint64_t last; /* fact that was appended */
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t work;
    uv_async_t done;
    bool running, told_broken;
    /* Under the lock. */
    struct load next;
    struct shot shot_next;
    uint64_t shot_newest; /* up to where the last snapshot goes that was handed over */
    bool closing, broken;
    uint64_t stored, told;
    char why[PROBLEM_TEXT_MAX];
    /* The writer's. */
    struct load now;
    struct shot shot;
    int64_t shot_id;
};

/* journal_sqlite_db.c: on any error the sentence is in *p. */
enum tern_err journal_db_open(struct journal_sqlite *j, const char *path, struct problem *p);
void journal_db_close(struct journal_sqlite *j);
enum tern_err journal_db_read(struct journal_sqlite *j, void *context,
                              enum tern_err (*fact)(void *context, uint64_t number,
                                                    struct view bytes),
                              struct problem *p);
/* All of it as one reader sees it, by another connection: for any thread. */
enum tern_err journal_db_read_apart(const char *path, void *context,
                                    enum tern_err (*fact)(void *context, uint64_t number,
                                                          struct view bytes),
                                    struct problem *p);
/* One transaction: the load, and the next piece of the snapshot. */
enum tern_err journal_db_write(struct journal_sqlite *j, struct problem *p);

/* journal_sqlite_fold.c */
void fold_begin(struct journal_sqlite *j, const struct journal_fold *fold_taken, uint64_t up_to);
void fold_due(struct journal_sqlite *j); /* something was stored, or it is over */
void fold_drop(struct journal_sqlite *j);
/* journal_sqlite.c: true: it is to be written; false: a newer one has been. */
bool shot_take(struct journal_sqlite *j, struct bytes *facts_taken, uint64_t up_to);

void load_clear(struct load *l);
void load_release(struct load *l);

#endif
