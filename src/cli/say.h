/*
 * say - what tern tells a person on standard error, always behind "tern: ".
 */
#ifndef TERN_CLI_SAY_H
#define TERN_CLI_SAY_H

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_text(const char *text);

/* Flushes standard output; if that fails says so and returns CLI_FAILED instead of code. */
int say_end_of_output(int code);

#endif
