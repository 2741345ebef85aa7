#include "cli/commands.h"

#include <string.h>

/* The descriptions of the commands about tern itself, and the table of all. */

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct option help_options[] = {
    {.name = "man", .help = "as the source of a manual page, for man -l or troff"},
};

static const struct example help_examples[] = {
    {"tern help exec", "the same as tern exec --help"},
    {"tern help --man exec | man -l -", "as a manual page"},
};

const struct command command_help = {
    .name = "help",
    .summary = "explain tern or one of its commands",
    .usage = "[COMMAND]",
    .about = "Without a command: lists all commands.",
    .options = help_options,
    .option_count = COUNT(help_options),
    .examples = help_examples,
    .example_count = COUNT(help_examples),
    .args_most = 2,
    .run = cmd_help,
};

const struct command command_version = {
    .name = "version",
    .summary = "print the version",
    .usage = "",
    .about = "Prints the version of tern and of what shapes compiled modules.",
    .run = cmd_version,
};

static const struct example completion_examples[] = {
    {"source <(tern completion bash)", "for this shell"},
    {"tern completion fish > ~/.config/fish/completions/tern.fish", "for ever"},
};

const struct command command_completion = {
    .name = "completion",
    .summary = "print a script that completes tern's commands in a shell",
    .usage = "bash|zsh|fish",
    .about = "The script is for the shell that is named; it is to be sourced, or put where that "
             "shell looks for completions.",
    .examples = completion_examples,
    .example_count = COUNT(completion_examples),
    .args_least = 1,
    .args_most = 1,
    .run = cmd_completion,
};

/* In the order of `tern help`: here; in a pool; the pool; what is looked into. */
const struct command *const commands[] = {
    &command_cc,          &command_exec,         &command_resume,
    &command_checkpoint,  &command_replay,       &command_run,
    &command_submit,      &command_map,          &command_attach,
    &command_logs,        &command_wait,         &command_cancel,
    &command_ps,          &command_show,         &command_why,
    &command_migrate,     &command_forget,       &command_put,
    &command_get,         &command_ls,           &command_rm,
    &command_up,          &command_agent,        &command_depot,
    &command_node,        &command_slot,         &command_nodes,
    &command_drain,       &command_top,          &command_sim,
    &command_record_show, &command_image_show,   &command_image_verify,
    &command_image_diff,  &command_image_export, &command_image_import,
    &command_module_show, &command_module_c,     &command_module_validate,
    &command_cache,       &command_cache_show,   &command_cache_prune,
    &command_help,        &command_version,      &command_completion,
};

const size_t command_count = COUNT(commands);

bool command_is_group(const char *word)
{
    size_t length = strlen(word);

    for (size_t i = 0; i < command_count; i++)
        if (strncmp(commands[i]->name, word, length) == 0 && commands[i]->name[length] == ' ')
            return true;
    return false;
}

static bool matches(const char *name, char *const *words, size_t *used)
{
    size_t length = words[0] ? strlen(words[0]) : 0;

    if (!length || strncmp(name, words[0], length) != 0)
        return false;
    *used = 1;
    if (!name[length])
        return true;
    *used = 2;
    return name[length] == ' ' && words[1] && strcmp(name + length + 1, words[1]) == 0;
}

const struct command *command_find(char *const *words, size_t *used)
{
    const struct command *found = NULL;
    size_t most = 0, count = 0;

    for (size_t i = 0; i < command_count; i++) {
        if (!matches(commands[i]->name, words, &count) || count <= most)
            continue;
        found = commands[i];
        most = count;
    }
    *used = most;
    return found;
}
