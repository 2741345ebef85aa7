/*
 * func_graph - the instructions of a function and where each can go next, spelled out one by one:
 * what clever analyses are compared with.
 *
 * Memory   func_graph_release frees everything; what fails stops the test.
 */
#ifndef TERN_TESTS_FUNC_GRAPH_H
#define TERN_TESTS_FUNC_GRAPH_H

#include "base/bytes.h"
#include "wasm/insn.h"

struct func_graph {
    const struct wasm_module *module;
    uint32_t func;
    uint32_t count;
    struct wasm_insn *insn;
    uint32_t *end;   /* of an opening (or else): its end's number */
    uint32_t *other; /* of an if: its else, or its end */
    struct bytes edges;
    uint32_t *first; /* per instruction, and one behind: where its edges begin */
    bool *reached;   /* from the function's beginning */
};

struct func_graph func_graph_of(const struct wasm_module *m, uint32_t func);
void func_graph_release(struct func_graph *g);

/* Where instruction i goes next: *count of them. */
const uint32_t *func_graph_next(const struct func_graph *g, uint32_t i, uint32_t *count);
/* The instruction at an offset of the module; UINT32_MAX: none begins there. */
uint32_t func_graph_at(const struct func_graph *g, uint32_t offset);
/* A call with a safepoint behind it. */
bool func_graph_stops(const struct func_graph *g, uint32_t i);
/* Marks what can be reached from `from` (itself only if it is come back to), never going on from
 * the instructions of `wall`. */
void func_graph_spread(const struct func_graph *g, uint32_t from, const bool *wall, bool *marked);

#endif
