/*
 * checkpoint_root - the chunk that a checkpoint hangs on, and what hangs beneath it.
 *
 * Format   "TERNCHK1", the u32 counts of names that follow (settings, module, image, memory lists),
 *          the names, 32 bytes each; little-endian. Settings, module and image are runs of chunks
 *          of at most STORE_CHUNK_MAX; memory lists are as image.h says. A name that is all 0 has
 *          no chunk. Where the program has files of its own it is "TERNCHK2", and a fifth part
 *          names chunks of names of lists, at most 32,768 each; beneath these lists, which are
 *          like those of memory, hang all pages of files.
 */
#ifndef TERN_STORE_CHECKPOINT_ROOT_H
#define TERN_STORE_CHECKPOINT_ROOT_H

#include "store/store.h"

enum root_part { ROOT_SETTINGS, ROOT_MODULE, ROOT_IMAGE, ROOT_LISTS, ROOT_FILES, ROOT_PARTS };

enum { ROOT_BYTES_MAX = STORE_CHUNK_MAX };

struct root {
    bool has_files;
    uint32_t count[ROOT_PARTS];
    const uint8_t *names[ROOT_PARTS]; /* borrowed */
};

/* TERN_ETOOBIG. */
enum tern_err root_encode(const struct root *r, struct bytes *out);
/* False: it is none. */
bool root_decode(struct root *r, struct view plain);

#endif
