/*
 * locate - which instruction of a module a machine address in its object came from.
 *
 * By the line table of the object (DWARF, read with libdw) and the translator's knowledge of
 * what it wrote on each line. An object of continuations is known by their points.
 */
#ifndef TERN_OS_LOCATE_H
#define TERN_OS_LOCATE_H

#include "translate/translate.h"

#include <stdbool.h>

struct locate_order {
    int object;
    const struct wasm_module *module;      /* validated */
    struct translate_options options;      /* that the object was made with */
    const struct translate_points *points; /* NULL, or those that it holds the continuations of */
};

/* pc is relative to the object. False if nobody knows. */
bool locate_pc(const struct locate_order *order, uint64_t pc, struct translate_place *out);

#endif
