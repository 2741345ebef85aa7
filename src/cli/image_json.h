/*
 * image_json - parts of an image as JSON, for image show and image diff.
 *
 * Errors   NULL when memory has run out, also for what would hold a part that is NULL.
 */
#ifndef TERN_CLI_IMAGE_JSON_H
#define TERN_CLI_IMAGE_JSON_H

#include "cli/image_look.h"
#include "cli/image_shown.h"

#include <jansson.h>

/* {"type": ..., "value": ..., "bits": ... of floats} */
json_t *image_json_value(uint8_t letter, const uint8_t *value);
/* letters: NULL: without values. */
json_t *image_json_frame(const struct wasm_module *m, const struct state_frame *f,
                         struct frame_letters *letters);
json_t *image_json_fd(const struct image_look *l, const struct state_fd *fd);
/* Of struct page_range: [{"first": ..., "count": ...}] */
json_t *image_json_ranges(const struct bytes *ranges);

#endif
