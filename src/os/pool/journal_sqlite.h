/*
 * journal_sqlite - struct journal in an SQLite database: facts, snapshots, and a history that people
 *                  can ask with the sqlite3 command.
 *
 * Writing  A thread of its own commits: everything that was appended while it wrote is the next
 *          transaction, and `stored` is told on the loop when that is on the disk (write-ahead log,
 *          synchronous=FULL). A snapshot goes in pieces between the facts and counts with the last
 *          one; what it replaces is deleted then.
 * Compact  By another thread, which reads all up to the number by a connection of its own (as of one
 *          moment: the writer goes on), and hands the fold's result to the writer as a snapshot.
 * Reading  Stops at the first thing that cannot be (a gap, a sum that is wrong): TERN_ECORRUPT.
 * Failure  A transaction that fails (disk full, input or output) leaves what was before; `broken`
 *          says why, once, and nothing is stored any more.
 * Tables   fact(first, count, sum, facts): the facts of one transaction, each behind a u32 of its
 *              size; sum: XXH64 of them.
 *          snapshot(id, piece, sum, facts), meta(name, value): format, snapshot (id), up_to.
 *          history(task, job, idx, owner, label, state, code, why, node, attempt, attempts,
 *              checkpoints, cpu_ns, submitted_ns, ended_ns): one row for each task that has ended;
 *              times are nanoseconds since 1970; the newest JOURNAL_HISTORY_MAX are kept.
 *          ended: a view of history with times and seconds that people can read.
 * One user The caller sees to that (pool_dirs_lock); others may read at any time.
 */
#ifndef TERN_OS_POOL_JOURNAL_SQLITE_H
#define TERN_OS_POOL_JOURNAL_SQLITE_H

#include "drive/journal.h"

#include <uv.h>

enum { JOURNAL_HISTORY_MAX = 1000000 };

struct journal_sqlite;

/* TERN_EUSAGE: made by a newer tern. The file is made if there is none. */
enum tern_err journal_sqlite_open(uv_loop_t *loop, const char *path, struct journal_sqlite **out,
                                  struct problem *p);
/* Its `close` writes all that was appended, then frees it (handles: when the loop has run). */
struct journal *journal_sqlite_journal(struct journal_sqlite *j);

#endif
