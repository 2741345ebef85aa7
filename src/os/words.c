#include "os/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_taken(struct words *w, char *word)
{
    char **grown = w->word;

    if (word && w->count + 2 > w->capacity) {
        size_t wanted = w->capacity ? 2 * w->capacity : 16;

        grown = realloc(w->word, wanted * sizeof *grown);
        if (grown) {
            w->word = grown;
            w->capacity = wanted;
        }
    }
    if (!word || !grown || w->failed) {
        w->failed = true;
        free(word);
        return;
    }
    w->word[w->count++] = word;
    w->word[w->count] = NULL;
}

void words_add(struct words *w, const char *word)
{
    add_taken(w, strdup(word));
}

void words_addf(struct words *w, const char *format, ...)
{
    char *word = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&word, format, args) < 0)
        word = NULL;
    va_end(args);
    add_taken(w, word);
}

void words_add_all(struct words *w, char *const *more)
{
    for (; more && *more; more++)
        words_add(w, *more);
}

void words_split(struct words *w, const char *text)
{
    static const char blanks[] = " \t\n";

    for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
        size_t length = strcspn(text, blanks);

        add_taken(w, strndup(text, length));
        text += length;
    }
}

void words_release(struct words *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->word[i]);
    free(w->word);
    *w = (struct words){0};
}
