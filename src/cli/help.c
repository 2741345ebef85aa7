#include "cli/help.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 79, OPTION_COLUMN = 26 };

/* Words of text up to width WIDTH, further lines indented; starts at column `at`. */
static void wrap(const char *text, size_t at, size_t indent)
{
    while (*text) {
        size_t length = strcspn(text, " \n");

        if (*text == '\n') {
            at = 0;
            putchar('\n');
            text++;
            continue;
        }
        if (at > indent && at + 1 + length > WIDTH) {
            putchar('\n');
            at = 0;
        }
        if (at == 0)
            at = (size_t)printf("%*s", (int)indent, "");
        else if (at > indent)
            at += (size_t)printf(" ");
        at += (size_t)printf("%.*s", (int)length, text);
        text += length + (text[length] == ' ');
    }
    putchar('\n');
}

const char *help_option_text(const struct option *o, char out[OPTION_TEXT_BYTES])
{
    const char *blank = o->argument ? " " : "", *argument = o->argument ? o->argument : "";

    if (o->letter && o->name)
        snprintf(out, OPTION_TEXT_BYTES, "-%c, --%s%s%s", o->letter, o->name, blank, argument);
    else if (o->letter)
        snprintf(out, OPTION_TEXT_BYTES, "-%c%s%s", o->letter, blank, argument);
    else
        snprintf(out, OPTION_TEXT_BYTES, "--%s%s%s", o->name, blank, argument);
    return out;
}

static void entry(const char *left, const char *right)
{
    size_t at = (size_t)printf("  %s", left);

    if (at + 2 > OPTION_COLUMN) {
        putchar('\n');
        at = 0;
    }
    at += (size_t)printf("%*s", (int)(OPTION_COLUMN - at), "");
    wrap(right, at, OPTION_COLUMN);
}

void help_overview(void)
{
    puts("Tern runs WebAssembly programs: fast, confined, and on any processor.\n");
    puts("usage: tern COMMAND [options] [arguments]\n");
    for (size_t i = 0; i < command_count; i++)
        if (!commands[i]->hidden)
            entry(commands[i]->name, commands[i]->summary);
    puts("\nFirst steps:\n"
         "  tern cc hello.c -o hello.wasm\n"
         "  tern exec hello.wasm\n");
    puts("'tern help COMMAND' explains a command, with examples.");
}

void help_group(const char *word)
{
    size_t length = strlen(word);

    printf("usage: tern %s COMMAND [options] [arguments]\n\n", word);
    for (size_t i = 0; i < command_count; i++)
        if (strncmp(commands[i]->name, word, length) == 0 && commands[i]->name[length] == ' ')
            entry(commands[i]->name, commands[i]->summary);
}

static void print_options(const struct command *c)
{
    char text[OPTION_TEXT_BYTES];

    puts("\noptions:");
    for (size_t i = 0; i < c->option_count; i++)
        entry(help_option_text(&c->options[i], text), c->options[i].help);
    entry("--help", "explain this command");
}

static void print_examples(const struct command *c)
{
    puts("\nexamples:");
    for (size_t i = 0; i < c->example_count; i++) {
        printf("  %s\n", c->examples[i].line);
        wrap(c->examples[i].meaning, 0, 6);
    }
}

static void print_statuses(const struct command *c)
{
    puts("\nexit codes:");
    if (!c->only_statuses) {
        entry("0", "all went well");
        entry("1", "it failed: a line on standard error says why");
        entry("2", "wrong usage");
    }
    for (size_t i = 0; i < c->status_count; i++)
        entry(c->statuses[i].code, c->statuses[i].meaning);
}

void help_command(const struct command *c)
{
    printf("tern %s - %s\n\n", c->name, c->summary);
    printf("usage: tern %s%s%s%s\n\n", c->name, c->option_count && !c->raw ? " [options]" : "",
           *c->usage ? " " : "", c->usage);
    wrap(c->about, 0, 0);
    print_options(c);
    if (c->example_count)
        print_examples(c);
    print_statuses(c);
}
