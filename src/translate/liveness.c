/*
 * The instructions that matter are put into a list, and that is walked from its end to its
 * beginning until the sets at loop headers no longer grow: a jump back brings what its loop's
 * header needs, which only the walk through the loop's body tells. What a header needs may have to
 * go through the headers of all loops inside, a walk for each: hence the limit.
 */
#include "translate/liveness.h"

#include "base/bytes.h"
#include "base/check.h"
#include "wasm/insn.h"

#include <stdlib.h>
#include <string.h>

enum {
    SET_WORDS_MAX = 4 << 20, /* of all sets of a function */
    COST_MAX = 1 << 28,      /* of all walks, in steps and words of sets */
};

struct step {
    enum wasm_op op;
    uint32_t offset;
    uint32_t index;            /* local; label; of an opening: number of its set, if it is a loop */
    uint32_t record;           /* of a loop or call: number of its set in the result */
    struct wasm_reader labels; /* of a br_table */
    uint32_t label_count;
};

struct nest {          /* a block that the walk, coming from behind, is inside of */
    uint64_t *at_end;  /* what is live behind it; of a loop: at its header */
    uint64_t *at_else; /* what the else part needs; NULL: none was seen */
    bool loop;
};

struct walk {
    struct bytes steps; /* of struct step */
    struct nest *nest;
    uint64_t *room; /* for nest[]'s sets: two a level */
    uint32_t depth, depth_max;
    uint64_t *live;
    struct liveness *out;
    uint64_t cost; /* of one walk */
    bool changed;
};

static bool matters(enum wasm_op op)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
    switch (op) {
    case WASM_OP_BLOCK:
    case WASM_OP_LOOP:
    case WASM_OP_IF:
    case WASM_OP_ELSE:
    case WASM_OP_END:
    case WASM_OP_BR:
    case WASM_OP_BR_IF:
    case WASM_OP_BR_TABLE:
    case WASM_OP_RETURN:
    case WASM_OP_UNREACHABLE:
    case WASM_OP_CALL:
    case WASM_OP_CALL_INDIRECT:
    case WASM_OP_LOCAL_GET:
    case WASM_OP_LOCAL_SET:
    case WASM_OP_LOCAL_TEE: return true;
    default: return false;
    }
#pragma GCC diagnostic pop
}

static bool is_recorded(enum wasm_op op)
{
    return op == WASM_OP_LOOP || op == WASM_OP_CALL || op == WASM_OP_CALL_INDIRECT;
}

/* Steps that join or copy sets, and the others. */
static uint64_t cost_of(const struct step *s, uint32_t words)
{
    if (s->op == WASM_OP_LOCAL_GET || s->op == WASM_OP_LOCAL_SET || s->op == WASM_OP_LOCAL_TEE)
        return 1;
    return (uint64_t)words * (s->label_count + 1);
}

/* Lists the steps; counts places, nesting and cost. */
static void list_steps(const struct wasm_module *m, const struct wasm_func *f, struct walk *w)
{
    struct wasm_reader r = reader_of(m->bytes, f->code_offset, f->code_end);
    struct wasm_fault fault;
    struct wasm_insn insn;
    uint32_t depth = 1;

    while (!reader_done(&r)) {
        enum tern_err err = insn_decode(&r, &insn, &fault);
        struct step s;

        check(err == TERN_OK); /* validated before */
        if (!matters(insn.op))
            continue;
        s = (struct step){insn.op, insn.offset, insn.index, 0, insn.labels, insn.label_count};
        if (is_recorded(insn.op))
            s.record = w->out->count++;
        depth += insn.op == WASM_OP_BLOCK || insn.op == WASM_OP_LOOP || insn.op == WASM_OP_IF;
        depth -= insn.op == WASM_OP_END;
        if (depth > w->depth_max)
            w->depth_max = depth;
        w->cost += cost_of(&s, w->out->words);
        bytes_append(&w->steps, &s, sizeof s);
    }
}

/* ---- Sets ---- */

static uint64_t *set_of(const struct liveness *l, uint32_t record)
{
    return l->sets + (size_t)record * l->words;
}

static void copy(struct walk *w, uint64_t *to, const uint64_t *from)
{
    memcpy(to, from, w->out->words * sizeof *to);
}

static void join(struct walk *w, const uint64_t *from)
{
    for (uint32_t i = 0; i < w->out->words; i++)
        w->live[i] |= from[i];
}

static void clear(struct walk *w)
{
    memset(w->live, 0, w->out->words * sizeof *w->live);
}

/* ---- One walk, from the end to the beginning ---- */

/* The opening that belongs to each end is found when it comes; a loop's end has to know before. */
static void enter_from_end(struct walk *w, uint64_t *header)
{
    struct nest *o = &w->nest[w->depth];

    o->loop = header != NULL;
    o->at_else = NULL;
    o->at_end = header ? header : w->room + (size_t)2 * w->depth * w->out->words;
    if (!header)
        copy(w, o->at_end, w->live);
    w->depth++;
}

static void on_else(struct walk *w)
{
    struct nest *o = &w->nest[w->depth - 1];

    o->at_else = w->room + ((size_t)2 * (w->depth - 1) + 1) * w->out->words;
    copy(w, o->at_else, w->live);
    copy(w, w->live, o->at_end);
}

static void on_loop(struct walk *w, uint64_t *header)
{
    if (memcmp(header, w->live, w->out->words * sizeof *header) != 0)
        w->changed = true;
    copy(w, header, w->live);
    w->depth--;
}

static const uint64_t *target(const struct walk *w, uint32_t label)
{
    return w->nest[w->depth - 1 - label].at_end;
}

static void on_table(struct walk *w, const struct step *s)
{
    struct wasm_reader labels = s->labels;

    clear(w);
    for (uint32_t i = 0; i <= s->label_count; i++)
        join(w, target(w, insn_next_label(&labels)));
}

static void take_step(struct walk *w, const struct step *s, uint64_t *header)
{
    const uint64_t bit = (uint64_t)1 << (s->index % 64);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
    switch (s->op) {
    case WASM_OP_END: enter_from_end(w, header); break;
    case WASM_OP_ELSE: on_else(w); break;
    case WASM_OP_LOOP: on_loop(w, set_of(w->out, s->record)); break;
    case WASM_OP_IF:
        join(w, w->nest[w->depth - 1].at_else ? w->nest[w->depth - 1].at_else
                                              : w->nest[w->depth - 1].at_end);
        w->depth--;
        break;
    case WASM_OP_BLOCK: w->depth--; break;
    case WASM_OP_BR: copy(w, w->live, target(w, s->index)); break;
    case WASM_OP_BR_IF: join(w, target(w, s->index)); break;
    case WASM_OP_BR_TABLE: on_table(w, s); break;
    case WASM_OP_RETURN:
    case WASM_OP_UNREACHABLE: clear(w); break;
    case WASM_OP_LOCAL_GET: w->live[s->index / 64] |= bit; break;
    case WASM_OP_LOCAL_SET:
    case WASM_OP_LOCAL_TEE: w->live[s->index / 64] &= ~bit; break;
    default: copy(w, set_of(w->out, s->record), w->live); /* a call */
    }
#pragma GCC diagnostic pop
}

/* For each end its opening: the number of the step, as the list is walked forwards. */
static bool match(const struct walk *w, uint32_t *opening)
{
    const struct step *s = (const struct step *)(const void *)w->steps.data;
    uint32_t count = (uint32_t)(w->steps.size / sizeof *s), depth = 0;
    uint32_t *stack = malloc((w->depth_max + 1) * sizeof *stack);

    for (uint32_t i = 0; stack && i < count; i++) {
        if (s[i].op == WASM_OP_BLOCK || s[i].op == WASM_OP_LOOP || s[i].op == WASM_OP_IF)
            stack[depth++] = i;
        else if (s[i].op == WASM_OP_END)
            opening[i] = depth > 0 ? stack[--depth] : UINT32_MAX; /* the function's own */
    }
    free(stack);
    return stack;
}

static void walk_back(struct walk *w, const uint32_t *opening)
{
    const struct step *s = (const struct step *)(const void *)w->steps.data;

    w->changed = false;
    w->depth = 0;
    clear(w);
    for (size_t i = w->steps.size / sizeof *s; i-- > 0;) {
        const struct step *from =
            s[i].op == WASM_OP_END && opening[i] != UINT32_MAX ? &s[opening[i]] : NULL;

        take_step(w, &s[i], from && from->op == WASM_OP_LOOP ? set_of(w->out, from->record) : NULL);
    }
}

/* Each level of loops may take one more walk. What is `changed` in the end was too much. */
static bool solve(struct walk *w)
{
    uint64_t walks = COST_MAX / (w->cost + 1);
    const size_t count = w->steps.size / sizeof(struct step);
    uint32_t *opening = malloc((count + 1) * sizeof *opening);
    bool ok = opening && match(w, opening);

    w->changed = true;
    for (; ok && w->changed && walks > 0; walks--)
        walk_back(w, opening);
    free(opening);
    return ok;
}

/* ---- The whole ---- */

static void name_offsets(const struct walk *w)
{
    const struct step *s = (const struct step *)(const void *)w->steps.data;

    for (size_t i = 0; i < w->steps.size / sizeof *s; i++) {
        if (is_recorded(s[i].op))
            w->out->offset[s[i].record] = s[i].offset;
    }
}

static bool make_room(struct walk *w)
{
    const size_t words = w->out->words;

    w->out->offset = malloc((w->out->count + 1) * sizeof *w->out->offset);
    w->out->sets = calloc(w->out->count + 1, words * sizeof *w->out->sets);
    w->nest = calloc(w->depth_max + 1, sizeof *w->nest);
    w->room = malloc((w->depth_max + 1) * 2 * words * sizeof *w->room);
    w->live = malloc(words * sizeof *w->live);
    return w->out->offset && w->out->sets && w->nest && w->room && w->live;
}

/* The coarse answer, where the fine one is too much: one set for all places. */
static bool take_all_read(struct walk *w)
{
    const struct step *s = (const struct step *)(const void *)w->steps.data;
    struct liveness *l = w->out;

    free(l->offset);
    free(l->sets);
    l->offset = NULL;
    l->count = 0;
    l->sets = calloc(l->words, sizeof *l->sets);
    for (size_t i = 0; l->sets && i < w->steps.size / sizeof *s; i++) {
        if (s[i].op == WASM_OP_LOCAL_GET)
            l->sets[s[i].index / 64] |= (uint64_t)1 << (s[i].index % 64);
    }
    return l->sets;
}

/* There is something to find out, and sets and a first walk are not too much. */
static bool is_small(const struct walk *w)
{
    const uint64_t sets = (uint64_t)w->out->count + 2 * (uint64_t)w->depth_max;

    return w->out->count > 0 && sets * w->out->words <= SET_WORDS_MAX && w->cost <= COST_MAX;
}

enum tern_err liveness_find(const struct wasm_module *m, uint32_t func, struct liveness *out)
{
    const struct wasm_func *f = &m->funcs[func];
    struct liveness found = {.words = f->local_count / 64 + 1};
    struct walk w = {.out = &found, .changed = true};
    bool ok;

    *out = (struct liveness){0};
    list_steps(m, f, &w);
    ok = bytes_ok(&w.steps) && (!is_small(&w) || (make_room(&w) && solve(&w)));
    if (ok && !w.changed)
        name_offsets(&w);
    else if (ok)
        ok = take_all_read(&w);
    if (ok) {
        *out = found;
        found = (struct liveness){0}; /* handed over */
    }
    liveness_release(&found);
    free(w.nest);
    free(w.room);
    free(w.live);
    bytes_release(&w.steps);
    return ok ? TERN_OK : TERN_ENOMEM;
}

void liveness_release(struct liveness *l)
{
    free(l->offset);
    free(l->sets);
    *l = (struct liveness){0};
}

const uint64_t *liveness_at(const struct liveness *l, uint32_t offset)
{
    uint32_t low = 0, high = l->count;

    if (l->count == 0)
        return set_of(l, 0);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (l->offset[middle] < offset)
            low = middle + 1;
        else
            high = middle;
    }
    check(low < l->count && l->offset[low] == offset);
    return set_of(l, low);
}

bool liveness_has(const uint64_t *set, uint32_t local)
{
    return set[local / 64] >> (local % 64) & 1;
}
