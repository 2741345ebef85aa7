/*
 * reader - reads numbers, names and runs of bytes from a module, never past its end.
 *
 * Errors   false, with *fault filled by the first failure (offset and the reason in the words of
 *          the specification's test suite: "unexpected end", "integer too large",
 *          "integer representation too long", "malformed UTF-8 encoding"). Out parameters are
 *          untouched then.
 */
#ifndef TERN_WASM_READER_H
#define TERN_WASM_READER_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct wasm_fault;

struct wasm_reader {
    const uint8_t *base; /* first byte of the module */
    uint32_t at;         /* offset of the next byte */
    uint32_t end;
};

struct wasm_reader reader_of(struct view module, uint32_t at, uint32_t end);
bool reader_done(const struct wasm_reader *r);

bool reader_u8(struct wasm_reader *r, uint8_t *out, struct wasm_fault *fault);
bool reader_u32(struct wasm_reader *r, uint32_t *out, struct wasm_fault *fault); /* LEB128 */
bool reader_s32(struct wasm_reader *r, int32_t *out, struct wasm_fault *fault);  /* LEB128 */
bool reader_s33(struct wasm_reader *r, int64_t *out, struct wasm_fault *fault);  /* LEB128 */
bool reader_s64(struct wasm_reader *r, int64_t *out, struct wasm_fault *fault);  /* LEB128 */
/* size bytes, little-endian, 1 to 8. */
bool reader_fixed(struct wasm_reader *r, uint32_t size, uint64_t *out, struct wasm_fault *fault);
bool reader_skip(struct wasm_reader *r, uint32_t size, struct view *out, struct wasm_fault *fault);
/* A length and that many bytes of UTF-8. */
bool reader_name(struct wasm_reader *r, struct view *out, struct wasm_fault *fault);

/* Fills *fault (never NULL) and returns false. */
bool reader_refuse(struct wasm_fault *fault, uint32_t offset, const char *reason);

#endif
