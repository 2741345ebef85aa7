#include "wasm_build.h"

#include <stdlib.h>
#include <string.h>

static void must(bool ok)
{
    if (!ok)
        abort(); /* the test itself is wrong, or memory is gone */
}

static uint8_t digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = strchr(digits, c);

    must(at && c);
    return (uint8_t)(at - digits);
}

void build_hex(struct bytes *b, const char *hex)
{
    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        bytes_append_byte(b, (uint8_t)(digit(hex[0]) << 4 | digit(hex[1])));
        hex++;
    }
    must(bytes_ok(b));
}

void build_u32(struct bytes *b, uint32_t number)
{
    for (; number >= 0x80; number >>= 7)
        bytes_append_byte(b, (uint8_t)(number | 0x80));
    bytes_append_byte(b, (uint8_t)number);
    must(bytes_ok(b));
}

void build_name(struct bytes *b, const char *name)
{
    build_u32(b, (uint32_t)strlen(name));
    bytes_append_text(b, name);
    must(bytes_ok(b));
}

void build_header(struct bytes *b)
{
    build_hex(b, "00 61 73 6d 01 00 00 00");
}

void build_section(struct bytes *b, uint8_t id, struct bytes *contents)
{
    bytes_append_byte(b, id);
    build_u32(b, (uint32_t)contents->size);
    bytes_append(b, contents->data, contents->size);
    must(bytes_ok(b));
    bytes_release(contents);
}

void build_body(struct bytes *b, const char *locals, const struct bytes *code)
{
    struct bytes head = {0};

    build_hex(&head, locals);
    build_u32(b, (uint32_t)(head.size + code->size + 1));
    bytes_append(b, head.data, head.size);
    bytes_append(b, code->data, code->size);
    build_hex(b, "0b");
    bytes_release(&head);
}

struct bytes build_module(const char *hex)
{
    struct bytes b = {0};

    build_header(&b);
    build_hex(&b, hex);
    return b;
}

static void section_hex(struct bytes *b, uint8_t id, const char *hex)
{
    struct bytes contents = {0};

    build_hex(&contents, hex);
    build_section(b, id, &contents);
}

static void types_around(struct bytes *b, const char *type)
{
    struct bytes s = {0};

    build_hex(&s, "04  60 02 7f 7e 01 7d  60 00 00");
    build_hex(&s, type);
    build_hex(&s, "60 01 7f 02 7f 7f");
    build_section(b, 1, &s);
}

struct bytes build_around(const char *type, const char *locals, const struct bytes *code)
{
    struct bytes b = {0}, s = {0};

    build_header(&b);
    types_around(&b, type);
    section_hex(&b, 2, "01 01 6d 01 66 00 00");             /* import m.f: function of type 0 */
    section_hex(&b, 3, "02 02 01");                         /* functions */
    section_hex(&b, 4, "02 70 00 05 6f 01 02 08");          /* tables */
    section_hex(&b, 5, "01 00 01");                         /* memory */
    section_hex(&b, 6, "02 7f 00 41 07 0b 7e 01 42 09 0b"); /* globals */
    section_hex(&b, 7, "01 01 78 00 02");                   /* export "x": function 2 */
    section_hex(&b, 9, "02 01 00 01 02 05 6f 01 d0 6f 0b"); /* element segments */
    section_hex(&b, 12, "01");                              /* data count */
    build_hex(&s, "02");
    build_body(&s, locals, code);
    build_hex(&s, "02 00 0b");
    build_section(&b, 10, &s);
    section_hex(&b, 11, "01 01 03 61 62 63"); /* data segment */
    return b;
}

struct bytes build_around_hex(const char *type, const char *locals, const char *code)
{
    struct bytes c = {0}, out;

    build_hex(&c, code);
    out = build_around(type, locals, &c);
    bytes_release(&c);
    return out;
}

enum { MANY = 900 };

static void many_functions(struct bytes *b)
{
    struct bytes s = {0}, code = {0};

    build_u32(&s, MANY);
    for (uint32_t i = 0; i < MANY; i++)
        build_u32(&s, i % 2);
    build_section(b, 3, &s);
    section_hex(b, 4, "01 70 01 01 10");
    section_hex(b, 5, "01 01 01 02");
    section_hex(b, 6,
                "02 7f 00 41 07 0b 7b 01 fd 0c 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e "
                "0f 0b");
    section_hex(b, 7, "03 01 61 00 01 01 62 01 00 01 63 02 00");
    section_hex(b, 8, "02");
    section_hex(b, 9, "02 00 41 00 0b 02 01 02 05 70 01 d2 03 0b");
    section_hex(b, 12, "02");
    build_u32(&s, MANY);
    build_hex(&code, "02 40 03 40 0c 01 0b 0b 10 02");
    for (uint32_t i = 0; i < MANY; i++)
        build_body(&s, "02 03 7f 01 7b", &code);
    build_section(b, 10, &s);
    section_hex(b, 11, "02 00 41 10 0b 02 68 69 01 01 21");
    bytes_release(&code);
}

static void many_names(struct bytes *b)
{
    struct bytes s = {0}, part = {0};

    build_name(&s, "name");
    build_u32(&part, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        build_u32(&part, i + 1);
        build_name(&part, "some_function");
    }
    build_section(&s, 1, &part); /* a subsection has the same form */
    build_section(b, 0, &s);
}

struct bytes build_everything(void)
{
    struct bytes b = {0}, s = {0};

    build_header(&b);
    for (uint32_t i = 0; i < 20; i++) {
        build_name(&s, "note");
        build_section(&b, 0, &s);
    }
    section_hex(&b, 1, "02 60 00 00 60 00 00");
    section_hex(&b, 2, "02 01 6d 01 66 00 00 01 6d 01 67 03 7f 00");
    many_functions(&b);
    many_names(&b);
    return b;
}
