#include "drive/carry_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct depots *depots_new(struct links *l)
{
    struct depots *d = calloc(1, sizeof *d);

    if (d)
        d->links = l;
    return d;
}

void depots_free(struct depots *d)
{
    if (!d)
        return;
    while (d->carries)
        carry_free(d, d->carries);
    while (d->depots) {
        struct depot *depot = d->depots;

        d->depots = depot->next;
        arena_release(&depot->arena);
        free(depot);
    }
    free(d);
}

static struct depot *find(const struct depots *d, const char *name)
{
    struct depot *depot = d->depots;

    while (depot && strcmp(depot->name, name) != 0)
        depot = depot->next;
    return depot;
}

static struct depot *add(struct depots *d, const char *name)
{
    struct depot *depot = calloc(1, sizeof *depot);

    if (!depot)
        return NULL;
    snprintf(depot->name, sizeof depot->name, "%s", name);
    depot->peer = (struct transfer_peer){.links = d->links, .name = depot->name};
    depot->next = d->depots;
    d->depots = depot;
    return depot;
}

struct depot *carry_depot(struct depots *d, const Tern__DepotAt *at)
{
    struct depot *depot = find(d, at->name);
    struct arena arena = {0};
    Tern__DepotAt *copy = message_copy(&at->base, &arena);

    if (!depot && copy)
        depot = add(d, at->name);
    if (!copy || !depot) {
        arena_release(&arena);
        return NULL;
    }
    arena_release(&depot->arena);
    depot->arena = arena;
    depot->at = copy;
    depot->peer.capability = copy->capability;
    return depot;
}

const char *carry_depot_name(const struct depot *depot)
{
    return depot->name;
}

const Tern__Capability *carry_depot_capability(const struct depot *depot)
{
    return depot->at->capability;
}

static size_t endpoint_count(const struct depot *depot)
{
    return depot->at->endpoints ? depot->at->endpoints->n_at : 0;
}

static void dial(struct depots *d, struct depot *depot)
{
    depot->up = false;
    depot->link = links_dial(d->links, depot->at->endpoints->at[depot->endpoint]);
}

link_id carry_depot_link(struct depots *d, struct depot *depot)
{
    if (depot->up)
        return depot->link;
    if (!depot->link && endpoint_count(depot)) {
        depot->endpoint = 0;
        dial(d, depot);
    }
    return 0;
}

struct depot *depots_of_link(const struct depots *d, link_id link)
{
    struct depot *depot = d->depots;

    while (depot && depot->link != link)
        depot = depot->next;
    return depot;
}

bool carry_up(struct depots *d, link_id link)
{
    struct depot *depot = depots_of_link(d, link);

    if (!depot)
        return false;
    depot->up = true;
    depot->peer.link = link;
    depot->peer.number = 0;
    carry_depot_up(d, depot);
    return true;
}

bool carry_down(struct depots *d, link_id link, enum tern_err err, const char *why)
{
    struct depot *depot = depots_of_link(d, link);
    const bool was_up = depot && depot->up;

    if (!depot)
        return false;
    snprintf(depot->why, sizeof depot->why, "%s", why ? why : "");
    depot->up = false;
    depot->link = 0;
    if (!was_up && depot->endpoint + 1 < endpoint_count(depot)) {
        depot->endpoint++;
        dial(d, depot);
        return true;
    }
    carry_depot_down(d, depot, err);
    return true;
}
