/*
 * kept_input - the file beside the checkpoints that keeps a program's standard input until a
 * checkpoint has passed it: wire/input_head.h. The runner fills it; here it is found, handed over,
 * and let go of from its beginning.
 *
 * Name     DIR/input-N of a program whose first checkpoint has, or will have, number N. A
 *          checkpoint belongs to the file with the largest N that is not above its own. So a
 *          program that is started anew beside old checkpoints spoils nothing before it has taken
 *          one itself.
 * Lock     Held by whoever has the descriptor, the runner too: while an old runner is still being
 *          ended, the next one waits.
 * Room     What the checkpoint before the newest had passed is given back (a hole in the file),
 *          where the file system can do that.
 * Damage   What the program had read since the checkpoint is summed up; where that is not what the
 *          file holds, it is not gone on with. What was taken in for it and not read is not.
 * Missing  A program that has read from it is not gone on with: what it read since may be needed.
 * Power    After a power cut the file has at least what its checkpoints say: kept_input_sync.
 */
#ifndef TERN_OS_KEPT_INPUT_H
#define TERN_OS_KEPT_INPUT_H

#include "base/error.h"
#include "wire/state.h"

struct kept_input {
    int fd;          /* -1: none */
    uint64_t passed; /* by the newest checkpoint */
};

/* For a program that begins; newest: the number of the newest checkpoint in dir, 0: there is none.
 * TERN_EIO, TERN_ECORRUPT; *out is untouched then. */
enum tern_err kept_input_begin(const char *dir, uint64_t newest, struct kept_input *out,
                               struct problem *p);
/* For one that goes on from this checkpoint, the newest. TERN_ENOENT: it is missing. */
enum tern_err kept_input_find(const char *dir, uint64_t checkpoint, const struct state *s,
                              struct kept_input *out, struct problem *p);
void kept_input_release(struct kept_input *k);

/* What it holds is on the disk then: before a checkpoint is committed. 0 or a negative errno. */
int kept_input_sync(const struct kept_input *k);
/* A checkpoint that had read so much is committed. */
void kept_input_pass(struct kept_input *k, uint64_t input_bytes);

#endif
