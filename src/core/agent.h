/*
 * agent - decides what runs where, and remembers what was promised.
 *
 * Does     Takes jobs; matches tasks to nodes and gives attempts, ahead of time where tasks are
 *          short; renews leases; takes reports; gives out anew what a lost node had, from its last
 *          checkpoint that counts; keeps names, and who holds which root; tells watchers.
 * Not here Bulk data, sockets, clocks, the disk. Policy is in policy_*.c: pure functions that
 *          return a choice and its reason.
 * Life     agent_new; agent_apply for each fact of the snapshot and the journal; agent_start, which
 *          begins a new term; then agent_step for ever.
 * Facts    All state that matters is facts applied in order (agent_apply does it in both lives): a
 *          step checks a fact, applies it, and emits it (core_store). Restart never decides anew.
 * Once     A task ends by the first Ended that is stored. A report of an attempt that is not the
 *          task's newest is acknowledged and has no effect; a request of (session, number) that
 *          was answered is answered alike.
 * Memory   At most AGENT_TASK_BYTES for a queued task; limits in struct agent_config: at each, a
 *          clear refusal.
 * Errors   None from agent_step. agent_apply: TERN_ECORRUPT for a fact that cannot be.
 * Replay   Equal start and equal events give equal actions, bit for bit.
 */
#ifndef TERN_CORE_AGENT_H
#define TERN_CORE_AGENT_H

#include "core/core.h"

enum { AGENT_TASK_BYTES = 1024 };

struct agent_config {
    int64_t beat_ns;       /* peers beat at least so often: 500 ms */
    int64_t lease_ns;      /* of a node, from the sending of its beat: 2 s */
    int64_t drift_ns;      /* added to it here: 200 ms */
    int64_t grace_ns;      /* from a closed connection until its node counts as lost: 20 ms */
    int64_t session_ns;    /* a session without a connection: 1 h */
    int64_t keep_ns;       /* ended tasks stay known: 24 h, and at most ended_max of them */
    int64_t hold_ns;       /* leases that it takes on roots: 1 h */
    int64_t depot_lost_ns; /* a depot away so long: what it had is copied from others: 60 s; so
                              long tasks wait for their newest checkpoint before they go back */
    uint32_t copies;       /* depots that hold a checkpoint, where there are as many: 2 */
    uint32_t broken_max;   /* attempts that end by END_BROKEN, with no checkpoint between them,
                              before a task fails: 3 */
    uint64_t tasks_max;    /* that have not ended: 4 million */
    uint64_t ended_max;    /* 1 million */
    uint32_t nodes_max, depots_max, sessions_max, watches_max;
};

extern const struct agent_config agent_default;

struct agent;

struct agent *agent_new(const struct agent_config *config); /* NULL: no memory */
void agent_free(struct agent *a);

enum tern_err agent_apply(struct agent *a, const Tern__Fact *fact);
/* The first step of a life: pool is 16 bytes drawn by the drive, used if there is none yet. */
void agent_start(struct agent *a, int64_t now_ns, const uint8_t pool[16], struct core_out *out);
void agent_step(struct agent *a, const struct core_event *ev, struct core_out *out);

/*
 * The whole state as facts that bring it about, a few at a time: *cursor is 0 first. False: that
 * was all. No step may come in between.
 */
bool agent_snapshot(const struct agent *a, uint64_t *cursor, struct core_out *out);

/* Invariants, by looking at everything; for tests and the simulator. */
void agent_check(const struct agent *a);

/* For the simulator's own checks, and for benches. */
struct agent_count {
    uint64_t waiting, ready, placed, running, done, failed, cancelled;
    uint64_t facts, task_bytes;
};
struct agent_count agent_count(const struct agent *a);

#endif
