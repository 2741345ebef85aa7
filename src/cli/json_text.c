#include "cli/json_text.h"

json_t *json_text_take(struct bytes *b)
{
    json_t *out = NULL;

    if (bytes_ok(b))
        out = json_stringn(b->size ? (const char *)b->data : "", b->size);
    bytes_release(b);
    return out;
}

json_t *json_text_escaped(struct view text)
{
    struct bytes out = {0};

    for (size_t i = 0; i < text.size; i++) {
        const uint8_t c = text.data[i];

        if (c >= 0x20 && c < 0x7f && c != '%')
            bytes_append_byte(&out, c);
        else
            bytes_appendf(&out, "%%%02X", c);
    }
    return json_text_take(&out);
}

json_t *json_text_hex(const uint8_t *bytes, size_t size)
{
    struct bytes out = {0};

    for (size_t i = 0; i < size; i++)
        bytes_appendf(&out, "%02x", bytes[i]);
    return json_text_take(&out);
}
