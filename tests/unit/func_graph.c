#include "func_graph.h"

#include "wasm/suspend.h"

#include <stdlib.h>

static void *room(size_t count, size_t size)
{
    void *p = calloc(count + 1, size);

    if (!p)
        abort();
    return p;
}

static void list_instructions(struct func_graph *g)
{
    const struct wasm_func *f = &g->module->funcs[g->func];
    struct wasm_reader r = reader_of(g->module->bytes, f->code_offset, f->code_end);
    struct wasm_fault fault;

    g->insn = room(f->insn_count, sizeof *g->insn);
    while (!reader_done(&r)) {
        if (insn_decode(&r, &g->insn[g->count++], &fault) != TERN_OK)
            abort();
    }
}

static bool opens(enum wasm_op op)
{
    return op == WASM_OP_BLOCK || op == WASM_OP_LOOP || op == WASM_OP_IF;
}

/* Pairs openings with what closes them. */
static void pair(struct func_graph *g)
{
    uint32_t *open = room(g->count, sizeof *open), depth = 0;

    g->end = room(g->count, sizeof *g->end);
    g->other = room(g->count, sizeof *g->other);
    for (uint32_t i = 0; i < g->count; i++) {
        if (opens(g->insn[i].op)) {
            open[depth++] = i;
        } else if (g->insn[i].op == WASM_OP_ELSE) {
            g->other[open[depth - 1]] = i;
        } else if (g->insn[i].op == WASM_OP_END && depth > 0) {
            const uint32_t at = open[--depth];

            g->end[at] = i;
            if (g->other[at])
                g->end[g->other[at]] = i;
            else
                g->other[at] = i;
        }
    }
    free(open);
}

static void edge(struct func_graph *g, uint32_t to)
{
    bytes_append(&g->edges, &to, sizeof to);
}

struct ways { /* the blocks around */
    uint32_t *open;
    uint32_t depth;
};

static void edge_to_label(struct func_graph *g, const struct ways *w, uint32_t label)
{
    if (label == w->depth)
        edge(g, g->count - 1); /* the function's own end */
    else if (g->insn[w->open[w->depth - 1 - label]].op == WASM_OP_LOOP)
        edge(g, w->open[w->depth - 1 - label]);
    else
        edge(g, g->end[w->open[w->depth - 1 - label]]);
}

static void edges_of(struct func_graph *g, const struct ways *w, uint32_t i)
{
    const struct wasm_insn *insn = &g->insn[i];
    struct wasm_reader labels = insn->labels;

    switch ((int)insn->op) {
    case WASM_OP_RETURN:
    case WASM_OP_UNREACHABLE: return;
    case WASM_OP_BR: edge_to_label(g, w, insn->index); return;
    case WASM_OP_BR_TABLE:
        for (uint32_t k = 0; k <= insn->label_count; k++)
            edge_to_label(g, w, insn_next_label(&labels));
        return;
    case WASM_OP_ELSE: edge(g, g->end[i]); return; /* from the part before it */
    case WASM_OP_IF: edge(g, g->other[i] == g->end[i] ? g->end[i] : g->other[i] + 1); break;
    case WASM_OP_BR_IF: edge_to_label(g, w, insn->index); break;
    default: break;
    }
    if (i + 1 < g->count)
        edge(g, i + 1);
}

static void connect(struct func_graph *g)
{
    struct ways w = {.open = room(g->count, sizeof *w.open)};

    g->first = room(g->count + 1, sizeof *g->first);
    for (uint32_t i = 0; i < g->count; i++) {
        g->first[i] = (uint32_t)(g->edges.size / sizeof(uint32_t));
        edges_of(g, &w, i);
        if (opens(g->insn[i].op))
            w.open[w.depth++] = i;
        else if (g->insn[i].op == WASM_OP_END && w.depth > 0)
            w.depth--;
    }
    g->first[g->count] = (uint32_t)(g->edges.size / sizeof(uint32_t));
    if (!bytes_ok(&g->edges))
        abort();
    free(w.open);
}

struct func_graph func_graph_of(const struct wasm_module *m, uint32_t func)
{
    struct func_graph g = {.module = m, .func = func};
    bool *no_wall;

    list_instructions(&g);
    pair(&g);
    connect(&g);
    no_wall = room(g.count, sizeof *no_wall);
    g.reached = room(g.count, sizeof *g.reached);
    func_graph_spread(&g, 0, no_wall, g.reached);
    g.reached[0] = true;
    free(no_wall);
    return g;
}

void func_graph_release(struct func_graph *g)
{
    free(g->insn);
    free(g->end);
    free(g->other);
    free(g->first);
    free(g->reached);
    bytes_release(&g->edges);
}

const uint32_t *func_graph_next(const struct func_graph *g, uint32_t i, uint32_t *count)
{
    *count = g->first[i + 1] - g->first[i];
    return (const uint32_t *)(const void *)g->edges.data + g->first[i];
}

uint32_t func_graph_at(const struct func_graph *g, uint32_t offset)
{
    for (uint32_t i = 0; i < g->count; i++) {
        if (g->insn[i].offset == offset)
            return i;
    }
    return UINT32_MAX;
}

bool func_graph_stops(const struct func_graph *g, uint32_t i)
{
    if (g->insn[i].op == WASM_OP_CALL)
        return suspend_after_call(g->module, g->func, g->insn[i].index);
    if (g->insn[i].op == WASM_OP_CALL_INDIRECT)
        return suspend_after_indirect(g->module, g->func, g->insn[i].index);
    return false;
}

void func_graph_spread(const struct func_graph *g, uint32_t from, const bool *wall, bool *marked)
{
    uint32_t *todo = room(g->count + 1, sizeof *todo), size = 1;

    todo[0] = from;
    while (size > 0) {
        const uint32_t at = todo[--size];
        uint32_t count;
        const uint32_t *next = func_graph_next(g, at, &count);

        for (uint32_t k = 0; k < count; k++) {
            if (marked[next[k]])
                continue;
            marked[next[k]] = true;
            if (!wall[next[k]])
                todo[size++] = next[k];
        }
    }
    free(todo);
}
