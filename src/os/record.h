/*
 * record - a recorded run as a file: made before a run, ended behind it, read for a replay.
 *
 * Does     Writes what comes before the first call (settings, module) and what comes behind the
 *          last (how the run ended); the runner writes the calls in between. Reads a whole record
 *          and checks it: blocks, order, numbers, the module's hash. Not compressed but for the
 *          module: calls have to be in the file the moment they are answered.
 * Locks    A record that is being written, or replayed, is locked.
 * Trust    A record is a stranger's: sizes are checked before anything is allocated. Whether its
 *          calls can have done what they say shows when it is replayed.
 * Errors   TERN_ECORRUPT: damaged; TERN_EINVALID: no record at all; TERN_EBUSY, TERN_EUNSAFE (a
 *          file that would be lost), and what files have.
 */
#ifndef TERN_OS_RECORD_H
#define TERN_OS_RECORD_H

#include "os/hash.h"
#include "wire/record.h"

struct record_file {
    int fd;
    void *map;
    struct view all;
    struct view settings;
    struct bytes module;
    uint64_t calls;
    bool ended;         /* what follows says how */
    int status;         /* as of waitpid */
    struct view report; /* empty: there was none */
    const char *cut;    /* not ended: why */
    bool live;          /* it is being written */
};

/*
 * A new record at path, or in place of one that is there; any other file that holds something stays
 * (TERN_EUNSAFE). *out is open for the runner, behind what is written.
 */
enum tern_err record_create(const char *path, struct view settings, struct view module, int *out,
                            struct problem *p);
/*
 * After the run: cuts off what the runner did not finish and says how the run ended. TERN_EIO: the
 * record ends before the run did; *p says behind which call, and why.
 */
enum tern_err record_finish(int fd, int status, struct view report, struct problem *p);

/* On failure *out is as after record_close. live: may be one that is being written. */
enum tern_err record_open(const char *path, bool live, struct record_file *out, struct problem *p);
void record_close(struct record_file *r);

#endif
