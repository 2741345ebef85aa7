#include "record_sample.h"

#include "base/xxh64.h"

#include <string.h>

static uint64_t draw(uint64_t *seed, uint64_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed >> 20) % below;
}

static void draw_kept(struct record_sample *s, const struct call *what, uint64_t *seed)
{
    static const uint8_t text[RECORD_DATA_KEPT_BYTES] = "some of what it read";

    for (const struct call_param *q = what->params; q->kind != CALL_NONE; q++) {
        const size_t size = draw(seed, sizeof text);

        if (call_param_kept((enum call_kind)q->kind))
            s->call.kept[s->call.kept_count++] =
                (struct record_kept){(uint32_t)(size + draw(seed, 1000)), view_of(text, size)};
    }
}

static void draw_ranges(struct record_sample *s, uint64_t *seed)
{
    s->call.range_count = (uint32_t)draw(seed, 8);
    for (uint32_t i = 0; i < s->call.range_count; i++) {
        s->ranges[i].at = (uint32_t)draw(seed, UINT32_MAX);
        s->ranges[i].size = (uint32_t)draw(seed, 30);
        s->byte_count += s->ranges[i].size;
    }
    for (size_t i = 0; i < s->byte_count; i++)
        s->bytes[i] = (uint8_t)draw(seed, 256);
}

void record_sample_draw(struct record_sample *out, uint64_t *seed)
{
    const uint32_t number = 1 + (uint32_t)draw(seed, HOST_CALLS_END - 1);
    const struct call *what = call_find(number);

    *out = (struct record_sample){
        .call = {.number = (uint16_t)number, .arg_count = (uint8_t)call_arg_count(what)}};
    out->call.sequence = draw(seed, UINT32_MAX);
    out->call.at_ns = draw(seed, UINT64_MAX);
    out->call.took_ns = draw(seed, UINT64_MAX);
    out->call.read_hash = draw(seed, UINT64_MAX);
    out->call.moved = (uint32_t)draw(seed, UINT32_MAX);
    out->call.answer = (uint16_t)draw(seed, RECORD_ERRNO_MAX + 1);
    out->call.stream = (uint8_t)draw(seed, 3);
    for (uint32_t i = 0; i < out->call.arg_count; i++)
        out->call.args[i] = draw(seed, what->signature[i] == 'i' ? UINT32_MAX : UINT64_MAX);
    draw_kept(out, what, seed);
    draw_ranges(out, seed);
}

void record_sample_contents(const struct record_sample *s, struct bytes *out)
{
    static uint8_t contents[RECORD_CALL_BYTES_MAX];

    bytes_append(out, contents, record_encode_call(&s->call, s->ranges, contents));
    bytes_append(out, s->bytes, s->byte_count);
}

void record_sample_block(struct bytes *out, enum record_kind kind, struct view contents)
{
    uint8_t head[RECORD_HEAD_BYTES];

    record_encode_head(kind, contents.size, xxh64_of(contents.data, contents.size, (uint64_t)kind),
                       head);
    bytes_append(out, head, sizeof head);
    bytes_append(out, contents.data, contents.size);
}

void record_sample_whole(struct bytes *out, uint64_t *seed, uint32_t calls)
{
    uint8_t header[RECORD_HEADER_BYTES];
    struct bytes contents = {0};

    record_encode_header(header);
    bytes_append(out, header, sizeof header);
    record_sample_block(out, RECORD_START, view_of_string("{}"));
    record_sample_block(out, RECORD_MODULE, view_of_string("no module at all"));
    for (uint32_t i = 1; i <= calls; i++) {
        struct record_sample s;

        record_sample_draw(&s, seed);
        s.call.sequence = i;
        record_sample_contents(&s, &contents);
        record_sample_block(out, RECORD_CALL, bytes_view(&contents));
        bytes_clear(&contents);
    }
    record_sample_block(out, RECORD_END, view_of("\0\0\0\0", 4));
    bytes_release(&contents);
}
