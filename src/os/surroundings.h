/*
 * surroundings - what a process has to be given before it can run a program, looked at once and
 * told in one sentence, instead of failing somewhere on the way.
 *
 * Does     Raises the soft limit on open files to what is needed, if the hard one allows it; tells
 *          libuv to make one thread, which is what checkpoints need, instead of four.
 * Threads  Are tried out, since libuv ends the process when there can be none, and that would be in
 *          the middle of the program's run.
 */
#ifndef TERN_OS_SURROUNDINGS_H
#define TERN_OS_SURROUNDINGS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct surroundings {
    size_t dirs;   /* lent to the program */
    bool stopping; /* it is to be stopped for checkpoints, which takes a thread */
};

/* TERN_ESYSTEM. */
enum tern_err surroundings_check(const struct surroundings *s, struct problem *p);

#endif
