/*
 * tree - an ordered set of things that have a struct tree_link in them.
 *
 * A treap whose weights are drawn from a count: looking up, adding and removing take about log n
 * steps, and what is asked for comes in the order of `compare`, whatever the shape.
 *
 * Memory   None of its own: links lie in what is kept. A link that is in no tree is zeroed.
 * Keys     No two in one tree compare as equal. A key must not change while it is in a tree.
 */
#ifndef TERN_BASE_TREE_H
#define TERN_BASE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tree_link {
    struct tree_link *left, *right;
    uint32_t weight; /* 0: in no tree */
};

struct tree {
    int (*compare)(const struct tree_link *a, const struct tree_link *b);
    struct tree_link *root;
    size_t count;
    uint32_t drawn;
};

/* What has this link in it; NULL for NULL. */
#define tree_of(link, type, member)                                                                \
    ((type *)tree_outer((link), offsetof(type, member)))

static inline void *tree_outer(const struct tree_link *link, size_t offset)
{
    return link ? (char *)link - offset : NULL;
}

static inline bool tree_in(const struct tree_link *link)
{
    return link->weight != 0;
}

void tree_add(struct tree *t, struct tree_link *link);
void tree_remove(struct tree *t, struct tree_link *link);
/* The one that compares as equal to `like`, or NULL. */
struct tree_link *tree_find(const struct tree *t, const struct tree_link *like);
/* The first one; the first not before `like`; the first behind it. NULL: there is none. */
struct tree_link *tree_first(const struct tree *t);
struct tree_link *tree_from(const struct tree *t, const struct tree_link *like);
struct tree_link *tree_behind(const struct tree *t, const struct tree_link *like);
/* The other way round. */
struct tree_link *tree_last(const struct tree *t);
struct tree_link *tree_before(const struct tree *t, const struct tree_link *like);

#endif
