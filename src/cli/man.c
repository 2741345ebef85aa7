#include "cli/help.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Text for troff: a hyphen that is one, no line that looks like a request. */
static void roff(const char *text)
{
    bool line_start = true;

    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '\\')
            fputs("\\e", stdout);
        else
            putchar(*text);
        line_start = *text == '\n';
    }
}

static void roff_line(const char *text)
{
    roff(text);
    putchar('\n');
}

static void paragraphs(const char *text)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        char part[2048];

        snprintf(part, sizeof part, "%.*s", (int)(end ? end - text : (long)strlen(text)), text);
        puts(".PP");
        roff_line(part);
        text = end ? end + 2 : text + strlen(text);
    }
}

static void entry(const char *bold, const char *text)
{
    puts(".TP");
    fputs("\\fB", stdout);
    roff(bold);
    puts("\\fR");
    roff_line(text);
}

static void title(const char *name, const char *summary)
{
    char upper[64];
    size_t i = 0;

    for (; name[i] && i + 1 < sizeof upper; i++)
        upper[i] = name[i] == ' ' ? '-' : (char)toupper((unsigned char)name[i]);
    upper[i] = 0;
    printf(".TH \"TERN%s%s\" \"1\" \"\" \"Tern %s\" \"Tern\"\n", *name ? "-" : "", upper,
           TERN_VERSION);
    puts(".SH NAME");
    fputs("tern", stdout);
    for (i = 0; name[i]; i++)
        printf("%s%c", i == 0 ? "\\-" : "", name[i] == ' ' ? '-' : name[i]);
    fputs(" \\- ", stdout);
    roff_line(summary);
}

static void man_overview(void)
{
    title("", "run WebAssembly programs: fast, confined, on any processor");
    puts(".SH SYNOPSIS\n\\fBtern\\fR \\fICOMMAND\\fR [options] [arguments]\n.SH DESCRIPTION");
    roff_line("Tern compiles C to WebAssembly and runs WebAssembly programs by way of the "
              "system's C compiler, in a sandbox. 'tern help COMMAND' explains a command; each "
              "has a manual page of its own.");
    puts(".SH COMMANDS");
    for (size_t i = 0; i < command_count; i++)
        if (!commands[i]->hidden)
            entry(commands[i]->name, commands[i]->summary);
    puts(".SH ENVIRONMENT");
    entry("TERN_CC", "the C compiler that compiles modules, with arguments (default: cc)");
    entry("TERN_CFLAGS", "more flags for it");
    entry("TERN_COMPILE_SECONDS", "how long compiling a module may take (default: 600)");
    entry("TERN_RUNNER", "the runner, with arguments (default: tern-runner beside tern)");
    entry("TERN_CACHE_DIR", "where compiled modules are kept (default: ~/.cache/tern)");
    puts(".SH EXAMPLES\n.EX\ntern cc hello.c \\-o hello.wasm\ntern exec hello.wasm\n.EE");
}

static void man_statuses(const struct command *c)
{
    puts(".SH EXIT STATUS");
    if (!c->only_statuses) {
        entry("0", "all went well");
        entry("1", "it failed: a line on standard error says why");
        entry("2", "wrong usage");
    }
    for (size_t i = 0; i < c->status_count; i++)
        entry(c->statuses[i].code, c->statuses[i].meaning);
}

void man_page(const struct command *c)
{
    char text[OPTION_TEXT_BYTES];

    if (!c) {
        man_overview();
        return;
    }
    title(c->name, c->summary);
    printf(".SH SYNOPSIS\n\\fBtern %s\\fR %s", c->name,
           c->option_count && !c->raw ? "[options] " : "");
    roff_line(c->usage);
    puts(".SH DESCRIPTION");
    paragraphs(c->about);
    puts(".SH OPTIONS");
    for (size_t i = 0; i < c->option_count; i++)
        entry(help_option_text(&c->options[i], text), c->options[i].help);
    entry("--help", "explain this command");
    man_statuses(c);
    if (c->example_count)
        puts(".SH EXAMPLES");
    for (size_t i = 0; i < c->example_count; i++)
        entry(c->examples[i].line, c->examples[i].meaning);
    puts(".SH SEE ALSO\n\\fBtern\\fR(1)");
}
