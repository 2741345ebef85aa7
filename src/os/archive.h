/*
 * archive - one checkpoint as a stream of bytes that means the same on every machine.
 *
 * Format   "TERNARC1"; chunks, each a u32 size, little-endian, and its plain bytes, in
 *          front of those that it names; u32 0xffffffff; the name of the root chunk; i64 time in
 *          ns.
 * Trust    Reading believes nothing: names are made from the bytes, and what the root needs has to
 *          be there. Whether the image fits to its module is for whoever resumes it to find out.
 * Lacking  Standard input that is kept for the program (kept_input.h) is not in it.
 */
#ifndef TERN_OS_ARCHIVE_H
#define TERN_OS_ARCHIVE_H

#include "store/store.h"

enum tern_err archive_write(struct store *s, const struct store_root *root, int fd,
                            struct problem *p);
/* Commits it as the newest. TERN_EPROTO: no archive, or not all of one. */
enum tern_err archive_read(int fd, struct store *s, struct store_root *out, struct problem *p);

#endif
