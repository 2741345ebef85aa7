/*
 * launch - everything that a program needs before its runner can be started.
 *
 * Does     Writes the ticket, makes the memory, the sockets and pipes and, of a program that goes
 *          on, its state; finds the runner; holds the descriptors of enum ticket_fd.
 * Life     launch_make, from any thread that may use the order's store; launch_release. Zeroed and
 *          not made is no launch: it cannot be released.
 */
#ifndef TERN_OS_LAUNCH_H
#define TERN_OS_LAUNCH_H

#include "os/process.h"
#include "os/program.h"

enum { LAUNCH_FDS_MAX = TICKET_FD_DIRS + TICKET_DIRS_MAX };

struct launch {
    const struct program_order *order;
    int fds[LAUNCH_FDS_MAX]; /* as the runner finds them */
    size_t fd_count;
    struct files files;
    struct checkpoint_tree *tree; /* for checkpoints of these */
    int report;                   /* our ends */
    int control;
    struct take_order take_order; /* of a program that can be stopped */
    struct take *take;            /* NULL until one is needed */
    struct fill *fill;            /* of one that is to go on */
    bool may_stay;                /* its runner */
    bool is_warm;                 /* there is one that waits: of child, for this message */
    pid_t child;
    uint64_t base;
    struct bytes message;
    struct words command;
    int writable[TICKET_DIRS_MAX];
    struct checkpoint_sync sync; /* of these */
};

enum tern_err launch_make(struct launch *l, const struct program_order *order, struct problem *p);
void launch_release(struct launch *l);
/* When the first checkpoint is to be taken. */
enum tern_err launch_take(struct launch *l, struct problem *p);
/* What the runner has goes into order->warm. */
void launch_keep(struct launch *l, pid_t child, uint64_t base);

#endif
