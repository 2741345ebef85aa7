#include "store/index.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LOCK_BYTES = 8192, ROOMS_MAX = 64, TRIES_MAX = 100 };

static const char file_name[] = "index", lock_name[] = "index-lock";

/* A sentence for what LMDB or the kernel said. */
static enum tern_err failed(const struct index *ix, int code, const char *doing, struct problem *p)
{
    /* LMDB says EIO when less was written than it gave, which is how a disk becomes full. */
    bool full = code == ENOSPC || code == EDQUOT, perhaps = code == EIO;

    if (code == ENOMEM)
        return problem_set(p, TERN_ENOMEM, "cannot %s %s/index: out of memory", doing,
                           ix->dir_path);
    if (code == MDB_INVALID || code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND ||
        code == MDB_VERSION_MISMATCH || code == MDB_INCOMPATIBLE)
        return problem_set(p, TERN_ECORRUPT, "%s/index is damaged: %s", ix->dir_path,
                           mdb_strerror(code));
    if (code == MDB_MAP_FULL)
        return problem_set(
            p, TERN_EIO,
            "cannot %s %s/index: it has reached its limit of %llu bytes; use another "
            "directory",
            doing, ix->dir_path, (unsigned long long)ix->map_bytes_max);
    return problem_set(p, full ? TERN_ENOSPACE : TERN_EIO, "cannot %s %s/index: %s%s", doing,
                       ix->dir_path, mdb_strerror(code),
                       full      ? "; nothing is lost: make room and try again"
                       : perhaps ? "; nothing is lost: the disk is full or fails"
                                 : "");
}

/* Room for the lock file first: LMDB maps it, and a full disk would end the process. */
static int make_lock_file(struct index *ix)
{
    static const uint8_t zeros[LOCK_BYTES];
    int fd = ix->io->open(ix->io->context, ix->dir, lock_name, O_RDWR | O_CREAT | O_NOFOLLOW);
    int64_t size;
    int error = 0;

    if (fd == -EROFS && ix->read_only)
        return 0; /* LMDB does without */
    if (fd < 0)
        return fd;
    size = ix->io->size(ix->io->context, fd);
    if (size < 0)
        error = (int)size;
    else if (size < LOCK_BYTES)
        error = store_io_write_all(ix->io, fd, view_of(zeros, LOCK_BYTES - (size_t)size),
                                   (uint64_t)size);
    ix->io->close(ix->io->context, fd);
    return error;
}

enum tern_err index_exists(const struct index *ix)
{
    int fd = ix->io->open(ix->io->context, ix->dir, file_name, O_RDONLY | O_NOFOLLOW);

    ix->io->close(ix->io->context, fd);
    return fd == -ENOENT ? TERN_ENOENT : fd < 0 ? TERN_EIO : TERN_OK;
}

/* What LMDB believes on opening. A file that is not there or empty is one that it will make. */
static enum tern_err check_head(struct index *ix, struct problem *p)
{
    int fd = ix->io->open(ix->io->context, ix->dir, file_name, O_RDONLY | O_NOFOLLOW);
    int64_t size = fd < 0 ? fd : ix->io->size(ix->io->context, fd);
    struct index_head head = {0};
    enum tern_err err = TERN_OK;
    const char *why = "";

    if (size > 0)
        err = index_check_head(ix->io, fd, &head, &why);
    ix->io->close(ix->io->context, fd);
    if (size < 0 && (size != -ENOENT || ix->read_only))
        return failed(ix, -(int)size, "open", p);
    if (size == 0 && ix->read_only)
        return problem_set(p, TERN_ECORRUPT, "%s/index is damaged: it is empty", ix->dir_path);
    if (err == TERN_ECORRUPT)
        return problem_set(p, err, "%s/index is damaged: %s", ix->dir_path, why);
    if (err)
        return problem_set(p, err, "cannot read %s/index: %s", ix->dir_path, tern_err_text(err));
    while (ix->map_bytes < head.pages * head.page_bytes)
        ix->map_bytes *= 2;
    return TERN_OK;
}

static int make_path(struct index *ix)
{
    size_t bytes = strlen(ix->dir_path) + sizeof "/index";

    if (ix->path)
        return 0;
    ix->path = malloc(bytes);
    if (!ix->path)
        return ENOMEM;
    strcpy(ix->path, ix->dir_path);
    strcat(ix->path, "/index");
    return 0;
}

static void end_reading(struct index *ix)
{
    if (ix->reader)
        mdb_txn_reset(ix->reader);
    ix->reading = false;
}

/* A snapshot that a reader holds keeps the writer from using pages again; a writer's own does not:
 * it lets go of it before it writes. */
static void leave(struct index *ix)
{
    if (ix->read_only)
        end_reading(ix);
}

/* Begins to read the newest transaction, whatever a writer does. */
static int begin_reading(struct index *ix)
{
    int rc = 0;

    if (ix->reading && !ix->read_only)
        return 0; /* nobody else writes */
    end_reading(ix);
    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        rc = ix->reader ? mdb_txn_renew(ix->reader)
                        : mdb_txn_begin(ix->env, NULL, MDB_RDONLY, &ix->reader);
        if (rc != MDB_MAP_RESIZED)
            break;
        mdb_txn_abort(ix->reader); /* a writer let the map grow: follow */
        ix->reader = NULL;
        rc = mdb_env_set_mapsize(ix->env, 0);
        if (rc)
            break;
    }
    ix->reading = rc == 0;
    return rc;
}

static enum tern_err check_tree(struct index *ix, index_seen *seen, void *to, struct problem *p)
{
    struct index_walk walk = {.io = ix->io, .with_free = !ix->read_only, .seen = seen, .to = to};
    enum tern_err err = TERN_EBUSY;
    const char *why = "";

    mdb_env_get_fd(ix->env, &walk.fd);
    for (unsigned tries = 0; tries < TRIES_MAX && err == TERN_EBUSY; tries++) {
        int rc = begin_reading(ix);

        if (rc)
            return failed(ix, rc, "read", p);
        walk.transaction = mdb_txn_id(ix->reader);
        err = index_check_tree(&walk, &why);
        end_reading(ix);
    }
    if (err == TERN_ECORRUPT)
        return problem_set(p, err, "%s/index is damaged: %s", ix->dir_path, why);
    if (err)
        return problem_set(p, err, "cannot read %s/index: %s", ix->dir_path, tern_err_text(err));
    return TERN_OK;
}

static int open_env(struct index *ix)
{
    unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | (ix->read_only ? MDB_RDONLY : 0);
    int rc = mdb_env_create(&ix->env);

    if (!rc)
        rc = mdb_env_set_mapsize(ix->env, ix->map_bytes);
    if (!rc)
        rc = mdb_env_open(ix->env, ix->path, flags, 0600);
    return rc;
}

static int open_database(struct index *ix)
{
    int rc = begin_reading(ix);

    if (!rc)
        rc = mdb_dbi_open(ix->reader, NULL, 0, &ix->dbi); /* the one without a name: always there */
    end_reading(ix);
    return rc;
}

static void close_env(struct index *ix)
{
    if (ix->reader)
        mdb_txn_abort(ix->reader);
    if (ix->env)
        mdb_env_close(ix->env);
    ix->reader = NULL;
    ix->reading = false;
    ix->env = NULL;
}

enum tern_err index_open(struct index *ix, index_seen *seen, void *to, struct problem *p)
{
    enum tern_err err = check_head(ix, p);
    int rc, dead;

    if (err)
        return err;
    rc = make_path(ix);
    if (!rc)
        rc = -make_lock_file(ix);
    if (!rc)
        rc = open_env(ix);
    if (rc) {
        close_env(ix);
        return failed(ix, rc, "open", p);
    }
    (void)mdb_reader_check(ix->env, &dead); /* readers that were killed hold free pages back */
    err = check_tree(ix, seen, to, p);
    if (!err && (rc = open_database(ix)) != 0)
        err = failed(ix, rc, "open", p);
    if (err)
        close_env(ix);
    ix->doubtful = err != TERN_OK;
    return err;
}

void index_close(struct index *ix)
{
    close_env(ix);
    free(ix->path);
    ix->path = NULL;
}

/* Opened anew if the last commit failed. */
static enum tern_err ready(struct index *ix, struct problem *p)
{
    if (ix->env && !ix->doubtful)
        return TERN_OK;
    close_env(ix);
    return index_open(ix, NULL, NULL, p);
}

enum tern_err index_get(struct index *ix, const struct record *r, struct view *out)
{
    MDB_val key = {r->key_bytes, (void *)(uintptr_t)r->key}, value;
    enum tern_err err = ready(ix, NULL);
    int rc;

    if (err)
        return err;
    rc = begin_reading(ix);
    if (!rc)
        rc = mdb_get(ix->reader, ix->dbi, &key, &value);
    if (rc) {
        end_reading(ix);
        return rc == MDB_NOTFOUND ? TERN_ENOENT : failed(ix, rc, "read", NULL);
    }
    *out = view_of(value.mv_data, value.mv_size);
    return TERN_OK;
}

static enum tern_err find_each(struct index *ix, MDB_cursor *cursor, size_t count,
                               index_wanted *wanted, index_found *found, void *context)
{
    enum tern_err err = TERN_OK;
    struct record r;

    for (size_t i = 0; i < count && !err; i++) {
        MDB_val key, value;
        int rc;

        wanted(context, i, &r);
        key = (MDB_val){r.key_bytes, r.key};
        rc = mdb_cursor_get(cursor, &key, &value, MDB_SET);
        if (rc && rc != MDB_NOTFOUND)
            return failed(ix, rc, "read", NULL);
        err = found(context, i, rc ? view_of(NULL, 0) : view_of(value.mv_data, value.mv_size));
    }
    return err;
}

enum tern_err index_get_many(struct index *ix, size_t count, index_wanted *wanted,
                             index_found *found, void *context)
{
    enum tern_err err = ready(ix, NULL);
    MDB_cursor *cursor;
    int rc;

    if (err)
        return err;
    rc = begin_reading(ix);
    if (!rc)
        rc = mdb_cursor_open(ix->reader, ix->dbi, &cursor);
    if (rc)
        return failed(ix, rc, "read", NULL);
    err = find_each(ix, cursor, count, wanted, found, context);
    mdb_cursor_close(cursor);
    leave(ix);
    return err;
}

/* From the last of the roots, which stand before the state, n back. */
static int seek_root(MDB_cursor *cursor, unsigned n, MDB_val *key, MDB_val *value)
{
    struct record end;
    int rc;

    record_state_key(&end);
    *key = (MDB_val){end.key_bytes, end.key};
    rc = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    rc = mdb_cursor_get(cursor, key, value, rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
    while (!rc && n-- > 0)
        rc = mdb_cursor_get(cursor, key, value, MDB_PREV);
    return rc;
}

enum tern_err index_root(struct index *ix, unsigned n, struct store_root *out)
{
    enum tern_err err = ready(ix, NULL);
    MDB_cursor *cursor = NULL;
    MDB_val key = {0}, value = {0};
    int rc;

    if (err)
        return err;
    rc = begin_reading(ix);
    if (!rc)
        rc = mdb_cursor_open(ix->reader, ix->dbi, &cursor);
    if (!rc)
        rc = seek_root(cursor, n, &key, &value);
    if (!rc && !record_get_root(view_of(key.mv_data, key.mv_size),
                                view_of(value.mv_data, value.mv_size), out))
        rc = MDB_NOTFOUND; /* before the first root come the chunks */
    if (cursor)
        mdb_cursor_close(cursor);
    leave(ix);
    return rc == MDB_NOTFOUND ? TERN_ENOENT : rc ? failed(ix, rc, "read", NULL) : TERN_OK;
}

enum tern_err index_each(struct index *ix, index_seen *seen, void *to)
{
    enum tern_err err = ready(ix, NULL);
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int rc;

    if (err)
        return err;
    rc = begin_reading(ix);
    if (!rc)
        rc = mdb_cursor_open(ix->reader, ix->dbi, &cursor);
    while (!rc && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
        seen(to, view_of(key.mv_data, key.mv_size), view_of(value.mv_data, value.mv_size));
    if (cursor)
        mdb_cursor_close(cursor);
    end_reading(ix);
    return rc == MDB_NOTFOUND ? TERN_OK : failed(ix, rc, "read", NULL);
}

uint64_t index_bytes(const struct index *ix)
{
    MDB_envinfo info;
    MDB_stat stat;

    if (!ix->env || mdb_env_info(ix->env, &info) || mdb_env_stat(ix->env, &stat))
        return 0;
    return (info.me_last_pgno + 1) * (uint64_t)stat.ms_psize;
}

int index_put(MDB_txn *txn, MDB_dbi dbi, const struct record *r)
{
    MDB_val key = {r->key_bytes, (void *)(uintptr_t)r->key};
    MDB_val value = {r->value_bytes, (void *)(uintptr_t)r->value};

    return mdb_put(txn, dbi, &key, &value, 0);
}

int index_remove(MDB_txn *txn, MDB_dbi dbi, const struct record *r)
{
    MDB_val key = {r->key_bytes, (void *)(uintptr_t)r->key};
    int rc = mdb_del(txn, dbi, &key, NULL);

    return rc == MDB_NOTFOUND ? 0 : rc;
}

int index_remove_roots(MDB_txn *txn, MDB_dbi dbi, uint64_t last)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    struct record first;
    int rc = mdb_cursor_open(txn, dbi, &cursor);

    if (rc)
        return rc;
    for (;;) {
        struct store_root root;

        record_root_key(&first, 0);
        key = (MDB_val){first.key_bytes, first.key};
        rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        if (rc || !record_get_root(view_of(key.mv_data, key.mv_size),
                                   view_of(value.mv_data, value.mv_size), &root))
            break;
        if (root.number > last || (rc = mdb_cursor_del(cursor, 0)) != 0)
            break;
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int write_once(struct index *ix, index_change *change, void *context)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(ix->env, NULL, 0, &txn);

    if (rc)
        return rc;
    rc = change(context, txn, ix->dbi);
    if (rc) {
        mdb_txn_abort(txn);
        return rc;
    }
    rc = ix->io->commit(ix->io->context, txn);
    ix->doubtful = rc && rc != MDB_MAP_FULL;
    return rc;
}

static int grow(struct index *ix)
{
    if (ix->map_bytes >= ix->map_bytes_max)
        return MDB_MAP_FULL;
    ix->map_bytes *= 2;
    return mdb_env_set_mapsize(ix->env, ix->map_bytes);
}

/* A file without a name takes all that is written to it, and gives nothing back. */
static bool was_removed(const struct index *ix)
{
    struct stat st;
    int fd = -1;

    mdb_env_get_fd(ix->env, &fd);
    return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

enum tern_err index_write(struct index *ix, index_change *change, void *context, struct problem *p)
{
    enum tern_err err = ready(ix, p);
    int rc;

    check(!ix->read_only);
    if (err)
        return err;
    if (was_removed(ix))
        return problem_set(p, TERN_ENOENT, "somebody has removed %s/index", ix->dir_path);
    end_reading(ix);
    rc = write_once(ix, change, context);
    for (unsigned rooms = 0; rc == MDB_MAP_FULL && rooms < ROOMS_MAX; rooms++) {
        rc = grow(ix);
        if (!rc)
            rc = write_once(ix, change, context);
        else
            break;
    }
    return rc ? failed(ix, rc, "write", p) : TERN_OK;
}
