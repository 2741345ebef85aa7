#include "cli/options.h"

#include "base/check.h"
#include "cli/say.h"

#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 40, NAMES_MAX = 64 };

/* Levenshtein's distance, of short words. */
static size_t distance(const char *a, const char *b)
{
    size_t length_a = strlen(a), length_b = strlen(b);
    size_t row[WORD_MAX + 1];

    if (length_a > WORD_MAX || length_b > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= length_b; j++)
        row[j] = j;
    for (size_t i = 1; i <= length_a; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= length_b; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[length_b];
}

const char *nearest(const char *word, const char *const *names, size_t count)
{
    size_t best = strlen(word) / 3 + 1; /* every third letter may be wrong */
    const char *found = NULL;

    for (size_t i = 0; i < count; i++) {
        size_t d = distance(word, names[i]);

        if (d <= best && (!found || d < best)) {
            best = d;
            found = names[i];
        }
    }
    return found;
}

static const struct option *find_long(const struct command *c, const char *name, size_t length)
{
    for (size_t i = 0; i < c->option_count; i++) {
        const char *known = c->options[i].name;

        if (known && strlen(known) == length && strncmp(known, name, length) == 0)
            return &c->options[i];
    }
    return NULL;
}

static const struct option *find_letter(const struct command *c, char letter)
{
    for (size_t i = 0; i < c->option_count; i++)
        if (letter && c->options[i].letter == letter)
            return &c->options[i];
    return NULL;
}

static bool unknown(const struct command *c, const char *word)
{
    const char *names[NAMES_MAX];
    const char *near;
    char bare[WORD_MAX + 1] = "";
    size_t count = 0, length = strcspn(word + 2, "=");

    for (size_t i = 0; i < c->option_count && count < NAMES_MAX; i++)
        if (c->options[i].name)
            names[count++] = c->options[i].name;
    if (word[1] == '-' && length <= WORD_MAX)
        memcpy(bare, word + 2, length);
    near = *bare ? nearest(bare, names, count) : NULL;
    if (near)
        say("%s: unknown option '%s'; did you mean --%s?", c->name, word, near);
    else
        say("%s: unknown option '%s'; 'tern help %s' lists all", c->name, word, c->name);
    return false;
}

static bool give(struct invocation *in, const struct option *o, const char *value)
{
    if (o->argument && !value) {
        if (o->name)
            say("%s: --%s needs a value: %s", in->command->name, o->name, o->argument);
        else
            say("%s: -%c needs a value: %s", in->command->name, o->letter, o->argument);
        return false;
    }
    in->given[in->given_count++] = (struct given){.option = o, .value = value ? value : ""};
    return true;
}

/* Takes the option at *words and its value; moves *words to the last word taken. */
static bool take(char ***words, struct invocation *in)
{
    const struct command *c = in->command;
    const char *word = **words, *value = NULL;
    const struct option *o;

    if (word[1] == '-') {
        size_t length = strcspn(word + 2, "=");

        o = find_long(c, word + 2, length);
        value = word[2 + length] ? word + 3 + length : NULL;
    } else {
        o = find_letter(c, word[1]);
        value = word[2] ? word + 2 : NULL;
    }
    if (!o && strcmp(word, "--help") == 0)
        return in->help = true;
    if (!o)
        return unknown(c, word);
    if (!o->argument && value) {
        if (word[1] != '-')
            return unknown(c, word);
        say("%s: --%s takes no value", c->name, o->name);
        return false;
    }
    if (o->argument && !value && (*words)[1])
        value = *++*words;
    return give(in, o, value);
}

static bool enough(const struct invocation *in)
{
    const struct command *c = in->command;

    if (in->arg_count < c->args_least)
        say("%s: something is missing; usage: tern %s%s%s", c->name, c->name,
            c->option_count ? " [options] " : " ", c->usage);
    else if (!c->options_first && in->arg_count > c->args_most)
        say("%s: '%s' is one argument too many; usage: tern %s%s%s", c->name,
            in->args[c->args_most], c->name, c->option_count ? " [options] " : " ", c->usage);
    else
        return true;
    return false;
}

bool options_parse(char **words, struct invocation *in)
{
    size_t count = 0;
    bool options = true;

    while (words[count])
        count++;
    in->given = calloc(count + 1, sizeof *in->given);
    in->args = calloc(count + 1, sizeof *in->args);
    check(in->given && in->args); /* nothing can be said of a command line without memory */
    for (; *words; words++) {
        if (options && strcmp(*words, "--") == 0) {
            options = false;
        } else if (options && (*words)[0] == '-' && (*words)[1]) {
            if (!take(&words, in))
                return false;
        } else {
            in->args[in->arg_count++] = *words;
            options = options && !in->command->options_first;
        }
    }
    return in->help || enough(in);
}

void invocation_release(struct invocation *in)
{
    free(in->given);
    free(in->args);
    in->given = NULL;
    in->args = NULL;
}
