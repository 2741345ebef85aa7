/*
 * pool_text - tasks, nodes and data as text for people, on standard output.
 */
#ifndef TERN_CLI_POOL_TEXT_H
#define TERN_CLI_POOL_TEXT_H

#include "cli/pool.h"

/* One line; head: the names of the columns above it. */
void pool_text_task(const struct tern_result *r, bool head);
void pool_text_node(const struct tern_node *n, bool head);
void pool_text_depot(const struct tern_depot *d, bool head);
void pool_text_name(const struct tern_name *n, bool head, int64_t wall_of_zero_ns);
/* Everything of a task. */
void pool_text_detail(const struct tern_detail *d, int64_t wall_of_zero_ns);

#endif
