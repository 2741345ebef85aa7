/*
 * check - the parts of image_check, one for each kind of thing that an image says.
 *
 * Errors   TERN_EINVALID, *p filled with one sentence; TERN_ENOMEM.
 */
#ifndef TERN_IMAGE_CHECK_H
#define TERN_IMAGE_CHECK_H

#include "image/image.h"

struct checker {
    const struct image *image;
    const struct state *state;
    const struct wasm_module *m;
    uint64_t limit_pages; /* of the run */
    uint64_t limit_cells;
    const uint32_t *entry; /* that the outermost frame is of; NULL: what a program begins with */
    struct problem *p;
};

/* Globals, tables, dropped segments, memory. */
enum tern_err check_instance(const struct checker *c);
/* Each frame by itself, each call between two, and the room for all. */
enum tern_err check_frames(const struct checker *c);
/* The private file tree: what state_tree_check says, and where contents are. */
enum tern_err check_tree(const struct checker *c);
/* Counters and descriptors. */
enum tern_err check_host(const struct checker *c);

/*
 * What is wrong with a value of this type, as the end of a sentence ("is ..."); NULL: nothing.
 * References: of a function that some reference in the module can name, of no externref.
 */
const char *check_value(const struct wasm_module *m, uint8_t letter, const uint8_t *value);
/* The same of a reference alone; letter: 'r' or 'e'. */
const char *check_ref(const struct wasm_module *m, uint8_t letter, const uint8_t *ref);

#endif
