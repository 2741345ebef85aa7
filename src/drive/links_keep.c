#include "drive/links_inner.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

static void free_kept(struct kept *k)
{
    for (size_t i = 0; i < k->count; i++)
        free(k->endpoint[i]);
    free(k->endpoint);
    free(k);
}

static struct kept *new_kept(const char *const *endpoints, size_t count)
{
    struct kept *k = calloc(1, sizeof *k);

    check(k && count);
    k->endpoint = calloc(count, sizeof *k->endpoint);
    check(k->endpoint);
    for (; k->count < count; k->count++) {
        k->endpoint[k->count] = strdup(endpoints[k->count]);
        check(k->endpoint[k->count]);
    }
    k->delay_ns = KEEP_DELAY_LEAST_NS;
    return k;
}

static struct kept *find(const struct links *l, uint32_t handle)
{
    struct kept *k = l->kept;

    while (k && k->handle != handle)
        k = k->next;
    return k;
}

static void dial(struct links *l, struct kept *k)
{
    struct conn *c;

    k->link = links_dial(l, k->endpoint[k->at]);
    k->at = (k->at + 1) % k->count;
    c = conn_find(l, k->link);
    check(c);
    c->kept = k->handle;
}

uint32_t links_keep(struct links *l, const char *const *endpoints, size_t count)
{
    struct kept *k = new_kept(endpoints, count);

    k->handle = ++l->last_handle;
    k->next = l->kept;
    l->kept = k;
    dial(l, k);
    return k->handle;
}

link_id links_kept(const struct links *l, uint32_t handle)
{
    const struct kept *k = find(l, handle);
    const struct conn *c = k ? conn_find(l, k->link) : NULL;

    return c && c->up && c->list != CONN_GONE ? c->id : 0;
}

void links_let_go(struct links *l, uint32_t handle)
{
    struct kept **at = &l->kept;
    struct kept *k;
    struct conn *c;

    while (*at && (*at)->handle != handle)
        at = &(*at)->next;
    k = *at;
    if (!k)
        return;
    *at = k->next;
    c = conn_find(l, k->link);
    if (c) {
        c->kept = KEPT_NONE;
        c->unasked = !c->up;
        conn_end(l, c, TERN_OK, "not needed any more");
    }
    free_kept(k);
}

/* Between half of it and all: so that those who lost one agent together do not come together. */
static int64_t some_of(struct links *l, int64_t delay_ns)
{
    uint32_t dice;

    l->config.world->calls->random(l->config.world->self, &dice, sizeof dice);
    return delay_ns / 2 + (int64_t)(dice % (uint64_t)(delay_ns / 2 + 1));
}

/* A connection that lasted begins anew with short delays; one that fell at once does not. */
void keep_ended(struct links *l, const struct conn *c)
{
    struct kept *k = find(l, c->kept);

    if (!k || k->link != c->id)
        return;
    k->link = 0;
    if (c->up && links_time(l) - c->up_ns >= KEEP_DELAY_MOST_NS)
        k->delay_ns = KEEP_DELAY_LEAST_NS;
    if (c->refused)
        k->delay_ns = KEEP_DELAY_MOST_NS;
    k->dial_ns = links_time(l) + some_of(l, k->delay_ns);
    if (k->at == 0) { /* a round of all endpoints */
        k->delay_ns *= 2;
        if (k->delay_ns > KEEP_DELAY_MOST_NS)
            k->delay_ns = KEEP_DELAY_MOST_NS;
    }
}

/* The best endpoint is tried first again next time. */
void keep_up(struct links *l, const struct conn *c)
{
    struct kept *k = find(l, c->kept);

    if (k)
        k->at = 0;
}

void keep_due(struct links *l, int64_t now_ns)
{
    for (struct kept *k = l->kept; k; k = k->next)
        if (!k->link && k->dial_ns <= now_ns)
            dial(l, k);
}

int64_t keep_next(const struct links *l)
{
    int64_t at = INT64_MAX;

    for (const struct kept *k = l->kept; k; k = k->next)
        if (!k->link && k->dial_ns < at)
            at = k->dial_ns;
    return at;
}

void keep_release(struct links *l)
{
    while (l->kept) {
        struct kept *k = l->kept;

        l->kept = k->next;
        free_kept(k);
    }
}
