/*
 * image - a stopped program as a whole, as it is kept: the public format, and what makes it safe.
 *
 * Format    proto/image.proto. The root message (struct image: module hash, struct state, the
 *           lists of memory) is one chunk or, where larger, a run of them; memory is a list of
 *           names, two levels deep: 1,024 pages of 4 KiB to a list, so that an unchanged stretch
 *           of 4 MiB costs one name. A page of zeros has no chunk: its name is all 0, and so is
 *           that of a list of zero pages. Pages are 4 KiB on every host. Files of the private tree
 *           have their pages' names in the root while they are few, else in lists of that kind;
 *           there, a name that is all 0 is a hole, and a page of zeros has a chunk like any other.
 * Untrusted image_decode and image_check take whatever bytes somebody made: sizes are checked
 *           before anything is allocated, and nothing of the image is believed that the module does
 *           not allow. An image that passes can do no more than the program itself could: frames
 *           stand at safepoints with the values that the validator knows there, callers are inside
 *           calls of their callees, tables hold functions of the module, memory has a size that
 *           the module may have. Rights are not in an image.
 * Memory    Everything decoded hangs in the image's arena, nothing borrows the bytes.
 * Errors    TERN_EPROTO (not an image, or a version that this build does not know), TERN_EINVALID
 *           (does not fit to the module), TERN_ETOOBIG, TERN_ENOMEM; *p says where and why
 *           ("frame 3, function 12 at 0x345: ...").
 */
#ifndef TERN_IMAGE_IMAGE_H
#define TERN_IMAGE_IMAGE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "wasm/module.h"
#include "wire/state.h"

enum {
    IMAGE_VERSION = 1,
    IMAGE_HASH_BYTES = 32,
    IMAGE_PAGE_BYTES = 4096,
    IMAGE_LIST_PAGES = 1024, /* of a second-level list: 4 MiB */
    IMAGE_LIST_BYTES = IMAGE_LIST_PAGES * IMAGE_HASH_BYTES,
    IMAGE_ROOT_BYTES_MAX = 1 << 30,
    IMAGE_FILE_DIRECT_PAGES = 32, /* a file with more has lists */
};

struct image_list {
    uint32_t index; /* of the file's stretch of IMAGE_LIST_PAGES pages */
    const uint8_t *name;
};

struct image_file {       /* where the contents of an inode are; empty if it is no file */
    const uint8_t *pages; /* names of all of them, of a file with few; 0: a hole */
    uint32_t page_count;
    const struct image_list *lists; /* of a larger one, by index; those of holes are left out */
    uint32_t list_count;
};

struct image {
    struct arena arena;
    uint8_t module_sha256[IMAGE_HASH_BYTES];
    uint64_t module_bytes;
    struct state state;
    /* Names of the second-level lists of memory 0, in order: memory_pages * 16 / IMAGE_LIST_PAGES,
     * rounded up. All 0: nothing but zeros. */
    const uint8_t *lists;
    uint32_t list_count;
    uint64_t limits_memory_pages; /* that the run was allowed: memory.grow fails beyond */
    uint64_t limits_stack_cells;
    bool deterministic;
    const struct image_file *files; /* one for each inode of state.tree, which has no runs then */
    uint64_t limits_files_bytes;    /* 0: there is no tree */
};

/*
 * Canonical: equal images give equal bytes. The state has exactly one instance, and the image as
 * many lists as its memory has. TERN_ENOMEM, TERN_ETOOBIG.
 */
enum tern_err image_encode(const struct image *image, struct bytes *out);
/* *image need not be initialised; on failure it is empty. */
enum tern_err image_decode(struct image *image, struct view bytes, struct problem *p);
void image_release(struct image *image);

/* Whether the module (validated, of these very bytes) can be in this state. */
enum tern_err image_check(const struct image *image, const struct wasm_module *m,
                          const uint8_t module_sha256[IMAGE_HASH_BYTES], struct problem *p);
/* The same of a call that began with function `entry`, whatever that is called or takes. */
enum tern_err image_check_call(const struct image *image, const struct wasm_module *m,
                               const uint8_t module_sha256[IMAGE_HASH_BYTES], uint32_t entry,
                               struct problem *p);

#endif
