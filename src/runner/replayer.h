/*
 * replayer - answers host calls from a record instead of making them.
 *
 * Does     Compares each call with the recorded one (function, arguments, what it reads), fills the
 *          program's memory as the call did, gives its answer. What went to standard output or
 *          error goes there again; nothing else is touched.
 * Ends     Where the program does something else than it did: REPORT_DIVERGED. Where it makes a
 *          call and the record has no more: REPORT_REPLAYED.
 * Trust    None. The parent has checked the record; here every block is checked again as it
 *          is used, and a call fills exactly what it would have filled when it is made.
 */
#ifndef TERN_RUNNER_REPLAYER_H
#define TERN_RUNNER_REPLAYER_H

#include "runner/host.h"

/* Maps TICKET_FD_RECORD, sets h->replayer; inside the walls, since it reads it. */
void replayer_start(struct host *h);
/* The call in h->call. */
enum wasi_errno replayer_answer(struct host *h);

/* Number and function of the next call in the record; false: there is none. */
bool replayer_next(const struct host *h, uint64_t *sequence, const char **name);

#endif
