/*
 * slots_uv - the slots of a node as processes of this machine (drive/node_drive.h): `tern slot`.
 *
 * Does     Starts each in a process group of its own, joined to us by a pair of sockets, which is
 *          its descriptor SLOT_SOCKET_FD. Kills the whole group.
 * Dies     with us: a slot ends when its socket does, and by the kernel's word if we are killed
 *          (slots_uv_die_with_parent). What it runs ends likewise.
 */
#ifndef TERN_OS_POOL_SLOTS_UV_H
#define TERN_OS_POOL_SLOTS_UV_H

#include "drive/node_drive.h"
#include "os/pool/world_uv.h"

#include <sys/types.h>

enum { SLOT_SOCKET_FD = 3 };

struct slots_uv_config {
    struct world_uv *world;
    uint32_t count;
    /* With what a slot is started: behind these its index. NULL behind the last. */
    const char *const *command;
};

struct slots_uv;

enum tern_err slots_uv_new(const struct slots_uv_config *config, struct slots_uv **out,
                           struct problem *p);
/* Kills all that are left, and waits for them. */
void slots_uv_free(struct slots_uv *s);
struct slots *slots_uv_slots(struct slots_uv *s);
/* Those that run; at most `most`. */
size_t slots_uv_processes(const struct slots_uv *s, pid_t *out, size_t most);

/* In a slot: it ends when its parent does. If that has happened already, its socket says so. */
void slots_uv_die_with_parent(void);

#endif
