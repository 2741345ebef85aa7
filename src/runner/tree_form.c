/* A tree as data, and back: struct state_tree. */
#include "runner/tree.h"

#include <stdlib.h>
#include <string.h>

struct tree_node *tree_find_number(const struct tree *t, uint64_t number)
{
    struct tree_node *n = t->first;

    while (n && n->number != number)
        n = n->behind;
    return n;
}

/* ---- Restoring ---- */

static enum wasi_errno take_runs(struct tree *t, struct tree_node *n, const struct state_node *from)
{
    for (uint32_t i = 0; i < from->run_count; i++) {
        const struct state_run *r = &from->runs[i];

        for (uint32_t k = 0; k < r->count; k++) {
            if (t->pages.count >= t->pages.max)
                return WASI_E_NOSPC;
            if (!tree_map_reserve(&n->map, r->page + k))
                return WASI_E_NOMEM;
            if (!tree_pages_take_at(&t->pages, r->arena + k))
                return WASI_E_INVAL;
            tree_map_set(&n->map, r->page + k, r->arena + k);
        }
    }
    return WASI_E_SUCCESS;
}

static enum wasi_errno take_node(struct tree *t, const struct state_node *from,
                                 struct tree_node **list)
{
    struct tree_node *n = tree_new_node(t, from->kind, from->number);

    if (!n)
        return WASI_E_NOMEM;
    *list = n;
    n->links = from->links;
    n->atime_ns = from->atime_ns;
    n->mtime_ns = from->mtime_ns;
    n->ctime_ns = from->ctime_ns;
    n->size = from->size;
    n->next_cookie = from->next_cookie;
    if (from->target.size) {
        n->target = strndup((const char *)from->target.data, from->target.size);
        if (!n->target)
            return WASI_E_NOMEM;
        n->target_size = (uint32_t)from->target.size;
        t->text_bytes += from->target.size;
    }
    return take_runs(t, n, from);
}

static enum wasi_errno take_entries(struct tree *t, const struct state_tree *from,
                                    struct tree_node *const *list)
{
    for (uint32_t i = 0; i < from->node_count; i++) {
        for (uint32_t k = 0; k < from->nodes[i].entry_count; k++) {
            const struct state_entry *e = &from->nodes[i].entries[k];
            struct tree_node *to = list[state_tree_find(from, e->inode) - from->nodes];

            if (!tree_entry_add(t, list[i], e->name, e->cookie, to))
                return WASI_E_NOMEM;
            if (to->kind == STATE_NODE_DIRECTORY)
                to->parent = list[i];
        }
    }
    return WASI_E_SUCCESS;
}

enum wasi_errno tree_restore(struct tree *t, const struct state_tree *from, uint32_t pages_max,
                             bool frozen)
{
    struct tree_node **list = calloc((size_t)from->node_count + 1, sizeof *list);
    enum wasi_errno error = list ? WASI_E_SUCCESS : WASI_E_NOMEM;

    *t = (struct tree){.next_number = from->next_number, .pages.max = pages_max, .arena = -1};
    for (uint32_t i = 0; i < from->node_count && !error; i++)
        error = take_node(t, &from->nodes[i], &list[i]);
    if (!error)
        error = take_entries(t, from, list);
    if (!error && frozen)
        tree_pages_freeze(&t->pages);
    free(list);
    return error;
}

/* ---- Saving ---- */

/* All runs of a file, or (to NULL) how many there are. */
static uint32_t runs_of(const struct tree_node *n, struct state_run *to)
{
    struct state_run run = {0};
    uint64_t page = 0;
    uint32_t count = 0;

    for (; tree_map_next(&n->map, &page); page++) {
        const uint32_t arena = tree_map_get(&n->map, (uint32_t)page);

        if (run.count && page == (uint64_t)run.page + run.count && arena == run.arena + run.count) {
            run.count++;
        } else {
            run = (struct state_run){.page = (uint32_t)page, .count = 1, .arena = arena};
            count++;
        }
        if (to)
            to[count - 1] = run;
    }
    return count;
}

static bool save_entries(const struct tree_node *n, struct state_node *out, struct arena *arena)
{
    out->entry_count = n->entry_count;
    out->entries = arena_new(arena, n->entry_count, sizeof *out->entries);
    for (uint32_t i = 0; out->entries && i < n->entry_count; i++) {
        const struct tree_entry *e = n->by_cookie[i];

        out->entries[i] = (struct state_entry){
            .cookie = e->cookie, .inode = e->node->number, .name = view_of(e->name, e->size)};
    }
    return out->entries;
}

static bool save_runs(const struct tree_node *n, struct state_node *out, struct arena *arena)
{
    out->run_count = runs_of(n, NULL);
    out->runs = arena_new(arena, out->run_count, sizeof *out->runs);
    if (out->runs)
        runs_of(n, out->runs);
    return out->runs;
}

static bool save_node(const struct tree_node *n, struct state_node *out, struct arena *arena)
{
    *out = (struct state_node){
        .number = n->number,
        .kind = n->kind,
        .links = n->links,
        .atime_ns = n->atime_ns,
        .mtime_ns = n->mtime_ns,
        .ctime_ns = n->ctime_ns,
        .size = n->size,
        .next_cookie = n->next_cookie,
        .target = view_of(n->target, n->target_size),
    };
    if (n->kind == STATE_NODE_DIRECTORY)
        return save_entries(n, out, arena);
    return n->kind != STATE_NODE_FILE || save_runs(n, out, arena);
}

bool tree_save(const struct tree *t, struct state_tree *out, struct arena *arena)
{
    uint32_t i = 0;

    *out = (struct state_tree){
        .next_number = t->next_number,
        .nodes = arena_new(arena, t->node_count, sizeof *out->nodes),
        .node_count = t->node_count,
    };
    if (!out->nodes)
        return false;
    for (const struct tree_node *n = t->first; n; n = n->behind) {
        if (!save_node(n, &out->nodes[i++], arena))
            return false;
    }
    return true;
}

/* ---- The end ---- */

static void empty(struct tree *t, struct tree_node *n)
{
    while (n->entry_count)
        tree_entry_remove(t, n, n->by_cookie[n->entry_count - 1]);
    n->links = n->opens = 0;
}

void tree_release(struct tree *t)
{
    for (struct tree_node *n = t->first; n; n = n->behind)
        empty(t, n);
    while (t->last && t->last != t->first)
        tree_drop_node(t, t->last);
    if (t->first) {
        free(t->first->by_cookie);
        free(t->first->by_name);
        free(t->first);
    }
    tree_pages_release(&t->pages);
    *t = (struct tree){.arena = -1};
}
