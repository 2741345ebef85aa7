/*
 * json_text - bytes of any kind as JSON strings.
 *
 * Errors   NULL when memory has run out.
 */
#ifndef TERN_CLI_JSON_TEXT_H
#define TERN_CLI_JSON_TEXT_H

#include "base/bytes.h"

#include <jansson.h>

/* Releases b, which holds UTF-8. */
json_t *json_text_take(struct bytes *b);
/* Bytes that are not printable ASCII, and '%', as %XX. */
json_t *json_text_escaped(struct view text);
json_t *json_text_hex(const uint8_t *bytes, size_t size);

#endif
