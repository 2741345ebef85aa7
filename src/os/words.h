/*
 * words - a command line, put together word by word or cut out of one string.
 *
 * Memory   Owns its words. Like struct bytes it becomes `failed` when memory runs out.
 */
#ifndef TERN_OS_WORDS_H
#define TERN_OS_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct words {
    char **word; /* NULL behind the last */
    size_t count;
    size_t capacity;
    bool failed;
};

void words_add(struct words *w, const char *word);
void words_addf(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void words_add_all(struct words *w, char *const *more); /* up to a NULL */
/* Cuts at blanks; no quoting. */
void words_split(struct words *w, const char *text);
void words_release(struct words *w);

#endif
