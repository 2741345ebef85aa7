/*
 * Whether a struct state_tree is a tree. What is wrong with one inode is told as the end of a
 * sentence; names that lead to it are counted, and then everything is walked from the root: what
 * was not met on the way hangs in a circle, or nowhere.
 */
#include "wire/state_tree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct checking {
    const struct state_tree *t;
    uint32_t *names; /* that lead to it, per inode */
    uint32_t *dirs;  /* directories in it */
    bool *met;       /* on the way from the root */
    bool *held;
    uint32_t *queue;
    uint64_t entries, text_bytes, pages;
    struct problem *p;
};

static enum tern_err refuse(const struct checking *c, const struct state_node *n, const char *why)
{
    return problem_set(c->p, TERN_EINVALID, "file tree, inode %" PRIu64 ": %s", n->number, why);
}

static size_t index_of(const struct checking *c, const struct state_node *n)
{
    return (size_t)(n - c->t->nodes);
}

/* ---- One inode ---- */

static bool name_valid(struct view name)
{
    if (name.size == 0 || name.size > TREE_NAME_BYTES_MAX)
        return false;
    if (memchr(name.data, '/', name.size) || memchr(name.data, 0, name.size))
        return false;
    return !view_equal(name, view_of_string(".")) && !view_equal(name, view_of_string(".."));
}

static const char *runs_fault(struct checking *c, const struct state_node *n)
{
    const uint64_t pages = state_tree_pages(n->size);
    uint64_t end = 0;

    for (uint32_t i = 0; i < n->run_count; i++) {
        const struct state_run *r = &n->runs[i];

        if (r->count == 0 || r->arena == 0 || r->arena > UINT32_MAX - r->count)
            return "a run of its pages makes no sense";
        if (r->page < end || (uint64_t)r->page + r->count > pages)
            return "its runs of pages overlap, or lie behind its end";
        end = (uint64_t)r->page + r->count;
        c->pages += r->count;
    }
    return c->pages > TREE_PAGES_MAX ? "the files have more pages than a tree may" : NULL;
}

static const char *entries_fault(struct checking *c, const struct state_node *n)
{
    uint64_t last = TREE_COOKIE_FIRST - 1;

    for (uint32_t i = 0; i < n->entry_count; i++) {
        const struct state_entry *e = &n->entries[i];

        if (!name_valid(e->name))
            return "it has a name in it that no file can have";
        if (e->cookie <= last || e->cookie >= n->next_cookie)
            return "its entries are not in order";
        if (!state_tree_find(c->t, e->inode))
            return "it has a name in it that leads to nothing";
        last = e->cookie;
        c->text_bytes += e->name.size;
    }
    c->entries += n->entry_count;
    return NULL;
}

static const char *shape_fault(const struct state_node *n)
{
    if (n->kind < STATE_NODE_FILE || n->kind > STATE_NODE_LINK)
        return "its kind is unknown";
    if (n->kind != STATE_NODE_FILE && (n->size || n->run_count))
        return "it is no file, but has contents";
    if (n->kind != STATE_NODE_DIRECTORY && (n->entry_count || n->next_cookie))
        return "it is no directory, but has entries";
    if ((n->kind == STATE_NODE_LINK) != (n->target.size > 0))
        return "it leads somewhere, and is no symbolic link, or the other way round";
    return NULL;
}

static const char *node_fault(struct checking *c, const struct state_node *n)
{
    const char *fault = shape_fault(n);

    if (fault)
        return fault;
    if (n->size > TREE_FILE_BYTES_MAX)
        return "it is larger than a file can be";
    if (n->kind == STATE_NODE_DIRECTORY &&
        (n->next_cookie < TREE_COOKIE_FIRST || n->next_cookie > TREE_NUMBER_MAX))
        return "its next cookie is none";
    if (n->target.size > TREE_TARGET_BYTES_MAX ||
        (n->target.size && memchr(n->target.data, 0, n->target.size)))
        return "it leads to what is no path";
    c->text_bytes += n->target.size;
    fault = runs_fault(c, n);
    return fault ? fault : entries_fault(c, n);
}

static enum tern_err check_nodes(struct checking *c)
{
    uint64_t last = 0;

    for (uint32_t i = 0; i < c->t->node_count; i++) {
        const struct state_node *n = &c->t->nodes[i];
        const char *fault = node_fault(c, n);

        if (!fault && (n->number <= last || n->number >= c->t->next_number))
            fault = "inodes are not in order";
        if (fault)
            return refuse(c, n, fault);
        last = n->number;
    }
    if (c->t->next_number > TREE_NUMBER_MAX || c->entries > TREE_ENTRIES_MAX ||
        c->text_bytes > TREE_TEXT_BYTES_MAX)
        return problem_set(c->p, TERN_EINVALID, "the file tree is larger than one may be");
    if (c->t->node_count == 0 || c->t->nodes[0].number != TREE_ROOT ||
        c->t->nodes[0].kind != STATE_NODE_DIRECTORY)
        return problem_set(c->p, TERN_EINVALID, "the file tree has no root directory");
    return TERN_OK;
}

/* ---- Names that are there twice ---- */

static int compare_names(const void *a, const void *b)
{
    const struct view *x = a, *y = b;
    const size_t least = x->size < y->size ? x->size : y->size;
    const int order = memcmp(x->data, y->data, least);

    return order ? order : (x->size > y->size) - (x->size < y->size);
}

static enum tern_err check_names(const struct checking *c, const struct state_node *n)
{
    struct view *names = calloc((size_t)n->entry_count + 1, sizeof *names);
    bool twice = false;

    if (!names)
        return problem_set(c->p, TERN_ENOMEM, "no memory to check the file tree");
    for (uint32_t i = 0; i < n->entry_count; i++)
        names[i] = n->entries[i].name;
    qsort(names, n->entry_count, sizeof *names, compare_names);
    for (uint32_t i = 1; i < n->entry_count; i++)
        twice |= compare_names(&names[i - 1], &names[i]) == 0;
    free(names);
    return twice ? refuse(c, n, "it has a name in it twice") : TERN_OK;
}

/* ---- All together ---- */

static enum tern_err count_links(struct checking *c)
{
    enum tern_err err = TERN_OK;

    for (uint32_t i = 0; i < c->t->node_count && !err; i++) {
        const struct state_node *n = &c->t->nodes[i];

        for (uint32_t k = 0; k < n->entry_count; k++) {
            const struct state_node *to = state_tree_find(c->t, n->entries[k].inode);

            c->names[index_of(c, to)]++;
            c->dirs[i] += to->kind == STATE_NODE_DIRECTORY;
        }
        err = n->entry_count ? check_names(c, n) : TERN_OK;
    }
    return err;
}

/* A directory has one name at most: so nothing is queued twice. */
static void walk(struct checking *c)
{
    uint32_t queued = 1;

    c->met[0] = true;
    c->queue[0] = 0;
    for (uint32_t at = 0; at < queued; at++) {
        const struct state_node *n = &c->t->nodes[c->queue[at]];

        for (uint32_t i = 0; i < n->entry_count; i++) {
            const size_t to = index_of(c, state_tree_find(c->t, n->entries[i].inode));

            if (!c->met[to])
                c->queue[queued++] = (uint32_t)to;
            c->met[to] = true;
        }
    }
}

static const char *link_fault(const struct checking *c, uint32_t i)
{
    const struct state_node *n = &c->t->nodes[i];
    const bool removed = n->links == 0;

    if (removed && n->entry_count)
        return "it has been removed, but has entries";
    if (removed ? c->names[i] > 0 || !c->held[i] : !c->met[i])
        return removed ? "it has been removed and is not open" : "no path leads to it";
    if (removed)
        return i == 0 ? "it is the root, and removed" : NULL;
    if (n->kind != STATE_NODE_DIRECTORY)
        return n->links != c->names[i] ? "its number of links is wrong" : NULL;
    if (c->names[i] != (i != 0))
        return "it is a directory with more names than one";
    return n->links != c->dirs[i] + 2 ? "its number of links is wrong" : NULL;
}

static enum tern_err check_links(struct checking *c)
{
    enum tern_err err = count_links(c);

    if (err)
        return err;
    walk(c);
    for (uint32_t i = 0; i < c->t->node_count; i++) {
        const char *fault = link_fault(c, i);

        if (fault)
            return refuse(c, &c->t->nodes[i], fault);
    }
    return TERN_OK;
}

static enum tern_err mark_held(struct checking *c, const uint64_t *held, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct state_node *n = state_tree_find(c->t, held[i]);

        if (!n)
            return problem_set(c->p, TERN_EINVALID,
                               "inode %" PRIu64 " of the file tree is open, and there is none",
                               held[i]);
        c->held[index_of(c, n)] = true;
    }
    return TERN_OK;
}

static enum tern_err check_all(struct checking *c, const uint64_t *held, size_t held_count)
{
    const size_t room = (size_t)c->t->node_count + 1;
    enum tern_err err;

    c->names = calloc(room, sizeof *c->names);
    c->dirs = calloc(room, sizeof *c->dirs);
    c->met = calloc(room, sizeof *c->met);
    c->held = calloc(room, sizeof *c->held);
    c->queue = calloc(room, sizeof *c->queue);
    if (!c->names || !c->dirs || !c->met || !c->held || !c->queue)
        return problem_set(c->p, TERN_ENOMEM, "no memory to check the file tree");
    err = check_nodes(c);
    if (!err)
        err = mark_held(c, held, held_count);
    return err ? err : check_links(c);
}

enum tern_err state_tree_check(const struct state_tree *t, const uint64_t *held, size_t held_count,
                               struct problem *p)
{
    struct checking c = {.t = t, .p = p};
    enum tern_err err;

    if (t->node_count > TREE_NODES_MAX)
        return problem_set(p, TERN_EINVALID, "the file tree has more inodes than one may");
    err = check_all(&c, held, held_count);
    free(c.names);
    free(c.dirs);
    free(c.met);
    free(c.held);
    free(c.queue);
    return err;
}
