#include "runner/tree.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

enum { ENTRIES_LEAST = 4 };

/* ---- Inodes ---- */

struct tree_node *tree_new_node(struct tree *t, uint8_t kind, uint64_t number)
{
    struct tree_node *n;

    if (t->node_count >= TREE_NODES_MAX)
        return NULL;
    n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    n->number = number;
    n->kind = kind;
    n->next_cookie = kind == STATE_NODE_DIRECTORY ? TREE_COOKIE_FIRST : 0;
    n->before = t->last;
    if (t->last)
        t->last->behind = n;
    else
        t->first = n;
    t->last = n;
    t->node_count++;
    return n;
}

void tree_drop_node(struct tree *t, struct tree_node *n)
{
    if (n->links > 0 || n->opens > 0)
        return;
    check(n->entry_count == 0 && n->before);
    tree_map_cut(&n->map, 0, &t->pages);
    n->before->behind = n->behind;
    if (n->behind)
        n->behind->before = n->before;
    else
        t->last = n->before;
    t->node_count--;
    t->text_bytes -= n->target_size;
    free(n->target);
    free(n->by_cookie);
    free(n->by_name);
    free(n);
}

void tree_open(struct tree_node *n)
{
    n->opens++;
}

void tree_close(struct tree *t, struct tree_node *n)
{
    check(n->opens > 0);
    n->opens--;
    tree_drop_node(t, n);
}

/* ---- Entries ---- */

static int compare_name(const struct tree_entry *e, const char *name, size_t size)
{
    const size_t least = e->size < size ? e->size : size;
    const int order = memcmp(e->name, name, least);

    return order ? order : (e->size > size) - (e->size < size);
}

/* Of the first name that is not before this one. */
static uint32_t place_by_name(const struct tree_node *dir, const char *name, size_t size)
{
    uint32_t from = 0, to = dir->entry_count;

    while (from < to) {
        const uint32_t middle = from + (to - from) / 2;

        if (compare_name(dir->by_name[middle], name, size) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

struct tree_entry *tree_entry_find(const struct tree_node *dir, const char *name, size_t size)
{
    const uint32_t at = place_by_name(dir, name, size);

    if (at < dir->entry_count && compare_name(dir->by_name[at], name, size) == 0)
        return dir->by_name[at];
    return NULL;
}

uint32_t tree_entry_behind(const struct tree_node *dir, uint64_t cookie)
{
    uint32_t from = 0, to = dir->entry_count;

    while (from < to) {
        const uint32_t middle = from + (to - from) / 2;

        if (dir->by_cookie[middle]->cookie <= cookie)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool make_room(struct tree_node *dir)
{
    const uint32_t room = dir->entry_room ? dir->entry_room * 2 : ENTRIES_LEAST;
    struct tree_entry **more;

    if (dir->entry_count < dir->entry_room)
        return true;
    more = realloc(dir->by_cookie, room * sizeof *more);
    if (!more)
        return false;
    dir->by_cookie = more;
    more = realloc(dir->by_name, room * sizeof *more);
    if (!more)
        return false;
    dir->by_name = more;
    dir->entry_room = room;
    return true;
}

static void insert(struct tree_entry **list, uint32_t count, uint32_t at, struct tree_entry *e)
{
    memmove(list + at + 1, list + at, (count - at) * sizeof *list);
    list[at] = e;
}

static void take_out(struct tree_entry **list, uint32_t count, uint32_t at)
{
    memmove(list + at, list + at + 1, (count - at - 1) * sizeof *list);
}

struct tree_entry *tree_entry_add(struct tree *t, struct tree_node *dir, struct view name,
                                  uint64_t cookie, struct tree_node *node)
{
    struct tree_entry *e;

    if (t->entry_count >= TREE_ENTRIES_MAX || t->text_bytes + name.size > TREE_TEXT_BYTES_MAX ||
        !make_room(dir))
        return NULL;
    e = malloc(sizeof *e + name.size + 1);
    if (!e)
        return NULL;
    e->cookie = cookie;
    e->node = node;
    e->size = (uint8_t)name.size;
    memcpy(e->name, name.data, name.size);
    e->name[name.size] = 0;
    insert(dir->by_name, dir->entry_count, place_by_name(dir, e->name, e->size), e);
    insert(dir->by_cookie, dir->entry_count, tree_entry_behind(dir, cookie), e);
    dir->entry_count++;
    t->entry_count++;
    t->text_bytes += name.size;
    return e;
}

void tree_entry_remove(struct tree *t, struct tree_node *dir, struct tree_entry *e)
{
    take_out(dir->by_name, dir->entry_count, place_by_name(dir, e->name, e->size));
    take_out(dir->by_cookie, dir->entry_count, tree_entry_behind(dir, e->cookie) - 1);
    dir->entry_count--;
    t->entry_count--;
    t->text_bytes -= e->size;
    free(e);
}
