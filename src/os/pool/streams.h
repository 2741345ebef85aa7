/*
 * streams - standard input, output and error of programs that run one after another, as pipes of
 *           their owner.
 *
 * Output   Told as it comes, by the loop. streams_seal tells all that is in the pipes, held or not,
 *          and then nothing until streams_unseal: a program that stands still meanwhile has written
 *          exactly what was told.
 * Input    What is given waits here until the pipe takes it; `wants` is told when all of it is in
 *          the pipe, and at the beginning. A program without any finds the end at once.
 * Ends     Both ends of each pipe are open here: whatever a program does or dies of, no signal
 *          comes of it, and nothing of what it wrote is lost. That it has ended the owner knows
 *          otherwise, and says by streams_finish: `finished` is told when all was.
 * Life     streams_open; for each program streams_begin, the calls, streams_finish; streams_close.
 * Clean    What a program left unread or set (O_NONBLOCK) the next one does not find.
 */
#ifndef TERN_OS_POOL_STREAMS_H
#define TERN_OS_POOL_STREAMS_H

#include "base/bytes.h"
#include "base/error.h"

#include <uv.h>

struct streams_owner {
    void *context;
    void (*output)(void *context, int stream, struct view bytes); /* 1, 2 */
    void (*wants)(void *context);
    void (*finished)(void *context);
};

struct streams;

enum tern_err streams_open(uv_loop_t *loop, const struct streams_owner *owner,
                           struct streams **out, struct problem *p);
/* Its handles are closed by the loop, which frees it then. */
void streams_close(struct streams *s); /* NULL is fine */

/*
 * For the next program: fds are what it gets as 0, 1 and 2, borrowed. has_input: some may come. TERN_ESYSTEM.
 */
enum tern_err streams_begin(struct streams *s, bool has_input, int fds[3], struct problem *p);
/* It runs: from now on things are told. */
void streams_go(struct streams *s);
void streams_input(struct streams *s, struct view bytes, bool end);
void streams_hold(struct streams *s, bool held);
void streams_seal(struct streams *s);
void streams_unseal(struct streams *s);
void streams_finish(struct streams *s);
/* Of this program, told so far. */
uint64_t streams_told(const struct streams *s, int stream);

#endif
