/*
 * pool_sim - a whole pool in a virtual world: work and faults drawn from a seed, then healing, then
 *            the question whether all that was promised came true.
 *
 * Does     Builds agent, depots, nodes with slots, clients; lets users ask for single programs,
 *          maps, graphs, long programs with checkpoints, input that comes later, cancellations;
 *          breaks what the seed says. Looks after each event whether anything is wrong that may
 *          never be; mends everything; waits until all that was accepted has ended.
 * Wrong is A task that ends twice, or otherwise than an undisturbed run; output that changes; what
 *          was acknowledged and is not known any more; what has not ended long after the healing; a
 *          failing check of a core; two runs of one seed with different traces.
 * Faults   By kind, each with its own stream: those that are off shift no others.
 */
#ifndef TERN_SIM_POOL_SIM_H
#define TERN_SIM_POOL_SIM_H

#include "base/bytes.h"
#include "core/note.h"
#include "sim/trace.h"

#define POOL_FAULTS(X)                                                                             \
    X(FRAMES, "frames", "frames between machines lost, doubled, swapped")                          \
    X(BREAKS, "breaks", "connections that break, both ends told, one or none")                     \
    X(DIALS, "dials", "connections that are refused or come late")                                 \
    X(CUTS, "cuts", "networks cut, one way or both")                                               \
    X(PAUSES, "pauses", "processes stopped and gone on with")                                      \
    X(NODES, "nodes", "nodes killed and started again")                                            \
    X(SLOTS, "slots", "slots killed")                                                              \
    X(AGENT, "agent", "the agent killed and started again")                                        \
    X(DEPOTS, "depots", "depots killed and started again")                                         \
    X(CLIENTS, "clients", "clients that vanish")                                                   \
    X(POWER, "power", "machines without power")                                                    \
    X(DISK, "disk", "slow disks, disks that tear")                                                 \
    X(PROGRAMS, "programs", "programs that break, or cannot be moved for a while")                 \
    X(DRAINS, "drains", "nodes drained, tasks moved, checkpoints asked for")

enum pool_fault {
#define POOL_FAULT_ENUM(name, word, text) POOL_FAULT_##name,
    POOL_FAULTS(POOL_FAULT_ENUM)
#undef POOL_FAULT_ENUM
        POOL_FAULT_COUNT
};

/* Bugs that can be planted in the world, which have to be found: else the checks are worth nothing. */
#define POOL_PLANTS(X)                                                                             \
    X(NOTHING, "nothing")                                                                          \
    X(LYING_DISK, "lying-disk")           /* says that facts are stored before they are */         \
    X(FORGETFUL_DEPOT, "forgetful-depot") /* loses what it has committed when it is killed */      \
    X(ECHO, "echo")                       /* programs say a line again after going on elsewhere */

enum pool_plant {
#define POOL_PLANT_ENUM(name, word) POOL_PLANT_##name,
    POOL_PLANTS(POOL_PLANT_ENUM)
#undef POOL_PLANT_ENUM
        POOL_PLANT_COUNT
};

struct pool_sim_config {
    uint64_t seed;
    uint32_t nodes, tasks; /* 0: drawn */
    int64_t for_ns;        /* how long work comes and things break; 0: drawn */
    uint32_t faults;       /* bits 1 << enum pool_fault */
    enum pool_plant plant;
    void *context;
    void (*row)(void *context, const struct trace_row *row); /* of the trace; may be NULL */
};

enum { POOL_FAILURE_BYTES = 512, POOL_LAST_ROWS = 40 };

struct pool_sim_result {
    bool failed;
    char failure[POOL_FAILURE_BYTES];
    struct bytes last; /* the last rows of the trace, if it failed; release it */
    uint64_t hash, events, rows;
    int64_t took_ns, healed_ns, quiet_ns; /* virtual: in all, until all was mended and had ended */
    uint32_t nodes, depots, clients;
    uint64_t jobs, tasks, done, other_ends, checkpoints, attempts;
    uint64_t fault[POOL_FAULT_COUNT]; /* how often each kind struck */
    uint64_t note[NOTE_COUNT];        /* how often each note came: did any seed ever reach this? */
};

void pool_sim_run(const struct pool_sim_config *config, struct pool_sim_result *result);
void pool_sim_release(struct pool_sim_result *result);

/* "frames,cuts", "all", "none", "all,-agent". False: *bad is a word that is no kind. */
bool pool_faults_parse(const char *text, uint32_t *out, struct view *bad);
/* POOL_PLANT_COUNT: there is none of that name. */
enum pool_plant pool_plant_parse(const char *word);
const char *pool_fault_word(enum pool_fault fault);
const char *pool_fault_text(enum pool_fault fault);

#endif
