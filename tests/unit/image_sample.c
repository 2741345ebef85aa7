#include "image_sample.h"

#include "translate/translate.h"
#include "wasm_build.h"

#include <stdlib.h>
#include <string.h>

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* ---- The module ---- */

static const struct {
    uint8_t id;
    const char *hex;
} sections[] = {
    {1, "04 60 00 00  60 02 7f 7c 01 7e  60 01 7f 00  60 00 01 7f"},
    {2, "01 01 6d 05 70 61 75 73 65 00 02"}, /* m.pause */
    {3, "06 00 00 01 01 00 00"},
    {4, "02 70 01 02 04 6f 00 01"},
    {5, "01 01 01 03"},
    {6, "06 7f 00 41 07 0b  7e 01 42 09 0b  70 00 d2 03 0b  70 01 d0 70 0b"
        "7b 00 fd 0c 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 0b  6f 01 d0 6f 0b"},
    {7, "01 06 5f 73 74 61 72 74 00 02"}, /* _start */
    {8, "01"},
    {9, "03 00 41 00 0b 02 03 00  01 00 01 03  03 00 01 03"},
    {12, "02"},
};

/* Round and round as long as global 1 is 0. */
#define LOOP       "03 40 23 01 50 0d 00 0b"
#define ONE_AS_F64 "44 00 00 00 00 00 00 f0 3f"

static const struct {
    const char *locals, *code;
} bodies[] = {
    {"00", LOOP},
    {"02 01 7b 01 70", "41 2a"
                       "41 05" ONE_AS_F64 "10 03 1a"
                       "41 01" ONE_AS_F64 "41 00 11 01 00 1a"
                       "41 07 41 01 11 02 00"
                       "1a 10 05 10 06"
                       "41 01" ONE_AS_F64 "10 04 1a"},
    {"01 01 7e", LOOP "20 00 10 00  20 00 20 01 10 03"},
    {"00", LOOP "42 00"},
    {"00", LOOP},
    {"01 fc 07 7f", LOOP},
};

static void add_code(struct bytes *b)
{
    struct bytes s = {0}, code = {0};

    build_u32(&s, sizeof bodies / sizeof *bodies);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        bytes_clear(&code);
        build_hex(&code, bodies[i].code);
        build_body(&s, bodies[i].locals, &code);
    }
    bytes_release(&code);
    build_section(b, 10, &s);
}

struct bytes sample_module_without(uint8_t id)
{
    struct bytes b = {0}, s = {0};

    build_header(&b);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (sections[i].id == id)
            continue;
        build_hex(&s, sections[i].hex);
        build_section(&b, sections[i].id, &s);
    }
    add_code(&b);
    build_hex(&s, "02  00 41 00 0b 03 61 62 63  01 02 78 79");
    build_section(&b, 11, &s);
    return b;
}

/* ---- The image ---- */

uint8_t *sample_value(struct sample *s, uint32_t n, uint32_t i)
{
    must(i < SAMPLE_VALUES_MAX);
    return s->values[n] + (size_t)i * STATE_VALUE_BYTES;
}

static void place(struct sample *s, struct state_frame *f, uint32_t nth)
{
    const struct wasm_func *func = &s->module.funcs[f->func];
    struct translate_safepoints found = {0};
    const struct translate_safepoint *point;
    size_t i = 0;

    must(translate_find_safepoints(&s->module, f->func, &found) == TERN_OK);
    point = (const void *)found.list.data;
    for (; i < found.list.size / sizeof *point; i++) {
        if (point[i].point.inside == f->inside && nth-- == 0)
            break;
    }
    must(i < found.list.size / sizeof *point);
    f->offset = point[i].point.offset;
    f->value_count = func->local_count + point[i].operand_count;
    must(f->value_count <= SAMPLE_VALUES_MAX);
    translate_safepoints_release(&found);
}

struct state_frame *sample_frame(struct sample *s, uint32_t n, uint32_t func, bool inside,
                                 uint32_t nth)
{
    struct state_frame *f = &s->frames[n];

    memset(s->values[n], 0, sizeof s->values[n]);
    *f = (struct state_frame){.func = func, .inside = inside, .values = s->values[n]};
    if (s->module.funcs[func].imported)
        f->value_count = module_func_type(&s->module, func)->param_count;
    else
        place(s, f, nth);
    return f;
}

static void make_frames(struct sample *s)
{
    sample_frame(s, 0, SAMPLE_MAIN, true, 0);
    for (int i = 0; i < STATE_VALUE_BYTES; i++)
        sample_value(s, 0, 0)[i] = (uint8_t)(0xf0 + i);
    sample_value(s, 0, 1)[0] = SAMPLE_WORK + 1;
    sample_value(s, 0, 2)[0] = 42;
    sample_frame(s, 1, SAMPLE_WORK, true, 1);
    sample_frame(s, 2, SAMPLE_WORK, true, 0);
    for (uint32_t n = 1; n <= 2; n++) {
        sample_value(s, n, 0)[0] = 5;
        memcpy(sample_value(s, n, 1), "\0\0\0\0\0\0\xf0\x3f", 8);
        memset(sample_value(s, n, 2), 0xff, 8);
    }
    sample_frame(s, 3, SAMPLE_PAUSE, false, 0);
    sample_value(s, 3, 0)[0] = 5;
}

static void make_instance(struct sample *s)
{
    static const char letters[] = "iIrrve";

    for (size_t i = 0; i < sizeof s->globals / sizeof *s->globals; i++)
        s->globals[i].letter = (uint8_t)letters[i];
    s->globals[0].value[0] = 7;
    memset(s->globals[1].value, 0x81, 8);
    s->globals[2].value[0] = SAMPLE_WORK + 1;
    for (int i = 0; i < STATE_VALUE_BYTES; i++)
        s->globals[4].value[i] = (uint8_t)i;
    s->refs[0][0] = SAMPLE_WORK + 1;
    s->refs[0][8] = SAMPLE_PAUSE + 1;
    s->tables[0] = (struct state_table){.letter = 'r', .size = 3, .refs = s->refs[0]};
    s->tables[1] = (struct state_table){.letter = 'e', .size = 1, .refs = s->refs[1]};
    s->data_dropped[0] = 1;
    s->elem_dropped[0] = s->elem_dropped[2] = 1;
    s->instance = (struct state_instance){
        .globals = s->globals,
        .tables = s->tables,
        .data_dropped = s->data_dropped,
        .elem_dropped = s->elem_dropped,
        .global_count = 6,
        .table_count = 2,
        .data_count = 2,
        .elem_count = 3,
        .memory_pages = 2,
    };
}

static void make_fds(struct sample *s)
{
    for (uint32_t i = 0; i < 3; i++)
        s->fds[i] = (struct state_fd){
            .number = i, .kind = STATE_FD_STANDARD, .filetype = 2, .rights = 0x42, .source = i};
    s->fds[3] = (struct state_fd){.number = 3,
                                  .kind = STATE_FD_PREOPENED,
                                  .filetype = 3,
                                  .rights = 0xfff,
                                  .inheriting = 0x1fffffff};
    s->fds[4] = (struct state_fd){
        .number = 7,
        .kind = STATE_FD_FILE,
        .filetype = 4,
        .flags = 1,
        .rights = 0x66,
        .written = true,
        .path = view_of_string("log/..out.txt"),
        .offset = 1000,
        .size = 1000,
        .mtime_ns = -5,
    };
    s->fds[5] = (struct state_fd){.number = 1023,
                                  .kind = STATE_FD_DIRECTORY,
                                  .filetype = 3,
                                  .rights = 0x4000,
                                  .read_only = true,
                                  .path = view_of_string(".")};
}

static void make_image(struct sample *s)
{
    for (size_t i = 0; i < IMAGE_HASH_BYTES; i++) {
        s->image.module_sha256[i] = (uint8_t)(0xa0 + i);
        s->lists[i] = (uint8_t)(0xff - i);
    }
    s->image.module_bytes = s->binary.size;
    s->image.lists = s->lists;
    s->image.list_count = 1;
    s->image.limits_memory_pages = 3;
    s->image.limits_stack_cells = 4096;
    s->image.state = (struct state){
        .phase = STATE_IN_MAIN,
        .sequence = 12,
        .waited_ns = 3456,
        .output_bytes = 1 << 20,
        .cpu_ns = UINT64_C(7890123456),
        .monotonic_ns = INT64_C(1) << 40,
        .frames = s->frames,
        .instances = &s->instance,
        .fds = s->fds,
        .frame_count = 4,
        .instance_count = 1,
        .fd_count = 6,
    };
}

void sample_init(struct sample *s)
{
    struct wasm_fault fault;

    memset(s, 0, sizeof *s);
    s->binary = sample_module_without(0);
    must(module_load(&s->module, bytes_view(&s->binary), &fault) == TERN_OK);
    make_frames(s);
    make_instance(s);
    make_fds(s);
    make_image(s);
}

void sample_release(struct sample *s)
{
    module_release(&s->module);
    bytes_release(&s->binary);
}
