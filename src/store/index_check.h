/*
 * index_check - looks through LMDB's file before LMDB believes it.
 *
 * LMDB maps its file and follows whatever stands in it; a damaged one would take the process along,
 * or have pages overwritten that are in use. So each page that can be reached is read first:
 * headers, bounds, order of the keys, depth, that no page is used twice or is free and used, and
 * that each record is whole. The format is that of LMDB 0.9, as its mdb.c describes it.
 *
 * Does     Head: the two meta pages, before the file is opened. Tree: all of one snapshot, which
 * the caller holds by a transaction of that number, so that a writer does not change it. Not here
 * Whether the chunks are in the packs and undamaged: each read of one tells. Memory   A page for
 * each level, a bit for each page. Errors   TERN_ECORRUPT, TERN_EIO, TERN_ENOMEM; *why (a constant
 * text) says what. TERN_EBUSY: the snapshot is two transactions old by now, take a new one.
 */
#ifndef TERN_STORE_INDEX_CHECK_H
#define TERN_STORE_INDEX_CHECK_H

#include "base/error.h"
#include "store/store_io.h"

struct index_head {
    uint32_t page_bytes;
    uint64_t pages; /* one more than the last in use */
    uint64_t transaction;
};

/* Each record of the index, in order. */
typedef void index_seen(void *to, struct view key, struct view value);

struct index_walk {
    const struct store_io *io;
    int fd;
    uint64_t transaction;
    bool with_free; /* also the list of free pages: for those who will write */
    index_seen *seen;
    void *to;
};

enum tern_err index_check_head(const struct store_io *io, int fd, struct index_head *out,
                               const char **why);
enum tern_err index_check_tree(const struct index_walk *given, const char **why);

#endif
