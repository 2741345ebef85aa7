/*
 * suite_value - the values of a script's lines: see suite_prepare.c for how they are written.
 */
#ifndef TERN_SUITE_VALUE_H
#define TERN_SUITE_VALUE_H

#include "rt/tern_rt.h"

#include <stdbool.h>

enum { VALUE_TEXT_BYTES = 64 };

/* word is an argument: exact. */
void value_decode(const char *word, union tern_cell *out);
/* word is what is expected of a result of type `letter`. */
bool value_matches(const char *word, char letter, const union tern_cell *got);
void value_describe(char letter, const union tern_cell *value, char out[VALUE_TEXT_BYTES]);

#endif
