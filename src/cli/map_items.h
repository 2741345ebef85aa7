/*
 * map_items - what a program is to be run for, each: lines of a file or of standard input, numbers.
 */
#ifndef TERN_CLI_MAP_ITEMS_H
#define TERN_CLI_MAP_ITEMS_H

#include "cli/command.h"

enum { MAP_ITEMS_MAX = 4000000, MAP_ITEM_BYTES = 4096 };

/* Each has an index, by which its results are named: of those that are done again, the first one. */
struct map_items {
    char **item;
    uint64_t *index;
    size_t count, capacity;
};

/* By --each, --retry, --range or --stdin. False after a line on standard error. */
bool map_items_take(const struct invocation *in, struct map_items *out);
void map_items_release(struct map_items *m);

#endif
