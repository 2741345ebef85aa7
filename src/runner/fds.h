/*
 * fds - the program's descriptor table: its numbers, what they stand for, what may be done.
 *
 * Does     Numbers are given lowest first. Rights only ever shrink. Descriptors 0, 1, 2 are the
 *          runner's own; a number that the program closes there is plugged, so that nothing it
 *          opens later can become the runner's standard error.
 * Limits   FDS_MAX open at a time (MFILE).
 * Errors   BADF: not open, or not this kind of descriptor. NOTDIR: no directory. NOTCAPABLE: a
 *          right is missing.
 */
#ifndef TERN_RUNNER_FDS_H
#define TERN_RUNNER_FDS_H

#include "base/bytes.h"
#include "runner/wasi.h"

#include <sys/stat.h>

enum { FDS_MAX = 1024 };

struct fd_entry {
    int host;         /* the kernel's descriptor; -1: not open */
    uint64_t serial;  /* no two that were ever open have the same */
    uint8_t filetype; /* enum wasi_filetype */
    bool seekable;
    bool read_only;       /* a directory lent for reading only, and all that comes from it */
    bool standard_output; /* a closed pipe here ends the program by SIGPIPE */
    uint16_t sync_flags;  /* FDFLAG_DSYNC, RSYNC, SYNC as asked for when it was opened */
    uint64_t rights;
    uint64_t inheriting;    /* what descriptors opened through it may have */
    struct view guest_path; /* of a preopened directory, else empty */
};

struct fds {
    struct fd_entry entry[FDS_MAX];
    uint64_t opened; /* so far */
    int plug;        /* /dev/null */
};

void fds_init(struct fds *fds);
/* Standard stream `fd` (0, 1 or 2), if it is open; ends_by_pipe: see standard_output. */
void fds_add_standard(struct fds *fds, int fd, bool ends_by_pipe);
void fds_add_preopened(struct fds *fds, int host, struct view guest_path, bool read_only);

enum wasi_errno fds_get(struct fds *fds, uint32_t fd, uint64_t rights, struct fd_entry **out);
/* As fds_get, but a directory is BADF. */
enum wasi_errno fds_get_file(struct fds *fds, uint32_t fd, uint64_t rights, struct fd_entry **out);
/* As fds_get, but anything else is NOTDIR. */
enum wasi_errno fds_get_dir(struct fds *fds, uint32_t fd, uint64_t rights, struct fd_entry **out);

bool fds_has_room(const struct fds *fds);
/* Takes e.host if it succeeds. */
enum wasi_errno fds_add_take(struct fds *fds, const struct fd_entry *e, uint32_t *fd);
enum wasi_errno fds_close(struct fds *fds, uint32_t fd);
/* `to` is closed and becomes what `from` was; both must be open. */
enum wasi_errno fds_renumber(struct fds *fds, uint32_t from, uint32_t to);

/* What applies to a descriptor of this type. */
uint64_t fds_rights_of(enum wasi_filetype type, bool seekable);
enum wasi_filetype fds_filetype(mode_t mode);

#endif
