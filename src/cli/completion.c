#include "cli/help.h"

#include <stdio.h>
#include <string.h>

/* Runs call(first word, summary) for each different first word of the commands. */
static void each_first_word(void (*call)(const char *word, size_t length, const char *summary))
{
    const char *before = "";

    for (size_t i = 0; i < command_count; i++) {
        const char *name = commands[i]->name;
        size_t length = strcspn(name, " ");

        if (strncmp(before, name, length) == 0 && (!before[length] || before[length] == ' '))
            continue; /* commands of one group stand together */
        before = name;
        call(name, length, name[length] ? "" : commands[i]->summary);
    }
}

static bool in_group(const struct command *c, const char *group, size_t length)
{
    return strncmp(c->name, group, length) == 0 && c->name[length] == ' ';
}

/* In single quotes of a shell. */
static void quoted(const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
    }
}

/* ---- bash ---- */

static void bash_word(const char *word, size_t length, const char *summary)
{
    (void)summary;
    printf(" %.*s", (int)length, word);
}

static void bash_group(const char *word, size_t length, const char *summary)
{
    bool any = false;

    (void)summary;
    for (size_t i = 0; i < command_count; i++) {
        if (!in_group(commands[i], word, length))
            continue;
        if (!any)
            printf("    %.*s) second='", (int)length, word);
        printf("%s%s", any ? " " : "", commands[i]->name + length + 1);
        any = true;
    }
    if (any)
        puts("' ;;");
}

static void bash_command(const struct command *c)
{
    printf("    '%s') files='%s' options='--help", c->name,
           !c->complete   ? "-"
           : *c->complete ? c->complete
                          : "*");
    for (size_t i = 0; i < c->option_count; i++) {
        if (c->options[i].name)
            printf(" --%s", c->options[i].name);
        if (c->options[i].letter)
            printf(" -%c", c->options[i].letter);
    }
    puts("' ;;");
}

static void bash(void)
{
    puts("_tern() {\n"
         "    local cur=${COMP_WORDS[COMP_CWORD]} name=${COMP_WORDS[1]}\n"
         "    local second= options= files=-\n"
         "    COMPREPLY=()\n"
         "    if [ \"$COMP_CWORD\" -eq 1 ]; then");
    fputs("        COMPREPLY=($(compgen -W '", stdout);
    each_first_word(bash_word);
    puts("' -- \"$cur\"))\n"
         "        return\n"
         "    fi\n"
         "    case $name in");
    each_first_word(bash_group);
    puts("    esac\n"
         "    if [ -n \"$second\" ] && [ \"$COMP_CWORD\" -eq 2 ]; then\n"
         "        COMPREPLY=($(compgen -W \"$second\" -- \"$cur\"))\n"
         "        return\n"
         "    fi\n"
         "    [ -n \"$second\" ] && name=\"$name ${COMP_WORDS[2]}\"\n"
         "    case $name in");
    for (size_t i = 0; i < command_count; i++)
        bash_command(commands[i]);
    puts("    esac\n"
         "    compopt -o filenames 2>/dev/null\n"
         "    case $cur,$files in\n"
         "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")) ;;\n"
         "    *,-) ;;\n"
         "    *,\\*) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
         "    *) COMPREPLY=($(compgen -f -X \"!*$files\" -- \"$cur\") "
         "$(compgen -d -- \"$cur\")) ;;\n"
         "    esac\n"
         "}\n"
         "complete -F _tern tern");
}

/* ---- zsh ---- */

static void zsh_word(const char *word, size_t length, const char *summary)
{
    printf("        '%.*s:", (int)length, word);
    quoted(*summary ? summary : "more commands: tern help");
    puts("'");
}

static void zsh_group(const char *word, size_t length, const char *summary)
{
    bool any = false;

    (void)summary;
    for (size_t i = 0; i < command_count; i++) {
        if (!in_group(commands[i], word, length))
            continue;
        if (!any)
            printf("    %.*s) list=(", (int)length, word);
        printf(" '%s:", commands[i]->name + length + 1);
        quoted(commands[i]->summary);
        putchar('\'');
        any = true;
    }
    if (any)
        puts(" ) ;;");
}

/* Inside the brackets of _arguments ']' and ':' mean something. */
static void zsh_text(const char *text)
{
    for (; *text; text++) {
        if (strchr("[]:", *text))
            putchar('\\');
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
    }
}

static void zsh_option(const char *dashes, const char *name, int length, const struct option *o)
{
    printf(" '*%s%.*s%s[", dashes, length, name, o->argument && dashes[1] ? "=" : "");
    zsh_text(o->help);
    putchar(']');
    if (o->argument) {
        putchar(':');
        zsh_text(o->argument);
        fputs(o->path ? ":_files" : ":", stdout);
    }
    putchar('\'');
}

static void zsh_command(const struct command *c)
{
    printf("    '%s') _arguments '--help[explain this command]'", c->name);
    for (size_t i = 0; i < c->option_count; i++) {
        const struct option *o = &c->options[i];

        if (o->name)
            zsh_option("--", o->name, (int)strlen(o->name), o);
        if (o->letter)
            zsh_option("-", &o->letter, 1, o);
    }
    if (c->complete && *c->complete)
        printf(" '*:file:_files -g \"*%s\"'", c->complete);
    else if (c->complete)
        printf(" '*:file:_files'");
    puts(" ;;");
}

static void zsh(void)
{
    puts("#compdef tern\n"
         "_tern() {\n"
         "    local name=$words[2]\n"
         "    local -a list\n"
         "    if (( CURRENT == 2 )); then\n"
         "        list=(");
    each_first_word(zsh_word);
    puts("        )\n"
         "        _describe command list\n"
         "        return\n"
         "    fi\n"
         "    case $name in");
    each_first_word(zsh_group);
    puts("    esac\n"
         "    if (( $#list && CURRENT == 3 )); then\n"
         "        _describe command list\n"
         "        return\n"
         "    fi\n"
         "    if (( $#list )); then\n"
         "        name=\"$name $words[3]\"\n"
         "        shift words; (( CURRENT-- ))\n"
         "    fi\n"
         "    shift words; (( CURRENT-- ))\n"
         "    case $name in");
    for (size_t i = 0; i < command_count; i++)
        zsh_command(commands[i]);
    puts("    esac\n"
         "}\n"
         "compdef _tern tern");
}

/* ---- fish ---- */

static void fish_word(const char *word, size_t length, const char *summary)
{
    printf("complete -c tern -f -n __fish_use_subcommand -a %.*s -d '", (int)length, word);
    quoted(summary);
    puts("'");
}

/* The condition under which the options of a command are offered. */
static void fish_condition(const struct command *c)
{
    size_t length = strcspn(c->name, " ");

    printf("-n '__fish_seen_subcommand_from %.*s", (int)length, c->name);
    if (c->name[length])
        printf("; and __fish_seen_subcommand_from %s", c->name + length + 1);
    fputs("'", stdout);
}

static void fish_command(const struct command *c)
{
    size_t length = strcspn(c->name, " ");

    if (c->name[length]) {
        printf("complete -c tern -f -n '__fish_seen_subcommand_from %.*s' -a %s -d '", (int)length,
               c->name, c->name + length + 1);
        quoted(c->summary);
        puts("'");
    }
    for (size_t i = 0; i < c->option_count; i++) {
        const struct option *o = &c->options[i];

        fputs("complete -c tern ", stdout);
        fish_condition(c);
        if (o->name)
            printf(" -l %s", o->name);
        if (o->letter)
            printf(" -s %c", o->letter);
        printf("%s -d '", !o->argument ? "" : o->path ? " -r -F" : " -x");
        quoted(o->help);
        puts("'");
    }
}

static void fish(void)
{
    each_first_word(fish_word);
    for (size_t i = 0; i < command_count; i++)
        fish_command(commands[i]);
}

bool completion_print(const char *shell)
{
    if (strcmp(shell, "bash") == 0)
        bash();
    else if (strcmp(shell, "zsh") == 0)
        zsh();
    else if (strcmp(shell, "fish") == 0)
        fish();
    else
        return false;
    return true;
}
