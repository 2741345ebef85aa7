/*
 * follow_line - one line at the bottom of a terminal that is drawn again and again.
 */
#ifndef TERN_CLI_FOLLOW_LINE_H
#define TERN_CLI_FOLLOW_LINE_H

#include <stdbool.h>
#include <stddef.h>

struct follow_line {
    bool on;   /* there is a terminal for it */
    bool drawn;
};

/* As standard error is. */
struct follow_line follow_line_begin(bool wanted);
/* Cut to the width of the terminal. */
void follow_line_draw(struct follow_line *l, const char *text);
void follow_line_clear(struct follow_line *l);

#endif
