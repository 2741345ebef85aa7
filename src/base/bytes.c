#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct view view_of(const void *data, size_t size)
{
    return (struct view){.data = data, .size = size};
}

struct view view_of_string(const char *text)
{
    return view_of(text, strlen(text));
}

bool view_equal(struct view a, struct view b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

struct view bytes_view(const struct bytes *b)
{
    return view_of(b->data, b->size);
}

void bytes_release(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){.limit = b->limit};
}

void bytes_clear(struct bytes *b)
{
    b->size = 0;
    b->failed = false;
}

bool bytes_ok(const struct bytes *b)
{
    return !b->failed;
}

uint8_t *bytes_reserve(struct bytes *b, size_t more)
{
    size_t limit = b->limit ? b->limit : SIZE_MAX / 2;
    size_t wanted = b->capacity ? b->capacity : 64;
    uint8_t *grown;

    if (b->failed || b->size > limit || more > limit - b->size) {
        b->failed = true;
        return NULL;
    }
    if (more <= b->capacity - b->size && b->data)
        return b->data + b->size;
    while (wanted - b->size < more)
        wanted *= 2;
    grown = realloc(b->data, wanted);
    if (!grown) {
        b->failed = true;
        return NULL;
    }
    b->data = grown;
    b->capacity = wanted;
    return b->data + b->size;
}

void bytes_append(struct bytes *b, const void *data, size_t size)
{
    uint8_t *room = bytes_reserve(b, size);

    if (!room || size == 0)
        return;
    memcpy(room, data, size);
    b->size += size;
}

void bytes_append_byte(struct bytes *b, uint8_t byte)
{
    bytes_append(b, &byte, 1);
}

void bytes_append_text(struct bytes *b, const char *text)
{
    bytes_append(b, text, strlen(text));
}

void bytes_appendf(struct bytes *b, const char *format, ...)
{
    char small[256];
    va_list args, again;
    int length;

    va_start(args, format);
    va_copy(again, args);
    length = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (length < 0) {
        b->failed = true;
    } else if ((size_t)length < sizeof small) {
        bytes_append(b, small, (size_t)length);
    } else {
        uint8_t *room = bytes_reserve(b, (size_t)length + 1);
        if (room) {
            vsnprintf((char *)room, (size_t)length + 1, format, again);
            b->size += (size_t)length;
        }
    }
    va_end(again);
}

/* How many bytes at `at` are one character that must not reach a terminal as it is; else 0. */
static size_t unfit_at(struct view name, size_t at)
{
    const uint8_t *c = name.data + at;
    size_t left = name.size - at;

    if (c[0] < 0x20 || c[0] == 0x7f)
        return 1;
    if (left >= 2 && c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
        return 2; /* C1 */
    if (left >= 3 && c[0] == 0xe2 && c[1] == 0x80 && (c[2] & 0xfe) == 0x8e)
        return 3; /* U+200E, U+200F: marks of direction */
    if (left >= 3 && c[0] == 0xe2 && c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae)
        return 3; /* U+2028 to U+202E: separators, overrides */
    if (left >= 3 && c[0] == 0xe2 && c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9)
        return 3; /* U+2066 to U+2069: isolates */
    return 0;
}

void bytes_append_shown(struct bytes *b, struct view name)
{
    for (size_t i = 0; i < name.size;) {
        size_t unfit = unfit_at(name, i);

        for (size_t k = 0; k < unfit; k++)
            bytes_appendf(b, "\\%02x", name.data[i + k]);
        if (unfit == 0) {
            if (name.data[i] == '"' || name.data[i] == '\\')
                bytes_append_byte(b, '\\');
            bytes_append_byte(b, name.data[i]);
        }
        i += unfit ? unfit : 1;
    }
}

const char *bytes_text(struct bytes *b)
{
    uint8_t *room = bytes_reserve(b, 1);

    if (!room)
        return NULL;
    *room = 0;
    return (const char *)b->data;
}
