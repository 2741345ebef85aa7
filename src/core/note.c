#include "core/note.h"

#include "base/check.h"

#include <stddef.h>

static const struct {
    enum note_level level;
    const char *text;
} table[] = {
#define NOTE_ROW(name, level, text) {NOTE_##level, text},
    NOTES(NOTE_ROW)
#undef NOTE_ROW
};

enum note_level note_level(enum note_name name)
{
    check(name < NOTE_COUNT);
    return table[name].level;
}

const char *note_text(enum note_name name)
{
    check(name < NOTE_COUNT);
    return table[name].text;
}
