/*
 * say_json - how tern writes JSON: indented, in the order given, plain ASCII without control
 * characters, so that a stranger's name steers no terminal.
 */
#ifndef TERN_CLI_SAY_JSON_H
#define TERN_CLI_SAY_JSON_H

#include <jansson.h>

/* To standard output, with a newline; releases value. */
void say_json_take(json_t *value);

#endif
