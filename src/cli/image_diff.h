/*
 * image_diff - what changed between two checkpoints of one program: as text, as JSON.
 *
 * Frames are compared from the outermost on, since that is where a call stack stays the same.
 */
#ifndef TERN_CLI_IMAGE_DIFF_H
#define TERN_CLI_IMAGE_DIFF_H

#include "cli/image_files.h"
#include "cli/image_look.h"
#include "cli/image_pages.h"

#include <jansson.h>

struct image_diff {
    const char *dir;
    struct image_look from, to;
    struct page_changes pages;
    struct image_files_diff files;
    uint32_t frames_same;           /* outermost ones */
    uint64_t new_chunks, new_bytes; /* of all checkpoints behind `from`, up to `to` */
    bool all_kept;                  /* none of these was let go: the two above are all */
};

/* Fills what follows from the two looks. */
void image_diff_compare(struct image_diff *d);
void image_diff_release(struct image_diff *d);

/* What changed at index i; of descriptors: in the order of their numbers. */
bool image_diff_global(const struct image_diff *d, uint32_t i);

struct fd_change { /* NULL: closed, or not there before */
    const struct state_fd *from, *to;
};

/* Descriptors that differ, one after the other: *at and *to_at start at 0. False: no more. */
struct fd_cursor {
    uint32_t from, to;
};
bool image_diff_next_fd(const struct image_diff *d, struct fd_cursor *at, struct fd_change *out);

void image_diff_text(struct bytes *out, const struct image_diff *d);
/* NULL: out of memory. */
json_t *image_diff_json(const struct image_diff *d);

#endif
