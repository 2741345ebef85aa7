#include "core/agent_inner.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

static struct class *class_of(const struct tree_link *link)
{
    return tree_of(link, struct class, link);
}

static struct shape *shape_of(const struct tree_link *link)
{
    return tree_of(link, struct shape, link);
}

static struct pair *pair_of(const struct tree_link *link)
{
    return tree_of(link, struct pair, link);
}

static struct node_at *placed_node(const struct tree_link *link)
{
    return tree_of(link, struct node_at, place);
}

static int compare_bytes(const void *a, size_t a_size, const void *b, size_t b_size)
{
    const int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

    return order ? order : order_u64(a_size, b_size);
}

static int compare_classes(const struct tree_link *a, const struct tree_link *b)
{
    const struct packed *x = &class_of(a)->key, *y = &class_of(b)->key;

    return compare_bytes(x->data, x->size, y->data, y->size);
}

/* For one node each; of two for the same one, in the order of their coming. */
static int compare_pins(const struct tree_link *a, const struct tree_link *b)
{
    const struct class *x = tree_of(a, struct class, pin), *y = tree_of(b, struct class, pin);
    const int order = strcmp(x->needs->node, y->needs->node);

    return order ? order : order_u64(x->n, y->n);
}

static int compare_ready(const struct tree_link *a, const struct tree_link *b)
{
    const struct task *x = tree_of(a, struct task, link), *y = tree_of(b, struct task, link);
    const int32_t p = x->job->known->priority, q = y->job->known->priority;

    return p != q ? (p > q ? -1 : 1) : order_u64(x->n, y->n);
}

static int compare_pairs(const struct tree_link *a, const struct tree_link *b)
{
    const struct pair *x = pair_of(a), *y = pair_of(b);

    if (x->priority != y->priority)
        return x->priority > y->priority ? -1 : 1;
    if (x->first != y->first)
        return order_u64(x->first, y->first);
    return order_u64(x->class->n, y->class->n);
}

/* Those with a free slot come first, the best one in front. */
static int compare_places(const struct tree_link *a, const struct tree_link *b)
{
    const struct node_at *x = placed_node(a), *y = placed_node(b);

    if (x->busy != y->busy)
        return x->busy ? 1 : -1;
    return x->cost != y->cost ? order_u64(x->cost, y->cost) : strcmp(x->name, y->name);
}

static int compare_shapes(const struct tree_link *a, const struct tree_link *b)
{
    const struct shape *x = shape_of(a), *y = shape_of(b);
    int order = strcmp(x->machine, y->machine);

    if (!order)
        order = order_u64(x->memory_bytes, y->memory_bytes);
    if (!order)
        order = order_u64(x->label_count, y->label_count);
    for (size_t i = 0; !order && i < x->label_count; i++)
        order = strcmp(x->labels[i], y->labels[i]);
    return order;
}

static int compare_programs(const struct tree_link *a, const struct tree_link *b)
{
    return memcmp(tree_of(a, struct program, link)->sha256,
                  tree_of(b, struct program, link)->sha256, 32);
}

void classes_init(struct agent *a)
{
    a->classes.compare = compare_classes;
    a->pins.compare = compare_pins;
    a->shapes.compare = compare_shapes;
    a->programs.compare = compare_programs;
}

/* ---------------------------------------------------------------- classes and shapes meet */

bool class_fits(const struct class *c, const struct shape *s)
{
    const struct offer offer = {s->machine, s->memory_bytes, s->labels, s->label_count};

    return policy_match(c->needs, &offer) == MATCH_FITS;
}

static void pair_if_fits(struct class *c, struct shape *s)
{
    struct pair *p;

    if (*c->needs->node || !class_fits(c, s))
        return;
    p = agent_alloc(1, sizeof *p);
    p->class = c;
    p->shape = s;
    p->next = c->pairs;
    c->pairs = p;
}

static void pair_wait(struct pair *p)
{
    const struct task *first = class_first(p->class);

    if (tree_in(&p->link))
        tree_remove(&p->shape->waiting, &p->link);
    if (!first)
        return;
    p->priority = first->job->known->priority;
    p->first = first->n;
    tree_add(&p->shape->waiting, &p->link);
}

static void pair_free(struct pair *p)
{
    if (tree_in(&p->link))
        tree_remove(&p->shape->waiting, &p->link);
    free(p);
}

struct task *class_first(const struct class *c)
{
    return tree_of(tree_first(&c->ready), struct task, link);
}

void class_ready(struct agent *a, struct class *c)
{
    const struct task *first = class_first(c);

    for (struct pair *p = c->pairs; p; p = p->next) /* too late a place is corrected when seen */
        if (!tree_in(&p->link) || first->job->known->priority > p->priority ||
            (first->job->known->priority == p->priority && first->n < p->first))
            pair_wait(p);
    if (c->dirty)
        return;
    c->dirty = true;
    c->dirty_next = a->dirty_classes;
    a->dirty_classes = c;
}

struct class *shape_first(struct shape *s, const struct class *behind)
{
    struct pair *p;
    const struct pair *last = NULL;

    for (const struct pair *q = behind ? behind->pairs : NULL; q; q = q->next)
        if (q->shape == s)
            last = q;
    for (;;) {
        const struct task *first;

        p = pair_of(last && tree_in(&last->link) ? tree_behind(&s->waiting, &last->link)
                                                 : tree_first(&s->waiting));
        if (!p)
            return NULL;
        first = class_first(p->class);
        if (first && first->n == p->first && first->job->known->priority == p->priority)
            return p->class;
        pair_wait(p); /* it has become later, or empty, since it was put there */
    }
}

static struct class *class_make(struct agent *a, const Tern__Requirements *r)
{
    struct class *c = agent_alloc(1, sizeof *c);

    packed_set(&c->key, &r->base);
    c->needs = message_copy(&r->base, &c->arena);
    check(c->needs);
    c->n = ++a->class_next;
    c->ready.compare = compare_ready;
    tree_add(&a->classes, &c->link);
    if (*c->needs->node)
        tree_add(&a->pins, &c->pin);
    for (const struct tree_link *l = tree_first(&a->shapes); l; l = tree_behind(&a->shapes, l))
        pair_if_fits(c, shape_of(l));
    return c;
}

struct class *class_take(struct agent *a, const Tern__Requirements *r)
{
    Tern__Requirements none = TERN__REQUIREMENTS__INIT;
    struct class like = {0}, *c;

    if (!r)
        r = &none;
    packed_set(&like.key, &r->base);
    c = class_of(tree_find(&a->classes, &like.link));
    packed_release(&like.key);
    if (!c)
        c = class_make(a, r);
    c->jobs++;
    return c;
}

static void undirty(struct agent *a, struct class *c)
{
    struct class **at = &a->dirty_classes;

    if (!c->dirty)
        return;
    while (*at != c)
        at = &(*at)->dirty_next;
    *at = c->dirty_next;
}

static void class_free(struct agent *a, struct class *c)
{
    undirty(a, c);
    while (c->pairs) {
        struct pair *next = c->pairs->next;

        pair_free(c->pairs);
        c->pairs = next;
    }
    tree_remove(&a->classes, &c->link);
    if (tree_in(&c->pin))
        tree_remove(&a->pins, &c->pin);
    packed_release(&c->key);
    arena_release(&c->arena);
    free(c);
}

void class_give_back(struct agent *a, struct class *c)
{
    check(c->jobs > 0);
    if (--c->jobs == 0)
        class_free(a, c);
}

/* ---------------------------------------------------------------- shapes */

static int order_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct shape *shape_make(struct agent *a, const struct shape *like)
{
    struct shape *s = agent_alloc(1, sizeof *s);

    s->machine = agent_text(like->machine);
    s->memory_bytes = like->memory_bytes;
    s->labels = agent_texts(like->labels, like->label_count);
    s->label_count = like->label_count;
    s->n = ++a->shape_next;
    s->nodes.compare = compare_places;
    s->waiting.compare = compare_pairs;
    tree_add(&a->shapes, &s->link);
    for (const struct tree_link *l = tree_first(&a->classes); l; l = tree_behind(&a->classes, l)) {
        pair_if_fits(class_of(l), s);
        if (class_of(l)->pairs && class_of(l)->pairs->shape == s)
            pair_wait(class_of(l)->pairs);
    }
    return s;
}

struct shape *shape_take(struct agent *a, const Tern__NodeAd *ad)
{
    struct shape like = {.machine = ad->machine, .memory_bytes = ad->memory_bytes};
    struct shape *s;
    char **labels = agent_alloc(ad->n_labels + 1, sizeof *labels);

    for (size_t i = 0; i < ad->n_labels; i++)
        labels[i] = ad->labels[i];
    qsort(labels, ad->n_labels, sizeof *labels, order_texts);
    like.labels = labels;
    like.label_count = ad->n_labels;
    s = shape_of(tree_find(&a->shapes, &like.link));
    if (!s)
        s = shape_make(a, &like);
    free(labels);
    s->node_count++;
    return s;
}

static void shape_free(struct agent *a, struct shape *s)
{
    for (const struct tree_link *l = tree_first(&a->classes); l; l = tree_behind(&a->classes, l))
        for (struct pair **at = &class_of(l)->pairs; *at; at = &(*at)->next)
            if ((*at)->shape == s) {
                struct pair *p = *at;

                *at = p->next;
                pair_free(p);
                break;
            }
    tree_remove(&a->shapes, &s->link);
    free(s->machine);
    agent_texts_free(s->labels, s->label_count);
    free(s);
}

void shape_give_back(struct agent *a, struct shape *s)
{
    check(s->node_count > 0);
    if (--s->node_count == 0)
        shape_free(a, s);
}

/* ---------------------------------------------------------------- programs */

struct program *program_take(struct agent *a, const uint8_t *sha256)
{
    struct program like = {0}, *p;

    memcpy(like.sha256, sha256, sizeof like.sha256);
    p = tree_of(tree_find(&a->programs, &like.link), struct program, link);
    if (!p) {
        p = agent_alloc(1, sizeof *p);
        memcpy(p->sha256, sha256, sizeof p->sha256);
        tree_add(&a->programs, &p->link);
    }
    p->jobs++;
    return p;
}

void program_give_back(struct agent *a, struct program *p)
{
    check(p->jobs > 0);
    if (--p->jobs)
        return;
    tree_remove(&a->programs, &p->link);
    free(p);
}

void classes_release(struct agent *a)
{
    struct tree_link *l;

    while ((l = tree_first(&a->classes)))
        class_free(a, class_of(l));
    while ((l = tree_first(&a->shapes)))
        shape_free(a, shape_of(l));
    while ((l = tree_first(&a->programs))) {
        tree_remove(&a->programs, l);
        free(tree_of(l, struct program, link));
    }
}
