/*
 * commands - what the commands do; their descriptions are in commands_*.c.
 *
 * Each returns the exit code, and has said on standard error what went wrong, if so.
 */
#ifndef TERN_CLI_COMMANDS_H
#define TERN_CLI_COMMANDS_H

#include "cli/command.h"

int cmd_cc(const struct invocation *in);
int cmd_exec(const struct invocation *in);
int cmd_resume(const struct invocation *in);
int cmd_replay(const struct invocation *in);
int cmd_record_show(const struct invocation *in);
int cmd_checkpoint(const struct invocation *in);
int cmd_module_show(const struct invocation *in);
int cmd_module_c(const struct invocation *in);
int cmd_module_validate(const struct invocation *in);
int cmd_image_show(const struct invocation *in);
int cmd_image_verify(const struct invocation *in);
int cmd_image_diff(const struct invocation *in);
int cmd_image_export(const struct invocation *in);
int cmd_image_import(const struct invocation *in);
int cmd_cache_show(const struct invocation *in);
int cmd_cache_prune(const struct invocation *in);
int cmd_agent(const struct invocation *in);
int cmd_help(const struct invocation *in);
int cmd_version(const struct invocation *in);
int cmd_completion(const struct invocation *in);

extern const struct command command_cc, command_exec, command_resume, command_checkpoint;
extern const struct command command_replay, command_record_show;
extern const struct command command_module_show, command_module_c, command_module_validate;
extern const struct command command_image_show, command_image_verify, command_image_diff;
extern const struct command command_image_export, command_image_import;
extern const struct command command_cache, command_cache_show, command_cache_prune;
extern const struct command command_agent;
extern const struct command command_help, command_version, command_completion;

#endif
