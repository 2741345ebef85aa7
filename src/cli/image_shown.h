/*
 * image_shown - parts of an image for a person: numbers, values, names of functions, descriptors.
 *
 * Promise  What a stranger chose goes through bytes_append_shown.
 */
#ifndef TERN_CLI_IMAGE_SHOWN_H
#define TERN_CLI_IMAGE_SHOWN_H

#include "base/bytes.h"

#include "cli/image_look.h"
#include "translate/translate.h"

enum { SHOWN_TIME_BYTES = 32, SHOWN_HEX_BYTES = 2 * STATE_VALUE_BYTES + 3 };

/* "1,234" */
void shown_count(struct bytes *out, uint64_t n);
/* "1,234 pages", "1 page" */
void shown_count_of(struct bytes *out, uint64_t n, const char *what);
void shown_size(struct bytes *out, uint64_t size_bytes);
/* "2.5 s" */
void shown_duration(struct bytes *out, uint64_t ns);
/* Local time, to the second. */
const char *shown_time(int64_t wall_ns, char out[SHOWN_TIME_BYTES]);

/* "main", "wasi_snapshot_preview1.fd_read"; nothing if it has no name. */
void shown_function(struct bytes *out, const struct wasm_module *m, uint32_t func);
/* "inside a call", "about to execute loop", "about to be called" */
void shown_place(struct bytes *out, const struct wasm_module *m, const struct state_frame *f);

const char *shown_type(uint8_t letter);
/* "42", "0.5 (0x3f000000)", "func 7", "null" */
void shown_value(struct bytes *out, uint8_t letter, const uint8_t *value);
/* "0.5" alone; letter: 'f' or 'd' */
void shown_float(struct bytes *out, uint8_t letter, const uint8_t *value);
uint64_t value_u64(const uint8_t *value);
/* "0x" and all of the value's bytes as one number. */
const char *shown_bits(uint8_t letter, const uint8_t *value, char out[SHOWN_HEX_BYTES]);

/* How many of a table's elements are null. */
uint32_t shown_nulls(const struct state_table *t);

/* "standard", "preopened", "file", "directory" */
const char *shown_fd_kind(uint8_t kind);
/* "append, nonblock"; nothing if none */
void shown_fd_flags(struct bytes *out, uint16_t flags);
/* What a descriptor leads to: "standard output", "dir/file". */
void shown_fd_path(struct bytes *out, const struct image_look *l, const struct state_fd *fd);

/* The letters of a frame's values. Remembers the function it saw last: recursions are deep. */
struct frame_letters {
    struct translate_safepoints safepoints;
    uint32_t func;
    struct bytes letters; /* of the frame asked for */
    uint32_t local_count;
};

bool frame_letters_find(struct frame_letters *l, const struct wasm_module *m,
                        const struct state_frame *f);
void frame_letters_release(struct frame_letters *l);

uint32_t frame_locals(const struct wasm_module *m, uint32_t func);

#endif
