/*
 * engine_program - drive/engine.h over os/program.h: tasks as programs in runners of this machine.
 *
 * Does     prepare, on a thread: the module out of the store, validated, its object from the cache or
 *          the compiler; the checkpoint that it goes on from, looked through against the module and
 *          the task's limits, with its continuations; inputs into the program's own file tree.
 * Stopped  while it is prepared, or before it starts: `ended` is told, by END_CANCELLED.
 * Ends     As os/ending.h has them. END_TRAP, END_LIMIT: code is that of the report (wire/ticket.h).
 *          A signal that the program raised ends it by END_EXIT, 128 + its number. What its runner
 *          says cannot be run is END_REFUSED; a runner that died of anything but stop is
 *          END_BROKEN. An output that is not there is END_EXIT, with text, and code 125 if the
 *          program's own was 0.
 * Output   What was written before a checkpoint was told before `checkpointed`, also if it is held,
 *          and what comes later is not told before it: a program that writes much waits then.
 * Input    Goes through a pipe; wants_input is told whenever that took all there was.
 * Store    Calls on it from the loop may wait while a thread uses it (store.h). From checkpoint until
 *          that is answered nothing is collected there (store_taking). Outputs are pinned.
 * Runners  end with this process, whatever it dies of: prepare and start belong to a loop of a
 *          thread that lives as long.
 */
#ifndef TERN_OS_POOL_ENGINE_PROGRAM_H
#define TERN_OS_POOL_ENGINE_PROGRAM_H

#include "drive/engine.h"
#include "os/settings.h"

#include <uv.h>

struct engine_program_config {
    uv_loop_t *loop;
    const struct settings *settings;
    void *context;
    /* Of a domain, on this machine; TERN_OK, or why not. */
    enum tern_err (*store)(void *context, const char *domain, struct store **out,
                           struct problem *p);
    void (*warn)(const char *sentence); /* about the cache of objects; may be NULL */
};

struct engine_program;

enum tern_err engine_program_new(const struct engine_program_config *config,
                                 struct engine_program **out, struct problem *p);
/* Only when nothing is prepared and nothing runs. Its handles are closed by the loop. */
void engine_program_free(struct engine_program *e);
struct engine *engine_program_engine(struct engine_program *e);

#endif
