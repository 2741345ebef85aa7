/*
 * One walk over the instructions. Loops around the current place are numbered by depth, from 1
 * outside. `passed` says how many of them have had a safepoint, on every way that leads here, since
 * their round began: a safepoint raises it to the current depth, entering a loop leaves it as it
 * is, and where ways meet the least counts. A jump back to the loop of depth d is a round without a
 * safepoint if passed < d.
 */
#include "translate/loops.h"

#include "base/check.h"
#include "wasm/insn.h"
#include "wasm/suspend.h"

#include <stdlib.h>

static const uint32_t NOBODY = UINT32_MAX; /* no way leads there */

struct block {
    bool loop;
    bool needs;       /* of a loop: a round may pass no safepoint */
    uint32_t depth;   /* loops around what is inside, this one included */
    uint32_t offset;  /* of a loop */
    uint32_t at_end;  /* least of those that jump to the end, or NOBODY */
    uint32_t without; /* of an if that has no else yet: passed in front of it; else NOBODY */
};

struct walk {
    const struct wasm_module *m;
    uint32_t func;
    struct block *blocks;
    uint32_t count, capacity;
    uint32_t passed;       /* NOBODY: what follows is dead */
    uint32_t dead_nesting; /* blocks opened while dead */
    struct bytes *offsets;
    bool failed;
};

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t depth(const struct walk *w)
{
    return w->blocks[w->count - 1].depth;
}

static void open_block(struct walk *w, struct block b)
{
    if (w->count == w->capacity) {
        uint32_t capacity = w->capacity ? w->capacity * 2 : 64;
        struct block *grown = realloc(w->blocks, capacity * sizeof *grown);

        if (!grown) {
            w->failed = true;
            return;
        }
        w->blocks = grown;
        w->capacity = capacity;
    }
    b.at_end = NOBODY;
    b.depth = (w->count ? depth(w) : 0) + b.loop;
    w->blocks[w->count++] = b;
}

static void jump(struct walk *w, uint32_t label)
{
    struct block *to = &w->blocks[w->count - 1 - label];

    if (!to->loop)
        to->at_end = least(to->at_end, w->passed);
    else if (w->passed < to->depth)
        to->needs = true;
}

static void close_block(struct walk *w)
{
    const struct block b = w->blocks[--w->count];
    const uint32_t outside = w->count ? depth(w) : 0;

    if (b.loop) {
        if (b.needs)
            bytes_append(w->offsets, &b.offset, sizeof b.offset);
    } else {
        w->passed = least(w->passed, least(b.at_end, b.without));
    }
    if (w->passed != NOBODY)
        w->passed = least(w->passed, outside);
}

static void turn_to_else(struct walk *w)
{
    struct block *b = &w->blocks[w->count - 1];

    b->at_end = least(b->at_end, w->passed);
    w->passed = b->without;
    b->without = NOBODY;
}

static void jump_by_table(struct walk *w, const struct wasm_insn *insn)
{
    struct wasm_reader labels = insn->labels;

    for (uint32_t i = 0; i <= insn->label_count; i++)
        jump(w, insn_next_label(&labels));
}

/* While nothing leads here only nesting counts. True: that is all. */
static bool skip_dead(struct walk *w, enum wasm_op op)
{
    if (w->passed != NOBODY)
        return false;
    if (op == WASM_OP_BLOCK || op == WASM_OP_LOOP || op == WASM_OP_IF) {
        w->dead_nesting++;
        return true;
    }
    if (op == WASM_OP_END && w->dead_nesting > 0) {
        w->dead_nesting--;
        return true;
    }
    return w->dead_nesting > 0 || (op != WASM_OP_END && op != WASM_OP_ELSE);
}

static void step(struct walk *w, const struct wasm_insn *insn)
{
    if (skip_dead(w, insn->op))
        return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
    switch (insn->op) {
    case WASM_OP_BLOCK: open_block(w, (struct block){.without = NOBODY}); break;
    case WASM_OP_LOOP:
        open_block(w, (struct block){.loop = true, .offset = insn->offset, .without = NOBODY});
        break;
    case WASM_OP_IF: open_block(w, (struct block){.without = w->passed}); break;
    case WASM_OP_ELSE: turn_to_else(w); break;
    case WASM_OP_END: close_block(w); break;
    case WASM_OP_BR:
        jump(w, insn->index);
        w->passed = NOBODY;
        break;
    case WASM_OP_BR_IF: jump(w, insn->index); break;
    case WASM_OP_BR_TABLE:
        jump_by_table(w, insn);
        w->passed = NOBODY;
        break;
    case WASM_OP_RETURN:
    case WASM_OP_UNREACHABLE: w->passed = NOBODY; break;
    case WASM_OP_CALL:
        if (suspend_after_call(w->m, w->func, insn->index))
            w->passed = depth(w);
        break;
    case WASM_OP_CALL_INDIRECT:
        if (suspend_after_indirect(w->m, w->func, insn->index))
            w->passed = depth(w);
        break;
    default: break;
    }
#pragma GCC diagnostic pop
}

static int compare_offsets(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

enum tern_err loops_find(const struct wasm_module *m, uint32_t func, struct bytes *offsets)
{
    const struct wasm_func *f = &m->funcs[func];
    struct wasm_reader r = reader_of(m->bytes, f->code_offset, f->code_end);
    struct walk w = {.m = m, .func = func, .offsets = offsets};
    struct wasm_fault fault;
    struct wasm_insn insn;

    if (!f->loops)
        return TERN_OK;
    open_block(&w, (struct block){.without = NOBODY}); /* the function itself */
    while (!reader_done(&r) && !w.failed) {
        enum tern_err err = insn_decode(&r, &insn, &fault);

        check(err == TERN_OK); /* validated before */
        step(&w, &insn);
    }
    free(w.blocks);
    if (w.failed || !bytes_ok(offsets))
        return TERN_ENOMEM;
    if (offsets->size > 0)
        qsort(offsets->data, offsets->size / sizeof(uint32_t), sizeof(uint32_t), compare_offsets);
    return TERN_OK;
}
