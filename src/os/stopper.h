/*
 * stopper - decides, while a program runs, when it is stopped for a checkpoint, and takes it.
 *
 * When     SIGUSR1: takes one, goes on. SIGTERM, SIGINT, SIGHUP: takes one and ends the program; a
 *          second of these ends it at once, unless it follows so closely that it is one wish, told
 *          twice. Every so many milliseconds, if asked for.
 * How      Asks the runner again and again until it answers, since a request can come just before
 *          the program begins to wait. While a checkpoint is taken the program is stopped.
 * Early    SIGUSR1 is unblocked when the program runs: whoever blocks it before loses no request.
 * Refusal  A program that cannot be stopped now goes on; that is said.
 */
#ifndef TERN_OS_STOPPER_H
#define TERN_OS_STOPPER_H

#include "os/checkpoint.h"
#include "os/supervise.h"

struct stopper_order {
    struct checkpoint_order checkpoint; /* memory and state are filled in by program.c */
    uint64_t every_ms;                  /* 0: only when asked */
    /* After each attempt: done, or why not; last: the program is to end. */
    void (*tell)(void *context, const struct checkpoint_done *done, bool last,
                 const struct problem *why);
    void *context;
};

struct stopper {
    const struct stopper_order *order;
    struct checkpoint_order checkpoint;
    int control; /* our end of the socket */
    pid_t child;
    bool ready; /* the runner listens */
    bool asked, last;
    bool refused;     /* the wish to end could not be met: the next one ends it without */
    uint64_t wish_ms; /* when that came */
    int forced;       /* the signal by which it was ended at once */
    uv_timer_t every, again;
    uv_poll_t answers;
};

/* For supervise; *s lives until supervise returns. */
struct supervise_hooks stopper_hooks(struct stopper *s);

/* After supervise: how the program ended stands, and what asks for its end now comes too late. */
void stopper_over(void);

#endif
