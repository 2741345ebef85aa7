/*
 * checkpoint_look - checkpoints for those who look at them: by number, page by page, chunk by
 * chunk.
 *
 * Does     Reads only. The store may be open for reading while another process adds checkpoints.
 * Trust    As checkpoint.h: whether an image fits to its module is for image_check.
 * Errors   TERN_ENOENT, TERN_ECORRUPT, TERN_EIO, TERN_ENOMEM and what image_decode says; *p says
 *          why.
 */
#ifndef TERN_OS_CHECKPOINT_LOOK_H
#define TERN_OS_CHECKPOINT_LOOK_H

#include "os/checkpoint.h"

/* The checkpoint of that number, among those that are kept. */
enum tern_err checkpoint_open_number(struct store *s, uint64_t number, struct checkpoint *out,
                                     struct problem *p);
/* Whether a checkpoint of that number is kept. */
bool checkpoint_is_kept(struct store *s, uint64_t number);

/* Appends the names of all pages of memory 0, in order; all 0: a page of zeros. */
enum tern_err checkpoint_pages(struct store *s, const struct checkpoint *c, struct bytes *out,
                               struct problem *p);

/*
 * Of the image's n-th inode, a file: names of the pages of its stretch `at` (of IMAGE_LIST_PAGES
 * pages, that are all 0 where it has no list); of a file without lists, all, as stretch 0.
 */
enum tern_err checkpoint_file_pages(struct store *s, const struct image *image, uint32_t n,
                                    uint32_t at, struct bytes *out);

struct checkpoint_survey {
    uint64_t chunks; /* beneath the root and with it, each once */
    uint64_t plain_bytes;
};

/*
 * Reads every chunk beneath a root, which checks its digest and its name, then opens the checkpoint
 * and sees whether its image names no memory but what hangs beneath the root.
 */
enum tern_err checkpoint_survey(struct store *s, const struct store_root *root,
                                struct checkpoint_survey *out, struct checkpoint *opened,
                                struct problem *p);

#endif
