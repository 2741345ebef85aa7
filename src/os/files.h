/*
 * files - the private file tree of a program as the one who runs it has it: its arena, its
 * beginning, its outputs.
 *
 * Life     files_open before the program's ticket is written; when the program has exited,
 *          files_put_out; files_close.
 */
#ifndef TERN_OS_FILES_H
#define TERN_OS_FILES_H

#include "os/settings.h"
#include "os/tree_out.h"

struct files_order {
    const char *folder; /* what is in it at first; NULL: nothing */
    bool wanted;        /* there is a tree at all */
    uint64_t bytes_max;
    const struct tree_out *outs;
    size_t out_count;
    void (*warn)(const char *text);
    /* Instead of folder and outs, of a tree whose contents come from, and go, elsewhere: */
    void *context;
    /* Appends the tree, encoded; contents go into the arena, whose page 0 stays empty. */
    enum tern_err (*begin)(void *context, int arena, uint32_t pages_max, struct bytes *tree,
                           struct problem *p);
    /* The program has exited; `tree` is one (state_tree_check). */
    enum tern_err (*leave)(void *context, const struct state_tree *tree, int arena,
                           struct problem *p);
};

struct files {
    const struct files_order *order;
    int arena; /* -1: there is no tree */
    uint32_t pages_max;
    struct bytes tree; /* encoded; of a program that begins */
};

/* Whether anything of the tree is wanted at the end. */
bool files_leave(const struct files_order *o);

/* begins: with the folder's contents; else the arena is empty, for the checkpoint to fill. */
enum tern_err files_open(struct files *f, const struct files_order *order,
                         const struct settings *settings, bool begins, struct problem *p);
void files_close(struct files *f); /* zeroed and opened is fine */

/*
 * After the program's exit: state is the memfd in which the runner has told the tree. Tries each
 * output; fails with the first that failed, having warned of the others.
 */
enum tern_err files_put_out(const struct files *f, int state, struct problem *p);

#endif
