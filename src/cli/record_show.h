/*
 * record_show - a recorded host call for a person, and for a program.
 *
 * Text  18 fd_read(fd=4, iovs=2) = 12 "first line\nse"...
 *       What the program gave stands in parentheses, by name; what it got behind '='. Text is
 *       cut to `shown` bytes, quoted, control characters as in C.
 * JSON  An object on a line of its own; nothing is cut.
 */
#ifndef TERN_CLI_RECORD_SHOW_H
#define TERN_CLI_RECORD_SHOW_H

#include "wire/record.h"

#include <jansson.h>

struct record_style {
    size_t shown; /* bytes of a text */
    bool times;   /* when it was made, and how long it took */
};

/* With a newline. */
void record_call_text(struct bytes *out, const struct record_call *c, const struct record_style *s);
/* NULL: out of memory. */
json_t *record_call_json(const struct record_call *c);

/* ---- What a call gave, for both ---- */

struct record_results {
    struct view data;  /* what was received, read, listed; the events of poll_oneoff */
    struct view fixed; /* the results of a known size, in the order of the parameters */
};

/* Of a call that succeeded. Forged, both can be too short. */
struct record_results record_results_of(const struct record_call *c);
/* Of r->fixed: what belongs to this parameter, which is cut off; empty if it gives nothing. */
struct view record_take_result(struct record_results *r, const struct call_param *q);
/* The first `size` bytes of *rest, which is cut; 0 if there are less. */
uint64_t record_take(struct view *rest, size_t size);

#endif
