/*
 * output - what a reader has been shown of a task's output, so that no byte is shown twice.
 *
 * Does     Takes pieces as they come, provisional or committed, by their offsets; says what of each
 *          is new. A task that goes on from a checkpoint writes again what came behind it: that is
 *          compared with what was shown, as far as it is remembered (OUTPUT_RECENT_MAX bytes).
 * Gap      A piece that begins behind what was shown is not taken: what lies in between has to come
 *          first.
 */
#ifndef TERN_DRIVE_OUTPUT_H
#define TERN_DRIVE_OUTPUT_H

#include "base/bytes.h"

enum { OUTPUT_RECENT_MAX = 1 << 20 };

struct output {
    uint64_t shown;      /* offset of the next byte to show */
    struct bytes recent; /* the last bytes that were shown */
};

struct output_piece {
    bool gap;
    bool differs;      /* what was shown from `at` on does not count */
    uint64_t at;       /* offset of */
    struct view bytes; /* what is to be shown now; perhaps nothing */
};

void output_init(struct output *o, uint64_t from);
void output_release(struct output *o);

struct output_piece output_take(struct output *o, uint64_t offset, struct view bytes);
/* There is nothing behind this offset. */
struct output_piece output_end(struct output *o, uint64_t size);

#endif
