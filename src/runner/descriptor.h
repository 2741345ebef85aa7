/*
 * descriptor - what can be done with an open descriptor, as tables of functions: one for what the
 * kernel holds, one for what lies in the program's private file tree.
 *
 * Does     A host call (wasi_*.c) checks addresses, rights and arguments, which are the same for
 *          both; then it asks the descriptor's table. Nothing else tells the two apart.
 * Kernel   kernel_*: beside the host calls that they belong to.
 * Tree     private_*: private_fd.c, private_path.c.
 */
#ifndef TERN_RUNNER_DESCRIPTOR_H
#define TERN_RUNNER_DESCRIPTOR_H

#include "runner/target.h"
#include "runner/vectors.h"

#include <time.h>

/* What path_open asks for. */
struct open_wish {
    uint32_t oflags, fdflags;
    bool follow;
    uint64_t rights, inheriting; /* asked for, and granted by the directory */
};

bool open_wants_write(const struct open_wish *w);

/* A program's buffer that fd_readdir fills. */
struct filling {
    uint8_t *to; /* what is left of it */
    uint32_t left;
};

struct filling_entry {
    uint64_t cookie, inode;
    uint8_t filetype;
    const char *name;
    uint32_t size;
};

/* False: it was cut off. A full buffer is how the program learns of more. */
bool filling_put(struct filling *f, const struct filling_entry *e);

/* Instead of an offset: where the descriptor stands. */
enum { DESCRIPTOR_PLACE = -1 };

struct descriptor_ops {
    /* The descriptor is gone whatever the answer; that may be the error of an earlier write. */
    enum wasi_errno (*close)(struct fds *fds, struct fd_entry *e);
    enum wasi_errno (*get_flags)(const struct fd_entry *e, uint16_t *fdflags);
    enum wasi_errno (*set_flags)(struct fd_entry *e, uint32_t fdflags);
    enum wasi_errno (*stat)(const struct fd_entry *e, uint8_t to[FILESTAT_BYTES]);
    enum wasi_errno (*set_times)(struct host *h, struct fd_entry *e,
                                 const struct timespec times[2]);
    /* Files and streams: */
    enum wasi_errno (*set_size)(struct host *h, struct fd_entry *e, uint64_t size);
    enum wasi_errno (*allocate)(struct host *h, struct fd_entry *e, uint64_t offset, uint64_t size);
    enum wasi_errno (*advise)(const struct fd_entry *e, off_t offset, off_t size, int advice);
    enum wasi_errno (*sync)(const struct fd_entry *e, bool data_only);
    enum wasi_errno (*read)(struct host *h, struct fd_entry *e, const struct vectors *v,
                            off_t offset, uint64_t *done);
    enum wasi_errno (*write)(struct host *h, struct fd_entry *e, const struct vectors *v,
                             off_t offset, uint64_t *done);
    enum wasi_errno (*seek)(struct fd_entry *e, int64_t by, int whence, uint64_t *at);
    uint64_t (*readable_bytes)(const struct fd_entry *e);
    /* Directories; a target's descriptor is of this table, of two that of the first: */
    enum wasi_errno (*read_directory)(const struct fd_entry *e, uint64_t cookie, struct filling *f);
    enum wasi_errno (*open)(struct host *h, const struct target *t, const struct open_wish *w,
                            struct fd_entry *out);
    enum wasi_errno (*path_stat)(struct host *h, const struct target *t, bool follow,
                                 uint8_t to[FILESTAT_BYTES]);
    enum wasi_errno (*path_set_times)(struct host *h, const struct target *t, bool follow,
                                      const struct timespec times[2]);
    enum wasi_errno (*make_directory)(struct host *h, const struct target *t);
    enum wasi_errno (*remove)(struct host *h, const struct target *t, bool directory);
    enum wasi_errno (*rename)(struct host *h, const struct target *from, const struct target *to);
    enum wasi_errno (*symlink)(struct host *h, const char *text, const struct target *t);
    enum wasi_errno (*link)(struct host *h, const struct target *from, bool follow,
                            const struct target *to);
    enum wasi_errno (*readlink)(struct host *h, const struct target *t, char text[PATH_MAX],
                                size_t *size);
};

const struct descriptor_ops *descriptor_ops(const struct fd_entry *e);

/* clang-format off */
#define DESCRIPTOR_OPS(OP)                                                                         \
    OP(close) OP(get_flags) OP(set_flags) OP(stat) OP(set_times) OP(set_size) OP(allocate)         \
    OP(advise) OP(sync) OP(read) OP(write) OP(seek) OP(readable_bytes) OP(read_directory) OP(open) \
    OP(path_stat) OP(path_set_times) OP(make_directory) OP(remove) OP(rename) OP(symlink) OP(link) \
    OP(readlink)
/* clang-format on */

#define DESCRIPTOR_DECLARE(name)                                                                   \
    __typeof__(*((struct descriptor_ops *)0)->name) kernel_##name, private_##name;
DESCRIPTOR_OPS(DESCRIPTOR_DECLARE)
#undef DESCRIPTOR_DECLARE

#endif
