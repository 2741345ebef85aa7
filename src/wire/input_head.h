/*
 * input_head - the head of the file that keeps a program's standard input until a checkpoint has
 * passed it.
 *
 * Format   "TERNINP1", u64 little-endian: 0, or 1 + the length of the input, which ends there;
 *          zeros up to INPUT_HEAD_BYTES. Then the input: byte n stands at INPUT_HEAD_BYTES + n.
 *          What checkpoints have passed may be a hole. A length that the file is not of says
 *          nothing: there was more behind what seemed to be the end.
 * Errors   Decoding: false for anything else.
 */
#ifndef TERN_WIRE_INPUT_HEAD_H
#define TERN_WIRE_INPUT_HEAD_H

#include <stdbool.h>
#include <stdint.h>

enum { INPUT_HEAD_BYTES = 4096, INPUT_MARK_BYTES = 16 };

/* Of any input: places in the file stay numbers. */
#define INPUT_BYTES_MAX (UINT64_C(1) << 62)

/* The bytes in front. */
void input_head_encode(bool ended, uint64_t length, uint8_t out[INPUT_MARK_BYTES]);
bool input_head_decode(const uint8_t from[INPUT_MARK_BYTES], bool *ended, uint64_t *length);

#endif
