/*
 * vectors - a program's list of buffers, copied out and checked, as the kernel wants it.
 *
 * The list is read once: what the program's memory says afterwards has no effect.
 */
#ifndef TERN_RUNNER_VECTORS_H
#define TERN_RUNNER_VECTORS_H

#include "runner/guest.h"
#include "runner/wasi.h"

#include <sys/uio.h>

/* As many as the kernel takes at once; what lies behind is left to the program's next call. */
enum { VECTORS_MAX = 1024 };

struct vectors {
    struct iovec *iov;
    int count;
    uint64_t bytes; /* sum */
};

/* FAULT if the list or a buffer is out of bounds. out->iov holds until the next vectors_get. */
enum wasi_errno vectors_get(const struct tern_memory *m, uint32_t list, uint32_t count,
                            struct vectors *out);
/* Cuts to the first `bytes`. */
void vectors_cut(struct vectors *v, uint64_t bytes);

#endif
