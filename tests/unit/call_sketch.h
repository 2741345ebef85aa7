/*
 * call_sketch - modules of which only matters who calls whom.
 *
 * Memory   What is built belongs to the caller; what fails stops the test.
 */
#ifndef TERN_TESTS_CALL_SKETCH_H
#define TERN_TESTS_CALL_SKETCH_H

#include "base/bytes.h"

enum { FUNCS_MAX = 24, CALLS_MAX = 64 };

enum sharing {
    SHARES_NOTHING,
    IMPORTS_TABLE,
    EXPORTS_TABLE,
    IMPORTS_GLOBAL,
    EXPORTS_GLOBAL,   /* a mutable one */
    EXPORTS_CONSTANT, /* an immutable one: nobody can put a function there */
    EXPORTS_FUNCTION, /* the last one, which takes a reference */
    IMPORTS_FUNCTION, /* one more, the first one, which gives a reference */
    SHARINGS
};

struct call_of {
    bool indirect;
    uint32_t to; /* function; type: 0, 1, 2 or 5, which is 2's equal */
};

struct func_of {
    uint32_t type; /* 0, 1: [] -> []; 2: [i32] -> [] */
    bool loops, referred;
    uint32_t fill; /* further instructions */
    struct call_of calls[CALLS_MAX];
    uint32_t call_count;
};

struct sketch { /* function 0 is imported and of type 0 */
    struct func_of funcs[FUNCS_MAX];
    uint32_t count; /* with function 0 */
    enum sharing sharing;
};

/* A function's number in the module: an imported one may come between. */
uint32_t sketch_number(const struct sketch *s, uint32_t func);
struct bytes sketch_build(const struct sketch *s);

#endif
