/*
 * agent_host - the agent as a process of this machine: drive/agent_drive.h on libuv and SQLite.
 *
 * Does     Holds the state directory (nobody else may), keeps the journal in it ("journal.db"), the
 *          pool's token ("token") and, if others may dial it, its key for TLS. Listens. SIGTERM and
 *          SIGINT end it cleanly.
 * Record   With `record` all events of the core are appended to that file (drive/agent_record.h).
 * Errors   Of opening: a sentence that says what to do. Of running: agent_host_run.
 */
#ifndef TERN_OS_POOL_AGENT_HOST_H
#define TERN_OS_POOL_AGENT_HOST_H

#include "core/note.h"
#include "os/pool/world_uv.h"

struct agent_host_order { /* borrowed until it is closed */
    const char *state_dir;
    const char *const *listen; /* at least one */
    size_t listen_count;
    const char *record; /* a file, or NULL */
    void *context;
    void (*log)(void *context, enum note_level level, const char *line);
};

struct agent_host;

enum tern_err agent_host_open(const struct agent_host_order *order, struct agent_host **out,
                              struct problem *p);
/* The i-th endpoint as others may dial it; NULL behind the last. */
const char *agent_host_at(const struct agent_host *h, size_t i);
/* Until it is asked to end, or cannot go on: *p says why. */
enum tern_err agent_host_run(struct agent_host *h, struct problem *p);
void agent_host_close(struct agent_host *h); /* NULL is fine */

#endif
