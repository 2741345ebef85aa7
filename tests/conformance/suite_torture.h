/*
 * suite_torture - stops what the suite runs at its safepoints, and sets it going again.
 *
 * How      "go-on:3": at every third safepoint; then the native stack is put back. "restore:3":
 *          the frames are rebuilt by continuations instead. "image:3": as restore, by way of an
 *          image in a store, with everything else that is in one (suite_whole.h). "go-on:~3" and so
 *          on: at random, one in three; "go-on", "restore", "image": at each.
 */
#ifndef TERN_SUITE_TORTURE_H
#define TERN_SUITE_TORTURE_H

#include "rt/instance.h"
#include "rt/trap.h"

struct torture_call {
    const struct tern_func *func;
    void (*invoke)(const struct tern_func *f, uint32_t room, union tern_cell *cells);
    union tern_cell *cells; /* arguments, then results */
    uint32_t room;
};

/* False: not understood, or *why. store: a directory for images, or NULL. */
bool torture_init(const char *how, uint32_t stack_cells, const char *store, const char **why);
/* An instance with its module's bytes and the continuations of that; NULL: it has none. */
bool torture_know(struct tern_instance *in, const struct tern_continuations *c,
                  const uint8_t *bytes, size_t size);
/* Calls; through however many stops. */
enum trap_end torture_run(struct torture_call *call, struct trap_info *info);
/* How often something was stopped, for a person to read. */
void torture_report(void);

#endif
