/*
 * tree - a program's private file tree: inodes, names, links.
 *
 * Does     What a file system does for one program, in memory: directories, files with hard links,
 *          symbolic links, files that were removed and are still open. Answers are those that
 *          Linux gives.
 * Equal    Equal calls give equal trees: inodes are numbered in the order in which they are made,
 *          directories are read in the order in which names were put into them, times are those
 *          that the caller brings. Reading a file does not change its atime.
 * Paths    The program's own stay beneath the directory they begin in (PERM), as WASI has it.
 *          Symbolic links lead wherever they like within the tree: an absolute target begins at its
 *          root, and '..' of the root is the root, as in a chroot.
 * Life     tree_restore (a tree that is given), tree_save; tree_release, which tests use.
 * Not here Reading and writing contents (tree_io.h): nothing here calls the system.
 * Limits   Those of wire/state_tree.h, and pages.max: NOSPC. Hard links: MLINK.
 * Memory   The heap.
 */
#ifndef TERN_RUNNER_TREE_H
#define TERN_RUNNER_TREE_H

#include "runner/tree_pages.h"
#include "runner/wasi.h"
#include "wire/state_tree.h"

#include <limits.h>

struct tree_node;

struct tree_entry {
    uint64_t cookie;
    struct tree_node *node;
    uint8_t size;
    char name[]; /* zero behind */
};

struct tree_node {
    uint64_t number;
    uint8_t kind; /* enum state_node_kind */
    uint32_t links;
    uint32_t opens; /* descriptors */
    uint64_t atime_ns, mtime_ns, ctime_ns;
    struct tree_node *before, *behind; /* by number */
    /* A directory: */
    struct tree_node *parent; /* NULL: the root, or one that was removed */
    struct tree_entry **by_cookie, **by_name;
    uint32_t entry_count, entry_room;
    uint64_t next_cookie;
    /* A file: */
    uint64_t size;
    struct tree_map map;
    /* A symbolic link: */
    char *target; /* zero behind */
    uint32_t target_size;
};

struct tree {
    struct tree_node *first, *last; /* the first is the root */
    uint64_t next_number;
    uint32_t node_count, entry_count;
    uint64_t text_bytes; /* of names and targets */
    struct tree_pages pages;
    int arena; /* descriptor */
};

/* ---- tree_form.c: as data, and back ---- */

/* From a tree that passed state_tree_check; frozen: see tree_pages.h. NOMEM, NOSPC (the limit on
 * pages); INVAL: two files share pages. */
enum wasi_errno tree_restore(struct tree *t, const struct state_tree *from, uint32_t pages_max,
                             bool frozen);
/* Lists live in the arena, names and targets in the tree. False: no memory. */
bool tree_save(const struct tree *t, struct state_tree *out, struct arena *arena);
void tree_release(struct tree *t);
struct tree_node *tree_find_number(const struct tree *t, uint64_t number); /* NULL: none */

/* ---- tree_walk.c: paths ---- */

enum tree_dots { TREE_NAME, TREE_DOT, TREE_DOTS };

/* A directory, and a name in it; what that leads to, if it is there. */
struct tree_place {
    struct tree_node *dir;
    struct tree_node *node; /* NULL: nothing */
    enum tree_dots dots;    /* the path ended in "." or ".." */
    bool slash;             /* the path ended in '/' */
    uint8_t size;
    char name[TREE_NAME_BYTES_MAX + 1];
};

enum tree_end {
    TREE_AS_NAME, /* a name to make, remove or change: a final ".." is not gone to */
    TREE_AS_IS,   /* what is there, be it a symbolic link */
    TREE_FOLLOW,  /* not a symbolic link, but where that leads */
    TREE_CREATE,  /* the same, for a file that may not be there: ISDIR if '/' is behind its name */
};

/* Where a path from `start` leads. */
enum wasi_errno tree_locate(const struct tree *t, struct tree_node *start, const char *path,
                            enum tree_end end, struct tree_place *out);
/* What is there: NOENT; NOTDIR if the path ends in '/' and it is no directory. */
enum wasi_errno tree_find(const struct tree *t, struct tree_node *start, const char *path,
                          bool follow, struct tree_node **out);

/* ---- tree_names.c: what changes names ---- */

enum wasi_errno tree_make_file(struct tree *t, const struct tree_place *at, uint64_t now_ns,
                               struct tree_node **out);
enum wasi_errno tree_make_directory(struct tree *t, const struct tree_place *at, uint64_t now_ns);
enum wasi_errno tree_make_link(struct tree *t, const char *target, const struct tree_place *at,
                               uint64_t now_ns);
enum wasi_errno tree_link(struct tree *t, struct tree_node *node, const struct tree_place *at,
                          uint64_t now_ns);
enum wasi_errno tree_remove_directory(struct tree *t, const struct tree_place *at, uint64_t now_ns);
enum wasi_errno tree_unlink(struct tree *t, const struct tree_place *at, uint64_t now_ns);
enum wasi_errno tree_rename(struct tree *t, const struct tree_place *from,
                            const struct tree_place *to, uint64_t now_ns);

/* ---- tree.c: nodes and entries, for the above ---- */

/* At most one of each tree_open's is tree_close'd; what has no name left is gone then. */
void tree_open(struct tree_node *n);
void tree_close(struct tree *t, struct tree_node *n);

/* NULL: no memory, or no more may be made. Without a name yet. */
struct tree_node *tree_new_node(struct tree *t, uint8_t kind, uint64_t number);
/* If it has neither name nor descriptor. */
void tree_drop_node(struct tree *t, struct tree_node *n);

struct tree_entry *tree_entry_find(const struct tree_node *dir, const char *name, size_t size);
/* The first one whose cookie is larger; its index in by_cookie, which may be entry_count. */
uint32_t tree_entry_behind(const struct tree_node *dir, uint64_t cookie);
/* NULL: no memory, or no more may be made. Counts no links. */
struct tree_entry *tree_entry_add(struct tree *t, struct tree_node *dir, struct view name,
                                  uint64_t cookie, struct tree_node *node);
void tree_entry_remove(struct tree *t, struct tree_node *dir, struct tree_entry *e);

/* "." of a removed directory, where nothing can be made or found. */
static inline bool tree_is_removed(const struct tree_node *n)
{
    return n->links == 0;
}

#endif
