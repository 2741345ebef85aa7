/*
 * command - the table of all commands: help, man pages and completion are made from it.
 */
#ifndef TERN_CLI_COMMAND_H
#define TERN_CLI_COMMAND_H

#include "os/settings.h"

#include <stdbool.h>
#include <stddef.h>

enum { CLI_FAILED = 1, CLI_USAGE = 2 };

struct option {
    const char *name;     /* "dir" for --dir; NULL if there is only a letter */
    char letter;          /* 'o' for -o; 0 if there is none */
    const char *argument; /* "HOST[::GUEST]"; NULL: takes none */
    const char *help;     /* one sentence, no full stop */
    bool path;            /* its argument is a file or directory */
};

struct example {
    const char *line;
    const char *meaning;
};

struct exit_status {
    const char *code; /* "125", "128+N" */
    const char *meaning;
};

struct given { /* an option of the command line; values are borrowed */
    const struct option *option;
    const char *value;
};

struct invocation {
    const struct command *command;
    const struct settings *settings;
    struct given *given;
    size_t given_count;
    char **args; /* what is no option; NULL behind the last */
    size_t arg_count;
    bool help; /* --help was among the options */
};

struct command {
    const char *name;    /* "exec", "module show" */
    const char *summary; /* one line, no full stop */
    const char *usage;   /* positional arguments: "PROG.wasm [ARG...]" */
    const char *about;   /* paragraphs, with an empty line in between */
    const struct option *options;
    size_t option_count;
    const struct example *examples;
    size_t example_count;
    const struct exit_status *statuses; /* beyond those that all commands have */
    size_t status_count;
    size_t args_least, args_most; /* args_most says nothing with options_first */
    bool options_first;           /* what follows the first argument belongs to the program */
    bool raw;                     /* takes all words as they are, but for --help */
    bool hidden;
    bool only_statuses;   /* statuses are all there are */
    int usage_status;     /* exit code for wrong usage; 0: CLI_USAGE */
    const char *complete; /* ending of the files it takes (".wasm"), "" for any; NULL: none */
    int (*run)(const struct invocation *in);
};

extern const struct command *const commands[];
extern const size_t command_count;

/* The command that the words begin with; *used counts its own words. NULL: none. */
const struct command *command_find(char *const *words, size_t *used);
/* Is it "module" or "cache", of which there are commands of two words? */
bool command_is_group(const char *word);

/* The value of the last --name, or NULL; flags have the value "". */
const char *invocation_value(const struct invocation *in, const char *name);

#endif
