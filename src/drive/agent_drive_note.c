#include "drive/agent_drive_inner.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 512 };

void drive_log(struct agent_drive *d, enum note_level level, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;

    if (!d->config.log)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    d->config.log(d->config.context, level, line);
}

/* The text of a note, its {names} replaced by its numbers, one after the other. */
void note_log(struct agent_drive *d, const struct note *note)
{
    struct bytes line = {.limit = LINE_BYTES};
    const char *at = note_text(note->name);
    size_t value = 0;

    if (d->config.note)
        d->config.note(d->config.context, note);
    if (!d->config.log)
        return;
    while (*at) {
        const size_t plain = strcspn(at, "{");
        const char *end = strchr(at + plain, '}');

        bytes_append(&line, at, plain);
        at += plain;
        if (end && value < sizeof note->value / sizeof *note->value)
            bytes_appendf(&line, "%llu", (unsigned long long)note->value[value++]);
        at = end ? end + 1 : at + strlen(at);
    }
    if (bytes_text(&line))
        d->config.log(d->config.context, note_level(note->name), (const char *)line.data);
    bytes_release(&line);
}
