#include "os/pool/journal_sqlite_inner.h"

#include "base/little.h"
#include "base/xxh64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUSY_MS = 10000, HISTORY_SLACK = 1000 };

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS fact(first INTEGER PRIMARY KEY, count INTEGER NOT NULL,"
    " sum INTEGER NOT NULL, facts BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS snapshot(id INTEGER NOT NULL, piece INTEGER NOT NULL,"
    " sum INTEGER NOT NULL, facts BLOB NOT NULL, PRIMARY KEY(id, piece));"
    "CREATE TABLE IF NOT EXISTS history(task INTEGER PRIMARY KEY, job INTEGER, idx INTEGER,"
    " owner TEXT, label TEXT, state TEXT, code INTEGER, why TEXT, node TEXT, attempt INTEGER,"
    " attempts INTEGER, checkpoints INTEGER, cpu_ns INTEGER, submitted_ns INTEGER,"
    " ended_ns INTEGER);"
    "CREATE VIEW IF NOT EXISTS ended AS SELECT task, job, idx, owner, label, state, code, why,"
    " node, attempts, checkpoints, round(cpu_ns / 1e9, 3) AS cpu_seconds,"
    " datetime(submitted_ns / 1000000000, 'unixepoch', 'localtime') AS submitted,"
    " datetime(ended_ns / 1000000000, 'unixepoch', 'localtime') AS ended,"
    " round((ended_ns - submitted_ns) / 1e9, 3) AS seconds FROM history;";

static const char *const texts[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_FACT] = "INSERT INTO fact VALUES(?1, ?2, ?3, ?4)",
    [SQL_HISTORY] = ("INSERT OR REPLACE INTO history VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
                     " ?10, ?11, ?12, ?13, ?14, ?15)"),
    [SQL_HISTORY_LEAST] = "DELETE FROM history WHERE task < ?1",
    [SQL_PIECE] = "INSERT INTO snapshot VALUES(?1, ?2, ?3, ?4)",
    [SQL_META] = "INSERT OR REPLACE INTO meta VALUES(?1, ?2)",
    [SQL_OLD_PIECES] = "DELETE FROM snapshot WHERE id <> ?1",
    [SQL_OLD_FACTS] = "DELETE FROM fact WHERE first + count - 1 <= ?1",
};

static int64_t sum_of(struct view facts)
{
    return (int64_t)xxh64_of(facts.data, facts.size, 0);
}

static enum tern_err cannot(struct journal_sqlite *j, const char *what, struct problem *p)
{
    const int code = sqlite3_errcode(j->db) & 0xff;
    const char *path = sqlite3_db_filename(j->db, "main");
    enum tern_err err = TERN_EIO;

    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
        err = TERN_ECORRUPT;
    else if (code == SQLITE_FULL)
        err = TERN_ENOSPACE;

    return problem_set(p, err, "cannot %s the journal %s: %s%s", what, path ? path : "",
                       sqlite3_errmsg(j->db),
                       code == SQLITE_FULL ? "; make room on that disk, then start again" : "");
}

static enum tern_err run(struct journal_sqlite *j, const char *sql, struct problem *p)
{
    return sqlite3_exec(j->db, sql, NULL, NULL, NULL) == SQLITE_OK ? TERN_OK : cannot(j, "open", p);
}

/* ---- opening ---- */

/* 0: there is none. */
static int64_t number_of(struct journal_sqlite *j, const char *sql)
{
    sqlite3_stmt *s = NULL;
    int64_t value = 0;

    if (sqlite3_prepare_v2(j->db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        value = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return value;
}

static enum tern_err check_format(struct journal_sqlite *j, const char *path, struct problem *p)
{
    const int64_t format = number_of(j, "SELECT value FROM meta WHERE name = 'format'");
    char sql[80];

    if (format > JOURNAL_FORMAT)
        return problem_set(p, TERN_EUSAGE,
                           "%s was written by a newer tern (format %lld, this one knows %d); use "
                           "that one",
                           path, (long long)format, JOURNAL_FORMAT);
    snprintf(sql, sizeof sql, "INSERT OR IGNORE INTO meta VALUES('format', %d)", JOURNAL_FORMAT);
    return format ? TERN_OK : run(j, sql, p);
}

enum tern_err journal_db_open(struct journal_sqlite *j, const char *path, struct problem *p)
{
    enum tern_err err = TERN_OK;

    if (sqlite3_open_v2(path, &j->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        return cannot(j, "open", p);
    sqlite3_extended_result_codes(j->db, 1);
    sqlite3_busy_timeout(j->db, BUSY_MS);
    err = run(j, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;", p);
    if (!err)
        err = run(j, schema, p);
    if (!err)
        err = check_format(j, path, p);
    for (int i = 0; i < SQL_COUNT && !err; i++)
        if (sqlite3_prepare_v3(j->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &j->sql[i], NULL) !=
            SQLITE_OK)
            err = cannot(j, "open", p);
    return err;
}

void journal_db_close(struct journal_sqlite *j)
{
    for (int i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(j->sql[i]);
    sqlite3_close(j->db);
}

/* ---- reading ---- */

struct reading {
    struct journal_sqlite *j;
    void *context;
    enum tern_err (*fact)(void *context, uint64_t number, struct view bytes);
    struct problem *p;
    uint64_t skip; /* facts up to this one are in the snapshot */
};

static enum tern_err damaged(const struct reading *r, const char *what)
{
    return problem_set(r->p, TERN_ECORRUPT, "the journal %s is damaged: %s; restore it from a copy",
                       sqlite3_db_filename(r->j->db, "main"), what);
}

/* number: of the first; 0: of a snapshot, which have none. */
static enum tern_err read_facts(const struct reading *r, struct view facts, uint64_t number,
                                uint64_t *count)
{
    enum tern_err err = TERN_OK;

    for (*count = 0; facts.size && !err; ++*count) {
        const size_t size = facts.size >= 4 ? (size_t)little_get(facts.data, 4) : 0;
        const uint64_t n = number ? number + *count : 0;

        if (facts.size < 4 || size > facts.size - 4)
            return damaged(r, "a fact is cut short");
        if (!number || n > r->skip)
            err = r->fact(r->context, n, view_of(facts.data + 4, size));
        facts = view_of(facts.data + 4 + size, facts.size - 4 - size);
    }
    return err ? damaged(r, tern_err_text(err)) : TERN_OK;
}

static struct view column(sqlite3_stmt *s, int i)
{
    const void *data = sqlite3_column_blob(s, i);

    return view_of(data, (size_t)sqlite3_column_bytes(s, i));
}

/* A fact may lie across two pieces of a snapshot: they are put together. */
static enum tern_err read_snapshot(struct reading *r)
{
    const int64_t id = number_of(r->j, "SELECT value FROM meta WHERE name = 'snapshot'");
    struct bytes whole = {0};
    sqlite3_stmt *s = NULL;
    uint64_t count;
    enum tern_err err = TERN_OK;
    int step = SQLITE_DONE;

    if (sqlite3_prepare_v2(r->j->db, "SELECT sum, facts FROM snapshot WHERE id = ?1 ORDER BY piece",
                           -1, &s, NULL) != SQLITE_OK)
        return cannot(r->j, "read", r->p);
    sqlite3_bind_int64(s, 1, id);
    while (!err && (step = sqlite3_step(s)) == SQLITE_ROW) {
        const struct view piece = column(s, 1);

        if (sum_of(piece) != sqlite3_column_int64(s, 0))
            err = damaged(r, "a snapshot is not what was written");
        bytes_append(&whole, piece.data, piece.size);
    }
    if (!err && step != SQLITE_DONE)
        err = cannot(r->j, "read", r->p);
    if (!err && !bytes_ok(&whole))
        err = problem_set(r->p, TERN_ENOMEM, "no memory for the snapshot");
    if (!err)
        err = read_facts(r, bytes_view(&whole), 0, &count);
    sqlite3_finalize(s);
    bytes_release(&whole);
    return err;
}

static enum tern_err read_row(const struct reading *r, sqlite3_stmt *s, uint64_t *next)
{
    const uint64_t first = (uint64_t)sqlite3_column_int64(s, 0);
    const uint64_t said = (uint64_t)sqlite3_column_int64(s, 1);
    const struct view facts = column(s, 3);
    uint64_t count = 0;
    enum tern_err err;

    if (first > *next || (first < *next && first > r->skip))
        return damaged(r, "facts are missing");
    if (sum_of(facts) != sqlite3_column_int64(s, 2))
        return damaged(r, "facts are not what was written");
    err = read_facts(r, facts, first, &count);
    if (!err && count != said)
        err = damaged(r, "facts are missing");
    *next = first + said;
    return err;
}

enum tern_err journal_db_read(struct journal_sqlite *j, void *context,
                              enum tern_err (*fact)(void *context, uint64_t number,
                                                    struct view bytes),
                              struct problem *p)
{
    struct reading r = {.j = j, .context = context, .fact = fact, .p = p};
    sqlite3_stmt *s = NULL;
    uint64_t next;
    enum tern_err err;
    int step = SQLITE_DONE;

    r.skip = (uint64_t)number_of(j, "SELECT value FROM meta WHERE name = 'up_to'");
    next = r.skip + 1;
    err = read_snapshot(&r);
    if (!err &&
        sqlite3_prepare_v2(j->db, "SELECT first, count, sum, facts FROM fact ORDER BY first", -1,
                           &s, NULL) != SQLITE_OK)
        err = cannot(j, "read", p);
    while (!err && (step = sqlite3_step(s)) == SQLITE_ROW)
        err = read_row(&r, s, &next);
    if (!err && step != SQLITE_DONE)
        err = cannot(j, "read", p);
    sqlite3_finalize(s);
    j->last = next - 1;
    j->stored = j->told = j->last;
    /* Pieces of one that was not finished may be there: never its number again. */
    j->shot_id = number_of(j, "SELECT max(id) FROM snapshot");
    return err;
}

enum tern_err journal_db_read_apart(const char *path, void *context,
                                    enum tern_err (*fact)(void *context, uint64_t number,
                                                          struct view bytes),
                                    struct problem *p)
{
    struct journal_sqlite *apart = calloc(1, sizeof *apart);
    enum tern_err err;

    if (!apart)
        return problem_set(p, TERN_ENOMEM, "no memory to read the journal");
    if (sqlite3_open_v2(path, &apart->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        err = cannot(apart, "read", p);
    else
        err = run(apart, "BEGIN", p);
    sqlite3_busy_timeout(apart->db, BUSY_MS);
    if (!err)
        err = journal_db_read(apart, context, fact, p);
    journal_db_close(apart);
    free(apart);
    return err;
}

/* ---- writing ---- */

static bool step(struct journal_sqlite *j, enum statement which)
{
    const bool good = sqlite3_step(j->sql[which]) == SQLITE_DONE;

    sqlite3_reset(j->sql[which]);
    return good;
}

static bool write_facts(struct journal_sqlite *j)
{
    const struct load *l = &j->now;
    sqlite3_stmt *s = j->sql[SQL_FACT];

    if (!l->count)
        return true;
    sqlite3_bind_int64(s, 1, (int64_t)l->first);
    sqlite3_bind_int64(s, 2, (int64_t)l->count);
    sqlite3_bind_int64(s, 3, sum_of(bytes_view(&l->facts)));
    sqlite3_bind_blob64(s, 4, l->facts.data, l->facts.size, SQLITE_STATIC);
    return step(j, SQL_FACT);
}

static const char *next_text(const char **at)
{
    const char *text = *at;

    *at += strlen(text) + 1;
    return text;
}

static bool write_history(struct journal_sqlite *j, const struct history_row *h)
{
    const struct journal_history *r = &h->row;
    sqlite3_stmt *s = j->sql[SQL_HISTORY];
    const char *at = (const char *)j->now.texts.data + h->at;
    static const int text_column[] = {4, 5, 9, 6, 8}; /* owner, label, node, state, why */
    const int64_t number[][2] = {{1, (int64_t)r->task},         {2, (int64_t)r->job},
                                 {3, (int64_t)r->index},        {7, r->code},
                                 {10, (int64_t)r->attempt},     {11, (int64_t)r->attempts},
                                 {12, (int64_t)r->checkpoints}, {13, (int64_t)r->cpu_ns},
                                 {14, r->submitted_wall_ns},    {15, r->ended_wall_ns}};

    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        sqlite3_bind_int64(s, (int)number[i][0], number[i][1]);
    for (size_t i = 0; i < sizeof text_column / sizeof *text_column; i++)
        sqlite3_bind_text(s, text_column[i], next_text(&at), -1, SQLITE_STATIC);
    return step(j, SQL_HISTORY);
}

static bool write_histories(struct journal_sqlite *j)
{
    const struct load *l = &j->now;
    uint64_t most = 0;
    bool good = true;

    for (size_t i = 0; i < l->row_count && good; i++) {
        good = write_history(j, &l->rows[i]);
        most = l->rows[i].row.task > most ? l->rows[i].row.task : most;
    }
    if (!good || most <= JOURNAL_HISTORY_MAX || most % HISTORY_SLACK >= l->row_count)
        return good; /* old rows go now and then */
    sqlite3_bind_int64(j->sql[SQL_HISTORY_LEAST], 1, (int64_t)(most - JOURNAL_HISTORY_MAX));
    return step(j, SQL_HISTORY_LEAST);
}

static bool set_meta(struct journal_sqlite *j, const char *name, int64_t value)
{
    sqlite3_bind_text(j->sql[SQL_META], 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(j->sql[SQL_META], 2, value);
    return step(j, SQL_META);
}

/* With its last piece a snapshot counts, and what it replaces goes. */
static bool end_shot(struct journal_sqlite *j)
{
    sqlite3_bind_int64(j->sql[SQL_OLD_PIECES], 1, j->shot.id);
    sqlite3_bind_int64(j->sql[SQL_OLD_FACTS], 1, (int64_t)j->shot.up_to);
    return set_meta(j, "snapshot", j->shot.id) && set_meta(j, "up_to", (int64_t)j->shot.up_to) &&
           step(j, SQL_OLD_PIECES) && step(j, SQL_OLD_FACTS);
}

static bool write_piece(struct journal_sqlite *j)
{
    struct shot *shot = &j->shot;
    const size_t left = shot->facts.size - shot->written;
    const struct view piece =
        view_of(shot->facts.data + shot->written, left < SNAPSHOT_PIECE ? left : SNAPSHOT_PIECE);
    sqlite3_stmt *s = j->sql[SQL_PIECE];

    if (!shot->there)
        return true;
    sqlite3_bind_int64(s, 1, shot->id);
    sqlite3_bind_int64(s, 2, shot->piece++);
    sqlite3_bind_int64(s, 3, sum_of(piece));
    sqlite3_bind_blob64(s, 4, piece.size ? piece.data : (const void *)"", piece.size,
                        SQLITE_STATIC);
    if (!step(j, SQL_PIECE))
        return false;
    shot->written += piece.size;
    return shot->written < shot->facts.size || end_shot(j);
}

enum tern_err journal_db_write(struct journal_sqlite *j, struct problem *p)
{
    enum tern_err err;

    if (step(j, SQL_BEGIN) && write_facts(j) && write_histories(j) && write_piece(j) &&
        step(j, SQL_COMMIT))
        return TERN_OK;
    err = cannot(j, "write", p);
    if (!sqlite3_get_autocommit(j->db))
        step(j, SQL_ROLLBACK);
    return err;
}
