/*
 * agent_record - events of a core as bytes: what the optional recorder keeps, for playing them again.
 *
 * Format   A record is u32 size of what follows; u8 kind, i64 now, u32 peer, u32 size of the owner,
 *          of the envelope, of the attachment; then these three. Little-endian.
 * Errors   TERN_ECORRUPT: no record; the attachment is borrowed from the bytes.
 */
#ifndef TERN_DRIVE_AGENT_RECORD_H
#define TERN_DRIVE_AGENT_RECORD_H

#include "core/core.h"

void agent_record_put(struct bytes *out, const struct core_event *ev);
/* The first record of *from, which goes on behind it. What it points to lies in the arena. */
enum tern_err agent_record_get(struct view *from, struct arena *arena, struct core_event *out);

#endif
