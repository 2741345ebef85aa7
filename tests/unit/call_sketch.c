#include "call_sketch.h"

#include "wasm_build.h"

/* Types: 0 and 1 equal, 2 differs; 3 takes a reference, 4 gives one, 5 is 2's equal. */
static const char types_hex[] = "06  60 00 00  60 00 00  60 01 7f 00  60 01 70 00  60 00 01 70  "
                                "60 01 7f 00";

static uint32_t first_own(const struct sketch *s)
{
    return s->sharing == IMPORTS_FUNCTION ? 2 : 1;
}

uint32_t sketch_number(const struct sketch *s, uint32_t func)
{
    return func == 0 ? 0 : func + first_own(s) - 1;
}

static void section(struct bytes *out, uint8_t id, const char *hex)
{
    struct bytes s = {0};

    build_hex(&s, hex);
    build_section(out, id, &s);
}

static void build_imports(const struct sketch *s, struct bytes *out)
{
    switch (s->sharing) {
    case IMPORTS_TABLE: section(out, 2, "02 01 6d 01 66 00 00 01 6d 01 74 01 70 00 01"); break;
    case IMPORTS_GLOBAL: section(out, 2, "02 01 6d 01 66 00 00 01 6d 01 67 03 70 00"); break;
    case IMPORTS_FUNCTION: section(out, 2, "02 01 6d 01 66 00 00 01 6d 01 68 00 04"); break;
    case SHARES_NOTHING:
    case EXPORTS_TABLE:
    case EXPORTS_GLOBAL:
    case EXPORTS_CONSTANT:
    case EXPORTS_FUNCTION:
    case SHARINGS: section(out, 2, "01 01 6d 01 66 00 00");
    }
}

static void build_exports(const struct sketch *s, struct bytes *out)
{
    struct bytes e = {0};

    if (s->sharing == EXPORTS_TABLE)
        build_hex(&e, "01 01 74 01 00");
    else if (s->sharing == EXPORTS_GLOBAL)
        build_hex(&e, "01 01 67 03 00");
    else if (s->sharing == EXPORTS_CONSTANT)
        build_hex(&e, "01 01 67 03 01");
    else if (s->sharing == EXPORTS_FUNCTION)
        build_hex(&e, "01 01 66 00");
    if (s->sharing == EXPORTS_FUNCTION)
        build_u32(&e, s->count); /* behind all others */
    if (e.size > 0)
        build_section(out, 7, &e);
}

static void build_functions(const struct sketch *s, struct bytes *out)
{
    struct bytes f = {0};

    build_u32(&f, s->count - 1 + (s->sharing == EXPORTS_FUNCTION));
    for (uint32_t i = 1; i < s->count; i++)
        build_u32(&f, s->funcs[i].type);
    if (s->sharing == EXPORTS_FUNCTION)
        build_u32(&f, 3);
    build_section(out, 3, &f);
}

static void build_elements(const struct sketch *s, struct bytes *out)
{
    struct bytes e = {0};
    uint32_t count = 0;

    for (uint32_t i = 0; i < s->count; i++)
        count += s->funcs[i].referred;
    build_hex(&e, "01 01 00"); /* passive */
    build_u32(&e, count);
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->funcs[i].referred)
            build_u32(&e, sketch_number(s, i));
    }
    build_section(out, 9, &e);
}

static void build_code(const struct sketch *s, const struct func_of *f, struct bytes *code)
{
    if (f->loops)
        build_hex(code, "03 40 0b");
    for (uint32_t k = 0; k < f->fill; k++)
        bytes_append_byte(code, 0x01);
    for (uint32_t k = 0; k < f->call_count; k++) {
        const struct call_of *c = &f->calls[k];
        uint32_t type = c->indirect ? c->to : s->funcs[c->to].type;

        build_hex(code, type == 2 || type == 5 ? "41 00" : "");
        build_hex(code, c->indirect ? "41 00 11" : "10");
        build_u32(code, c->indirect ? c->to : sketch_number(s, c->to));
        build_hex(code, c->indirect ? "00" : "");
    }
}

struct bytes sketch_build(const struct sketch *s)
{
    struct bytes out = {0}, bodies = {0}, nothing = {0};

    build_header(&out);
    section(&out, 1, types_hex);
    build_imports(s, &out);
    build_functions(s, &out);
    section(&out, 4, "01 70 00 04");
    section(&out, 6, "02 70 01 d0 70 0b 70 00 d0 70 0b");
    build_exports(s, &out);
    build_elements(s, &out);
    build_u32(&bodies, s->count - 1 + (s->sharing == EXPORTS_FUNCTION));
    for (uint32_t i = 1; i < s->count; i++) {
        struct bytes code = {0};

        build_code(s, &s->funcs[i], &code);
        build_body(&bodies, "00", &code);
        bytes_release(&code);
    }
    if (s->sharing == EXPORTS_FUNCTION)
        build_body(&bodies, "00", &nothing);
    build_section(&out, 10, &bodies);
    return out;
}
