/*
 * checkpoint_sync - what a program has written, on the disk before a checkpoint that knows of it is
 * committed: files beneath the lent directories, open or closed, and standard input that is kept.
 *
 * Does     Syncs the file system of each directory that the program may write to, once each, if it
 *          changed anything since the last time (struct state, files_changed). While it goes on:
 *          what it writes meanwhile does no harm.
 * Lacking  What lies on a file system that is mounted beneath a lent directory.
 * Errors   TERN_EIO: something cannot be written; the same is tried again for the next checkpoint.
 */
#ifndef TERN_OS_CHECKPOINT_SYNC_H
#define TERN_OS_CHECKPOINT_SYNC_H

#include "os/kept_input.h"

struct checkpoint_sync {
    const int *dirs; /* open; -1: not to be written to */
    size_t dir_count;
    const struct kept_input *input; /* may be NULL */
    int (*sync)(int fd);            /* sys_syncfs: tests have another */
    bool due;                       /* something was changed, and not synced since */
};

/* Of a program that has stopped. */
void checkpoint_sync_note(struct checkpoint_sync *s, const struct state *state);
/* Between storing and committing. */
enum tern_err checkpoint_sync(struct checkpoint_sync *s, struct problem *p);

#endif
