/*
 * fds - the program's descriptor table: its numbers, what they stand for, what may be done.
 *
 * Does     Numbers are given lowest first. Rights only ever shrink. Descriptors 0, 1, 2 are the
 *          runner's own; a number that the program closes there is plugged, so that nothing it
 *          opens later can become the runner's standard error.
 * Origin   Each says where it came from, so that it can be had again elsewhere. The directories
 *          lent stay open for that (root), whatever the program closes.
 * Kinds    What is done with a descriptor is found in its table (descriptor.h).
 * Memory   A path for each file and directory that the program opened, until it is closed.
 * Limits   FDS_MAX open at a time (MFILE).
 * Errors   BADF: not open, or not this kind of descriptor. NOTDIR: no directory. NOTCAPABLE: a
 *          right is missing.
 */
#ifndef TERN_RUNNER_FDS_H
#define TERN_RUNNER_FDS_H

#include "base/bytes.h"
#include "runner/wasi.h"
#include "wire/state.h"
#include "wire/ticket.h"

#include <sys/stat.h>

enum { FDS_MAX = STATE_FDS_MAX };

struct tree;
struct tree_node;

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
    uint8_t kind;           /* enum state_fd_kind; 0: it cannot be had again */
    uint32_t source;        /* as in struct state_fd */
    char *path;             /* by which it was found, beneath root[source]; NULL: not known */
    /* What lies in the private file tree; host is then that of the arena, which stays open. */
    struct tree_node *node; /* NULL: it does not lie there */
    uint64_t offset;
    uint16_t fdflags;
};

struct fds {
    struct fd_entry entry[FDS_MAX];
    uint64_t opened; /* so far */
    int plug;        /* /dev/null */
    int root[TICKET_DIRS_MAX];
    uint32_t root_count;
    struct tree *tree; /* the private file tree; NULL: there is none */
};

void fds_init(struct fds *fds);
/* Standard stream `fd` (0, 1 or 2), if it is open; ends_by_pipe: see standard_output. */
void fds_add_standard(struct fds *fds, int fd, bool ends_by_pipe);
/* In the order of the ticket's. */
void fds_add_preopened(struct fds *fds, int host, struct view guest_path, bool read_only);
/* The private file tree, as "/": before the directories that are lent. */
void fds_add_tree(struct fds *fds, struct tree *tree);
/* Its root, as it was at the start. */
struct fd_entry fds_tree_root(const struct fds *fds);
/* The i-th directory, as it was at the start. */
struct fd_entry fds_preopened(const struct fds *fds, uint32_t i, struct view guest_path,
                              bool read_only);

enum wasi_errno fds_get(struct fds *fds, uint32_t fd, uint64_t rights, struct fd_entry **out);
/* As fds_get, but a directory is BADF. */
enum wasi_errno fds_get_file(struct fds *fds, uint32_t fd, uint64_t rights, struct fd_entry **out);
/* As fds_get, but anything else is NOTDIR. */
enum wasi_errno fds_get_dir(struct fds *fds, uint32_t fd, uint64_t rights, struct fd_entry **out);

bool fds_has_room(const struct fds *fds);
/* Takes e.host and e.path if it succeeds. */
enum wasi_errno fds_add_take(struct fds *fds, const struct fd_entry *e, uint32_t *fd);
enum wasi_errno fds_close(struct fds *fds, uint32_t fd);
/* `to` is closed and becomes what `from` was; both must be open. */
enum wasi_errno fds_renumber(struct fds *fds, uint32_t from, uint32_t to);
/* Puts /dev/null where standard stream `fd` was. */
void fds_plug(const struct fds *fds, int fd);

/* What applies to a descriptor of this type. */
uint64_t fds_rights_of(enum wasi_filetype type, bool seekable);
enum wasi_filetype fds_filetype(mode_t mode);
/* What a standard stream allows that was opened with these flags (fcntl's). */
uint64_t fds_standard_rights(enum wasi_filetype type, bool seekable, int flags);
/* enum wasi_fdflags, as flags for open; and back, of an open descriptor. */
int fds_open_flags(uint32_t fdflags);
uint16_t fds_flags(const struct fd_entry *e, int host_flags);

#endif
