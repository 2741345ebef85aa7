/*
 * pool_json - tasks, nodes and data as JSON, the same wherever they appear: docs/commands-json.md.
 *
 * Errors   NULL when memory has run out.
 */
#ifndef TERN_CLI_POOL_JSON_H
#define TERN_CLI_POOL_JSON_H

#include "cli/pool.h"

#include <jansson.h>

json_t *pool_json_task(const struct tern_result *r);
json_t *pool_json_detail(const struct tern_detail *d);
json_t *pool_json_node(const struct tern_node *n);
json_t *pool_json_depot(const struct tern_depot *d);
json_t *pool_json_name(const struct tern_name *n);
json_t *pool_json_reason(const struct tern_reason *r);
json_t *pool_json_pool(const struct tern_pool *p);
json_t *pool_json_blob(const struct tern_blob *b);

/* To standard output on one line, flushed; releases value. */
void pool_json_line_take(json_t *value);

#endif
