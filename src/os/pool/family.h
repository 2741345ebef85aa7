/*
 * family - the processes of a pool on one machine, started by one that watches them.
 *
 * Does     Starts children one after the other, each when those before it have printed their ready
 *          line; starts one that dies again, by growing delays (0.1 s to 5 s); ends them in the
 *          opposite order: SIGTERM, and the next ones when these are gone; SIGKILL when one takes
 *          longer than FAMILY_END_MS or it is asked for again.
 * Groups   Each child is in a session of its own, so that Ctrl-C reaches its parent alone; children
 *          end with their parent however that dies (family_child, called by them).
 * Errors   A child that dies before it was ever ready ends all: its own line says why.
 */
#ifndef TERN_OS_POOL_FAMILY_H
#define TERN_OS_POOL_FAMILY_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

enum { FAMILY_LINE_BYTES = 1024, FAMILY_END_MS = 60000 };

struct family;

struct family_order {
    void *context;
    void (*ready)(void *context); /* all of them, once */
    /* A child's ready line, behind "ready: ". */
    void (*line)(void *context, size_t child, const char *line);
    /* A child that was ready has died; it is started again. */
    void (*died)(void *context, size_t child, const char *how);
    void (*over)(void *context, bool failed); /* all are gone */
};

struct family *family_new(uv_loop_t *loop, const struct family_order *order);
/* argv is copied. rank: children of one rank start together, behind those of lower ones. */
size_t family_add(struct family *f, const char *name, char *const *argv, unsigned rank);
const char *family_name(const struct family *f, size_t child);
void family_start(struct family *f);
void family_end(struct family *f); /* the second time: at once */
void family_free(struct family *f); /* when it is over; the loop has to run once more */

/* For a child's main: true if it is one and its parent is gone; else its end is tied to it. */
bool family_orphan(void);

#endif
