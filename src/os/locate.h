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

/*
 * pc is relative to the object. m must have been validated. points: NULL, or those of which the
 * object holds the continuations. False if nobody knows.
 */
bool locate_pc(int object, const struct wasm_module *m, const struct translate_points *points,
               uint64_t pc, struct translate_place *out);

#endif
