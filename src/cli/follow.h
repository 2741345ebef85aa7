/*
 * follow - a task's output to our standard streams as it comes, its input from ours, a line that
 *          says what becomes of it, and Ctrl-C.
 *
 * Output   Standard output that is a terminal shows provisional bytes at once; a pipe or file gets
 *          committed ones. Standard error likewise.
 * Input    If asked for: what stands in standard input is sent as it comes.
 * Line     On standard error, if that is a terminal and the output goes elsewhere; what happens
 *          (lost, moved) is said in lines of its own there in any case.
 * Ctrl-C   At a terminal asks: detach or cancel. Elsewhere, and by SIGTERM, cancels. SIGHUP detaches.
 */
#ifndef TERN_CLI_FOLLOW_H
#define TERN_CLI_FOLLOW_H

#include "cli/pool.h"

enum follow_end {
    FOLLOW_ENDED,    /* the task has */
    FOLLOW_DETACHED, /* it goes on */
    FOLLOW_FAILED    /* said why; *code */
};

struct follow_order {
    const struct invocation *in;
    struct tern *pool;
    struct tern_task task;
    bool input;  /* send ours */
    bool quiet;  /* no line, no notes */
    bool at_now; /* only what there is now */
    bool ctrl_c; /* a task of ours: Ctrl-C may cancel it; else it only ends the following */
};

/* *result is to be freed, of FOLLOW_ENDED. */
enum follow_end follow(const struct follow_order *order, struct tern_result **result, int *code);

#endif
