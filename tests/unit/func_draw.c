#include "func_draw.h"

#include "wasm_build.h"

#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 12, STACK = 4096, LOCALS = 256, CODE_MAX = 60000 };

struct signature {
    const char *params, *results;
    const char *hex;
};

/* The types of the module. A block may have each of them, a call all but the last. */
static const struct signature types[] = {
    {"", "", "60 00 00"},
    {"i", "i", "60 01 7f 01 7f"},
    {"If", "d", "60 02 7e 7d 01 7c"},
    {"d", "iI", "60 01 7c 02 7f 7e"},
    {"i", "", "60 01 7f 00"},
    {"", "v", "60 00 01 7b"},
    {"", "ri", "60 00 02 70 7f"},
    {"dI", "dI", "60 02 7c 7e 02 7c 7e"},
};

enum { TYPES = sizeof types / sizeof *types, FUNCS = 7 };

static const uint32_t func_type[FUNCS] = {1, 0, 2, 3, 1, 5, 6};
static const char *const other_body[FUNCS] = {
    [1] = "", /* nothing at all */
    [2] = "44 0000000000000000",
    [3] = "03 40 0b 41 00 42 00",
    [5] = "fd 0c 00000000000000000000000000000000",
    [6] = "d0 70 41 00",
};

struct block {
    const char *label; /* types that a jump to it carries */
    uint32_t base;     /* operands that are not its own */
};

struct draw {
    uint64_t seed;
    struct bytes code;
    struct drawn *out;
    char stack[STACK];
    uint32_t height;
    struct block blocks[DEEPEST + 1];
    uint32_t depth;
    char local[LOCALS];
    uint32_t local_count;
};

static uint32_t below(struct draw *d, uint32_t limit)
{
    d->seed = d->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((d->seed >> 33) % limit);
}

/* ---- Operands ---- */

static void push(struct draw *d, char letter)
{
    if (d->height == STACK)
        abort();
    d->stack[d->height++] = letter;
}

static void push_constant(struct draw *d, char letter)
{
    switch (letter) {
    case 'i': build_hex(&d->code, below(d, 2) ? "41 01" : "41 00"); break;
    case 'I': build_hex(&d->code, "42 00"); break;
    case 'f': build_hex(&d->code, "43 00000000"); break;
    case 'd': build_hex(&d->code, "44 0000000000000000"); break;
    case 'v': build_hex(&d->code, "fd 0c 00000000000000000000000000000000"); break;
    default: build_hex(&d->code, "d0 70");
    }
    push(d, letter);
}

static void push_constants(struct draw *d, const char *letters)
{
    for (; *letters; letters++)
        push_constant(d, *letters);
}

static void push_all(struct draw *d, const char *letters)
{
    for (; *letters; letters++)
        push(d, *letters);
}

static uint32_t base(const struct draw *d)
{
    return d->blocks[d->depth - 1].base;
}

/* ---- Locals: a few of them are drawn often ---- */

static uint32_t some_local(struct draw *d)
{
    return below(d, below(d, 4) ? (d->local_count < 5 ? d->local_count : 5) : d->local_count);
}

static void get_local(struct draw *d)
{
    uint32_t local = some_local(d);

    build_hex(&d->code, "20");
    build_u32(&d->code, local);
    push(d, d->local[local]);
}

static void set_local(struct draw *d, bool tee)
{
    uint32_t local = some_local(d);

    if (d->height == base(d) || d->stack[d->height - 1] != d->local[local])
        push_constant(d, d->local[local]);
    build_hex(&d->code, tee ? "22" : "21");
    build_u32(&d->code, local);
    d->height -= !tee;
}

/* ---- Calls ---- */

static struct drawn_place *note(struct draw *d, uint32_t offset, bool loop)
{
    struct drawn_place p = {
        .loop = loop, .offset = offset, .below = d->out->letters.size, .below_count = d->height};

    bytes_append(&d->out->letters, d->stack, d->height);
    bytes_append(&d->out->places, &p, sizeof p);
    if (!bytes_ok(&d->out->places) || !bytes_ok(&d->out->letters))
        abort();
    return (struct drawn_place *)(void *)(d->out->places.data + d->out->places.size) - 1;
}

static void call(struct draw *d, bool indirect)
{
    const uint32_t func = below(d, FUNCS);
    const struct signature *t = &types[func_type[func]];
    struct drawn_place *p;
    uint32_t offset;

    push_constants(d, t->params);
    if (indirect)
        build_hex(&d->code, "41 00"); /* which element */
    offset = (uint32_t)d->code.size;
    build_hex(&d->code, indirect ? "11" : "10");
    build_u32(&d->code, indirect ? func_type[func] : func);
    if (indirect)
        build_hex(&d->code, "00");
    d->height -= (uint32_t)strlen(t->params);
    p = note(d, offset, false);
    push_all(d, t->results);
    p->next_offset = (uint32_t)d->code.size;
    p->callee = indirect ? UINT32_MAX : func;
    p->type = func_type[func];
    p->after = d->out->letters.size;
    p->after_count = d->height;
    bytes_append(&d->out->letters, d->stack, d->height);
}

/* ---- Jumps ---- */

static const char *label(const struct draw *d, uint32_t depth)
{
    return d->blocks[d->depth - 1 - depth].label;
}

static void jump(struct draw *d)
{
    const uint32_t to = below(d, d->depth);

    if (d->depth == 1)
        return; /* the rest would be dead */
    push_constants(d, label(d, to));
    build_hex(&d->code, "0c");
    build_u32(&d->code, to);
    d->height = base(d);
}

static void jump_if(struct draw *d)
{
    const uint32_t to = below(d, d->depth);

    push_constants(d, label(d, to));
    if (below(d, 2)) {
        build_hex(&d->code, "20 00"); /* the parameter */
    } else {
        build_hex(&d->code, "41 01");
    }
    build_hex(&d->code, "0d");
    build_u32(&d->code, to);
}

/* To labels of equal types: those from one on that carry the same as it. */
static void jump_by_table(struct draw *d)
{
    const uint32_t first = below(d, d->depth), count = below(d, 5);

    if (d->depth == 1)
        return;
    push_constants(d, label(d, first));
    build_hex(&d->code, "20 00 0e");
    build_u32(&d->code, count);
    for (uint32_t i = 0; i <= count; i++) {
        uint32_t to = below(d, d->depth);

        build_u32(&d->code, strcmp(label(d, to), label(d, first)) == 0 ? to : first);
    }
    d->height = base(d);
}

static void leave(struct draw *d)
{
    if (d->depth == 1)
        return;
    if (below(d, 2)) {
        push_constant(d, 'i');
        build_hex(&d->code, "0f");
    } else {
        build_hex(&d->code, "00");
    }
    d->height = base(d);
}

/* ---- Blocks ---- */

static void statements(struct draw *d, uint32_t count);

/* What the block leaves: nothing of its own but its results. */
static void finish(struct draw *d, const char *results)
{
    for (; d->height > base(d); d->height--)
        build_hex(&d->code, "1a");
    push_constants(d, results);
}

static void turn_to_else(struct draw *d, const struct signature *t, uint32_t count)
{
    d->height = base(d);
    build_hex(&d->code, "05");
    push_all(d, t->params);
    statements(d, count);
    finish(d, t->results);
}

static void block(struct draw *d, uint32_t count)
{
    static const char *const openings[] = {"02", "03", "04"};
    const uint32_t kind = below(d, 3), type = below(d, 3) ? 0 : below(d, TYPES);
    const struct signature *t = &types[type];

    if (d->depth > DEEPEST)
        return;
    push_constants(d, t->params);
    if (kind == 2)
        build_hex(&d->code, "20 00");
    if (kind == 1)
        note(d, (uint32_t)d->code.size, true);
    build_hex(&d->code, openings[kind]);
    build_u32(&d->code, type);
    d->blocks[d->depth++] =
        (struct block){kind == 1 ? t->params : t->results, d->height - (uint32_t)strlen(t->params)};
    statements(d, count);
    finish(d, t->results);
    if (kind == 2 && (below(d, 2) || strcmp(t->params, t->results) != 0))
        turn_to_else(d, t, count);
    build_hex(&d->code, "0b");
    d->depth--;
}

static void statement(struct draw *d, uint32_t inside)
{
    switch (below(d, 32)) {
    case 0:
    case 1:
    case 2:
    case 3: block(d, below(d, inside + 1)); break;
    case 4:
    case 5:
    case 6: block(d, inside); break;
    case 7:
    case 8:
    case 9:
    case 10: jump_if(d); break;
    case 11: jump_by_table(d); break;
    case 12: jump(d); break;
    case 13: leave(d); break;
    case 14:
    case 15:
    case 16: call(d, false); break;
    case 17:
    case 18: call(d, true); break;
    case 19:
    case 20:
    case 21:
    case 22: set_local(d, false); break;
    case 23: set_local(d, true); break;
    case 24: finish(d, ""); break;
    default: get_local(d);
    }
}

static void statements(struct draw *d, uint32_t count)
{
    for (uint32_t i = 0; i < count && d->code.size < CODE_MAX; i++)
        statement(d, count * 2 / 3);
}

/* ---- The module ---- */

static void section(struct bytes *out, uint8_t id, const char *hex)
{
    struct bytes s = {0};

    build_hex(&s, hex);
    build_section(out, id, &s);
}

static void type_section(struct bytes *out)
{
    struct bytes s = {0};

    build_u32(&s, TYPES);
    for (uint32_t i = 0; i < TYPES; i++)
        build_hex(&s, types[i].hex);
    build_section(out, 1, &s);
}

/* The parameter, then a run of each type; two thirds of all functions need one word for a set. */
static void draw_locals(struct draw *d, struct bytes *runs)
{
    static const char letters[] = "iIfdr";
    static const uint8_t valtypes[] = {WASM_I32, WASM_I64, WASM_F32, WASM_F64, WASM_FUNCREF};
    const uint32_t most = below(d, 3) ? 4 : 50;

    d->local[d->local_count++] = 'i';
    build_u32(runs, 5);
    for (uint32_t i = 0; i < 5; i++) {
        uint32_t count = below(d, most);

        build_u32(runs, count);
        bytes_append_byte(runs, valtypes[i]);
        memset(d->local + d->local_count, letters[i], count);
        d->local_count += count;
    }
}

static void append_body(struct bytes *s, const struct bytes *locals, const struct bytes *code)
{
    build_u32(s, (uint32_t)(locals->size + code->size + 1));
    bytes_append(s, locals->data, locals->size);
    bytes_append(s, code->data, code->size);
    build_hex(s, "0b");
}

static void code_section(const struct draw *d, const struct bytes *locals, struct bytes *out)
{
    struct bytes s = {0};

    build_u32(&s, FUNCS - 1);
    for (uint32_t i = 1; i < FUNCS; i++) {
        struct bytes code = {0};

        if (i == DRAWN) {
            append_body(&s, locals, &d->code);
            continue;
        }
        build_hex(&code, other_body[i]);
        build_body(&s, "00", &code);
        bytes_release(&code);
    }
    build_section(out, 10, &s);
}

static void draw_body(struct draw *d, uint32_t count)
{
    d->blocks[d->depth++] = (struct block){"i", 0};
    statements(d, count);
    finish(d, "i");
}

struct drawn func_draw(uint64_t seed, uint32_t statements_max)
{
    struct drawn out = {0};
    struct draw d = {.seed = seed * 0x9e3779b97f4a7c15u + 1, .out = &out};
    struct bytes locals = {0};
    struct wasm_fault fault;

    draw_locals(&d, &locals);
    draw_body(&d, statements_max / 2 + below(&d, statements_max / 2 + 1));
    build_header(&out.bytes);
    type_section(&out.bytes);
    section(&out.bytes, 2, "01 01 6d 01 66 00 01"); /* function 0 */
    section(&out.bytes, 3, "06 00 02 03 01 05 06");
    section(&out.bytes, 4, "01 70 00 0a");
    section(&out.bytes, 9, "01 00 41 00 0b 03 01 03 04");
    code_section(&d, &locals, &out.bytes);
    if (module_load(&out.module, bytes_view(&out.bytes), &fault) != TERN_OK)
        abort(); /* the drawing is wrong */
    bytes_release(&d.code);
    bytes_release(&locals);
    return out;
}

void drawn_release(struct drawn *d)
{
    module_release(&d->module);
    bytes_release(&d->bytes);
    bytes_release(&d->places);
    bytes_release(&d->letters);
}
