/*
 * supervise - waits for a child as a shell's own job would be waited for.
 *
 * Does     What asks a program to end or stop (Ctrl-C, Ctrl-Z, kill) reaches the child: through
 *          the terminal, which signals the whole process group, or from us, when only we were
 *          signalled. We stop when it is to stop, go on when it is to go on, and never end
 *          before it. Signals that were ignored when we started stay ignored.
 */
#ifndef TERN_OS_SUPERVISE_H
#define TERN_OS_SUPERVISE_H

#include "base/error.h"
#include "os/process.h"

#include <uv.h>

struct supervise_hooks { /* any may be NULL */
    void *context;
    /* The child runs; handles added to the loop are closed at its end. */
    void (*started)(void *context, uv_loop_t *loop, pid_t child);
    /* True: dealt with, the child does not get it. */
    bool (*on_signal)(void *context, int signal);
    /* The child has ended; what is queued on the loop is waited for. status as of waitpid. */
    void (*ended)(void *context, int status);
};

/* Starts spec and waits; *status as of waitpid. hooks may be NULL. */
enum tern_err supervise(const struct process_spec *spec, const struct supervise_hooks *hooks,
                        int *status, struct problem *p);

#endif
