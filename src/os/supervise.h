/*
 * supervise - runs a program as a shell's own job would be run, and waits for it.
 *
 * Does     What asks a program to end or stop (Ctrl-C, Ctrl-Z, kill) reaches its runner: through
 *          the terminal, which signals the whole process group, or from us, when only we were
 *          signalled. We stop when it is to stop, go on when it is to go on, and never end
 *          before it. Signals that were ignored when we started stay ignored.
 * Stops    Of a program that can be stopped SIGUSR1 takes a checkpoint; SIGTERM, SIGINT, SIGHUP
 *          take one and end it; a second of these ends it at once, unless it follows so closely
 *          that it is one wish, told twice. A wish to end that could not be met is over: the next
 *          one ends the program without.
 * Early    SIGUSR1 is unblocked when such a program runs: whoever blocks it before loses no
 *          request. When it has ended these signals are blocked: how it ended stands.
 * Loop     One of its own: nobody else's is needed.
 */
#ifndef TERN_OS_SUPERVISE_H
#define TERN_OS_SUPERVISE_H

#include "os/program.h"

/* The order's `ended` does not count. */
enum tern_err supervise(const struct program_order *order, struct ending *out, struct problem *p);

#endif
