#include "cli/say_json.h"

#include <stdio.h>

/* jansson leaves DEL as it is. */
static int put(const char *text, size_t size, void *context)
{
    (void)context;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == 0x7f)
            fputs("\\u007f", stdout);
        else
            putchar(text[i]);
    }
    return 0; /* whoever ends the output asks whether it was written */
}

void say_json_take(json_t *value)
{
    json_dump_callback(value, put, NULL, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(value);
}
