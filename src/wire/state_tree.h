/*
 * state_tree - a program's private file tree as data: every inode, every name, where the pages are.
 *
 * Inodes   By ascending number; the first is number 1, the root directory. Numbers are never used
 *          again. Links of a file or symbolic link: the names it has; of a directory: 2, and one
 *          for each directory in it. What has 0 links has been removed and is still open.
 * Entries  In the order in which they were made, each with a cookie that is larger than those
 *          before it and is never used again in its directory; "." and ".." are not written.
 * Pages    Of 4 KiB. Those of a file that are not in a run are holes: nothing but zeros. Bytes of
 *          the last page behind the file's end are 0. A run says where in the arena (the file in
 *          which a runner keeps all contents) so many pages of the file lie, from page 1 on; in an
 *          image there are no runs: names of pages stand beside the tree (image.h).
 * Times    Nanoseconds since 1970 (UTC).
 * Format   "TERNTRE1", then the members in the order of struct state_tree, little-endian; lists,
 *          names and targets with their u32 count in front.
 * Memory   Encoding fills a struct bytes. Decoding borrows names and targets from the bytes, lists
 *          live in an arena.
 * Errors   Decoding: TERN_EPROTO for anything out of range or left over, TERN_ENOMEM. Whether it is
 *          a tree at all is for state_tree_check: TERN_EINVALID and one sentence.
 */
#ifndef TERN_WIRE_STATE_TREE_H
#define TERN_WIRE_STATE_TREE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"

enum state_tree_limit {
    TREE_PAGE_BYTES = 4096,
    TREE_NAME_BYTES_MAX = 255,
    TREE_TARGET_BYTES_MAX = 4095,
    TREE_NODES_MAX = 1 << 20,
    TREE_ENTRIES_MAX = 2 << 20,
    TREE_TEXT_BYTES_MAX = 256 << 20, /* of all names and targets together */
    TREE_PAGES_MAX = 16 << 20,       /* with contents, of all files together: 64 GiB */
    TREE_ROOT = 1,                   /* its number */
    TREE_COOKIE_FIRST = 3,           /* of an entry; 1 and 2 are "." and ".." */
};

#define TREE_FILE_BYTES_MAX (UINT64_C(1) << 44) /* so that a page of a file has a 32-bit number */
#define TREE_NUMBER_MAX     (UINT64_C(1) << 62) /* of an inode, of a cookie */

enum state_node_kind { STATE_NODE_FILE = 1, STATE_NODE_DIRECTORY = 2, STATE_NODE_LINK = 3 };

struct state_entry {
    uint64_t cookie;
    uint64_t inode;
    struct view name;
};

struct state_run {
    uint32_t page; /* of the file */
    uint32_t count;
    uint32_t arena; /* first page there */
};

struct state_node {
    uint64_t number;
    uint8_t kind;
    uint32_t links;
    uint64_t atime_ns, mtime_ns, ctime_ns;
    uint64_t size;               /* of a file */
    uint64_t next_cookie;        /* of a directory */
    struct view target;          /* of a symbolic link: 1 to TREE_TARGET_BYTES_MAX bytes, no zero */
    struct state_entry *entries; /* of a directory */
    struct state_run *runs;      /* of a file: ascending, not touching each other's pages */
    uint32_t entry_count, run_count;
};

struct state_tree {
    uint64_t next_number;
    struct state_node *nodes;
    uint32_t node_count;
};

enum tern_err state_tree_encode(const struct state_tree *t, struct bytes *out);
/* *t is empty on failure. */
enum tern_err state_tree_decode(struct state_tree *t, struct view bytes, struct arena *arena);

/* An inode by its number; NULL: there is none. */
const struct state_node *state_tree_find(const struct state_tree *t, uint64_t number);

/* Pages that a file of so many bytes has, with its holes. */
uint64_t state_tree_pages(uint64_t size);

/*
 * Whether it is a tree: one root, no cycle, every inode reachable or among `held` (numbers, of open
 * descriptors), links exact, names valid and different, sizes and runs within their limits.
 */
enum tern_err state_tree_check(const struct state_tree *t, const uint64_t *held, size_t held_count,
                               struct problem *p);

#endif
