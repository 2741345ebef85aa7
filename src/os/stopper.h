/*
 * stopper - decides, while a program runs, when it is stopped for a checkpoint, and has it taken.
 *
 * When     stopper_wish: takes one and goes on, or takes one and ends the program. Every so many
 *          milliseconds, if asked for. When the program itself wishes for one (runner/input.h).
 *          What comes while one is taken makes the next one.
 * How      A helper thread stores what changed while the program runs. Then the runner is asked to
 *          stop, again and again until it answers, since a request can come just before the program
 *          begins to wait. It stops while the rest is copied; the thread stores that while it runs
 *          again. A program that is to end stays stopped until everything is stored; so does one
 *          that wished for a checkpoint itself, since it is not to read any input before there is
 *          one.
 * Filling  The memory of a program that goes on is had while it runs already (fill.h); nothing
 *          else is done before that is over.
 * Threads  At most one piece of work at a time lies with the loop's threads; only then they use the
 *          store. All calls here, and all that is told, are the loop's.
 * Refusal  A program that cannot be stopped now goes on; that is said.
 */
#ifndef TERN_OS_STOPPER_H
#define TERN_OS_STOPPER_H

#include "os/checkpoint_take.h"
#include "os/fill.h"
#include "os/kept_input.h"

#include <uv.h>

struct stopper_done {
    struct take_done take;
    bool last;         /* the program is to end */
    bool tracked;      /* the kernel said what changed; else all was compared */
    uint64_t pause_ns; /* the program did not run */
    uint64_t total_ns; /* from the wish until all was on the disk */
};

struct stopper_order {
    struct take_order take;   /* memory and state are filled in by launch.c */
    uint64_t every_ms;        /* 0: only when asked */
    struct kept_input *input; /* let go of as checkpoints pass it; may be NULL */
    bool compare;             /* do not ask the kernel what changed */
    bool lets_go;             /* of a checkpoint that is asked for, when the program has ended */
    void *context;
    void (*ready)(void *context); /* the program begins; may be NULL */
    /* Whether one is being taken, from the first chunk that is put for it; may be NULL. */
    void (*taking)(void *context, bool taking);
    /* It stands still, and what it did so far belongs to the checkpoint; may be NULL. */
    void (*stopped)(void *context);
    void (*tell)(void *context, const struct stopper_done *done);
    /* None was taken, and why; last: the program was to end. */
    void (*tell_not)(void *context, bool last, const struct problem *why);
};

enum stopper_step {
    STOPPER_IDLE,
    STOPPER_FILLING, /* the thread fills the memory of a program that goes on, which runs */
    STOPPER_AHEAD,   /* the thread stores, the program runs */
    STOPPER_ASKED,   /* the runner is to stop */
    STOPPER_STORING  /* the thread stores what the stopped program left */
};

struct stopper {
    const struct stopper_order *order;
    struct take *take; /* NULL until the first one is taken */
    uint64_t base;     /* where the runner's memory is tracked; 0: nowhere */
    struct fill *fill; /* of a program that goes on, else NULL */
    int memory;        /* memfd of memory 0 */
    int control;       /* our end of the socket */
    void *context;
    enum tern_err (*make_take)(void *context, struct take **out, struct problem *p);
    void (*rests)(void *context); /* the runner has ended, and so has the work; once */
    pid_t child;
    enum stopper_step step;
    bool ready;             /* the runner listens; of one that waited: from the start */
    bool heard;             /* it has said so */
    bool asked;             /* it was, ever */
    bool gone;              /* it has ended */
    bool taking;            /* as was told */
    bool wish, last;        /* for a checkpoint; for the program's end with it */
    bool told;              /* somebody asked for the one that is taken */
    bool still;             /* it waits for us */
    bool wishes;            /* the runner: for one that is complete before it goes on */
    bool may_read;          /* there is one, or there can be none */
    enum tern_err unfilled; /* why its memory could not be had, by which it was ended */
    uint64_t began_ns, stopped_ns;
    struct stopper_done done;
    struct problem why;
    enum tern_err err; /* of the thread's work */
    uv_timer_t every, again;
    uv_poll_t answers;
    uv_work_t work;
    bool working;
    void (*then)(struct stopper *s); /* when the work is done */
};

/* *s is filled in up to `rests`. The runner has just been started; the handles are added. */
void stopper_start(struct stopper *s, uv_loop_t *loop, pid_t child);
void stopper_wish(struct stopper *s, bool last);
/* The runner has ended: nothing is asked of it any more. by_itself: by exit, whatever the code. */
void stopper_ended(struct stopper *s, bool by_itself);
/* Closes the handles: `closed` is called for each of STOPPER_HANDLES, with `data` in it. */
enum { STOPPER_HANDLES = 3 };
void stopper_close(struct stopper *s, void *data, void (*closed)(uv_handle_t *handle));

#endif
