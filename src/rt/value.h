/*
 * value - WebAssembly's values as bytes that mean the same on every machine: TERN_VALUE_BYTES
 * each, as tern_rt.h says.
 */
#ifndef TERN_RT_VALUE_H
#define TERN_RT_VALUE_H

#include "rt/tern_rt.h"

/* out: TERN_VALUE_BYTES. */
void value_save(char letter, const union tern_cell *from, uint8_t *out);
void value_restore(char letter, const uint8_t *from, union tern_cell *out);

#endif
