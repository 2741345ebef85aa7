/*
 * state_fd - a program's state as its runner hands it over: encoded, in a file in memory.
 */
#ifndef TERN_TEST_STATE_FD_H
#define TERN_TEST_STATE_FD_H

struct state;

/* To be closed; fails the test if it cannot. */
int state_fd(const struct state *s);

#endif
