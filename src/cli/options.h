/*
 * options - reads a command line by a command's table.
 *
 * Forms    --name VALUE, --name=VALUE, -n VALUE, -nVALUE; "--" ends the options.
 * Errors   False, after a line on standard error; an unknown option brings the nearest known.
 */
#ifndef TERN_CLI_OPTIONS_H
#define TERN_CLI_OPTIONS_H

#include "cli/command.h"

/*
 * words: what follows the command's name, NULL behind the last. Fills given and args of *in
 * (command is set); they are the caller's to free with invocation_release.
 */
bool options_parse(char **words, struct invocation *in);
void invocation_release(struct invocation *in);

/* The one of `count` names that word was probably meant to be; NULL if none is near. */
const char *nearest(const char *word, const char *const *names, size_t count);

#endif
