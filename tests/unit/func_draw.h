/*
 * func_draw - functions at random, valid and full of jumps: for analyses of single functions.
 *
 * What     A module of seven functions; DRAWN, of type [i32] -> [i32], is the random one. The
 * others can be called by it: an imported one, two of one instruction, one with a loop ... Stack
 * The types of all operands are noted at each loop and call, as they are drawn. Replay   Equal
 * seeds give equal modules. Memory   drawn_release frees everything; what fails stops the test.
 */
#ifndef TERN_TESTS_FUNC_DRAW_H
#define TERN_TESTS_FUNC_DRAW_H

#include "base/bytes.h"
#include "wasm/module.h"

enum { DRAWN = 4 }; /* the function's index */

struct drawn_place { /* a loop or call: offsets are counted from the function's first instruction */
    bool loop;
    uint32_t offset, next_offset;
    uint32_t callee; /* function; UINT32_MAX: called indirectly, by type */
    uint32_t type;   /* of the callee */
    size_t below;    /* where the letters of operands begin: without arguments or results */
    uint32_t below_count;
    size_t after; /* the same for those behind the call, with its results */
    uint32_t after_count;
};

struct drawn {
    struct bytes bytes;
    struct bytes places;  /* of struct drawn_place */
    struct bytes letters; /* of operands */
    struct wasm_module module;
};

/* `statements`: how many, at most, a body has at its first level; those inside have fewer. */
struct drawn func_draw(uint64_t seed, uint32_t statements);
void drawn_release(struct drawn *d);

#endif
