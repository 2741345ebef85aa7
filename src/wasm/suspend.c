/*
 * The call graph has a node for each function and, behind them, one for each canonical type: an
 * indirect call goes to its type, and a type to every function of it that a table may hold.
 * Tarjan's algorithm (SIAM J. Comput. 1, 1972) gives its strongly connected components, callees
 * before callers, so that one pass over them settles everything.
 */
#include "wasm/suspend.h"

#include "base/check.h"
#include "wasm/insn.h"

#include <stdlib.h>
#include <string.h>

struct graph {
    struct wasm_module *m;
    uint32_t node_count;
    uint32_t *first; /* per node, and one behind: where its edges begin */
    uint32_t *edge;  /* to which node */
    size_t edge_count, edge_capacity;
    uint32_t *work; /* per node that does not suspend: instructions that a call executes, at most */
    bool failed;
};

/* ---- Building the graph ---- */

static uint32_t type_node(const struct graph *g, uint32_t type)
{
    return g->m->func_count + g->m->types[type].canonical;
}

static void add_edge(struct graph *g, uint32_t to)
{
    if (g->edge_count == g->edge_capacity) {
        size_t capacity = g->edge_capacity * 2;
        uint32_t *grown = realloc(g->edge, capacity * sizeof *grown);

        if (!grown) {
            g->failed = true;
            return;
        }
        g->edge = grown;
        g->edge_capacity = capacity;
    }
    g->edge[g->edge_count++] = to;
}

static void add_calls(struct graph *g, const struct wasm_func *f)
{
    struct wasm_reader r = reader_of(g->m->bytes, f->code_offset, f->code_end);
    struct wasm_fault fault;
    struct wasm_insn insn;

    while (f->calls && !reader_done(&r) && !g->failed) {
        enum tern_err err = insn_decode(&r, &insn, &fault);

        check(err == TERN_OK); /* validated before */
        if (insn.op == WASM_OP_CALL)
            add_edge(g, insn.index);
        else if (insn.op == WASM_OP_CALL_INDIRECT)
            add_edge(g, type_node(g, insn.index));
    }
}

/* Functions of each type that a reference can reach, in one pass: by type, then by index. */
static void add_members(struct graph *g)
{
    const struct wasm_module *m = g->m;
    uint32_t *count = calloc(m->type_count + 1, sizeof *count);

    if (!count) {
        g->failed = true;
        return;
    }
    for (uint32_t i = 0; i < m->func_count; i++)
        count[module_func_type(m, i)->canonical] += m->func_declared[i];
    for (uint32_t t = 0; t < m->type_count; t++) {
        g->first[m->func_count + t] = (uint32_t)g->edge_count;
        for (uint32_t k = 0; k < count[t]; k++)
            add_edge(g, 0); /* filled below */
        count[t] = 0;
    }
    for (uint32_t i = 0; i < m->func_count && !g->failed; i++) {
        uint32_t t = module_func_type(m, i)->canonical;

        if (m->func_declared[i])
            g->edge[g->first[m->func_count + t] + count[t]++] = i;
    }
    free(count);
}

static void build(struct graph *g)
{
    for (uint32_t i = 0; i < g->m->func_count && !g->failed; i++) {
        g->first[i] = (uint32_t)g->edge_count;
        if (!g->m->funcs[i].imported)
            add_calls(g, &g->m->funcs[i]);
    }
    add_members(g);
    g->first[g->node_count] = (uint32_t)g->edge_count;
}

/* ---- What a component means ---- */

static bool has_funcref(const uint8_t *types, uint32_t count)
{
    return count > 0 && memchr(types, WASM_FUNCREF, count) != NULL;
}

static bool exports_references(const struct wasm_module *m, const struct wasm_export *e)
{
    if (e->kind == WASM_TABLE)
        return true;
    return e->kind == WASM_GLOBAL && m->globals[e->index].mutable &&
           m->globals[e->index].valtype == WASM_FUNCREF;
}

/* Other instances call a function that has been referred to, and answer if it is theirs. */
static bool takes_references(const struct wasm_module *m, uint32_t func)
{
    const struct wasm_type *t = module_func_type(m, func);

    if (m->funcs[func].imported)
        return has_funcref(t->results, t->result_count);
    return m->func_declared[func] && has_funcref(t->params, t->param_count);
}

/* Another instance may put functions of its own where an indirect call finds them. */
static bool shares_references(const struct wasm_module *m)
{
    if (m->imported_tables > 0)
        return true;
    for (uint32_t i = 0; i < m->export_count; i++) {
        if (exports_references(m, &m->exports[i]))
            return true;
    }
    for (uint32_t i = 0; i < m->imported_globals; i++) {
        if (m->globals[i].valtype == WASM_FUNCREF)
            return true;
    }
    for (uint32_t i = 0; i < m->func_count; i++) {
        if (takes_references(m, i))
            return true;
    }
    return false;
}

static bool suspends(const struct graph *g, uint32_t node)
{
    return node < g->m->func_count ? g->m->funcs[node].suspends
                                   : g->m->types[node - g->m->func_count].suspends;
}

/*
 * What the function can execute from one safepoint to the next, its callees' share included. Behind
 * a call that can be stopped inside there is a safepoint anyway. The marks of all that it calls are
 * known.
 */
static uint64_t work_of(const struct graph *g, uint32_t func)
{
    uint64_t work = g->m->funcs[func].insn_count;

    for (uint32_t k = g->first[func]; k < g->first[func + 1]; k++) {
        if (!suspends(g, g->edge[k]))
            work += g->work[g->edge[k]];
    }
    return work;
}

static bool is_heavy(const struct graph *g, uint32_t func, uint64_t work)
{
    return work > SUSPEND_WORK_MAX && g->first[func + 1] > g->first[func];
}

/* One function that is in no circle; what it calls has been settled. */
static void settle_func(struct graph *g, uint32_t i)
{
    struct wasm_func *f = &g->m->funcs[i];
    uint64_t work = work_of(g, i);
    bool may = f->imported || f->loops;

    for (uint32_t k = g->first[i]; k < g->first[i + 1]; k++)
        may |= suspends(g, g->edge[k]);
    f->heavy = is_heavy(g, i, work);
    f->suspends = may || f->heavy;
    if (!f->suspends)
        g->work[i] = (uint32_t)work; /* SUSPEND_WORK_MAX at most, or its own instructions only */
}

static void settle_type(struct graph *g, uint32_t node, bool shared)
{
    uint32_t work = 0;
    bool may = shared;

    for (uint32_t k = g->first[node]; k < g->first[node + 1]; k++) {
        may |= suspends(g, g->edge[k]);
        if (g->work[g->edge[k]] > work)
            work = g->work[g->edge[k]];
    }
    g->m->types[node - g->m->func_count].suspends = may;
    g->work[node] = work;
}

/* Every call inside a circle is followed by a safepoint: its callee is in the circle, too. */
static void settle_circle(struct graph *g, const uint32_t *node, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (node[i] < g->m->func_count)
            g->m->funcs[node[i]].suspends = true;
        else
            g->m->types[node[i] - g->m->func_count].suspends = true;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (node[i] < g->m->func_count)
            g->m->funcs[node[i]].heavy = is_heavy(g, node[i], work_of(g, node[i]));
    }
}

static bool calls_itself(const struct graph *g, uint32_t node)
{
    for (uint32_t k = g->first[node]; k < g->first[node + 1]; k++) {
        if (g->edge[k] == node)
            return true;
    }
    return false;
}

/* ---- Components ---- */

struct visit { /* a node on the way down */
    uint32_t node;
    uint32_t edge; /* next to follow */
};

struct tarjan {
    uint32_t *number; /* per node, from 1 in the order of discovery; 0: not seen */
    uint32_t *low;
    uint8_t *waiting; /* on the stack of nodes that have no component yet */
    uint32_t *stack;
    struct visit *path;
    uint32_t stack_size, path_size, next;
    bool shared;
};

static void enter(const struct graph *g, struct tarjan *t, uint32_t node)
{
    t->number[node] = t->low[node] = ++t->next;
    t->stack[t->stack_size++] = node;
    t->waiting[node] = 1;
    t->path[t->path_size++] = (struct visit){node, g->first[node]};
}

static void close_component(struct graph *g, struct tarjan *t, uint32_t node)
{
    uint32_t from = t->stack_size;

    do {
        t->waiting[t->stack[--from]] = 0;
    } while (t->stack[from] != node);
    if (t->stack_size - from > 1 || calls_itself(g, node))
        settle_circle(g, t->stack + from, t->stack_size - from);
    else if (node < g->m->func_count)
        settle_func(g, node);
    else
        settle_type(g, node, t->shared);
    t->stack_size = from;
}

static void lower(uint32_t *low, uint32_t number)
{
    if (number < *low)
        *low = number;
}

static void visit_from(struct graph *g, struct tarjan *t, uint32_t root)
{
    enter(g, t, root);
    while (t->path_size > 0) {
        struct visit *v = &t->path[t->path_size - 1];
        uint32_t node = v->node;

        if (v->edge < g->first[node + 1]) {
            uint32_t to = g->edge[v->edge++];

            if (t->number[to] == 0)
                enter(g, t, to);
            else if (t->waiting[to])
                lower(&t->low[node], t->number[to]);
            continue;
        }
        if (t->low[node] == t->number[node])
            close_component(g, t, node);
        t->path_size--;
        if (t->path_size > 0)
            lower(&t->low[t->path[t->path_size - 1].node], t->low[node]);
    }
}

static enum tern_err settle_all(struct graph *g)
{
    const size_t n = (size_t)g->node_count + 1; /* never nothing */
    struct tarjan t = {
        .number = calloc(n, sizeof(uint32_t)),
        .low = calloc(n, sizeof(uint32_t)),
        .waiting = calloc(n, 1),
        .stack = calloc(n, sizeof(uint32_t)),
        .path = calloc(n, sizeof(struct visit)),
        .shared = shares_references(g->m),
    };
    bool ok = t.number && t.low && t.waiting && t.stack && t.path;

    for (uint32_t node = 0; ok && node < g->node_count; node++) {
        if (t.number[node] == 0)
            visit_from(g, &t, node);
    }
    free(t.number);
    free(t.low);
    free(t.waiting);
    free(t.stack);
    free(t.path);
    return ok ? TERN_OK : TERN_ENOMEM;
}

/* ---- The whole ---- */

enum tern_err suspend_mark(struct wasm_module *m)
{
    struct graph g = {.m = m, .node_count = m->func_count + m->type_count};
    enum tern_err err = TERN_ENOMEM;

    g.edge_capacity = 1024;
    g.edge = malloc(g.edge_capacity * sizeof *g.edge);
    g.first = calloc((size_t)g.node_count + 1, sizeof *g.first);
    g.work = calloc((size_t)g.node_count + 1, sizeof *g.work);
    if (!g.edge || !g.first || !g.work)
        goto out;
    build(&g);
    if (!g.failed)
        err = settle_all(&g);
out:
    free(g.first);
    free(g.edge);
    free(g.work);
    return err;
}

bool suspend_after_call(const struct wasm_module *m, uint32_t caller, uint32_t callee)
{
    return m->funcs[callee].suspends || m->funcs[caller].heavy;
}

bool suspend_after_indirect(const struct wasm_module *m, uint32_t caller, uint32_t type)
{
    return m->types[m->types[type].canonical].suspends || m->funcs[caller].heavy;
}
