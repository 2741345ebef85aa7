/*
 * image_show - what tern image show prints of a checkpoint: as text, as JSON.
 */
#ifndef TERN_CLI_IMAGE_SHOW_H
#define TERN_CLI_IMAGE_SHOW_H

#include "cli/image_files.h"
#include "cli/image_look.h"

#include <jansson.h>

struct image_show {
    const char *dir;
    struct image_look look;
    uint64_t numbers[IMAGE_NUMBERS_MAX]; /* of those that are kept, newest first */
    size_t number_count;
    struct store_usage usage; /* of the whole directory */
    uint64_t before;          /* number of the checkpoint before; 0: none is kept */
    bool before_read;         /* its pages could be listed */
    size_t pages_shared, pages_used;
    uint64_t shared_stored_bytes; /* what the shared pages take on disk */
    struct image_files files;
    bool values; /* of frames, too */
};

void image_show_text(struct bytes *out, const struct image_show *s);
/* NULL: out of memory. */
json_t *image_show_json(const struct image_show *s);

#endif
