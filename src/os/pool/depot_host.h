/*
 * depot_host - a depot as a process: its place on the disk or in memory, its key, its sockets, and
 *              the drive (drive/depot_drive.h) on them.
 *
 * Life     depot_host_open; depot_host_run until the process gets SIGTERM or SIGINT; depot_host_close.
 * Key      DIR/key, 32 bytes, drawn at the first start; of a depot in memory: drawn each time.
 * Errors   *p is a sentence.
 */
#ifndef TERN_OS_POOL_DEPOT_HOST_H
#define TERN_OS_POOL_DEPOT_HOST_H

#include "base/error.h"
#include "message/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct depot_host_order {
    const char *name;
    const char *agent;         /* endpoint */
    const uint8_t *token;      /* of the pool; NULL: this machine only */
    const char *const *listen; /* endpoints */
    size_t listen_count;
    const char *dir; /* of its own; if memory: a file system in memory */
    bool memory;
    uint64_t space_bytes; /* 0: as much as there is */
    void *context;
    void (*told)(void *context, bool warn, const char *sentence);
};

struct depot_host;

/* What the order points to is borrowed. It listens when this returns. */
enum tern_err depot_host_open(const struct depot_host_order *order, struct depot_host **out,
                              struct problem *p);
/* Where it can be dialled: the i-th; NULL: there are no more. */
const char *depot_host_at(const struct depot_host *h, size_t i);
void depot_host_run(struct depot_host *h);
void depot_host_close(struct depot_host *h); /* NULL is fine */

#endif
