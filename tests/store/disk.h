/*
 * disk - notes what the store does to its directory, and makes the directory that a power cut
 * leaves.
 *
 * Packs    Every write, resize, sync, creation and removal, in order. At a cut, what was synced is
 *          there; of each thing after that, the dice say: it landed, it vanished, or (a write) it
 * tore. A file whose name was not synced may be missing, a removed one may be back. Index    LMDB
 * is trusted to be atomic: the file is kept as it is after each of its transactions, and a cut
 * finds the last of them. So there is no cut inside of a transaction.
 */
#ifndef TERN_TEST_DISK_H
#define TERN_TEST_DISK_H

#include "shelf.h"

enum disk_kind {
    DISK_CREATE,
    DISK_WRITE,
    DISK_RESIZE,
    DISK_SYNC,
    DISK_SYNC_DIR,
    DISK_REMOVE,
    DISK_COMMIT,
    DISK_MARK /* of the test's own: `number` */
};

struct disk_event {
    enum disk_kind kind;
    uint64_t number; /* of the pack */
    uint64_t at;     /* where, or the size */
    struct bytes bytes;
};

enum { DISK_FDS = 256 };

struct disk {
    struct store_io io; /* for the store that is watched */
    char index[SHELF_PATH_BYTES + 64];
    struct disk_event *events;
    size_t count, capacity;
    uint64_t pack_of[DISK_FDS]; /* by descriptor; 0: another file */
};

void disk_watch(struct disk *d, const struct shelf *shelf);
void disk_release(struct disk *d);
void disk_mark(struct disk *d, uint64_t number);
/* Makes the directory as it is when the power fails after `cut` events. */
void disk_after_cut(const struct disk *d, size_t cut, uint64_t *seed, const struct shelf *to);
/* Number of the last mark before the cut; 0: none. */
uint64_t disk_last_mark(const struct disk *d, size_t cut);

#endif
