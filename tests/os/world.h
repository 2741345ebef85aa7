/*
 * world - a program's side of the runner without a program: a host with two directories, "data" and
 * "lent" (the second for reading only), host calls made by hand; saved, and had again by a child.
 *
 * The test's current directory is a private one that holds them.
 */
#ifndef TERN_TEST_WORLD_H
#define TERN_TEST_WORLD_H

#include "runner/hold.h"

enum { DATA = 3, LENT = 4, WORLD_RIGHTS = RIGHTS_FILE | RIGHTS_DIR };

extern struct host world; /* the first one */
extern struct state world_state;
extern struct ticket world_ticket; /* a test may change it before world_again */
extern int world_streams[3];       /* of the child; -1: closed. At first /dev/null */
extern bool world_walks;           /* no openat2, in both */

/* Gives the first host another standard stream `i`, of which it keeps a copy. */
void world_stream(int i, int fd);

/* For cmocka's setup and teardown. */
int world_set_up(void **state);
int world_tear_down(void **state);

/* ---- Host calls of h: what is expected, is asserted ---- */

uint32_t open_in(struct host *h, uint32_t dir, const char *path, uint32_t oflags, uint64_t rights,
                 uint32_t fdflags);
void write_to(struct host *h, uint32_t fd, const char *text);
/* What is read at once. */
const char *read_from(struct host *h, uint32_t fd);
uint64_t place_of(struct host *h, uint32_t fd);
void seek_to(struct host *h, uint32_t fd, uint64_t offset);
void close_of(struct host *h, uint32_t fd);
uint64_t time_of(struct host *h, uint32_t clock);

/* ---- The files, from outside ---- */

void put_file(const char *path, const char *text);
void append_to_file(const char *path, const char *text);
const char *text_of(const char *path);

/* ---- Saved, and had again ---- */

/* Into world_state, by way of its encoded form. NULL, or why it cannot be stopped. */
const char *world_save(void);
const struct state_fd *saved(uint32_t number); /* NULL: none */
/* From now on the process reaches the two directories only. */
void world_wall_in(const struct host *h);
/* A child, walled in, has it again and calls look, which asserts. NULL, or why it was refused. */
const char *world_again(void (*look)(struct host *h));

#endif
