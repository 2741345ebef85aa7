#include "state_draw.h"

enum { FRAMES = 6, VALUES = 5, GLOBALS = 4, TABLES = 3, REFS = 4, SEGMENTS = 5, FDS = 4, PATH = 9 };

static uint64_t seed = 20240911;

uint64_t draw(uint64_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 20) % below;
}

static uint64_t draw_number(void)
{
    const uint64_t high = draw(UINT32_MAX) << 32;
    const uint64_t number = high | draw(UINT32_MAX);

    return number >> draw(64);
}

static void draw_bytes(uint8_t *to, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)draw(256);
}

static void draw_frame(struct state_frame *f, uint8_t *values)
{
    draw_bytes(values, VALUES * STATE_VALUE_BYTES);
    f->instance = (uint32_t)draw(2);
    f->func = (uint32_t)draw_number();
    f->offset = (uint32_t)draw_number();
    f->inside = draw(2);
    f->value_count = (uint32_t)draw(VALUES + 1);
    f->values = values;
}

static void draw_instance(struct state_instance *in)
{
    static struct state_global globals[GLOBALS];
    static struct state_table tables[TABLES];
    static uint8_t refs[TABLES][REFS * 8], flags[SEGMENTS];

    for (uint32_t i = 0; i < GLOBALS; i++) {
        globals[i].letter = (uint8_t) "iIfdvre"[draw(7)];
        draw_bytes(globals[i].value, STATE_VALUE_BYTES);
    }
    for (uint32_t i = 0; i < TABLES; i++) {
        draw_bytes(refs[i], sizeof refs[i]);
        tables[i].letter = (uint8_t) "re"[draw(2)];
        tables[i].size = (uint32_t)draw(REFS + 1);
        tables[i].refs = refs[i];
    }
    for (uint32_t i = 0; i < SEGMENTS; i++)
        flags[i] = (uint8_t)draw(2);
    *in = (struct state_instance){globals, tables, flags, flags, 0, 0, 0, 0, 0};
    in->global_count = (uint32_t)draw(GLOBALS + 1);
    in->table_count = (uint32_t)draw(TABLES + 1);
    in->data_count = (uint32_t)draw(SEGMENTS + 1);
    in->elem_count = (uint32_t)draw(SEGMENTS + 1);
    in->memory_pages = (uint32_t)draw(65537);
}

static void draw_fd(struct state_fd *fd, uint8_t *path, uint32_t number)
{
    for (size_t i = 0; i < PATH; i++)
        path[i] = (uint8_t)(1 + draw(255));
    fd->number = number;
    fd->kind = (uint8_t)(1 + draw(7));
    fd->filetype = (uint8_t)draw(8);
    fd->flags = (uint16_t)draw(65536);
    fd->rights = draw_number();
    fd->inheriting = draw_number();
    fd->source = (uint32_t)draw_number();
    fd->read_only = draw(2);
    fd->written = draw(2);
    fd->path = view_of(path, draw(PATH + 1));
    fd->offset = draw_number();
    fd->size = draw_number();
    fd->mtime_ns = (int64_t)draw_number();
    fd->inode = draw_number();
    fd->ends = draw_number();
}

const struct state *draw_state(uint32_t instances)
{
    static struct state_frame frames[FRAMES];
    static struct state_instance instance;
    static struct state_fd fds[FDS];
    static uint8_t values[FRAMES][VALUES * STATE_VALUE_BYTES], paths[FDS][PATH];
    static struct state s;
    uint32_t number = 0;

    s = (struct state){.frames = frames, .instances = &instance, .fds = fds};
    for (uint32_t i = 0; i < FRAMES; i++)
        draw_frame(&frames[i], values[i]);
    draw_instance(&instance);
    for (uint32_t i = 0; i < FDS; i++) {
        draw_fd(&fds[i], paths[i], number);
        number += 1 + (uint32_t)draw(200);
    }
    s.phase = (uint8_t)(1 + draw(2));
    s.sequence = draw_number();
    s.waited_ns = draw_number();
    s.output_bytes = draw_number();
    s.cpu_ns = draw_number();
    s.monotonic_ns = (int64_t)draw_number();
    s.input_bytes = draw_number();
    s.input_kept = draw_number();
    s.input_sum = draw_number();
    s.input_ended = draw(2);
    s.files_changed = draw(2);
    s.seeded = draw(2);
    s.random_seed = s.seeded ? draw_number() : 0;
    s.random_position = s.seeded ? draw_number() : 0;
    s.frame_count = (uint32_t)draw(FRAMES + 1);
    s.instance_count = instances + (uint32_t)draw(2 - instances);
    s.fd_count = (uint32_t)draw(FDS + 1);
    return &s;
}
