/*
 * image_sample - a small module and an image of it, stopped four frames deep.
 *
 * The module has each kind of call, loops, an imported function, two tables, a memory, globals of
 * most types and segments of all modes. tests/golden holds the image of every format version: what
 * sample_init makes must not change.
 */
#ifndef TERN_TESTS_IMAGE_SAMPLE_H
#define TERN_TESTS_IMAGE_SAMPLE_H

#include "image/image.h"

enum {
    SAMPLE_PAUSE = 0, /* imported [i32]->[], in table 0 */
    SAMPLE_START = 1, /* the start function: a loop */
    SAMPLE_MAIN = 2,  /* _start, locals v128 and funcref; calls 3, type 1, type 2, 5, 6, 4 */
    SAMPLE_WORK = 3,  /* [i32 f64]->[i64], a local i64, in table 0; a loop, calls 0, 3 */
    SAMPLE_TWIN = 4,  /* of the same type, in no table; a loop */
    SAMPLE_LEAF = 5,  /* a loop */
    SAMPLE_WIDE = 6,  /* likewise, with 1,020 locals i32 */

    SAMPLE_FRAMES_MAX = 8,
    SAMPLE_VALUES_MAX = 1100,
};

struct sample {
    struct bytes binary;
    struct wasm_module module;
    struct image image;
    struct state_frame frames[SAMPLE_FRAMES_MAX];
    uint8_t values[SAMPLE_FRAMES_MAX][SAMPLE_VALUES_MAX * STATE_VALUE_BYTES];
    struct state_instance instance;
    struct state_global globals[6];
    struct state_table tables[2];
    uint8_t refs[2][6 * 8];
    uint8_t data_dropped[2], elem_dropped[3];
    struct state_fd fds[6];
    uint8_t lists[2 * IMAGE_HASH_BYTES];
};

/* Aborts if anything fails: then the sample itself is wrong. */
void sample_init(struct sample *s);
void sample_release(struct sample *s);

/*
 * Makes frame n stand at a safepoint of a function, the `nth` of those (not) inside of a call, with
 * values that are 0. Of an imported function: about to be called.
 */
struct state_frame *sample_frame(struct sample *s, uint32_t n, uint32_t func, bool inside,
                                 uint32_t nth);
/* The i-th value of frame n. */
uint8_t *sample_value(struct sample *s, uint32_t n, uint32_t i);

/* A module with the section of `id` left out: a test of what depends on it. */
struct bytes sample_module_without(uint8_t id);

#endif
