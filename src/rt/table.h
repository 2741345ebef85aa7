/*
 * table - makes and frees tables; what generated code does to them is in tern_rt.h.
 *
 * Life     Every struct tern_table that generated code meets comes from table_new.
 * Memory   Address space for all that the table may grow to; pages as they are used.
 */
#ifndef TERN_RT_TABLE_H
#define TERN_RT_TABLE_H

#include "rt/tern_rt.h"

#include <stdbool.h>

/*
 * A table of limits->min null elements, taken from *budget, the elements that all tables with
 * this budget may still take; growing takes more, so it must live as long as the table. NULL if
 * they are too many or the system refuses.
 */
struct tern_table *table_new(char elemtype, const struct tern_limits *limits, uint32_t *budget);
void table_free(struct tern_table *table); /* NULL is fine */

#endif
