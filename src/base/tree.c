#include "base/tree.h"

#include "base/check.h"

/* Spreads a count over 32 bits (the end of MurmurHash3's mixing), never 0. */
static uint32_t draw(struct tree *t)
{
    uint32_t x = ++t->drawn;

    x ^= x >> 16;
    x *= 0x85ebca6bu;
    x ^= x >> 13;
    x *= 0xc2b2ae35u;
    x ^= x >> 16;
    return x ? x : 1;
}

void tree_add(struct tree *t, struct tree_link *link)
{
    struct tree_link **at = &t->root, **left = &link->left, **right = &link->right, *rest;

    check(!tree_in(link));
    link->weight = draw(t);
    while (*at && (*at)->weight >= link->weight)
        at = t->compare(link, *at) < 0 ? &(*at)->left : &(*at)->right;
    rest = *at;
    *at = link;
    while (rest) { /* what was there goes beneath it, to one side or the other */
        if (t->compare(rest, link) < 0) {
            *left = rest;
            left = &rest->right;
            rest = rest->right;
        } else {
            *right = rest;
            right = &rest->left;
            rest = rest->left;
        }
    }
    *left = *right = NULL;
    t->count++;
}

void tree_remove(struct tree *t, struct tree_link *link)
{
    struct tree_link **at = &t->root, *a = link->left, *b = link->right;

    check(tree_in(link));
    while (*at && *at != link)
        at = t->compare(link, *at) < 0 ? &(*at)->left : &(*at)->right;
    check(*at);
    while (a && b) {
        if (a->weight >= b->weight) {
            *at = a;
            at = &a->right;
            a = a->right;
        } else {
            *at = b;
            at = &b->left;
            b = b->left;
        }
    }
    *at = a ? a : b;
    *link = (struct tree_link){0};
    t->count--;
}

struct tree_link *tree_find(const struct tree *t, const struct tree_link *like)
{
    struct tree_link *at = t->root;

    while (at) {
        const int order = t->compare(like, at);

        if (order == 0)
            return at;
        at = order < 0 ? at->left : at->right;
    }
    return NULL;
}

struct tree_link *tree_first(const struct tree *t)
{
    struct tree_link *at = t->root;

    while (at && at->left)
        at = at->left;
    return at;
}

static struct tree_link *first_beyond(const struct tree *t, const struct tree_link *like,
                                      bool equal_too)
{
    struct tree_link *at = t->root, *found = NULL;

    while (at) {
        const int order = t->compare(like, at);

        if (order < 0 || (equal_too && order == 0)) {
            found = at;
            at = at->left;
        } else {
            at = at->right;
        }
    }
    return found;
}

struct tree_link *tree_from(const struct tree *t, const struct tree_link *like)
{
    return first_beyond(t, like, true);
}

struct tree_link *tree_behind(const struct tree *t, const struct tree_link *like)
{
    return first_beyond(t, like, false);
}

struct tree_link *tree_last(const struct tree *t)
{
    struct tree_link *at = t->root;

    while (at && at->right)
        at = at->right;
    return at;
}

struct tree_link *tree_before(const struct tree *t, const struct tree_link *like)
{
    struct tree_link *at = t->root, *found = NULL;

    while (at) {
        if (t->compare(like, at) > 0) {
            found = at;
            at = at->right;
        } else {
            at = at->left;
        }
    }
    return found;
}
