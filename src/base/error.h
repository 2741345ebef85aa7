/*
 * error - the one list of what can go wrong, for library, daemons and wire.
 *
 * Each entry has a number (stable, part of the wire), what the caller can do about it
 * (nothing needed, try later, try elsewhere, never) and a text. A `struct problem` carries the
 * sentence for the person: what was being done, what went wrong, what to do about it.
 */
#ifndef TERN_BASE_ERROR_H
#define TERN_BASE_ERROR_H

#include <stdarg.h>

enum tern_remedy { TERN_REMEDY_NONE, TERN_REMEDY_LATER, TERN_REMEDY_ELSEWHERE, TERN_REMEDY_NEVER };

#define TERN_ERRORS(X)                                                                             \
    X(TERN_OK, 0, NONE, "ok")                                                                      \
    X(TERN_ENOMEM, 1, LATER, "out of memory")                                                      \
    X(TERN_ETOOBIG, 2, NEVER, "larger than the limit")                                             \
    X(TERN_EPROTO, 3, NEVER, "peer broke the protocol")                                            \
    X(TERN_EIO, 4, LATER, "input or output failed")                                                \
    X(TERN_ENOENT, 5, NEVER, "no such file or directory")                                          \
    X(TERN_EACCES, 6, NEVER, "permission denied")                                                  \
    X(TERN_EMALFORMED, 7, NEVER, "malformed module")                                               \
    X(TERN_EINVALID, 8, NEVER, "invalid module")                                                   \
    X(TERN_EUSAGE, 9, NEVER, "wrong usage")                                                        \
    X(TERN_EMISSING, 10, ELSEWHERE, "a tool or library is missing")                                \
    X(TERN_ECOMPILE, 11, ELSEWHERE, "the C compiler failed")                                       \
    X(TERN_ETIME, 12, LATER, "time limit reached")                                                 \
    X(TERN_EUNSAFE, 13, NEVER, "refused for safety")                                               \
    X(TERN_ELINK, 14, NEVER, "an import cannot be met")                                            \
    X(TERN_EEXIST, 15, NEVER, "already exists")                                                    \
    X(TERN_ESYSTEM, 16, ELSEWHERE, "the operating system refused")                                 \
    X(TERN_EBUSY, 17, LATER, "in use by another")                                                  \
    X(TERN_ECORRUPT, 18, NEVER, "damaged")                                                         \
    X(TERN_ENOSPACE, 19, LATER, "no room left")                                                    \
    X(TERN_EAGAIN, 40, LATER, "not yet")                                                           \
    X(TERN_EUNREACHABLE, 41, LATER, "cannot be reached")                                           \
    X(TERN_EVERSION, 42, ELSEWHERE, "of a version that is not understood")                         \
    X(TERN_EEXPIRED, 43, NEVER, "too old: forgotten meanwhile")

enum tern_err {
#define TERN_ERROR_ENUM(name, number, remedy, text) name = number,
    TERN_ERRORS(TERN_ERROR_ENUM)
#undef TERN_ERROR_ENUM
};

/* The text of the table; "unknown error" for numbers that are not in it. */
const char *tern_err_text(enum tern_err err);
enum tern_remedy tern_err_remedy(enum tern_err err);

enum { PROBLEM_TEXT_MAX = 1024 };

/* What went wrong, for a person. text is one or two lines without a final newline. */
struct problem {
    enum tern_err err;
    char text[PROBLEM_TEXT_MAX];
};

/*
 * Fills *p (may be NULL) and returns err, so that a function can end with
 * `return problem_set(p, TERN_EIO, "cannot read %s: %s", path, why);`. Long texts are cut.
 */
enum tern_err problem_set(struct problem *p, enum tern_err err, const char *format, ...)
    __attribute__((format(__printf__, 3, 4)));

#endif
