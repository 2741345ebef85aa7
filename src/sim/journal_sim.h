/*
 * journal_sim - facts on a virtual disk: drive/journal.h.
 *
 * Does     Stores in groups: what was appended while one is written is the next. When its process
 *          or machine dies, what was not stored is lost; of the group that was being written any
 *          first part may be there afterwards, by the dice.
 * Disk     Outlives its user; one user at a time. With `fails` every write fails from then on.
 */
#ifndef TERN_SIM_JOURNAL_SIM_H
#define TERN_SIM_JOURNAL_SIM_H

#include "drive/journal.h"
#include "sim/sim.h"

struct sim_disk_config {
    int64_t write_least_ns, write_most_ns; /* of one group */
    uint32_t slow;                         /* in a million groups: a hundred times as long */
    bool lies;                             /* planted: says 'stored' as soon as it begins to write */
};

extern const struct sim_disk_config sim_disk_default;

struct sim_disk;

struct sim_disk *sim_disk_new(struct sim *sim, const char *name,
                              const struct sim_disk_config *config);
void sim_disk_free(struct sim_disk *d);
/* For a new process: the one before is gone. Its fields are the disk's, until sim_disk_crash. */
struct journal *sim_disk_journal(struct sim_disk *d);
/* Its user died just now. */
void sim_disk_crash(struct sim_disk *d);
void sim_disk_pause(struct sim_disk *d, bool paused);
void sim_disk_set_failing(struct sim_disk *d, bool fails);
/* Facts that cannot be lost any more, from the beginning of time. */
uint64_t sim_disk_stored(const struct sim_disk *d);

#endif
