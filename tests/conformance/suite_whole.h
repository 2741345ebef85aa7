/*
 * suite_whole - a stop of the suite as a whole image: written to a store, read back, checked; what
 * the instance was is overwritten with garbage, and put back from what was read.
 *
 * Full     All frames are of one instance, which has imported nothing but host functions and refers
 *          to nobody else's functions: as programs are. image_check must accept its image.
 * Partly   Else: frames of several instances, imported memory, tables or globals, references to the
 *          functions of others, or externref. The frames of all go through the image, and what the
 *          outermost's instance defines itself; what belongs to others stays as it is. image_check
 *          is not asked: it refuses what no program can be.
 * Not here Where the stops are, and continuations: suite_torture.
 */
#ifndef TERN_SUITE_WHOLE_H
#define TERN_SUITE_WHOLE_H

#include "rt/instance.h"
#include "rt/suspend.h"

/* False: this build has it not (it is for this machine's processor only), or *why. */
bool whole_init(const char *dir, uint32_t stack_cells, const char **why);

/* Each instance, with the bytes of its module. False: no memory, or no module. */
bool whole_know(struct tern_instance *in, const uint8_t *bytes, size_t size);

/*
 * The program has stopped in a call of function `entry` of `in`, which is number 0: through the
 * image. False: it does not come through, as *why says.
 */
bool whole_go(struct tern_instance *in, uint32_t entry, const char **why);
/* The frames that came back, outermost first; until the next. */
uint32_t whole_frame_count(void);
const struct rt_frame *whole_frame(uint32_t n);

struct whole_counts {
    uint64_t full, partly;
};
struct whole_counts whole_counts(void);

#endif
