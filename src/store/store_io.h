/*
 * store_io - the calls by which the store reaches the system, as a table.
 *
 * Does     One thin function a call. Tests give a table of their own: it notes what is written and
 *          synced, lets the n-th call fail, and cuts the power.
 * Not here What LMDB does with its two files: only the moment of a commit is a call.
 * Errors   A negative errno; interrupted calls are repeated here. commit: 0, errno or MDB_...
 */
#ifndef TERN_STORE_STORE_IO_H
#define TERN_STORE_STORE_IO_H

#include "base/bytes.h"

#include <sys/types.h>

struct MDB_txn;

typedef void store_io_name(void *to, const char *name);

struct store_io {
    void *context;
    int (*open)(void *context, int dir, const char *name, int flags); /* new files 0600 */
    int (*close)(void *context, int fd);                              /* accepts -1 */
    ssize_t (*read)(void *context, int fd, void *to, size_t size, uint64_t at);
    ssize_t (*write)(void *context, int fd, struct view bytes, uint64_t at);
    int (*resize)(void *context, int fd, uint64_t size);
    int64_t (*size)(void *context, int fd);
    int (*sync)(void *context, int fd);     /* a file's bytes and its size */
    int (*sync_dir)(void *context, int fd); /* the names in a directory */
    int (*remove)(void *context, int dir, const char *name);
    int (*make)(void *context, const char *path); /* a directory, 0700 */
    int (*lock)(void *context, int fd);           /* -EWOULDBLOCK: another has it */
    int (*list)(void *context, int dir, store_io_name *each, void *to);
    int (*commit)(void *context, struct MDB_txn *txn); /* the transaction is over in any case */
};

/* The kernel's own. */
const struct store_io *store_io_system(void);

/* Until all of it is done; -ENODATA when the file ends before. */
int store_io_read_all(const struct store_io *io, int fd, void *to, size_t size, uint64_t at);
int store_io_write_all(const struct store_io *io, int fd, struct view bytes, uint64_t at);

#endif
