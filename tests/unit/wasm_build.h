/*
 * wasm_build - puts binary modules together for tests.
 *
 * Bytes are written as hexadecimal text, spaces free: "41 2a" is i32.const 42. All functions fail
 * the test at once where memory or the text is bad; what is built belongs to the caller.
 */
#ifndef TERN_TESTS_WASM_BUILD_H
#define TERN_TESTS_WASM_BUILD_H

#include "base/bytes.h"
#include "wasm/module.h"

void build_hex(struct bytes *b, const char *hex);
void build_u32(struct bytes *b, uint32_t number); /* LEB128 */
void build_name(struct bytes *b, const char *name);
/* The eight bytes that every module begins with. */
void build_header(struct bytes *b);
/* Appends the section and empties its contents. */
void build_section(struct bytes *b, uint8_t id, struct bytes *contents);
/* A function body: its size, its locals ("00" if none), its code without the final end. */
void build_body(struct bytes *b, const char *locals, const struct bytes *code);

/* The header, then sections as they stand in the text. */
struct bytes build_module(const char *hex);
/*
 * A module around one function of this type ("60 00 00") with these locals and this code, without
 * the final end. Around it: types 0 [i32 i64]->[f32], 1 []->[], 2 the function's, 3 [i32]->[i32
 * i32]; functions 0 (type 0, imported), 1 (the one), 2 (type 1); tables 0 of funcref, 1 of
 * externref; a memory; globals 0 i32, 1 mutable i64; passive element segments 0 of funcref, 1 of
 * externref; a passive data segment. Only function 2 is exported and in a segment.
 */
struct bytes build_around(const char *type, const char *locals, const struct bytes *code);
struct bytes build_around_hex(const char *type, const char *locals, const char *code);

/* A module with everything in it, many functions and names, so that each allocation is reached. */
struct bytes build_everything(void);

#endif
