/*
 * signals - SIGINT, SIGTERM and SIGHUP as something to be waited for, with descriptors.
 */
#ifndef TERN_CLI_SIGNALS_H
#define TERN_CLI_SIGNALS_H

#include <poll.h>
#include <stdbool.h>

/* From now on they interrupt signals_poll and nothing else. */
void signals_catch(void);
void signals_default(void);
/* The one that came, once; 0: none. */
int signals_take(void);
/* As poll; -1 with EINTR when one came. */
int signals_poll(struct pollfd *fds, unsigned count, int timeout_ms);

#endif
