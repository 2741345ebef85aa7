/*
 * input_head - the head of the file that keeps a program's standard input until a checkpoint has
 * passed it.
 *
 * Format   "TERNINP1"; then u64, little-endian: 0, or 1 + the length of the input, which ends
 *          there; how many bytes the program has been given; their sum; the sum of the 32 bytes
 *          in front of it; zeros up to INPUT_HEAD_BYTES. Then the input: byte n stands at
 *          INPUT_HEAD_BYTES + n. What checkpoints have passed may be a hole. A length that the
 *          file is not of says nothing: there was more behind what seemed to be the end.
 * Sum      So that what was damaged since is not given to the program for what it once read. Of
 *          bytes b: 1, then for each of them sum * INPUT_SUM_FACTOR + b, modulo 2^64. It goes on
 *          from where it was, so that a checkpoint has only to know it for what it has passed.
 * Older    A head with zeros behind the length: there is no sum.
 * Errors   Decoding: false for anything else.
 */
#ifndef TERN_WIRE_INPUT_HEAD_H
#define TERN_WIRE_INPUT_HEAD_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum { INPUT_HEAD_BYTES = 4096, INPUT_MARK_BYTES = 40 };

/* Of any input: places in the file stay numbers. */
#define INPUT_BYTES_MAX (UINT64_C(1) << 62)

#define INPUT_SUM_FACTOR UINT64_C(0x9E3779B97F4A7C15)
#define INPUT_SUM_NONE   UINT64_C(1) /* of no bytes */

struct input_head {
    bool ended;
    uint64_t length; /* if it ended: there */
    uint64_t summed; /* so many bytes have this sum; 0: there is none */
    uint64_t sum;
};

/* The bytes in front. */
void input_head_encode(const struct input_head *h, uint8_t out[INPUT_MARK_BYTES]);
bool input_head_decode(const uint8_t from[INPUT_MARK_BYTES], struct input_head *out);

/* Of what has `sum` and these bytes behind it. */
uint64_t input_sum(uint64_t sum, struct view more);

#endif
