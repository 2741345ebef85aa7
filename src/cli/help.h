/*
 * help - explains commands: as text for a terminal, as manual pages, as completion scripts.
 *
 * All is made from the table of commands. Writes to standard output.
 */
#ifndef TERN_CLI_HELP_H
#define TERN_CLI_HELP_H

#include "cli/command.h"

void help_overview(void);
/* The commands that begin with this word. */
void help_group(const char *word);
void help_command(const struct command *c);

/* c NULL: tern(1) itself. */
void man_page(const struct command *c);

/* False for a shell that is not known. */
bool completion_print(const char *shell);

/* "-o FILE, --output FILE"; out has room for a line. */
enum { OPTION_TEXT_BYTES = 80 };
const char *help_option_text(const struct option *o, char out[OPTION_TEXT_BYTES]);

#endif
