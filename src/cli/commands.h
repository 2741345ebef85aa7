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
int cmd_depot(const struct invocation *in);
int cmd_cache_show(const struct invocation *in);
int cmd_cache_prune(const struct invocation *in);
int cmd_agent(const struct invocation *in);
int cmd_up(const struct invocation *in);
int cmd_run(const struct invocation *in);
int cmd_submit(const struct invocation *in);
int cmd_attach(const struct invocation *in);
int cmd_logs(const struct invocation *in);
int cmd_map(const struct invocation *in);
int cmd_ps(const struct invocation *in);
int cmd_show(const struct invocation *in);
int cmd_why(const struct invocation *in);
int cmd_wait(const struct invocation *in);
int cmd_cancel(const struct invocation *in);
int cmd_forget(const struct invocation *in);
int cmd_checkpoint_task(const struct invocation *in);
int cmd_migrate(const struct invocation *in);
int cmd_nodes(const struct invocation *in);
int cmd_drain(const struct invocation *in);
int cmd_put(const struct invocation *in);
int cmd_get(const struct invocation *in);
int cmd_ls(const struct invocation *in);
int cmd_rm(const struct invocation *in);
int cmd_top(const struct invocation *in);
int cmd_node(const struct invocation *in);
int cmd_slot(const struct invocation *in);
int cmd_help(const struct invocation *in);
int cmd_version(const struct invocation *in);
int cmd_completion(const struct invocation *in);
int cmd_sim(const struct invocation *in);

extern const struct command command_cc, command_exec, command_resume, command_checkpoint;
extern const struct command command_replay, command_record_show;
extern const struct command command_module_show, command_module_c, command_module_validate;
extern const struct command command_image_show, command_image_verify, command_image_diff;
extern const struct command command_image_export, command_image_import;
extern const struct command command_depot;
extern const struct command command_cache, command_cache_show, command_cache_prune;
extern const struct command command_agent, command_up;
extern const struct command command_run, command_submit, command_attach, command_logs, command_map;
extern const struct command command_ps, command_show, command_why, command_wait, command_cancel;
extern const struct command command_forget, command_migrate, command_nodes, command_drain;
extern const struct command command_put, command_get, command_ls, command_rm, command_top;
extern const struct command command_node, command_slot;
extern const struct command command_sim;
extern const struct command command_help, command_version, command_completion;

#endif
