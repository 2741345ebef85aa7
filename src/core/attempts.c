#include "core/attempts.h"

#include "base/check.h"

#include <stdlib.h>

static size_t chain_of(const struct attempts *t, uint64_t task, uint64_t n)
{
    uint64_t mixed = (n ^ (task << 32 | task >> 32)) * 0x9E3779B97F4A7C15u;

    return (size_t)(mixed >> 32) & (t->chains - 1);
}

static bool grow(struct attempts *t)
{
    struct attempts wider = {.chains = t->chains ? 2 * t->chains : 64};

    wider.chain = calloc(wider.chains, sizeof(struct attempt *));
    if (!wider.chain)
        return false;
    for (size_t i = 0; i < t->chains; i++) {
        for (struct attempt *a = t->chain[i], *next; a; a = next) {
            struct attempt **head = &wider.chain[chain_of(&wider, a->task, a->n)];

            next = a->same;
            a->same = *head;
            *head = a;
        }
    }
    free(t->chain);
    t->chain = wider.chain;
    t->chains = wider.chains;
    return true;
}

static void unlink_it(struct attempt *a)
{
    struct attempt_list *list = a->in;

    if (!list)
        return;
    *(a->before ? &a->before->behind : &list->first) = a->behind;
    *(a->behind ? &a->behind->before : &list->last) = a->before;
    list->count--;
    a->in = NULL;
}

void attempt_move(struct attempt *a, struct attempt_list *to)
{
    unlink_it(a);
    a->in = to;
    a->before = to->last;
    a->behind = NULL;
    *(to->last ? &to->last->behind : &to->first) = a;
    to->last = a;
    to->count++;
}

void attempt_move_first(struct attempt *a, struct attempt_list *to)
{
    unlink_it(a);
    a->in = to;
    a->before = NULL;
    a->behind = to->first;
    *(to->first ? &to->first->before : &to->last) = a;
    to->first = a;
    to->count++;
}

struct attempt *attempts_add(struct attempts *t, const Tern__Fence *fence,
                             struct attempt_list *list)
{
    struct attempt *a;
    struct attempt **head;

    if (t->count == t->chains && !grow(t))
        return NULL;
    a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->task = fence->task;
    a->n = fence->attempt;
    a->term = fence->term;
    head = &t->chain[chain_of(t, a->task, a->n)];
    a->same = *head;
    *head = a;
    t->count++;
    attempt_move(a, list);
    return a;
}

struct attempt *attempts_find(const struct attempts *t, const Tern__Fence *fence)
{
    if (!t->chains || !fence)
        return NULL;
    for (struct attempt *a = t->chain[chain_of(t, fence->task, fence->attempt)]; a; a = a->same)
        if (a->task == fence->task && a->n == fence->attempt && a->term == fence->term)
            return a;
    return NULL;
}

void attempts_remove(struct attempts *t, struct attempt *a)
{
    struct attempt **at = &t->chain[chain_of(t, a->task, a->n)];

    while (*at && *at != a)
        at = &(*at)->same;
    check(*at);
    *at = a->same;
    t->count--;
    unlink_it(a);
    attempt_forget_order(a);
    free(a);
}

void attempts_release(struct attempts *t)
{
    for (size_t i = 0; i < t->chains; i++)
        while (t->chain[i])
            attempts_remove(t, t->chain[i]);
    free(t->chain);
    *t = (struct attempts){0};
}

void attempt_fence(const struct attempt *a, Tern__Fence *out)
{
    tern__fence__init(out);
    out->task = a->task;
    out->attempt = a->n;
    out->term = a->term;
}

void attempt_forget_order(struct attempt *a)
{
    packed_release(&a->order);
    while (a->input_count)
        packed_release(&a->input[--a->input_count]);
}
