#include "base/error.h"

#include <stdio.h>

const char *tern_err_text(enum tern_err err)
{
    switch (err) {
#define TERN_ERROR_TEXT(name, number, remedy, text)                                                \
    case name: return text;
        TERN_ERRORS(TERN_ERROR_TEXT)
#undef TERN_ERROR_TEXT
    }
    return "unknown error";
}

enum tern_remedy tern_err_remedy(enum tern_err err)
{
    switch (err) {
#define TERN_ERROR_REMEDY(name, number, remedy, text)                                              \
    case name: return TERN_REMEDY_##remedy;
        TERN_ERRORS(TERN_ERROR_REMEDY)
#undef TERN_ERROR_REMEDY
    }
    return TERN_REMEDY_NEVER;
}

enum tern_err problem_set(struct problem *p, enum tern_err err, const char *format, ...)
{
    va_list args;

    if (!p)
        return err;
    p->err = err;
    va_start(args, format);
    vsnprintf(p->text, sizeof p->text, format, args);
    va_end(args);
    return err;
}
