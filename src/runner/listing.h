/*
 * listing - a directory's entries in an order that every machine and file system has in common.
 *
 * Order    ".", "..", then by a hash of the name. An entry's cookie is made of its name alone: so a
 *          program that goes on elsewhere, or long after, with a cookie that it was given gets each
 *          entry that has been there all the time exactly once. (The kernel's own offsets
 *          mean something to one file system only, ordinals nothing once an entry has gone.)
 * Equal    Of two names with the same hash (one pair in 2^62) one may be left out where a reading
 *          ends between them.
 * Limits   LISTING_MAX entries or LISTING_NAMES_BYTES of names are held at a time; larger
 *          directories are read several times.
 * Memory   Static, so that nothing of it is the program's; there is one listing.
 */
#ifndef TERN_RUNNER_LISTING_H
#define TERN_RUNNER_LISTING_H

#include <stdbool.h>
#include <stdint.h>

#ifndef LISTING_MAX /* a test has less */
#define LISTING_MAX         65536
#define LISTING_NAMES_BYTES (32 * LISTING_MAX)
#endif

struct listing_entry {
    uint64_t cookie; /* from 1 */
    uint64_t inode;
    uint32_t name;  /* offset */
    uint16_t size;  /* of the name */
    uint8_t d_type; /* DT_* */
};

/*
 * Reads directory `fd`: the first entries, as many as can be held, whose cookies are larger than
 * `after`. 0, or -errno. *complete: there are no more behind these.
 */
int listing_read(int fd, uint64_t after, bool *complete);

uint32_t listing_count(void);
/* In order. */
const struct listing_entry *listing_entry(uint32_t i);
/* Zero behind. */
const char *listing_name(const struct listing_entry *e);

#endif
