/*
 * warm - a runner whose program has exited, kept for another program of the same module and owner:
 * docs/design/0012.
 *
 * Whose    The order's owner keeps one struct warm for each module, owner and limits of memory and
 *          stack, and ends it before anything else may be run by it: nothing here compares.
 */
#ifndef TERN_OS_WARM_H
#define TERN_OS_WARM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct warm { /* zeroed: none */
    bool waits; /* for a ticket */
    pid_t child;
    int report, control, memory, state; /* ours */
    uint64_t base;                      /* where it has its memory, if writes are tracked; else 0 */
    unsigned programs;                  /* that it has had */
};

/* Whether there is one that can be given a ticket; one that has died meanwhile is forgotten. */
bool warm_is_there(struct warm *w);
void warm_end(struct warm *w); /* none is fine */

#endif
